/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "crypto/hex.h"
#include "crypto/published.h"
#include "crypto/visible.h"

static void
test_every_entry_is_found_as_itself(void **state)
{
	(void)state;
	assert_true(published_count() >= 37);
	for (size_t i = 0; i < published_count(); i++) {
		const struct published_key *k = published_at(i);
		assert_ptr_equal(published_find(k->spki_sha256), k);
		assert_true(k->algorithm[0] && visible_is_plain(view_str(k->algorithm)));
		assert_true(k->where[0] && visible_is_plain(view_str(k->where)));
		if (i > 0)
			assert_true(memcmp(published_at(i - 1)->spki_sha256, k->spki_sha256, 32) < 0);
	}
	assert_null(published_at(published_count()));
	assert_null(published_at(SIZE_MAX));
}

static void
test_neighbours_are_not_found(void **state)
{
	(void)state;
	uint8_t hash[32];
	for (size_t i = 0; i < published_count(); i++) {
		for (unsigned bit = 0; bit < 256; bit++) {
			memcpy(hash, published_at(i)->spki_sha256, sizeof hash);
			hash[bit / 8] ^= (uint8_t)(1u << bit % 8);
			assert_null(published_find(hash));
		}
	}
	memset(hash, 0, sizeof hash);
	assert_null(published_find(hash));
	memset(hash, 0xff, sizeof hash);
	assert_null(published_find(hash));
}

/* The first column of a table of keys, one lookup a line. */
static size_t
lines_found(const char *path)
{
	char line[512];
	size_t n = 0;
	FILE *f = fopen(path, "r");
	if (!f)
		return 0;
	while (fgets(line, sizeof line, f)) {
		uint8_t hash[32];
		if (line[0] == '#')
			continue;
		assert_true(hex_decode(view_of(line, 64), hash, 32));
		const struct published_key *k = published_find(hash);
		assert_non_null(k);
		assert_non_null(strstr(line, k->where));
		n++;
	}
	fclose(f);
	return n;
}

static void
test_table_in_the_source_is_the_table_built_in(void **state)
{
	(void)state;
	char path[4096];
	const char *src = getenv("FG_SRC");
	if (!src)
		skip();
	snprintf(path, sizeof path, "%s/crypto/published-keys.txt", src);
	assert_int_equal(lines_found(path), published_count());
}

static void
test_every_shared_fact_is_known(void **state)
{
	(void)state;
	char path[4096];
	const char *shared = getenv("FG_SHARED");
	snprintf(path, sizeof path, "%s/vectors/published-test-keys.txt", shared ? shared : "");
	FILE *f = fopen(path, "r");
	if (!f)
		skip();
	fclose(f);
	assert_true(lines_found(path) > 0);
}

/* The whole way, from a key as published to its name. */
static void
test_a_published_pem_is_recognised(void **state)
{
	(void)state;
	static const struct {
		const char *pem, *algorithm, *where;
	} key[] = {
		{ "mcuboot/root-ed25519.pub.pem", "ed25519", "mcu-tools/mcuboot:root-ed25519.pem" },
		{ "mcuboot/root-ec-p256.pub.pem", "ec-p256", "mcu-tools/mcuboot:root-ec-p256-pkcs8.pem" },
		{ "mcuboot/root-rsa-2048.pub.pem", "rsa-2048", "mcu-tools/mcuboot:root-rsa-2048.pem" },
		{ "esp32/rsa_secure_boot_signing_pubkey2.pem", "rsa-3072",
		    "espressif/esptool test/secure_images:rsa_secure_boot_signing_key2.pem" },
		{ "suit/public_key.pem", "ec-p256", "suit-wg/manifest-spec examples/private_key.pem" },
	};
	for (size_t i = 0; i < sizeof key / sizeof key[0]; i++) {
		char path[4096];
		uint8_t hash[32], *der = NULL;
		const char *shared = getenv("FG_SHARED");
		snprintf(path, sizeof path, "%s/vectors/%s", shared ? shared : "", key[i].pem);
		FILE *f = fopen(path, "r");
		if (!f)
			skip();
		EVP_PKEY *pkey = PEM_read_PUBKEY(f, NULL, NULL, NULL);
		fclose(f);
		assert_non_null(pkey);
		int n = i2d_PUBKEY(pkey, &der);
		assert_true(n > 0);
		assert_int_equal(digest_sha256(view_of(der, (size_t)n), hash), 0);
		const struct published_key *found = published_find(hash);
		assert_non_null(found);
		assert_string_equal(found->algorithm, key[i].algorithm);
		assert_string_equal(found->where, key[i].where);
		OPENSSL_free(der);
		EVP_PKEY_free(pkey);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_entry_is_found_as_itself),
		cmocka_unit_test(test_neighbours_are_not_found),
		cmocka_unit_test(test_table_in_the_source_is_the_table_built_in),
		cmocka_unit_test(test_every_shared_fact_is_known),
		cmocka_unit_test(test_a_published_pem_is_recognised),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
