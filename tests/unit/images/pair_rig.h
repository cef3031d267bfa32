/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pair_rig - two images taken apart, paired and accounted for, and what holds for
 * every pair whatever the bytes: mates are each other's, and the four classes add up.
 * Role: tests of pair, account and what works on them; fuzz_account.
 */
#ifndef FG_TESTS_UNIT_IMAGES_PAIR_RIG_H
#define FG_TESTS_UNIT_IMAGES_PAIR_RIG_H

#include "images/account.h"
#include "tests/unit/images/part_rig.h"

struct pair_rig {
	struct part_rig side[PAIR_SIDES];
	struct pair *pair;
};

static inline void
pair_rig_open(struct pair_rig *r, struct view old, struct view new)
{
	part_rig_open(&r->side[PAIR_OLD], old);
	part_rig_open(&r->side[PAIR_NEW], new);
	PART_RIG_MUST(pair_make(r->side[PAIR_OLD].tree, r->side[PAIR_NEW].tree, &r->pair) == 0);
	for (unsigned k = 0; k < PAIR_SIDES; k++)
		for (uint32_t i = 0; i < parts_count(r->side[k].tree); i++) {
			struct pair_mate m = pair_of(r->pair, (enum pair_side)k, i);
			PART_RIG_MUST((m.how == PAIR_NONE) == (m.index == PART_NONE_INDEX));
			if (m.how == PAIR_NONE)
				continue;
			const struct part *a = parts_get(r->side[k].tree, i), *b = parts_get(r->side[!k].tree, m.index);
			struct pair_mate back = pair_of(r->pair, (enum pair_side)!k, m.index);
			PART_RIG_MUST(m.how == PAIR_COPY || (back.index == i && back.how == m.how));
			PART_RIG_MUST(!pair_is_same(m.how) || a->bytes.size == b->bytes.size);
			PART_RIG_MUST(!pair_is_same(m.how) || !a->bytes.size || memcmp(a->sha256, b->sha256, 32) == 0);
		}
}

/* Counts, and checks every sum once more from outside. */
static inline void
pair_rig_count(const struct pair_rig *r, struct account *a)
{
	bool holds = false;
	PART_RIG_MUST(account_make(a, &holds) == 0);
	PART_RIG_MUST(holds);
	for (unsigned k = 0; k < PAIR_SIDES; k++) {
		const struct parts *t = r->side[k].tree;
		struct account_sum all = account_image(a, (enum pair_side)k), out = account_expanded(a, (enum pair_side)k);
		uint64_t expanded = 0;
		PART_RIG_MUST(account_total(&all) == r->side[k].image.size);
		for (uint32_t i = 0; i < parts_count(t); i++) {
			struct account_sum s = account_part(a, (enum pair_side)k, i);
			PART_RIG_MUST(account_total(&s) == parts_get(t, i)->bytes.size);
			if (parts_get(t, i)->expanded && !parts_get(t, i)->placed)
				expanded += parts_get(t, i)->bytes.size;
		}
		PART_RIG_MUST(account_total(&out) == expanded);
	}
}

static inline void
pair_rig_close(struct pair_rig *r)
{
	pair_free(r->pair);
	part_rig_close(&r->side[PAIR_OLD]);
	part_rig_close(&r->side[PAIR_NEW]);
}

/* What became of the part with that path; PAIR_NONE for one that is not there, too. */
static inline struct pair_mate
pair_rig_mate(const struct pair_rig *r, enum pair_side side, const char *path)
{
	uint32_t i = part_rig_find(&r->side[side], path);
	return i == PART_NONE_INDEX ? (struct pair_mate){ PART_NONE_INDEX, PAIR_NONE, 0 } : pair_of(r->pair, side, i);
}

#endif
