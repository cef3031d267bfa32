/* SPDX-License-Identifier: Apache-2.0 */
/* Metadata as the image itself: explained, never verified. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/images/walk_rig.h"

#include "images/tuf.h"

static struct report *
explain(const char *name)
{
	struct view img = rig_made("tuf", name), trust = { NULL, 0 };
	struct report *r = rig_verify(img, trust);
	rig_drop(img);
	assert_int_equal(r->format, FORMAT_TUF);
	assert_true(r->contents.walked);
	assert_int_equal(report_verified(r), 0);
	return r;
}

static void
files_are_explained(void **state)
{
	(void)state;
	static const struct {
		const char *name, *type, *version, *note;
	} rows[] = {
		{ "metadata/1.root.json", "root", "1", "role root needs 2 of 3 keys" },
		{ "metadata/targets.json", "targets", "4", "lists 0 targets, delegates to 2 roles" },
		{ "metadata/role2.json", "targets", "2", "lists 1 targets, delegates to 0 roles" },
		{ "metadata/snapshot.json", "snapshot", "5", "" },
		{ "metadata/timestamp.json", "timestamp", "6", "" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct report *r = explain(rows[i].name);
		assert_string_equal(rig_value(r, CONTENTS_FACT_TYPE, 0), rows[i].type);
		assert_string_equal(rig_value(r, CONTENTS_FACT_VERSION, 0), rows[i].version);
		assert_string_equal(rig_value(r, CONTENTS_FACT_EXPIRES, 0), "2524521600");
		assert_string_equal(rig_value(r, CONTENTS_FACT_NOTE, 0), rows[i].note);
		for (unsigned k = 0; k < r->contents.facts_n; k++)
			assert_false(r->contents.fact[k].sure);
		assert_string_equal(r->signatures.result[0].scheme, "tuf/metadata");
		assert_int_equal(r->signatures.result[0].outcome, SIG_UNTRUSTED);
		report_free(r);
	}
}

static void
a_root_that_its_own_keys_did_not_sign_is_told(void **state)
{
	(void)state;
	struct report *r = explain("anchor/unsigned.json");
	assert_true(report_has(r, FINDING_SIG_THRESHOLD));
	report_free(r);
	r = explain("anchor/root.json");
	assert_false(report_has(r, FINDING_SIG_THRESHOLD));
	report_free(r);
}

static void
what_is_no_metadata_is_malformed(void **state)
{
	(void)state;
	struct view text = view_str("{\"signatures\":[],\"signed\":{\"_type\":\"root\"}}"), trust = { NULL, 0 };
	struct report *r = rig_verify(text, trust);
	assert_int_equal(r->format, FORMAT_TUF);
	assert_true(report_has(r, FINDING_FMT_MALFORMED));
	report_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_explained),
		cmocka_unit_test(a_root_that_its_own_keys_did_not_sign_is_told),
		cmocka_unit_test(what_is_no_metadata_is_malformed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
