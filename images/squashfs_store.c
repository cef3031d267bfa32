/* SPDX-License-Identifier: Apache-2.0 */
#include "images/squashfs_store.h"

#include <stdio.h>
#include <stdlib.h>

#include <sqfs/error.h>

#include "crypto/err.h"
#include "crypto/reader.h"

#define META_BLOCK 8192u            /* a metadata block, unpacked */
#define IDS_A_BLOCK (META_BLOCK / 4)
#define RECORDS_A_BLOCK (META_BLOCK / 16) /* fragments and attribute sets take 16 bytes */
#define NOT_PACKED (1u << 24)       /* in the length of a data block */
#define ABSENT UINT64_MAX           /* of a table */
#define XATTR_ELSEWHERE 0x100u      /* the value is a reference to one that is stored once */
#define XATTR_SECURITY 2u
#define XATTR_VALUE_MAX 65536u      /* XATTR_SIZE_MAX of Linux */
#define SUPER_LEN 96u
#define OPTIONS_MAX 64u /* bytes of how it was packed; the most there are take 20 */

int
squashfs_store_fail(struct squashfs_store *st, int err, const char *why)
{
	snprintf(st->why, sizeof st->why, "%s", why);
	return err;
}

int
squashfs_store_count(struct squashfs_store *st, uint64_t n)
{
	if (n > SQUASHFS_WORK_MAX - *st->work) {
		st->err = FG_ELIMIT;
		return squashfs_store_fail(st, FG_ELIMIT,
		    "more than 8 GiB would have to be read and unpacked");
	}
	*st->work += n;
	return 0;
}

/* ---- what libsquashfs calls ---- */

static int
file_read_at(sqfs_file_t *file, sqfs_u64 offset, void *buffer, size_t size)
{
	struct squashfs_store *st = ((struct squashfs_store_file *)(void *)file)->store;
	if (squashfs_store_count(st, size))
		return SQFS_ERROR_OVERFLOW;
	int err = source_read(st->source, offset, buffer, size);
	if (err && err != FG_ELIMIT && !st->err)
		st->err = err;
	return err ? SQFS_ERROR_OUT_OF_BOUNDS : 0;
}

static int
file_write_at(sqfs_file_t *file, sqfs_u64 offset, const void *buffer, size_t size)
{
	(void)file, (void)offset, (void)buffer, (void)size;
	return SQFS_ERROR_UNSUPPORTED;
}

static sqfs_u64
file_get_size(const sqfs_file_t *file)
{
	return ((const struct squashfs_store_file *)(const void *)file)->store->source->size;
}

static int
file_truncate(sqfs_file_t *file, sqfs_u64 size)
{
	(void)file, (void)size;
	return SQFS_ERROR_UNSUPPORTED;
}

/* Whatever a decompressor dislikes is the image's fault: none of them allocates by what it is fed without a cap. */
static sqfs_s32
packer_do_block(sqfs_compressor_t *cmp, const sqfs_u8 *in, sqfs_u32 size, sqfs_u8 *out,
    sqfs_u32 outsize)
{
	struct squashfs_store_packer *p = (struct squashfs_store_packer *)(void *)cmp;
	if (squashfs_store_count(p->store, outsize))
		return SQFS_ERROR_OVERFLOW;
	sqfs_s32 n = p->real->do_block(p->real, in, size, out, outsize);
	return n > 0 && (sqfs_u32)n <= outsize ? n : SQFS_ERROR_COMPRESSOR;
}

/* Both live in the store, which outlives every reader. */
static void
destroy_nothing(sqfs_object_t *object)
{
	(void)object;
}

/* An answer of libsquashfs in our terms. */
static int
told(struct squashfs_store *st, int answer, const char *why)
{
	if (answer == 0)
		return 0;
	if (st->err == FG_ELIMIT)
		return FG_ELIMIT; /* said already */
	if (st->err)
		return st->err;
	if (answer == SQFS_ERROR_ALLOC)
		return FG_ENOMEM;
	return squashfs_store_fail(st, FG_EFORMAT, why);
}

/* ---- opening ---- */

static int
open_packer(struct squashfs_store *st)
{
	sqfs_compressor_config_t cfg;
	const sqfs_super_t *s = &st->super;
	int answer = sqfs_compressor_config_init(&cfg, (SQFS_COMPRESSOR)s->compression_id,
	    s->block_size, SQFS_COMP_FLAG_UNCOMPRESS);
	if (!answer)
		answer = sqfs_compressor_create(&cfg, &st->packer.real);
	if (answer == SQFS_ERROR_ALLOC)
		return FG_ENOMEM;
	if (answer)
		return squashfs_store_fail(st, FG_ELIMIT,
		    s->compression_id == SQFS_COMP_LZO
		        ? "it is packed with lzo, which is not unpacked here"
		        : "it is packed in a way that is not known here");
	st->packer.store = st;
	st->packer.as_compressor.base.destroy = destroy_nothing;
	st->packer.as_compressor.do_block = packer_do_block;
	return 0;
}

