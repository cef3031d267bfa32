/* SPDX-License-Identifier: Apache-2.0 */
#include "images/fdtree.h"

#include <inttypes.h>
#include <libfdt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/reader.h"

#define RESERVED 16u /* an entry of the memory reservation block; the last one is zeros */
#define PROP_HEAD 12u
#define VERSION 17u
#define VERSION_COMPATIBLE 16u
#define SLACK_MAX 4096u /* mkimage aligns to a block or less */

/* A blob at work. */
struct blob {
	struct fdtree *t;
	uint8_t *p;
	uint32_t structure, structure_n;
	unsigned open[FDTREE_DEPTH_MAX]; /* nodes whose end has not come, the innermost last */
	unsigned depth;
	bool closed[FDTREE_DEPTH_MAX]; /* that node has had a subnode */
};

/* Keeps the first thing that is wrong. */
__attribute__((format(printf, 4, 5))) static void
spoil(struct fdtree *t, enum finding_id finding, uint64_t where, const char *fmt, ...)
{
	va_list ap;
	if (t->bad)
		return;
	t->bad = true;
	t->finding = finding;
	t->where = where;
	va_start(ap, fmt);
	vsnprintf(t->why, sizeof t->why, fmt, ap);
	va_end(ap);
}

static void
hide(struct fdtree *t, uint64_t where)
{
	if (!t->hidden)
		t->hidden_at = where;
	t->hidden = true;
}

static bool
zeros(const struct blob *b, uint64_t from, uint64_t to)
{
	for (; from < to; from++)
		if (b->p[from])
			return false;
	return true;
}

/* Bytes between two parts: zeros, or something is hidden there. */
static void
gap(struct blob *b, unsigned i, uint64_t from, uint64_t to)
{
	bool clean = zeros(b, from, to);
	b->t->gap[i] = (struct sig_range){ from, clean ? to - from : 0 };
	if (!clean)
		hide(b->t, from);
}

/*
 * Behind the names mkimage leaves room, or fills up to what the blob is aligned to
 * with what was there before. More than three bytes of that nobody vouches for, and
 * nothing else says where the blob ends, on which the header is then wrong.
 */
static void
slack(struct blob *b, uint64_t from, uint64_t size)
{
	uint64_t total = b->t->total, n = total - from, aligned = total & (~total + 1);
	bool clean = zeros(b, from, total);
	b->t->gap[3] = (struct sig_range){ from, clean || n < 4 ? n : 0 };
	if (!clean && n >= SLACK_MAX)
		hide(b->t, from);
	if (total != size && n >= 4 && n >= aligned)
		b->t->gap[0].length = 0;
}

/* Where the parts are in a file of size bytes; the header is under no signature: all of it must follow from them. */
static void
layout(struct blob *b, uint64_t size)
{
	struct fdtree *t = b->t;
	struct reader r;
	reader_init(&r, view_of(b->p + 8, FDTREE_HEADER - 8));
	uint64_t structure = reader_u32(&r), strings = reader_u32(&r), reserved = reader_u32(&r);
	uint32_t version = reader_u32(&r), compatible = reader_u32(&r), processor = reader_u32(&r);
	uint64_t strings_n = reader_u32(&r), structure_n = reader_u32(&r);
	if (version != VERSION || compatible != VERSION_COMPATIBLE)
		spoil(t, FINDING_FMT_MALFORMED, 20, "a device tree of version %" PRIu32 ", compatible with %" PRIu32,
		    version, compatible);
	else if (reserved != FDTREE_HEADER || structure < reserved + RESERVED || structure % 4 ||
	         strings < structure + structure_n || strings + strings_n > t->total)
		spoil(t, FINDING_FMT_CONFLICT, 8, "the parts of the device tree do not lie one behind the other");
	else if (strings_n > FDTREE_STRINGS_MAX)
		spoil(t, FINDING_FMT_WALK_LIMIT, strings, "more than %u bytes of names", FDTREE_STRINGS_MAX);
	if (t->bad)
		return;
	t->gap[0] = (struct sig_range){ 0, FDTREE_HEADER };
	if (processor) {
		hide(t, 28);
		t->gap[0].length = 28;
	}
	gap(b, 1, reserved, structure);
	gap(b, 2, structure + structure_n, strings);
	slack(b, strings + strings_n, size);
	b->structure = (uint32_t)structure;
	b->structure_n = (uint32_t)structure_n;
	t->strings = (struct sig_range){ strings, strings_n };
}

