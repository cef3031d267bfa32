/* SPDX-License-Identifier: Apache-2.0 */
#include "images/zchunk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

#include "crypto/err.h"
#include "crypto/reader.h"

#define MAGIC_LEN 5u
#define LEAD_MAX (MAGIC_LEN + 10u + 10u + DIGEST_LEN_MAX)
#define SIGNATURES_MAX 16u
#define PLAIN 0u
#define ZSTD 2u
#define CHUNK_OPEN_MAX (1u << 22) /* chunks at most, so that indexes of nothing come to an end */

/* Flags of the header. */
#define F_STREAMS 1u
#define F_OPTIONAL 2u
#define F_UNPACKED 4u /* each chunk has a checksum of its plain bytes too */

/* Kinds of checksums, by their numbers. */
static const struct kind {
	enum digest_alg alg;
	size_t n; /* bytes of it that are kept */
	const char *name;
} kinds[] = {
	{ DIGEST_SHA1, 20, "SHA-1" },
	{ DIGEST_SHA256, 32, "SHA-256" },
	{ DIGEST_SHA512, 64, "SHA-512" },
	{ DIGEST_SHA512, 16, "SHA-512/128" },
};
#define KINDS (sizeof kinds / sizeof *kinds)

struct chunk {
	uint64_t at, packed, plain;
	const uint8_t *sum, *plain_sum; /* in the header's bytes; plain_sum NULL: there is none */
};

struct zchunk {
	struct walk *w;
	uint8_t *header;          /* its bytes, behind the lead */
	uint64_t base, header_n;  /* where it begins */
	const struct kind *whole, *each;
	const uint8_t *data_sum;
	uint64_t flags, packing;
	struct chunk *chunk;      /* the first is the dictionary */
	size_t chunks;
	/* content, chunk after chunk */
	ZSTD_DCtx *zstd;
	uint8_t *in, *out;
	uint8_t *dictionary;
	size_t next, out_n, out_at;
};

static int
malformed(struct zchunk *z, uint64_t at, const char *why)
{
	walk_raise(z->w, FINDING_FMT_MALFORMED, &at, "zchunk: %s", why);
	return FG_EFORMAT;
}

/* Seven bits in each byte, the least first; the last byte has its top bit set. */
static uint64_t
number(struct reader *r)
{
	uint64_t v = 0;
	for (unsigned shift = 0; shift < 56; shift += 7) {
		uint8_t b = reader_u8(r);
		v |= (uint64_t)(b & 0x7f) << shift;
		if (b & 0x80)
			return v;
	}
	reader_fail(r);
	return 0;
}

/* ---- lead and header ---- */

static int
lead(struct zchunk *z)
{
	uint8_t bytes[LEAD_MAX], sum[DIGEST_LEN_MAX];
	struct reader r;
	long n = source_read_some(z->w->image, 0, bytes, sizeof bytes);
	if (n < 0)
		return (int)n;
	reader_init(&r, view_of(bytes, (size_t)n));
	struct view magic = reader_take(&r, MAGIC_LEN);
	uint64_t kind = number(&r);
	z->header_n = number(&r);
	if (r.bad || memcmp(magic.p, "\0ZCK1", MAGIC_LEN) != 0 || kind >= KINDS)
		return malformed(z, 0, "no lead, or a checksum of a kind that nobody defined");
	z->whole = &kinds[kind];
	size_t fixed = r.off;
	struct view said = reader_take(&r, z->whole->n);
	z->base = r.off;
	if (r.bad || z->header_n > z->w->image->size - z->base)
		return malformed(z, 0, "the header is longer than the file");
	if (z->header_n > ZCHUNK_HEADER_MAX) {
		walk_raise(z->w, FINDING_FMT_WALK_LIMIT, NULL, "zchunk: a header of more than %u bytes", ZCHUNK_HEADER_MAX);
		return FG_EFORMAT;
	}
	struct walk_span span = { .range = { { 0, fixed }, { z->base, z->header_n } }, .n = 2 };
	int err = walk_digest(z->w, &span, z->whole->alg, sum);
	if (!err && memcmp(sum, said.p, z->whole->n) != 0) {
		walk_raise(z->w, FINDING_FMT_INTEGRITY, NULL, "zchunk: the header's checksum is another");
		return FG_EFORMAT;
	}
	return err ? err : walk_load(z->w, (struct sig_range){ z->base, z->header_n }, ZCHUNK_HEADER_MAX, &z->header);
}

/* Elements that a later version may have put in: told, and passed over. */
static void
optional(struct zchunk *z, struct reader *r)
{
	uint64_t at = z->base + r->off, n = number(r);
	for (uint64_t i = 0; i < n && !r->bad; i++) {
		(void)number(r);
		uint64_t size = number(r);
		if (size > reader_left(r))
			reader_fail(r);
		else
			(void)reader_take(r, (size_t)size);
	}
	walk_raise(z->w, FINDING_FMT_UNKNOWN_PART, &at, "zchunk: %" PRIu64 " optional elements", n);
}

