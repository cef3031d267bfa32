/* SPDX-License-Identifier: Apache-2.0 */
/* minisign and signify by their own arithmetic here; the genuine tools sign in tests/integration/test_detached.py. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base64.h"
#include "crypto/err.h"
#include "crypto/minisign.h"

static const char message[] = "firmware, byte for byte";
static const uint8_t seed[ED25519_SEED_LEN] = { 7 }, keynum[TRUST_KEYNUM_LEN] = { 1, 2, 3, 4, 5, 6, 7, 0xfe };

static void
commented(struct writer *w, const char *comment, const char *alg, const uint8_t *number, const uint8_t *rest, size_t n)
{
	uint8_t record[128];
	memcpy(record, alg, 2);
	memcpy(record + 2, number, TRUST_KEYNUM_LEN);
	memcpy(record + 10, rest, n);
	writer_text(w, "untrusted comment: ");
	writer_text(w, comment);
	writer_text(w, "\n");
	base64_encode(view_of(record, 10 + n), w);
	writer_text(w, "\n");
}

static void
line(struct writer *w, const char *alg, const uint8_t *number, const uint8_t *rest, size_t n)
{
	commented(w, "said by nobody", alg, number, rest, n);
}

/* A set with one key, of signify or of minisign. */
static struct trust *
trusting_of(bool signify, const uint8_t *key_seed, const uint8_t *number)
{
	uint8_t key[ED25519_KEY_LEN];
	char why[200];
	struct writer w;
	struct trust *t = trust_new();
	assert_int_equal(ed25519_public(key_seed, key), 0);
	writer_init(&w, 1000);
	commented(&w, signify ? "signify public key" : "minisign public key 12AB", "Ed", number, key, sizeof key);
	if (trust_add_pem(t, "vendor.pub", writer_view(&w), TRUST_SCHEME_NONE, why, sizeof why))
		fail_msg("%s", why);
	writer_free(&w);
	return t;
}

static struct trust *
trusting(const uint8_t *key_seed, const uint8_t *number)
{
	return trusting_of(false, key_seed, number);
}

/* A signature file; comment NULL: none, as signify writes it. */
static void
make(struct writer *w, const char *alg, const char *comment)
{
	uint8_t sum[DIGEST_LEN_MAX], sig[ED25519_SIG_LEN], all[ED25519_SIG_LEN + 200], global[ED25519_SIG_LEN];
	struct view m = view_str(message);
	if (alg[1] == 'D') {
		assert_int_equal(digest_bytes(DIGEST_BLAKE2B512, m, sum), 0);
		m = view_of(sum, 64);
	}
	assert_int_equal(ed25519_sign(seed, m, sig), 0);
	line(w, alg, keynum, sig, sizeof sig);
	if (!comment)
		return;
	memcpy(all, sig, sizeof sig);
	memcpy(all + sizeof sig, comment, strlen(comment));
	assert_int_equal(ed25519_sign(seed, view_of(all, sizeof sig + strlen(comment)), global), 0);
	writer_text(w, "trusted comment: ");
	writer_text(w, comment);
	writer_text(w, "\n");
	base64_encode(view_of(global, sizeof global), w);
	writer_text(w, "\n");
}

static struct sig_result
judge(const struct minisign *m, const struct trust *t, const char *over)
{
	struct sig_result r = { .outcome = SIG_UNKNOWN };
	uint8_t sum[DIGEST_LEN_MAX];
	struct view v = view_str(over);
	if (minisign_digest(m) != DIGEST_NONE) {
		assert_int_equal(digest_bytes(minisign_digest(m), v, sum), 0);
		v = view_of(sum, 64);
	}
	assert_int_equal(minisign_judge(m, t, v, &r), 0);
	return r;
}

static const struct {
	const char *alg, *comment, *scheme;
	enum minisign_form form;
} forms[] = {
	{ "ED", "timestamp:1700000000\tfile:fw.bin\thashed", "minisign-blake2b512", MINISIGN_HASHED },
	{ "Ed", "timestamp:1700000000\tfile:fw.bin", "minisign-legacy", MINISIGN_LEGACY },
	{ "Ed", NULL, "signify", MINISIGN_SIGNIFY },
};

