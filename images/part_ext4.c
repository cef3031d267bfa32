/* SPDX-License-Identifier: Apache-2.0 */
/*
 * part_ext4 - the files of an ext2, ext3 or ext4 file system.
 *
 * Structure is what was read and decides nothing that is not shown with a file: entries of folders, inodes that a
 * name leads to (their times, numbers and checksums with them), trees of blocks. Superblocks, descriptors,
 * bitmaps and the journal are parts. Everything else is a gap and so a part too: what a deleted file left, values of
 * attributes, free blocks, ends of blocks that are not zeros.
 */
#include <stdlib.h>
#include <sys/stat.h>

#include "crypto/err.h"
#include "crypto/reader.h"
#include "images/ext4.h"
#include "images/filler.h"
#include "images/part_fs.h"
#include "images/part_scan.h"
#include "images/part_spans.h"

#define ENTRY 8u     /* bytes of an entry before its name */
#define SPECIAL_LAST 10u
#define KNOWN_EXTRA 32u /* bytes of fields behind the first 128 that are known */
#define ATTRIBUTES_MAGIC 0xea020000u
#define ATTRIBUTE 16u

static const char bound[] = "a bound kept its file system from being read to its end";
static const char damaged[] = "its file system is damaged";
static const char encrypted[] = "names and files of it are encrypted";

/* What an inode's attributes say. */
struct attributes {
	bool caps, label, data;
	uint64_t data_at; /* the rest of inline data */
	uint32_t data_n;
};

struct opener {
	struct part_ctx *c;
	uint32_t self;
	struct ext4 fs;
	struct part_same seen;   /* inodes of files and folders */
	struct part_spans spans; /* of the inode at hand */
	uint8_t *taken;          /* a bit for each block: it is a file's, or the journal's */
	struct part_folders folders;
	uint64_t root_end;       /* up to where the 60 bytes of the inode at hand were read */
	struct ext4_inode inode; /* of the folder, then of each of its entries */
	bool encrypted;          /* names of the folder at hand are: none of them is what it looks like */
	uint8_t block[EXT4_BLOCK_MAX];
	uint8_t target[PART_NAME_MAX + 2];
	char path[PART_PATH_CAP];
};

/* ---- what is the format's own ---- */

static int
own(void *arg, uint64_t at, uint64_t length)
{
	struct opener *o = arg;
	if (at >= o->inode.at + 40 && at < o->inode.at + 100)
		o->root_end = at + length;
	return part_structure(o->c, o->self, at, length);
}

/* An inode's fields but for its 60 bytes; those that have to be zero only where they are. */
static int
own_inode(struct opener *o, const struct ext4_inode *i)
{
	static const struct { uint8_t at, n; bool zero; } fields[] = {
		{ 0, 20, false }, { 20, 4, true }, { 24, 16, false }, { 100, 12, false }, { 112, 4, true },
		{ 116, 10, false }, { 126, 2, true },
	};
	uint32_t extra = i->extra < KNOWN_EXTRA ? i->extra : KNOWN_EXTRA;
	int err = 0;
	for (size_t k = 0; k < sizeof fields / sizeof fields[0] && !err; k++)
		if (!fields[k].zero || filler_is_zeros(i->raw + fields[k].at, fields[k].n))
			err = part_structure(o->c, o->self, i->at + fields[k].at, fields[k].n);
	if (!err)
		err = part_structure(o->c, o->self, i->at + 128, o->fs.inode_size > 128 ? extra : 0);
	if (!err && o->fs.inode_size > 128 + extra)
		err = part_padding(o->c, o->self, i->at + 128 + extra, o->fs.inode_size - 128 - extra, false, NULL);
	return err;
}

/* ---- attributes ---- */

/*
 * Entries from p + first on; values lie from p + values on. Only names of which something is told are structure,
 * and no value is: nobody reads them here.
 */