static int
one_chunk(struct zchunk *z, struct reader *r, uint64_t *at)
{
	struct chunk c = { .at = *at };
	uint64_t where = z->base + r->off;
	c.sum = reader_take(r, z->each->n).p;
	c.plain_sum = z->flags & F_UNPACKED ? reader_take(r, z->each->n).p : NULL;
	c.packed = number(r);
	c.plain = number(r);
	if (r->bad || c.packed > z->w->image->size - c.at)
		return malformed(z, where, "a chunk does not fit the file");
	if (c.packed > ZCHUNK_CHUNK_MAX || c.plain > ZCHUNK_CHUNK_MAX) {
		walk_raise(z->w, FINDING_FMT_WALK_LIMIT, &where, "zchunk: a chunk of more than %u bytes", ZCHUNK_CHUNK_MAX);
		return FG_EFORMAT;
	}
	z->chunk[z->chunks++] = c;
	*at += c.packed;
	return 0;
}

static int
signatures(struct zchunk *z, struct reader *r)
{
	uint64_t where = z->base + r->off, n = number(r);
	for (uint64_t i = 0; i < n && !r->bad; i++) {
		uint64_t type = number(r), size = number(r);
		if (size > reader_left(r))
			reader_fail(r);
		else
			(void)reader_take(r, (size_t)size);
		if (!r->bad && i < SIGNATURES_MAX)
			walk_settle(z->w, "zchunk", SIG_OPAQUE, "of type %" PRIu64 ": no kind of signature was ever defined",
			    type);
	}
	return r->bad || !reader_end(r) ? malformed(z, where, "the header does not end where its signatures do") : 0;
}

static int
header(struct zchunk *z)
{
	struct reader r;
	reader_init(&r, view_of(z->header, (size_t)z->header_n));
	z->data_sum = reader_take(&r, z->whole->n).p;
	z->flags = number(&r);
	z->packing = number(&r);
	if (!r.bad && z->flags & F_STREAMS) {
		walk_raise(z->w, FINDING_FMT_UNKNOWN_PART, &z->base, "zchunk: several streams of data, which no tool makes");
		return FG_EFORMAT;
	}
	if (z->flags & ~(uint64_t)(F_OPTIONAL | F_UNPACKED))
		return malformed(z, z->base, "flags that nobody defined");
	if (z->flags & F_OPTIONAL)
		optional(z, &r);
	uint64_t size = number(&r), start = r.off, kind = number(&r), count = number(&r);
	if (r.bad || kind >= KINDS || size > z->header_n - start || z->packing == 1 || z->packing > ZSTD)
		return malformed(z, z->base, "the header does not say how chunks are packed and summed");
	z->each = &kinds[kind];
	if (count == 0 || count > z->header_n / (z->each->n + 2) || count > CHUNK_OPEN_MAX)
		return malformed(z, z->base, "more chunks than the header has room for, or none");
	z->chunk = calloc((size_t)count, sizeof *z->chunk);
	if (!z->chunk)
		return FG_ENOMEM;
	uint64_t at = z->base + z->header_n;
	int err = 0;
	for (uint64_t i = 0; i < count && !err; i++)
		err = one_chunk(z, &r, &at);
	if (!err && r.off != start + size)
		err = malformed(z, z->base + start, "the index has another length than is said");
	return err ? err : signatures(z, &r);
}

/* ---- data ---- */

static bool
fits(const struct kind *k, struct view bytes, const uint8_t *said, int *err)
{
	uint8_t sum[DIGEST_LEN_MAX];
	*err = *err ? *err : digest_bytes(k->alg, bytes, sum);
	return !*err && memcmp(sum, said, k->n) == 0;
}

static bool
no_sum(const struct kind *k, const uint8_t *said)
{
	for (size_t i = 0; i < k->n; i++)
		if (said[i])
			return false;
	return true;
}

