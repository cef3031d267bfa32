/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of identities, and images that hold hashes of them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "images/own.h"
#include "tests/unit/images/pair_rig.h"
#include "tests/unit/images/tar_rig.h"

#define IMEI "490154203237518"
#define OTHER "356938035643809"

static struct own *
list(const char *text)
{
	struct own *o = NULL;
	unsigned line = 0;
	if (own_parse(view_str(text), &o, &line))
		fail_msg("line %u of %s", line, text);
	return o;
}

static void
hex_of(enum digest_alg alg, const char *text, char dst[2 * DIGEST_LEN_MAX + 1])
{
	uint8_t sum[DIGEST_LEN_MAX];
	assert_int_equal(digest_bytes(alg, view_str(text), sum), 0);
	hex_encode(sum, digest_len(alg), dst);
}

static void
lists(void **state)
{
	(void)state;
	char hex[2 * DIGEST_LEN_MAX + 1], text[256];
	struct own *o = list("# fleet\n\n " IMEI " \r\n89860012345678901234\n00:1A:2b:3c:4d:5e\n001a2b3c4d5f\n");
	assert_int_equal(own_tokens(o)->n, 4);
	assert_int_equal(own_prints(o), 8);
	const uint8_t(*sums)[DIGEST_SHA256_LEN] = own_tokens(o)->sha256;
	for (size_t i = 1; i < 4; i++)
		assert_true(memcmp(sums[i - 1], sums[i], DIGEST_SHA256_LEN) < 0);
	uint8_t mac[DIGEST_SHA256_LEN];
	assert_int_equal(digest_sha256(view_str("001a2b3c4d5e"), mac), 0);
	assert_true(own_find(o, mac) >= 0);
	mac[OWN_PRINT - 1] ^= 1;
	assert_int_equal(own_find(o, mac), -1);
	own_free(o);
	/* By their hashes alone: no MD5 of it is known. */
	hex_of(DIGEST_SHA256, IMEI, hex);
	for (unsigned upper = 0; upper < 2; upper++) {
		snprintf(text, sizeof text, "%s", hex);
		for (size_t i = 0; upper && text[i]; i++)
			text[i] = (char)(text[i] >= 'a' ? text[i] - 'a' + 'A' : text[i]);
		o = list(text);
		assert_int_equal(own_prints(o), 1);
		assert_false(own_is_md5(o, 0));
		own_free(o);
	}
	o = list("");
	assert_int_equal(own_prints(o), 0);
	own_free(o);
	static const struct {
		const char *text;
		unsigned line;
	} bad[] = { { "1234567890123\n", 1 }, { IMEI "\nIMEI\n", 2 }, { "123456789012345678901", 1 }, { "00:1a:2b:3c-4d:5e", 1 },
		{ "00:1a:2b:3c:4d:5", 1 }, { "\n\nzz1a2b3c4d5e", 3 }, { IMEI "," OTHER, 1 },
		{ "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeg", 1 }, { "\x1b[31m", 1 } };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		unsigned line = 0;
		assert_int_equal(own_parse(view_str(bad[i].text), &o, &line), FG_EFORMAT);
		assert_int_equal(line, bad[i].line);
	}
	unsigned line;
	assert_int_equal(own_parse(view_of("\0\0", 2), &o, &line), FG_EFORMAT);
}

/* The lines there are, "path: text" each. */
static void
compare(struct view old, struct view new, const struct own *o, char *dst, size_t cap)
{
	struct pair_rig r;
	struct page *p = page_new();
	assert_non_null(p);
	pair_rig_open(&r, old, new);
	assert_int_equal(own_page(r.pair, o, p), 0);
	dst[0] = '\0';
	for (size_t i = 0, k = 0; i < page_count(p); i++) {
		const struct page_line *l = page_at(p, i);
		assert_int_equal(l->id, FINDING_CHG_IDENTIFIERS_OWN);
		assert_int_equal(l->severity, FINDING_BLOCK);
		k += (size_t)snprintf(dst + k, cap - k, "%s%s@%llu: %s", k ? "\n" : "", l->path, (unsigned long long)l->offset, l->text);
	}
	page_free(p);
	pair_rig_close(&r);
}

