/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/ed25519.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/json.h"

/* RFC 8032 7.1, tests 1 to 3. */
static const struct {
	const char *seed, *key, *message, *sig;
} RFC8032[] = {
	{ "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
	    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
	    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
	    "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b" },
	{ "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
	    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "\x72",
	    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
	    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
	{ "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
	    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "\xaf\x82",
	    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
	    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a" },
};

static void
test_rfc8032(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof RFC8032 / sizeof *RFC8032; i++) {
		uint8_t seed[32], key[32], sig[64], want_key[32], want_sig[64];
		struct view message = view_str(RFC8032[i].message);
		bool valid = false;
		assert_true(hex_decode(view_str(RFC8032[i].seed), seed, 32));
		assert_true(hex_decode(view_str(RFC8032[i].key), want_key, 32));
		assert_true(hex_decode(view_str(RFC8032[i].sig), want_sig, 64));
		assert_int_equal(ed25519_public(seed, key), 0);
		assert_memory_equal(key, want_key, 32);
		assert_int_equal(ed25519_sign(seed, message, sig), 0);
		assert_memory_equal(sig, want_sig, 64);
		assert_true(ed25519_key_is_safe(key));
		assert_int_equal(ed25519_verify(key, message, view_of(sig, 64), &valid), 0);
		assert_true(valid);
		/* Cut, or with any one bit of the first bytes wrong, it is none. */
		assert_int_equal(ed25519_verify(key, message, view_of(sig, 63), &valid), 0);
		assert_false(valid);
		for (unsigned bit = 0; bit < 512; bit += 7) {
			sig[bit / 8] ^= (uint8_t)(1u << bit % 8);
			assert_int_equal(ed25519_verify(key, message, view_of(sig, 64), &valid), 0);
			assert_false(valid);
			sig[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
}

/* The eight small-order points and their other encodings, and a y that is on no curve. */
static void
test_unsafe_keys(void **state)
{
	(void)state;
	static const char *const unsafe[] = {
		"0100000000000000000000000000000000000000000000000000000000000000",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
		"0100000000000000000000000000000000000000000000000000000000000080",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"0200000000000000000000000000000000000000000000000000000000000000",
	};
	for (size_t i = 0; i < sizeof unsafe / sizeof *unsafe; i++) {
		uint8_t key[32];
		assert_true(hex_decode(view_str(unsafe[i]), key, 32));
		if (ed25519_key_is_safe(key))
			fail_msg("%s", unsafe[i]);
	}
	/* The neutral point as key: R = neutral, S = 0 "signs" everything, unless the key is refused. */
	uint8_t neutral[32] = { 1 }, sig[64] = { 1 };
	bool valid = true;
	assert_int_equal(ed25519_verify(neutral, view_str("anything"), view_of(sig, 64), &valid), 0);
	assert_false(valid);
}

static void
test_generate(void **state)
{
	(void)state;
	uint8_t a[32], b[32], key[32];
	assert_int_equal(ed25519_generate(a), 0);
	assert_int_equal(ed25519_generate(b), 0);
	assert_memory_not_equal(a, b, 32);
	for (unsigned i = 0; i < 64; i++) {
		assert_int_equal(ed25519_generate(a), 0);
		assert_int_equal(ed25519_public(a, key), 0);
		assert_true(ed25519_key_is_safe(key));
	}
}

static bool
has_flag(const struct json_value *o, const char *flag)
{
	const struct json_value *flags = json_get(o, "flags");
	for (size_t i = 0; i < json_count(flags); i++) {
		struct view v;
		if (json_string(json_at(flags, i), &v) && view_is(v, flag))
			return true;
	}
	return false;
}

static char *
load(const char *name, size_t *ret_n)
{
	char path[4096];
	const char *shared = getenv("FG_SHARED");
	snprintf(path, sizeof path, "%s/vectors/%s", shared ? shared : "/nonexistent", name);
	FILE *f = fopen(path, "re");
	if (!f)
		return NULL;
	char *text = malloc(1 << 20);
	assert_non_null(text);
	*ret_n = fread(text, 1, 1 << 20, f);
	fclose(f);
	return text;
}

/*
 * C2SP/CCTV ed25519: 900 combinations of low order and odd encodings. A key is
 * safe exactly when neither flag is on it.
 */
static void
test_cctv(void **state)
{
	(void)state;
	struct json *doc;
	size_t n;
	unsigned safe = 0, unsafe = 0, valid_n = 0;
	char *text = load("ed25519-edge/ed25519vectors.json", &n);
	if (!text) {
		print_message("vectors/ed25519-edge: not there\n");
		skip();
	}
	assert_int_equal(json_parse(view_of(text, n), &doc, NULL), 0);
	for (size_t i = 0; i < json_count(json_root(doc)); i++) {
		const struct json_value *o = json_at(json_root(doc), i);
		struct view hex, message;
		uint8_t key[32], sig[64];
		bool valid;
		assert_true(json_string(json_get(o, "key"), &hex) && hex_decode(hex, key, 32));
		assert_true(json_string(json_get(o, "sig"), &hex) && hex_decode(hex, sig, 64));
		assert_true(json_string(json_get(o, "msg"), &message));
		bool want = !has_flag(o, "low_order_A") && !has_flag(o, "non_canonical_A");
		assert_int_equal(ed25519_key_is_safe(key), want);
		safe += want;
		unsafe += !want;
		assert_int_equal(ed25519_verify(key, message, view_of(sig, 64), &valid), 0);
		valid_n += valid;
		/* What only a cofactored verifier accepts, or R in a second spelling, is refused. */
		if (has_flag(o, "low_order_residue") || has_flag(o, "non_canonical_R") || !want)
			assert_false(valid);
	}
	print_message("%u safe keys, %u unsafe, %u signatures valid\n", safe, unsafe, valid_n);
	assert_true(safe > 50 && unsafe > 500 && valid_n > 5);
	json_free(doc);
	free(text);
}

static void
test_wycheproof(void **state)
{
	(void)state;
	struct json *doc;
	size_t n;
	unsigned good = 0, bad = 0;
	char *text = load("wycheproof/eddsa_test.json", &n);
	if (!text) {
		print_message("vectors/wycheproof: not there\n");
		skip();
	}
	assert_int_equal(json_parse(view_of(text, n), &doc, NULL), 0);
	const struct json_value *groups = json_get(json_root(doc), "testGroups");
	for (size_t i = 0; i < json_count(groups); i++) {
		const struct json_value *group = json_at(groups, i);
		const struct json_value *tests = json_get(group, "tests");
		const struct json_value *public = json_get(group, "publicKey");
		struct view hex;
		uint8_t key[32];
		if (!public)
			public = json_get(group, "key");
		assert_true(json_string(json_get(public, "pk"), &hex) && hex_decode(hex, key, 32));
		for (size_t k = 0; k < json_count(tests); k++) {
			const struct json_value *t = json_at(tests, k);
			struct view msg_hex, sig_hex, result;
			static uint8_t message[4096], sig[4096];
			bool valid;
			assert_true(json_string(json_get(t, "msg"), &msg_hex));
			assert_true(json_string(json_get(t, "sig"), &sig_hex));
			assert_true(json_string(json_get(t, "result"), &result));
			assert_true(msg_hex.n / 2 <= sizeof message && sig_hex.n / 2 <= sizeof sig);
			assert_true(hex_decode(msg_hex, message, msg_hex.n / 2));
			assert_true(hex_decode(sig_hex, sig, sig_hex.n / 2));
			assert_int_equal(ed25519_verify(key, view_of(message, msg_hex.n / 2),
			    view_of(sig, sig_hex.n / 2), &valid), 0);
			assert_int_equal(valid, view_is(result, "valid"));
			good += valid;
			bad += !valid;
		}
	}
	assert_true(good > 30 && bad > 30);
	json_free(doc);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc8032),
		cmocka_unit_test(test_unsafe_keys),
		cmocka_unit_test(test_generate),
		cmocka_unit_test(test_cctv),
		cmocka_unit_test(test_wycheproof),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
