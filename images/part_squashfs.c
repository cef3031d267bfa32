/* SPDX-License-Identifier: Apache-2.0 */
/* part_squashfs - the files of a squashfs file system. */
#include <stdlib.h>

#include "crypto/err.h"
#include "images/part_fs.h"
#include "images/squashfs.h"

#define NAMES_FIRST 1024

/* Which child has the bytes of which inode: a file with several names comes out once. */
struct names {
	struct { uint64_t reference; uint32_t child; } *slot; /* child 0: free */
	size_t n, cap; /* cap: a power of two */
};

static size_t
names_slot(const struct names *m, uint64_t reference)
{
	/* A reference is a place: its low bits are spread already, and a hostile image only slows itself down. */
	size_t i = (size_t)(reference * 0x9e3779b97f4a7c15u >> 32) & (m->cap - 1);
	while (m->slot[i].child && m->slot[i].reference != reference)
		i = (i + 1) & (m->cap - 1);
	return i;
}

static int
names_grow(struct names *m)
{
	struct names more = { .cap = m->cap ? m->cap * 2 : NAMES_FIRST, .n = m->n };
	if (m->n * 2 < m->cap)
		return 0;
	more.slot = calloc(more.cap, sizeof more.slot[0]);
	if (!more.slot)
		return FG_ENOMEM;
	for (size_t i = 0; i < m->cap; i++)
		if (m->slot[i].child)
			more.slot[names_slot(&more, m->slot[i].reference)] = m->slot[i];
	free(m->slot);
	*m = more;
	return 0;
}

static long
read_file(void *arg, void *buf, size_t n)
{
	return squashfs_read((struct squashfs *)arg, buf, n);
}

static int64_t
add_file(struct part_ctx *c, uint32_t self, struct squashfs *fs, const struct squashfs_entry *e,
    struct names *names)
{
	if (names_grow(names))
		return FG_ENOMEM;
	size_t slot = names_slot(names, e->reference);
	if (names->slot[slot].child)
		return part_alias(c, self, e->path, names->slot[slot].child);
	/* Its end may lie in a block that it shares, so that its own range says nothing of the ratio. */
	int64_t i = part_expand(c, self, PART_FILE, e->path, read_file, fs, 0, 0);
	if (i < 0)
		return i;
	names->slot[slot].reference = e->reference;
	names->slot[slot].child = (uint32_t)i;
	names->n++;
	struct part *p = part_edit(c, (uint32_t)i);
	struct sig_range shared;
	p->packed_at = e->stored.offset;
	p->packed_length = e->stored.length;
	if (!p->partial && e->size > 0 && squashfs_shared(fs, &shared)) {
		p->shared_at = shared.offset;
		p->shared_length = shared.length;
	}
	return i;
}

static enum part_kind
kind_of(enum squashfs_type type)
{
	switch (type) {
	case SQUASHFS_FOLDER:
		return PART_FOLDER;
	case SQUASHFS_LINK:
		return PART_LINK;
	case SQUASHFS_BLOCK_DEVICE:
	case SQUASHFS_CHAR_DEVICE:
		return PART_DEVICE;
	default:
		return PART_FIFO; /* and sockets, which are as empty */
	}
}

static int
add(struct part_ctx *c, uint32_t self, struct squashfs *fs, const struct squashfs_entry *e,
    struct names *names)
{
	int64_t i = e->type == SQUASHFS_FILE ? add_file(c, self, fs, e, names)
	                                     : part_bare(c, self, kind_of(e->type), e->path);
	if (i < 0)
		return (int)i;
	struct part *p = part_edit(c, (uint32_t)i);
	p->have_mode = true;
	p->mode = e->mode;
	p->uid = e->uid;
	p->gid = e->gid;
	/* As Linux packs it: twelve bits of major between the lower eight and the upper twelve of minor. */
	p->rdev = (uint64_t)(e->device >> 8 & 0xfff) << 32 | (e->device & 0xff) | (e->device >> 12 & 0xfff00);
	p->block = e->type == SQUASHFS_BLOCK_DEVICE;
	p->have_caps = e->caps.n > 0;
	p->setlabel = e->xattrs > (e->caps.n > 0);
	return e->type == SQUASHFS_LINK ? part_link(c, (uint32_t)i, e->target) : 0;
}

int
part_squashfs_open(struct part_ctx *c, uint32_t self)
{
	struct squashfs *fs = NULL;
	struct squashfs_entry e;
	struct names names = { 0 };
	char why[1]; /* a sentence that is said by part_untold() */
	uint64_t size = part_bytes(c, self)->size, end;
	int err = squashfs_open(part_bytes(c, self), part_work(c), &fs, why, sizeof why);
	if (err == FG_EFORMAT || err == FG_ELIMIT) {
		part_untold(c, self, err == FG_EFORMAT ? "its file system is damaged"
		                                       : "its file system is packed in a way that nothing here reads");
		return 0;
	}
	if (err)
		return err;
	part_edit(c, self)->mixed = true;
	int r = 0;
	while (!err && (r = squashfs_next(fs, &e)) > 0)
		err = add(c, self, fs, &e, &names);
	if (!err && r == FG_EFORMAT)
		part_untold(c, self, "its file system is damaged behind what is listed");
	else if (!err && r == FG_ELIMIT)
		part_limit(c, self, "a bound kept its file system from being read to its end");
	else if (!err)
		err = r;
	if (!err && r == 0) { /* every file is known: what none of them has is nobody's */
		struct sig_range data = squashfs_data(fs);
		part_edit(c, self)->packed_from = data.offset;
		part_edit(c, self)->packed_to = data.offset + data.length;
	}
	uint64_t used = squashfs_size(fs) < size ? squashfs_size(fs) : size;
	if (!err)
		err = part_padding(c, self, used, size - used, true, &end);
	if (!err && end < size) {
		int64_t i = part_region(c, self, PART_REGION, view_str("rest"), end, size - end);
		err = i < 0 ? (int)i : 0;
	}
	free(names.slot);
	squashfs_free(fs);
	return err;
}
