/* SPDX-License-Identifier: Apache-2.0 */
/* swdesc_select - the selections of a sw-description, and the links between its parts. */
#include "images/swdesc_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/visible.h"

#define PATH_MAX_NODES 20  /* MAX_PARSED_NODES of SWUpdate */
#define ROOT_LINKS_MAX 9   /* links to a group that it follows in a row (MAX_LINKS_DEPTH) */
#define LIST_DEPTH_MAX 8   /* lists that lists refer to; SWUpdate has no bound and dies of a circle */
#define GROUPS_MAX 1024    /* that could be a board, a set or a mode */
#define CHAIN_MAX 4        /* places a device looks for a list in */
#define SELECTION_DEPTH 3  /* board, set, mode */

/* A way from the root of the tree. */
struct path {
	struct view node[PATH_MAX_NODES];
	unsigned n;
};

struct chain {
	struct path place[CHAIN_MAX];
	unsigned n;
};

void
swdesc_fact(struct swdesc_reading *d, enum contents_fact_id id, const char *value)
{
	char kept[CONTENTS_VALUE_MAX];
	snprintf(kept, sizeof kept, "%s", value);
	for (unsigned i = 0; i < d->facts_n; i++)
		if (d->fact[i].id == id && strcmp(d->fact[i].value, kept) == 0)
			return;
	if (d->facts_n < CONTENTS_FACTS_MAX) {
		d->fact[d->facts_n].id = id;
		memcpy(d->fact[d->facts_n++].value, kept, sizeof kept);
	}
	walk_fact(d->w, id, d->by, view_str(kept));
}

static const struct conf_node *
at_path(const struct conf *c, const struct path *p)
{
	const struct conf_node *n = conf_root(c);
	for (unsigned i = 0; i < p->n && n; i++)
		n = conf_get(c, n, p->node[i]);
	return n;
}

static bool
append(struct path *p, struct view name)
{
	if (p->n == PATH_MAX_NODES)
		return false;
	p->node[p->n++] = name;
	return true;
}

/* The next part of a link between slashes; false at its end. */
static bool
next_part(struct view ref, size_t *off, struct view *ret)
{
	while (*off < ref.n && ref.p[*off] == '/')
		++*off;
	size_t from = *off;
	while (*off < ref.n && ref.p[*off] != '/')
		++*off;
	*ret = view_of(ref.p + from, *off - from);
	return *off > from;
}

/*
 * Moves p as a link that stands in the last of its nodes says: "#./x" and "#../x"
 * go from there, "#x/y" from the root. False, told, for one that SWUpdate refuses
 * or whose end is open.
 */
static bool
follow(struct swdesc_reading *d, struct path *p, const struct conf_node *link)
{
	struct view ref = link->string, part;
	unsigned n = p->n > 0 ? p->n - 1 : 0;
	bool first = true, named = false;
	size_t off = 1;
	if (link->type != CONF_STRING || ref.n < 3 || ref.p[0] != '#') {
		swdesc_wrong(d, "%s: a link that is none (ref is text like #./name)", d->selection);
		return false;
	}
	for (; next_part(ref, &off, &part); first = false) {
		named = !view_is(part, "..") && !view_is(part, ".");
		if (named) {
			n = first ? 0 : n;
			if (n == PATH_MAX_NODES)
				break;
			p->node[n++] = part;
		} else if (view_is(part, "..")) {
			if (n-- == 0)
				break;
		}
	}
	if (off < ref.n || !named) {
		swdesc_wrong(d, "%s: a link that leads too far up or down, or ends in no name",
		    d->selection);
		return false;
	}
	p->n = n;
	return true;
}

/* What is at p, through links of groups; p becomes where that is. NULL: nothing, or a circle, which is told. */
static const struct conf_node *
resolve(struct swdesc_reading *d, struct path *p)
{
	for (unsigned i = 0; i < ROOT_LINKS_MAX; i++) {
		const struct conf_node *n = at_path(d->c, p);
		const struct conf_node *link = n ? conf_get(d->c, n, view_str("ref")) : NULL;
		if (!link)
			return n;
		if (!follow(d, p, link))
			return NULL;
	}
	swdesc_wrong(d, "%s: links in a circle, or too many in a row", d->selection);
	return NULL;
}

/* The first place of the chain where there is something of that name; *ret_at (may be NULL) is it. */
static const struct conf_node *
look_up(struct swdesc_reading *d, const struct chain *c, const char *name, struct path *ret_at)
{
	for (unsigned i = 0; i < c->n; i++) {
		struct path p = c->place[i];
		if (!resolve(d, &p) || !append(&p, view_str(name)))
			continue;
		const struct conf_node *n = resolve(d, &p);
		if (n && ret_at)
			*ret_at = p;
		if (n)
			return n;
	}
	return NULL;
}

/* One more element of a list; false, told once, when there were too many. */
static bool
visit_element(struct swdesc_reading *d)
{
	if (!d->full && ++d->visited > SWDESC_ENTRIES_MAX)
		swdesc_full(d, d->selection);
	return !d->full;
}

