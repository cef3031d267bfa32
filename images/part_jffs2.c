/* SPDX-License-Identifier: Apache-2.0 */
/*
 * part_jffs2 - the files of a JFFS2 file system. Nodes that count are structure,
 * or pieces of the file that came out of them; nodes that others have replaced
 * are nobody's, and become parts.
 */
#include <stdlib.h>
#include <sys/stat.h>

#include "crypto/err.h"
#include "images/filler.h"
#include "images/jffs2.h"
#include "images/part_fs.h"

#define XREFS_MAX 256 /* attributes of one file that are looked at; SELinux and capabilities make two */

struct opener {
	struct part_ctx *c;
	uint32_t self;
	struct jffs2 *fs;
	uint32_t *child; /* the first name of the inode whose first node that is; 0: none yet */
	uint8_t block[FLASH_BLOCK_MAX];
};

/* Up to the next multiple of four, where that is padding. */
static int
padded(struct opener *o, const struct jffs2_node *n, uint64_t *ret_length)
{
	uint8_t pad[4];
	size_t more = (4 - n->length % 4) % 4;
	*ret_length = n->length;
	int err = more ? source_read(o->fs->s, n->at + n->length, pad, more) : 0;
	bool uniform = !err && more && (pad[0] == 0xff || pad[0] == 0) && filler_is(view_of(pad, more), pad[0]);
	*ret_length += uniform ? more : 0;
	return err == FG_ELIMIT ? 0 : err;
}

static int
structure(struct opener *o, const struct jffs2_node *n)
{
	uint64_t length;
	int err = padded(o, n, &length);
	return err ? err : part_structure(o->c, o->self, n->at, length);
}

/* ---- files ---- */

/* Bytes that younger nodes or the end of the file hide are not the file's: then the node is shown. */
static bool
is_of_file(const struct jffs2_node *n, bool partial)
{
	if (partial)
		return n->size > 0;
	return n->packed == 0 ? n->shown > 0 : n->shown == n->size;
}

static int64_t
add_file(struct opener *o, struct view path, const struct jffs2_inode *in)
{
	size_t i = (size_t)(in->first - o->fs->node);
	if (o->child[i])
		return part_alias(o->c, o->self, path, o->child[i]);
	struct jffs2_file *f = jffs2_file_new(o->fs, in);
	if (!f)
		return FG_ENOMEM;
	/* Its nodes say nothing of the ratio: most of it may be holes. */
	int64_t child = part_expand(o->c, o->self, PART_FILE, path, jffs2_read, f, 0, 0);
	bool strange = f->packed_strangely;
	jffs2_file_free(f);
	if (child < 0)
		return child;
	struct part *p = part_edit(o->c, (uint32_t)child);
	if (p->partial && strange)
		p->why = "packed in a way that nothing here unpacks";
	for (struct jffs2_node *n = in->first; n < in->end; n++) {
		uint64_t length;
		if (!is_of_file(n, p->partial))
			continue;
		int err = padded(o, n, &length);
		if (!err)
			err = part_piece(o->c, (uint32_t)child, n->at, length);
		if (err)
			return err;
	}
	return child;
}

/* Two bytes of a number, which has eight bits of either then, or four, in the order of the file system. */
static uint32_t
device(const struct jffs2 *fs, const uint8_t *p, long n)
{
	uint32_t v = 0;
	for (long i = 0; i < n; i++)
		v |= (uint32_t)p[i] << 8 * (fs->big ? n - 1 - i : i);
	return v;
}

