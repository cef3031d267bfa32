/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/images/walk_rig.h"

#define RSA "fit/rsa-2048-pkcs1v15-sha256 "
#define OK RSA "verified"
#define NO RSA "invalid"
#define FREE_BYTES "COV-UNSIGNED-BYTES"
#define REFUSED "fit invalid"

/* The vendor's keys; "other" of the vectors is not among them. */
static struct view
vendor(const char *suffix)
{
	static const char *const names[] = { "dev", "rsa3072", "rsa4096", "ec", "ec384" };
	return rig_vendor("fit", suffix, names, sizeof names / sizeof *names);
}

static void
check_all(const struct rig_expected *e, size_t n, const char *keys)
{
	struct view trust = vendor(keys);
	rig_check_all("fit", "fit", trust, e, n);
	rig_drop(trust);
}
#define CHECK_ALL(table) check_all(table, sizeof table / sizeof *table, "pem")

static void
sound_images_verify(void **state)
{
	static const struct rig_expected table[] = {
		{ "rsa2048", OK, "" },
		{ "rsa3072", "fit/rsa-3072-pkcs1v15-sha256 verified", "" },
		{ "rsa4096", "fit/rsa-4096-pkcs1v15-sha512 verified", "" },
		{ "sha384", "fit/rsa-2048-pkcs1v15-sha384 verified", "" },
		{ "pss", "fit/rsa-2048-pss-sha256 verified", "" },
		{ "ecdsa", "fit/ecdsa-p256-sha256 verified", "" },
		{ "ecdsa384", "fit/ecdsa-p384-sha384 verified", "" },
		{ "external", OK, "" },
		{ "position", OK, "" },
		{ "hashes", OK, "" },
		{ "weak-first", OK, "" },
		{ "both", OK ", " OK ", " OK, "" },
		{ "ramdisk", OK, "" },
		{ "loadables", OK, "" },
		{ "version", OK, "" },
		{ "nested", OK ", inner: " OK, "" },
		/* What is left of the old tree behind the new one, up to the alignment that was asked for. */
		{ "aligned", OK, FREE_BYTES },
		/* Nothing signs which of two configurations is the default. */
		{ "two", OK ", " OK, FREE_BYTES },
		{ "script", OK, "MEMBER-RUNS" },
	};
	(void)state;
	CHECK_ALL(table);
	check_all(table, 5, "crt"); /* the certificate that mkimage took the key from */
}

static void
signatures_that_do_not_count(void **state)
{
	static const struct rig_expected table[] = {
		{ "unsigned", "", FREE_BYTES " SIG-ABSENT" },
		{ "other-key", NO, FREE_BYTES " SIG-INVALID!" },
		{ "sha1-signature", "fit/sha1 weak", FREE_BYTES " SIG-WEAK!" },
		{ "data-and-hash", NO, FREE_BYTES " SIG-INVALID!" },
		{ "load", NO, FREE_BYTES " SIG-INVALID!" },
		{ "description", NO, FREE_BYTES " SIG-INVALID!" },
		{ "timestamp", NO, FREE_BYTES " SIG-INVALID!" },
		{ "value", NO, FREE_BYTES " SIG-INVALID!" },
		{ "value-short", NO, FREE_BYTES " SIG-INVALID!" },
		{ "value-none", REFUSED, FREE_BYTES " SIG-INVALID!" },
		{ "algo-other", "fit/rsa-2048-pkcs1v15-sha512 invalid", FREE_BYTES " SIG-INVALID!" },
		{ "algo-none", "fit opaque", FREE_BYTES " SIG-UNSUPPORTED-SCHEME!" },
		{ "padding-swapped", "fit/rsa-2048-pss-sha256 invalid", FREE_BYTES " SIG-INVALID!" },
		{ "padding-unknown", "fit opaque", FREE_BYTES " SIG-UNSUPPORTED-SCHEME!" },
		/* T15: mkimage's salt is the longest that fits. */
		{ "pss-short-salt", "fit/rsa-2048-pss-sha256 invalid", FREE_BYTES " SIG-INVALID! SIG-PSS-SALT" },
		{ "two-makers", OK ", " NO, FREE_BYTES " SIG-INVALID!" },
	};
	(void)state;
	CHECK_ALL(table);
}

