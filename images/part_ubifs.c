/* SPDX-License-Identifier: Apache-2.0 */
/*
 * part_ubifs - the files of an UBIFS file system, as its index has them. Nodes
 * that led to something are structure, or pieces of the file that came out of
 * them; nodes that nothing leads to are nobody's, and become parts.
 */
#include <stdlib.h>
#include <sys/stat.h>

#include "crypto/err.h"
#include "crypto/reader.h"
#include "images/filler.h"
#include "images/flash.h"
#include "images/fstree.h"
#include "images/part_fs.h"
#include "images/ubifs.h"

#define NAME_LEN 56u  /* of a node of a name without the name and its NUL */
#define DATA_LEN 48u
#define PAD_LEN 28u
#define PAD_BYTE 0xceu /* between nodes where no node of padding fits */

struct opener {
	struct part_ctx *c;
	uint32_t self;
	struct ubifs *u;
	struct fstree names;
	uint32_t *child;    /* the first name of the inode whose own node is that leaf; 0: none yet */
	/* ---- the file at hand ---- */
	struct ubifs_leaf *next;
	const struct ubifs_leaf *end;
	uint64_t at, size;
	bool packed_strangely;
	uint8_t block[UBIFS_BLOCK];
};

/* ---- nodes and what fills up behind them ---- */

/* Up to the next multiple of eight, where that is padding. */
static int
padded(struct opener *o, uint64_t at, uint32_t length, uint64_t *ret_end)
{
	uint8_t pad[8] = { 0 };
	size_t n = (8 - length % 8) % 8;
	*ret_end = at + length;
	int err = n ? source_read(o->u->s, at + length, pad, n) : 0;
	bool known = pad[0] == PAD_BYTE || pad[0] == 0 || pad[0] == 0xff;
	if (!err && n && known && filler_is(view_of(pad, n), pad[0]))
		*ret_end += n;
	return err == FG_ELIMIT ? 0 : err;
}

static int
structure(struct opener *o, uint64_t at, uint32_t length)
{
	uint64_t end;
	int err = padded(o, at, length, &end);
	return err ? err : part_structure(o->c, o->self, at, end - at);
}

/* The node of a leaf of which all is told. */
static int
told(struct opener *o, struct ubifs_leaf *l)
{
	l->used = true;
	return l->clean ? structure(o, l->at, l->length) : 0;
}

/* Nodes of padding, and bytes of it, from at on. */
static int
pads(struct opener *o, uint64_t at, uint64_t end)
{
	struct ubifs *u = o->u;
	while (at < end) {
		uint32_t length;
		struct reader r;
		int got = ubifs_node(u, at, PAD_LEN, UBIFS_TYPE_PAD, &length);
		if (got < 0)
			return got;
		reader_init(&r, view_of(u->node, PAD_LEN));
		(void)reader_take(&r, UBIFS_HEAD);
		uint64_t n = reader_u32le(&r), to;
		if (got == 0 || end - at < PAD_LEN || n > end - at - PAD_LEN) {
			uint8_t b[PAD_LEN];
			size_t most = end - at < PAD_LEN ? (size_t)(end - at) : PAD_LEN, k = 0;
			int err = source_read(u->s, at, b, most);
			while (!err && k < most && b[k] == PAD_BYTE)
				k++;
			return err || k == PAD_LEN ? err : part_structure(o->c, o->self, at, k);
		}
		int err = part_structure(o->c, o->self, at, PAD_LEN);
		if (!err)
			err = part_padding(o->c, o->self, at + PAD_LEN, n, false, &to);
		if (err)
			return err;
		at += PAD_LEN + n;
	}
	return 0;
}