/* Two nodes that are equally old, and not the same: which of them counts is the device's own choice. */
static int
tell_ties(struct opener *o, const struct jffs2_inode *in)
{
	uint8_t a[1024], b[1024];
	for (const struct jffs2_node *n = in->first; n + 1 < in->end; n++) {
		bool same = n->length == n[1].length;
		if (n->version != n[1].version)
			continue;
		for (uint32_t off = 0; off < n->length && same; off += sizeof a) {
			size_t some = n->length - off < sizeof a ? n->length - off : sizeof a;
			int err = source_read(o->fs->s, n->at + off, a, some);
			if (!err)
				err = source_read(o->fs->s, n[1].at + off, b, some);
			if (err)
				return err;
			same = memcmp(a, b, some) == 0;
		}
		if (!same)
			part_untold(o->c, o->self, "two nodes of an inode are equally young");
	}
	return 0;
}

/* Which extended attributes it has. Their values are shown as bytes. */
static int
attributes(struct opener *o, uint32_t inode, bool *ret_caps, bool *ret_others)
{
	struct jffs2 *fs = o->fs;
	size_t first = jffs2_find(fs, JFFS2_XREF, inode), end = first;
	*ret_caps = *ret_others = false;
	while (end < fs->n && fs->node[end].kind == JFFS2_XREF && fs->node[end].inode == inode && end - first < XREFS_MAX)
		end++;
	if (end - first == XREFS_MAX)
		part_limit(o->c, o->self, "a file of it has more attributes than are looked at");
	for (size_t i = first; i < end; i++) {
		const struct jffs2_node *ref = &fs->node[i];
		bool counts = ref->version % 2 == 0;
		for (size_t k = i + 1; k < end; k++)
			counts = counts && fs->node[k].offset != ref->offset;
		size_t value = jffs2_find_last(fs, JFFS2_XATTR, ref->offset);
		if (!counts || value == fs->n)
			continue;
		if (fs->node[value].caps)
			*ret_caps = true;
		else
			*ret_others = true;
		int err = structure(o, ref);
		if (err)
			return err;
	}
	return 0;
}

/*
 * Where a link leads, or which device it is, out of the youngest node, which is structure when it says no more. A kernel
 * takes a link's bytes as they are. 0, or an error; damage is told.
 */
static int
special(struct opener *o, uint32_t child, const struct jffs2_inode *in)
{
	const struct jffs2_node *n = in->last;
	enum part_kind kind = part_kind_of(in->mode);
	long got = jffs2_node_bytes(o->fs, n, o->block);
	if (got < 0 && got != FG_EFORMAT && got != FG_ENOTFOUND)
		return (int)got;
	bool sound = kind == PART_LINK ? n->packing == FLASH_PLAIN && got > 0 && got <= PART_NAME_MAX : got == 2 || got == 4;
	if (!sound)
		part_untold(o->c, o->self, "a link or a device of it is damaged");
	if (kind == PART_DEVICE)
		part_device(o->c, child, S_ISBLK(in->mode), sound ? device(o->fs, o->block, got) : 0);
	int err = kind == PART_LINK && got > 0 ? part_link(o->c, child, view_of(o->block, (size_t)got)) : 0;
	return !err && sound ? structure(o, n) : err;
}

static int
visit(void *arg, struct view path, const struct fstree_name *e, bool *io_enter)
{
	struct opener *o = arg;
	struct jffs2_inode in;
	bool caps, others;
	int got = jffs2_inode(o->fs, e->file, &in);
	enum part_kind kind = got > 0 ? part_kind_of(in.mode) : PART_NONE;
	if (got < 0)
		return got;
	if (kind == PART_NONE) {
		part_untold(o->c, o->self, "a name of it leads to no inode");
		return 0;
	}
	int err = 0;
	size_t i = (size_t)(in.first - o->fs->node);
	/* Names of one inode can be many: what it has is read for the first of them. */
	if (o->child[i]) {
		caps = part_edit(o->c, o->child[i])->have_caps;
		others = part_edit(o->c, o->child[i])->setlabel;
	} else {
		err = attributes(o, e->file, &caps, &others);
		if (!err)
			err = tell_ties(o, &in);
	}
	int64_t child = err ? err : kind == PART_FILE ? add_file(o, path, &in) : part_bare(o->c, o->self, kind, path);
	if (child < 0)
		return (int)child;
	if (!o->child[i])
		o->child[i] = (uint32_t)child;
	part_rights(o->c, (uint32_t)child, in.mode, in.uid, in.gid);
	struct part *p = part_edit(o->c, (uint32_t)child);
	p->have_caps = caps;
	p->setlabel = others;
	*io_enter = kind == PART_FOLDER;
	if (kind == PART_LINK || kind == PART_DEVICE)
		err = special(o, (uint32_t)child, &in);
	/* What holds bytes of a file that are not its own any more is shown. */
	else if (in.last->packed == 0)
		err = structure(o, in.last);
	const struct jffs2_node *name = &o->fs->node[e->at];
	return err || !name->clean ? err : structure(o, name);
}

