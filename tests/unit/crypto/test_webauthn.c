/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/err.h"
#include "unit/crypto/authenticator.h"

static const uint8_t asked[WEBAUTHN_CHALLENGE] = { 0xfb, 0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
	21, 22, 23, 24, 25, 26, 27, 28, 29, 30 };
static const uint8_t other[WEBAUTHN_CHALLENGE] = { 1 };
static const struct webauthn_rules rules = { TOKEN_RP_ID, TOKEN_SITE, asked };

static struct act
honest(void)
{
	return (struct act){ .challenge = view_of(asked, sizeof asked) };
}

static struct webauthn
make(const struct token *t, const struct act *c)
{
	struct webauthn w;
	struct acted a;
	act_make(t, c, &a);
	assert_int_equal(webauthn_made(writer_view(&a.client), writer_view(&a.object), &rules, &w), 0);
	w.credential = view_of(NULL, w.credential.n); /* what it pointed to goes */
	acted_free(&a);
	return w;
}

static struct webauthn
get(const struct token *t, const struct act *c)
{
	struct webauthn w;
	struct acted a;
	act_sign(t, c, &a);
	assert_int_equal(webauthn_asserted(&t->key, writer_view(&a.client), writer_view(&a.auth), writer_view(&a.signature), &rules, &w),
	    0);
	acted_free(&a);
	return w;
}

/* What goes for both acts. */
static const struct {
	struct act act;
	enum webauthn_outcome outcome;
} both[] = {
	{ { .tail = "}" }, WEBAUTHN_GOOD },
	{ { .tail = ",\"crossOrigin\":false,\"other_keys\":\"x\"}" }, WEBAUTHN_GOOD },
	{ { .set = SSHSIG_FLAG_BE | SSHSIG_FLAG_BS, .counter = 0xffffffff }, WEBAUTHN_GOOD },
	{ { .set = SSHSIG_FLAG_ED, .extensions = "\xa1\x61x\x01" }, WEBAUTHN_GOOD },
	{ { .tail = ",\"crossOrigin\":true}" }, WEBAUTHN_BAD_CLIENT_DATA },
	{ { .tail = "" }, WEBAUTHN_BAD_CLIENT_DATA },
	{ { .tail = "} " }, WEBAUTHN_BAD_CLIENT_DATA },
	{ { .origin = "https://gate.example:8443" }, WEBAUTHN_BAD_CLIENT_DATA },
	{ { .origin = "https://gate.example.evil" }, WEBAUTHN_BAD_CLIENT_DATA },
	{ { .origin = "http://gate.example" }, WEBAUTHN_BAD_CLIENT_DATA },
	{ { .type = "payment.get" }, WEBAUTHN_BAD_CLIENT_DATA },
	{ { .challenge = { other, sizeof other } }, WEBAUTHN_BAD_CLIENT_DATA },
	{ { .challenge = { asked, sizeof asked - 1 } }, WEBAUTHN_BAD_CLIENT_DATA },
	{ { .rp_id = "example" }, WEBAUTHN_WRONG_RP },
	{ { .clear = SSHSIG_FLAG_UP }, WEBAUTHN_NO_PRESENCE },
	{ { .clear = SSHSIG_FLAG_UV }, WEBAUTHN_NO_VERIFICATION },
	{ { .set = SSHSIG_FLAG_BS }, WEBAUTHN_MALFORMED },
	{ { .set = SSHSIG_FLAG_ED }, WEBAUTHN_MALFORMED },
	{ { .extensions = "\xa0" }, WEBAUTHN_MALFORMED },
	{ { .set = SSHSIG_FLAG_ED, .extensions = "\x01" }, WEBAUTHN_MALFORMED },
	{ { .set = SSHSIG_FLAG_ED, .extensions = "\xa0\xa0" }, WEBAUTHN_MALFORMED },
	{ { .set = SSHSIG_FLAG_ED, .extensions = "\xa1\x61x" }, WEBAUTHN_MALFORMED },
};

static void
test_both_acts(void **state)
{
	const enum sshkey_type types[] = { SSHKEY_SK_ECDSA, SSHKEY_SK_ED25519 };
	(void)state;
	for (unsigned k = 0; k < 2; k++) {
		struct token t = token_new(types[k], TOKEN_RP_ID);
		for (size_t i = 0; i < sizeof both / sizeof both[0]; i++) {
			struct act c = both[i].act;
			if (!c.challenge.n)
				c.challenge = view_of(asked, sizeof asked);
			struct webauthn made = make(&t, &c), got = get(&t, &c);
			if (made.outcome != both[i].outcome || got.outcome != both[i].outcome)
				fail_msg("%zu: %s, %s", i, webauthn_outcome_name(made.outcome), webauthn_outcome_name(got.outcome));
			bool good = both[i].outcome == WEBAUTHN_GOOD;
			assert_int_equal(sshkey_equal(&made.key, &t.key), good);
			assert_int_equal(made.credential.n, good ? 16 : 0);
			if (good)
				assert_true(got.counter == c.counter && made.counter == c.counter &&
				    (got.flags & (SSHSIG_FLAG_BE | SSHSIG_FLAG_BS)) == (c.set & (SSHSIG_FLAG_BE | SSHSIG_FLAG_BS)));
		}
		EVP_PKEY_free(t.p256);
	}
}

