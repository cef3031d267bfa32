/* SPDX-License-Identifier: Apache-2.0 */
#include "images/delta_imgdiff.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "crypto/err.h"
#include "crypto/reader.h"

#define MAGIC "IMGDIFF2"
#define HEADER_LEN 12 /* magic, number of chunks */
#define TYPE_LEN 4
#define NORMAL_LEN 24  /* start and length in the base, where its patch begins */
#define DEFLATE_LEN 60 /* the same, both expanded lengths, five parameters of zlib */
#define CHUNK (32u << 10)
#define DEFLATE_MEMORY ((size_t)512 << 10) /* 268 KiB with the largest parameters */

enum type { TYPE_NORMAL = 0, TYPE_GZIP, TYPE_DEFLATE, TYPE_RAW };

struct chunk {
	uint32_t type;
	uint64_t start, length;        /* in the base */
	uint64_t patch_at, patch_n;    /* its bsdiff patch, or the bytes of a raw chunk */
	uint64_t source_n, target_n;   /* expanded */
	int level, method, window_bits, mem_level, strategy;
};

struct imgdiff {
	struct delta *d;
	uint32_t n, at;       /* chunks; the one being made */
	uint64_t header;      /* of the chunk to come */
	uint64_t patches;     /* where the next patch must begin */
};

static int
malformed(struct imgdiff *x, const char *what)
{
	return delta_refuse(x->d, DELTA_MALFORMED, "chunk %" PRIu32 ": %s", x->at, what);
}

/* ---- chunks ---- */

static size_t
length_of(uint32_t type)
{
	switch (type) {
	case TYPE_NORMAL:
		return NORMAL_LEN;
	case TYPE_DEFLATE:
		return DEFLATE_LEN;
	case TYPE_RAW:
		return 4;
	default:
		return 0;
	}
}

/* Where a number of the patch is negative, it is far too large as an unsigned one, and refused as that. */
static int
read_chunk(struct imgdiff *x, uint64_t at, struct chunk *ret, uint64_t *ret_next)
{
	uint8_t b[DEFLATE_LEN];
	struct reader r;
	int err = delta_patch_read(x->d, at, b, TYPE_LEN);
	if (err)
		return err;
	reader_init(&r, view_of(b, TYPE_LEN));
	*ret = (struct chunk){ .type = reader_u32le(&r) };
	size_t n = length_of(ret->type);
	if (n == 0)
		return delta_refuse(x->d, ret->type == TYPE_GZIP ? DELTA_UNSUPPORTED : DELTA_MALFORMED,
		    "chunk %" PRIu32 " is of type %" PRIu32, x->at, ret->type);
	err = delta_patch_read(x->d, at + TYPE_LEN, b, n);
	if (err)
		return err;
	*ret_next = at + TYPE_LEN + n;
	reader_init(&r, view_of(b, n));
	if (ret->type == TYPE_RAW) {
		ret->patch_n = reader_u32le(&r);
		ret->patch_at = *ret_next;
		*ret_next += ret->patch_n;
		return *ret_next <= delta_patch(x->d)->size ? 0 : malformed(x, "its bytes go beyond the patch");
	}
	ret->start = reader_u64le(&r);
	ret->length = reader_u64le(&r);
	ret->patch_at = reader_u64le(&r);
	if (ret->type == TYPE_NORMAL)
		return 0;
	ret->source_n = reader_u64le(&r);
	ret->target_n = reader_u64le(&r);
	ret->level = (int32_t)reader_u32le(&r);
	ret->method = (int32_t)reader_u32le(&r);
	ret->window_bits = (int32_t)reader_u32le(&r);
	ret->mem_level = (int32_t)reader_u32le(&r);
	ret->strategy = (int32_t)reader_u32le(&r);
	return 0;
}

/*
 * The end of a chunk's patch is nowhere said: it is where the next one begins.
 * x is about to make the chunk; looks ahead for the next that has a patch.
 */
