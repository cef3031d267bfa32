/* SPDX-License-Identifier: Apache-2.0 */
/*
 * part_cramfs - the files of a cramfs of either byte order, with 512 bytes in front or without (Linux,
 * fs/cramfs/README).
 *
 * An inode of twelve bytes and a name make an entry; a file is a row of places, where each of its blocks of 4 KiB
 * ends, and the blocks, a zlib stream each. All of an entry is told with its file, so that it is structure. What a block has
 * behind its stream is damage: nothing writes that. No Debian library reads cramfs.
 */
#include "images/part_cramfs.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <zlib.h>

#include "crypto/err.h"
#include "images/flash.h"
#include "images/part_spans.h"

#define SUPER_N 76u
#define ROOT_AT 64u /* inode of the root, in the superblock */
#define INODE_N 12u
#define BLOCK 4096u
#define PACKED_MAX (2 * BLOCK) /* of one block: more no kernel takes */
#define SIZE_MAX_24 0xffffffu
#define FLAG_VERSION_2 0x1u    /* size, sum and counts are there */
#define FLAG_SHIFTED 0x400u
#define FLAGS_READ (FLAG_VERSION_2 | 0x2u | 0x100u | FLAG_SHIFTED) /* sorted folders, holes */
/* Bytes read and unpacked in all, of all file systems of one inspection: as of squashfs. */
#define WORK_MAX ((uint64_t)8 << 30)

#define ENTRY_COST 4096 /* what an entry counts as: folders can be made to lie over each other, however long */

static const char bound[] = "a bound kept its file system from being read to its end";
static const char damaged[] = "its file system is damaged";

struct inode {
	uint32_t mode, uid, gid, size, name_n;
	uint64_t at; /* of its blocks or entries */
};

struct cramfs {
	const struct source *s;
	bool big;        /* most significant byte first */
	uint64_t super;  /* place of the superblock */
	uint64_t size;   /* bytes it says it takes; 0 where it does not say */
	uint32_t flags, sum;
	struct inode root;
};

struct opener {
	struct part_ctx *c;
	uint32_t self;
	struct cramfs fs;
	struct part_same seen; /* blocks of files and entries of folders */
	struct part_folders folders; /* key: place of the entries; above: bytes of them */
	char path[PART_PATH_CAP];
	/* ---- the file at hand ---- */
	uint64_t pointer, pointers_end; /* place of the next pointer */
	uint64_t block;                 /* place of the next block */
	uint32_t left;                  /* bytes that are still to come */
	uint8_t packed[PACKED_MAX];
};

/* ---- superblock and inodes ---- */