static void
every_form_verifies_and_only_over_its_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct trust *t = trusting_of(forms[i].form == MINISIGN_SIGNIFY, seed, keynum);
		struct writer w;
		struct minisign m;
		const char *why = "";
		writer_init(&w, 4000);
		make(&w, forms[i].alg, forms[i].comment);
		assert_int_equal(minisign_parse(writer_view(&w), false, &m, &why), 0);
		assert_int_equal(m.form, forms[i].form);
		struct sig_result r = judge(&m, t, message);
		assert_int_equal(r.outcome, SIG_VERIFIED);
		assert_string_equal(r.scheme, forms[i].scheme);
		assert_string_equal(r.signer.anchor, "vendor.pub");
		assert_int_equal(r.have_claimed_time, forms[i].comment != NULL);
		if (forms[i].comment)
			assert_non_null(strstr(r.detail, "file:fw.bin"));
		assert_null(strstr(r.detail, "said by nobody"));
		r = judge(&m, t, "firmware, byte for bytE");
		assert_int_equal(r.outcome, SIG_INVALID);
		writer_free(&w);
		trust_free(t);
	}
}

/* Every single byte changed: refused, or what it says is not what is signed (the untrusted comment). */
static void
no_byte_of_a_signature_may_change(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct trust *t = trusting_of(forms[i].form == MINISIGN_SIGNIFY, seed, keynum);
		struct writer w;
		writer_init(&w, 4000);
		make(&w, forms[i].alg, forms[i].comment);
		size_t n = writer_view(&w).n;
		uint8_t *text = malloc(n);
		for (size_t at = 0; at < n; at++) {
			struct minisign m;
			const char *why;
			memcpy(text, writer_view(&w).p, n);
			text[at] ^= 1;
			if (minisign_parse(view_of(text, n), false, &m, &why))
				continue;
			if (judge(&m, t, message).outcome == SIG_VERIFIED &&
			    !(at >= strlen(MINISIGN_START) && at < strlen("untrusted comment: said by nobody")))
				fail_msg("form %zu, byte %zu", i, at);
		}
		for (size_t cut = 0; cut < n; cut++) {
			struct minisign m;
			const char *why;
			bool last_lf = cut == n - 1; /* the last line end may be missing */
			if (minisign_parse(view_of(writer_view(&w).p, cut), false, &m, &why) == 0 && !last_lf &&
			    judge(&m, t, message).outcome == SIG_VERIFIED && m.form == forms[i].form)
				fail_msg("form %zu, cut at %zu", i, cut);
		}
		free(text);
		writer_free(&w);
		trust_free(t);
	}
}

/*
 * minisign signs its first signature together with a comment. Those bytes as a file,
 * and that second signature as signify's of it, are nothing that anybody released.
 */
static void
a_key_counts_in_its_own_form(void **state)
{
	static const char comment[] = "timestamp:1700000000\tfile:fw.bin";
	char file[ED25519_SIG_LEN + sizeof comment] = { 0 };
	struct trust *minisign = trusting(seed, keynum), *signify = trusting_of(true, seed, keynum);
	struct sig_result r = { .outcome = SIG_UNKNOWN };
	struct writer w;
	struct minisign m, forged = { .form = MINISIGN_SIGNIFY };
	const char *why;
	(void)state;
	writer_init(&w, 4000);
	make(&w, "Ed", comment);
	assert_int_equal(minisign_parse(writer_view(&w), false, &m, &why), 0);
	memcpy(file, m.sig, sizeof m.sig);
	memcpy(file + sizeof m.sig, comment, sizeof comment - 1);
	memcpy(forged.keynum, keynum, sizeof keynum);
	memcpy(forged.sig, m.global, sizeof m.global);
	assert_int_equal(minisign_judge(&forged, minisign, view_of(file, sizeof file - 1), &r), 0);
	assert_int_equal(r.outcome, SIG_UNTRUSTED);
	/* As the arithmetic has it, it fits: only that the key is minisign's speaks against it. */
	r = (struct sig_result){ .outcome = SIG_UNKNOWN };
	assert_int_equal(minisign_judge(&forged, signify, view_of(file, sizeof file - 1), &r), 0);
	assert_int_equal(r.outcome, SIG_VERIFIED);
	assert_int_equal(judge(&m, minisign, message).outcome, SIG_VERIFIED);
	assert_int_equal(judge(&m, signify, message).outcome, SIG_UNTRUSTED);
	writer_free(&w);
	trust_free(minisign);
	trust_free(signify);
}