static int
read_attributes(struct opener *o, const uint8_t *p, size_t n, size_t first, size_t values, uint64_t at,
    struct attributes *io)
{
	struct reader r;
	size_t pos = first;
	int err = 0;
	while (!err && n - pos >= ATTRIBUTE && !filler_is_zeros(p + pos, 4)) {
		reader_init(&r, view_of(p + pos, n - pos));
		uint8_t name_n = reader_u8(&r), index = reader_u8(&r);
		size_t off = reader_u16le(&r);
		bool elsewhere = reader_u32le(&r) != 0;
		uint32_t length = reader_u32le(&r);
		(void)reader_u32le(&r);
		struct view name = reader_take(&r, name_n);
		bool inside = elsewhere || (values + off <= n && length <= n - values - off);
		if (r.bad || !inside) {
			part_untold(o->c, o->self, damaged);
			return 0;
		}
		bool caps = index == 6 && view_is(name, "capability"), data = index == 7 && view_is(name, "data");
		/* A kernel looks for it in the inode only, and takes the first. */
		data = data && !elsewhere && values > 0 && !io->data;
		if (data) {
			io->data = true;
			io->data_at = at + values + off;
			io->data_n = length;
		}
		io->caps = io->caps || caps;
		io->label = io->label || (!caps && !data);
		if (caps || data || (index == 6 && view_is(name, "selinux")))
			err = part_structure(o->c, o->self, at + pos, ATTRIBUTE + name_n);
		pos += (ATTRIBUTE + name_n + 3u) & ~(size_t)3;
		if (pos > n)
			pos = n;
	}
	return err ? err : part_padding(o->c, o->self, at + pos, n - pos < 4 ? n - pos : 4, false, NULL);
}

static int
attributes_of(struct opener *o, const struct ext4_inode *i, struct attributes *ret)
{
	uint8_t *p = o->block;
	struct reader r;
	size_t from = 128 + i->extra;
	int err = 0;
	*ret = (struct attributes){ 0 };
	reader_init(&r, view_of(i->raw + from, o->fs.inode_size > from ? o->fs.inode_size - from : 0));
	if (i->extra && reader_u32le(&r) == ATTRIBUTES_MAGIC) {
		err = part_structure(o->c, o->self, i->at + from, 4);
		if (!err)
			err = read_attributes(o, i->raw, o->fs.inode_size, from + 4, from + 4, i->at, ret);
	}
	if (err || i->acl == 0)
		return err;
	if (i->acl == UINT64_MAX) {
		part_untold(o->c, o->self, damaged);
		return 0;
	}
	err = ext4_work(&o->fs, o->fs.block);
	if (!err)
		err = source_read(o->fs.s, i->acl, p, o->fs.block);
	if (err)
		return err;
	reader_init(&r, view_of(p, 4));
	if (reader_u32le(&r) != ATTRIBUTES_MAGIC) {
		part_untold(o->c, o->self, damaged);
		return 0;
	}
	err = filler_is_zeros(p + 20, 12) ? part_structure(o->c, o->self, i->acl, 32) : 0;
	return err ? err : read_attributes(o, p, o->fs.block, 32, 0, i->acl, ret);
}

/* ---- bytes ---- */

static int
add_span(void *arg, uint64_t at, uint64_t length)
{
	return part_spans_add(&((struct opener *)arg)->spans, at, length);
}

static int
inline_spans(struct opener *o, const struct ext4_inode *i, const struct attributes *a, const char **ret_bad)
{
	uint64_t head = i->size < 60 ? i->size : 60, rest = i->size - head;
	int err = part_spans_add(&o->spans, i->at + 40, head);
	/* Without the attribute, however short it is, a kernel takes the bytes for places of blocks. */
	if (!a->data || rest > a->data_n) {
		*ret_bad = damaged;
		rest = a->data_n;
	}
	return err ? err : part_spans_add(&o->spans, a->data_at, rest);
}

/* Where the bytes of i lie, into o->spans. *ret_bad: why not all of them do. 0 or an error, which is no bound. */
static int
spans_of(struct opener *o, const struct ext4_inode *i, const struct attributes *a, const char **ret_bad)
{
	struct ext4_sink sink = { add_span, own, o };
	int got;
	*ret_bad = NULL;
	part_spans_clear(&o->spans);
	o->root_end = i->at + 40;
	if (i->flags & EXT4_FLAG_INLINE) {
		got = inline_spans(o, i, a, ret_bad);
		o->root_end = i->at + 40 + (i->size < 60 ? i->size : 60);
		got = got ? got : 1;
	} else {
		got = ext4_map(&o->fs, i, &sink);
	}
	if (got == 0)
		*ret_bad = "its blocks are damaged";
	if (got == FG_ELIMIT) {
		*ret_bad = "a bound kept its blocks from being read";
		part_limit(o->c, o->self, bound);
	}
	if (got < 0 && got != FG_ELIMIT)
		return got;
	if (o->root_end < i->at + 100)
		return part_padding(o->c, o->self, o->root_end, i->at + 100 - o->root_end, false, NULL);
	return 0;
}