static void
take_list(struct swdesc_reading *d, enum swdesc_list list, const struct conf_node *node,
    const struct path *at, unsigned depth)
{
	if (node->type != CONF_LIST) {
		swdesc_wrong(d, "%s of %s is no list", swdesc_list_name(list), d->selection);
		return;
	}
	for (size_t i = 0; i < node->count && visit_element(d); i++) {
		const struct conf_node *e = conf_child(d->c, node, i);
		const struct conf_node *link = conf_get(d->c, e, view_str("ref"));
		struct path p = *at;
		if (e->type != CONF_GROUP) {
			swdesc_wrong(d, "%s[%zu] of %s is no group", swdesc_list_name(list), i,
			    d->selection);
			continue;
		}
		if (!link) {
			swdesc_entry_read(d, list, e, i);
			continue;
		}
		if (depth == LIST_DEPTH_MAX) {
			swdesc_wrong(d, "%s of %s: links in a circle, or too many in a row",
			    swdesc_list_name(list), d->selection);
			return;
		}
		const struct conf_node *to = follow(d, &p, link) ? resolve(d, &p) : NULL;
		if (to)
			take_list(d, list, to, &p, depth + 1);
		else
			swdesc_wrong(d, "%s[%zu] of %s: a link to nowhere", swdesc_list_name(list), i,
			    d->selection);
	}
}

/* Where a device with this selection looks, in SWUpdate's order. */
static void
chain_of(const struct path *p, struct chain *ret)
{
	struct path root = { .node = { p->node[0] }, .n = 1 };
	*ret = (struct chain){ .place = { *p }, .n = 1 };
	if (p->n == 1 + SELECTION_DEPTH) {
		ret->place[ret->n++] =
		    (struct path){ .node = { p->node[0], p->node[2], p->node[3] }, .n = 3 };
		ret->place[ret->n++] = (struct path){ .node = { p->node[0], p->node[1] }, .n = 2 };
	}
	if (p->n > 1)
		ret->place[ret->n++] = root;
}

static void
name_selection(struct swdesc_reading *d, const struct path *p)
{
	size_t n = 0;
	for (unsigned i = 0; i < p->n && n + 2 < sizeof d->selection; i++) {
		if (i > 0)
			d->selection[n++] = '.';
		visible_cstr(p->node[i], d->selection + n, sizeof d->selection - n);
		n += strlen(d->selection + n);
	}
}

/* Text that is asked of every selection or of none; false when there is none. */
static bool
take_text(struct swdesc_reading *d, const struct chain *c, const char *name,
    enum contents_fact_id id)
{
	char text[CONTENTS_VALUE_MAX];
	const struct conf_node *n = look_up(d, c, name, NULL);
	if (!n)
		return false;
	if (n->type != CONF_STRING) {
		swdesc_wrong(d, "%s: %s is not text", d->selection, name);
		return false;
	}
	visible_cstr(n->string, text, sizeof text);
	swdesc_fact(d, id, text);
	return true;
}

static bool
take_hardware(struct swdesc_reading *d, const struct chain *c)
{
	const struct conf_node *n = look_up(d, c, "hardware-compatibility", NULL);
	if (!n)
		return false;
	if (n->type != CONF_LIST) {
		swdesc_wrong(d, "%s: hardware-compatibility is no list", d->selection);
		return false;
	}
	for (size_t i = 0; i < n->count && visit_element(d); i++) {
		const struct conf_node *e = conf_child(d->c, n, i);
		char text[CONTENTS_VALUE_MAX];
		if (e->type != CONF_STRING || e->string.n == 0 || e->string.n > SWDESC_TEXT_MAX) {
			swdesc_wrong(d, "%s: hardware-compatibility[%zu] is no revision",
			    d->selection, i);
			return false;
		}
		visible_cstr(e->string, text, sizeof text);
		swdesc_fact(d, CONTENTS_FACT_COMPATIBLE, text);
	}
	return n->count > 0;
}

static bool
same(const struct swdesc_entry *a, const struct swdesc_entry *b)
{
	return a->packing == b->packing && a->encrypted == b->encrypted &&
	       a->have_sha256 == b->have_sha256 &&
	       memcmp(a->sha256, b->sha256, sizeof a->sha256) == 0;
}

/* SWUpdate keeps one list of images, files and partitions, one of scripts, one of boot scripts. */
static unsigned
kept_in(const struct swdesc_entry *e)
{
	return e->list == SWDESC_SCRIPTS ? 1 : e->list == SWDESC_BOOTENV ? 2 : 0;
}

/*
 * One file for several entries: it must be the same file, of one list where one
 * device sees both, and none may be handed on while it is received: SWUpdate then
 * stops consuming the member and takes its content for the next header.
 */
