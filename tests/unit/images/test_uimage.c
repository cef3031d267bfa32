/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/images/walk_rig.h"

#define OPEN "COV-UNSIGNED-BYTES "

static void
every_rule_has_its_image(void **state)
{
	static const struct {
		const char *name;
		unsigned members;
		const char *findings;
	} table[] = {
		{ "kernel", 1, OPEN "SIG-ABSENT" },
		{ "gzip", 2, OPEN "SIG-ABSENT" },
		{ "multi", 3, OPEN "SIG-ABSENT" },
		{ "script", 1, OPEN "MEMBER-RUNS SIG-ABSENT" },
		{ "ramdisk", 1, OPEN "SIG-ABSENT" },
		/* Without its checksum it is no uImage at all. */
		{ "header-changed", 0, OPEN "SIG-ABSENT" },
		{ "data-changed", 1, OPEN "FMT-INTEGRITY! SIG-ABSENT" },
		{ "cut", 0, OPEN "FMT-MALFORMED! SIG-ABSENT" },
		{ "trailing", 1, OPEN "FMT-TRAILING-BYTES! SIG-ABSENT" },
		{ "not-gzip", 1, OPEN "FMT-CONFLICT! SIG-ABSENT" },
		{ "name-hides", 1, OPEN "FMT-HIDDEN-BYTES! SIG-ABSENT" },
		{ "multi-hides", 3, OPEN "FMT-HIDDEN-BYTES! SIG-ABSENT" },
		{ "multi-fill", 3, OPEN "FMT-HIDDEN-BYTES! SIG-ABSENT" },
		{ "multi-long", 0, OPEN "FMT-MALFORMED! SIG-ABSENT" },
		{ "multi-endless", 0, OPEN "FMT-MALFORMED! SIG-ABSENT" },
		{ "multi-many", 0, OPEN "FMT-WALK-LIMIT SIG-ABSENT" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		char text[RIG_TEXT_MAX];
		struct view img = rig_made("uimage", table[i].name);
		struct report *r = rig_verify(img, view_of(NULL, 0));
		rig_findings(r, text);
		if (strcmp(text, table[i].findings) != 0 || r->contents.members_n != table[i].members)
			fail_msg("%s: [%s] %u members", table[i].name, text, r->contents.members_n);
		report_free(r);
		rig_drop(img);
	}
}

static void
claims(void **state)
{
	struct view img = rig_made("uimage", "multi");
	struct report *r = rig_verify(img, view_of(NULL, 0));
	(void)state;
	assert_string_equal(rig_value(r, CONTENTS_FACT_BUILD, 0), "Acme 7.1");
	assert_string_equal(rig_value(r, CONTENTS_FACT_TIMESTAMP, 0), "1767225600");
	assert_string_equal(rig_value(r, CONTENTS_FACT_TYPE, 0), "multi");
	const struct contents_fact *build = rig_fact(r, CONTENTS_FACT_BUILD, 0);
	assert_true(build && !build->sure);
	assert_string_equal(r->contents.member[1].path, "file-2");
	assert_int_equal(r->contents.member[1].size, 3);
	report_free(r);
	rig_drop(img);
	img = rig_made("uimage", "gzip");
	r = rig_verify(img, view_of(NULL, 0));
	assert_string_equal(r->contents.member[1].path, "data/content");
	report_free(r);
	rig_drop(img);
}

static void
cut_or_changed(void **state)
{
	struct view img = rig_made("uimage", "multi");
	(void)state;
	rig_flip_every_byte(img, view_of(NULL, 0), 3);
	rig_cut_everywhere(img, view_of(NULL, 0), 5);
	rig_drop(img);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule_has_its_image),
		cmocka_unit_test(claims),
		cmocka_unit_test(cut_or_changed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
