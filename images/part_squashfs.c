/* SPDX-License-Identifier: Apache-2.0 */
/* part_squashfs - the files of a squashfs file system. */
#include "crypto/err.h"
#include "images/part_fs.h"
#include "images/part_spans.h"
#include "images/squashfs.h"

static long
read_file(void *arg, void *buf, size_t n)
{
	return squashfs_read((struct squashfs *)arg, buf, n);
}

static int64_t
add_file(struct part_ctx *c, uint32_t self, struct squashfs *fs, const struct squashfs_entry *e,
    struct part_same *names)
{
	uint32_t same = part_same_find(names, e->reference);
	if (same)
		return part_alias(c, self, e->path, same);
	/* Its end may lie in a block that it shares, so that its own range says nothing of the ratio. */
	int64_t i = part_expand(c, self, PART_FILE, e->path, read_file, fs, 0, 0);
	if (i < 0)
		return i;
	if (part_same_put(names, e->reference, (uint32_t)i))
		return FG_ENOMEM;
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
    struct part_same *names)
{
	int64_t i = e->type == SQUASHFS_FILE ? add_file(c, self, fs, e, names)
	                                     : part_bare(c, self, kind_of(e->type), e->path);
	if (i < 0)
		return (int)i;
	part_rights(c, (uint32_t)i, e->mode, e->uid, e->gid);
	part_device(c, (uint32_t)i, e->type == SQUASHFS_BLOCK_DEVICE, e->device); /* 0 where it is none */
	struct part *p = part_edit(c, (uint32_t)i);
	p->have_caps = e->caps.n > 0;
	p->setlabel = e->xattrs > (e->caps.n > 0);
	return e->type == SQUASHFS_LINK ? part_link(c, (uint32_t)i, e->target) : 0;
}

int
part_squashfs_open(struct part_ctx *c, uint32_t self)
{
	struct squashfs *fs = NULL;
	struct squashfs_entry e;
	struct part_same names = { 0 };
	char why[1]; /* a sentence that is said by part_untold() */
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
	if (!err)
		err = part_rest(c, self, squashfs_size(fs));
	part_same_free(&names);
	squashfs_free(fs);
	return err;
}
