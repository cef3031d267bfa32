/* SPDX-License-Identifier: Apache-2.0 */
#include "images/delta_zchunk.h"

#include <inttypes.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "images/zchunk_index.h"

struct zchunk_delta {
	struct delta *d;
	int refused;
	struct zchunk_index patch, base;
	bool alone;       /* the patch is a header alone */
	bool have_base;
	uint32_t *sorted; /* chunks of the base, by their checksums */
	uint8_t *bytes;   /* of one chunk */
	struct digest *data;
	uint64_t missing, missing_n; /* bytes and chunks that are nowhere */
	size_t charged;
};

/* ---- the two indexes ---- */

static void
refuse(void *arg, enum finding_id id, const uint64_t *at, const char *text)
{
	struct zchunk_delta *x = arg;
	(void)at;
	if (id == FINDING_FMT_WALK_LIMIT)
		x->refused = delta_refuse(x->d, DELTA_LIMIT, "%s", text);
	else if (id == FINDING_FMT_MALFORMED || id == FINDING_FMT_INTEGRITY)
		x->refused = delta_refuse(x->d, DELTA_MALFORMED, "%s", text);
}

/* A base without chunks is one too. */
static void
pass_over(void *arg, enum finding_id id, const uint64_t *at, const char *text)
{
	(void)arg;
	(void)id;
	(void)at;
	(void)text;
}

static int
charge(struct zchunk_delta *x, size_t n, const char *what)
{
	int err = delta_charge(x->d, n, what);
	x->charged += err ? 0 : n;
	return err;
}

static int
read_patch(struct zchunk_delta *x)
{
	const struct zchunk_teller teller = { refuse, NULL, x };
	uint64_t size = delta_patch(x->d)->size;
	int err = zchunk_index_read(delta_patch(x->d), &teller, true, &x->patch);
	if (err == FG_EFORMAT && !x->refused)
		return delta_refuse(x->d, DELTA_UNSUPPORTED, "zchunk: several streams of data");
	if (err)
		return err;
	x->alone = size == x->patch.base + x->patch.header_n;
	if (!x->alone && size != x->patch.end)
		return delta_refuse(x->d, DELTA_MALFORMED, "zchunk: %" PRIu64 " bytes behind the last chunk", size - x->patch.end);
	return charge(x, (size_t)x->patch.header_n + x->patch.chunks * sizeof *x->patch.chunk, "the index");
}

/* qsort_r()'s, of what was charged; equal ones are in the order of the file. */
static int
by_sum(const void *a, const void *b, void *arg)
{
	const struct zchunk_index *x = arg;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	int rc = memcmp(x->chunk[i].sum, x->chunk[k].sum, x->each->n);
	return rc ? rc : (i > k) - (i < k);
}

static int
read_base(struct zchunk_delta *x)
{
	const struct zchunk_teller teller = { pass_over, NULL, NULL };
	int err = zchunk_index_read(delta_base(x->d), &teller, false, &x->base);
	if (err)
		return err == FG_EFORMAT ? 0 : err;
	x->have_base = x->base.each == x->patch.each;
	size_t each = sizeof *x->base.chunk + sizeof *x->sorted;
	err = charge(x, (size_t)x->base.header_n + x->base.chunks * each, "the base's index");
	if (err)
		return err;
	x->sorted = calloc(x->base.chunks, sizeof *x->sorted);
	if (!x->sorted)
		return FG_ENOMEM;
	for (size_t i = 0; i < x->base.chunks; i++)
		x->sorted[i] = (uint32_t)i;
	qsort_r(x->sorted, x->base.chunks, sizeof *x->sorted, by_sum, &x->base);
	return 0;
}

