/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/images/walk_rig.h"

#define P256 "mcuboot/ecdsa-p256-sha256 "
#define P256_OK P256 "verified"
#define FREE_BYTES "COV-UNSIGNED-BYTES " /* a signature nobody trusts, or a part that none covers */
#define SWAP FREE_BYTES "FMT-UNKNOWN-PART" /* a trailer by which anyone asks the bootloader for something */

/* The vendor's keys; "other" and "p224" of the vectors are not among them. */
static struct view
vendor(void)
{
	static const char *const names[] = { "rsa2048", "rsa3072", "p256", "p384", "ed25519" };
	return rig_vendor("mcuboot", "pem", names, sizeof names / sizeof *names);
}

static void
check_all(const struct rig_expected *e, size_t n)
{
	struct view trust = vendor();
	rig_check_all("mcuboot", "bin", trust, e, n);
	rig_drop(trust);
}
#define CHECK_ALL(table) check_all(table, sizeof table / sizeof *table)

static void
sound_images_verify(void **state)
{
	static const struct rig_expected table[] = {
		{ "rsa2048", "mcuboot/rsa-2048-pss-sha256 verified", "" },
		{ "rsa3072", "mcuboot/rsa-3072-pss-sha256 verified", "" },
		{ "p256", P256_OK, "" },
		{ "p384", "mcuboot/ecdsa-p384-sha384 verified", "" },
		{ "ed25519", "mcuboot/ed25519-sha256 verified", "" },
		{ "ed25519-sha512", "mcuboot/ed25519-sha512 verified", "" },
		{ "ed25519-pure", "mcuboot/ed25519-pure verified", "" },
		{ "pubkey", "mcuboot/rsa-2048-pss-sha256 verified", "" },
		{ "pubkey-p256", P256_OK, "" },
		{ "no-hint", P256_OK, "" },
		{ "padded-p256", P256_OK, "" },
		{ "claims", P256_OK, "" },
		{ "pad-only", P256_OK, "" },
		{ "zero-only", P256_OK, "" },
		{ "pair", P256_OK ", image-2: mcuboot/ed25519-sha256 verified", "" },
	};
	(void)state;
	CHECK_ALL(table);
}

/* Sound, and still something for a person to look at. */
static void
free_bytes_are_told(void **state)
{
	static const struct rig_expected table[] = {
		{ "two", "mcuboot/ed25519-sha256 untrusted, mcuboot/ed25519-sha256 verified",
		    FREE_BYTES "SIG-UNTRUSTED" },
		{ "pad", P256_OK, SWAP },
		{ "pad-zero", P256_OK, SWAP },
		{ "pad-wide", P256_OK, SWAP },
		{ "confirmed", P256_OK, SWAP },
		{ "clear", P256_OK, "COV-UNSIGNED-BYTES" },
		{ "vendor", P256_OK, "FMT-UNKNOWN-PART" },
		{ "flags", P256_OK, "FMT-UNKNOWN-PART" },
		{ "pad-word", P256_OK, "FMT-UNKNOWN-PART" },
	};
	(void)state;
	CHECK_ALL(table);
}