static void
check_shared(struct swdesc_reading *d, unsigned from)
{
	for (unsigned i = from; i < d->out->n; i++)
		for (unsigned k = 0; k < i; k++) {
			const struct swdesc_entry *a = &d->out->entry[k], *b = &d->out->entry[i];
			char name[64];
			if (a->filename.n == 0 || !view_equal(a->filename, b->filename))
				continue;
			bool together = a->selection == b->selection &&
			                (kept_in(a) != kept_in(b) || a->direct || b->direct);
			if (same(a, b) && !together)
				continue;
			visible_cstr(b->filename, name, sizeof name);
			walk_raise(d->w, FINDING_FMT_CONFLICT, &d->at,
			    "sw-description: %s: %s is named twice, %s", d->selection, name,
			    together ? "where one stands for the other" : "as two different files");
			return;
		}
}

static void
gather(struct swdesc_reading *d, const struct path *p)
{
	struct chain c;
	unsigned from = d->out->n;
	name_selection(d, p);
	if (d->out->selections_n == SWDESC_SELECTIONS_MAX) {
		walk_raise(d->w, FINDING_FMT_WALK_LIMIT, &d->at,
		    "sw-description: %s and what follows: more than %u selections", d->selection,
		    SWDESC_SELECTIONS_MAX);
		return;
	}
	chain_of(p, &c);
	d->installable = false;
	bool version = take_text(d, &c, "version", CONTENTS_FACT_VERSION);
	bool hardware = take_hardware(d, &c);
	(void)take_text(d, &c, "description", CONTENTS_FACT_NOTE);
	if (look_up(d, &c, "embedded-script", NULL))
		walk_raise(d->w, FINDING_MEMBER_RUNS, &d->at,
		    "sw-description: %s: an embedded script, run while the description is read",
		    d->selection);
	for (unsigned list = 0; list < SWDESC_LISTS && !d->full; list++) {
		struct path at;
		const struct conf_node *n = NULL;
		for (unsigned i = 0; !n && swdesc_list_word((enum swdesc_list)list, i); i++)
			n = look_up(d, &c, swdesc_list_word((enum swdesc_list)list, i), &at);
		if (n)
			take_list(d, (enum swdesc_list)list, n, &at, 0);
	}
	check_shared(d, from);
	if (!d->full && (!version || !hardware || !d->installable))
		walk_raise(d->w, FINDING_FMT_UNKNOWN_PART, &d->at,
		    "sw-description: %s has no %s: SWUpdate takes nothing from it", d->selection,
		    !version    ? "version"
		    : !hardware ? "hardware-compatibility"
		                : "thing to install");
	memcpy(d->out->selection[d->out->selections_n++], d->selection, sizeof d->selection);
}

/* A place of the tree that holds a list itself. */
static bool
has_lists(struct swdesc_reading *d, const struct path *p)
{
	struct chain own = { .place = { *p }, .n = 1 };
	for (unsigned list = 0; list < SWDESC_LISTS; list++)
		for (unsigned i = 0; swdesc_list_word((enum swdesc_list)list, i); i++)
			if (look_up(d, &own, swdesc_list_word((enum swdesc_list)list, i), NULL))
				return true;
	return false;
}

/* This group and, down to a mode, those in it. */
static void
visit(struct swdesc_reading *d, const struct path *p, unsigned *groups)
{
	const struct conf_node *n = at_path(d->c, p);
	if (d->full)
		return;
	if (++*groups > GROUPS_MAX) {
		if (*groups == GROUPS_MAX + 1)
			walk_raise(d->w, FINDING_FMT_WALK_LIMIT, &d->at,
			    "sw-description: more than %u groups", GROUPS_MAX);
		return;
	}
	name_selection(d, p);
	if (has_lists(d, p))
		gather(d, p);
	for (size_t i = 0; i < n->count && p->n <= SELECTION_DEPTH; i++) {
		const struct conf_node *e = conf_child(d->c, n, i);
		struct path inner = *p;
		if (e->type == CONF_GROUP && append(&inner, e->name))
			visit(d, &inner, groups);
	}
}

int
swdesc_read(struct walk *w, uint64_t at, struct walk_signed by, const struct conf *c,
    struct swdesc **ret)
{
	struct path root = { .node = { view_str("software") }, .n = 1 };
	struct swdesc_reading *d = calloc(1, sizeof *d);
	struct swdesc *out = calloc(1, sizeof *out);
	unsigned groups = 0;
	if (!d || !out) {
		free(d);
		free(out);
		return FG_ENOMEM;
	}
	*d = (struct swdesc_reading){ .w = w, .at = at, .by = by, .c = c, .out = out };
	const struct conf_node *top = at_path(c, &root);
	if (top && top->type == CONF_GROUP)
		visit(d, &root, &groups);
	if (out->selections_n == 0)
		swdesc_wrong(d, "nothing to install in a group \"software\"");
	for (unsigned i = 0; i < out->selections_n && out->selections_n > 1; i++) {
		char text[CONTENTS_VALUE_MAX];
		snprintf(text, sizeof text, "selection %s", out->selection[i]);
		swdesc_fact(d, CONTENTS_FACT_NOTE, text);
	}
	free(d);
	*ret = out;
	return 0;
}
