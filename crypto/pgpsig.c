/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/pgpsig.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>

#include "crypto/ed25519.h"
#include "crypto/err.h"
#include "crypto/pgppacket.h"
#include "crypto/pubkey.h"

#define DER_MAX 128 /* r and s of P-384 take 104 */
#define RSA_MAX (PUBKEY_RSA_BITS_MAX / 8)

/* Section 5.2.3.1; those that are read or, for a file, mean nothing. */
enum sub {
	SUB_CREATED = 2,
	SUB_EXPIRES = 3,
	SUB_KEY_EXPIRES = 9,
	SUB_ISSUER = 16,
	SUB_KEY_FLAGS = 27,
	SUB_EMBEDDED = 32,
	SUB_ISSUER_FPR = 33,
};

/* Understood by doing nothing: preferences, policy pages, who may certify, why a revocation. */
static const uint8_t harmless[] = { 4, 5, 6, 7, 11, 12, 21, 22, 23, 24, 25, 26, 28, 29, 30, 34 };

static const struct hash {
	unsigned id;
	enum digest_alg alg;
	const char *name;
} hashes[] = {
	{ 1, DIGEST_MD5, "MD5" },
	{ 2, DIGEST_SHA1, "SHA-1" },
	{ 3, DIGEST_NONE, "RIPEMD-160" },
	{ 8, DIGEST_SHA256, "SHA-256" },
	{ 9, DIGEST_SHA384, "SHA-384" },
	{ 10, DIGEST_SHA512, "SHA-512" },
	{ 11, DIGEST_NONE, "SHA-224" },
};

static int
refuse(const char **ret_why, const char *why)
{
	*ret_why = why;
	return FG_EFORMAT;
}

static void
set_hash(struct pgpsig *s, unsigned id)
{
	s->hash_name = "an unknown digest";
	for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++)
		if (hashes[i].id == id) {
			s->digest = hashes[i].alg;
			s->hash_name = hashes[i].name;
		}
}

/* ---- subpackets ---- */

static bool
copy(struct view from, void *to, size_t n)
{
	if (from.n == n)
		memcpy(to, from.p, n);
	return from.n == n;
}

static bool
u32(struct view v, uint32_t *ret)
{
	struct reader r;
	reader_init(&r, v);
	*ret = reader_u32(&r);
	return reader_end(&r);
}

/* The hints and the embedded signature, which may stand in either area; false: malformed. */
static bool
read_hint(struct pgpsig *s, const struct pgppacket_sub *sub)
{
	switch (sub->type) {
	case SUB_ISSUER:
		s->have_issuer = true;
		return copy(sub->body, s->issuer, PGPKEY_ID_LEN);
	case SUB_ISSUER_FPR:
		if (sub->body.n == 0 || sub->body.p[0] != 4)
			return true; /* of a key of another version: no key here is it */
		s->have_fpr = true;
		return copy(view_of(sub->body.p + 1, sub->body.n - 1), s->fpr, PGPKEY_FPR_LEN);
	case SUB_EMBEDDED:
		s->embedded = sub->body;
		return true;
	default:
		return true;
	}
}

/* What only the hashed area may say. Twice is one too many: which of them would others believe? */
static bool
read_claim(struct pgpsig *s, const struct pgppacket_sub *sub, uint64_t *seen)
{
	uint64_t bit = sub->type < 64 ? UINT64_C(1) << sub->type : 0;
	uint32_t v = 0;
	bool fit = true;
	switch (sub->type) {
	case SUB_CREATED:
		fit = u32(sub->body, &v);
		s->created = v;
		break;
	case SUB_EXPIRES:
		fit = u32(sub->body, &s->expires);
		break;
	case SUB_KEY_EXPIRES:
		s->have_key_expires = true;
		fit = u32(sub->body, &s->key_expires);
		break;
	case SUB_KEY_FLAGS:
		s->have_flags = true;
		s->flags = sub->body.n ? sub->body.p[0] : 0;
		break;
	default:
		return true;
	}
	fit = fit && !(*seen & bit);
	*seen |= bit;
	return fit;
}

static bool
understood(unsigned type)
{
	return type == SUB_CREATED || type == SUB_EXPIRES || type == SUB_KEY_EXPIRES ||
	       type == SUB_ISSUER || type == SUB_KEY_FLAGS || type == SUB_EMBEDDED ||
	       type == SUB_ISSUER_FPR || memchr(harmless, (int)type, sizeof harmless) != NULL;
}

/*
 * Nothing but the issuer's name, as long as one is, and no other than was read
 * before: a signature that verifies leaves nobody a choice of such bytes.
 */
