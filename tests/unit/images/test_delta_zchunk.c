/* SPDX-License-Identifier: Apache-2.0 */
/* Files by zck (tests/vectors/zchunk.py); zck_delta_size says how much of one a client of the other would fetch. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "images/delta_zchunk.h"
#include "unit/images/delta_rig.h"

#define FORMAT FORMAT_ZCHUNK

static struct view
made(const char *name)
{
	char file[64];
	snprintf(file, sizeof file, "%s.zck", name);
	return rig_made("zchunk", file);
}

static void
what_is_fetched(void **state)
{
	struct view old = made("delta-old"), new = made("delta-new"), text = rig_made("zchunk", "delta-size");
	char number[24] = "";
	(void)state;
	memcpy(number, text.p, text.n < sizeof number ? text.n : sizeof number - 1);
	struct delta_result r = rig_makes(FORMAT, new, old, new);
	assert_true(r.checked);
	assert_string_equal(r.applier, "zchunk/1");
	assert_int_equal(r.from_patch, strtoul(number, NULL, 10));
	assert_true(r.from_base > r.from_patch * 5);
	/* All of it, where the base is no zchunk file, or its chunks are named otherwise. */
	struct view other = made("delta-sha256");
	assert_int_equal(rig_makes(FORMAT, new, other, new).from_base, 0);
	assert_int_equal(rig_makes(FORMAT, new, text, new).from_base, 0);
	assert_int_equal(rig_makes(FORMAT, new, view_of(NULL, 0), new).from_base, 0);
	rig_drop(other);
	rig_drop(text);
	rig_drop(new);
	rig_drop(old);
}

static void
a_header_alone(void **state)
{
	struct view old = made("delta-old"), new = made("delta-new"), head = made("delta-head"), back = made("delta-head-of-old");
	(void)state;
	struct delta_result r = rig_makes(FORMAT, head, new, new);
	assert_int_equal(r.from_patch, head.n);
	rig_makes(FORMAT, back, old, old);
	r = rig_apply(FORMAT, head, old, NULL);
	assert_int_equal(r.outcome, DELTA_WRONG_BASE);
	assert_non_null(strstr(r.detail, "the base lacks 2 of 34 chunks"));
	assert_non_null(strstr(r.wants, "all of its 34 chunks; 2 of them, 1"));
	rig_refuses(FORMAT, head, view_of(NULL, 0), DELTA_WRONG_BASE, "the base lacks 33 of 34 chunks");
	rig_drop(back);
	rig_drop(head);
	rig_drop(new);
	rig_drop(old);
}

/* A chunk of the base that is not what its index says is fetched; where that cannot be, it is lacking. */
static void
a_damaged_base(void **state)
{
	struct view old = made("delta-old"), new = made("delta-new"), head = made("delta-head");
	(void)state;
	struct delta_result whole = rig_makes(FORMAT, new, old, new);
	rig_bytes(old)[old.n - 100] ^= 1;
	struct delta_result r = rig_makes(FORMAT, new, old, new);
	assert_true(r.from_base < whole.from_base);
	rig_refuses(FORMAT, head, old, DELTA_WRONG_BASE, "the base lacks 3 of 34 chunks");
	rig_bytes(old)[old.n - 100] ^= 1;
	/* An index that is damaged is none. */
	rig_bytes(old)[100] ^= 1;
	assert_int_equal(rig_makes(FORMAT, new, old, new).from_base, 0);
	rig_drop(head);
	rig_drop(new);
	rig_drop(old);
}

static void
every_kind(void **state)
{
	static const char *const names[] = { "zstd", "none", "sha256", "sha512", "dictionary", "unpacked-sums", "optional", "signature" };
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct view v = made(names[i]);
		struct delta_result r = rig_makes(FORMAT, v, v, v);
		assert_true(r.from_base > 0 && r.from_patch < 1500);
		rig_makes(FORMAT, v, view_of(NULL, 0), v);
		rig_drop(v);
	}
}

static void
hostile(void **state)
{
	static const struct {
		const char *name;
		enum delta_outcome outcome;
		const char *words;
	} table[] = {
		{ "header-changed", DELTA_MALFORMED, "the header's checksum is another" },
		{ "data-changed", DELTA_MALFORMED, "has another checksum" },
		{ "data-and-sum", DELTA_MALFORMED, "has another checksum" },
		{ "cut", DELTA_MALFORMED, "a chunk does not fit the file" },
		{ "trailing", DELTA_MALFORMED, "8 bytes behind the last chunk" },
		{ "flags", DELTA_MALFORMED, "flags that nobody defined" },
		{ "streams", DELTA_UNSUPPORTED, "several streams of data" },
		{ "signature-cut", DELTA_MALFORMED, "does not end where its signatures do" },
		{ "packing", DELTA_MALFORMED, "how chunks are packed" },
		{ "index-longer", DELTA_MALFORMED, "zchunk: " },
		{ "kind", DELTA_MALFORMED, "no lead" },
		{ "count-huge", DELTA_MALFORMED, "more chunks than" },
		{ "endless-number", DELTA_MALFORMED, "no lead" },
	};
	struct view base = made("zstd");
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct view v = made(table[i].name);
		struct delta_result r = rig_apply(FORMAT, v, view_of(NULL, 0), NULL);
		if (r.outcome != table[i].outcome || !strstr(r.detail, table[i].words))
			fail_msg("%s: %s: %s", table[i].name, delta_outcome_name(r.outcome), r.detail);
		rig_drop(v);
	}
	/* What of the data is damaged is not asked where the base has the chunk. */
	struct view damaged = made("data-changed");
	rig_makes(FORMAT, damaged, base, base);
	rig_drop(damaged);
	rig_drop(base);
}

static void
every_byte(void **state)
{
	struct view v = made("none"), none = view_of(NULL, 0);
	struct delta_result whole = rig_makes(FORMAT, v, none, v);
	uint8_t *p = malloc(v.n);
	(void)state;
	assert_int_equal(whole.target_size, v.n);
	for (size_t i = 0; i < v.n; i += i < 600 ? 1 : 1009) {
		memcpy(p, v.p, v.n);
		p[i] ^= 1;
		assert_int_not_equal(rig_apply(FORMAT, view_of(p, v.n), none, NULL).outcome, DELTA_APPLIED);
	}
	free(p);
	/* Cut anywhere: the header alone is the one length that is something, and it finds no chunk. */
	for (size_t n = 0; n < v.n; n += n < 600 ? 1 : 1009)
		assert_int_not_equal(rig_apply(FORMAT, view_of(v.p, n), none, NULL).outcome, DELTA_APPLIED);
	rig_drop(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_fetched),
		cmocka_unit_test(a_header_alone),
		cmocka_unit_test(a_damaged_base),
		cmocka_unit_test(every_kind),
		cmocka_unit_test(hostile),
		cmocka_unit_test(every_byte),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