/* What a configuration's signature is over follows from the configuration, and from nothing else. */
static void
what_a_configuration_signs(void **state)
{
	static const struct rig_expected table[] = {
		/* The tool's own default leaves the ramdisk out. */
		{ "not-all-signed", NO, FREE_BYTES " FMT-CONFLICT! SIG-INVALID!" },
		{ "nodes-fewer", OK, FREE_BYTES " FMT-CONFLICT!" },
		{ "nodes-none", OK, FREE_BYTES " FMT-CONFLICT!" },
		{ "nodes-signed-fewer", NO, FREE_BYTES " FMT-CONFLICT! SIG-INVALID!" },
		{ "signature-copied", OK ", " NO, FREE_BYTES " FMT-CONFLICT! SIG-INVALID!" },
		{ "property-added", REFUSED, FREE_BYTES " SIG-INVALID!" },
		{ "property-after-signing", REFUSED, FREE_BYTES " SIG-INVALID!" },
		{ "missing-image", OK, FREE_BYTES " FMT-CONFLICT! MEMBER-MISSING! MEMBER-UNLISTED" },
		{ "strings-none", REFUSED, FREE_BYTES " SIG-INVALID!" },
		{ "strings-beyond", REFUSED, FREE_BYTES " SIG-INVALID!" },
		{ "strings-offset", REFUSED, FREE_BYTES " SIG-INVALID!" },
		{ "strings-nothing", REFUSED, FREE_BYTES " SIG-INVALID!" },
		{ "strings-renamed", NO, FREE_BYTES " SIG-INVALID!" },
		{ "names-many", REFUSED, FREE_BYTES " SIG-INVALID!" },
		{ "unit-address", REFUSED, FREE_BYTES " FMT-MALFORMED! SIG-INVALID!" },
	};
	(void)state;
	CHECK_ALL(table);
}

static void
rules_of_the_tree(void **state)
{
	static const struct rig_expected table[] = {
		{ "twin-node", "", FREE_BYTES " FMT-DUPLICATE! SIG-ABSENT" },
		{ "twin-property", "", FREE_BYTES " FMT-DUPLICATE! SIG-ABSENT" },
		{ "twin-images", "", FREE_BYTES " FMT-DUPLICATE! SIG-ABSENT" },
		{ "second-root", "", FREE_BYTES " FMT-MALFORMED! SIG-ABSENT" },
		{ "nop", "", FREE_BYTES " FMT-MALFORMED! SIG-ABSENT" },
		{ "late-property", "", FREE_BYTES " FMT-MALFORMED! SIG-ABSENT" },
		{ "second-end", "", FREE_BYTES " FMT-HIDDEN-BYTES! SIG-ABSENT" },
		{ "processor", OK, FREE_BYTES " FMT-HIDDEN-BYTES!" },
		{ "reserve", OK, FREE_BYTES " FMT-HIDDEN-BYTES!" },
		{ "between", OK, FREE_BYTES " FMT-HIDDEN-BYTES!" },
		{ "slack", OK, FREE_BYTES },
		{ "slack-long", OK, FREE_BYTES " FMT-HIDDEN-BYTES!" },
		{ "no-description", OK, "FMT-MALFORMED!" },
		{ "comment", OK, FREE_BYTES " FMT-UNKNOWN-PART" },
		{ "trailing", OK, FREE_BYTES " FMT-TRAILING-BYTES!" },
	};
	(void)state;
	CHECK_ALL(table);
}

static void
rules_of_images(void **state)
{
	static const struct rig_expected table[] = {
		{ "data", OK, FREE_BYTES " MEMBER-DIGEST!" },
		{ "crc-only", OK, FREE_BYTES " MEMBER-NO-DIGEST!" },
		{ "sha1-only", OK, FREE_BYTES " MEMBER-NO-DIGEST!" },
		{ "no-hash", OK, FREE_BYTES " FMT-CONFLICT! MEMBER-NO-DIGEST!" },
		{ "ignored-hash", OK, FREE_BYTES " FMT-UNKNOWN-PART MEMBER-NO-DIGEST!" },
		{ "wrong-crc", OK, "FMT-INTEGRITY!" },
		{ "unlisted-image", OK, FREE_BYTES " MEMBER-UNLISTED" },
		/* Signed one by one: kernel and tree of two releases can be put together. */
		{ "images-only", OK ", " OK, FREE_BYTES " SIG-PARTS-ONLY" },
		{ "unsigned-beside", OK, FREE_BYTES " SIG-PARTS-ONLY" },
		{ "external-data", OK, FREE_BYTES " MEMBER-DIGEST!" },
		{ "external-trailing", OK, FREE_BYTES " FMT-TRAILING-BYTES!" },
		{ "external-outside", OK, FREE_BYTES " FMT-HIDDEN-BYTES! FMT-MALFORMED!" },
		{ "external-shared", OK, FREE_BYTES " FMT-CONFLICT! FMT-TRAILING-BYTES!" },
		{ "external-hidden", OK, FREE_BYTES " FMT-HIDDEN-BYTES!" },
		{ "two-places", OK, FREE_BYTES " FMT-CONFLICT! FMT-HIDDEN-BYTES! MEMBER-DIGEST!" },
	};
	(void)state;
	CHECK_ALL(table);
}

