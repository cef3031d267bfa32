/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/images/walk_rig.h"

#define PSS "mbn/rsa-pss-sha256 "
#define EC "mbn/ecdsa-der-sha384 "
#define FREE_BYTES "COV-UNSIGNED-BYTES "

/* The vendor's two roots; the root of "other" is not among them. */
static struct view
vendor(void)
{
	static const char *const names[] = { "rsa", "ec" };
	return rig_vendor("mbn", "pem", names, sizeof names / sizeof *names);
}

static void
images_against_the_vendors_roots(void **state)
{
	static const struct rig_expected table[] = {
		{ "pss", PSS "verified", "" },
		{ "pkcs1", "mbn/rsa-pkcs1v15-sha256 verified", "" },
		{ "v5", PSS "verified", "" },
		{ "wide", PSS "verified", "" },
		{ "plain", PSS "verified", "" },
		/* Metadata is signed, and its form is not public. */
		{ "p384", EC "verified", "FMT-UNKNOWN-PART" },
		{ "v7", EC "verified", "FMT-UNKNOWN-PART" },
		{ "two-signers", PSS "verified, mbn/qualcomm opaque", FREE_BYTES "SIG-UNSUPPORTED-SCHEME" },
		/* Without its root the chain still ends at the trust set's; its last link is not closed in the file. */
		{ "no-root", PSS "verified", "COV-UNSIGNED-BYTES" },
		{ "other", PSS "untrusted", FREE_BYTES "SIG-UNTRUSTED!" },
		{ "unsigned", "", FREE_BYTES "SIG-ABSENT" },
		/* What fits in no public way may be an older chip's, or nobody's: not verified either way. */
		{ "wrong-salt", "mbn opaque", FREE_BYTES "SIG-UNSUPPORTED-SCHEME!" },
		{ "no-leaf", "mbn opaque", FREE_BYTES "SIG-UNSUPPORTED-SCHEME!" },
		{ "changed-signature", "mbn opaque", FREE_BYTES "SIG-UNSUPPORTED-SCHEME!" },
		{ "changed-table", "mbn opaque", FREE_BYTES "MEMBER-DIGEST! SIG-UNSUPPORTED-SCHEME!" },
		/* The signature fits it, but it is not spelt as DER is. */
		{ "ber-leaf", "mbn invalid", FREE_BYTES "SIG-INVALID!" },
		{ "junk-chain", "mbn invalid", FREE_BYTES "SIG-INVALID!" },
		/* T20: the signature is over hashes, and each hash over a segment. */
		{ "changed-code", PSS "verified", FREE_BYTES "MEMBER-DIGEST!" },
		{ "changed-header", PSS "verified", FREE_BYTES "MEMBER-DIGEST!" },
		{ "no-headers", PSS "verified", FREE_BYTES "MEMBER-NO-DIGEST!" },
		{ "no-hash", PSS "verified", FREE_BYTES "MEMBER-NO-DIGEST!" },
		{ "own-hash", PSS "verified", "FMT-CONFLICT!" },
		{ "hidden-gap", PSS "verified", FREE_BYTES "FMT-HIDDEN-BYTES!" },
		{ "hidden-end", PSS "verified", FREE_BYTES "FMT-HIDDEN-BYTES!" },
		{ "trailing", PSS "verified", FREE_BYTES "FMT-TRAILING-BYTES!" },
		{ "two-tables", "", FREE_BYTES "FMT-DUPLICATE! SIG-ABSENT" },
		{ "short-table", "", FREE_BYTES "FMT-MALFORMED! SIG-ABSENT" },
		{ "huge-table", "", FREE_BYTES "FMT-MALFORMED! SIG-ABSENT" },
		{ "beyond", "", FREE_BYTES "FMT-MALFORMED! SIG-ABSENT" },
		{ "overlap", "", FREE_BYTES "FMT-CONFLICT! SIG-ABSENT" },
		{ "total", "", FREE_BYTES "FMT-CONFLICT! SIG-ABSENT" },
		{ "version-9", "", FREE_BYTES "FMT-UNKNOWN-PART SIG-ABSENT" },
	};
	struct view trust = vendor();
	(void)state;
	rig_check_all("mbn", "mbn", trust, table, sizeof table / sizeof *table);
	rig_drop(trust);
}

/* What the attestation certificate says, sure only when its chain and its signature hold. */
static void
claims(void **state)
{
	static const struct {
		enum contents_fact_id id;
		const char *value;
	} due[] = {
		{ CONTENTS_FACT_TYPE, "01 0000000500000012 SW_ID" },
		{ CONTENTS_FACT_SECURITY_COUNTER, "5" },
		{ CONTENTS_FACT_COMPATIBLE, "02 007050E100290000 HW_ID" },
		{ CONTENTS_FACT_NOTE, "03 0000000000000002 DEBUG" },
	};
	struct view trust = vendor(), img = rig_made("mbn", "pss.mbn"), none = view_of(NULL, 0);
	(void)state;
	for (unsigned trusted = 0; trusted < 2; trusted++) {
		struct report *r = rig_verify(img, trusted ? trust : none);
		for (size_t i = 0; i < sizeof due / sizeof *due; i++) {
			const struct contents_fact *f = rig_fact(r, due[i].id, 0);
			assert_string_equal(rig_value(r, due[i].id, 0), due[i].value);
			assert_true(f && f->sure == trusted);
		}
		report_free(r);
	}
	rig_drop(img);
	rig_drop(trust);
}

static void
every_byte_is_accounted_for(void **state)
{
	static const char *const names[] = { "pss.mbn", "plain.mbn" };
	struct view trust = vendor();
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct view img = rig_made("mbn", names[i]);
		rig_flip_every_byte(img, trust, 17);
		rig_flip_range(img, trust, 0, 64);
		rig_cut_everywhere(img, trust, 67);
		rig_drop(img);
	}
	rig_drop(trust);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(images_against_the_vendors_roots),
		cmocka_unit_test(claims),
		cmocka_unit_test(every_byte_is_accounted_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
