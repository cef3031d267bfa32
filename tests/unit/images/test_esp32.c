/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/hex.h"
#include "unit/images/walk_rig.h"

#define RSA "esp32/secure-boot-v2-rsa-3072-pss-sha256 "
#define P256 "esp32/secure-boot-v2-ecdsa-p256-sha256 "
#define P384 "esp32/secure-boot-v2-ecdsa-p384-sha384 "
#define OK "verified"
#define FREE_BYTES "COV-UNSIGNED-BYTES "
#define AND(n) ", image-" #n ": " P256 OK
#define NINE P256 OK AND(2) AND(3) AND(4) AND(5) AND(6) AND(7) AND(8)

/* The vendor's keys; "other" and "p192" of the vectors are not among them. */
static struct view
vendor(void)
{
	static const char *const names[] = { "rsa", "rsa-two", "p256", "p384" };
	return rig_vendor("esp32", "pem", names, sizeof names / sizeof *names);
}

static void
check_all(const struct rig_expected *e, size_t n)
{
	struct view trust = vendor();
	rig_check_all("esp32", "bin", trust, e, n);
	rig_drop(trust);
}
#define CHECK_ALL(table) check_all(table, sizeof table / sizeof *table)

static void
sound_images_verify(void **state)
{
	static const struct rig_expected table[] = {
		{ "rsa", RSA OK, "" },
		{ "p256", P256 OK, "" },
		{ "p384", P384 OK, "" },
		{ "three", RSA OK ", " RSA OK ", " P256 OK, "" },
		{ "zero-filled", P256 OK, "" },
		{ "bare", P256 OK, "" },
		{ "bootloader", P256 OK, "" },
		{ "padded", P256 OK, "" },
		{ "chip", P256 OK, "" },
		/* Nobody signs a partition table. */
		{ "merged", RSA OK ", image-2: " P256 OK ", image-3: " P384 OK, "COV-UNSIGNED-BYTES" },
		/* Any one of the signers is enough; the other's block is nobody's. */
		{ "one-of-two", P256 "untrusted, " P256 OK, FREE_BYTES "SIG-UNTRUSTED" },
	};
	(void)state;
	CHECK_ALL(table);
}

static void
signatures_that_do_not_count(void **state)
{
	static const struct rig_expected table[] = {
		{ "unsigned", "", FREE_BYTES "SIG-ABSENT" },
		/* The key in the block proves nothing: it must be in the trust set. */
		{ "other", P256 "untrusted", FREE_BYTES "SIG-UNTRUSTED!" },
		{ "p192", "esp32/secure-boot-v2-ecdsa-p192-sha256 weak", FREE_BYTES "SIG-WEAK!" },
		/* T15: the salt is 32 bytes, not what the signature happens to have. */
		{ "wrong-salt", RSA "invalid", FREE_BYTES "SIG-INVALID!*" },
		{ "about-another", P256 "invalid", FREE_BYTES "SIG-INVALID!" },
		{ "bad-crc", P256 "invalid", FREE_BYTES "SIG-INVALID!" },
		{ "bad-key", P256 "invalid", FREE_BYTES "SIG-INVALID!" },
		{ "bad-modulus", RSA "invalid", FREE_BYTES "SIG-INVALID!" },
		{ "bad-helper", RSA "invalid", FREE_BYTES "SIG-INVALID!" },
		{ "bad-signature", P256 "invalid", FREE_BYTES "SIG-INVALID!" },
		{ "curve-mix", "esp32/secure-boot-v2-ecdsa invalid", FREE_BYTES "SIG-INVALID!" },
		{ "version-4", "esp32/secure-boot-v2 invalid", FREE_BYTES "SIG-INVALID!" },
		{ "v1", "esp32/secure-boot-v1 opaque", FREE_BYTES "SIG-UNSUPPORTED-SCHEME!" },
	};
	(void)state;
	CHECK_ALL(table);
}

/* A verified signature does not excuse what stands beside it, or under it. */
static void
rules_of_the_parts(void **state)
{
	static const struct rig_expected table[] = {
		{ "bad-checksum", P256 OK, "FMT-INTEGRITY!" },
		{ "bad-hash", P256 OK, "FMT-INTEGRITY!" },
		{ "hidden-reserved", P256 OK, FREE_BYTES "FMT-HIDDEN-BYTES!" },
		{ "hidden-middle", P256 OK, FREE_BYTES "FMT-HIDDEN-BYTES!" },
		{ "hidden-end", P256 OK, FREE_BYTES "FMT-HIDDEN-BYTES!" },
		{ "hidden-sector", P256 OK, FREE_BYTES "FMT-HIDDEN-BYTES!" },
		{ "hidden-gap", P256 OK, "FMT-HIDDEN-BYTES!" },
		{ "hidden-filling", P256 OK, "FMT-HIDDEN-BYTES!" },
		{ "trailing", P256 OK, FREE_BYTES "FMT-TRAILING-BYTES!" },
		{ "trailing-unsigned", "", FREE_BYTES "FMT-TRAILING-BYTES! SIG-ABSENT" },
		{ "merged-unsigned", P256 OK, FREE_BYTES "FMT-TRAILING-BYTES!" },
		{ "nine", NINE,
		    FREE_BYTES "FMT-TRAILING-BYTES! FMT-WALK-LIMIT" },
		{ "merged-stray", P256 OK, FREE_BYTES "FMT-TRAILING-BYTES!" },
	};
	(void)state;
	CHECK_ALL(table);
}

