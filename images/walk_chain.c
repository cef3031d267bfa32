/* SPDX-License-Identifier: Apache-2.0 */
/* walk_chain - a bare signature with the signer's certificates beside it, as boot formats have it. */
#include "images/walk.h"

#include <stdio.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "crypto/err.h"
#include "crypto/pubkey.h"
#include "images/walk_internal.h"

/*
 * All of der and nothing after it (T5), in the one encoding that is DER: what lies
 * around the signed part, lengths and the signature's bits, could be spelt
 * otherwise by anybody. NULL for anything else.
 */
static X509 *
certificate(struct view der)
{
	const uint8_t *p = der.p;
	uint8_t *again = NULL;
	X509 *x = d2i_X509(NULL, &p, (long)der.n);
	int n = x ? i2d_X509(x, &again) : -1;
	ERR_clear_error();
	if (x && (p != der.p + der.n || n < 0 || !view_equal(view_of(again, (size_t)n), der))) {
		X509_free(x);
		x = NULL;
	}
	OPENSSL_free(again);
	return x;
}

/* Which of the ways to sign that go with the leaf's key fits; PUBKEY_PADDING_NONE when none does. */
static int
find_method(struct walk *w, const struct walk_chain *c, EVP_PKEY *key, enum pubkey_padding *ret)
{
	static const enum pubkey_padding ways[] = { PUBKEY_RSA_PSS, PUBKEY_RSA_PKCS1, PUBKEY_ECDSA };
	uint8_t sum[DIGEST_LEN_MAX];
	int err = walk_digest(w, &c->span, c->alg, sum);
	*ret = PUBKEY_PADDING_NONE;
	for (unsigned i = 0; i < 3 && !err && *ret == PUBKEY_PADDING_NONE; i++) {
		bool rsa = ways[i] != PUBKEY_ECDSA, fits = false;
		struct pubkey_method m = { .padding = ways[i],
			.digest = c->alg,
			.salt_len = rsa ? (unsigned)digest_len(c->alg) : 0 };
		if (pubkey_kind(key) != (rsa ? PUBKEY_RSA : PUBKEY_EC))
			continue;
		err = pubkey_verify(key, &m, view_of(sum, digest_len(c->alg)), c->signature, &fits);
		if (!err && fits)
			*ret = ways[i];
	}
	return err;
}

static int
judge(struct walk *w, const struct walk_chain *c, X509 *leaf, STACK_OF(X509) *all, struct sig_result *ret)
{
	static const char *const names[] = { "", "rsa-pkcs1v15", "rsa-pss", "ecdsa-der" };
	const struct walk_room *room = w->room;
	enum pubkey_padding way = PUBKEY_PADDING_NONE;
	EVP_PKEY *key = X509_get0_pubkey(leaf);
	int err = key ? find_method(w, c, key, &way) : 0;
	ERR_clear_error();
	if (err)
		return err;
	ret->digest = c->alg;
	if (way == PUBKEY_PADDING_NONE) {
		sig_worsen(ret, c->misfit ? SIG_OPAQUE : SIG_INVALID,
		    c->misfit ? c->misfit : "it does not fit the key of the first certificate");
		return 0;
	}
	snprintf(ret->scheme, sizeof ret->scheme, "%s/%s-%s", c->scheme, names[way], digest_name(c->alg));
	if (!digest_is_strong(c->alg))
		sig_worsen(ret, SIG_WEAK, "the digest is too weak to sign with");
	ret->revocation = SIG_REVOCATION_NOT_CHECKED;
	err = trust_judge_cert(room->trust, room->policy, leaf, all, room->at, ret);
	if (!err && ret->outcome == SIG_UNKNOWN)
		ret->outcome = SIG_VERIFIED;
	return err;
}

/* Each certificate is signed by the next one, and the last by itself: none of their bytes is free. */
static bool
is_closed(STACK_OF(X509) *all)
{
	int n = sk_X509_num(all);
	bool closed = n > 0;
	for (int i = 0; i < n && closed; i++) {
		EVP_PKEY *key = X509_get0_pubkey(sk_X509_value(all, i + 1 < n ? i + 1 : i));
		closed = key && X509_verify(sk_X509_value(all, i), key) == 1;
	}
	ERR_clear_error();
	return closed;
}

int
walk_chain(struct walk *w, const struct walk_chain *c, struct walk_signed *ret, bool *ret_closed)
{
	STACK_OF(X509) *all = sk_X509_new_null();
	struct sig_result r = { .revocation = SIG_REVOCATION_NOT_APPLICABLE };
	struct walk_signed by;
	int err = all ? 0 : FG_ENOMEM;
	for (unsigned i = 0; i < c->n && !err; i++) {
		X509 *x = certificate(c->cert[i]);
		if (!x)
			sig_worsen(&r, SIG_INVALID, "a certificate cannot be read");
		else if (sk_X509_push(all, x) <= 0)
			err = FG_ENOMEM;
		if (err)
			X509_free(x);
	}
	snprintf(r.scheme, sizeof r.scheme, "%s", c->scheme);
	if (!err && c->n == 0)
		sig_worsen(&r, SIG_INVALID, "no certificate stands beside it");
	if (!err && r.outcome == SIG_UNKNOWN)
		err = judge(w, c, sk_X509_value(all, 0), all, &r);
	*ret_closed = !err && r.outcome == SIG_VERIFIED && is_closed(all);
	sk_X509_pop_free(all, X509_free);
	struct sig_result *s = err ? NULL : walk_place(w, &by);
	if (s) {
		memcpy(r.where, s->where, sizeof r.where);
		walk_place_covers(w, &c->span, &r);
		*s = r;
	}
	if (!err && ret)
		*ret = by;
	return err;
}