/* T14: the number only excludes. */
static void
the_number_of_the_key_is_a_hint(void **state)
{
	(void)state;
	static const uint8_t other_seed[ED25519_SEED_LEN] = { 8 }, other[TRUST_KEYNUM_LEN] = { 9 };
	struct trust *same = trusting(seed, keynum), *liar = trusting(other_seed, keynum), *renamed = trusting(seed, other);
	struct writer w;
	struct minisign m;
	const char *why;
	writer_init(&w, 4000);
	make(&w, "ED", "c");
	assert_int_equal(minisign_parse(writer_view(&w), false, &m, &why), 0);
	assert_int_equal(judge(&m, same, message).outcome, SIG_VERIFIED);
	assert_int_equal(judge(&m, liar, message).outcome, SIG_INVALID);
	struct sig_result r = judge(&m, renamed, message);
	assert_int_equal(r.outcome, SIG_UNTRUSTED);
	assert_non_null(strstr(r.detail, "fe07060504030201"));
	writer_free(&w);
	trust_free(same);
	trust_free(liar);
	trust_free(renamed);
}

static void
malformed_ones_say_why(void **state)
{
	(void)state;
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", "does not begin" },
		{ "trusted comment: x\n", "does not begin" },
		{ "untrusted comment: x", "ends after" },
		{ "untrusted comment: x\n!!!!\n", "second line" },
		{ "untrusted comment: x\nRUQ=\n", "second line" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct minisign m;
		const char *why = "";
		assert_int_equal(minisign_parse(view_str(cases[i].text), false, &m, &why), FG_EFORMAT);
		if (!strstr(why, cases[i].why))
			fail_msg("%zu: %s", i, why);
	}
	struct writer w;
	struct minisign m;
	const char *why = "";
	writer_init(&w, 8000);
	make(&w, "ED", NULL); /* hashed, and no trusted comment: no tool writes that */
	assert_int_equal(minisign_parse(writer_view(&w), false, &m, &why), FG_EFORMAT);
	writer_free(&w);
	writer_init(&w, 8000);
	make(&w, "Ed", NULL);
	writer_text(&w, "what it signs\n");
	assert_int_equal(minisign_parse(writer_view(&w), false, &m, &why), FG_EFORMAT);
	assert_int_equal(minisign_parse(writer_view(&w), true, &m, &why), 0); /* signify -e */
	assert_int_equal(writer_view(&w).n - m.end, strlen("what it signs\n"));
	writer_free(&w);
}

static void
keys_that_may_not_be_anchors(void **state)
{
	(void)state;
	static const uint8_t low[ED25519_KEY_LEN] = { 1 }, number[TRUST_KEYNUM_LEN] = { 0 };
	static const char *const bad[] = { "untrusted comment: x\n", "untrusted comment: x\nRWQ=\n",
		"ssh-rsa AAAAB3NzaC1yc2E= x\n", "ssh-ed25519 AAAA x\n",
		"sk-ssh-ed25519@openssh.com AAAA x\n" };
	struct trust *t = trust_new();
	char why[200];
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(trust_add_pem(t, "x", view_str(bad[i]), TRUST_SCHEME_NONE, why, sizeof why), FG_EINVAL);
	struct writer w;
	writer_init(&w, 1000);
	line(&w, "Ed", number, low, sizeof low);
	assert_int_equal(trust_add_pem(t, "x", writer_view(&w), TRUST_SCHEME_NONE, why, sizeof why), FG_EINVAL);
	assert_non_null(strstr(why, "low order"));
	writer_text(&w, "more\n");
	assert_int_equal(trust_add_pem(t, "x", writer_view(&w), TRUST_SCHEME_NONE, why, sizeof why), FG_EINVAL);
	assert_int_equal(trust_keys(t), 0);
	writer_free(&w);
	trust_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_verifies_and_only_over_its_bytes),
		cmocka_unit_test(no_byte_of_a_signature_may_change),
		cmocka_unit_test(a_key_counts_in_its_own_form),
		cmocka_unit_test(the_number_of_the_key_is_a_hint),
		cmocka_unit_test(malformed_ones_say_why),
		cmocka_unit_test(keys_that_may_not_be_anchors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