static void
test_made(void **state)
{
	uint8_t long_id[WEBAUTHN_CREDENTIAL_MAX + 1] = { 9 };
	struct token t = token_new(SSHKEY_SK_ECDSA, TOKEN_RP_ID);
	struct act c = honest();
	(void)state;
	/* A statement of any kind is read over. */
	c.fmt = "packed";
	assert_int_equal(make(&t, &c).outcome, WEBAUTHN_GOOD);
	c = honest();
	c.credential = view_of(long_id, WEBAUTHN_CREDENTIAL_MAX);
	assert_int_equal(make(&t, &c).credential.n, WEBAUTHN_CREDENTIAL_MAX);
	c.credential = view_of(long_id, sizeof long_id);
	assert_int_equal(make(&t, &c).outcome, WEBAUTHN_MALFORMED);
	c = honest();
	c.clear = SSHSIG_FLAG_AT;
	assert_int_equal(make(&t, &c).outcome, WEBAUTHN_MALFORMED);
	c = honest();
	c.alg = -257;
	assert_int_equal(make(&t, &c).outcome, WEBAUTHN_BAD_KEY);
	c = honest();
	c.type = "webauthn.get";
	assert_int_equal(make(&t, &c).outcome, WEBAUTHN_BAD_CLIENT_DATA);
	/* A point that lies on no curve. */
	t.key.point[64] ^= 1;
	c = honest();
	assert_int_equal(make(&t, &c).outcome, WEBAUTHN_BAD_KEY);
	EVP_PKEY_free(t.p256);
}

/* Each byte of an object matters or is of a statement that nobody believes; cut anywhere it is none. */
static void
test_made_cut(void **state)
{
	struct token t = token_new(SSHKEY_SK_ECDSA, TOKEN_RP_ID);
	struct act c = honest();
	struct webauthn w;
	struct acted a;
	(void)state;
	act_make(&t, &c, &a);
	for (size_t n = 0; n < a.object.n; n++) {
		assert_int_equal(webauthn_made(writer_view(&a.client), view_of(a.object.p, n), &rules, &w), 0);
		assert_int_equal(w.outcome, WEBAUTHN_MALFORMED);
	}
	writer_u8(&a.object, 0);
	assert_int_equal(webauthn_made(writer_view(&a.client), writer_view(&a.object), &rules, &w), 0);
	assert_int_equal(w.outcome, WEBAUTHN_MALFORMED);
	while (a.client.n <= WEBAUTHN_CLIENT_MAX)
		writer_text(&a.client, " ");
	assert_int_equal(webauthn_made(writer_view(&a.client), view_of(a.object.p, a.object.n - 1), &rules, &w), 0);
	assert_int_equal(w.outcome, WEBAUTHN_MALFORMED);
	acted_free(&a);
	EVP_PKEY_free(t.p256);
}