static bool
is_name(const struct pgpsig *s, const struct pgppacket_sub *sub)
{
	struct view v = sub->body;
	if (sub->critical)
		return false;
	if (sub->type == SUB_ISSUER)
		return v.n == PGPKEY_ID_LEN && (!s->have_issuer || memcmp(v.p, s->issuer, v.n) == 0);
	return sub->type == SUB_ISSUER_FPR && v.n == 1 + PGPKEY_FPR_LEN && v.p[0] == 4 &&
	       (!s->have_fpr || memcmp(v.p + 1, s->fpr, PGPKEY_FPR_LEN) == 0);
}

static bool
read_area(struct pgpsig *s, struct view area, bool hashed, uint64_t *seen)
{
	struct pgppacket_sub sub;
	bool id = false, fpr = false; /* named in that form, in this area */
	int more;
	while ((more = pgppacket_sub_next(&area, &sub)) == 1) {
		bool *named = sub.type == SUB_ISSUER ? &id : &fpr;
		if (!hashed && is_name(s, &sub) && !*named)
			*named = true;
		else if (!hashed)
			s->loose += sub.body.n + 1;
		/* A notation (20) is among those not understood: nobody here knows one. */
		if (sub.critical && !understood(sub.type))
			s->critical = true;
		if (!read_hint(s, &sub) || (hashed && !read_claim(s, &sub, seen)))
			return false;
	}
	return more == 0;
}

/* ---- packet ---- */

static int
parse_v4(struct view body, struct reader *r, struct pgpsig *s, const char **ret_why)
{
	uint64_t seen = 0;
	s->type = reader_u8(r);
	s->alg = reader_u8(r);
	set_hash(s, reader_u8(r));
	struct view hashed = reader_take(r, reader_u16(r));
	s->hashed = view_of(body.p, r->bad ? 0 : body.n - reader_left(r));
	struct view other = reader_take(r, reader_u16(r));
	reader_copy(r, s->left, sizeof s->left);
	if (r->bad || !read_area(s, hashed, true, &seen) || !read_area(s, other, false, &seen))
		return refuse(ret_why, "a malformed signature packet");
	if (!(seen & UINT64_C(1) << SUB_CREATED))
		return refuse(ret_why, "a signature that does not say when it was made");
	return 0;
}

static int
parse_v3(struct reader *r, struct pgpsig *s, const char **ret_why)
{
	if (reader_u8(r) != 5)
		return refuse(ret_why, "a malformed signature packet");
	s->hashed = reader_take(r, 5);
	if (!r->bad) {
		uint32_t v = 0;
		(void)u32(view_of(s->hashed.p + 1, 4), &v);
		s->type = s->hashed.p[0];
		s->created = v;
	}
	reader_copy(r, s->issuer, sizeof s->issuer);
	s->have_issuer = true;
	s->alg = reader_u8(r);
	set_hash(s, reader_u8(r));
	reader_copy(r, s->left, sizeof s->left);
	return r->bad ? refuse(ret_why, "a malformed signature packet") : 0;
}

int
pgpsig_parse(struct view body, struct pgpsig *ret, const char **ret_why)
{
	struct pgpsig s = { .digest = DIGEST_NONE };
	struct reader r;
	if (body.n > PGPSIG_BODY_MAX)
		return refuse(ret_why, "a signature packet longer than 32 KiB");
	reader_init(&r, body);
	s.version = reader_u8(&r);
	if (r.bad || (s.version != 3 && s.version != 4))
		return refuse(ret_why, "a signature of a version that is not supported: neither 3 nor 4");
	int err = s.version == 4 ? parse_v4(body, &r, &s, ret_why) : parse_v3(&r, &s, ret_why);
	if (err)
		return err;
	s.numbers = reader_take(&r, reader_left(&r));
	*ret = s;
	return 0;
}

bool
pgpsig_may_be_by(const struct pgpsig *s, const uint8_t fpr[PGPKEY_FPR_LEN])
{
	if (s->have_fpr && memcmp(s->fpr, fpr, PGPKEY_FPR_LEN) != 0)
		return false;
	if (!s->have_issuer)
		return s->have_fpr;
	return memcmp(s->issuer, fpr + PGPKEY_FPR_LEN - PGPKEY_ID_LEN, PGPKEY_ID_LEN) == 0;
}

/* ---- arithmetic ---- */

int
pgpsig_digest(const struct pgpsig *s, const struct digest *running, uint8_t ret[DIGEST_LEN_MAX])
{
	size_t n = s->hashed.n;
	const uint8_t trailer[] = { 4, 0xff, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8),
		(uint8_t)n };
	const struct view tail[] = { s->hashed, view_of(trailer, sizeof trailer) };
	return digest_peek_with(running, tail, s->version == 4 ? 2 : 1, ret);
}

