/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/rollouts_caps.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 256 /* a power of two */

struct count {
	uint64_t key; /* of share and name; 0: free */
	uint32_t under_way, today;
};

struct rollouts_caps {
	struct count *slot;
	size_t slots, used;
	struct count rest[ROLLOUTS_SHARES]; /* names that found no place */
	bool full;                          /* there may be such */
};

void
rollouts_caps_limits(const struct rollout_plan *p, enum rollouts_share share, int64_t *ret_concurrent, int64_t *ret_per_day)
{
	*ret_concurrent = share == ROLLOUTS_BY_GROUP ? p->group_concurrent :
	    share == ROLLOUTS_BY_CELL ? p->cell_concurrent : p->apn_concurrent;
	*ret_per_day = share == ROLLOUTS_BY_GROUP ? p->group_per_day :
	    share == ROLLOUTS_BY_CELL ? p->cell_per_day : p->apn_per_day;
}

bool
rollouts_caps_wanted(const struct rollout_plan *p, enum rollouts_share share)
{
	int64_t concurrent = 0, per_day = 0;
	if (share < ROLLOUTS_SHARES) {
		rollouts_caps_limits(p, share, &concurrent, &per_day);
		return concurrent || per_day;
	}
	for (unsigned i = 0; i < ROLLOUTS_SHARES; i++)
		if (rollouts_caps_wanted(p, (enum rollouts_share)i))
			return true;
	return false;
}

void
rollouts_caps_name(const char *tags, enum rollouts_share share, char dst[TAGS_WORD_MAX + 1])
{
	const char *prefix = share == ROLLOUTS_BY_CELL ? "cell-" : "apn-";
	size_t n = strlen(prefix);
	dst[0] = '\0';
	for (const char *at = tags; *at; at += strspn(at, " ")) {
		size_t len = strcspn(at, " ");
		if (len > n && len <= TAGS_WORD_MAX && memcmp(at, prefix, n) == 0) {
			memcpy(dst, at, len);
			dst[len] = '\0';
			return;
		}
		at += len;
	}
}

/* ---- counts ---- */

/* FNV-1a. Names are an operator's: nobody gains by two that meet. */
static uint64_t
key_of(enum rollouts_share share, const char *name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ (unsigned)share;
	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
	h *= UINT64_C(0x100000001b3);
	return h ? h : 1;
}

/* Its slot, or the free one where it would be. */
static struct count *
probe(struct count *slot, size_t slots, uint64_t key)
{
	size_t i = (size_t)(key ^ key >> 32) & (slots - 1);
	while (slot[i].key && slot[i].key != key)
		i = (i + 1) & (slots - 1);
	return &slot[i];
}

struct rollouts_caps *
rollouts_caps_new(void)
{
	struct rollouts_caps *c = calloc(1, sizeof *c);
	if (!c)
		return NULL;
	c->slots = FIRST_SLOTS;
	c->slot = calloc(c->slots, sizeof *c->slot);
	if (c->slot)
		return c;
	free(c);
	return NULL;
}

void
rollouts_caps_free(struct rollouts_caps *c)
{
	if (!c)
		return;
	free(c->slot);
	free(c);
}

void
rollouts_caps_reset(struct rollouts_caps *c)
{
	memset(c->slot, 0, c->slots * sizeof *c->slot);
	memset(c->rest, 0, sizeof c->rest);
	c->used = 0;
	c->full = false;
}

/* Three quarters are used at most. False: there is no place for another name. */
static bool
make_room(struct rollouts_caps *c)
{
	if (c->used >= ROLLOUTS_CAPS_MAX || c->used < c->slots / 4 * 3)
		return c->used < ROLLOUTS_CAPS_MAX;
	struct count *more = calloc(2 * c->slots, sizeof *more);
	if (!more)
		return false;
	for (size_t i = 0; i < c->slots; i++)
		if (c->slot[i].key)
			*probe(more, 2 * c->slots, c->slot[i].key) = c->slot[i];
	free(c->slot);
	c->slot = more;
	c->slots *= 2;
	return true;
}

void
rollouts_caps_count(struct rollouts_caps *c, enum rollouts_share share, const char *name, bool under_way, bool today)
{
	uint64_t key = key_of(share, name);
	struct count *one = probe(c->slot, c->slots, key);
	if (!one->key && make_room(c)) {
		one = probe(c->slot, c->slots, key);
		one->key = key;
		c->used++;
	} else if (!one->key) {
		c->full = true;
		one = &c->rest[share];
	}
	one->under_way += under_way;
	one->today += today;
}

bool
rollouts_caps_is_full(const struct rollouts_caps *c, enum rollouts_share share, const char *name,
    const struct rollout_plan *p)
{
	int64_t concurrent, per_day;
	const struct count *one = probe(c->slot, c->slots, key_of(share, name));
	if (!one->key && c->full)
		one = &c->rest[share];
	rollouts_caps_limits(p, share, &concurrent, &per_day);
	return (concurrent && one->under_way >= (uint64_t)concurrent) || (per_day && one->today >= (uint64_t)per_day);
}