static void
claims(void **state)
{
	static const struct {
		enum contents_fact_id id;
		unsigned n;
		const char *value;
		bool sure;
	} due[] = {
		{ CONTENTS_FACT_TIMESTAMP, 0, "1767225600", true },
		{ CONTENTS_FACT_BUILD, 0, "Acme modem host 7.1", true },
		{ CONTENTS_FACT_VERSION, 0, "7.1.3", true },
		{ CONTENTS_FACT_COMPATIBLE, 0, "acme,board-1", true },
		{ CONTENTS_FACT_TYPE, 0, "kernel", true },
		{ CONTENTS_FACT_TYPE, 1, "flat_dt", true },
		{ CONTENTS_FACT_KEY_HINT, 0, "dev", false },
		{ CONTENTS_FACT_NOTE, 0, "signer-name mkimage", false },
	};
	struct view trust = vendor("pem"), none = view_of(NULL, 0), img = rig_made("fit", "version.fit");
	(void)state;
	for (unsigned trusted = 0; trusted < 2; trusted++) {
		struct report *r = rig_verify(img, trusted ? trust : none);
		for (size_t i = 0; i < sizeof due / sizeof *due; i++) {
			const struct contents_fact *f = rig_fact(r, due[i].id, due[i].n);
			assert_string_equal(rig_value(r, due[i].id, due[i].n), due[i].value);
			assert_true(f && f->sure == (trusted && due[i].sure));
		}
		assert_int_equal(r->contents.members_n, 2);
		assert_string_equal(r->contents.member[0].path, "kernel-1");
		assert_int_equal(r->contents.member[0].vouch,
		    trusted ? CONTENTS_VOUCH_DIGEST : CONTENTS_VOUCH_CHECKED);
		report_free(r);
	}
	rig_drop(img);
	rig_drop(trust);
}

/* Words that mkimage writes beside a signature (shown), and padding that it leaves as it was (read by nobody). */
static bool
is_free(struct view img, size_t at)
{
	static const struct {
		const char *from, *to;
	} between[] = { { "/images/fdt-1/hash-1", "mkimage" }, { "sha256,rsa2048", "dev" }, { "data-size", "kernel " } };
	for (size_t i = 0; i < sizeof between / sizeof *between; i++) {
		const uint8_t *from = memmem(img.p, img.n, between[i].from, strlen(between[i].from) + 1);
		const uint8_t *to = from ? memmem(from, img.n - (size_t)(from - img.p), between[i].to,
		                               strlen(between[i].to))
		                         : NULL;
		if (to && img.p + at >= from + strlen(between[i].from) && img.p + at < to + strlen(between[i].to))
			return true;
	}
	return false;
}

static void
every_byte_is_accounted_for(void **state)
{
	static const struct {
		const char *name;
		size_t tree, step; /* every byte up to there, and every step-th */
	} due[] = { { "rsa2048.fit", 96, 61 }, { "external.fit", 1536, 61 }, { "position.fit", 96, 61 } };
	struct view trust = vendor("pem");
	(void)state;
	for (unsigned i = 0; i < sizeof due / sizeof *due; i++) {
		struct view img = rig_made("fit", due[i].name);
		unsigned accepted = 0;
		for (size_t k = 0; k < img.n; k += k < due[i].tree ? 1 : due[i].step) {
			rig_bytes(img)[k] ^= 0x10;
			struct report *r = rig_inspect(img, trust);
			rig_bytes(img)[k] ^= 0x10;
			bool acceptable = report_verdict(r) == REPORT_ACCEPTABLE;
			if (rig_covered(r, k) || (acceptable && !is_free(img, k)))
				fail_msg("%s: byte %zu was changed and nobody has to look", due[i].name, k);
			accepted += acceptable;
			report_free(r);
		}
		/* Name, version and time of the tool, the key's name, and six bytes of padding. */
		assert_true(accepted <= 7 + 7 + 4 + 3 + 6);
		/* The last three bytes only fill up to a multiple of four. */
		rig_cut_everywhere(view_of(img.p, img.n - 3), trust, 53);
		rig_drop(img);
	}
	rig_drop(trust);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_images_verify),
		cmocka_unit_test(signatures_that_do_not_count),
		cmocka_unit_test(what_a_configuration_signs),
		cmocka_unit_test(rules_of_the_tree),
		cmocka_unit_test(rules_of_images),
		cmocka_unit_test(claims),
		cmocka_unit_test(every_byte_is_accounted_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
