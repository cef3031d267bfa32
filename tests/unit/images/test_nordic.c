/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/images/walk_rig.h"

#define SCHEME "nordic-modem/cose-sign1-rsa-2048-pss-sha256 "
#define FREE_BYTES "COV-UNSIGNED-BYTES "

static struct view
trust_of(const char *name)
{
	return rig_vendor("nordic", "pem", &name, 1);
}

static void
images_against_the_makers_key(void **state)
{
	static const struct rig_expected table[] = {
		{ "good", SCHEME "verified", "" },
		{ "many", SCHEME "verified", "" },
		{ "other", SCHEME "invalid", FREE_BYTES "SIG-INVALID!" },
		/* T15: the salt is 32 bytes. */
		{ "wrong-salt", SCHEME "invalid", FREE_BYTES "SIG-INVALID!*" },
		/* T20: the signature is over the manifest, and the manifest over the segments. */
		{ "wrong-hash", SCHEME "verified", FREE_BYTES "MEMBER-DIGEST!" },
		{ "changed-segment", SCHEME "verified", FREE_BYTES "MEMBER-DIGEST!" },
		{ "trailing", SCHEME "verified", FREE_BYTES "FMT-TRAILING-BYTES!" },
		{ "cut", SCHEME "verified", FREE_BYTES "FMT-MALFORMED!" },
		{ "huge", SCHEME "verified", FREE_BYTES "FMT-MALFORMED!" },
		{ "short-hash", "", FREE_BYTES "FMT-MALFORMED! SIG-ABSENT" },
		{ "changed-manifest", "", FREE_BYTES "FMT-MALFORMED! SIG-ABSENT" },
		{ "no-segments", "", FREE_BYTES "FMT-MALFORMED! SIG-ABSENT" },
		{ "odd-segments", "", FREE_BYTES "FMT-MALFORMED! SIG-ABSENT" },
		{ "too-many", "", FREE_BYTES "FMT-MALFORMED! SIG-ABSENT" },
		{ "past-u32", "", FREE_BYTES "FMT-MALFORMED! SIG-ABSENT" },
		{ "long-form", "", FREE_BYTES "FMT-MALFORMED! SIG-ABSENT" },
		{ "not-a-manifest", "", FREE_BYTES "FMT-MALFORMED! SIG-ABSENT" },
		{ "short-signature", "", FREE_BYTES "FMT-MALFORMED! SIG-ABSENT" },
	};
	struct view trust = trust_of("maker");
	(void)state;
	rig_check_all("nordic", "cbor", trust, table, sizeof table / sizeof *table);
	rig_drop(trust);
}

/* The maker's key is published nowhere: without it there is a signature, and nobody who vouches. */
static void
without_the_makers_key_it_is_a_strangers(void **state)
{
	char text[RIG_TEXT_MAX];
	struct view img = rig_made("nordic", "good.cbor");
	(void)state;
	struct report *r = rig_verify(img, view_of(NULL, 0));
	rig_signatures(r, text);
	assert_string_equal(text, SCHEME "untrusted");
	assert_int_equal(report_verdict(r), REPORT_BLOCKED);
	assert_int_equal(r->contents.member[0].vouch, CONTENTS_VOUCH_CHECKED);
	report_free(r);
	rig_drop(img);
}

static void
claims(void **state)
{
	struct view img = rig_made("nordic", "good.cbor"), trust = trust_of("maker");
	(void)state;
	struct report *r = rig_verify(img, trust);
	assert_string_equal(rig_value(r, CONTENTS_FACT_TYPE, 0), "full modem firmware");
	assert_string_equal(rig_value(r, CONTENTS_FACT_NOTE, 0), "manifest of version 1, compat 0");
	assert_string_equal(rig_value(r, CONTENTS_FACT_NOTE, 2), "segment 1: 256 bytes for address 0x00050000");
	assert_int_equal(r->contents.member[0].vouch, CONTENTS_VOUCH_DIGEST);
	report_free(r);
	rig_drop(img);
	rig_drop(trust);
}

static void
every_byte_is_accounted_for(void **state)
{
	struct view img = rig_made("nordic", "good.cbor"), trust = trust_of("maker");
	(void)state;
	rig_flip_every_byte(img, trust, 1);
	rig_cut_everywhere(img, trust, 3);
	rig_drop(img);
	rig_drop(trust);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(images_against_the_makers_key),
		cmocka_unit_test(without_the_makers_key_it_is_a_strangers),
		cmocka_unit_test(claims),
		cmocka_unit_test(every_byte_is_accounted_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