static void
signatures_that_do_not_count(void **state)
{
	static const struct rig_expected table[] = {
		{ "unsigned", "", FREE_BYTES "SIG-ABSENT" },
		/* T15: the salt is 32 bytes, not what the signature happens to have. */
		{ "wrong-salt", "mcuboot/rsa-2048-pss-sha256 invalid", FREE_BYTES "SIG-INVALID! SIG-PSS-SALT" },
		/* T14: what the file says about its key only narrows who is tried. */
		{ "foreign-hint", P256 "untrusted", FREE_BYTES "SIG-UNTRUSTED!" },
		{ "foreign-key", P256 "invalid", FREE_BYTES "SIG-INVALID!" },
		{ "stranger", "mcuboot/ed25519-sha256 untrusted", FREE_BYTES "SIG-UNTRUSTED!" },
		{ "stranger-key", "mcuboot/ed25519-sha256 untrusted", FREE_BYTES "SIG-UNTRUSTED!" },
		/* T17: a key of low order in the file would fit every image. */
		{ "low-order", "mcuboot/ed25519-sha256 invalid", FREE_BYTES "SIG-INVALID! SIG-LOW-ORDER" },
		{ "p224", "mcuboot/ecdsa-p224 weak", FREE_BYTES "SIG-WEAK!" },
		{ "hash-of-p384", "mcuboot/ecdsa-p384-sha384 untrusted", FREE_BYTES "SIG-UNTRUSTED!" },
		{ "pure-p256", "mcuboot/ecdsa invalid", FREE_BYTES "SIG-INVALID!" },
		{ "pure-not", "mcuboot/ed25519-pure invalid", FREE_BYTES "SIG-INVALID!" },
		{ "pure-zero", "mcuboot/ed25519-sha256 invalid", FREE_BYTES "FMT-MALFORMED! SIG-INVALID!" },
		{ "no-hash", "mcuboot/ecdsa invalid", FREE_BYTES "FMT-MALFORMED! SIG-INVALID!" },
		{ "encrypted", "mcuboot/ecdsa opaque",
		    FREE_BYTES "FMT-ENCRYPTED SIG-UNSUPPORTED-SCHEME!" },
	};
	(void)state;
	CHECK_ALL(table);
}

#define EXPANDED ", expanded: "

/* What a bootloader makes of them verifies by itself, as it has to at every start. */
static void
packed_images(void **state)
{
	static const struct rig_expected table[] = {
		{ "packed", P256_OK EXPANDED P256_OK, "" },
		{ "packed-alone", P256_OK EXPANDED P256_OK, "" },
		{ "packed-thumb", P256_OK EXPANDED P256_OK, "" },
		{ "packed-zero", P256_OK EXPANDED P256_OK, "" },
		{ "packed-rsa", "mcuboot/rsa-2048-pss-sha256 verified" EXPANDED "mcuboot/rsa-2048-pss-sha256 verified", "" },
		{ "packed-p384", "mcuboot/ecdsa-p384-sha384 verified" EXPANDED "mcuboot/ecdsa-p384-sha384 verified", "" },
		{ "packed-ed25519", "mcuboot/ed25519-sha256 verified" EXPANDED "mcuboot/ed25519-sha256 verified", "" },
		{ "packed-pure", "mcuboot/ed25519-pure verified" EXPANDED "mcuboot/ed25519-pure verified", "" },
	};
	(void)state;
	CHECK_ALL(table);
	struct view trust = vendor(), img = rig_made("mcuboot", "packed.bin");
	struct report *r = rig_verify(img, trust);
	assert_string_equal(r->contents.member[0].path, "expanded");
	assert_string_equal(r->contents.member[1].path, "expanded/body");
	assert_int_equal(r->contents.member[1].size, 900 * 8);
	assert_string_equal(rig_value(r, CONTENTS_FACT_SECURITY_COUNTER, 1), "7");
	report_free(r);
	rig_drop(img);
	rig_drop(trust);
}

