/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/pgpkey.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include "crypto/ed25519.h"
#include "crypto/err.h"
#include "crypto/pgppacket.h"
#include "crypto/pubkey.h"

#define BODY_MAX 65535 /* its length goes into 16 bits of what is hashed */

static const struct curve {
	const char *group;
	uint8_t oid[9];
	uint8_t n;
} curves[] = {
	{ "P-256", { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 }, 8 },
	{ "P-384", { 0x2b, 0x81, 0x04, 0x00, 0x22 }, 5 },
};
static const uint8_t ed25519_oid[] = { 0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01 };

static int
refuse(const char **ret_why, const char *why)
{
	*ret_why = why;
	return FG_EFORMAT;
}

/* FG_EFORMAT: OpenSSL takes these numbers for no key. */
static int
make(const char *type, OSSL_PARAM_BLD *bld, EVP_PKEY **ret)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, PUBKEY_PROPQ);
	int err = params && ctx && EVP_PKEY_fromdata_init(ctx) == 1 ? 0 : FG_ENOMEM;
	if (!err && EVP_PKEY_fromdata(ctx, ret, EVP_PKEY_PUBLIC_KEY, params) != 1)
		err = FG_EFORMAT;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	ERR_clear_error();
	return err;
}

static int
make_rsa(struct view modulus, struct view exponent, EVP_PKEY **ret)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	BIGNUM *n = BN_bin2bn(modulus.p, (int)modulus.n, NULL);
	BIGNUM *e = BN_bin2bn(exponent.p, (int)exponent.n, NULL);
	int err = FG_ENOMEM;
	if (bld && n && e && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e) == 1)
		err = make("RSA", bld, ret);
	BN_free(n);
	BN_free(e);
	OSSL_PARAM_BLD_free(bld);
	return err;
}

static int
make_ec(const char *group, struct view point, EVP_PKEY **ret)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	int err = FG_ENOMEM;
	if (bld && OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point.p, point.n) == 1)
		err = make("EC", bld, ret);
	OSSL_PARAM_BLD_free(bld);
	return err;
}

/* A curve's name and a point on it; *ret stays NULL for curves that are not ours. */
static int
read_curve(struct reader *r, unsigned alg, EVP_PKEY **ret)
{
	struct view oid = reader_take(r, reader_u8(r));
	struct view point = pgppacket_mpi(r, PGPKEY_MPI_MAX);
	if (r->bad)
		return FG_EFORMAT;
	if (alg == PGPKEY_EDDSA) {
		if (!view_equal(oid, view_of(ed25519_oid, sizeof ed25519_oid)))
			return 0;
		if (point.n != 1 + ED25519_KEY_LEN || point.p[0] != 0x40)
			return FG_EFORMAT;
		*ret = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", PUBKEY_PROPQ, point.p + 1,
		    ED25519_KEY_LEN);
		return *ret ? 0 : FG_ECRYPTO;
	}
	for (size_t i = 0; i < sizeof curves / sizeof *curves; i++)
		if (view_equal(oid, view_of(curves[i].oid, curves[i].n)))
			return point.p[0] == 0x04 ? make_ec(curves[i].group, point, ret) : FG_EFORMAT;
	return 0;
}

static int
read_numbers(struct reader *r, unsigned alg, EVP_PKEY **ret)
{
	if (alg == PGPKEY_ECDSA || alg == PGPKEY_EDDSA) {
		int err = read_curve(r, alg, ret);
		return !err && !reader_end(r) ? FG_EFORMAT : err;
	}
	if (alg != PGPKEY_RSA && alg != PGPKEY_RSA_SIGN)
		return 0;
	struct view n = pgppacket_mpi(r, PGPKEY_MPI_MAX), e = pgppacket_mpi(r, PGPKEY_MPI_MAX);
	return reader_end(r) ? make_rsa(n, e, ret) : FG_EFORMAT;
}

static int
fingerprint(struct view body, uint8_t ret[PGPKEY_FPR_LEN])
{
	const uint8_t head[] = { 0x99, (uint8_t)(body.n >> 8), (uint8_t)body.n };
	struct digest *d = digest_new(DIGEST_SHA1);
	int err = d ? digest_update(d, view_of(head, sizeof head)) : FG_ECRYPTO;
	if (!err)
		err = digest_update(d, body);
	if (!err)
		err = digest_final(d, ret);
	digest_free(d);
	return err;
}

int
pgpkey_parse(struct view body, struct pgpkey *ret, const char **ret_why)
{
	struct pgpkey k = { .body = body };
	struct reader r;
	reader_init(&r, body);
	uint8_t version = reader_u8(&r);
	k.created = reader_u32(&r);
	k.alg = reader_u8(&r);
	if (r.bad || body.n > BODY_MAX)
		return refuse(ret_why, "a malformed key");
	if (version != 4)
		return refuse(ret_why, version < 4 ? "a key of version 3 or older, named by MD5"
		                                   : "a key of a version above 4, which is not supported");
	int err = read_numbers(&r, k.alg, &k.pkey);
	if (!err)
		err = fingerprint(body, k.fpr);
	if (err) {
		EVP_PKEY_free(k.pkey);
		return err == FG_EFORMAT ? refuse(ret_why, "a malformed key") : err;
	}
	*ret = k;
	return 0;
}

void
pgpkey_free(struct pgpkey *key)
{
	EVP_PKEY_free(key->pkey);
	key->pkey = NULL;
}