/* The tables lie one behind the other, in the order in which every tool writes them. */
static bool
in_order(const sqfs_super_t *s, uint64_t size)
{
	const uint64_t at[] = { SUPER_LEN, s->inode_table_start, s->directory_table_start,
		s->fragment_table_start, s->export_table_start, s->id_table_start,
		s->xattr_id_table_start, s->bytes_used, size };
	uint64_t before = 0;
	for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
		if (at[i] == ABSENT && (i == 3 || i == 4 || i == 6))
			continue;
		if (at[i] < before)
			return false;
		before = at[i];
	}
	return s->inode_table_start < s->directory_table_start;
}

static int
open_run(struct squashfs_store *st, enum squashfs_store_run run, uint64_t from, uint64_t to)
{
	st->from[run] = from;
	st->to[run] = to;
	st->run[run] = sqfs_meta_reader_create(&st->file.as_file, &st->packer.as_compressor, from, to);
	return st->run[run] ? 0 : FG_ENOMEM;
}

/*
 * After a failure libsquashfs (1.2.0) may hold the bytes of one block under the
 * place of another, and would go on to give them: such a reader is not used again.
 */
static int
run_told(struct squashfs_store *st, enum squashfs_store_run run, int answer, const char *why)
{
	if (answer == 0)
		return 0;
	int err = told(st, answer, why);
	sqfs_destroy(st->run[run]);
	int again = open_run(st, run, st->from[run], st->to[run]);
	return again ? again : err;
}

static int
open_runs(struct squashfs_store *st)
{
	const sqfs_super_t *s = &st->super;
	bool fragments = s->fragment_table_start != ABSENT;
	uint64_t folders_end = fragments ? s->fragment_table_start
	    : s->export_table_start != ABSENT ? s->export_table_start : s->id_table_start;
	int err = open_run(st, SQUASHFS_STORE_INODES, s->inode_table_start, s->directory_table_start);
	if (!err)
		err = open_run(st, SQUASHFS_STORE_FOLDERS, s->directory_table_start, folders_end);
	if (!err)
		err = open_run(st, SQUASHFS_STORE_IDS, s->directory_table_start, s->id_table_start);
	if (!err && fragments)
		err = open_run(st, SQUASHFS_STORE_FRAGMENTS, s->directory_table_start,
		    s->fragment_table_start);
	return err;
}

/* A little-endian number of the image's tables of places. */
static int
place(struct squashfs_store *st, uint64_t table, uint64_t index, uint64_t *ret)
{
	uint8_t bytes[8];
	struct reader r;
	int err = source_read(st->source, table + 8 * index, bytes, sizeof bytes);
	if (err == FG_ELIMIT)
		return squashfs_store_fail(st, FG_EFORMAT, "a table reaches past the end");
	if (err)
		return err;
	reader_init(&r, view_of(bytes, sizeof bytes));
	*ret = reader_u64le(&r);
	return 0;
}

static int
load_owners(struct squashfs_store *st)
{
	unsigned n = st->super.id_count;
	uint8_t bytes[4];
	uint64_t block = 0;
	int err = 0;
	st->owner = calloc(n ? n : 1, sizeof *st->owner);
	if (!st->owner)
		return FG_ENOMEM;
	for (unsigned i = 0; i < n && !err; i++) {
		if (i % IDS_A_BLOCK == 0) {
			err = place(st, st->super.id_table_start, i / IDS_A_BLOCK, &block);
			if (!err)
				err = squashfs_store_seek(st, SQUASHFS_STORE_IDS, block, 0);
		}
		if (!err)
			err = squashfs_store_read(st, SQUASHFS_STORE_IDS, bytes, sizeof bytes);
		struct reader r;
		reader_init(&r, view_of(bytes, sizeof bytes));
		st->owner[i] = reader_u32le(&r);
	}
	return err;
}

static int
open_xattrs(struct squashfs_store *st)
{
	uint64_t at = st->super.xattr_id_table_start;
	uint8_t head[16];
	struct reader r;
	if (at == ABSENT)
		return 0;
	int err = source_read(st->source, at, head, sizeof head);
	if (err == FG_ELIMIT)
		return squashfs_store_fail(st, FG_EFORMAT, "the table of attributes is cut");
	if (err)
		return err;
	reader_init(&r, view_of(head, sizeof head));
	st->xattrs_start = reader_u64le(&r);
	st->xattrs_n = reader_u32le(&r);
	if (st->xattrs_start > at || st->xattrs_start < SUPER_LEN)
		return squashfs_store_fail(st, FG_EFORMAT, "the attributes lie outside");
	err = open_run(st, SQUASHFS_STORE_XATTRS, st->xattrs_start, at);
	if (!err)
		err = open_run(st, SQUASHFS_STORE_XATTR_IDS, st->xattrs_start, at);
	return err;
}

