/* SPDX-License-Identifier: Apache-2.0 */
/* A FIDO authenticator and a browser in software, honest or not. Include after cmocka. */
#ifndef FG_TESTS_UNIT_CRYPTO_TOKEN_H
#define FG_TESTS_UNIT_CRYPTO_TOKEN_H

#include <openssl/ec.h>
#include <openssl/evp.h>

#include "crypto/approval.h"
#include "crypto/base64.h"
#include "crypto/sshsig.h"

#define TOKEN_RP_ID "gate.example"
#define TOKEN_SITE "https://gate.example"

/* What the maker of a signature may choose; zero is what an honest one does. */
struct token_choice {
	uint8_t flags;
	const char *type;       /* name inside the signature */
	const char *client;     /* after the challenge; NULL = of our site */
	const char *origin;     /* field of the signature; NULL = TOKEN_SITE */
	const char *extensions;
	uint32_t version;       /* 0 = 1 */
	const char *reserved;
	const char *hash;       /* NULL = "sha512" */
	const char *namespace_; /* NULL = APPROVAL_NAMESPACE */
	bool padded_r;          /* a needless zero byte in front of r */
};

struct token {
	struct sshkey key;
	uint8_t seed[32];
	EVP_PKEY *p256;
};

static inline struct token
token_new(enum sshkey_type type, const char *application)
{
	struct token t;
	memset(&t, 0, sizeof t);
	t.key.type = type;
	memcpy(t.key.application, application, strlen(application));
	if (type == SSHKEY_SK_ECDSA) {
		size_t n;
		t.p256 = EVP_EC_gen("P-256");
		assert_non_null(t.p256);
		assert_int_equal(EVP_PKEY_get_octet_string_param(t.p256, "pub", t.key.point, sizeof t.key.point, &n), 1);
		assert_int_equal(n, SSHKEY_POINT_LEN);
	} else {
		assert_int_equal(ed25519_generate(t.seed), 0);
		assert_int_equal(ed25519_public(t.seed, t.key.point), 0);
	}
	return t;
}

static inline void
token_mpint(struct writer *w, const BIGNUM *v, bool padded)
{
	uint8_t bytes[34] = { 0 };
	size_t zeros = (BN_num_bits(v) % 8 == 0) + (padded ? 1u : 0u);
	int n = BN_bn2bin(v, bytes + zeros);
	writer_blob(w, view_of(bytes, zeros + (size_t)n));
}

/* The inner value of a signature over m. */
static inline void
token_value(const struct token *t, struct view m, bool padded_r, struct writer *w)
{
	if (!t->p256) {
		uint8_t sig[64];
		assert_int_equal(ed25519_sign(t->seed, m, sig), 0);
		writer_blob(w, view_of(sig, 64));
		return;
	}
	uint8_t der[128];
	const uint8_t *p = der;
	size_t n = sizeof der;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, t->p256, NULL), 1);
	assert_int_equal(EVP_DigestSign(ctx, der, &n, m.p, m.n), 1);
	EVP_MD_CTX_free(ctx);
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)n);
	assert_non_null(sig);
	struct writer inner;
	writer_init(&inner, 128);
	token_mpint(&inner, ECDSA_SIG_get0_r(sig), padded_r);
	token_mpint(&inner, ECDSA_SIG_get0_s(sig), false);
	writer_blob(w, writer_view(&inner));
	writer_free(&inner);
	ECDSA_SIG_free(sig);
}

static inline void
token_base64url(struct writer *w, struct view v)
{
	struct writer b;
	writer_init(&b, 4096);
	base64_encode(v, &b);
	for (size_t i = 0; i < b.n && b.p[i] != '='; i++)
		writer_u8(w, b.p[i] == '+' ? '-' : b.p[i] == '/' ? '_' : b.p[i]);
	writer_free(&b);
}