/* The end of the last block, behind the file. */
static int
slack(struct opener *o, const struct ext4_inode *i)
{
	const struct part_range *last = o->spans.n ? &o->spans.row[o->spans.n - 1] : NULL;
	if (!last || last->at == PART_SPAN_HOLE || (i->flags & EXT4_FLAG_INLINE))
		return 0;
	uint64_t end = last->at + last->length;
	return end % o->fs.block ? part_padding(o->c, o->self, end, o->fs.block - end % o->fs.block, false, NULL) : 0;
}

/* ---- blocks of two ---- */

/* Is one of the blocks that these bytes lie in taken? take: from now on all of them are. */
static int
look_taken(struct opener *o, uint64_t at, uint64_t length, bool take, bool *io_taken)
{
	if (length == 0)
		return 0;
	uint64_t from = at / o->fs.block, to = (at + length - 1) / o->fs.block;
	int err = ext4_work(&o->fs, (to - from + 1) * EXT4_BLOCK_COST);
	for (uint64_t b = from; b <= to && !err; b++) {
		*io_taken = *io_taken || (o->taken[b / 8] >> b % 8 & 1) != 0;
		if (take)
			o->taken[b / 8] |= (uint8_t)(1u << b % 8);
	}
	return err;
}

/*
 * Takes the blocks of o->spans. Images of phones share blocks and say so; elsewhere that is damage, and either way every
 * file is shown with its bytes.
 */
static int
take_spans(struct opener *o)
{
	int err = 0;
	for (size_t k = 0; k < o->spans.n && !err; k++)
		if (o->spans.row[k].at != PART_SPAN_HOLE)
			err = look_taken(o, o->spans.row[k].at, o->spans.row[k].length, true, &o->spans.shared);
	if (o->spans.shared && !(o->fs.ro_compat & EXT4_RO_SHARED))
		part_untold(o->c, o->self, "blocks of its file system belong to two files, or twice to one");
	return err;
}

/* ---- entries ---- */

static int64_t
add_file(struct opener *o, const struct ext4_inode *i, struct view path, const struct attributes *a)
{
	const char *bad;
	uint32_t same = part_same_find(&o->seen, i->number);
	if (same)
		return part_alias(o->c, o->self, path, same);
	int err = spans_of(o, i, a, &bad);
	if (!err && !(i->flags & EXT4_FLAG_INLINE))
		err = take_spans(o);
	if (!err)
		err = slack(o, i);
	if (err)
		return err;
	int64_t k = part_spans_child(o->c, o->self, PART_FILE, path, &o->spans, bad);
	if (k > 0 && (i->flags & EXT4_FLAG_ENCRYPTED) && !part_edit(o->c, (uint32_t)k)->why)
		part_edit(o->c, (uint32_t)k)->why = "is encrypted";
	if (k > 0 && part_same_put(&o->seen, i->number, (uint32_t)k))
		return FG_ENOMEM;
	return k;
}