static void
files(const char *const *old, const char *const *new, const struct own *o, char *dst, size_t cap)
{
	static uint8_t a[16384], b[16384];
	size_t m = tar_rig(a, sizeof a, old), n = tar_rig(b, sizeof b, new);
	compare(view_of(a, m), view_of(b, n), o, dst, cap);
}

static void
hashes_in_texts(void **state)
{
	(void)state;
	char sha[2 * DIGEST_LEN_MAX + 1], md5[2 * DIGEST_LEN_MAX + 1], text[512], said[512];
	struct own *o = list(IMEI "\n" OTHER "\n");
	hex_of(DIGEST_SHA256, IMEI, sha);
	hex_of(DIGEST_MD5, OTHER, md5);
	snprintf(text, sizeof text, "if id in [\"%s\", \"%s\"]: act()\n", sha, md5);
	files(TAR_RIG("a", "nothing"), TAR_RIG("a", text), o, said, sizeof said);
	assert_string_equal(said, "a@11: hashes of identities of modules of this fleet: 1 by SHA-256, 1 by MD5");
	/* Upper case, and within more digits. */
	for (size_t i = 0; sha[i]; i++)
		sha[i] = (char)(sha[i] >= 'a' ? sha[i] - 'a' + 'A' : sha[i]);
	snprintf(text, sizeof text, "abcdef%sff", sha);
	files(TAR_RIG("a", "nothing"), TAR_RIG("a", text), o, said, sizeof said);
	assert_string_equal(said, "a@6: hashes of identities of modules of this fleet: 1 by SHA-256, 0 by MD5");
	/* The old image had it: elsewhere, or in the same place. */
	files(TAR_RIG("b", text, "a", "nothing"), TAR_RIG("a", text), o, said, sizeof said);
	assert_string_equal(said, "");
	files(TAR_RIG("b", md5, "a", "nothing"), TAR_RIG("b", md5, "a", text), o, said, sizeof said);
	assert_string_equal(said, "a@6: hashes of identities of modules of this fleet: 1 by SHA-256, 0 by MD5");
	/* Not ours. */
	hex_of(DIGEST_SHA256, "353918057214367", sha);
	files(TAR_RIG("a", "nothing"), TAR_RIG("a", sha), o, said, sizeof said);
	assert_string_equal(said, "");
	own_free(o);
	/* Nobody. */
	o = list("");
	files(TAR_RIG("a", "nothing"), TAR_RIG("a", text), o, said, sizeof said);
	assert_string_equal(said, "");
	own_free(o);
}

/* As bytes, at every alignment, and where one read ends and the next begins. */
static void
hashes_as_bytes(void **state)
{
	(void)state;
	size_t n = SOURCE_CHUNK + 4096;
	uint8_t *bytes = malloc(n), *old = malloc(n), sum[DIGEST_SHA256_LEN];
	char said[512];
	struct own *o = list(IMEI);
	assert_true(bytes && old);
	for (size_t i = 0; i < n; i++)
		old[i] = (uint8_t)"words in a text, "[i % 17];
	assert_int_equal(digest_sha256(view_str(IMEI), sum), 0);
	static const size_t where[] = { 0, 1, 1000, SOURCE_CHUNK - 33, SOURCE_CHUNK - 16, SOURCE_CHUNK, SOURCE_CHUNK + 31, SOURCE_CHUNK + 4096 - 32 };
	for (size_t i = 0; i < sizeof where / sizeof where[0]; i++) {
		memcpy(bytes, old, n);
		memcpy(bytes + where[i], sum, sizeof sum);
		compare(view_of(old, n), view_of(bytes, n), o, said, sizeof said);
		/* Offsets are of the part that it was cut into. */
		if (!strstr(said, ": hashes of identities of modules of this fleet: 1 by SHA-256, 0 by MD5"))
			fail_msg("%zu: %s", where[i], said);
	}
	own_free(o);
	free(bytes);
	free(old);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(lists), cmocka_unit_test(hashes_in_texts), cmocka_unit_test(hashes_as_bytes) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