/* Verified as it is sent, and nothing that a device could start. */
static void
packed_images_that_brick(void **state)
{
	static const struct rig_expected table[] = {
		{ "packed-hash", P256_OK EXPANDED P256_OK, "FMT-INTEGRITY!" },
		{ "packed-short-hash", P256_OK EXPANDED P256_OK, "FMT-INTEGRITY!" },
		{ "packed-signature", P256_OK EXPANDED P256 "untrusted", "FMT-INTEGRITY! SIG-UNTRUSTED" },
		{ "packed-no-size", P256_OK, "FMT-MALFORMED!" },
		{ "packed-short-size", P256_OK, "FMT-MALFORMED!" },
		{ "packed-no-hash", P256_OK, "FMT-MALFORMED!" },
		{ "packed-no-signature", P256_OK, "FMT-MALFORMED!" },
		{ "packed-two-hashes", P256_OK EXPANDED P256_OK, "FMT-DUPLICATE!" },
		{ "packed-longer", P256_OK, "FMT-INTEGRITY! FMT-MALFORMED!" },
		{ "packed-shorter", P256_OK, "FMT-INTEGRITY! FMT-MALFORMED!" },
		{ "packed-damaged", P256_OK, "FMT-INTEGRITY! FMT-MALFORMED!" },
		{ "packed-empty", P256_OK, "FMT-INTEGRITY! FMT-MALFORMED!" },
		{ "packed-behind", P256_OK EXPANDED P256_OK, "FMT-HIDDEN-BYTES!" },
		/* Not looked into: whoever starts it starts something unverified. */
		{ "packed-lzma1", P256_OK, "FMT-INTEGRITY! FMT-UNKNOWN-PART" },
		{ "packed-filter-alone", P256_OK, "FMT-INTEGRITY! FMT-UNKNOWN-PART" },
		/* A bootloader built for LZMA2 asks for that flag alone. */
		{ "packed-both", P256_OK EXPANDED P256_OK, "FMT-CONFLICT!" },
		{ "packed-both-brick", P256_OK EXPANDED P256 "untrusted", "FMT-CONFLICT! FMT-INTEGRITY! SIG-UNTRUSTED" },
		/* Flash holds zeros there only where the packed image does. */
		{ "packed-erased", P256_OK EXPANDED P256 "untrusted", "FMT-INTEGRITY! SIG-UNTRUSTED" },
		{ "packed-filter", P256_OK EXPANDED P256 "untrusted", "FMT-INTEGRITY! SIG-UNTRUSTED" },
		/* What the expanded body holds may be signed; that signs nothing of the image. */
		{ "packed-other",
		    P256_OK EXPANDED P256 "untrusted, expanded/body: mcuboot/ed25519-sha256 verified",
		    "FMT-INTEGRITY! SIG-UNTRUSTED" },
	};
	(void)state;
	CHECK_ALL(table);
}

#define AND(n) ", image-" #n ": " P256_OK
#define NINE P256_OK AND(2) AND(3) AND(4) AND(5) AND(6) AND(7) AND(8)

/* A verified signature does not excuse what stands beside it. */
static void
rules_of_the_records(void **state)
{
	static const struct rig_expected table[] = {
		{ "wrong-hash", P256_OK, FREE_BYTES "FMT-INTEGRITY!" },
		{ "short-hash", P256_OK, FREE_BYTES "FMT-INTEGRITY!" },
		{ "two-hashes", "mcuboot/ed25519-sha256 verified", FREE_BYTES "FMT-DUPLICATE!" },
		{ "two-counters", P256_OK, "FMT-DUPLICATE!" },
		{ "short-counter", P256_OK, "FMT-MALFORMED!" },
		{ "loose-counter", P256_OK, FREE_BYTES "FMT-MALFORMED!" },
		{ "loose-dependency", P256_OK, FREE_BYTES "FMT-MALFORMED!" },
		{ "loose-vendor", P256_OK, FREE_BYTES "FMT-MALFORMED!" },
		{ "short-hint", P256_OK, FREE_BYTES "FMT-MALFORMED!" },
		{ "no-key", P256_OK, FREE_BYTES "FMT-MALFORMED!" },
		{ "key-unflagged", P256_OK, FREE_BYTES "FMT-CONFLICT!" },
		{ "trailing", P256_OK, FREE_BYTES "FMT-TRAILING-BYTES!" },
		{ "trailing-zero", P256_OK, FREE_BYTES "FMT-TRAILING-BYTES!" },
		{ "trailer-noise", P256_OK, FREE_BYTES "FMT-TRAILING-BYTES! FMT-UNKNOWN-PART" },
		{ "confirmed-two", P256_OK, FREE_BYTES "FMT-TRAILING-BYTES! FMT-UNKNOWN-PART" },
		{ "pair-unsigned", P256_OK, FREE_BYTES "FMT-TRAILING-BYTES!" },
		/* What a follower carries may be signed; that signs nothing of the follower. */
		{ "pair-nested", P256_OK ", image-2/body: mcuboot/ed25519-sha256 verified",
		    FREE_BYTES "FMT-TRAILING-BYTES!" },
		{ "nine", NINE,
		    FREE_BYTES "FMT-TRAILING-BYTES! FMT-WALK-LIMIT" },
		{ "pair-stranger", P256_OK ", image-2: mcuboot/ed25519-sha256 untrusted",
		    FREE_BYTES "FMT-TRAILING-BYTES! SIG-UNTRUSTED" },
		{ "pair-hidden", P256_OK ", image-2: mcuboot/ed25519-sha256 verified",
		    FREE_BYTES "FMT-HIDDEN-BYTES!" },
	};
	(void)state;
	CHECK_ALL(table);
}