static int64_t
add_link(struct opener *o, const struct ext4_inode *i, struct view path, const struct attributes *a)
{
	const char *bad = NULL;
	int64_t k = part_bare(o->c, o->self, PART_LINK, path);
	int err = 0;
	if (k < 0)
		return k;
	part_spans_clear(&o->spans);
	bool fast = !(i->flags & (EXT4_FLAG_EXTENTS | EXT4_FLAG_INLINE)) && i->size < 60;
	/* Some kernels ask whether it has blocks instead: who would read another target is told. */
	uint32_t others = i->acl ? o->fs.block / 512 : 0;
	if (!(i->flags & EXT4_FLAG_INLINE) && !(o->fs.ro_compat & EXT4_RO_CLUSTERS) && fast != (i->sectors == others))
		bad = damaged;
	if (fast) {
		err = part_spans_add(&o->spans, i->at + 40, i->size);
		if (!err)
			err = part_padding(o->c, o->self, i->at + 40 + i->size, 60 - i->size, false, NULL);
	} else {
		const char *blocks;
		err = spans_of(o, i, a, &blocks);
		bad = bad ? bad : blocks;
		if (!err)
			err = slack(o, i);
	}
	long n = err ? err : part_spans_read(o->fs.s, &o->spans, 0, o->target, sizeof o->target);
	if (n < 0)
		return n;
	/* Structure: the link tells what stands there, but for what is too long to be a name. */
	for (size_t s = 0; s < o->spans.n && !err && i->size <= PART_NAME_MAX; s++)
		if (o->spans.row[s].at != PART_SPAN_HOLE)
			err = part_structure(o->c, o->self, o->spans.row[s].at, o->spans.row[s].length);
	if (!err)
		err = part_link(o->c, (uint32_t)k, view_of(o->target, (size_t)n));
	bool secret = (i->flags & EXT4_FLAG_ENCRYPTED) != 0;
	if (bad || n == 0 || secret) {
		part_untold(o->c, o->self, bad || n == 0 ? damaged : encrypted);
		part_edit(o->c, (uint32_t)k)->inexact = true;
	}
	return err ? err : k;
}

/* The first word has a number of sixteen bits, else the second has one of thirty-two. *ret_at: the word that does. */
static uint32_t
device_of(const struct ext4_inode *i, uint64_t *ret_at)
{
	struct reader r;
	reader_init(&r, view_of(i->block, 8));
	uint32_t old = reader_u32le(&r), wide = reader_u32le(&r);
	*ret_at = i->at + (old ? 40 : 44);
	return old ? old : wide;
}

static int64_t
add_special(struct opener *o, const struct ext4_inode *i, struct view path, enum part_kind kind)
{
	int64_t k = part_bare(o->c, o->self, kind, path);
	bool device = kind == PART_DEVICE;
	if (k < 0)
		return k;
	uint64_t at = i->at + 40;
	uint32_t v = device ? device_of(i, &at) : 0;
	bool narrow = device && at == i->at + 40;
	/* What is not taken of it is zeros. */
	int err = device ? part_structure(o->c, o->self, at, narrow ? 2 : 4) : 0;
	if (!err && device)
		err = part_padding(o->c, o->self, narrow ? at + 2 : i->at + 40, narrow ? 6 : 4, false, NULL);
	if (!err)
		err = part_padding(o->c, o->self, i->at + (device ? 48 : 40), device ? 52 : 60, false, NULL);
	if (err)
		return err;
	part_device(o->c, (uint32_t)k, S_ISBLK(i->mode), narrow ? v & 0xffff : v);
	return k;
}

static int64_t
add_folder(struct opener *o, const struct ext4_inode *i, struct view path, uint64_t above)
{
	if (i->number == EXT4_ROOT || part_same_find(&o->seen, i->number)) {
		part_untold(o->c, o->self, "a folder of its file system has two places");
		return 0;
	}
	int64_t k = part_bare(o->c, o->self, PART_FOLDER, path);
	if (k < 0)
		return k;
	if (part_same_put(&o->seen, i->number, (uint32_t)k))
		return FG_ENOMEM;
	if (path.n >= PART_NAME_MAX) {
		part_limit(o->c, o->self, bound);
		return k;
	}
	int err = part_folders_push(&o->folders, i->number, above, path);
	return err ? err : k;
}

static int64_t
add_kind(struct opener *o, const struct ext4_inode *i, struct view path, const struct attributes *a, uint64_t above)
{
	switch (part_kind_of(i->mode)) {
	case PART_FILE:
		return add_file(o, i, path, a);
	case PART_FOLDER:
		return add_folder(o, i, path, above);
	case PART_LINK:
		return add_link(o, i, path, a);
	case PART_DEVICE:
		return add_special(o, i, path, PART_DEVICE);
	case PART_FIFO:
		return add_special(o, i, path, PART_FIFO);
	default:
		part_untold(o->c, o->self, damaged);
		return 0;
	}
}

