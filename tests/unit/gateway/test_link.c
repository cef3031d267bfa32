/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/hex.h"
#include "gateway/edge/link.h"

#define TOKEN "0123456789abcdef"

static void
paths(void **state)
{
	static const char *const bad[] = { "", "/", "/f/", "/f", "/f/0123456789abcde", "/f/0123456789abcdef0", "/f/0123456789abcdef/",
		"/f/0123456789ABCDEF", "/f/0123456789abcdei", "/f/0123456789abcdel", "/f/0123456789abcdeo", "/f/0123456789abcdeu",
		"/f/0123456789abcd-f", "/f/0123456789abc%41", "/F/0123456789abcdef", "/g/0123456789abcdef", "f/0123456789abcdef0",
		"//f/123456789abcdef" };
	static const char nul[] = "/f/0123456789abcde\0";
	struct view token;
	(void)state;
	assert_true(link_parse(view_str("/f/" TOKEN), &token));
	assert_true(view_is(token, TOKEN));
	assert_true(link_parse(view_str("/f/zyxwvtsrqpnmkjhg"), NULL));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(link_parse(view_str(bad[i]), &token));
	assert_false(link_parse(view_of(nul, sizeof nul - 1), &token));
}

/* Every random byte counts with five bits, each value as often as any other. */
static void
tokens(void **state)
{
	uint8_t random[LINK_TOKEN_LEN];
	char path[LINK_PATH_CAP];
	unsigned met[256] = { 0 };
	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		memset(random, (int)i, sizeof random);
		link_path(random, path);
		assert_int_equal(strlen(path), sizeof "/f/" - 1 + LINK_TOKEN_LEN);
		assert_true(link_parse(view_str(path), NULL));
		met[(uint8_t)path[3]]++;
	}
	unsigned n = 0;
	for (unsigned i = 0; i < 256; i++) {
		assert_true(met[i] == 0 || met[i] == 8);
		n += met[i] > 0;
	}
	assert_int_equal(n, 32);
	/* Short enough for every client of MODULE_PROTOCOLS.md section 2: 50 bytes are the least. */
	assert_true(LINK_PATH_CAP <= 50);
	for (unsigned i = 0; i < LINK_TOKEN_LEN; i++)
		random[i] = (uint8_t)i;
	link_path(random, path);
	assert_string_equal(path, "/f/0123456789abcdef");
}

static void
digests(void **state)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	char hex[2 * sizeof digest + 1];
	(void)state;
	assert_int_equal(link_digest(view_str(TOKEN), digest), 0);
	hex_encode(digest, sizeof digest, hex);
	/* printf 0123456789abcdef | sha256sum */
	assert_string_equal(hex, "9f9f5111f7b27a781f1f1ddde5ebc2dd2b796bfc7365c9c28b548e564176929f");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths),
		cmocka_unit_test(tokens),
		cmocka_unit_test(digests),
	};
	return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
