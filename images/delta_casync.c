/* SPDX-License-Identifier: Apache-2.0 */
#include "images/delta_casync.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "images/casync_cut.h"
#include "images/casync_index.h"

#define BLOCK (256u << 10) /* read at once */
#define NOWHERE UINT64_MAX

struct chunk {
	uint64_t at; /* in the base, or NOWHERE; of chunks that are alike, only find()'s knows */
	uint32_t n;
	uint8_t id[CASYNC_ID_LEN];
};

struct casync_delta {
	struct delta *d;
	struct casync_index index;
	struct chunk *chunk;
	uint32_t *sorted; /* chunks by digest and length, equal ones in order */
	uint8_t *block;
	uint64_t unfound; /* kinds of chunks that were not found yet */
	size_t charged;
};

static int
charge(struct casync_delta *x, size_t n, const char *what)
{
	int err = delta_charge(x->d, n, what);
	x->charged += err ? 0 : n;
	return err;
}

/* ---- the index ---- */

static void
malformed(void *arg, uint64_t at, const char *why)
{
	struct casync_delta *x = arg;
	delta_refuse(x->d, DELTA_MALFORMED, "casync: at %" PRIu64 ": %s", at, why);
}

static int
begin(void *arg, const struct casync_index *index)
{
	struct casync_delta *x = arg;
	if (index->tree)
		return delta_refuse(x->d, DELTA_UNSUPPORTED, "casync: an index of a tree: directories are not put together");
	if (index->least < DELTA_CASYNC_LEAST)
		return delta_refuse(x->d, DELTA_LIMIT, "casync: chunks of %" PRIu64 " bytes; looked for are those of %u and more",
		    index->least, DELTA_CASYNC_LEAST);
	/* CASYNC_CHUNKS_MAX: the product fits. */
	int err = charge(x, (size_t)index->chunks * (sizeof *x->chunk + sizeof *x->sorted) + BLOCK, "the index");
	if (err)
		return err;
	x->chunk = calloc((size_t)index->chunks + 1, sizeof *x->chunk);
	x->sorted = calloc((size_t)index->chunks + 1, sizeof *x->sorted);
	x->block = malloc(BLOCK);
	return x->chunk && x->sorted && x->block ? 0 : FG_ENOMEM;
}

static int
keep(void *arg, uint64_t i, uint64_t n, const uint8_t *id)
{
	struct casync_delta *x = arg;
	struct chunk *c = &x->chunk[i];
	c->at = NOWHERE;
	c->n = (uint32_t)n; /* CASYNC_CHUNK_MOST */
	memcpy(c->id, id, sizeof c->id);
	x->sorted[i] = (uint32_t)i;
	return 0;
}

static int
order(const struct chunk *a, const uint8_t *id, uint32_t n)
{
	int rc = memcmp(a->id, id, CASYNC_ID_LEN);
	return rc ? rc : (a->n > n) - (a->n < n);
}

/* qsort_r()'s. */
static int
by_name(const void *a, const void *b, void *arg)
{
	const struct chunk *chunk = arg;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	int rc = order(&chunk[i], chunk[k].id, chunk[k].n);
	return rc ? rc : (i > k) - (i < k);
}