/* above: the folder that it is in. *ret_type: what the inode is, as entries have it; 0 when there is none. */
static int
add_entry(struct opener *o, uint32_t number, uint64_t above, struct view path, bool inexact, uint8_t *ret_type)
{
	static const uint8_t types[16] = { [1] = 5, [2] = 3, [4] = 2, [6] = 4, [8] = 1, [10] = 7, [12] = 6 };
	struct ext4_inode *i = &o->inode;
	struct attributes a;
	*ret_type = 0;
	int got = ext4_inode(&o->fs, number, i);
	if (got < 0)
		return got;
	if (got == 0 || i->links == 0) {
		part_untold(o->c, o->self, damaged);
		return 0;
	}
	*ret_type = types[i->mode >> 12];
	int err = own_inode(o, i);
	if (!err)
		err = attributes_of(o, i, &a);
	int64_t k = err ? err : add_kind(o, i, path, &a, above);
	if (k <= 0)
		return (int)k;
	part_rights(o->c, (uint32_t)k, i->mode, i->uid, i->gid);
	struct part *p = part_edit(o->c, (uint32_t)k);
	p->have_caps = a.caps;
	p->setlabel = a.label;
	p->inexact = p->inexact || inexact || o->encrypted;
	return 0;
}

static bool
is_dots(struct view name)
{
	return view_is(name, ".") || view_is(name, "..");
}

/* An entry that is nobody's: the checksum at the end of a block, or room. */
static int
unused(struct opener *o, const uint8_t *e, uint64_t at, uint32_t length, bool last)
{
	bool sum = last && length == 12 && e[6] == 0 && e[7] == 0xde && (o->fs.ro_compat & EXT4_RO_SUMS);
	if (sum)
		return part_structure(o->c, o->self, at, 12);
	int err = e[6] == 0 && e[7] == 0 ? part_structure(o->c, o->self, at, ENTRY) : 0;
	return err ? err : part_padding(o->c, o->self, at + ENTRY, length - ENTRY, false, NULL);
}

/* One entry that leads somewhere. dots: "." or ".." may stand here. */
static int
entry(struct opener *o, const struct part_folder *f, const uint8_t *e, uint64_t at, uint32_t length, bool dots)
{
	struct reader r;
	reader_init(&r, view_of(e, length));
	uint32_t number = reader_u32le(&r);
	struct view name = view_of(e + ENTRY, e[6]);
	uint8_t type = 2;
	bool told = true;
	int err = 0;
	if (!dots || !is_dots(name)) {
		bool odd;
		size_t n = part_folder_path(f, name, o->path, &odd);
		err = add_entry(o, number, f->key, view_of(o->path, n), odd, &type);
	}
	else
		told = number == (view_is(name, ".") ? f->key : f->above);
	told = told && (!(o->fs.incompat & EXT4_INCOMPAT_FILETYPE) ? e[7] == 0 : e[7] == type);
	if (!err && type == 0) /* a name that leads nowhere was not shown */
		return part_padding(o->c, o->self, at + ENTRY + name.n, length - ENTRY - name.n, false, NULL);
	if (!err)
		err = told ? part_structure(o->c, o->self, at, ENTRY + name.n)
		           : part_structure(o->c, o->self, at + ENTRY, name.n);
	return err ? err : part_padding(o->c, o->self, at + ENTRY + name.n, length - ENTRY - name.n, false, NULL);
}

/* Entries in n bytes that lie at at. */
static int
entries(struct opener *o, const struct part_folder *f, const uint8_t *p, uint32_t n, uint64_t at, bool first)
{
	struct reader r;
	int err = 0;
	for (uint32_t pos = 0, k = 0; pos < n && !err; k++) {
		reader_init(&r, view_of(p + pos, n - pos));
		uint32_t number = reader_u32le(&r), length = reader_u16le(&r);
		if (n == EXT4_BLOCK_MAX && (length == 0 || length == 65535))
			length = EXT4_BLOCK_MAX;
		if (n - pos < 12 || length < 12 || length % 4 || length > n - pos || p[pos + 6] > length - ENTRY) {
			part_untold(o->c, o->self, damaged);
			return 0;
		}
		err = ext4_work(&o->fs, EXT4_ENTRY_COST);
		if (err)
			return err;
		err = number ? entry(o, f, p + pos, at + pos, length, first && k < 2)
		             : unused(o, p + pos, at + pos, length, pos + length == n);
		pos += length;
	}
	return err;
}

