/* SPDX-License-Identifier: Apache-2.0 */
#include "images/uimage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "crypto/err.h"
#include "crypto/reader.h"

#define HEADER 64u
#define MAGIC 0x27051956u
#define NAME_LEN 32u

/* Types whose data is a list of sizes that ends with 0, and then the files, each filled up to four bytes. */
#define TYPE_MULTI 4u
#define TYPE_SCRIPT 6u

struct uimage {
	struct walk *w;
	uint32_t time, size, crc;
	uint8_t os, arch, type, packing;
	uint8_t name[NAME_LEN];
};

static const char *const types[] = { NULL, "standalone", "kernel", "ramdisk", "multi", "firmware", "script", "filesystem",
	"flat_dt" };

/* What comp of the header says that the data is; the ones that are not recognised by content are not held against it. */
static const enum format_id packings[] = { FORMAT_NONE, FORMAT_GZIP, FORMAT_BZIP2, FORMAT_LZMA, FORMAT_NONE, FORMAT_NONE,
	FORMAT_ZSTD };

static int
crc_of(const struct source *s, uint64_t at, uint64_t n, uint32_t *ret)
{
	uint8_t *chunk = malloc(source_chunk(n));
	uLong crc = crc32(0, NULL, 0);
	int err = chunk ? 0 : FG_ENOMEM;
	while (n > 0 && !err) {
		size_t take = n < SOURCE_CHUNK ? (size_t)n : SOURCE_CHUNK;
		err = source_read(s, at, chunk, take);
		if (!err)
			crc = crc32(crc, chunk, (uInt)take);
		at += take;
		n -= take;
	}
	free(chunk);
	*ret = (uint32_t)crc;
	return err;
}

/* FG_EFORMAT, told, where nothing behind it can be looked at. */
static int
header(struct uimage *u)
{
	uint8_t h[HEADER];
	struct reader r;
	if (u->w->image->size < sizeof h) {
		walk_raise(u->w, FINDING_FMT_MALFORMED, NULL, "shorter than a header");
		return FG_EFORMAT;
	}
	int err = source_read(u->w->image, 0, h, sizeof h);
	if (err)
		return err;
	reader_init(&r, view_of(h, sizeof h));
	uint32_t magic = reader_u32(&r), said = reader_u32(&r);
	u->time = reader_u32(&r);
	u->size = reader_u32(&r);
	(void)reader_u32(&r); /* where it is loaded */
	(void)reader_u32(&r); /* and started */
	u->crc = reader_u32(&r);
	u->os = reader_u8(&r);
	u->arch = reader_u8(&r);
	u->type = reader_u8(&r);
	u->packing = reader_u8(&r);
	reader_copy(&r, u->name, sizeof u->name);
	memset(h + 4, 0, 4);
	if (magic != MAGIC || (uint32_t)crc32(0, h, sizeof h) != said) {
		walk_raise(u->w, FINDING_FMT_INTEGRITY, NULL, "the header's own checksum is another");
		return FG_EFORMAT;
	}
	if (u->size > u->w->image->size - HEADER) {
		walk_raise(u->w, FINDING_FMT_MALFORMED, NULL, "%" PRIu32 " bytes of data, and %" PRIu64 " are there", u->size,
		    u->w->image->size - HEADER);
		return FG_EFORMAT;
	}
	return 0;
}

static void
facts(struct uimage *u)
{
	struct walk_signed nobody = { .n = 0 };
	const uint8_t *end = memchr(u->name, 0, sizeof u->name);
	size_t n = end ? (size_t)(end - u->name) : sizeof u->name;
	walk_fact(u->w, CONTENTS_FACT_BUILD, nobody, view_of(u->name, n));
	walk_fact_uint(u->w, CONTENTS_FACT_TIMESTAMP, nobody, u->time);
	if (u->type < sizeof types / sizeof *types && types[u->type])
		walk_fact(u->w, CONTENTS_FACT_TYPE, nobody, view_str(types[u->type]));
	else
		walk_fact_uint(u->w, CONTENTS_FACT_TYPE, nobody, u->type);
	for (; n < sizeof u->name; n++)
		if (u->name[n]) {
			uint64_t at = HEADER - sizeof u->name + n;
			walk_raise(u->w, FINDING_FMT_HIDDEN_BYTES, &at, "bytes behind the end of the name");
			break;
		}
}

