/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/credential.h"

#include <limits.h>
#include <stdio.h>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "crypto/certinfo.h"
#include "crypto/err.h"
#include "crypto/published.h"
#include "crypto/pubkey.h"
#include "crypto/reader.h"

int
credential_cert(struct view der, struct credential *ret, size_t *ret_used)
{
	struct credential c = { .kind = CREDENTIAL_LEAF };
	const unsigned char *p = der.p;
	if (der.n > LONG_MAX)
		return FG_EFORMAT;
	X509 *x509 = d2i_X509(NULL, &p, (long)der.n);
	if (!x509) {
		ERR_clear_error();
		return FG_EFORMAT;
	}
	size_t used = (size_t)(p - der.p);
	int err = digest_sha256(view_of(der.p, used), c.id);
	if (!err)
		err = certinfo_describe(x509, &c.signer);
	if (!err) {
		c.self_issued = X509_NAME_cmp(X509_get_subject_name(x509), X509_get_issuer_name(x509)) == 0;
		if (c.self_issued || X509_check_ca(x509) > 0)
			c.kind = CREDENTIAL_CA;
		c.signer.published_key = published_find(c.signer.spki_sha256) != NULL;
		*ret = c;
		*ret_used = used;
	}
	X509_free(x509);
	ERR_clear_error();
	return err == FG_ECRYPTO ? FG_EFORMAT : err;
}

/* PKCS #8 under a password: EncryptedPrivateKeyInfo. */
static int
sealed(struct view der, struct credential *ret, size_t *ret_used)
{
	const unsigned char *p = der.p;
	X509_SIG *sig = d2i_X509_SIG(NULL, &p, (long)der.n);
	const X509_ALGOR *alg = NULL;
	const ASN1_OBJECT *what = NULL;
	if (sig) {
		X509_SIG_get0(sig, &alg, NULL);
		X509_ALGOR_get0(&what, NULL, NULL, alg);
	}
	/* A DigestInfo has the same form: only password schemes seal keys (RFC 8018). */
	int nid = what ? OBJ_obj2nid(what) : NID_undef;
	bool is = nid == NID_pbes2 || nid == NID_pbeWithMD5AndDES_CBC ||
		  nid == NID_pbe_WithSHA1And3_Key_TripleDES_CBC ||
		  nid == NID_pbe_WithSHA1And2_Key_TripleDES_CBC || nid == NID_pbeWithSHA1AndDES_CBC;
	X509_SIG_free(sig);
	ERR_clear_error();
	if (!is)
		return FG_EFORMAT;
	struct credential c = { .kind = CREDENTIAL_SEALED };
	int err = digest_sha256(view_of(der.p, (size_t)(p - der.p)), c.id);
	if (err)
		return err;
	*ret = c;
	*ret_used = (size_t)(p - der.p);
	return 0;
}

/* Its outer form is that of PKCS #8, PKCS #1 or SEC 1: cheap, where making a key of it costs the library a millisecond. */
static bool
is_plain(struct view der)
{
	const unsigned char *p = der.p;
	PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)der.n);
	bool is = info != NULL;
	PKCS8_PRIV_KEY_INFO_free(info);
	if (!is) {
		/* RSA has nine numbers, DSA six, an EC key two to four elements. */
		p = der.p;
		ASN1_SEQUENCE_ANY *list = d2i_ASN1_SEQUENCE_ANY(NULL, &p, (long)der.n);
		int n = sk_ASN1_TYPE_num(list);
		const ASN1_TYPE *first = n > 0 ? sk_ASN1_TYPE_value(list, 0) : NULL;
		is = (n == 9 || n == 6 || (n >= 2 && n <= 4)) && first &&
		     ASN1_TYPE_get(first) == V_ASN1_INTEGER;
		sk_ASN1_TYPE_pop_free(list, ASN1_TYPE_free);
	}
	ERR_clear_error();
	return is;
}

int
credential_key(struct view der, struct credential *ret, size_t *ret_used)
{
	struct credential c = { .kind = CREDENTIAL_KEY };
	const unsigned char *p = der.p;
	if (der.n > LONG_MAX)
		return FG_EFORMAT;
	if (!is_plain(der))
		return sealed(der, ret, ret_used);
	EVP_PKEY *pkey = d2i_AutoPrivateKey(NULL, &p, (long)der.n);
	ERR_clear_error();
	if (!pkey)
		return FG_EFORMAT;
	size_t used = (size_t)(p - der.p);
	int err = pubkey_spki_sha256(pkey, c.signer.spki_sha256);
	if (!err) {
		c.signer.have_spki = true;
		c.signer.published_key = published_find(c.signer.spki_sha256) != NULL;
		pubkey_type(pkey, c.signer.key_type);
		memcpy(c.id, c.signer.spki_sha256, sizeof c.id);
	} else if (err != FG_ENOMEM) {
		/* Without a public half: its own bytes name it. */
		err = digest_sha256(view_of(der.p, used), c.id);
	}
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	if (err)
		return err;
	*ret = c;
	*ret_used = used;
	return 0;
}

int
credential_openssh(struct view body, struct credential *ret)
{
	static const char magic[] = "openssh-key-v1"; /* with its NUL */
	struct credential c = { .kind = CREDENTIAL_KEY };
	struct reader r;
	reader_init(&r, body);
	struct view m = reader_take(&r, sizeof magic);
	struct view cipher = reader_blob(&r, 64);
	reader_blob(&r, 64);   /* key derivation */
	reader_blob(&r, 4096); /* its options */
	uint32_t n = reader_u32(&r);
	struct view public = reader_blob(&r, 8192);
	if (r.bad || !view_equal(m, view_of(magic, sizeof magic)) || n == 0)
		return FG_EFORMAT;
	if (!view_is(cipher, "none"))
		c.kind = CREDENTIAL_SEALED;
	struct reader type;
	reader_init(&type, public);
	struct view name = reader_blob(&type, 64);
	if (!type.bad)
		snprintf(
		    c.signer.key_type, sizeof c.signer.key_type, "%.*s", (int)name.n, (const char *)name.p);
	/* Hostile words: what is no plain name is not repeated. */
	for (char *s = c.signer.key_type; *s; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') || *s == '-' || *s == '@' ||
			*s == '.'))
			*s = '?';
	int err = digest_sha256(public, c.id);
	if (!err)
		*ret = c;
	return err;
}
