/* SPDX-License-Identifier: Apache-2.0 */
/* Indexes by casync (tests/vectors/casync.py), which says what it makes of a seed, and how much a seed lacks. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "images/delta_casync.h"
#include "unit/images/delta_rig.h"

#define FORMAT FORMAT_CASYNC_INDEX
#define LINE 40u
#define FIRST 64u

static struct view
made(const char *name)
{
	return rig_made("casync", name);
}

/* Byte for byte what `casync extract --seed` made, none of it from anywhere else. */
static void
from_a_seed(void **state)
{
	struct view old = made("old"), want = made("moved.out");
	static const char *const index[] = { "moved.caibx", "moved-sha256.caibx" };
	(void)state;
	for (size_t i = 0; i < sizeof index / sizeof *index; i++) {
		struct view x = made(index[i]);
		struct delta_result r = rig_makes(FORMAT, x, old, want);
		assert_string_equal(r.applier, "casync/1");
		assert_true(r.checked && r.named);
		assert_int_equal(r.from_base, want.n);
		assert_int_equal(r.from_patch, 0);
		rig_drop(x);
	}
	/* The whole of a base is a base too, as is one that has something before and behind it. */
	struct view x = made("old.caibx");
	rig_makes(FORMAT, x, old, old);
	uint8_t *more = malloc(old.n + 100000);
	memset(more, 'x', 100000);
	memcpy(more + 100000, old.p, old.n);
	assert_int_equal(rig_apply(FORMAT, x, view_of(more, old.n + 100000), NULL).outcome, DELTA_WRONG_BASE);
	memcpy(more, old.p, old.n);
	memset(more + old.n, 'x', 100000);
	assert_int_equal(rig_apply(FORMAT, x, view_of(more, old.n + 100000), NULL).outcome, DELTA_WRONG_BASE);
	free(more);
	rig_drop(x);
	rig_drop(want);
	rig_drop(old);
}

static void
what_is_lacking(void **state)
{
	struct view old = made("old"), new = made("edited"), x = made("edited.caibx"), said = made("edited.lacks");
	char words[160];
	(void)state;
	/* How many that are casync says, of its own cutting of both. */
	snprintf(words, sizeof words, "casync: the base lacks %.*s; opened: ", (int)said.n, (const char *)said.p);
	rig_refuses(FORMAT, x, old, DELTA_WRONG_BASE, words);
	struct delta_result r = rig_apply(FORMAT, x, old, NULL);
	assert_non_null(strstr(r.wants, "a base, or a store, that has "));
	rig_makes(FORMAT, x, new, new);
	rig_refuses(FORMAT, x, view_of(NULL, 0), DELTA_WRONG_BASE, "; opened: 0 %");
	rig_drop(said);
	rig_drop(x);
	rig_drop(new);
	rig_drop(old);
}

/* One byte of the base: the chunk that it is in is none any more, and there is one copy of most. */
static void
another_base(void **state)
{
	struct view old = made("old"), x = made("old.caibx");
	(void)state;
	for (size_t at = 0; at < old.n; at += 100003) {
		rig_bytes(old)[at] ^= 0x40;
		assert_int_equal(rig_apply(FORMAT, x, old, NULL).outcome, DELTA_WRONG_BASE);
		rig_bytes(old)[at] ^= 0x40;
	}
	rig_makes(FORMAT, x, old, old);
	rig_drop(x);
	rig_drop(old);
}

static void
of_nothing_and_of_trees(void **state)
{
	struct view x = made("empty.caibx"), tree = made("tree.caidx"), blob = made("blob");
	(void)state;
	rig_makes(FORMAT, x, blob, view_of(NULL, 0));
	rig_makes(FORMAT, x, view_of(NULL, 0), view_of(NULL, 0));
	rig_refuses(FORMAT, tree, blob, DELTA_UNSUPPORTED, "an index of a tree");
	rig_drop(blob);
	rig_drop(tree);
	rig_drop(x);
}

static void
put(struct view x, size_t at, uint64_t value)
{
	for (unsigned i = 0; i < 8; i++)
		rig_bytes(x)[at + i] = (uint8_t)(value >> 8 * i);
}

static uint64_t
get(struct view x, size_t at)
{
	uint64_t v = 0;
	for (unsigned i = 8; i-- > 0;)
		v = v << 8 | x.p[at + i];
	return v;
}

/* One word of the index is another; then it is as before. */
static void
lies(struct view x, struct view base, size_t at, uint64_t value, enum delta_outcome outcome, const char *words)
{
	uint64_t was = get(x, at);
	put(x, at, value);
	rig_refuses(FORMAT, x, base, outcome, words);
	put(x, at, was);
}