/* The base's chunk of that checksum and those sizes; NULL: it has none. */
static const struct zchunk_chunk *
find(const struct zchunk_delta *x, const struct zchunk_chunk *c)
{
	size_t low = 0, high = x->have_base ? x->base.chunks : 0;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (memcmp(x->base.chunk[x->sorted[middle]].sum, c->sum, x->patch.each->n) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (!x->have_base || low == x->base.chunks)
		return NULL;
	const struct zchunk_chunk *b = &x->base.chunk[x->sorted[low]];
	return memcmp(b->sum, c->sum, x->patch.each->n) == 0 && b->packed == c->packed && b->plain == c->plain ? b : NULL;
}

/* ---- the target ---- */

static int
put(struct zchunk_delta *x, size_t n, bool from_base)
{
	int err = digest_update(x->data, view_of(x->bytes, n));
	return err ? err : delta_put_mixed(x->d, x->bytes, n, from_base ? n : 0);
}

/* What a chunk is was said by the index: it is that, or it is none. */
static int
take(struct zchunk_delta *x, const struct source *s, uint64_t at, const struct zchunk_chunk *c, bool *ret)
{
	int err = source_read(s, at, x->bytes, (size_t)c->packed);
	*ret = !err && zchunk_index_fits(x->patch.each, view_of(x->bytes, (size_t)c->packed), c->sum, &err);
	return err;
}

static int
put_chunk(struct zchunk_delta *x, size_t i)
{
	const struct zchunk_chunk *c = &x->patch.chunk[i], *b = find(x, c);
	bool there = false;
	if (c->packed == 0)
		return 0;
	int err = b ? take(x, delta_base(x->d), b->at, c, &there) : 0;
	if (err)
		return err;
	if (there)
		return put(x, (size_t)c->packed, true);
	if (x->alone) {
		/* Counted to the end: what is missing is what a client would fetch. */
		x->missing += c->packed;
		x->missing_n++;
		return 0;
	}
	err = take(x, delta_patch(x->d), c->at, c, &there);
	if (!err && !there)
		err = delta_refuse(x->d, DELTA_MALFORMED, "zchunk: chunk %zu has another checksum", i);
	return err ? err : put(x, (size_t)c->packed, false);
}

static int
check_data(struct zchunk_delta *x)
{
	uint8_t sum[DIGEST_LEN_MAX];
	int err = digest_final(x->data, sum);
	/* Where chunks have a checksum of their plain bytes too, the one of all is not made. */
	bool absent = x->patch.flags & ZCHUNK_F_UNPACKED && zchunk_index_no_sum(x->patch.whole, x->patch.data_sum);
	if (!err && !absent && memcmp(sum, x->patch.data_sum, x->patch.whole->n) != 0)
		err = delta_refuse(x->d, DELTA_MALFORMED, "zchunk: the checksum of all data is another");
	return err;
}

static int
put_all(struct zchunk_delta *x)
{
	uint64_t most = 1, head = x->patch.base + x->patch.header_n;
	for (size_t i = 0; i < x->patch.chunks; i++)
		most = x->patch.chunk[i].packed > most ? x->patch.chunk[i].packed : most;
	int err = charge(x, (size_t)(most > head ? most : head), "a chunk");
	if (err)
		return err;
	x->bytes = malloc((size_t)(most > head ? most : head));
	x->data = digest_new(x->patch.whole->alg);
	if (!x->bytes || !x->data)
		return x->bytes ? FG_ECRYPTO : FG_ENOMEM;
	err = delta_declare(x->d, x->patch.end);
	if (!err)
		err = delta_patch_read(x->d, 0, x->bytes, (size_t)head);
	if (!err)
		err = delta_put(x->d, x->bytes, (size_t)head);
	for (size_t i = 0; i < x->patch.chunks && !err; i++)
		err = put_chunk(x, i);
	if (!err && x->missing_n > 0) {
		delta_wants(x->d, "a file that has all of its %zu chunks; %" PRIu64 " of them, %" PRIu64 " bytes, are lacking",
		    x->patch.chunks, x->missing_n, x->missing);
		return delta_refuse(x->d, DELTA_WRONG_BASE, "zchunk: a header alone, and the base lacks %" PRIu64 " of %zu chunks",
		    x->missing_n, x->patch.chunks);
	}
	return err ? err : check_data(x);
}

int
delta_zchunk_apply(struct delta *d)
{
	struct zchunk_delta x = { .d = d };
	delta_applier(d, "zchunk/1");
	int err = read_patch(&x);
	if (!err)
		err = read_base(&x);
	if (!err)
		err = put_all(&x);
	if (!err)
		delta_checked(d);
	delta_discharge(d, x.charged);
	digest_free(x.data);
	free(x.bytes);
	free(x.sorted);
	zchunk_index_free(&x.base);
	zchunk_index_free(&x.patch);
	return err;
}