static int
place_order(const void *a, const void *b)
{
	const struct ubifs_place *x = a, *y = b;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* What lies between the nodes that were used. */
static int
between(struct opener *o)
{
	struct ubifs *u = o->u;
	struct ubifs_place *row = calloc(u->n + u->index_n + 1, sizeof *row);
	size_t n = 0;
	if (!row)
		return FG_ENOMEM;
	for (size_t i = 0; i < u->index_n; i++)
		row[n++] = u->index[i];
	for (size_t i = 0; i < u->n; i++)
		if (u->leaf[i].used)
			row[n++] = (struct ubifs_place){ u->leaf[i].at, u->leaf[i].length };
	qsort(row, n, sizeof *row, place_order);
	row[n] = (struct ubifs_place){ u->s->size, 0 };
	int err = 0;
	for (size_t i = 0; i < n && !err; i++) {
		uint64_t end = (row[i].at + row[i].length + 7) & ~UINT64_C(7);
		if (row[i].at + row[i].length > row[i + 1].at)
			part_untold(o->c, o->self, "nodes of it lie over each other");
		else if (end < row[i + 1].at)
			err = pads(o, end, row[i + 1].at);
	}
	free(row);
	return err;
}

/* ---- files ---- */

static enum flash_packing
packing_of(unsigned word)
{
	static const enum flash_packing known[] = { FLASH_PLAIN, FLASH_LZO, FLASH_DEFLATE, FLASH_ZSTD };
	return word < sizeof known / sizeof known[0] ? known[word] : FLASH_UNKNOWN;
}

/* The block of the file at hand that begins at o->at: zeros where there is none. 0, FG_EFORMAT, FG_EIO, FG_ENOMEM. */
static int
load(struct opener *o)
{
	struct ubifs_leaf *l = o->next;
	struct reader r;
	memset(o->block, 0, sizeof o->block);
	if (l == o->end || (l->word & 0x1fffffff) != o->at / UBIFS_BLOCK)
		return 0;
	int got = ubifs_node(o->u, l->at, l->length, UBIFS_TYPE_DATA, NULL);
	o->next++;
	if (got <= 0 || l->length < DATA_LEN)
		return got < 0 ? got : FG_EFORMAT;
	reader_init(&r, view_of(o->u->node, l->length));
	(void)reader_take(&r, UBIFS_HEAD + 16);
	uint32_t n = reader_u32le(&r);
	enum flash_packing packing = packing_of(reader_u16le(&r));
	(void)reader_u16le(&r);
	o->packed_strangely = o->packed_strangely || packing == FLASH_UNKNOWN;
	if (n == 0 || n > UBIFS_BLOCK || packing == FLASH_UNKNOWN)
		return FG_EFORMAT;
	int err = flash_unpack(packing, reader_take(&r, l->length - DATA_LEN), o->block, n);
	/* What it has behind the end of the file nobody is shown: then it is not the file's alone. */
	size_t shown = o->size - o->at < n ? (size_t)(o->size - o->at) : n;
	l->clean = l->clean && (err || filler_is_zeros(o->block + shown, n - shown));
	return err;
}

static long
read_file(void *arg, void *buf, size_t n)
{
	struct opener *o = arg;
	size_t got = 0;
	while (got < n && o->at < o->size) {
		size_t off = (size_t)(o->at % UBIFS_BLOCK);
		int err = off == 0 ? load(o) : 0;
		if (err) {
			/* What came before it is given first: it is asked for again. */
			if (got == 0 || err != FG_EFORMAT)
				return err;
			o->next--;
			return (long)got;
		}
		size_t give = UBIFS_BLOCK - off;
		give = give < n - got ? give : n - got;
		give = give < o->size - o->at ? give : (size_t)(o->size - o->at);
		memcpy((uint8_t *)buf + got, o->block + off, give);
		got += give;
		o->at += give;
	}
	return (long)got;
}

/* Blocks of the file whose inode's node is leaf i, as far as its size goes. */
static void
find_blocks(struct opener *o, size_t i, uint64_t size)
{
	struct ubifs *u = o->u;
	size_t k = i + 1, end;
	while (k < u->n && u->leaf[k].inode == u->leaf[i].inode && ubifs_key_of(&u->leaf[k]) < UBIFS_KEY_DATA)
		k++;
	for (end = k; end < u->n && u->leaf[end].inode == u->leaf[i].inode && ubifs_key_of(&u->leaf[end]) == UBIFS_KEY_DATA &&
	     (uint64_t)(u->leaf[end].word & 0x1fffffff) * UBIFS_BLOCK < size; end++)
		u->leaf[end].used = true;
	o->next = &u->leaf[k];
	o->end = &u->leaf[end];
	o->at = 0;
	o->size = size;
	o->packed_strangely = false;
}

static int64_t
add_file(struct opener *o, struct view path, size_t i, uint64_t size)
{
	if (o->child[i])
		return part_alias(o->c, o->self, path, o->child[i]);
	find_blocks(o, i, size);
	const struct ubifs_leaf *first = o->next;
	uint64_t end;
	/* Its nodes say nothing of the ratio: most of it may be holes. */
	int64_t child = part_expand(o->c, o->self, PART_FILE, path, read_file, o, 0, 0);
	if (child < 0)
		return child;
	struct part *p = part_edit(o->c, (uint32_t)child);
	if (p->partial && o->packed_strangely)
		p->why = "packed in a way that nothing here unpacks";
	for (const struct ubifs_leaf *l = first; l < o->end; l++) {
		if (!l->clean)
			continue;
		int err = padded(o, l->at, l->length, &end);
		if (!err)
			err = part_piece(o->c, (uint32_t)child, l->at, end - l->at);
		if (err)
			return err;
	}
	return child;
}

/* Extended attributes of the inode whose own node is leaf i: which there are. Their values lie elsewhere, and are shown. */
static int
attributes(struct opener *o, size_t i, bool *ret_caps, bool *ret_others)
{
	struct ubifs *u = o->u;
	*ret_caps = *ret_others = false;
	for (size_t k = i + 1; k < u->n && u->leaf[k].inode == u->leaf[i].inode; k++) {
		struct ubifs_leaf *l = &u->leaf[k];
		if (ubifs_key_of(l) != UBIFS_KEY_XATTR || l->length < NAME_LEN)
			continue;
		int got = ubifs_node(u, l->at, l->length, UBIFS_TYPE_XATTR, NULL);
		if (got < 0)
			return got;
		size_t n = u->node[50] | (size_t)u->node[51] << 8;
		bool whole = got > 0 && NAME_LEN + n + 1 == l->length && u->node[l->length - 1] == 0;
		struct view name = view_of(u->node + NAME_LEN, n < l->length - NAME_LEN ? n : l->length - NAME_LEN);
		bool caps = view_is(name, "security.capability");
		*ret_caps = *ret_caps || caps;
		*ret_others = *ret_others || !caps;
		if (!whole)
			part_untold(o->c, o->self, "an attribute of it is damaged");
		/* Names of which nothing is told are shown as bytes. */
		if (whole && (caps || view_is(name, "security.selinux")))
			got = told(o, l);
		if (got < 0)
			return got;
	}
	return 0;
}

/* Is all that an inode holds besides its fields told of such a file? */
static bool
holds_no_more(enum part_kind kind, struct view data)
{
	if (kind == PART_LINK)
		return data.n > 0 && data.n <= PART_NAME_MAX;
	return kind == PART_DEVICE ? data.n == 4 || data.n == 8 : data.n == 0;
}

static int
visit(void *arg, struct view path, const struct fstree_name *e, bool *io_enter)
{
	struct opener *o = arg;
	struct ubifs *u = o->u;
	struct ubifs_inode in;
	bool is, caps, others;
	char target[PART_NAME_MAX + 1];
	size_t i = ubifs_find(u, e->file, &is);
	int got = is ? ubifs_inode(u, &u->leaf[i], &in) : 0;
	enum part_kind kind = got > 0 ? part_kind_of(in.mode) : PART_NONE;
	if (got < 0)
		return got;
	if (kind == PART_NONE) {
		part_untold(o->c, o->self, "a name of it leads to no inode");
		return 0;
	}
	if (!holds_no_more(kind, in.data)) {
		part_untold(o->c, o->self, "an inode of it holds what nobody reads");
		u->leaf[i].clean = false;
	}
	size_t target_n = in.data.n < sizeof target ? in.data.n : sizeof target;
	struct reader r;
	reader_init(&r, in.data);
	uint32_t device = reader_u32le(&r);
	if (target_n)
		memcpy(target, in.data.p, target_n); /* the node is gone when the next is read */
	/* Names of one inode can be many: what it has is read for the first of them. */
	if (o->child[i]) {
		caps = part_edit(o->c, o->child[i])->have_caps;
		others = part_edit(o->c, o->child[i])->setlabel;
		got = 0;
	} else {
		got = attributes(o, i, &caps, &others);
	}
	int64_t child = got ? got : kind == PART_FILE ? add_file(o, path, i, in.size) : part_bare(o->c, o->self, kind, path);
	if (child < 0)
		return (int)child;
	if (!o->child[i])
		o->child[i] = (uint32_t)child;
	part_rights(o->c, (uint32_t)child, in.mode, in.uid, in.gid);
	if (kind == PART_DEVICE)
		part_device(o->c, (uint32_t)child, S_ISBLK(in.mode), device);
	struct part *p = part_edit(o->c, (uint32_t)child);
	p->have_caps = caps;
	p->setlabel = others;
	int err = kind == PART_LINK ? part_link(o->c, (uint32_t)child, view_of(target, target_n)) : 0;
	if (!err)
		err = told(o, &u->leaf[i]);
	if (!err)
		err = told(o, &u->leaf[e->at]);
	*io_enter = kind == PART_FOLDER;
	return err;
}

/* ---- names ---- */

static int
add_name(struct opener *o, size_t leaf)
{
	const struct ubifs_leaf *l = &o->u->leaf[leaf];
	struct reader r;
	int got = ubifs_node(o->u, l->at, l->length, UBIFS_TYPE_NAME, NULL);
	if (got < 0)
		return got;
	reader_init(&r, view_of(o->u->node, l->length));
	(void)reader_take(&r, UBIFS_HEAD + 16);
	uint64_t file = reader_u64le(&r);
	(void)reader_u8(&r);
	(void)reader_u8(&r); /* type: the inode says it */
	uint16_t n = reader_u16le(&r);
	(void)reader_u32le(&r);
	struct view name = reader_take(&r, n);
	bool ended = reader_u8(&r) == 0;
	if (got == 0 || !reader_end(&r) || !ended || file == 0 || file > UINT32_MAX) {
		part_untold(o->c, o->self, "a name of it is damaged");
		return 0;
	}
	int err = fstree_add(&o->names, name, (struct fstree_name){ .folder = l->inode, .file = (uint32_t)file,
	    .at = leaf });
	if (err == FG_ELIMIT)
		part_limit(o->c, o->self, "it has more names than are looked at");
	return err;
}

static int
add_files(struct opener *o)
{
	struct ubifs *u = o->u;
	const char *why = NULL;
	bool is;
	int err = 0;
	for (size_t i = 0; i < u->n && !err; i++)
		if (ubifs_key_of(&u->leaf[i]) == UBIFS_KEY_NAME)
			err = add_name(o, i);
	if (err && err != FG_ELIMIT)
		return err;
	if (!fstree_sort(&o->names))
		part_untold(o->c, o->self, "two of its names are the same");
	o->child = calloc(u->n + 1, sizeof *o->child);
	if (!o->child)
		return FG_ENOMEM;
	size_t root = ubifs_find(u, UBIFS_ROOT, &is);
	struct ubifs_inode in;
	int got = is ? ubifs_inode(u, &u->leaf[root], &in) : 0;
	if (got < 0)
		return got;
	if (got > 0) {
		u->leaf[root].clean = u->leaf[root].clean && holds_no_more(PART_FOLDER, in.data);
		err = part_root(o->c, o->self, in.mode, in.uid, in.gid);
		if (!err)
			err = told(o, &u->leaf[root]);
	} else {
		part_untold(o->c, o->self, "it has no root");
		err = 0;
	}
	if (!err)
		err = fstree_walk(&o->names, UBIFS_ROOT, visit, o, &why);
	if (why)
		part_untold(o->c, o->self, why);
	return err == FG_ELIMIT ? 0 : err;
}

/* ---- the rest ---- */

/* As far as it was written; erased, nothing. */
static int
area(struct opener *o, const char *name, uint64_t at, uint64_t length)
{
	const struct source *s = o->u->s;
	uint64_t last = at, end;
	for (uint64_t off = at; off < at + length && off < s->size;) {
		size_t n = at + length - off < UBIFS_NODE_MAX ? (size_t)(at + length - off) : UBIFS_NODE_MAX;
		long got = source_read_some(s, off, o->u->node, n);
		if (got <= 0)
			return (int)got;
		for (long i = got; i > 0; i--)
			if (o->u->node[i - 1] != 0xff) {
				last = off + (uint64_t)i;
				break;
			}
		off += (uint64_t)got;
	}
	return last > at ? part_header(o->c, o->self, name, at, last - at, &end) : 0;
}

/* Tables of the file system's own: shown as they are, since not every field of them is checked. */
static int
add_areas(struct opener *o)
{
	const struct ubifs *u = o->u;
	struct { const char *name; uint32_t lebs; } row[] = { { "superblock", 1 }, { "master", 1 }, { "second master", 1 },
		{ "log", u->log }, { "space table", u->lpt }, { "orphans", u->orphans } };
	uint64_t at = 0;
	int err = 0;
	for (size_t i = 0; i < sizeof row / sizeof row[0] && !err; i++) {
		err = area(o, row[i].name, at, (uint64_t)row[i].lebs * u->leb);
		at += (uint64_t)row[i].lebs * u->leb;
	}
	return err;
}

int
part_ubifs_try(struct part_ctx *c, uint32_t self)
{
	struct opener *o;
	int r = ubifs_begins(part_bytes(c, self));
	if (r <= 0)
		return r;
	o = calloc(1, sizeof *o);
	if (!o)
		return FG_ENOMEM;
	o->c = c;
	o->self = self;
	int err = ubifs_open(part_bytes(c, self), &o->u);
	if (!err) {
		part_edit(c, self)->form = "ubifs";
		if (o->u->why && o->u->limit)
			part_limit(c, self, o->u->why);
		else if (o->u->why)
			part_untold(c, self, o->u->why);
		err = add_areas(o);
	}
	for (size_t i = 0; !err && i < o->u->index_n; i++)
		err = structure(o, o->u->index[i].at, o->u->index[i].length);
	if (!err)
		err = add_files(o);
	if (!err)
		err = between(o);
	fstree_free(&o->names);
	free(o->child);
	if (o->u)
		ubifs_free(o->u);
	free(o);
	return err == FG_EFORMAT ? 0 : err ? err : 1;
}