static void
claims(void **state)
{
	static const struct {
		const char *file;
		enum contents_fact_id id;
		unsigned n;
		const char *value;
	} due[] = {
		{ "p256.bin", CONTENTS_FACT_VERSION, 0, "1.4.2" },
		{ "p256.bin", CONTENTS_FACT_SECURITY_COUNTER, 0, "3" },
		{ "p256.bin", CONTENTS_FACT_BUILD, 0, "modem-host" },
		{ "p256.bin", CONTENTS_FACT_TYPE, 0, "application" },
		{ "p256.bin", CONTENTS_FACT_NOTE, 0, "built Jan  1 2026 12:00:00" },
		{ "p256.bin", CONTENTS_FACT_NOTE, 1, "ESP-IDF v5.2.1" },
		{ "p256.bin", CONTENTS_FACT_COMPATIBLE, 0, "esp32c3" },
		{ "p256.bin", CONTENTS_FACT_REQUIRES, 0, "chip revision 0.3 or later" },
		{ "p256.bin", CONTENTS_FACT_REQUIRES, 1, "chip revision 3.99 or earlier" },
		{ "chip.bin", CONTENTS_FACT_COMPATIBLE, 0, "chip 0x0077" },
		{ "bootloader.bin", CONTENTS_FACT_TYPE, 0, "bootloader" },
		{ "bootloader.bin", CONTENTS_FACT_VERSION, 0, "7" },
		{ "bootloader.bin", CONTENTS_FACT_SECURITY_COUNTER, 0, "1" },
	};
	struct view trust = vendor(), none = view_of(NULL, 0);
	(void)state;
	for (size_t i = 0; i < sizeof due / sizeof *due; i++) {
		struct view img = rig_made("esp32", due[i].file);
		for (unsigned trusted = 0; trusted < 2; trusted++) {
			struct report *r = rig_verify(img, trusted ? trust : none);
			const struct contents_fact *f = rig_fact(r, due[i].id, due[i].n);
			assert_string_equal(rig_value(r, due[i].id, due[i].n), due[i].value);
			assert_true(f && f->sure == trusted);
			report_free(r);
		}
		rig_drop(img);
	}
	rig_drop(trust);
}

static void
every_byte_is_accounted_for(void **state)
{
	static const char *const names[] = { "p256.bin", "rsa.bin" };
	struct view trust = vendor();
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct view img = rig_made("esp32", names[i]);
		rig_flip_every_byte(img, trust, 41 + i * 20);
		/* Header, first segment and sum, and the block's start: each byte of them. */
		rig_flip_range(img, trust, 0, 64);
		rig_flip_range(img, trust, 4096, 4096 + 64);
		rig_cut_everywhere(img, trust, 197);
		rig_drop(img);
	}
	rig_drop(trust);
}

/* esptool's own images, and the key digest that its tool computed for the fuses. */
static void
genuine_images(void **state)
{
	char text[RIG_TEXT_MAX], hex[65];
	(void)state;
	struct view img = rig_genuine("esp32/bootloader_signed_v2_rsa.bin");
	if (!img.p)
		skip();
	struct view pems[2] = { rig_genuine("esp32/rsa_secure_boot_signing_pubkey.pem"), { 0 } };
	struct view trust = rig_trust(pems), digest = rig_genuine("esp32/rsa_public_key_digest.bin");
	struct report *r = rig_verify(img, trust);
	rig_signatures(r, text);
	assert_string_equal(text, RSA OK);
	rig_findings(r, text);
	assert_string_equal(text, "SIG-KEY-PUBLISHED!");
	hex_encode(digest.p, 32, hex);
	assert_non_null(strstr(rig_value(r, CONTENTS_FACT_KEY_HINT, 0), hex));
	report_free(r);
	rig_flip_every_byte(img, trust, 997);
	rig_drop(img);
	rig_drop(digest);
	rig_drop(pems[0]);
	rig_drop(trust);

	/* Another of their keys did not sign it. */
	pems[0] = rig_genuine("esp32/rsa_secure_boot_signing_pubkey2.pem");
	trust = rig_trust(pems);
	img = rig_genuine("esp32/bootloader_signed_v2_rsa.bin");
	r = rig_verify(img, trust);
	rig_signatures(r, text);
	assert_string_equal(text, RSA "untrusted");
	report_free(r);
	rig_drop(img);
	img = rig_genuine("esp32/bootloader_signed_v2_ecdsa192.bin");
	r = rig_verify(img, trust);
	rig_signatures(r, text);
	assert_string_equal(text, "esp32/secure-boot-v2-ecdsa-p192-sha256 weak");
	report_free(r);
	rig_drop(img);
	img = rig_genuine("esp32/bootloader_unsigned_v2.bin");
	r = rig_verify(img, trust);
	rig_findings(r, text);
	assert_string_equal(text, FREE_BYTES "SIG-ABSENT");
	report_free(r);
	rig_drop(img);
	rig_drop(pems[0]);
	rig_drop(trust);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_images_verify),
		cmocka_unit_test(signatures_that_do_not_count),
		cmocka_unit_test(rules_of_the_parts),
		cmocka_unit_test(claims),
		cmocka_unit_test(every_byte_is_accounted_for),
		cmocka_unit_test(genuine_images),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
