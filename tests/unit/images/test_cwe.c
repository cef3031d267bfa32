/* SPDX-License-Identifier: Apache-2.0 */
/* Sierra Wireless' images (tests/vectors/cwe.py, constructed): what is in them, and that no flag lifts what nobody signed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/images/walk_rig.h"

#define NOBODY "COV-UNSIGNED-BYTES " /* nothing ever covers a byte of them */

static void
check_all(const struct rig_expected *e, size_t n)
{
	const struct view nobody[1] = { { NULL, 0 } };
	struct view trust = rig_trust(nobody);
	rig_check_all("cwe", "cwe", trust, e, n);
	rig_drop(trust);
}
#define CHECK_ALL(table) check_all(table, sizeof table / sizeof *table)

static void
images_in_images(void **state)
{
	static const struct rig_expected table[] = {
		{ "one", "", NOBODY "SIG-ABSENT" },
		{ "package", "", NOBODY "SIG-ABSENT" },
		{ "two-packages", "", NOBODY "SIG-ABSENT" },
		{ "own-words", "", NOBODY "SIG-ABSENT" },
		{ "empty", "", NOBODY "SIG-ABSENT" },
		{ "signed", "sierra-cwe opaque", NOBODY "SIG-UNSUPPORTED-SCHEME!" },
		{ "signed-inside", "1-MODM: sierra-cwe opaque", NOBODY "SIG-ABSENT SIG-UNSUPPORTED-SCHEME!" },
		{ "delta", "", NOBODY "FMT-DELTA SIG-ABSENT" },
		{ "encrypted", "", NOBODY "FMT-ENCRYPTED SIG-ABSENT" },
		{ "packed", "", NOBODY "SIG-ABSENT" },
	};
	(void)state;
	CHECK_ALL(table);
}

static void
what_does_not_fit_is_told(void **state)
{
	static const struct rig_expected table[] = {
		{ "options", "", NOBODY "FMT-UNKNOWN-PART SIG-ABSENT" },
		{ "changed", "", NOBODY "FMT-INTEGRITY! SIG-ABSENT" },
		{ "changed-inside", "", NOBODY "FMT-INTEGRITY! SIG-ABSENT" },
		{ "cut", "", NOBODY "FMT-MALFORMED! SIG-ABSENT" },
		{ "cut-inside", "", NOBODY "FMT-MALFORMED! SIG-ABSENT" },
		{ "hidden", "", NOBODY "FMT-HIDDEN-BYTES! SIG-ABSENT" },
		{ "trailing", "", NOBODY "FMT-TRAILING-BYTES! SIG-ABSENT" },
		{ "deep", "", NOBODY "FMT-WALK-LIMIT SIG-ABSENT" },
		{ "many", "", NOBODY "FMT-WALK-LIMIT SIG-ABSENT" },
		/* No header: any bytes, under the policy for those. */
		{ "own-changed", "", NOBODY "SIG-ABSENT" },
		{ "revision", "", NOBODY "SIG-ABSENT" },
		{ "type", "", NOBODY "SIG-ABSENT" },
	};
	(void)state;
	CHECK_ALL(table);
}

static void
members_and_claims(void **state)
{
	static const char *const paths[] = { "1-BOOT", "1-BOOT/1-SBL1", "1-BOOT/1-SBL1/payload", "1-BOOT/2-QPAR",
		"1-BOOT/2-QPAR/payload", "2-APPS", "2-APPS/payload" };
	struct view img = rig_made("cwe", "package.cwe"), nobody = { NULL, 0 };
	struct report *r = rig_verify(img, nobody);
	(void)state;
	assert_int_equal(r->format, FORMAT_SIERRA_CWE);
	assert_int_equal(r->contents.members_n, sizeof paths / sizeof *paths);
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		assert_string_equal(r->contents.member[i].path, paths[i]);
	assert_int_equal(r->contents.member[6].format, FORMAT_ELF);
	assert_string_equal(rig_value(r, CONTENTS_FACT_TYPE, 0), "SPKG");
	assert_string_equal(rig_value(r, CONTENTS_FACT_COMPATIBLE, 0), "9X30");
	assert_string_equal(rig_value(r, CONTENTS_FACT_VERSION, 0), "SWI9X30C_02.24.05.06");
	assert_string_equal(rig_value(r, CONTENTS_FACT_BUILD, 0), "06/20/17");
	assert_false(r->contents.fact[0].sure);
	report_free(r);
	rig_drop(img);
	img = rig_made("cwe", "two-packages.cwe");
	r = rig_verify(img, nobody);
	assert_string_equal(r->contents.member[r->contents.members_n - 2].path, "2-FILE");
	report_free(r);
	rig_drop(img);
}

/* Under its checksums each byte of the images shows; a header shows as its own words do. */
static void
changed_bytes_are_told(void **state)
{
	struct view img = rig_made("cwe", "package.cwe"), nobody = { NULL, 0 };
	(void)state;
	for (size_t i = 400; i < img.n; i += 3) {
		rig_bytes(img)[i] ^= 1;
		struct report *r = rig_inspect(img, nobody);
		assert_true(report_has(r, FINDING_FMT_INTEGRITY));
		report_free(r);
		rig_bytes(img)[i] ^= 1;
	}
	for (size_t n = 0; n < img.n; n += n < 500 ? 1 : 37) {
		struct report *r = rig_inspect(view_of(img.p, n), nobody);
		assert_true(n < 400 ? r->format == FORMAT_RAW || n == 0 : report_has(r, FINDING_FMT_MALFORMED));
		report_free(r);
	}
	rig_drop(img);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(images_in_images),
		cmocka_unit_test(what_does_not_fit_is_told),
		cmocka_unit_test(members_and_claims),
		cmocka_unit_test(changed_bytes_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
