/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/leases.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"

#define LEASES_MIN 256u /* places of the smallest table; a power of two, as all are */

struct slot {
	uint8_t key[2 * MSG_ID];
	int64_t until_ms; /* 0: free; the clock counts from boot, so no lease ends at 0 */
};

struct leases {
	struct slot *slot;
	size_t cap, n;
};

struct leases *
leases_new(void)
{
	return calloc(1, sizeof(struct leases));
}

void
leases_free(struct leases *l)
{
	if (l)
		free(l->slot);
	free(l);
}

/* Both halves are outputs of keyed or cryptographic hashes: nobody outside chooses where they fall. */
static struct slot *
place(const struct leases *l, const uint8_t key[2 * MSG_ID])
{
	uint64_t a, b;
	memcpy(&a, key, sizeof a);
	memcpy(&b, key + MSG_ID, sizeof b);
	size_t i = (size_t)(a ^ (b * 0x9e3779b97f4a7c15ull)) & (l->cap - 1);
	while (l->slot[i].until_ms && memcmp(l->slot[i].key, key, 2 * MSG_ID))
		i = (i + 1) & (l->cap - 1);
	return &l->slot[i];
}

static void
key_of(const uint8_t module[MSG_ID], const uint8_t release[MSG_ID], uint8_t key[2 * MSG_ID])
{
	memcpy(key, module, MSG_ID);
	memcpy(key + MSG_ID, release, MSG_ID);
}

bool
leases_valid(const struct leases *l, const uint8_t module[MSG_ID], const uint8_t release[MSG_ID], int64_t now_ms)
{
	uint8_t key[2 * MSG_ID];
	if (!l->cap)
		return false;
	key_of(module, release, key);
	return place(l, key)->until_ms > now_ms;
}

/* Into a fresh table of that size, without what has run out and without drop_release (may be NULL). */
static int
rebuild(struct leases *l, size_t cap, const uint8_t *drop_release, int64_t now_ms)
{
	struct leases fresh = { .cap = cap };
	fresh.slot = calloc(cap, sizeof fresh.slot[0]);
	if (!fresh.slot)
		return FG_ENOMEM;
	for (size_t i = 0; i < l->cap; i++) {
		const struct slot *s = &l->slot[i];
		if (!s->until_ms || s->until_ms <= now_ms || (drop_release && !memcmp(s->key + MSG_ID, drop_release, MSG_ID)))
			continue;
		*place(&fresh, s->key) = *s;
		fresh.n++;
	}
	free(l->slot);
	*l = fresh;
	return FG_OK;
}

/* Never more than three quarters full, so that place() always ends. */
static bool
is_full(const struct leases *l)
{
	return l->n >= l->cap / 4 * 3;
}

static int
make_room(struct leases *l, int64_t now_ms)
{
	int err = FG_OK;
	if (!is_full(l))
		return FG_OK;
	/* What has run out goes first; a table that stays half full would soon be here again. */
	if (l->cap)
		err = rebuild(l, l->cap, NULL, now_ms);
	if (!err && l->n >= l->cap / 2 && l->cap < LEASES_MAX * 2)
		err = rebuild(l, l->cap ? l->cap * 2 : LEASES_MIN, NULL, now_ms);
	if (!is_full(l))
		return FG_OK; /* there is room, whatever could not be had */
	return err ? err : FG_ELIMIT;
}

int
leases_add(struct leases *l, const uint8_t module[MSG_ID], const uint8_t release[MSG_ID], int64_t now_ms,
    uint32_t seconds)
{
	uint8_t key[2 * MSG_ID];
	if (seconds == 0)
		return FG_OK;
	int err = make_room(l, now_ms);
	if (err)
		return err;
	if (seconds > LEASES_SECONDS_MAX)
		seconds = LEASES_SECONDS_MAX;
	key_of(module, release, key);
	struct slot *s = place(l, key);
	if (!s->until_ms)
		l->n++;
	memcpy(s->key, key, sizeof key);
	s->until_ms = now_ms + (int64_t)seconds * 1000;
	return FG_OK;
}

void
leases_drop_release(struct leases *l, const uint8_t release[MSG_ID])
{
	if (!l->n || rebuild(l, l->cap, release, INT64_MIN) == FG_OK)
		return;
	/* No memory for a smaller table: forget everything, modules ask again. */
	memset(l->slot, 0, l->cap * sizeof l->slot[0]);
	l->n = 0;
}

void
leases_sweep(struct leases *l, int64_t now_ms)
{
	size_t cap = l->cap;
	if (!cap)
		return;
	/* Back to small when the rush is over: one size a minute. */
	if (cap > LEASES_MIN && l->n < cap / 8)
		cap /= 2;
	(void)rebuild(l, cap, NULL, now_ms); /* without memory what has run out stays, invalid */
}

size_t
leases_count(const struct leases *l)
{
	return l->n;
}