static void
test_asserted(void **state)
{
	struct token t = token_new(SSHKEY_SK_ECDSA, TOKEN_RP_ID), u = token_new(SSHKEY_SK_ECDSA, TOKEN_RP_ID);
	struct token ed = token_new(SSHKEY_SK_ED25519, TOKEN_RP_ID), elsewhere = token_new(SSHKEY_SK_ECDSA, "other.example");
	struct act c = honest();
	struct webauthn w;
	struct acted a;
	(void)state;
	act_sign(&t, &c, &a);
	const struct view client = writer_view(&a.client), auth = writer_view(&a.auth), sig = writer_view(&a.signature);
#define OUTCOME(key, cl, au, si) (assert_int_equal(webauthn_asserted(key, cl, au, si, &rules, &w), 0), w.outcome)
	assert_int_equal(OUTCOME(&t.key, client, auth, sig), WEBAUTHN_GOOD);
	assert_int_equal(OUTCOME(&u.key, client, auth, sig), WEBAUTHN_BAD_SIGNATURE);
	assert_int_equal(OUTCOME(&ed.key, client, auth, sig), WEBAUTHN_BAD_SIGNATURE);
	assert_int_equal(OUTCOME(&elsewhere.key, client, auth, sig), WEBAUTHN_WRONG_RP);
	const struct sshkey file = { .type = SSHKEY_ED25519 };
	assert_int_equal(OUTCOME(&file, client, auth, sig), WEBAUTHN_WRONG_RP);
	for (size_t n = 0; n < sig.n; n++)
		assert_int_equal(OUTCOME(&t.key, client, auth, view_of(sig.p, n)), WEBAUTHN_BAD_SIGNATURE);
	for (size_t n = 0; n < auth.n; n++)
		assert_int_equal(OUTCOME(&t.key, client, view_of(auth.p, n), sig), WEBAUTHN_MALFORMED);
	for (size_t i = 0; i < auth.n; i++) {
		a.auth.p[i] ^= 1;
		assert_int_not_equal(OUTCOME(&t.key, client, auth, sig), WEBAUTHN_GOOD);
		a.auth.p[i] ^= 1;
	}
	for (size_t i = 0; i < client.n; i++) {
		a.client.p[i] ^= 1;
		assert_int_not_equal(OUTCOME(&t.key, client, auth, sig), WEBAUTHN_GOOD);
		a.client.p[i] ^= 1;
	}
	for (size_t i = 0; i < sig.n; i++) {
		a.signature.p[i] ^= 1;
		assert_int_not_equal(OUTCOME(&t.key, client, auth, sig), WEBAUTHN_GOOD);
		a.signature.p[i] ^= 1;
	}
	writer_u8(&a.signature, 0);
	assert_int_equal(OUTCOME(&t.key, client, auth, writer_view(&a.signature)), WEBAUTHN_BAD_SIGNATURE);
	/* Attested data has no place in it. */
	acted_free(&a);
	c.set = SSHSIG_FLAG_AT;
	assert_int_equal(get(&t, &c).outcome, WEBAUTHN_MALFORMED);
	EVP_PKEY_free(t.p256);
	EVP_PKEY_free(u.p256);
	EVP_PKEY_free(elsewhere.p256);
}

/* One key, both uses: what signs in is never a vote, and a vote never signs in. */
static void
test_signing_in_is_no_approval(void **state)
{
	struct token t = token_new(SSHKEY_SK_ECDSA, TOKEN_RP_ID);
	const struct view message = view_str("a statement");
	struct writer tbs, armour, blob;
	struct sshsig sig;
	struct sshsig_evidence e;
	struct webauthn w;
	struct acted a;
	const struct sshsig_rules approve = { .namespace_ = APPROVAL_NAMESPACE, .rp_id = TOKEN_RP_ID, .origin = TOKEN_SITE };
	(void)state;
	writer_init(&tbs, 1024);
	writer_init(&armour, SSHSIG_ARMOR_MAX);
	writer_init(&blob, SSHSIG_BLOB_MAX);
	token_passkey(&t, message, &armour);
	assert_int_equal(sshsig_dearmor(writer_view(&armour), &blob, NULL), 0);
	assert_int_equal(sshsig_parse(writer_view(&blob), &sig, NULL), 0);
	assert_int_equal(sshsig_verify(&sig, message, &approve, &e), 0);
	assert_int_equal(e.outcome, SSHSIG_VERIFIED);
	/* The same act's client data, as somebody's who signs in: the challenge is never theirs. */
	struct act c = { .challenge = writer_view(&tbs) };
	assert_int_equal(sshsig_tbs(APPROVAL_NAMESPACE, DIGEST_SHA512, message, &tbs), 0);
	assert_true(tbs.n > WEBAUTHN_CHALLENGE);
	c.challenge = writer_view(&tbs);
	assert_int_equal(get(&t, &c).outcome, WEBAUTHN_BAD_CLIENT_DATA);
	/* Its first bytes as a challenge of ours, which only chance could give. */
	const struct webauthn_rules first = { TOKEN_RP_ID, TOKEN_SITE, tbs.p };
	act_sign(&t, &c, &a);
	assert_int_equal(webauthn_asserted(&t.key, writer_view(&a.client), writer_view(&a.auth), writer_view(&a.signature), &first, &w), 0);
	assert_int_equal(w.outcome, WEBAUTHN_BAD_CLIENT_DATA);
	acted_free(&a);
	/* And what signed in, wrapped as a signature under the statement. */
	c = honest();
	act_sign(&t, &c, &a);
	sig.client_data = writer_view(&a.client);
	assert_int_equal(sshsig_verify(&sig, message, &approve, &e), 0);
	assert_int_equal(e.outcome, SSHSIG_BAD_CLIENT_DATA);
	acted_free(&a);
	writer_free(&tbs);
	writer_free(&armour);
	writer_free(&blob);
	EVP_PKEY_free(t.p256);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_acts),
		cmocka_unit_test(test_made),
		cmocka_unit_test(test_made_cut),
		cmocka_unit_test(test_asserted),
		cmocka_unit_test(test_signing_in_is_no_approval),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