static int
grow(void **p, unsigned n, size_t size, unsigned max)
{
	unsigned cap = n < 64 ? 64 : n * 2;
	if (n != 0 && (n < 64 || (n & (n - 1)) != 0))
		return 0;
	void *more = realloc(*p, (cap < max ? cap : max) * size);
	if (!more)
		return FG_ENOMEM;
	*p = more;
	return 0;
}

static int
begin_node(struct blob *b, struct sig_range token)
{
	struct fdtree *t = b->t;
	const char *name = (const char *)b->p + token.offset + 4;
	size_t n = strlen(name); /* it ends within the structure: fdt_check_full() */
	unsigned parent = b->depth ? b->open[b->depth - 1] : FDTREE_NONE;
	if (t->nodes == FDTREE_NODES_MAX || b->depth == FDTREE_DEPTH_MAX || n >= FDTREE_NAME_MAX)
		spoil(t, FINDING_FMT_WALK_LIMIT, token.offset,
		    "a device tree of more than %u nodes, %u levels or %u characters in a name", FDTREE_NODES_MAX,
		    FDTREE_DEPTH_MAX, FDTREE_NAME_MAX - 1);
	else if ((n == 0) != (parent == FDTREE_NONE) || (t->nodes > 0 && parent == FDTREE_NONE))
		spoil(t, FINDING_FMT_MALFORMED, token.offset, "a node without a name, a root with one, or two roots");
	else if (!zeros(b, token.offset + 4 + n, token.offset + token.length))
		spoil(t, FINDING_FMT_HIDDEN_BYTES, token.offset, "bytes in the padding of a node's name");
	else if (parent != FDTREE_NONE && fdtree_child(t, parent, view_of(name, n)) != FDTREE_NONE)
		spoil(t, FINDING_FMT_DUPLICATE, token.offset, "two nodes of one name in one node");
	if (t->bad)
		return 0;
	int err = grow((void **)&t->node, t->nodes, sizeof *t->node, FDTREE_NODES_MAX);
	if (err)
		return err;
	struct fdtree_node *node = &t->node[t->nodes];
	*node = (struct fdtree_node){ .parent = parent, .begin = token, .first = t->props };
	memcpy(node->name, name, n + 1);
	if (b->depth)
		b->closed[b->depth - 1] = true;
	b->closed[b->depth] = false;
	b->open[b->depth++] = t->nodes++;
	return 0;
}

static int
property(struct blob *b, struct sig_range token)
{
	struct fdtree *t = b->t;
	struct reader r;
	struct fdtree_prop p = { .token = token };
	struct fdtree_node *node = &t->node[b->open[b->depth - 1]];
	reader_init(&r, view_of(b->p + token.offset + 4, PROP_HEAD - 4));
	p.value = (struct sig_range){ token.offset + PROP_HEAD, reader_u32(&r) };
	p.name_at = reader_u32(&r);
	p.name = t->names + p.name_at; /* it lies and ends within the strings: fdt_check_full() */
	if (t->props == FDTREE_PROPS_MAX || node->props == FDTREE_NODE_PROPS_MAX)
		spoil(t, FINDING_FMT_WALK_LIMIT, token.offset, "a device tree of more than %u properties, %u in a node",
		    FDTREE_PROPS_MAX, FDTREE_NODE_PROPS_MAX);
	else if (b->closed[b->depth - 1])
		spoil(t, FINDING_FMT_MALFORMED, token.offset, "a property stands behind a subnode, where readers miss it");
	p.clean = zeros(b, p.value.offset + p.value.length, token.offset + token.length);
	for (unsigned i = 0; i < node->props && !t->bad; i++)
		if (strcmp(t->prop[node->first + i].name, p.name) == 0)
			spoil(t, FINDING_FMT_DUPLICATE, token.offset, "two properties of one name in one node");
	if (t->bad)
		return 0;
	int err = grow((void **)&t->prop, t->props, sizeof *t->prop, FDTREE_PROPS_MAX);
	if (err)
		return err;
	t->prop[t->props++] = p;
	node->props++;
	return 0;
}

