/* SPDX-License-Identifier: Apache-2.0 */
/* What became of what, on the firmware of tests/vectors/pairs.py. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/crypto/pki.h"
#include "tests/unit/images/pair_rig.h"

static struct pki_blob base, update, tampered;

static int
setup(void **state)
{
	(void)state;
	base = pki_load("pairs/base.sqfs");
	update = pki_load("pairs/update.sqfs");
	tampered = pki_load("pairs/tampered.sqfs");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(base.p);
	free(update.p);
	free(tampered.p);
	return 0;
}

static void
became(const struct pair_rig *r, const char *old, const char *new, enum pair_how how)
{
	uint32_t o = part_rig_find(&r->side[PAIR_OLD], old);
	struct pair_mate m = pair_rig_mate(r, PAIR_NEW, new);
	assert_int_not_equal(o, PART_NONE_INDEX);
	if (m.how != how || m.index != o)
		fail_msg("%s: %s of %u, not %s of %u", new, pair_how_name(m.how), m.index, pair_how_name(how), o);
}

static void
an_update(void **state)
{
	(void)state;
	struct pair_rig r;
	pair_rig_open(&r, pki_view(&base), pki_view(&update));
	became(&r, "", "", PAIR_PATH);
	became(&r, "etc/passwd", "etc/passwd", PAIR_SAME);
	became(&r, "etc/init.d", "etc/init.d", PAIR_SAME);
	became(&r, "bin/sh", "bin/sh", PAIR_SAME);
	became(&r, "usr/share/empty", "usr/share/empty", PAIR_SAME);
	became(&r, "usr/share/doc/readme.txt", "usr/share/doc/MANUAL.txt", PAIR_LIKE);
	became(&r, "usr/lib/libmodem.so", "usr/lib/libmodem.so", PAIR_SAME);
	became(&r, "usr/bin/agent", "usr/bin/agent", PAIR_PATH);
	became(&r, "etc/version", "etc/version", PAIR_PATH);
	assert_int_equal(pair_rig_mate(&r, PAIR_NEW, "usr/share/doc/news.txt").how, PAIR_NONE);
	assert_int_equal(pair_unlooked(r.pair), 0);
	pair_rig_close(&r);
}

static void
tampering(void **state)
{
	(void)state;
	struct pair_rig r;
	pair_rig_open(&r, pki_view(&base), pki_view(&tampered));
	became(&r, "usr/lib/libhelper.so", "usr/lib/libaux.so", PAIR_LIKE);
	became(&r, "usr/lib/modem/update.sh", "usr/lib/modem/update.sh", PAIR_PATH);
	became(&r, "usr/bin/agent", "usr/bin/agent", PAIR_PATH);
	assert_int_equal(pair_rig_mate(&r, PAIR_NEW, "etc/init.d/S99dbg").how, PAIR_NONE);
	assert_int_equal(pair_rig_mate(&r, PAIR_NEW, "etc/ssl/certs/extra.pem").how, PAIR_NONE);
	assert_int_equal(pair_rig_mate(&r, PAIR_OLD, "usr/lib/libhelper.so").how, PAIR_LIKE);
	pair_rig_close(&r);
}

/* One image with itself, and with itself in a stream. */
static void
the_same(void **state)
{
	(void)state;
	struct pair_rig r;
	pair_rig_open(&r, pki_view(&base), pki_view(&base));
	for (uint32_t i = 0; i < parts_count(r.side[PAIR_NEW].tree); i++)
		assert_int_equal(pair_of(r.pair, PAIR_NEW, i).how, PAIR_SAME);
	pair_rig_close(&r);
	struct pki_blob packed = pki_load("pairs/base.cpio.gz");
	pair_rig_open(&r, pki_view(&packed), pki_view(&packed));
	assert_int_equal(pair_of(r.pair, PAIR_NEW, 1).how, PAIR_SAME);
	pair_rig_close(&r);
	free(packed.p);
}

static void
nothing_in_common(void **state)
{
	(void)state;
	struct pair_rig r;
	pair_rig_open(&r, view_of(NULL, 0), pki_view(&base));
	assert_int_equal(pair_of(r.pair, PAIR_NEW, 0).how, PAIR_PATH);
	for (uint32_t i = 1; i < parts_count(r.side[PAIR_NEW].tree); i++)
		assert_int_equal(pair_of(r.pair, PAIR_NEW, i).how, PAIR_NONE);
	pair_rig_close(&r);
}

#define MANY 3072
#define MORE 4096
#define BLOCKS 64
#define BLOCK 96