static int
find_end(struct imgdiff *x, uint64_t at, struct chunk *c)
{
	uint64_t end = delta_patch(x->d)->size;
	for (uint32_t i = x->at + 1; i < x->n; i++) {
		struct chunk next;
		int err = read_chunk(x, at, &next, &at);
		if (err)
			return err;
		if (next.type == TYPE_RAW)
			continue;
		end = next.patch_at;
		break;
	}
	if (c->patch_at != x->patches || end < c->patch_at || end > delta_patch(x->d)->size)
		return malformed(x, "its patch does not lie where it should, one behind the other");
	c->patch_n = end - c->patch_at;
	x->patches = end;
	return 0;
}

/* ---- deflate ---- */

static int
inflate_source(struct imgdiff *x, const struct chunk *c, uint8_t *to)
{
	struct source bonus;
	bool with = x->at == 1 && delta_bonus(x->d, &bonus);
	uint64_t bonus_n = with ? bonus.size : 0, done = 0;
	uint8_t in[CHUNK];
	z_stream z = { .next_out = to, .avail_out = (uInt)c->source_n };
	if (inflateInit2(&z, -MAX_WBITS) != Z_OK)
		return FG_ENOMEM;
	int err = 0, rc = Z_OK;
	while (!err && rc == Z_OK && done < c->length) {
		size_t n = c->length - done < CHUNK ? (size_t)(c->length - done) : CHUNK;
		err = delta_base_read(x->d, c->start + done, in, n);
		if (err)
			break;
		done += n;
		z.next_in = in;
		z.avail_in = (uInt)n;
		rc = inflate(&z, Z_NO_FLUSH);
	}
	bool whole = rc == Z_STREAM_END && z.avail_in == 0 && done == c->length;
	uint64_t missing = z.avail_out;
	(void)inflateEnd(&z);
	if (rc == Z_MEM_ERROR)
		return FG_ENOMEM;
	if (!err && !whole)
		err = malformed(x, "the base has no such deflate stream there: another base, or damaged");
	if (!err && missing > 0 && bonus_n == 0)
		return delta_refuse(x->d, DELTA_UNSUPPORTED, "chunk %" PRIu32 " wants %" PRIu64 " bytes of bonus data",
		    x->at, missing);
	if (!err && missing != bonus_n)
		err = malformed(x, "the base's deflate stream has another length: another base, or damaged");
	return err || bonus_n == 0 ? err : source_read(&bonus, 0, to + (c->source_n - bonus_n), (size_t)bonus_n);
}

static int
deflate_target(struct imgdiff *x, const struct chunk *c, uint8_t *from)
{
	uint8_t out[CHUNK];
	z_stream z = { .next_in = from, .avail_in = (uInt)c->target_n };
	int rc = deflateInit2(&z, c->level, c->method, c->window_bits, c->mem_level, c->strategy);
	if (rc != Z_OK)
		return rc == Z_MEM_ERROR ? FG_ENOMEM : malformed(x, "zlib knows no such parameters");
	int err = 0;
	for (rc = Z_OK; !err && rc == Z_OK;) {
		z.next_out = out;
		z.avail_out = sizeof out;
		rc = deflate(&z, Z_FINISH);
		err = delta_put(x->d, out, sizeof out - z.avail_out);
	}
	(void)deflateEnd(&z);
	if (!err && rc != Z_STREAM_END)
		err = malformed(x, "zlib does not compress it");
	return err;
}

/* Sizes are charged, so that none is over what fits an uInt. */
static int
make_deflate(struct imgdiff *x, const struct chunk *c, const struct source *patch)
{
	uint8_t *source = NULL, *target = NULL;
	struct source expanded;
	if (c->source_n > DELTA_MEMORY_MAX || c->target_n > DELTA_MEMORY_MAX)
		return delta_refuse(x->d, DELTA_LIMIT, "chunk %" PRIu32 " expands to %" PRIu64 " and %" PRIu64 " bytes", x->at,
		    c->source_n, c->target_n);
	size_t memory = DEFLATE_MEMORY + (size_t)c->source_n + (size_t)c->target_n;
	if (c->window_bits > -8 || c->window_bits < -MAX_WBITS)
		return malformed(x, "its target is no raw deflate stream");
	int err = delta_charge(x->d, memory, "an expanded chunk");
	if (err)
		return err;
	source = malloc(c->source_n ? (size_t)c->source_n : 1);
	target = malloc(c->target_n ? (size_t)c->target_n : 1);
	err = source && target ? inflate_source(x, c, source) : FG_ENOMEM;
	if (!err) {
		source_memory(&expanded, view_of(source, (size_t)c->source_n));
		err = delta_part_memory(x->d, FORMAT_BSDIFF, patch, &expanded, target, (size_t)c->target_n, NULL);
	}
	if (!err)
		err = deflate_target(x, c, target);
	free(source);
	free(target);
	delta_discharge(x->d, memory);
	return err;
}