static int
tokens(struct blob *b)
{
	struct fdtree *t = b->t;
	int at = 0, next = 0, err = 0;
	for (uint32_t tag = FDT_NOP; tag != FDT_END && !t->bad && !err; at = next) {
		tag = fdt_next_tag(b->p, at, &next);
		struct sig_range token = { b->structure + (uint64_t)at, next > at ? (uint64_t)(next - at) : 0 };
		if (tag == FDT_BEGIN_NODE) {
			err = begin_node(b, token);
		} else if (tag == FDT_PROP && b->depth > 0) {
			err = property(b, token);
		} else if (tag == FDT_END_NODE && b->depth > 0) {
			t->node[b->open[--b->depth]].end = token;
		} else if (tag == FDT_END && next > at && b->depth == 0 && t->nodes > 0) {
			t->end_token = token;
			if ((uint32_t)next != b->structure_n)
				spoil(t, FINDING_FMT_HIDDEN_BYTES, token.offset, "the structure goes on behind its end");
		} else {
			spoil(t, FINDING_FMT_MALFORMED, token.offset,
			    tag == FDT_NOP ? "a token that means nothing" : "tokens in no order that makes a tree");
		}
	}
	return err;
}

int
fdtree_read(const struct source *s, struct fdtree *ret)
{
	uint8_t head[FDTREE_HEADER] = { 0 };
	struct blob b = { .t = ret };
	struct reader r;
	*ret = (struct fdtree){ .total = 0 };
	if (s->size < sizeof head) {
		spoil(ret, FINDING_FMT_MALFORMED, 0, "shorter than the header of a device tree");
		return 0;
	}
	int err = source_read(s, 0, head, sizeof head);
	if (err)
		return err;
	reader_init(&r, view_of(head, sizeof head));
	uint32_t magic = reader_u32(&r);
	ret->total = reader_u32(&r);
	if (magic != FDT_MAGIC || ret->total < sizeof head || ret->total > s->size)
		spoil(ret, FINDING_FMT_MALFORMED, 0, "no device tree, or a cut one");
	else if (ret->total > FDTREE_MAX)
		spoil(ret, FINDING_FMT_WALK_LIMIT, 4, "a device tree of %" PRIu64 " bytes: U-Boot takes no more than %u",
		    ret->total, FDTREE_MAX);
	if (ret->bad)
		return 0;
	b.p = malloc((size_t)ret->total);
	err = b.p ? source_read(s, 0, b.p, (size_t)ret->total) : FG_ENOMEM;
	if (!err && fdt_check_full(b.p, (size_t)ret->total) != 0)
		spoil(ret, FINDING_FMT_MALFORMED, 0, "libfdt: %s", fdt_strerror(fdt_check_full(b.p, (size_t)ret->total)));
	if (!err && !ret->bad)
		layout(&b, s->size);
	if (!err && !ret->bad) {
		ret->names = malloc((size_t)ret->strings.length + 1);
		err = ret->names ? 0 : FG_ENOMEM;
	}
	if (!err && !ret->bad) {
		memcpy(ret->names, b.p + ret->strings.offset, (size_t)ret->strings.length);
		ret->names[ret->strings.length] = '\0';
		err = tokens(&b);
	}
	free(b.p);
	if (err || ret->bad) {
		free(ret->node);
		free(ret->prop);
		free(ret->names);
		ret->node = NULL;
		ret->prop = NULL;
		ret->names = NULL;
		ret->nodes = ret->props = 0;
	}
	return err;
}

void
fdtree_drop(struct fdtree *t)
{
	free(t->node);
	free(t->prop);
	free(t->names);
	*t = (struct fdtree){ .total = 0 };
}

unsigned
fdtree_child(const struct fdtree *t, unsigned node, struct view name)
{
	/* Children stand behind their parent, and the first that is none of its descendants ends them. */
	for (unsigned i = node + 1; i < t->nodes; i++)
		if (t->node[i].parent == node && view_is(name, t->node[i].name))
			return i;
	return FDTREE_NONE;
}

const struct fdtree_prop *
fdtree_prop(const struct fdtree *t, unsigned node, const char *name)
{
	const struct fdtree_node *n = &t->node[node];
	for (unsigned i = 0; i < n->props; i++)
		if (strcmp(t->prop[n->first + i].name, name) == 0)
			return &t->prop[n->first + i];
	return NULL;
}