static int
part(struct uimage *u, const char *name, struct sig_range at)
{
	const struct walk_member m = { .name = view_str(name), .at = at, .runs = u->type == TYPE_SCRIPT };
	struct walk_seen seen = { .format = FORMAT_NONE };
	int err = walk_member(u->w, &m, &seen);
	enum format_id due = u->packing < sizeof packings / sizeof *packings ? packings[u->packing] : FORMAT_NONE;
	bool alone = u->type != TYPE_MULTI && u->type != TYPE_SCRIPT;
	if (!err && alone && due != FORMAT_NONE && seen.format != due)
		walk_raise(u->w, FINDING_FMT_CONFLICT, &at.offset, "the header says %s, the data is %s", format_name(due),
		    format_name(seen.format));
	return err;
}

/* The list of sizes; *ret_n of them, and where the files begin. FG_EFORMAT, told. */
static int
sizes(struct uimage *u, uint32_t *size, unsigned *ret_n, uint64_t *ret_at)
{
	uint64_t end = HEADER + (uint64_t)u->size;
	for (uint64_t at = HEADER; at + 4 <= end; at += 4) {
		uint8_t cell[4];
		struct reader r;
		int err = source_read(u->w->image, at, cell, sizeof cell);
		if (err)
			return err;
		reader_init(&r, view_of(cell, sizeof cell));
		uint32_t n = reader_u32(&r);
		if (n == 0) {
			*ret_at = at + 4;
			return 0;
		}
		if (*ret_n == UIMAGE_PARTS_MAX) {
			walk_raise(u->w, FINDING_FMT_WALK_LIMIT, &at, "more than %u files", UIMAGE_PARTS_MAX);
			return FG_EFORMAT;
		}
		size[(*ret_n)++] = n;
	}
	walk_raise(u->w, FINDING_FMT_MALFORMED, &end, "a list of sizes without an end");
	return FG_EFORMAT;
}

static int
hole(struct uimage *u, uint64_t at, uint64_t n)
{
	uint8_t bytes[4] = { 0 };
	int err = source_read(u->w->image, at, bytes, (size_t)n);
	if (!err && (bytes[0] | bytes[1] | bytes[2] | bytes[3]))
		walk_raise(u->w, FINDING_FMT_HIDDEN_BYTES, &at, "bytes where a file is filled up to four");
	return err;
}

static int
parts(struct uimage *u)
{
	uint32_t size[UIMAGE_PARTS_MAX];
	unsigned n = 0;
	uint64_t at = 0, end = HEADER + (uint64_t)u->size;
	int err = sizes(u, size, &n, &at);
	for (unsigned i = 0; i < n && !err; i++) {
		char name[16];
		uint64_t fill = (4 - size[i] % 4) % 4;
		if (size[i] > end - at) {
			walk_raise(u->w, FINDING_FMT_MALFORMED, &at, "file %u of %" PRIu32 " bytes does not fit", i + 1, size[i]);
			return 0;
		}
		snprintf(name, sizeof name, "file-%u", i + 1);
		err = part(u, name, (struct sig_range){ at, size[i] });
		at += size[i];
		fill = fill < end - at ? fill : end - at; /* the last one may end without it */
		if (!err)
			err = hole(u, at, fill);
		at += fill;
	}
	if (!err && at < end)
		walk_raise(u->w, FINDING_FMT_HIDDEN_BYTES, &at, "%" PRIu64 " bytes behind the last file", end - at);
	return err == FG_EFORMAT ? 0 : err;
}

int
uimage_walk(struct walk *w)
{
	struct uimage u = { .w = w };
	uint32_t crc = 0;
	uint64_t end;
	int err = header(&u);
	if (err)
		return err == FG_EFORMAT ? 0 : err;
	facts(&u);
	end = HEADER + (uint64_t)u.size;
	err = crc_of(w->image, HEADER, u.size, &crc);
	if (!err && crc != u.crc)
		walk_raise(w, FINDING_FMT_INTEGRITY, NULL, "the checksum of the data is another");
	if (!err && (u.type == TYPE_MULTI || u.type == TYPE_SCRIPT))
		err = parts(&u);
	else if (!err)
		err = part(&u, "data", (struct sig_range){ HEADER, u.size });
	if (!err && end < w->image->size)
		walk_raise(w, FINDING_FMT_TRAILING_BYTES, &end, "%" PRIu64 " bytes behind the data", w->image->size - end);
	return err;
}