static void
hostile(void **state)
{
	struct view old = made("old"), x = made("old.caibx");
	uint64_t first = get(x, FIRST), second = get(x, FIRST + LINE);
	size_t last = x.n - 2 * LINE;
	(void)state;
	assert_int_equal(get(x, last), old.n);
	lies(x, old, 24, 0, DELTA_MALFORMED, "the sizes of chunks contradict each other");
	lies(x, old, 24, 255, DELTA_LIMIT, "chunks of 255 bytes");
	lies(x, old, 24, 1 << 20, DELTA_MALFORMED, "the sizes of chunks contradict each other");
	lies(x, old, 40, 4095, DELTA_MALFORMED, "the sizes of chunks contradict each other");
	lies(x, old, 40, UINT64_MAX, DELTA_MALFORMED, "the sizes of chunks contradict each other");
	lies(x, old, 40, 4096, DELTA_MALFORMED, "the sizes of chunks contradict each other");
	lies(x, old, 48, 0, DELTA_MALFORMED, "the heads of index and table do not fit");
	/* Ends: at the begin, where it begins, before that, huge. */
	lies(x, old, FIRST, 0, DELTA_MALFORMED, "shorter or longer");
	lies(x, old, FIRST, UINT64_MAX, DELTA_MALFORMED, "shorter or longer");
	lies(x, old, FIRST, 4095, DELTA_MALFORMED, "shorter or longer");
	lies(x, old, FIRST + LINE, first, DELTA_MALFORMED, "shorter or longer");
	lies(x, old, FIRST + LINE, first - 1, DELTA_MALFORMED, "shorter or longer");
	lies(x, old, last, UINT64_MAX, DELTA_MALFORMED, "shorter or longer");
	/* A length that no chunk of that digest has, either way. */
	lies(x, old, FIRST, first + 1, DELTA_WRONG_BASE, "the base lacks 2 of ");
	lies(x, old, FIRST + LINE, second - 1, DELTA_WRONG_BASE, "the base lacks 2 of ");
	lies(x, old, last, old.n - 1, DELTA_WRONG_BASE, "the base lacks 1 of ");
	lies(x, old, FIRST + 8, 0, DELTA_WRONG_BASE, "the base lacks 1 of ");
	/* Cut otherwise, or named otherwise: nothing fits. */
	lies(x, old, 16, 0x9000000000000000, DELTA_WRONG_BASE, "; opened: 0 %");
	lies(x, old, 16, 0xb000000000000001, DELTA_UNSUPPORTED, "an index of a tree");
	/* The last line. */
	lies(x, old, last + LINE, 1, DELTA_MALFORMED, "the last line");
	lies(x, old, last + LINE + 32, 0, DELTA_MALFORMED, "the last line");
	rig_refuses(FORMAT, view_of(x.p, x.n - LINE), old, DELTA_MALFORMED, "the last line");
	rig_refuses(FORMAT, view_of(x.p, FIRST), old, DELTA_MALFORMED, "it is cut");
	rig_makes(FORMAT, x, old, old);
	rig_drop(x);
	rig_drop(old);
}

/* A chunk many times over is as many times longer: bounded by what a target may have, whatever the base. */
static void
the_same_again(void **state)
{
	struct view old = made("old"), x = made("old.caibx");
	uint64_t n = get(x, FIRST);
	size_t lines = (size_t)(DELTA_TARGET_MAX / n) + 2, size = FIRST + (lines + 1) * LINE;
	uint8_t *bomb = malloc(size);
	(void)state;
	memcpy(bomb, x.p, FIRST);
	for (size_t i = 0; i < lines; i++) {
		memcpy(bomb + FIRST + i * LINE, x.p + FIRST, LINE);
		put(view_of(bomb, size), FIRST + i * LINE, n * (i + 1));
	}
	memcpy(bomb + size - LINE, x.p + x.n - LINE, LINE);
	put(view_of(bomb, size), size - LINE + 24, size - 48);
	rig_refuses(FORMAT, view_of(bomb, size), old, DELTA_LIMIT, "");
	/* Three times is three times. */
	size = FIRST + 4 * LINE;
	memcpy(bomb + size - LINE, x.p + x.n - LINE, LINE);
	put(view_of(bomb, size), size - LINE + 24, size - 48);
	uint8_t *want = malloc(3 * n);
	for (unsigned i = 0; i < 3; i++)
		memcpy(want + i * n, old.p, n);
	rig_makes(FORMAT, view_of(bomb, size), old, view_of(want, 3 * n));
	free(want);
	free(bomb);
	rig_drop(x);
	rig_drop(old);
}

/* Every byte stands for something but the flags that say what a tree leaves out. */
static void
every_byte(void **state)
{
	struct view base = made("cut"), x = made("cut-16384-65536-262144.caibx");
	(void)state;
	unsigned same = rig_tries(FORMAT, x, base, base, 1);
	if (same > 16)
		fail_msg("%u changes made the same", same);
	rig_drop(x);
	rig_drop(base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_a_seed),
		cmocka_unit_test(what_is_lacking),
		cmocka_unit_test(another_base),
		cmocka_unit_test(of_nothing_and_of_trees),
		cmocka_unit_test(hostile),
		cmocka_unit_test(the_same_again),
		cmocka_unit_test(every_byte),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
