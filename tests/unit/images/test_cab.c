/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "images/cab.h"
#include "unit/images/walk_rig.h"

#define P7 "cab/pkcs7 "
#define GPG "cab/openpgp "
#define ED "cab/ed25519 "
#define OK "verified"
#define META "firmware.metainfo.xml: "
#define FW "firmware.bin: "
#define LOOSE "COV-UNSIGNED-BYTES "

/* The vendor's root, a bare key, and an OpenPGP key. */
static struct view
vendor(void)
{
	struct view pems[] = { rig_made("cert", "root.pem"), rig_made("key", "ed25519.pub"),
		rig_made("cab", "vendor.key"), { NULL, 0 } };
	struct view trust = rig_trust(pems);
	for (unsigned i = 0; i < 3; i++)
		rig_drop(pems[i]);
	return trust;
}

struct expected {
	const char *name;
	const char *signatures;
	const char *findings; /* warnings, and blocks with their mark */
};

static void
check_all(const struct expected *e, size_t n)
{
	struct view trust = vendor();
	bool bad = false;
	for (; n > 0; n--, e++) {
		char file[48], signatures[RIG_TEXT_MAX], findings[RIG_TEXT_MAX];
		snprintf(file, sizeof file, "%s.cab", e->name);
		struct view img = rig_made("cab", file);
		struct report *r = rig_verify(img, trust);
		rig_signatures(r, signatures);
		rig_findings(r, findings);
		if (strcmp(signatures, e->signatures) != 0 || !rig_is(findings, e->findings)) {
			print_message("%s: [%s] [%s]\n", e->name, signatures, findings);
			bad = true;
		}
		report_free(r);
		rig_drop(img);
	}
	rig_drop(trust);
	assert_false(bad);
}
#define CHECK_ALL(table) check_all(table, sizeof table / sizeof *table)

static void
signed_archives_verify(void **state)
{
	static const struct expected table[] = {
		{ "plain", P7 OK ", " FW P7 OK, "" },
		{ "stored", P7 OK ", " FW P7 OK, "" },
		{ "folders", P7 OK ", " FW P7 OK, "" },
		{ "checksums", P7 OK ", " FW P7 OK, "" },
		{ "ed25519", ED OK ", " FW ED OK, "" },
		{ "target", ED OK ", " FW ED OK, "" },
		{ "gpg", GPG OK ", " FW GPG OK, "" },
		{ "two-signatures", P7 OK ", " FW P7 OK ", " FW GPG OK, "" },
		{ "beside", GPG OK, "" },
		{ "beside-pkcs7", P7 OK, "" },
		{ "by-metadata", P7 OK, "" },
	};
	(void)state;
	CHECK_ALL(table);
}