static void
lengths_that_lie(void **state)
{
	static const struct rig_expected table[] = {
		{ "legacy", "", FREE_BYTES "FMT-MALFORMED! SIG-ABSENT" },
		{ "guarded-size", "", FREE_BYTES "FMT-CONFLICT! SIG-ABSENT" },
		{ "guarded-none", "", FREE_BYTES "FMT-CONFLICT! SIG-ABSENT" },
		{ "guarded-overrun", "", FREE_BYTES "FMT-MALFORMED! SIG-ABSENT" },
		{ "area-overrun", "", FREE_BYTES "FMT-MALFORMED! SIG-ABSENT" },
		{ "area-short", "", FREE_BYTES "FMT-MALFORMED! SIG-ABSENT" },
		{ "area-magic", "", FREE_BYTES "FMT-MALFORMED! SIG-ABSENT" },
		{ "record-overrun", "", FREE_BYTES "FMT-MALFORMED! SIG-ABSENT" },
		{ "many", "", FREE_BYTES "FMT-WALK-LIMIT SIG-ABSENT" },
		{ "header-small", "", FREE_BYTES "SIG-ABSENT" },
	};
	(void)state;
	CHECK_ALL(table);
}

/* T22: what policy compares from release to release, sure only under a verified signature. */
static void
claims(void **state)
{
	static const struct {
		enum contents_fact_id id;
		unsigned n;
		const char *value;
	} due[] = {
		{ CONTENTS_FACT_VERSION, 0, "1.2.3+4" },
		{ CONTENTS_FACT_SECURITY_COUNTER, 0, "7" },
		{ CONTENTS_FACT_REQUIRES, 0, "image 1 at least 4.5.6+7" },
		{ CONTENTS_FACT_REQUIRES, 1, "image 2 (primary slot) at least 0.1.0+0" },
		{ CONTENTS_FACT_COMPATIBLE, 0, "vendor 000102030405060708090a0b0c0d0e0f" },
		{ CONTENTS_FACT_COMPATIBLE, 1, "class 101112131415161718191a1b1c1d1e1f" },
		{ CONTENTS_FACT_TYPE, 0, "non-bootable" },
		{ CONTENTS_FACT_NOTE, 0, "made for address 0x00008000" },
	};
	struct view trust = vendor(), img = rig_made("mcuboot", "claims.bin"), none = view_of(NULL, 0);
	(void)state;
	for (unsigned trusted = 0; trusted < 2; trusted++) {
		struct report *r = rig_verify(img, trusted ? trust : none);
		for (size_t i = 0; i < sizeof due / sizeof *due; i++) {
			const struct contents_fact *f = rig_fact(r, due[i].id, due[i].n);
			assert_string_equal(rig_value(r, due[i].id, due[i].n), due[i].value);
			assert_true(f && f->sure == trusted);
		}
		/* What the file says about its key nobody signed. */
		const struct contents_fact *hint = rig_fact(r, CONTENTS_FACT_KEY_HINT, 0);
		assert_true(hint && !hint->sure);
		report_free(r);
	}
	rig_drop(img);
	img = rig_made("mcuboot", "loose-counter.bin");
	struct report *r = rig_verify(img, trust);
	assert_null(rig_fact(r, CONTENTS_FACT_SECURITY_COUNTER, 0));
	report_free(r);
	rig_drop(img);
	rig_drop(trust);
}