/* What it says of how it was packed is one metadata block behind the superblock. */
static int
find_data(struct squashfs_store *st)
{
	uint8_t head[2] = { 0 };
	st->data_at = SUPER_LEN;
	if (!(st->super.flags & SQFS_FLAG_COMPRESSOR_OPTIONS))
		return 0;
	int err = source_read(st->source, SUPER_LEN, head, sizeof head);
	unsigned length = (head[0] | (unsigned)head[1] << 8) & 0x7fff;
	if (!err && length <= OPTIONS_MAX && st->data_at + 2 + length <= st->super.inode_table_start)
		st->data_at += 2 + length;
	return err == FG_ELIMIT ? 0 : err;
}

int
squashfs_store_open(struct squashfs_store *st, const struct source *source, uint64_t *work)
{
	st->work = work ? work : &st->own_work;
	st->source = source;
	st->file = (struct squashfs_store_file){ .store = st,
		.as_file = { .base = { .destroy = destroy_nothing },
		    .read_at = file_read_at,
		    .write_at = file_write_at,
		    .get_size = file_get_size,
		    .truncate = file_truncate } };
	int err = told(st, sqfs_super_read(&st->super, &st->file.as_file),
	    "the superblock is not one of squashfs 4.0");
	if (!err && !in_order(&st->super, source->size))
		err = squashfs_store_fail(st, FG_EFORMAT, "the tables are out of order or cut");
	if (!err)
		err = find_data(st);
	if (!err)
		err = open_packer(st);
	if (!err) {
		st->packed = malloc(st->super.block_size);
		err = st->packed ? open_runs(st) : FG_ENOMEM;
	}
	if (!err)
		err = load_owners(st);
	return err ? err : open_xattrs(st);
}

void
squashfs_store_close(struct squashfs_store *st)
{
	for (unsigned i = 0; i < SQUASHFS_STORE_RUNS; i++)
		sqfs_destroy(st->run[i]);
	sqfs_destroy(st->packer.real);
	free(st->owner);
	free(st->packed);
}

/* ---- blocks ---- */

int
squashfs_store_seek(struct squashfs_store *st, enum squashfs_store_run run, uint64_t block,
    size_t offset)
{
	if (!st->run[run])
		return squashfs_store_fail(st, FG_EFORMAT, "it refers to a table that is not there");
	return run_told(st, run, sqfs_meta_reader_seek(st->run[run], block, offset),
	    "a block of metadata is damaged or not where it should be");
}

int
squashfs_store_read(struct squashfs_store *st, enum squashfs_store_run run, void *buf, size_t n)
{
	if (!st->run[run])
		return squashfs_store_fail(st, FG_EFORMAT, "it refers to a table that is not there");
	return run_told(st, run, sqfs_meta_reader_read(st->run[run], buf, n),
	    "metadata is damaged or cut");
}

uint32_t
squashfs_store_length(uint32_t word)
{
	return word & (NOT_PACKED - 1);
}

int
squashfs_store_unpack(struct squashfs_store *st, uint64_t at, uint32_t word, uint8_t *out,
    size_t cap, size_t *ret_n)
{
	uint32_t n = squashfs_store_length(word);
	uint64_t end = st->super.inode_table_start; /* data lies before all metadata */
	if (word >= NOT_PACKED * 2 || n == 0 || n > st->super.block_size || n > cap || at < SUPER_LEN ||
	    at > end || n > end - at)
		return squashfs_store_fail(st, FG_EFORMAT, "a block of data is too long or lies outside");
	uint8_t *stored = word & NOT_PACKED ? out : st->packed;
	int err = told(st, file_read_at(&st->file.as_file, at, stored, n), "a block of data is cut");
	*ret_n = n;
	if (err || stored == out)
		return err;
	sqfs_s32 got = packer_do_block(&st->packer.as_compressor, stored, n, out, (sqfs_u32)cap);
	*ret_n = got > 0 ? (size_t)got : 0;
	return told(st, got > 0 ? 0 : got, "a block of data does not unpack");
}

/* ---- tables ---- */

int
squashfs_store_owner(struct squashfs_store *st, unsigned index, uint32_t *ret)
{
	if (index >= st->super.id_count)
		return squashfs_store_fail(st, FG_EFORMAT, "an owner is not in the table of owners");
	*ret = st->owner[index];
	return 0;
}

/* A record of 16 bytes by its number. */
static int
record(struct squashfs_store *st, enum squashfs_store_run run, uint64_t table, uint32_t index,
    uint8_t ret[16])
{
	uint64_t block;
	int err = place(st, table, index / RECORDS_A_BLOCK, &block);
	if (!err)
		err = squashfs_store_seek(st, run, block, (size_t)(index % RECORDS_A_BLOCK) * 16);
	return err ? err : squashfs_store_read(st, run, ret, 16);
}