static uint32_t
word(const struct cramfs *fs, const uint8_t *p)
{
	if (fs->big)
		return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* Fields of bits, which begin at the end that the byte order has first. */
static struct inode
inode_of(const struct cramfs *fs, const uint8_t *p)
{
	uint32_t a = word(fs, p), b = word(fs, p + 4), c = word(fs, p + 8);
	if (fs->big)
		return (struct inode){ a >> 16, a & 0xffff, b & 0xff, b >> 8, (c >> 26) * 4, (uint64_t)(c & 0x3ffffff) * 4 };
	return (struct inode){ a & 0xffff, a >> 16, b >> 24, b & 0xffffff, (c & 0x3f) * 4, (uint64_t)(c >> 6) * 4 };
}

/* The superblock at at. 1, 0 or FG_EIO. */
static int
read_super(const struct source *s, uint64_t at, struct cramfs *ret)
{
	uint8_t raw[SUPER_N];
	int err = source_read(s, at, raw, sizeof raw);
	if (err)
		return err == FG_ELIMIT ? 0 : err;
	*ret = (struct cramfs){ .s = s, .super = at, .big = raw[0] == 0x28 };
	if (word(ret, raw) != 0x28cd3d45 || memcmp(raw + 16, "Compressed ROMFS", 16) != 0)
		return 0;
	ret->flags = word(ret, raw + 8);
	ret->sum = word(ret, raw + 32);
	ret->size = ret->flags & FLAG_VERSION_2 ? word(ret, raw + 4) : 0;
	ret->root = inode_of(ret, raw + ROOT_AT);
	bool stated = ret->root.at == at + SUPER_N || ret->root.at == PART_CRAMFS_SHIFT + SUPER_N || ret->root.at == 0;
	if (!stated && !(ret->flags & FLAG_SHIFTED))
		return 0;
	/* The second form is only one where what is in front belongs to it. */
	if (at > 0 && ret->root.at && ret->root.at < at + SUPER_N)
		return 0;
	return (ret->flags & FLAG_VERSION_2) ? ret->size >= at + SUPER_N : 1;
}

static int
find_super(const struct source *s, struct cramfs *ret)
{
	int r = read_super(s, 0, ret);
	return r ? r : read_super(s, PART_CRAMFS_SHIFT, ret);
}

/* ---- files ---- */

/* Goes to the blocks of i. *ret_end: where they end; 0: damaged. 0 or FG_EIO. */
static int
begin(struct opener *o, const struct inode *i, uint64_t *ret_end)
{
	uint8_t raw[4];
	uint64_t n = ((uint64_t)i->size + BLOCK - 1) / BLOCK, size = o->fs.s->size;
	o->pointer = i->at;
	o->pointers_end = o->block = i->at + 4 * n;
	o->left = i->size;
	*ret_end = 0;
	if (i->size == 0 || o->block > size)
		return 0;
	int err = source_read(o->fs.s, o->block - 4, raw, sizeof raw);
	uint64_t end = err ? 0 : word(&o->fs, raw);
	*ret_end = end >= o->block && end <= size ? end : 0;
	return err;
}

/* The next block, of want bytes. 0, FG_EFORMAT, FG_ELIMIT, FG_EIO, FG_ENOMEM. */
static int
next_block(struct opener *o, uint8_t *dst, uint32_t want)
{
	uint8_t raw[4];
	uint64_t *work = part_work(o->c);
	int err = o->pointer + 4 <= o->pointers_end ? source_read(o->fs.s, o->pointer, raw, sizeof raw) : FG_EFORMAT;
	if (err)
		return err == FG_ELIMIT ? FG_EFORMAT : err;
	uint64_t end = word(&o->fs, raw);
	if (end < o->block || end - o->block > PACKED_MAX)
		return FG_EFORMAT;
	size_t n = (size_t)(end - o->block);
	*work += n + want;
	if (*work > WORK_MAX)
		return FG_ELIMIT;
	if (n == 0)
		memset(dst, 0, want);
	else {
		err = source_read(o->fs.s, o->block, o->packed, n);
		err = err == FG_ELIMIT ? FG_EFORMAT : err;
		if (!err)
			err = flash_unpack(FLASH_ZLIB, view_of(o->packed, n), dst, want);
	}
	o->pointer += 4;
	o->block = end;
	return err;
}

/* Whole blocks; a damaged one ends the file. */
static long
read_file(void *arg, void *buf, size_t n)
{
	struct opener *o = arg;
	size_t done = 0;
	while (o->left > 0) {
		uint32_t want = o->left < BLOCK ? o->left : BLOCK;
		if (want > n - done)
			break;
		int err = next_block(o, (uint8_t *)buf + done, want);
		if (err)
			return done && err == FG_EFORMAT ? (long)done : err;
		done += want;
		o->left -= want;
	}
	return (long)done;
}

static int64_t
add_file(struct opener *o, const struct inode *i, struct view path)
{
	uint64_t key = i->at << 24 | i->size, end;
	uint32_t same = i->size ? part_same_find(&o->seen, key) : 0;
	if (same)
		return part_alias(o->c, o->self, path, same);
	if (i->size == 0)
		return part_region(o->c, o->self, PART_FILE, path, 0, 0);
	int err = begin(o, i, &end);
	if (err)
		return err;
	int64_t k = part_expand(o->c, o->self, PART_FILE, path, read_file, o, end ? i->at : 0, end ? end - i->at : 0);
	if (k < 0)
		return k;
	if (part_same_put(&o->seen, key, (uint32_t)k))
		return FG_ENOMEM;
	struct part *p = part_edit(o->c, (uint32_t)k);
	if (!p->partial && p->bytes.size != i->size) {
		p->partial = true;
		p->why = "its stream is damaged behind what came out";
	}
	return k;
}

/* ---- entries ---- */

static int64_t
add_link(struct opener *o, const struct inode *i, struct view path)
{
	uint8_t target[BLOCK];
	uint64_t end = 0;
	int64_t k = part_bare(o->c, o->self, PART_LINK, path);
	int err = k < 0 || i->size == 0 || i->size > BLOCK ? 0 : begin(o, i, &end);
	if (k < 0 || err)
		return k < 0 ? k : err;
	struct part *p = part_edit(o->c, (uint32_t)k);
	err = end ? next_block(o, target, i->size) : FG_EFORMAT;
	if (err == FG_EFORMAT) {
		part_untold(o->c, o->self, damaged);
		p->inexact = true;
		return k;
	}
	if (!err)
		err = part_structure(o->c, o->self, i->at, o->block - i->at);
	if (!err)
		err = part_link(o->c, (uint32_t)k, view_of(target, i->size));
	return err ? err : k;
}

static int64_t
add_folder(struct opener *o, const struct inode *i, struct view path)
{
	int64_t k = part_bare(o->c, o->self, PART_FOLDER, path);
	uint64_t key = UINT64_MAX - i->at; /* no file's: those have a size in their lower bits, and a place of 28 */
	if (k < 0 || i->size == 0)
		return k;
	if (i->at == o->fs.root.at || part_same_find(&o->seen, key)) {
		part_untold(o->c, o->self, "a folder of its file system has two places");
		return k;
	}
	if (part_same_put(&o->seen, key, (uint32_t)k))
		return FG_ENOMEM;
	if (path.n >= PART_NAME_MAX) {
		part_limit(o->c, o->self, bound);
		return k;
	}
	int err = part_folders_push(&o->folders, i->at, i->size, path);
	return err ? err : k;
}

static int64_t
add_kind(struct opener *o, const struct inode *i, struct view path)
{
	int64_t k = 0;
	switch (part_kind_of(i->mode)) {
	case PART_FILE:
		return add_file(o, i, path);
	case PART_FOLDER:
		return add_folder(o, i, path);
	case PART_LINK:
		return add_link(o, i, path);
	case PART_DEVICE:
		k = part_bare(o->c, o->self, PART_DEVICE, path);
		if (k > 0) /* eight bits of either */
			part_device(o->c, (uint32_t)k, S_ISBLK(i->mode), i->size & 0xffff);
		return k;
	case PART_FIFO:
		return part_bare(o->c, o->self, PART_FIFO, path);
	default:
		part_untold(o->c, o->self, damaged);
		return 0;
	}
}

/* An entry whose inode and name were read, the name with the zeros that fill it up. */
static int
entry(struct opener *o, const struct part_folder *f, const struct inode *i, const uint8_t *raw, uint64_t at)
{
	size_t n = i->name_n;
	bool odd;
	while (n > 0 && raw[INODE_N + n - 1] == 0)
		n--;
	size_t path_n = part_folder_path(f, view_of(raw + INODE_N, n), o->path, &odd);
	/* What is told of neither device nor pipe. */
	enum part_kind kind = part_kind_of(i->mode);
	bool zeros = kind != PART_FIFO || (i->size == 0 && i->at == 0);
	if (kind == PART_DEVICE)
		zeros = i->at == 0 && i->size <= 0xffff;
	int64_t k = add_kind(o, i, view_of(o->path, path_n));
	if (k <= 0)
		return (int)k;
	part_rights(o->c, (uint32_t)k, i->mode, i->uid, i->gid);
	struct part *p = part_edit(o->c, (uint32_t)k);
	p->inexact = p->inexact || odd;
	return zeros && !odd ? part_structure(o->c, o->self, at, INODE_N + i->name_n) : 0;
}

static int
read_folder(struct opener *o, const struct part_folder *f)
{
	uint8_t raw[INODE_N + 256];
	uint64_t at = f->key, end = at + f->above;
	int err = 0;
	while (at < end && !err) {
		struct inode i = { 0 };
		uint64_t left = end - at, *work = part_work(o->c);
		*work += ENTRY_COST;
		if (*work > WORK_MAX)
			return FG_ELIMIT;
		err = left < INODE_N ? FG_ELIMIT : source_read(o->fs.s, at, raw, INODE_N);
		if (!err) {
			i = inode_of(&o->fs, raw);
			bool fits = i.name_n > 0 && i.name_n <= left - INODE_N;
			err = fits ? source_read(o->fs.s, at + INODE_N, raw + INODE_N, i.name_n) : FG_ELIMIT;
		}
		if (err == FG_ELIMIT) { /* it lies outside */
			part_untold(o->c, o->self, damaged);
			return 0;
		}
		if (!err)
			err = entry(o, f, &i, raw, at);
		at += INODE_N + i.name_n;
	}
	return err;
}

static int
read_folders(struct opener *o)
{
	struct part_folder f;
	const struct inode *root = &o->fs.root;
	if (part_kind_of(root->mode) != PART_FOLDER) {
		part_untold(o->c, o->self, damaged);
		return 0;
	}
	int err = part_root(o->c, o->self, root->mode, root->uid, root->gid);
	if (!err && root->size)
		err = part_folders_push(&o->folders, root->at, root->size, view_str(""));
	while (!err && part_folders_pop(&o->folders, &f)) {
		err = read_folder(o, &f);
		free(f.path);
	}
	return err;
}

/* ---- what is no file ---- */

/* The sum of all bytes, its own field as zeros. 0 or an error. */
static int
check_sum(struct opener *o)
{
	uint8_t buf[BLOCK];
	uint32_t sum = 0;
	uint64_t field = o->fs.super + 32;
	if (!(o->fs.flags & FLAG_VERSION_2) || o->fs.size > o->fs.s->size)
		return 0;
	for (uint64_t at = o->fs.super; at < o->fs.size; at += BLOCK) {
		size_t n = o->fs.size - at < BLOCK ? (size_t)(o->fs.size - at) : BLOCK;
		int err = source_read(o->fs.s, at, buf, n);
		if (err)
			return err;
		if (field >= at && field + 4 <= at + n)
			memset(buf + (field - at), 0, 4);
		sum = (uint32_t)crc32_z(sum, buf, n);
	}
	if (sum != o->fs.sum)
		part_untold(o->c, o->self, "the checksum of its file system is another one");
	return 0;
}

static int
read_rest(struct opener *o)
{
	uint64_t end;
	int err = part_header(o->c, o->self, "superblock", o->fs.super, SUPER_N, &end);
	if (!err)
		err = check_sum(o);
	return err || o->fs.size == 0 ? err : part_rest(o->c, o->self, o->fs.size);
}

int
part_cramfs_try(struct part_ctx *c, uint32_t self)
{
	struct opener *o = calloc(1, sizeof *o);
	if (!o)
		return FG_ENOMEM;
	o->c = c;
	o->self = self;
	int r = find_super(part_bytes(c, self), &o->fs), err = 0;
	if (r > 0) {
		part_edit(c, self)->form = "cramfs";
		if (o->fs.flags & ~FLAGS_READ)
			part_untold(c, self, "its file system is of a kind that nothing here reads");
		else
			err = read_folders(o);
		if (!err)
			err = read_rest(o);
		if (err == FG_ELIMIT)
			part_limit(c, self, bound);
		r = err ? err : 1;
	}
	part_same_free(&o->seen);
	part_folders_free(&o->folders);
	free(o);
	return r;
}

int
part_cramfs_length(const struct source *s, uint64_t at, uint64_t *ret)
{
	struct source rest;
	struct cramfs fs;
	int r = source_window(s, at, s->size - at, &rest);
	*ret = 0;
	if (!r)
		r = find_super(&rest, &fs);
	if (r <= 0)
		return r;
	if (fs.size > rest.size)
		return 0;
	*ret = fs.size ? fs.size : rest.size;
	return 1;
}
