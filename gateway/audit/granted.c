/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/audit/granted.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "crypto/err.h"

#define GRANTED_FIRST 65536u /* a stampede does not make it move house; untouched pages cost nothing */

struct slot {
	uint8_t key[2 * MSG_ID];
	uint64_t index_plus_1; /* 0: free */
};

struct granted {
	struct slot *slot;
	size_t cap, n; /* cap is a power of two */
	uint64_t secret[4];
};

struct granted *
granted_new(void)
{
	struct granted *g = calloc(1, sizeof *g);
	if (g && getrandom(g->secret, sizeof g->secret, 0) != (ssize_t)sizeof g->secret) {
		free(g);
		return NULL;
	}
	return g;
}

void
granted_free(struct granted *g)
{
	if (g)
		free(g->slot);
	free(g);
}

/*
 * Pseudonyms are HMAC outputs and release ids digests, but an edge that was
 * taken over sends what it likes: where a pair lies is not for it to foresee.
 */
static size_t
start(const struct granted *g, const uint8_t key[2 * MSG_ID])
{
	uint64_t w[4], h = 0;
	memcpy(w, key, sizeof w);
	for (unsigned i = 0; i < 4; i++) {
		h = (h ^ w[i]) * (g->secret[i] | 1);
		h ^= h >> 32;
	}
	return (size_t)h & (g->cap - 1);
}

static struct slot *
place(const struct granted *g, const uint8_t key[2 * MSG_ID])
{
	size_t i = start(g, key);
	while (g->slot[i].index_plus_1 && memcmp(g->slot[i].key, key, 2 * MSG_ID))
		i = (i + 1) & (g->cap - 1);
	return &g->slot[i];
}

static void
key_of(const uint8_t module[MSG_ID], const uint8_t release[MSG_ID], uint8_t key[2 * MSG_ID])
{
	memcpy(key, module, MSG_ID);
	memcpy(key + MSG_ID, release, MSG_ID);
}

bool
granted_find(const struct granted *g, const uint8_t module[MSG_ID], const uint8_t release[MSG_ID], uint64_t *ret)
{
	uint8_t key[2 * MSG_ID];
	key_of(module, release, key);
	if (!g->cap)
		return false;
	const struct slot *s = place(g, key);
	if (!s->index_plus_1)
		return false;
	*ret = s->index_plus_1 - 1;
	return true;
}

static int
grow(struct granted *g)
{
	struct granted bigger = *g;
	bigger.cap = g->cap ? g->cap * 2 : GRANTED_FIRST;
	bigger.slot = calloc(bigger.cap, sizeof bigger.slot[0]);
	if (!bigger.slot)
		return FG_ENOMEM;
	for (size_t i = 0; i < g->cap; i++) {
		if (g->slot[i].index_plus_1)
			*place(&bigger, g->slot[i].key) = g->slot[i];
	}
	free(g->slot);
	*g = bigger;
	return FG_OK;
}

int
granted_room(struct granted *g)
{
	if (g->n >= GRANTED_MAX)
		return FG_ELIMIT;
	return g->n * 4 >= g->cap * 3 ? grow(g) : FG_OK;
}

int
granted_add(struct granted *g, const uint8_t module[MSG_ID], const uint8_t release[MSG_ID], uint64_t index)
{
	uint64_t before;
	if (granted_find(g, module, release, &before))
		return FG_OK;
	int err = granted_room(g);
	if (err)
		return err;
	uint8_t key[2 * MSG_ID];
	key_of(module, release, key);
	struct slot *s = place(g, key);
	memcpy(s->key, key, sizeof key);
	s->index_plus_1 = index + 1;
	g->n++;
	return FG_OK;
}

size_t
granted_count(const struct granted *g)
{
	return g->n;
}