/* Four bytes for "..", then entries in what is left of the inode, and in an attribute. */
static int
inline_folder(struct opener *o, const struct part_folder *f, const struct attributes *a)
{
	uint8_t head[60];
	uint64_t at = o->inode.at + 40;
	struct reader r;
	int err = 0;
	reader_init(&r, view_of(o->inode.block, 4));
	if (reader_u32le(&r) == f->above)
		err = part_structure(o->c, o->self, at, 4);
	if (!a->data)
		part_untold(o->c, o->self, damaged);
	memcpy(head, o->inode.block, sizeof head);
	uint32_t n = a->data_n <= EXT4_BLOCK_MAX ? a->data_n : 0;
	uint8_t *rest = malloc(n + 1);
	if (!rest)
		return FG_ENOMEM;
	if (!err)
		err = source_read(o->fs.s, a->data_at, rest, n);
	if (!err)
		err = entries(o, f, head + 4, 56, at + 4, false);
	if (!err)
		err = entries(o, f, rest, n, a->data_at, false);
	free(rest);
	return err;
}

/* The blocks of a folder, whose places are in spans. */
static int
block_folder(struct opener *o, const struct part_folder *f, const struct part_spans *spans)
{
	uint8_t *p = malloc(o->fs.block);
	bool first = true;
	int err = p ? 0 : FG_ENOMEM;
	for (size_t k = 0; k < spans->n && !err; k++) {
		const struct part_range *r = &spans->row[k];
		if (r->at == PART_SPAN_HOLE || r->length % o->fs.block) {
			part_untold(o->c, o->self, damaged);
			continue;
		}
		for (uint64_t off = 0; off < r->length && !err; off += o->fs.block) {
			err = ext4_work(&o->fs, o->fs.block);
			if (!err)
				err = source_read(o->fs.s, r->at + off, p, o->fs.block);
			if (!err)
				err = entries(o, f, p, o->fs.block, r->at + off, first);
			first = false;
		}
	}
	free(p);
	return err;
}

static int
read_folder(struct opener *o, const struct part_folder *f)
{
	struct attributes a = { 0 };
	const char *bad;
	int got = ext4_inode(&o->fs, (uint32_t)f->key, &o->inode);
	if (got < 0)
		return got;
	if (got == 0 || part_kind_of(o->inode.mode) != PART_FOLDER) {
		part_untold(o->c, o->self, damaged);
		return 0;
	}
	int err = f->key == EXT4_ROOT ? part_root(o->c, o->self, o->inode.mode, o->inode.uid, o->inode.gid) : 0;
	if (!err)
		err = own_inode(o, &o->inode);
	if (!err)
		err = attributes_of(o, &o->inode, &a);
	if (err)
		return err;
	o->encrypted = (o->inode.flags & EXT4_FLAG_ENCRYPTED) != 0;
	if (o->encrypted)
		part_untold(o->c, o->self, encrypted);
	if (o->inode.flags & EXT4_FLAG_INLINE)
		return inline_folder(o, f, &a);
	err = spans_of(o, &o->inode, &a, &bad);
	if (err)
		return err;
	if (bad)
		part_untold(o->c, o->self, damaged);
	/* Its entries' blocks go through o->spans in their turn. */
	struct part_spans spans = o->spans;
	o->spans = (struct part_spans){ 0 };
	err = block_folder(o, f, &spans);
	part_spans_free(&spans);
	return err;
}

static int
read_folders(struct opener *o)
{
	struct part_folder f;
	int err = part_folders_push(&o->folders, EXT4_ROOT, EXT4_ROOT, view_str(""));
	while (!err && part_folders_pop(&o->folders, &f)) {
		err = read_folder(o, &f);
		free(f.path);
	}
	return err;
}

/* ---- what is no file ---- */

