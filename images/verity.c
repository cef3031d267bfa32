/* SPDX-License-Identifier: Apache-2.0 */
#include "images/verity.h"

#include <stdlib.h>

#include <openssl/evp.h>

#include "crypto/err.h"

#define FAN (VERITY_BLOCK / DIGEST_SHA256_LEN) /* digests in a block */
/* SOURCE_SIZE_MAX has 2^38 blocks: six levels of 128 digests. */
#define LEVELS_MAX 6

struct level {
	uint8_t block[VERITY_BLOCK]; /* digests so far, zeros behind them */
	size_t fill;
	uint64_t at; /* where the next block of this level is stored */
};

struct tree {
	const struct source *s;
	struct whole *naming;
	EVP_MD *md;
	EVP_MD_CTX *ctx;
	const uint8_t *salt;
	unsigned levels;
	struct level level[LEVELS_MAX]; /* from the data up */
	uint8_t top[DIGEST_SHA256_LEN]; /* digest of the last block hashed on top */
	bool differs;
	uint64_t differs_at;
};

/* Blocks of each level, from the data up; how many levels. */
static unsigned
level_sizes(uint64_t data, uint64_t blocks[LEVELS_MAX])
{
	unsigned n = 0;
	for (uint64_t below = data / VERITY_BLOCK; below > 1 && n < LEVELS_MAX; n++) {
		blocks[n] = below / FAN + (below % FAN != 0);
		below = blocks[n];
	}
	return n;
}

uint64_t
verity_tree_size(uint64_t data)
{
	uint64_t blocks[LEVELS_MAX], sum = 0;
	unsigned n = level_sizes(data, blocks);
	for (unsigned i = 0; i < n; i++)
		sum += blocks[i];
	return sum * VERITY_BLOCK;
}

static int
hash_block(struct tree *t, const uint8_t block[VERITY_BLOCK], uint8_t ret[DIGEST_SHA256_LEN])
{
	return EVP_DigestInit_ex2(t->ctx, t->md, NULL) == 1 &&
	               EVP_DigestUpdate(t->ctx, t->salt, DIGEST_SHA256_LEN) == 1 &&
	               EVP_DigestUpdate(t->ctx, block, VERITY_BLOCK) == 1 &&
	               EVP_DigestFinal_ex(t->ctx, ret, NULL) == 1
	           ? 0
	           : FG_ECRYPTO;
}

/* A block of level i is whole: held against the stored one, its digest becomes the answer for the level above. */
static int
finish_block(struct tree *t, unsigned i)
{
	uint8_t stored[VERITY_BLOCK];
	struct level *l = &t->level[i];
	int err = source_read(t->s, l->at, stored, sizeof stored);
	if (err)
		return err;
	if (!t->differs && memcmp(stored, l->block, sizeof stored) != 0) {
		t->differs = true;
		t->differs_at = l->at;
	}
	l->at += VERITY_BLOCK;
	err = hash_block(t, l->block, t->top);
	memset(l->block, 0, sizeof l->block);
	l->fill = 0;
	return err;
}

/* Takes the digest in t->top into level i, and up from there while blocks get full. */
static int
add(struct tree *t, unsigned i)
{
	int err = 0;
	for (; i < t->levels && !err; i++) {
		struct level *l = &t->level[i];
		memcpy(l->block + l->fill, t->top, DIGEST_SHA256_LEN);
		l->fill += DIGEST_SHA256_LEN;
		if (l->fill < VERITY_BLOCK)
			break;
		err = finish_block(t, i);
	}
	return err;
}

static int
hash_data(struct tree *t, uint64_t data)
{
	uint8_t *chunk = malloc(SOURCE_CHUNK);
	int err = chunk ? 0 : FG_ENOMEM;
	for (uint64_t at = 0; at < data && !err;) {
		size_t n = data - at < SOURCE_CHUNK ? (size_t)(data - at) : SOURCE_CHUNK;
		err = source_read(t->s, at, chunk, n);
		if (!err && t->naming)
			err = whole_offer(t->naming, at, view_of(chunk, n));
		for (size_t i = 0; i < n && !err; i += VERITY_BLOCK) {
			err = hash_block(t, chunk + i, t->top);
			if (!err)
				err = add(t, 0);
		}
		at += n;
	}
	/* What is begun is filled up with zeros, from the data up. */
	for (unsigned i = 0; i < t->levels && !err; i++) {
		if (t->level[i].fill == 0)
			continue;
		err = finish_block(t, i);
		if (!err)
			err = add(t, i + 1);
	}
	free(chunk);
	return err;
}

int
verity_check(const struct source *s, uint64_t data, const uint8_t salt[DIGEST_SHA256_LEN],
    const uint8_t root[DIGEST_SHA256_LEN], struct whole *naming, enum verity_answer *ret,
    uint64_t *ret_at)
{
	uint64_t blocks[LEVELS_MAX], at = data;
	if (data == 0 || data % VERITY_BLOCK != 0)
		return FG_EINVAL;
	struct tree *t = calloc(1, sizeof *t);
	if (!t)
		return FG_ENOMEM;
	t->s = s;
	t->naming = naming;
	t->salt = salt;
	t->levels = level_sizes(data, blocks);
	for (unsigned i = t->levels; i-- > 0; at += blocks[i] * VERITY_BLOCK)
		t->level[i].at = at;
	t->md = EVP_MD_fetch(NULL, "SHA256", NULL);
	t->ctx = EVP_MD_CTX_new();
	int err = t->md && t->ctx ? hash_data(t, data) : FG_ECRYPTO;
	if (!err) {
		bool fits = memcmp(t->top, root, DIGEST_SHA256_LEN) == 0;
		*ret = t->differs ? VERITY_TREE_DIFFERS : fits ? VERITY_FITS : VERITY_ROOT_DIFFERS;
		*ret_at = t->differs ? t->differs_at : data;
	}
	EVP_MD_CTX_free(t->ctx);
	EVP_MD_free(t->md);
	free(t);
	return err;
}