/* The message an authenticator signs, and the fields that follow the value. */
static inline void
token_sign(const struct token *t, struct view tbs, const struct token_choice *c, struct writer *sig)
{
	bool webauthn = strncmp(c->type, "webauthn", 8) == 0;
	struct view extensions = view_str(c->extensions);
	struct writer m, client;
	uint8_t digest[32];
	writer_init(&m, 8192);
	writer_init(&client, 8192);
	writer_text(&client, "{\"type\":\"webauthn.get\",\"challenge\":\"");
	token_base64url(&client, tbs);
	writer_text(&client, c->client ? c->client : "\",\"origin\":\"" TOKEN_SITE "\",\"crossOrigin\":false}");
	assert_int_equal(digest_sha256(view_str(t->key.application), digest), 0);
	writer_bytes(&m, view_of(digest, 32));
	writer_u8(&m, c->flags);
	writer_u32(&m, 42);
	if (webauthn)
		writer_bytes(&m, extensions);
	assert_int_equal(digest_sha256(webauthn ? writer_view(&client) : tbs, digest), 0);
	writer_bytes(&m, view_of(digest, 32));

	writer_cstr(sig, c->type);
	token_value(t, strcmp(c->type, "ssh-ed25519") ? writer_view(&m) : tbs, c->padded_r, sig);
	if (strcmp(c->type, "ssh-ed25519")) {
		writer_u8(sig, c->flags);
		writer_u32(sig, 42);
	}
	if (webauthn) {
		writer_cstr(sig, c->origin ? c->origin : TOKEN_SITE);
		writer_blob(sig, writer_view(&client));
		writer_blob(sig, extensions);
	}
	writer_free(&client);
	writer_free(&m);
}

/* A whole SSHSIG blob over message. */
static inline void
token_blob(const struct token *t, const struct token_choice *c, struct view message, struct writer *blob)
{
	const char *namespace_ = c->namespace_ ? c->namespace_ : APPROVAL_NAMESPACE;
	const char *hash = c->hash ? c->hash : "sha512";
	struct writer tbs, part;
	uint8_t digest[DIGEST_LEN_MAX];
	enum digest_alg alg = strcmp(hash, "sha256") == 0 ? DIGEST_SHA256 : DIGEST_SHA512;
	writer_init(&tbs, 4096);
	writer_init(&part, 8192);
	/* Built here by hand, not by sshsig_tbs: two descriptions of one format. */
	writer_text(&tbs, "SSHSIG");
	writer_cstr(&tbs, namespace_);
	writer_cstr(&tbs, "");
	writer_cstr(&tbs, hash);
	assert_int_equal(digest_bytes(alg, message, digest), 0);
	writer_blob(&tbs, view_of(digest, digest_len(alg)));

	writer_text(blob, "SSHSIG");
	writer_u32(blob, c->version ? c->version : 1);
	sshkey_write_blob(&t->key, &part);
	writer_blob(blob, writer_view(&part));
	writer_cstr(blob, namespace_);
	writer_cstr(blob, c->reserved ? c->reserved : "");
	writer_cstr(blob, hash);
	writer_reset(&part);
	token_sign(t, writer_view(&tbs), c, &part);
	writer_blob(blob, writer_view(&part));
	writer_free(&part);
	writer_free(&tbs);
}

/* The armoured signature of an honest browser at TOKEN_SITE, its person present and verified. */
static inline void
token_passkey(const struct token *t, struct view message, struct writer *armour)
{
	const struct token_choice c = { .flags = SSHSIG_FLAG_UP | SSHSIG_FLAG_UV,
		.type = "webauthn-sk-ecdsa-sha2-nistp256@openssh.com" };
	struct writer blob;
	writer_init(&blob, SSHSIG_BLOB_MAX);
	token_blob(t, &c, message, &blob);
	sshsig_armor(writer_view(&blob), armour);
	assert_int_equal(writer_err(armour), 0);
	writer_free(&blob);
}

#endif