int
squashfs_store_fragment(struct squashfs_store *st, uint32_t index, uint64_t *ret_at,
    uint32_t *ret_word)
{
	uint8_t bytes[16];
	struct reader r;
	if (index >= st->super.fragment_entry_count || !st->run[SQUASHFS_STORE_FRAGMENTS])
		return squashfs_store_fail(st, FG_EFORMAT, "a shared block is not in its table");
	int err = record(st, SQUASHFS_STORE_FRAGMENTS, st->super.fragment_table_start, index, bytes);
	if (err)
		return err;
	reader_init(&r, view_of(bytes, sizeof bytes));
	*ret_at = reader_u64le(&r);
	*ret_word = reader_u32le(&r);
	return 0;
}

static int
read_u16(struct squashfs_store *st, unsigned *ret)
{
	uint8_t b[2];
	int err = squashfs_store_read(st, SQUASHFS_STORE_XATTRS, b, sizeof b);
	*ret = err ? 0 : (unsigned)b[0] | (unsigned)b[1] << 8;
	return err;
}

static int
read_u32(struct squashfs_store *st, uint32_t *ret)
{
	unsigned low, high = 0;
	int err = read_u16(st, &low);
	if (!err)
		err = read_u16(st, &high);
	*ret = err ? 0 : low | (uint32_t)high << 16;
	return err;
}

static int
skip(struct squashfs_store *st, uint32_t n)
{
	uint8_t away[512];
	int err = 0;
	while (n > 0 && !err) {
		uint32_t part = n < sizeof away ? n : (uint32_t)sizeof away;
		err = squashfs_store_read(st, SQUASHFS_STORE_XATTRS, away, part);
		n -= part;
	}
	return err;
}

/* One name and its value; a value that is stored elsewhere is left there (capabilities never are: they are short). */
static int
one_xattr(struct squashfs_store *st, uint8_t *caps, size_t *caps_n)
{
	static const char wanted[] = "capability";
	uint8_t name[sizeof wanted - 1];
	unsigned type, name_n = 0;
	uint32_t value_n = 0;
	bool it_is = false;
	int err = read_u16(st, &type);
	if (!err)
		err = read_u16(st, &name_n);
	if (!err && name_n == sizeof name) {
		err = squashfs_store_read(st, SQUASHFS_STORE_XATTRS, name, sizeof name);
		it_is = !err && (type & 0xff) == XATTR_SECURITY && memcmp(name, wanted, sizeof name) == 0;
	} else if (!err) {
		err = skip(st, name_n);
	}
	if (!err)
		err = read_u32(st, &value_n);
	if (!err && value_n > XATTR_VALUE_MAX)
		err = squashfs_store_fail(st, FG_EFORMAT, "an attribute is longer than any may be");
	if (err || !it_is)
		return err ? err : skip(st, value_n);
	if (value_n == 0 || value_n > SQUASHFS_CAPS_MAX || type & XATTR_ELSEWHERE)
		return squashfs_store_fail(st, FG_EFORMAT, "a file's capabilities are malformed");
	*caps_n = value_n;
	return squashfs_store_read(st, SQUASHFS_STORE_XATTRS, caps, value_n);
}

int
squashfs_store_xattrs(struct squashfs_store *st, uint32_t index, unsigned *ret_n,
    uint8_t ret_caps[SQUASHFS_CAPS_MAX], size_t *ret_caps_n)
{
	uint8_t bytes[16];
	struct reader r;
	*ret_n = 0;
	*ret_caps_n = 0;
	if (index >= st->xattrs_n || !st->run[SQUASHFS_STORE_XATTR_IDS])
		return squashfs_store_fail(st, FG_EFORMAT, "attributes are not in their table");
	int err = record(st, SQUASHFS_STORE_XATTR_IDS,
	    st->super.xattr_id_table_start + 16, index, bytes);
	if (err)
		return err;
	reader_init(&r, view_of(bytes, sizeof bytes));
	uint64_t where = reader_u64le(&r);
	uint32_t n = reader_u32le(&r);
	if (n > SQUASHFS_XATTRS_MAX)
		return squashfs_store_fail(st, FG_ELIMIT, "an entry has more than 256 attributes");
	if (where >> 16 > st->source->size)
		return squashfs_store_fail(st, FG_EFORMAT, "attributes lie outside");
	err = squashfs_store_seek(st, SQUASHFS_STORE_XATTRS, st->xattrs_start + (where >> 16),
	    where & 0xffff);
	for (uint32_t i = 0; i < n && !err; i++)
		err = one_xattr(st, ret_caps, ret_caps_n);
	*ret_n = n;
	return err;
}