static void
what_is_not_signed_does_not(void **state)
{
	static const struct expected table[] = {
		{ "checksum-alone", "", LOOSE "MEMBER-UNLISTED SIG-ABSENT" },
		{ "no-checksum", META P7 OK, LOOSE "MEMBER-NO-DIGEST! SIG-ABSENT" },
		{ "no-jcat", "", LOOSE "SIG-ABSENT" },
		{ "other-firmware", META P7 OK, LOOSE "MEMBER-DIGEST! MEMBER-NO-DIGEST! MEMBER-UNLISTED SIG-ABSENT" },
		{ "wrong-checksum", META P7 OK, LOOSE "MEMBER-DIGEST! MEMBER-NO-DIGEST! SIG-ABSENT" },
		{ "one-checksum-wrong", META P7 OK, LOOSE "MEMBER-DIGEST! MEMBER-NO-DIGEST! SIG-ABSENT" },
		{ "signature-of-another", META P7 OK ", " FW P7 "invalid", LOOSE "SIG-ABSENT SIG-INVALID!" },
		{ "other-vendor", META P7 OK ", " FW P7 "untrusted", LOOSE "SIG-ABSENT SIG-UNTRUSTED!" },
		{ "expired", META P7 OK ", " FW P7 "expired", LOOSE "SIG-ABSENT SIG-EXPIRED!" },
		{ "names-swapped", "", LOOSE "MEMBER-DIGEST! MEMBER-NO-DIGEST! MEMBER-UNLISTED SIG-ABSENT" },
		{ "alias", META P7 OK, LOOSE "FMT-UNKNOWN-PART MEMBER-MISSING! SIG-ABSENT" },
		{ "alias-too", META P7 OK ", " FW P7 OK, LOOSE "FMT-UNKNOWN-PART SIG-ABSENT" },
		{ "item-twice", "", LOOSE "FMT-MALFORMED! SIG-ABSENT" },
		{ "item-without-file", META P7 OK ", " FW P7 OK, LOOSE "MEMBER-MISSING! SIG-ABSENT" },
		{ "unlisted", META P7 OK ", " FW P7 OK, LOOSE "MEMBER-UNLISTED SIG-ABSENT" },
		{ "unknown-kind", META P7 OK ", " FW P7 OK, LOOSE "FMT-UNKNOWN-PART SIG-ABSENT" },
		{ "unknown-word", FW P7 OK, LOOSE "FMT-UNKNOWN-PART SIG-ABSENT" },
		{ "version-1", "", LOOSE "FMT-MALFORMED! SIG-ABSENT" },
		{ "metadata-lies", P7 OK ", " FW P7 OK, "MEMBER-DIGEST!" },
		{ "metadata-doctype", P7 OK ", " FW P7 OK, "FMT-MALFORMED!" },
		{ "metadata-entity", P7 OK ", " FW P7 OK, "FMT-MALFORMED!" },
		{ "metadata-cdata", P7 OK ", " FW P7 OK, "FMT-MALFORMED!" },
		{ "metadata-cut", P7 OK ", " FW P7 OK, "FMT-MALFORMED!" },
		{ "metadata-two-roots", P7 OK ", " FW P7 OK, "FMT-MALFORMED!" },
		{ "two-jcats", FW P7 OK, LOOSE "FMT-CONFLICT! FMT-UNKNOWN-PART SIG-ABSENT" },
		{ "jcat-and-more", "", LOOSE "FMT-MALFORMED! SIG-ABSENT" },
		{ "jcat-bomb", "", LOOSE "FMT-MALFORMED! SIG-ABSENT" },
		{ "duplicate", FW P7 OK, LOOSE "FMT-DUPLICATE! MEMBER-DIGEST! MEMBER-NO-DIGEST! MEMBER-UNLISTED SIG-ABSENT" },
		{ "unsafe-name", P7 OK, "MEMBER-UNSAFE-NAME!" },
		{ "text-around", META P7 OK ", " FW P7 "invalid", LOOSE "SIG-ABSENT SIG-INVALID!" },
		{ "target-sha1", META P7 OK, LOOSE "FMT-UNKNOWN-PART SIG-ABSENT" },
		{ "beside-wrong", FW GPG "invalid", LOOSE "SIG-ABSENT SIG-INVALID!" },
		{ "stranger", META P7 OK ", " FW P7 OK ", " FW P7 "untrusted", LOOSE "SIG-ABSENT SIG-UNTRUSTED!" },
		{ "beside-stranger", FW P7 OK ", " FW P7 "untrusted", LOOSE "SIG-ABSENT SIG-UNTRUSTED!" },
		{ "runs", P7 OK ", " FW P7 OK, "MEMBER-RUNS" },
		{ "gpg-comment", GPG OK ", " FW GPG OK, "FMT-UNKNOWN-PART" },
		{ "gpg-subpacket", GPG OK ", " FW GPG OK, "FMT-UNKNOWN-PART" },
		{ "gzip-name", META P7 OK ", " FW P7 OK, LOOSE "FMT-UNKNOWN-PART SIG-ABSENT" },
		{ "hidden-attribute", P7 OK ", " FW P7 OK, "FMT-UNKNOWN-PART" },
		{ "behind", P7 OK ", " FW P7 OK, LOOSE "FMT-TRAILING-BYTES!" },
		{ "gap", "", LOOSE "FMT-HIDDEN-BYTES! SIG-ABSENT" },
		{ "wrong-sum", "", LOOSE "FMT-INTEGRITY! SIG-ABSENT" },
		{ "inside-a-block", "", LOOSE "FMT-INTEGRITY! SIG-ABSENT" },
		{ "reserved-areas", "", LOOSE "FMT-UNKNOWN-PART SIG-ABSENT" },
		{ "of-a-set", "", LOOSE "FMT-UNKNOWN-PART SIG-ABSENT" },
		{ "lzx", "", LOOSE "FMT-UNKNOWN-PART SIG-ABSENT" },
		{ "too-short", "", LOOSE "SIG-ABSENT" },
	};
	(void)state;
	CHECK_ALL(table);
}