/* No flag hides among zeros, and the magic is nobody's structure. */
static void
trailers_are_not_structure(void **state)
{
	static const struct {
		const char *file;
		uint64_t most; /* up to where it may reach */
	} table[] = { { "pad.bin", 4096 - 16 }, { "pad-wide.bin", 4096 - 16 }, { "pad-zero.bin", 1024 } };
	struct view trust = vendor();
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct view img = rig_made("mcuboot", table[i].file);
		struct report *r = rig_verify(img, trust);
		assert_true(r->contents.structure_n > 0);
		const struct sig_range *last = &r->contents.structure[r->contents.structure_n - 1];
		assert_true(last->offset + last->length <= table[i].most);
		report_free(r);
		rig_drop(img);
	}
	rig_drop(trust);
}

static void
every_byte_is_accounted_for(void **state)
{
	static const char *const names[] = { "p256", "rsa2048", "p384", "ed25519-pure", "pubkey-p256",
		"two", "pad-only", "pair" };
	struct view trust = vendor();
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char file[32];
		snprintf(file, sizeof file, "%s.bin", names[i]);
		struct view img = rig_made("mcuboot", file);
		rig_flip_every_byte(img, trust, i == 0 ? 1 : 13);
		rig_drop(img);
	}
	rig_drop(trust);
}

static void
no_beginning_is_an_image(void **state)
{
	struct view trust = vendor(), img = rig_made("mcuboot", "p256.bin");
	(void)state;
	rig_cut_everywhere(img, trust, 3);
	rig_drop(img);
	/* Of two images the first alone is one, and erased flash behind it may be cut. */
	img = rig_made("mcuboot", "pair.bin");
	struct report *r = rig_verify(view_of(img.p, 1024), trust);
	assert_int_equal(report_verdict(r), REPORT_ACCEPTABLE);
	report_free(r);
	rig_drop(img);
	rig_drop(trust);
}

/* The genuine tool's output verifies under its published keys, which is told. */
static void
genuine_images(void **state)
{
	static const char *const names[] = { "root-rsa-2048", "root-ec-p256", "root-ed25519" };
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		char path[64], text[RIG_TEXT_MAX];
		snprintf(path, sizeof path, "mcuboot/%s.bin", names[i]);
		struct view img = rig_genuine(path);
		if (!img.p)
			skip();
		snprintf(path, sizeof path, "mcuboot/%s.pub.pem", names[i]);
		struct view pems[2] = { rig_genuine(path), { 0 } }, trust = rig_trust(pems);
		struct report *r = rig_verify(img, trust);
		assert_int_equal(r->signatures.n, 1);
		assert_int_equal(r->signatures.result[0].outcome, SIG_VERIFIED);
		rig_findings(r, text);
		assert_string_equal(text, "SIG-KEY-PUBLISHED!");
		assert_string_equal(rig_value(r, CONTENTS_FACT_SECURITY_COUNTER, 0), "7");
		report_free(r);
		rig_flip_every_byte(img, trust, 401);
		rig_drop(img);
		rig_drop(pems[0]);
		rig_drop(trust);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_images_verify),
		cmocka_unit_test(free_bytes_are_told),
		cmocka_unit_test(packed_images),
		cmocka_unit_test(packed_images_that_brick),
		cmocka_unit_test(signatures_that_do_not_count),
		cmocka_unit_test(rules_of_the_records),
		cmocka_unit_test(lengths_that_lie),
		cmocka_unit_test(claims),
		cmocka_unit_test(trailers_are_not_structure),
		cmocka_unit_test(every_byte_is_accounted_for),
		cmocka_unit_test(no_beginning_is_an_image),
		cmocka_unit_test(genuine_images),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
