/* SPDX-License-Identifier: Apache-2.0 */
/* explain_files - how many files of each class came, went, moved and changed, and what nobody could look at. */
#include <inttypes.h>

#include "crypto/err.h"
#include "images/explain_internal.h"

#define HEAD 16 /* bytes of a file that tell scripts and keys */

/* One of a file system or an archive; folders say nothing by themselves. */
static bool
is_file(const struct part *p)
{
	return p->kind == PART_FILE || p->kind == PART_LINK || p->kind == PART_DEVICE || p->kind == PART_FIFO;
}

static int
class_of(const struct part *p, enum story_class *ret)
{
	uint8_t head[HEAD];
	long n = p->bytes.size ? source_read_some(&p->bytes, 0, head, sizeof head) : 0;
	if (n < 0)
		return (int)n;
	*ret = story_class_of(p, view_of(head, (size_t)n));
	return 0;
}

/* What became of a file of the new image. Its line is the analysers' to make. */
static int
new_file(struct explain *e, uint32_t i)
{
	enum story_class class;
	int err = class_of(parts_get(e->tree[PAIR_NEW], i), &class);
	if (err)
		return err;
	struct story_count *n = &e->story->count[class];
	switch (pair_of(e->pair, PAIR_NEW, i).how) {
	case PAIR_SAME:
		n->same++;
		break;
	case PAIR_MOVED:
	case PAIR_COPY:
		n->moved++;
		break;
	case PAIR_PATH:
	case PAIR_LIKE:
		n->changed++;
		break;
	case PAIR_NONE:
	default:
		n->added++;
		break;
	}
	return 0;
}

/* Of the old image, what the new one does not have in its place any more; others are counted with their mates. */
static int
old_file(struct explain *e, uint32_t i)
{
	enum pair_how how = pair_of(e->pair, PAIR_OLD, i).how;
	enum story_class class;
	if (how != PAIR_NONE && how != PAIR_COPY)
		return 0;
	int err = class_of(parts_get(e->tree[PAIR_OLD], i), &class);
	if (!err)
		e->story->count[class].gone++;
	return err;
}

int
explain_count(struct explain *e)
{
	int err = 0;
	for (uint32_t i = 0; i < parts_count(e->tree[PAIR_NEW]) && !err; i++)
		if (is_file(parts_get(e->tree[PAIR_NEW], i)))
			err = new_file(e, i);
	for (uint32_t i = 0; i < parts_count(e->tree[PAIR_OLD]) && !err; i++)
		if (is_file(parts_get(e->tree[PAIR_OLD], i)))
			err = old_file(e, i);
	return err;
}

/* ---- what was not looked at ---- */

static bool
unseen(const struct part *p)
{
	return p->partial || (p->bytes.size > 0 && (p->look == PART_LOOK_NONE || p->look == PART_LOOK_OPAQUE));
}

int
explain_unseen(struct explain *e)
{
	const struct parts *t = e->tree[PAIR_NEW];
	int err = 0;
	for (uint32_t i = 0; i < parts_count(t) && !err; i++) {
		const struct part *p = parts_get(t, i);
		if (!unseen(p))
			continue;
		bool same = pair_is_same(pair_of(e->pair, PAIR_NEW, i).how);
		struct page_line l = { .block = PAGE_UNSEEN, .id = FINDING_CHG_UNSEEN, .weight = p->bytes.size,
			.severity = same ? FINDING_NOTICE : FINDING_WARNING };
		parts_path(t, i, l.path, sizeof l.path);
		page_text(&l, "%s, %" PRIu64 " bytes%s: %s", format_name(p->format), p->bytes.size,
		    same ? ", as before" : "", p->why ? p->why : "it looks like noise, encrypted or packed in an unknown way");
		err = page_add(e->story->page, &l);
	}
	return err;
}