static const struct contents_member *
member(const struct report *r, const char *path)
{
	for (unsigned i = 0; i < r->contents.members_n; i++)
		if (strcmp(r->contents.member[i].path, path) == 0)
			return &r->contents.member[i];
	fail_msg("%s is not listed", path);
	abort();
}

static void
members_and_claims_are_told(void **state)
{
	struct view trust = vendor(), img = rig_made("cab", "plain.cab");
	struct report *r = rig_verify(img, trust);
	static const struct {
		enum contents_fact_id id;
		const char *value;
	} claims[] = {
		{ CONTENTS_FACT_BUILD, "com.example.Modem.firmware" },
		{ CONTENTS_FACT_COMPATIBLE, "84f40464-9272-4ef7-9399-cd95f12da696" },
		{ CONTENTS_FACT_VERSION, "1.2.3" }, { CONTENTS_FACT_TIMESTAMP, "1700000000" },
		{ CONTENTS_FACT_NOTE, "urgency high" },
		{ CONTENTS_FACT_REQUIRES, "org.freedesktop.fwupd ge 1.0.1" },
	};
	(void)state;
	assert_int_equal(r->format, FORMAT_CAB);
	assert_int_equal(r->contents.members_total, 3);
	assert_int_equal(member(r, "firmware.bin")->vouch, CONTENTS_VOUCH_DIGEST);
	assert_int_equal(member(r, "firmware.bin")->size, 70000);
	assert_int_equal(member(r, "firmware.jcat")->vouch, CONTENTS_VOUCH_NONE);
	assert_int_equal(r->signatures.result[0].covers_n, 1);
	for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
		bool told = false;
		for (unsigned k = 0; k < r->contents.facts_n; k++)
			told |= r->contents.fact[k].id == claims[i].id && r->contents.fact[k].sure &&
			        strcmp(r->contents.fact[k].value, claims[i].value) == 0;
		if (!told)
			fail_msg("not told: %s", claims[i].value);
	}
	report_free(r);
	rig_drop(img);
	rig_drop(trust);
}

/* Date and time of the entries are nobody's word, and nobody reads them: the one thing that may change. */
static bool
is_date(struct view img, size_t at)
{
	size_t entry = 44; /* header and one folder */
	for (unsigned i = 0; i < 3; i++) {
		if (at >= entry + 10 && at < entry + 14)
			return true;
		entry += 16 + strlen((const char *)img.p + entry + 16) + 1;
	}
	return false;
}

static void
no_changed_byte_is_accepted(void **state)
{
	struct view trust = vendor(), img = rig_made("cab", "plain.cab");
	(void)state;
	for (size_t i = 0; i < img.n; i += i < 200 ? 1 : 41)
		if (!is_date(img, i))
			rig_flip(img, trust, i, i + 1, 1);
	rig_cut_everywhere(img, trust, 197);
	rig_drop(img);
	rig_drop(trust);
}

/* What an attacker packs to cost time: the total that comes out is bounded before anything does. */
static void
a_bomb_is_not_unpacked(void **state)
{
	struct view trust = vendor(), img = rig_made("cab", "jcat-bomb.cab");
	struct report *r = rig_verify(img, trust);
	(void)state;
	assert_true(report_has(r, FINDING_FMT_MALFORMED));
	assert_int_equal(r->signatures.n, 0);
	report_free(r);
	rig_drop(img);
	rig_drop(trust);
}

static void
a_jcat_file_alone_signs_nothing(void **state)
{
	struct view trust = vendor(), img = rig_made("cab", "alone.jcat");
	struct report *r = rig_verify(img, trust);
	(void)state;
	assert_int_equal(r->format, FORMAT_JCAT);
	assert_int_equal(r->signatures.n, 0);
	assert_string_equal(rig_value(r, CONTENTS_FACT_NOTE, 0), "signatures of firmware.bin");
	assert_int_not_equal(report_verdict(r), REPORT_ACCEPTABLE);
	report_free(r);
	rig_drop(img);
	rig_drop(trust);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signed_archives_verify),
		cmocka_unit_test(what_is_not_signed_does_not),
		cmocka_unit_test(members_and_claims_are_told),
		cmocka_unit_test(no_changed_byte_is_accepted),
		cmocka_unit_test(a_bomb_is_not_unpacked),
		cmocka_unit_test(a_jcat_file_alone_signs_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