/* As images/sketch.c: the table by which pieces are cut. */
static uint64_t
gear(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* A word that ends no piece in a run of filler: behind it the run decides, and the tail, which is the same for all. */
static void
word_of(char word[17], unsigned a, unsigned b, uint8_t filler)
{
	for (unsigned k = 0;; k++) {
		uint64_t hash = 0 - gear(filler);
		bool cut = false;
		assert_true(k < 100000);
		(void)snprintf(word, 17, "%05u%02u%03u.tail!", k % 100000, a % 100, b % 1000);
		for (unsigned i = 0; i < 16 + 57; i++) {
			hash = (hash << 1) + gear(i < 16 ? (uint8_t)word[i] : filler);
			cut = cut || hash >> 58 == 0;
		}
		if (!cut)
			return;
	}
}

/*
 * A cpio of files that share each of their pieces with forty others, and nearly none
 * more than one: each would have to be compared with a thousand.
 */
static uint8_t *
entangled(char letter, uint32_t seed, unsigned files, size_t *ret_n)
{
	static char words[BLOCKS][MANY / 40][17];
	const size_t body = BLOCKS * BLOCK;
	uint8_t *b = malloc(files * (body + 128) + 256), filler = 1;
	size_t at = 0;
	while (-gear(filler) >> 58 != 0) /* a run of this byte ends pieces */
		assert_true(++filler < 255);
	for (unsigned i = 0; i < BLOCKS; i++)
		for (unsigned k = 0; k < MANY / 40; k++)
			word_of(words[i][k], i, k, filler);
	for (unsigned k = 0; k <= files; k++) {
		bool last = k == files;
		char head[128];
		int head_n = snprintf(head, sizeof head,
		    "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08x%08x%s", 1u, last ? 0u : 0100644u, 0u, 0u,
		    1u, 0u, last ? (size_t)0 : body, 0u, 0u, 0u, 0u, last ? 11u : 6u, 0u, last ? "TRAILER!!!" : "");
		if (!last)
			head_n += snprintf(head + head_n, sizeof head - (size_t)head_n, "%c%04u", letter, k);
		memset(b + at, 0, 128);
		memcpy(b + at, head, (size_t)head_n);
		at += ((size_t)head_n + 1 + 3) & ~(size_t)3;
		for (unsigned i = 0; i < BLOCKS && !last; i++, at += BLOCK) {
			seed = seed * 1664525u + 1013904223u;
			memset(b + at, filler, BLOCK);
			memcpy(b + at, words[i][(seed >> 8) % (MANY / 40)], 16);
		}
	}
	*ret_n = at;
	return b;
}

static void
comparisons_are_bounded(void **state)
{
	(void)state;
	struct pair_rig r;
	size_t old_n, new_n;
	uint8_t *old = entangled('o', 1, MANY, &old_n), *new = entangled('n', 2, MORE, &new_n);
	pair_rig_open(&r, view_of(old, old_n), view_of(new, new_n));
	assert_int_equal(parts_count(r.side[PAIR_NEW].tree) >= MORE, true);
	assert_in_range(pair_unlooked(r.pair), 1, MORE - 1);
	/* Not looked at is not paired. */
	assert_int_equal(pair_rig_mate(&r, PAIR_NEW, "n4095").how, PAIR_NONE);
	pair_rig_close(&r);
	free(old);
	free(new);
}

static size_t
cpio_link(char *b, size_t at, const char *name, const void *target, size_t n)
{
	at += (size_t)sprintf(b + at, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 7u,
	    n ? 0120777u : 0u, 0u, 0u, 1u, 0u, (unsigned)n, 0u, 0u, 0u, 0u, (unsigned)strlen(name) + 1, 0u);
	memcpy(b + at, name, strlen(name) + 1);
	at = (at + strlen(name) + 1 + 3) & ~(size_t)3;
	memcpy(b + at, target, n);
	return (at + n + 3) & ~(size_t)3;
}

/* A NUL in a name cannot be kept, and what cannot be kept is not the same. */
static void
what_a_name_hides(void **state)
{
	(void)state;
	char a[1024] = { 0 }, b[1024] = { 0 };
	size_t n = cpio_link(a, 0, "x", "bin\0sh", 6);
	n = cpio_link(a, n, "TRAILER!!!", "", 0);
	assert_int_equal(cpio_link(b, cpio_link(b, 0, "x", "bin?sh", 6), "TRAILER!!!", "", 0), n);
	struct pair_rig r;
	pair_rig_open(&r, view_of(a, n), view_of(b, n));
	assert_int_equal(pair_rig_mate(&r, PAIR_NEW, "x").how, PAIR_PATH);
	pair_rig_close(&r);
	pair_rig_open(&r, view_of(b, n), view_of(b, n));
	assert_int_equal(pair_rig_mate(&r, PAIR_NEW, "x").how, PAIR_SAME);
	pair_rig_close(&r);
}

/* Names take room of their own: what goes beyond it is told. */
static void
names_are_bounded(void **state)
{
	(void)state;
	enum { EACH = 4000, N = PART_NAMES_MAX / EACH + 100 };
	char *b = malloc((size_t)N * (EACH + 200) + 1024), *name = calloc(1, EACH + 1);
	size_t n = 0;
	memset(name, 'n', EACH);
	for (unsigned i = 0; i < N; i++) {
		char digits[9];
		snprintf(digits, sizeof digits, "%08u", i);
		memcpy(name, digits, 8);
		n = cpio_link(b, n, name, "t", 1);
	}
	n = cpio_link(b, n, "TRAILER!!!", "", 0);
	struct source s;
	struct parts *t;
	uint64_t used = 0;
	source_memory(&s, view_of(b, n));
	assert_int_equal(parts_open(&s, -1, &used, &t), 0);
	assert_int_equal(parts_limits(t), 1);
	assert_non_null(parts_get(t, 0)->why);
	parts_free(t);
	free(b);
	free(name);
}

static void
names(void **state)
{
	(void)state;
	assert_string_equal(pair_how_name(PAIR_LIKE), "like");
	assert_string_equal(pair_how_name((enum pair_how)77), "none");
	assert_false(pair_is_same(PAIR_PATH));
	assert_true(pair_is_same(PAIR_COPY));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_update), cmocka_unit_test(tampering), cmocka_unit_test(the_same),
		cmocka_unit_test(nothing_in_common), cmocka_unit_test(comparisons_are_bounded),
		cmocka_unit_test(what_a_name_hides), cmocka_unit_test(names_are_bounded),
		cmocka_unit_test(names),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