static int
make_raw(struct imgdiff *x, const struct chunk *c)
{
	uint8_t buf[CHUNK];
	int err = 0;
	for (uint64_t done = 0; !err && done < c->patch_n;) {
		size_t n = c->patch_n - done < CHUNK ? (size_t)(c->patch_n - done) : CHUNK;
		err = delta_patch_read(x->d, c->patch_at + done, buf, n);
		if (!err)
			err = delta_put(x->d, buf, n);
		done += n;
	}
	return err;
}

static int
make_chunk(struct imgdiff *x)
{
	struct chunk c;
	struct source base, patch;
	int err = read_chunk(x, x->header, &c, &x->header);
	if (err || c.type == TYPE_RAW)
		return err ? err : make_raw(x, &c);
	err = find_end(x, x->header, &c);
	if (err)
		return err;
	if (source_window(delta_base(x->d), c.start, c.length, &base))
		return delta_refuse(x->d, DELTA_MALFORMED,
		    "chunk %" PRIu32 " wants %" PRIu64 " bytes at %" PRIu64 " of a base of %" PRIu64 ": another base, or damaged",
		    x->at, c.length, c.start, delta_base(x->d)->size);
	if (source_window(delta_patch(x->d), c.patch_at, c.patch_n, &patch))
		abort(); /* find_end() looked */
	return c.type == TYPE_NORMAL ? delta_part(x->d, FORMAT_BSDIFF, &patch, &base) : make_deflate(x, &c, &patch);
}

/* Behind the headers begin the patches; how long the headers are takes a walk over them. */
static int
skip_headers(struct imgdiff *x)
{
	uint64_t at = HEADER_LEN;
	for (x->at = 0; x->at < x->n; x->at++) {
		struct chunk c;
		int err = read_chunk(x, at, &c, &at);
		if (err)
			return err;
	}
	x->patches = at;
	return 0;
}

int
delta_imgdiff_apply(struct delta *d)
{
	struct imgdiff x = { .d = d, .header = HEADER_LEN };
	uint8_t b[HEADER_LEN];
	char name[DELTA_APPLIER_MAX];
	struct reader r;
	snprintf(name, sizeof name, "imgdiff2/1 zlib-%.14s", zlibVersion());
	delta_applier(d, name);
	int err = delta_patch_read(d, 0, b, sizeof b);
	if (err)
		return err;
	if (memcmp(b, MAGIC, sizeof MAGIC - 1) != 0)
		return delta_refuse(d, DELTA_MALFORMED, "not IMGDIFF2");
	reader_init(&r, view_of(b + 8, 4));
	x.n = reader_u32le(&r);
	if (x.n > DELTA_IMGDIFF_CHUNKS_MAX)
		return delta_refuse(d, DELTA_LIMIT, "%" PRIu32 " chunks, of at most %u", x.n, DELTA_IMGDIFF_CHUNKS_MAX);
	err = skip_headers(&x);
	if (!err)
		delta_declare_open(d);
	for (x.at = 0; !err && x.at < x.n; x.at++)
		err = make_chunk(&x);
	if (!err && x.patches != delta_patch(d)->size)
		err = delta_refuse(d, DELTA_MALFORMED, "%" PRIu64 " bytes behind the last chunk's patch",
		    delta_patch(d)->size - x.patches);
	return err;
}
