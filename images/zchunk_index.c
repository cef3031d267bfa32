/* SPDX-License-Identifier: Apache-2.0 */
#include "images/zchunk_index.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/reader.h"

#define MAGIC_LEN 5u
#define LEAD_MAX (MAGIC_LEN + 10u + 10u + DIGEST_LEN_MAX)
#define SIGNATURES_MAX 16u

/* By their numbers. */
static const struct zchunk_kind kinds[] = {
	{ DIGEST_SHA1, 20, "SHA-1" },
	{ DIGEST_SHA256, 32, "SHA-256" },
	{ DIGEST_SHA512, 64, "SHA-512" },
	{ DIGEST_SHA512, 16, "SHA-512/128" },
};
#define KINDS (sizeof kinds / sizeof *kinds)

struct reading {
	const struct source *s;
	const struct zchunk_teller *t;
	struct zchunk_index *x;
};

static int
raise_at(struct reading *g, enum finding_id id, uint64_t at, const char *text)
{
	g->t->raise(g->t->arg, id, &at, text);
	return FG_EFORMAT;
}

static int
malformed(struct reading *g, uint64_t at, const char *why)
{
	char text[160];
	snprintf(text, sizeof text, "zchunk: %s", why);
	return raise_at(g, FINDING_FMT_MALFORMED, at, text);
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
check_header(struct reading *g, struct view fixed, const uint8_t *said)
{
	struct zchunk_index *x = g->x;
	uint8_t sum[DIGEST_LEN_MAX];
	struct digest *d = digest_new(x->whole->alg);
	int err = d ? digest_update(d, fixed) : FG_ECRYPTO;
	if (!err)
		err = digest_update(d, view_of(x->header, (size_t)x->header_n));
	if (!err)
		err = digest_final(d, sum);
	digest_free(d);
	if (!err && memcmp(sum, said, x->whole->n) != 0)
		return raise_at(g, FINDING_FMT_INTEGRITY, 0, "zchunk: the header's checksum is another");
	return err;
}

static int
lead(struct reading *g)
{
	struct zchunk_index *x = g->x;
	uint8_t bytes[LEAD_MAX];
	struct reader r;
	long n = source_read_some(g->s, 0, bytes, sizeof bytes);
	if (n < 0)
		return (int)n;
	reader_init(&r, view_of(bytes, (size_t)n));
	struct view magic = reader_take(&r, MAGIC_LEN);
	uint64_t kind = number(&r);
	x->header_n = number(&r);
	if (r.bad || memcmp(magic.p, "\0ZCK1", MAGIC_LEN) != 0 || kind >= KINDS)
		return malformed(g, 0, "no lead, or a checksum of a kind that nobody defined");
	x->whole = &kinds[kind];
	size_t fixed = r.off;
	struct view said = reader_take(&r, x->whole->n);
	x->base = r.off;
	if (r.bad || x->header_n > g->s->size - x->base)
		return malformed(g, 0, "the header is longer than the file");
	if (x->header_n > ZCHUNK_HEADER_MAX)
		return raise_at(g, FINDING_FMT_WALK_LIMIT, 0, "zchunk: a header of more than 16 MiB");
	x->header = malloc(x->header_n ? (size_t)x->header_n : 1);
	int err = x->header ? source_read(g->s, x->base, x->header, (size_t)x->header_n) : FG_ENOMEM;
	return err ? err : check_header(g, view_of(bytes, fixed), said.p);
}

/* Elements that a later version may have put in: told, and passed over. */
static void
optional(struct reading *g, struct reader *r)
{
	uint64_t at = g->x->base + r->off, n = number(r);
	char text[64];
	for (uint64_t i = 0; i < n && !r->bad; i++) {
		(void)number(r);
		uint64_t size = number(r);
		if (size > reader_left(r))
			reader_fail(r);
		else
			(void)reader_take(r, (size_t)size);
	}
	snprintf(text, sizeof text, "zchunk: %" PRIu64 " optional elements", n);
	(void)raise_at(g, FINDING_FMT_UNKNOWN_PART, at, text);
}

static int
one_chunk(struct reading *g, struct reader *r, uint64_t most, uint64_t *at)
{
	struct zchunk_index *x = g->x;
	struct zchunk_chunk c = { .at = *at };
	uint64_t where = x->base + r->off;
	c.sum = reader_take(r, x->each->n).p;
	c.plain_sum = x->flags & ZCHUNK_F_UNPACKED ? reader_take(r, x->each->n).p : NULL;
	c.packed = number(r);
	c.plain = number(r);
	if (r->bad || c.packed > most - c.at)
		return malformed(g, where, "a chunk does not fit the file");
	if (c.packed > ZCHUNK_CHUNK_MAX || c.plain > ZCHUNK_CHUNK_MAX)
		return raise_at(g, FINDING_FMT_WALK_LIMIT, where, "zchunk: a chunk of more than 64 MiB");
	x->chunk[x->chunks++] = c;
	*at += c.packed;
	return 0;
}

static int
signatures(struct reading *g, struct reader *r)
{
	uint64_t where = g->x->base + r->off, n = number(r);
	for (uint64_t i = 0; i < n && !r->bad; i++) {
		uint64_t type = number(r), size = number(r);
		if (size > reader_left(r))
			reader_fail(r);
		else
			(void)reader_take(r, (size_t)size);
		if (!r->bad && i < SIGNATURES_MAX && g->t->signature)
			g->t->signature(g->t->arg, type);
	}
	return r->bad || !reader_end(r) ? malformed(g, where, "the header does not end where its signatures do") : 0;
}

static int
header(struct reading *g, bool alone)
{
	struct zchunk_index *x = g->x;
	struct reader r;
	reader_init(&r, view_of(x->header, (size_t)x->header_n));
	x->data_sum = reader_take(&r, x->whole->n).p;
	x->flags = number(&r);
	x->packing = number(&r);
	if (!r.bad && x->flags & ZCHUNK_F_STREAMS)
		return raise_at(g, FINDING_FMT_UNKNOWN_PART, x->base, "zchunk: several streams of data, which no tool makes");
	if (x->flags & ~(uint64_t)(ZCHUNK_F_OPTIONAL | ZCHUNK_F_UNPACKED))
		return malformed(g, x->base, "flags that nobody defined");
	if (x->flags & ZCHUNK_F_OPTIONAL)
		optional(g, &r);
	uint64_t size = number(&r), start = r.off, kind = number(&r), count = number(&r);
	if (r.bad || kind >= KINDS || size > x->header_n - start || x->packing == 1 || x->packing > ZCHUNK_ZSTD)
		return malformed(g, x->base, "the header does not say how chunks are packed and summed");
	x->each = &kinds[kind];
	if (count == 0 || count > x->header_n / (x->each->n + 2))
		return malformed(g, x->base, "more chunks than the header has room for, or none");
	x->chunk = calloc((size_t)count, sizeof *x->chunk);
	if (!x->chunk)
		return FG_ENOMEM;
	uint64_t at = x->base + x->header_n;
	/* Of a header alone the chunks are where they would be. */
	uint64_t most = alone && at == g->s->size ? SOURCE_SIZE_MAX : g->s->size;
	int err = 0;
	for (uint64_t i = 0; i < count && !err; i++)
		err = one_chunk(g, &r, most, &at);
	x->end = at;
	if (!err && r.off != start + size)
		err = malformed(g, x->base + start, "the index has another length than is said");
	return err ? err : signatures(g, &r);
}

int
zchunk_index_read(const struct source *s, const struct zchunk_teller *t, bool alone, struct zchunk_index *ret)
{
	struct reading g = { s, t, ret };
	*ret = (struct zchunk_index){ .header = NULL };
	int err = lead(&g);
	return err ? err : header(&g, alone);
}

void
zchunk_index_free(struct zchunk_index *x)
{
	free(x->chunk);
	free(x->header);
	x->chunk = NULL;
	x->header = NULL;
}

/* ---- checksums ---- */

bool
zchunk_index_fits(const struct zchunk_kind *k, struct view bytes, const uint8_t *said, int *err)
{
	uint8_t sum[DIGEST_LEN_MAX];
	*err = *err ? *err : digest_bytes(k->alg, bytes, sum);
	return !*err && memcmp(sum, said, k->n) == 0;
}

bool
zchunk_index_no_sum(const struct zchunk_kind *k, const uint8_t *said)
{
	for (size_t i = 0; i < k->n; i++)
		if (said[i])
			return false;
	return true;
}

bool
zchunk_index_absent(const struct zchunk_index *x, size_t i)
{
	return i == 0 && x->chunk[0].packed == 0 && x->chunk[0].plain == 0 && zchunk_index_no_sum(x->each, x->chunk[0].sum);
}