static int
header(struct opener *o, const char *name, uint64_t at, uint64_t length)
{
	uint64_t end, size = part_bytes(o->c, o->self)->size;
	bool taken = false;
	if (at == UINT64_MAX) {
		part_untold(o->c, o->self, damaged);
		return 0;
	}
	/* A table that is said to lie where a file does would have its bytes. */
	int err = at < size ? look_taken(o, at, length < size - at ? length : size - at, false, &taken) : 0;
	if (err || taken) {
		part_untold(o->c, o->self, "tables of its file system lie over files");
		return err;
	}
	return length ? part_header(o->c, o->self, name, at, length, &end) : 0;
}

static int
read_groups(struct opener *o)
{
	struct ext4_group g;
	int err = 0;
	for (uint32_t k = 0; k < o->fs.groups && !err; k++) {
		int got = ext4_group(&o->fs, k, &g);
		if (got < 0)
			return got;
		if (got == 0) {
			part_untold(o->c, o->self, damaged);
			return 0;
		}
		if (g.super != UINT64_MAX)
			err = header(o, "superblock", g.super, 1024);
		if (!err && g.desc_n)
			err = header(o, "group descriptors", g.desc, g.desc_n);
		if (!err)
			err = header(o, "block bitmap", g.block_bitmap, o->fs.block);
		if (!err)
			err = header(o, "inode bitmap", g.inode_bitmap, o->fs.block);
		if (g.inodes == UINT64_MAX)
			part_untold(o->c, o->self, damaged);
	}
	return err;
}

static int
read_journal(struct opener *o)
{
	const struct attributes none = { 0 };
	const char *bad;
	int got = o->fs.journal ? ext4_inode(&o->fs, o->fs.journal, &o->inode) : 0;
	if (got <= 0 || part_kind_of(o->inode.mode) != PART_FILE)
		return got < 0 ? got : 0;
	int err = own_inode(o, &o->inode);
	if (!err)
		err = spans_of(o, &o->inode, &none, &bad);
	if (!err)
		err = take_spans(o);
	if (err)
		return err;
	int64_t k = part_spans_child(o->c, o->self, PART_REGION, view_str("journal"), &o->spans, bad);
	return k < 0 ? (int)k : 0;
}

/* Inodes without a name that every file system has: times and numbers, and no blocks but for the few that are told apart. */
static int
read_special(struct opener *o)
{
	int err = 0;
	for (uint32_t n = 1; n <= SPECIAL_LAST && !err; n++) {
		if (n == EXT4_ROOT || n == o->fs.journal)
			continue;
		int got = ext4_inode(&o->fs, n, &o->inode);
		if (got < 0)
			return got;
		/* mke2fs writes the first and those of resizing and the journal; the others are zeros, or shown. */
		bool written = n == 1 || n == EXT4_RESIZE || n == EXT4_JOURNAL;
		if (got)
			err = written ? own_inode(o, &o->inode)
			              : part_padding(o->c, o->self, o->inode.at, o->fs.inode_size, false, NULL);
		if (!err && got && written)
			err = part_padding(o->c, o->self, o->inode.at + 40, 60, false, NULL);
	}
	return err;
}

int
part_ext4_open(struct part_ctx *c, uint32_t self)
{
	struct opener *o = calloc(1, sizeof *o);
	const char *why;
	if (!o)
		return FG_ENOMEM;
	o->c = c;
	o->self = self;
	int err = ext4_open(part_bytes(c, self), part_work(c), &o->fs, &why);
	if (err <= 0) {
		free(o);
		part_untold(c, self, why);
		return err < 0 ? err : part_scan_open(c, self); /* a few bytes made it one: there may be anything */
	}
	o->taken = calloc(1, (size_t)(part_bytes(c, self)->size / o->fs.block / 8 + 1));
	if (!o->taken) {
		free(o);
		return FG_ENOMEM;
	}
	if (ext4_is_dirty(&o->fs))
		part_untold(c, self, "a device replays the journal of its file system first, which was not done here");
	err = read_folders(o);
	if (!err)
		err = read_journal(o);
	if (!err)
		err = read_special(o);
	if (!err)
		err = read_groups(o);
	if (!err)
		err = part_rest(c, self, o->fs.blocks * o->fs.block);
	if (err == FG_ELIMIT)
		part_limit(c, self, bound);
	part_folders_free(&o->folders);
	part_same_free(&o->seen);
	part_spans_free(&o->spans);
	free(o->taken);
	free(o);
	return err;
}
