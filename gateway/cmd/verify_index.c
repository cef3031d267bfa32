/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/verify_index.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "crypto/err.h"

#define SLOTS_MIN 64

struct slot {
	uint8_t key[VERIFY_INDEX_KEY];
	uint64_t plus_1; /* 0: free */
};

struct verify_index {
	struct slot *slot;
	size_t cap, n; /* cap is a power of two */
	uint64_t secret[4];
};

struct verify_index *
verify_index_new(size_t expected)
{
	struct verify_index *x = calloc(1, sizeof *x);
	if (!x)
		return NULL;
	x->cap = SLOTS_MIN;
	while (x->cap / 4 * 3 <= expected)
		x->cap *= 2;
	x->slot = calloc(x->cap, sizeof x->slot[0]);
	if (!x->slot || getrandom(x->secret, sizeof x->secret, 0) != (ssize_t)sizeof x->secret) {
		verify_index_free(x);
		return NULL;
	}
	return x;
}

void
verify_index_free(struct verify_index *x)
{
	if (x)
		free(x->slot);
	free(x);
}

static struct slot *
place(const struct verify_index *x, const uint8_t key[VERIFY_INDEX_KEY])
{
	uint64_t w[4], h = 0;
	memcpy(w, key, sizeof w);
	for (unsigned i = 0; i < 4; i++) {
		h = (h ^ w[i]) * (x->secret[i] | 1);
		h ^= h >> 32;
	}
	size_t i = (size_t)h & (x->cap - 1);
	while (x->slot[i].plus_1 && memcmp(x->slot[i].key, key, VERIFY_INDEX_KEY))
		i = (i + 1) & (x->cap - 1);
	return &x->slot[i];
}

bool
verify_index_get(const struct verify_index *x, const uint8_t key[VERIFY_INDEX_KEY], uint64_t *ret)
{
	const struct slot *s = place(x, key);
	if (!s->plus_1)
		return false;
	*ret = s->plus_1 - 1;
	return true;
}

static int
grow(struct verify_index *x)
{
	struct verify_index bigger = *x;
	bigger.cap = x->cap * 2;
	bigger.slot = calloc(bigger.cap, sizeof bigger.slot[0]);
	if (!bigger.slot)
		return FG_ENOMEM;
	for (size_t i = 0; i < x->cap; i++) {
		if (x->slot[i].plus_1)
			*place(&bigger, x->slot[i].key) = x->slot[i];
	}
	free(x->slot);
	*x = bigger;
	return FG_OK;
}

int
verify_index_add(struct verify_index *x, const uint8_t key[VERIFY_INDEX_KEY], uint64_t value, bool *ret_new)
{
	if (x->n >= x->cap / 4 * 3) {
		int err = grow(x);
		if (err)
			return err;
	}
	struct slot *s = place(x, key);
	*ret_new = !s->plus_1;
	if (!*ret_new)
		return FG_OK;
	memcpy(s->key, key, VERIFY_INDEX_KEY);
	s->plus_1 = value + 1;
	x->n++;
	return FG_OK;
}

int
verify_index_put(struct verify_index *x, const uint8_t key[VERIFY_INDEX_KEY], uint64_t value)
{
	bool fresh;
	int err = verify_index_add(x, key, value, &fresh);
	if (!err)
		place(x, key)->plus_1 = value + 1;
	return err;
}