/* One chunk into z->out. FG_EFORMAT, told, where it is another than the index says. */
static int
open_chunk(struct zchunk *z, size_t i)
{
	const struct chunk *c = &z->chunk[i];
	int err = source_read(z->w->image, c->at, z->in, (size_t)c->packed);
	/* A dictionary that is not there has no checksum either. */
	bool absent = i == 0 && c->packed == 0 && c->plain == 0 && no_sum(z->each, c->sum);
	if (!err && !absent && !fits(z->each, view_of(z->in, (size_t)c->packed), c->sum, &err) && !err) {
		walk_raise(z->w, FINDING_FMT_INTEGRITY, &c->at, "zchunk: chunk %zu has another checksum", i);
		return FG_EFORMAT;
	}
	if (err)
		return err;
	size_t n = (size_t)c->packed;
	if (z->packing == PLAIN || n == 0)
		memcpy(z->out, z->in, n);
	else
		n = ZSTD_decompressDCtx(z->zstd, z->out, (size_t)c->plain, z->in, n);
	if (ZSTD_isError(n) || n != c->plain)
		return malformed(z, c->at, "a chunk does not unpack to what the index says");
	if (c->plain_sum && !absent && !fits(z->each, view_of(z->out, n), c->plain_sum, &err) && !err) {
		walk_raise(z->w, FINDING_FMT_INTEGRITY, &c->at, "zchunk: chunk %zu has another checksum when unpacked", i);
		return FG_EFORMAT;
	}
	z->out_n = n;
	z->out_at = 0;
	return err;
}

static long
content_read(void *arg, void *buf, size_t n)
{
	struct zchunk *z = arg;
	while (z->out_at == z->out_n) {
		if (z->next == z->chunks)
			return 0;
		int err = open_chunk(z, z->next++);
		if (err)
			return err;
	}
	size_t take = z->out_n - z->out_at < n ? z->out_n - z->out_at : n;
	memcpy(buf, z->out + z->out_at, take);
	z->out_at += take;
	return (long)take;
}

/* The dictionary is a chunk of its own, packed without one. */
static int
dictionary(struct zchunk *z)
{
	uint64_t packed = 1, plain = 1;
	for (size_t i = 0; i < z->chunks; i++) {
		packed = z->chunk[i].packed > packed ? z->chunk[i].packed : packed;
		plain = z->chunk[i].plain > plain ? z->chunk[i].plain : plain;
	}
	z->in = malloc((size_t)packed);
	z->out = malloc((size_t)(plain > packed ? plain : packed));
	z->zstd = ZSTD_createDCtx();
	if (!z->in || !z->out || !z->zstd)
		return FG_ENOMEM;
	int err = open_chunk(z, 0);
	size_t n = z->out_n;
	if (err || n == 0)
		return err;
	z->dictionary = malloc(n);
	if (!z->dictionary)
		return FG_ENOMEM;
	memcpy(z->dictionary, z->out, n);
	size_t rc = z->packing == ZSTD ? ZSTD_DCtx_loadDictionary(z->zstd, z->dictionary, n) : 0;
	return ZSTD_isError(rc) ? malformed(z, z->chunk[0].at, "the dictionary is none") : 0;
}

static int
data(struct zchunk *z)
{
	uint8_t sum[DIGEST_LEN_MAX];
	uint64_t start = z->base + z->header_n, end = start;
	char text[CONTENTS_VALUE_MAX];
	for (size_t i = 0; i < z->chunks; i++)
		end += z->chunk[i].packed;
	struct walk_span span = { .range = { { start, end - start } }, .n = 1 };
	struct walk_member content = { .name = view_str("content"),
		.at = { start, end - start },
		.read = content_read,
		.arg = z,
		.size = 0 };
	for (size_t i = 1; i < z->chunks; i++)
		content.size += z->chunk[i].plain;
	snprintf(text, sizeof text, "%zu chunks named by their %s", z->chunks - 1, z->each->name);
	walk_fact(z->w, CONTENTS_FACT_NOTE, (struct walk_signed){ 0 }, view_str(text));
	int err = walk_digest(z->w, &span, z->whole->alg, sum);
	/* Where chunks have a checksum of their plain bytes too, the one of all is not made. */
	bool absent = z->flags & F_UNPACKED && no_sum(z->whole, z->data_sum);
	if (!err && !absent && memcmp(sum, z->data_sum, z->whole->n) != 0)
		walk_raise(z->w, FINDING_FMT_INTEGRITY, &start, "zchunk: the checksum of all data is another");
	if (!err)
		err = dictionary(z);
	z->next = 1;
	z->out_at = z->out_n = 0;
	if (!err)
		err = walk_member(z->w, &content, NULL);
	if (!err && end < z->w->image->size)
		walk_raise(z->w, FINDING_FMT_TRAILING_BYTES, &end, "%" PRIu64 " bytes behind the last chunk",
		    z->w->image->size - end);
	return err;
}

int
zchunk_walk(struct walk *w)
{
	struct zchunk z = { .w = w };
	int err = lead(&z);
	if (!err)
		err = header(&z);
	if (!err)
		err = data(&z);
	ZSTD_freeDCtx(z.zstd);
	free(z.dictionary);
	free(z.in);
	free(z.out);
	free(z.chunk);
	free(z.header);
	return err == FG_EFORMAT ? 0 : err;
}
