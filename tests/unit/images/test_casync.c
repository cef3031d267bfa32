/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "images/casync.h"
#include "tests/unit/images/walk_rig.h"

static const struct view nobody;

static void
genuine(void **state)
{
	(void)state;
	static const struct {
		const char *file, *bytes;
	} made[] = { { "blob.caibx", "a blob of 1500000 bytes in " }, { "tree.caidx", "a tree of " },
		{ "tree.caidx", " chunks, kept elsewhere and named by their SHA-512/256" }, { "cut-sha256.caibx", " named by their SHA-256" } };
	for (unsigned i = 0; i < sizeof made / sizeof *made; i++) {
		struct view img = rig_made("casync", made[i].file);
		struct report *r = rig_verify(img, nobody);
		const struct contents_fact *f = rig_fact(r, CONTENTS_FACT_REQUIRES, 0);
		assert_int_equal(r->format, FORMAT_CASYNC_INDEX);
		assert_int_equal(report_verdict(r), REPORT_REVIEW);
		assert_int_equal(r->findings[FINDING_FMT_DELTA].count, 1);
		assert_false(report_has(r, FINDING_FMT_WALK_LIMIT));
		assert_false(report_has(r, FINDING_FMT_MALFORMED));
		assert_non_null(f);
		assert_true(f && strstr(f->value, made[i].bytes) && !f->sure);
		report_free(r);
		rig_drop(img);
	}
}

static void
bad(size_t at, uint8_t flip, size_t cut)
{
	struct view img = rig_made("casync", "blob.caibx");
	rig_bytes(img)[at < img.n ? at : img.n - 1] ^= flip;
	struct report *r = rig_verify(view_of(img.p, img.n - cut), nobody);
	if (!report_has(r, FINDING_FMT_MALFORMED) || report_verdict(r) != REPORT_BLOCKED)
		fail_msg("byte %zu, %zu cut", at, cut);
	report_free(r);
	rig_drop(img);
}

static void
bent(void **state)
{
	(void)state;
	bad(31, 1, 0);        /* the least is more than the most */
	bad(47, 1, 0);        /* the most is more than casync's own bound */
	bad(48, 1, 0);        /* no table */
	bad(64 + 7, 1, 0);    /* the first chunk ends far away */
	bad(64 + 40 + 2, 0xff, 0);
	bad(SIZE_MAX, 1, 0);  /* the mark at the end */
	bad(0, 0, 1);
	bad(0, 0, 40);
	bad(0, 0, 80);
}

/* Every cut and every flip ends with a word. */
static void
cut_and_flipped(void **state)
{
	(void)state;
	struct view img = rig_made("casync", "blob.caibx");
	rig_cut_everywhere(img, nobody, 7);
	rig_flip_every_byte(img, nobody, 3);
	rig_drop(img);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(genuine),
		cmocka_unit_test(bent),
		cmocka_unit_test(cut_and_flipped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
