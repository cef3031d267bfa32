/* SPDX-License-Identifier: Apache-2.0 */
#include "images/zchunk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

#include "crypto/err.h"
#include "crypto/reader.h"

struct zchunk {
	struct walk *w;
	struct zchunk_index x;
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

static void
raise_finding(void *arg, enum finding_id id, const uint64_t *at, const char *text)
{
	walk_raise(arg, id, at, "%s", text);
}

static void
settle_signature(void *arg, uint64_t type)
{
	walk_settle(arg, "zchunk", SIG_OPAQUE, "of type %" PRIu64 ": no kind of signature was ever defined", type);
}

/* ---- data ---- */

/* One chunk into z->out. FG_EFORMAT, told, where it is another than the index says. */
static int
open_chunk(struct zchunk *z, size_t i)
{
	const struct zchunk_chunk *c = &z->x.chunk[i];
	int err = source_read(z->w->image, c->at, z->in, (size_t)c->packed);
	bool absent = zchunk_index_absent(&z->x, i);
	if (!err && !absent && !zchunk_index_fits(z->x.each, view_of(z->in, (size_t)c->packed), c->sum, &err) && !err) {
		walk_raise(z->w, FINDING_FMT_INTEGRITY, &c->at, "zchunk: chunk %zu has another checksum", i);
		return FG_EFORMAT;
	}
	if (err)
		return err;
	size_t n = (size_t)c->packed;
	if (z->x.packing == ZCHUNK_PLAIN || n == 0)
		memcpy(z->out, z->in, n);
	else
		n = ZSTD_decompressDCtx(z->zstd, z->out, (size_t)c->plain, z->in, n);
	if (ZSTD_isError(n) || n != c->plain)
		return malformed(z, c->at, "a chunk does not unpack to what the index says");
	if (c->plain_sum && !absent && !zchunk_index_fits(z->x.each, view_of(z->out, n), c->plain_sum, &err) && !err) {
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
		if (z->next == z->x.chunks)
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
	for (size_t i = 0; i < z->x.chunks; i++) {
		packed = z->x.chunk[i].packed > packed ? z->x.chunk[i].packed : packed;
		plain = z->x.chunk[i].plain > plain ? z->x.chunk[i].plain : plain;
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
	size_t rc = z->x.packing == ZCHUNK_ZSTD ? ZSTD_DCtx_loadDictionary(z->zstd, z->dictionary, n) : 0;
	return ZSTD_isError(rc) ? malformed(z, z->x.chunk[0].at, "the dictionary is none") : 0;
}

static int
data(struct zchunk *z)
{
	uint8_t sum[DIGEST_LEN_MAX];
	uint64_t start = z->x.base + z->x.header_n, end = z->x.end;
	char text[CONTENTS_VALUE_MAX];
	struct walk_span span = { .range = { { start, end - start } }, .n = 1 };
	struct walk_member content = { .name = view_str("content"),
		.at = { start, end - start },
		.read = content_read,
		.arg = z,
		.size = 0 };
	for (size_t i = 1; i < z->x.chunks; i++)
		content.size += z->x.chunk[i].plain;
	snprintf(text, sizeof text, "%zu chunks named by their %s", z->x.chunks - 1, z->x.each->name);
	walk_fact(z->w, CONTENTS_FACT_NOTE, (struct walk_signed){ 0 }, view_str(text));
	int err = walk_digest(z->w, &span, z->x.whole->alg, sum);
	/* Where chunks have a checksum of their plain bytes too, the one of all is not made. */
	bool absent = z->x.flags & ZCHUNK_F_UNPACKED && zchunk_index_no_sum(z->x.whole, z->x.data_sum);
	if (!err && !absent && memcmp(sum, z->x.data_sum, z->x.whole->n) != 0)
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
	const struct zchunk_teller teller = { raise_finding, settle_signature, w };
	int err = zchunk_index_read(w->image, &teller, false, &z.x);
	if (!err)
		err = data(&z);
	ZSTD_freeDCtx(z.zstd);
	free(z.dictionary);
	free(z.in);
	free(z.out);
	zchunk_index_free(&z.x);
	return err == FG_EFORMAT ? 0 : err;
}