/* The number with the zeros in front that its form takes away; false: it is longer than n. */
static bool
pad(struct view number, uint8_t *dst, size_t n)
{
	if (number.n > n)
		return false;
	memset(dst, 0, n - number.n);
	memcpy(dst + (n - number.n), number.p, number.n);
	return true;
}

static int
fits_rsa(EVP_PKEY *pkey, enum digest_alg alg, struct view number, struct view sum, bool *ret_fits)
{
	const struct pubkey_method method = { .padding = PUBKEY_RSA_PKCS1, .digest = alg };
	uint8_t sig[RSA_MAX];
	int n = EVP_PKEY_get_size(pkey);
	if (n <= 0 || (size_t)n > sizeof sig || !pad(number, sig, (size_t)n))
		return 0;
	return pubkey_verify(pkey, &method, sum, view_of(sig, (size_t)n), ret_fits);
}

static int
fits_ecdsa(EVP_PKEY *pkey, enum digest_alg alg, struct view r, struct view s, struct view sum,
    bool *ret_fits)
{
	const struct pubkey_method method = { .padding = PUBKEY_ECDSA, .digest = alg };
	uint8_t der[DER_MAX], *p = der;
	/* As GnuPG has it: a digest is no shorter than the curve. */
	if (sum.n * 8 < (size_t)EVP_PKEY_get_bits(pkey))
		return 0;
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *br = BN_bin2bn(r.p, (int)r.n, NULL), *bs = BN_bin2bn(s.p, (int)s.n, NULL);
	if (!pair || !br || !bs || ECDSA_SIG_set0(pair, br, bs) != 1) {
		BN_free(br);
		BN_free(bs);
		ECDSA_SIG_free(pair);
		return FG_ENOMEM;
	}
	int n = i2d_ECDSA_SIG(pair, NULL), err = 0;
	if (n > 0 && (size_t)n <= sizeof der) {
		(void)i2d_ECDSA_SIG(pair, &p);
		err = pubkey_verify(pkey, &method, sum, view_of(der, (size_t)n), ret_fits);
	}
	ECDSA_SIG_free(pair);
	return err;
}

/* Ed25519 over the digest, as if that were the message (GnuPG's EdDSA). */
static int
fits_ed25519(EVP_PKEY *pkey, struct view r, struct view s, struct view sum, bool *ret_fits)
{
	uint8_t key[ED25519_KEY_LEN], sig[ED25519_SIG_LEN];
	size_t n = sizeof key;
	if (!pad(r, sig, 32) || !pad(s, sig + 32, 32))
		return 0;
	if (EVP_PKEY_get_raw_public_key(pkey, key, &n) != 1 || n != sizeof key) {
		ERR_clear_error();
		return FG_ECRYPTO;
	}
	return ed25519_verify(key, sum, view_of(sig, sizeof sig), ret_fits);
}

int
pgpsig_fits(const struct pgpsig *s, EVP_PKEY *pkey, const uint8_t *sum, bool *ret_fits)
{
	enum pubkey_kind kind = pubkey_kind(pkey);
	struct view digest = view_of(sum, digest_len(s->digest));
	struct view a, b = view_of(NULL, 0);
	struct reader r;
	bool rsa = s->alg == PGPKEY_RSA || s->alg == PGPKEY_RSA_SIGN, fits = false;
	*ret_fits = false;
	/* The key says what it is; a packet that says otherwise is none of its. */
	if (s->digest == DIGEST_NONE || memcmp(s->left, sum, sizeof s->left) != 0 ||
	    rsa != (kind == PUBKEY_RSA) ||
	    (s->alg == PGPKEY_ECDSA) != (kind == PUBKEY_EC) ||
	    (s->alg == PGPKEY_EDDSA) != (kind == PUBKEY_ED25519))
		return 0;
	reader_init(&r, s->numbers);
	a = pgppacket_mpi(&r, rsa ? RSA_MAX : 64);
	if (!rsa)
		b = pgppacket_mpi(&r, 64);
	if (!reader_end(&r))
		return 0;
	int err = rsa                     ? fits_rsa(pkey, s->digest, a, digest, &fits)
	          : kind == PUBKEY_EC     ? fits_ecdsa(pkey, s->digest, a, b, digest, &fits)
	                                  : fits_ed25519(pkey, a, b, digest, &fits);
	*ret_fits = !err && fits;
	return err;
}