/* The first chunk of that digest and length; NULL: there is none. */
static struct chunk *
find(const struct casync_delta *x, const uint8_t *id, uint32_t n)
{
	size_t low = 0, high = (size_t)x->index.chunks;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (order(&x->chunk[x->sorted[middle]], id, n) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	struct chunk *c = low < x->index.chunks ? &x->chunk[x->sorted[low]] : NULL;
	return c && order(c, id, n) == 0 ? c : NULL;
}

static int
read_index(struct casync_delta *x)
{
	const struct casync_teller teller = { malformed, begin, keep, x };
	int err = casync_index_read(delta_patch(x->d), &teller, &x->index);
	if (err)
		return err;
	err = delta_declare(x->d, x->index.size);
	if (err)
		return err;
	qsort_r(x->sorted, (size_t)x->index.chunks, sizeof *x->sorted, by_name, x->chunk);
	for (size_t i = 0; i < x->index.chunks; i++) {
		const struct chunk *c = &x->chunk[x->sorted[i]];
		x->unfound += find(x, c->id, c->n) == c;
	}
	return 0;
}

/* ---- the base ---- */

static int
found(struct casync_delta *x, struct digest *of, uint64_t at, uint64_t n)
{
	uint8_t id[DIGEST_LEN_MAX];
	int err = digest_final(of, id);
	struct chunk *c = err ? NULL : find(x, id, (uint32_t)n);
	if (c && c->at == NOWHERE) {
		c->at = at;
		x->unfound--;
	}
	return err;
}

struct cutting {
	struct casync_cut cut;
	struct digest *of; /* of the chunk that is being cut; NULL between two */
	uint64_t at, n;    /* where that begins, and what of it was seen */
};

/* The chunks that end in n bytes of the block. */
static int
cut_block(struct casync_delta *x, struct cutting *k, size_t n)
{
	bool end = false;
	for (size_t i = 0; i < n;) {
		if (!k->of)
			k->of = digest_new(x->index.alg);
		if (!k->of)
			return FG_ECRYPTO;
		size_t took = casync_cut_next(&k->cut, x->block + i, n - i, &end);
		int err = digest_update(k->of, view_of(x->block + i, took));
		i += took;
		k->n += took;
		if (!err && end)
			err = found(x, k->of, k->at, k->n);
		if (err)
			return err;
		if (!end)
			continue;
		digest_free(k->of);
		k->of = NULL;
		k->at += k->n;
		k->n = 0;
	}
	return 0;
}

/* To its end, or until there is nothing more to look for. */
static int
cut_base(struct casync_delta *x)
{
	const struct source *base = delta_base(x->d);
	struct cutting k = { .at = 0 };
	int err = 0;
	casync_cut_init(&k.cut, x->index.least, x->index.middle, x->index.most);
	for (uint64_t at = 0; at < base->size && x->unfound && !err;) {
		size_t n = base->size - at < BLOCK ? (size_t)(base->size - at) : BLOCK;
		err = source_read(base, at, x->block, n);
		if (!err)
			err = cut_block(x, &k, n);
		at += n;
	}
	if (!err && k.of && x->unfound)
		err = found(x, k.of, k.at, k.n);
	digest_free(k.of);
	return err;
}

/* ---- the target ---- */

/* What is lacking is said in chunks and bytes of the target: how much a client would fetch at most, and nobody has seen. */
static int
lacking(struct casync_delta *x)
{
	uint64_t chunks = 0, bytes = 0;
	for (size_t i = 0; i < x->index.chunks; i++)
		if (find(x, x->chunk[i].id, x->chunk[i].n)->at == NOWHERE) {
			chunks++;
			bytes += x->chunk[i].n;
		}
	if (chunks == 0)
		return 0;
	/* DELTA_TARGET_MAX: no sum is too large. */
	delta_wants(x->d, "a base, or a store, that has %" PRIu64 " more of the %" PRIu64 " chunks", chunks, x->index.chunks);
	return delta_refuse(x->d, DELTA_WRONG_BASE,
	    "casync: the base lacks %" PRIu64 " of %" PRIu64 " chunks, %" PRIu64 " of %" PRIu64 " bytes; opened: %" PRIu64 " %%",
	    chunks, x->index.chunks, bytes, x->index.size, (x->index.size - bytes) * 100 / x->index.size);
}

static int
put_chunk(struct casync_delta *x, const struct chunk *c)
{
	uint8_t id[DIGEST_LEN_MAX];
	uint64_t at = find(x, c->id, c->n)->at;
	struct digest *of = digest_new(x->index.alg);
	int err = of ? 0 : FG_ECRYPTO;
	for (uint32_t done = 0; done < c->n && !err;) {
		size_t n = c->n - done < BLOCK ? c->n - done : BLOCK;
		err = delta_base_read(x->d, at + done, x->block, n);
		if (!err)
			err = digest_update(of, view_of(x->block, n));
		if (!err)
			err = delta_put_mixed(x->d, x->block, n, n);
		done += (uint32_t)n;
	}
	if (!err)
		err = digest_final(of, id);
	if (!err && memcmp(id, c->id, CASYNC_ID_LEN) != 0)
		err = delta_refuse(x->d, DELTA_WRONG_BASE, "casync: the base became another while it was read");
	digest_free(of);
	return err;
}

int
delta_casync_apply(struct delta *d)
{
	struct casync_delta x = { .d = d };
	delta_applier(d, "casync/1");
	int err = read_index(&x);
	if (!err)
		err = cut_base(&x);
	if (!err)
		err = lacking(&x);
	for (size_t i = 0; i < x.index.chunks && !err; i++)
		err = put_chunk(&x, &x.chunk[i]);
	if (!err)
		delta_named(d);
	delta_discharge(d, x.charged);
	free(x.block);
	free(x.sorted);
	free(x.chunk);
	return err;
}