/* ---- the rest ---- */

/* Marks, padding and summaries, and the root's own node. */
static int
add_others(struct opener *o)
{
	struct jffs2 *fs = o->fs;
	struct jffs2_inode in;
	uint64_t end;
	int err = jffs2_inode(fs, JFFS2_ROOT, &in);
	const bool rooted = err > 0;
	/* A root that no node tells of is what a kernel makes of it; mkfs.jffs2 writes none. */
	if (err >= 0)
		err = part_root(o->c, o->self, rooted ? in.mode : 0755, rooted ? in.uid : 0, rooted ? in.gid : 0);
	if (!err && rooted && in.last->packed == 0)
		err = structure(o, in.last);
	for (size_t i = 0; i < fs->n && !err; i++) {
		const struct jffs2_node *n = &fs->node[i];
		if (n->kind == JFFS2_MARK || n->kind == JFFS2_PADDING)
			err = structure(o, n);
		else if (n->kind == JFFS2_SUMMARY)
			err = part_header(o->c, o->self, "summary", n->at, n->length, &end);
	}
	return err;
}

/* Is all that follows the last node erased? */
static int
ends(struct opener *o, bool *ret)
{
	const struct source *s = o->fs->s;
	*ret = true;
	for (uint64_t at = o->fs->end; at < s->size && *ret;) {
		long n = source_read_some(s, at, o->block, sizeof o->block);
		if (n <= 0)
			return (int)n;
		for (long i = 0; i < n && *ret; i++)
			*ret = o->block[i] == 0xff || o->block[i] == 0;
		at += (uint64_t)n;
	}
	return 0;
}

/* 1: all of self is this file system, and it is told; 0: it is not. */
static int
add_files(struct opener *o)
{
	const char *why = NULL;
	bool alone;
	int err = ends(o, &alone);
	if (err || !alone) /* something else follows: where it begins the search says */
		return err;
	part_edit(o->c, o->self)->form = "jffs2";
	if (o->fs->limited)
		part_limit(o->c, o->self, "it has more nodes or names than are looked at");
	if (o->fs->nested)
		part_untold(o->c, o->self, "nodes of it lie in a node that is none, where a device may find them");
	if (!o->fs->clear)
		part_untold(o->c, o->self, "two of its names are the same, and equally young");
	o->child = calloc(o->fs->n + 1, sizeof *o->child);
	if (!o->child)
		return FG_ENOMEM;
	err = add_others(o);
	if (!err)
		err = fstree_walk(&o->fs->names, JFFS2_ROOT, visit, o, &why);
	if (why)
		part_untold(o->c, o->self, why);
	return err == FG_ELIMIT || err == 0 ? 1 : err;
}

int
part_jffs2_try(struct part_ctx *c, uint32_t self)
{
	struct opener *o = calloc(1, sizeof *o);
	if (!o)
		return FG_ENOMEM;
	o->c = c;
	o->self = self;
	int r = jffs2_open(part_bytes(c, self), &part_tried(c)->headers, &o->fs);
	if (!r)
		r = add_files(o);
	jffs2_free(o->fs);
	free(o->child);
	free(o);
	return r == FG_EFORMAT ? 0 : r;
}
