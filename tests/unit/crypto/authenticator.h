/* SPDX-License-Identifier: Apache-2.0 */
/* A browser's authenticator that makes keys and signs in with them, honest or not. Include after cmocka. */
#ifndef FG_TESTS_UNIT_CRYPTO_AUTHENTICATOR_H
#define FG_TESTS_UNIT_CRYPTO_AUTHENTICATOR_H

#include "crypto/webauthn.h"
#include "unit/crypto/token.h"

/* What it may choose; zero is what an honest one does at TOKEN_SITE. */
struct act {
	struct view challenge;
	const char *type;     /* NULL: that of the act */
	const char *origin, *rp_id;
	const char *tail;     /* of the client data, after the origin */
	uint8_t set, clear;   /* flags, beside UP and UV */
	uint32_t counter;
	struct view credential; /* of one that is made; empty: sixteen bytes of 7 */
	const char *extensions; /* CBOR, with ED */
	const char *fmt;        /* NULL: "none" */
	int64_t alg;            /* 0: that of the key */
};

/* What a page hands in. */
struct acted {
	struct writer client, auth, object, signature;
};

static inline void
acted_free(struct acted *a)
{
	writer_free(&a->client);
	writer_free(&a->auth);
	writer_free(&a->object);
	writer_free(&a->signature);
}

static inline void
act_head(struct writer *w, unsigned major, size_t n)
{
	uint8_t top = (uint8_t)(major << 5);
	if (n < 24) {
		writer_u8(w, (uint8_t)(top | n));
	} else if (n < 256) {
		writer_u8(w, top | 24);
		writer_u8(w, (uint8_t)n);
	} else {
		writer_u8(w, top | 25);
		writer_u16(w, (uint16_t)n);
	}
}

static inline void
act_text(struct writer *w, const char *s)
{
	act_head(w, 3, strlen(s));
	writer_text(w, s);
}

static inline void
act_bytes(struct writer *w, struct view v)
{
	act_head(w, 2, v.n);
	writer_bytes(w, v);
}

static inline void
act_int(struct writer *w, int64_t v)
{
	act_head(w, v < 0 ? 1 : 0, (size_t)(v < 0 ? -1 - v : v));
}

static inline void
act_key(struct writer *w, const struct token *t, int64_t alg)
{
	act_head(w, 5, t->p256 ? 5 : 4);
	act_int(w, 1);
	act_int(w, t->p256 ? 2 : 1);
	act_int(w, 3);
	act_int(w, alg ? alg : t->p256 ? -7 : -8);
	act_int(w, -1);
	act_int(w, t->p256 ? 1 : 6);
	act_int(w, -2);
	act_bytes(w, view_of(t->key.point + (t->p256 ? 1 : 0), 32));
	if (t->p256) {
		act_int(w, -3);
		act_bytes(w, view_of(t->key.point + 33, 32));
	}
}

static inline void
act_begin(const struct act *c, const char *type, uint8_t flags, struct acted *ret)
{
	uint8_t rp[32];
	writer_init(&ret->client, 16384);
	writer_init(&ret->auth, 16384);
	writer_init(&ret->object, 32768);
	writer_init(&ret->signature, 512);
	writer_textf(&ret->client, "{\"type\":\"%s\",\"challenge\":\"", c->type ? c->type : type);
	token_base64url(&ret->client, c->challenge);
	writer_textf(&ret->client, "\",\"origin\":\"%s\"%s", c->origin ? c->origin : TOKEN_SITE,
	    c->tail ? c->tail : ",\"crossOrigin\":false}");
	assert_int_equal(digest_sha256(view_str(c->rp_id ? c->rp_id : TOKEN_RP_ID), rp), 0);
	writer_bytes(&ret->auth, view_of(rp, sizeof rp));
	flags = (uint8_t)((flags | SSHSIG_FLAG_UP | SSHSIG_FLAG_UV | c->set) & ~c->clear);
	writer_u8(&ret->auth, flags);
	writer_u32(&ret->auth, c->counter);
}

/* navigator.credentials.create() */
static inline void
act_make(const struct token *t, const struct act *c, struct acted *ret)
{
	static const uint8_t seven[16] = { 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7 };
	struct view id = c->credential.n ? c->credential : view_of(seven, sizeof seven);
	act_begin(c, "webauthn.create", SSHSIG_FLAG_AT, ret);
	writer_bytes(&ret->auth, view_of("an aaguid of 16.", 16));
	writer_u16(&ret->auth, (uint16_t)id.n);
	writer_bytes(&ret->auth, id);
	act_key(&ret->auth, t, c->alg);
	writer_text(&ret->auth, c->extensions ? c->extensions : "");
	act_head(&ret->object, 5, 3);
	act_text(&ret->object, "fmt");
	act_text(&ret->object, c->fmt ? c->fmt : "none");
	act_text(&ret->object, "attStmt");
	if (c->fmt) { /* a statement that nobody reads */
		act_head(&ret->object, 5, 1);
		act_text(&ret->object, "sig");
		act_bytes(&ret->object, view_of("whatever", 8));
	} else {
		act_head(&ret->object, 5, 0);
	}
	act_text(&ret->object, "authData");
	act_bytes(&ret->object, writer_view(&ret->auth));
}

/* navigator.credentials.get() */
static inline void
act_sign(const struct token *t, const struct act *c, struct acted *ret)
{
	uint8_t digest[32], sig[128];
	size_t n = sizeof sig;
	struct writer m;
	act_begin(c, "webauthn.get", 0, ret);
	writer_text(&ret->auth, c->extensions ? c->extensions : "");
	writer_init(&m, 32768);
	writer_bytes(&m, writer_view(&ret->auth));
	assert_int_equal(digest_sha256(writer_view(&ret->client), digest), 0);
	writer_bytes(&m, view_of(digest, sizeof digest));
	if (t->p256) {
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();
		assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, t->p256, NULL), 1);
		assert_int_equal(EVP_DigestSign(ctx, sig, &n, m.p, m.n), 1);
		EVP_MD_CTX_free(ctx);
	} else {
		n = 64;
		assert_int_equal(ed25519_sign(t->seed, writer_view(&m), sig), 0);
	}
	writer_bytes(&ret->signature, view_of(sig, n));
	writer_free(&m);
}

#endif
