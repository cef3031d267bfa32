/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/trust_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "crypto/err.h"
#include "crypto/minisign.h"
#include "crypto/pem.h"
#include "crypto/pgpcert.h"
#include "crypto/pgppacket.h"
#include "crypto/pubkey.h"
#include "crypto/published.h"
#include "crypto/sshkey.h"
#include "crypto/visible.h"
#include "crypto/wipe.h"

/* One file being enrolled. */
struct enrol {
	struct trust *batch;
	const char *name;
	enum trust_scheme scheme; /* asked for; NONE means by type */
	size_t line;		  /* of the object at hand */
	char *why;
	size_t cap;
};

__attribute__((format(printf, 2, 3))) static int
refuse(const struct enrol *e, const char *fmt, ...)
{
	char text[SIG_TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	snprintf(e->why, e->cap, "line %zu: %s", e->line, text);
	ERR_clear_error();
	return FG_EINVAL;
}

int
trust_object_id(char kind, enum trust_scheme scheme, struct view bytes,
    uint8_t ret[DIGEST_SHA256_LEN])
{
	struct digest *d = digest_new(DIGEST_SHA256);
	const char *use = trust_scheme_name(scheme);
	int err = d ? 0 : FG_ECRYPTO;
	if (!err)
		err = digest_update(d, view_of(&kind, 1));
	if (!err)
		err = digest_update(d, view_of(use, strlen(use) + 1));
	if (!err)
		err = digest_update(d, bytes);
	if (!err)
		err = digest_final(d, ret);
	digest_free(d);
	return err;
}

static int
enrol_cert(const struct enrol *e, struct view der)
{
	char why[SIG_TEXT_MAX];
	struct trust_cert *slot = &e->batch->cert[e->batch->cert_n];
	const uint8_t *p = der.p;
	X509 *x509 = d2i_X509(NULL, &p, (long)der.n);
	EVP_PKEY *pkey = x509 ? X509_get0_pubkey(x509) : NULL;
	int err = 0;

	if (!x509 || p != der.p + der.n)
		err = refuse(e, "not one well-formed certificate");
	else if (!pkey)
		err = refuse(e, "certificate whose public key cannot be read");
	else if (!pubkey_is_fit(pkey, 0, why, sizeof why))
		err = refuse(e, "certificate may not be an anchor: %s", why);
	else if (X509_get_extension_flags(x509) & EXFLAG_INVALID)
		err = refuse(e, "certificate with malformed extensions");
	if (!err)
		err = pubkey_spki_sha256(pkey, slot->spki_sha256);
	if (!err)
		err = trust_object_id('c', TRUST_SCHEME_NONE, der, slot->id);
	if (err) {
		X509_free(x509);
		return err;
	}
	visible_cstr(view_str(e->name), slot->name, sizeof slot->name);
	slot->x509 = x509;
	e->batch->cert_n++;
	return 0;
}

static int
enrol_crl(const struct enrol *e, struct view der)
{
	struct trust_crl *slot = &e->batch->crl[e->batch->crl_n];
	const uint8_t *p = der.p;
	X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)der.n);
	int err = 0;

	if (!crl || p != der.p + der.n)
		err = refuse(e, "not one well-formed CRL");
	else if (!X509_CRL_get0_nextUpdate(crl))
		err = refuse(e, "CRL that does not say when the next one is due");
	if (!err)
		err = trust_object_id('r', TRUST_SCHEME_NONE, der, slot->id);
	if (err) {
		X509_CRL_free(crl);
		return err;
	}
	slot->crl = crl;
	e->batch->crl_n++;
	return 0;
}

/* What a bare key means without a profile (ARCHITECTURE.md section 5). */
static enum trust_scheme
default_scheme(enum pubkey_kind kind)
{
	switch (kind) {
	case PUBKEY_OTHER:
		break;
	case PUBKEY_RSA:
		return TRUST_RSA_PKCS1_SHA256;
	case PUBKEY_EC:
		return TRUST_ECDSA_DER;
	case PUBKEY_ED25519:
		return TRUST_ED25519;
	}
	return TRUST_SCHEME_NONE;
}

/* Fills key from pkey, which stays the caller's until 0 is returned. */
static int
fill_key(const struct enrol *e, EVP_PKEY *pkey, struct trust_key *key)
{
	char why[SIG_TEXT_MAX];
	if (!pubkey_is_fit(pkey, 0, why, sizeof why))
		return refuse(e, "public key may not be an anchor: %s", why);
	pubkey_type(pkey, key->key_type);
	key->scheme =
	    e->scheme != TRUST_SCHEME_NONE ? e->scheme : default_scheme(pubkey_kind(pkey));
	if (trust_scheme_kind(key->scheme) != pubkey_kind(pkey))
		return refuse(e, "scheme %s does not belong to a key of type %s",
		    trust_scheme_name(key->scheme), key->key_type);
	int err = pubkey_spki_sha256(pkey, key->spki_sha256);
	if (err)
		return err;
	key->published = published_find(key->spki_sha256) != NULL;
	visible_cstr(view_str(e->name), key->name, sizeof key->name);
	key->pkey = pkey;
	return 0;
}

static int
enrol_key(const struct enrol *e, struct view der)
{
	struct trust_bare *slot = &e->batch->bare[e->batch->bare_n];
	const uint8_t *p = der.p;
	EVP_PKEY *pkey = d2i_PUBKEY_ex(NULL, &p, (long)der.n, NULL, PUBKEY_PROPQ);
	int err = 0;

	if (!pkey || p != der.p + der.n)
		err = refuse(e, "not one well-formed public key of a known type");
	if (!err)
		err = fill_key(e, pkey, &slot->key);
	/* The canonical key, not the file's encoding of it: one key, one object. */
	if (!err)
		err = trust_object_id('k', slot->key.scheme,
		    view_of(slot->key.spki_sha256, sizeof slot->key.spki_sha256), slot->id);
	if (err) {
		EVP_PKEY_free(pkey);
		slot->key.pkey = NULL;
		return err;
	}
	e->batch->bare_n++;
	return 0;
}

/* A key whose 32 bytes came without DER around them; keynum is NULL of OpenSSH's. */
static int
enrol_ed25519(const struct enrol *e, const uint8_t raw[ED25519_KEY_LEN], enum trust_tool tool, const uint8_t *keynum)
{
	struct trust_bare *slot = &e->batch->bare[e->batch->bare_n];
	EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", PUBKEY_PROPQ, raw,
	    ED25519_KEY_LEN);
	if (!pkey)
		return FG_ECRYPTO;
	static const uint8_t openssh[TRUST_KEYNUM_LEN] = "openssh";
	uint8_t id[DIGEST_SHA256_LEN + TRUST_KEYNUM_LEN + 1];
	size_t id_n = DIGEST_SHA256_LEN;
	int err = fill_key(e, pkey, &slot->key);
	if (!err) {
		memcpy(id, slot->key.spki_sha256, DIGEST_SHA256_LEN);
		slot->key.have_keynum = keynum != NULL;
		slot->key.tool = tool;
		if (keynum)
			memcpy(slot->key.keynum, keynum, TRUST_KEYNUM_LEN);
		memcpy(id + id_n, keynum ? keynum : openssh, TRUST_KEYNUM_LEN);
		id_n += TRUST_KEYNUM_LEN;
		if (tool == TRUST_TOOL_SIGNIFY)
			id[id_n++] = 's';
		/* The tool makes it another object: the same key may be there without one. */
		err = trust_object_id('k', slot->key.scheme, view_of(id, id_n), slot->id);
	}
	if (err) {
		EVP_PKEY_free(pkey);
		slot->key.pkey = NULL;
		return err;
	}
	e->batch->bare_n++;
	return 0;
}

static int
enrol_minisign(const struct enrol *e, struct view text)
{
	uint8_t keynum[TRUST_KEYNUM_LEN], raw[ED25519_KEY_LEN];
	enum trust_tool tool = TRUST_TOOL_ANY;
	const char *why = "";
	int err = minisign_parse_key(text, keynum, raw, &tool, &why);
	if (err == FG_EFORMAT)
		return refuse(e, "no minisign or signify public key: %s", why);
	return err ? err : enrol_ed25519(e, raw, tool, keynum);
}

/* One line of a .pub file. Keys of authenticators approve for people; they do not sign firmware. */
static int
enrol_ssh(const struct enrol *e, struct view text)
{
	struct sshkey key;
	const char *why = "";
	if (sshkey_parse_line(text, &key, NULL, 0, &why))
		return refuse(e, "no OpenSSH public key: %s", why);
	if (key.type != SSHKEY_ED25519)
		return refuse(e, "an OpenSSH key of type %s cannot be an anchor", sshkey_type_name(key.type));
	return enrol_ed25519(e, key.point, TRUST_TOOL_OPENSSH, NULL);
}

/* One key of an OpenPGP file that may sign; takes its pkey. */
static int
enrol_pgp_key(void *arg, struct pgpcert_key *from)
{
	const struct enrol *e = arg;
	struct enrol by_type = *e;
	if (e->batch->bare_n == TRUST_ITEMS_MAX) {
		refuse(e, "more than %d objects in one file", TRUST_ITEMS_MAX);
		return FG_ELIMIT;
	}
	struct trust_bare *slot = &e->batch->bare[e->batch->bare_n];
	by_type.scheme = TRUST_SCHEME_NONE; /* the packets say how, within what OpenPGP knows */
	int err = fill_key(&by_type, from->pkey, &slot->key);
	if (err)
		return err;
	slot->key.tool = TRUST_TOOL_OPENPGP;
	slot->key.pgp = (struct trust_pgp){ .created = from->created,
		.expires = from->expires,
		.stated = from->stated,
		.revoked = from->revoked };
	memcpy(slot->key.pgp.fpr, from->fpr, sizeof from->fpr);
	/* Later words of the same key are another object. */
	struct writer w;
	writer_init(&w, 256);
	writer_text(&w, "openpgp");
	writer_bytes(&w, view_of(from->fpr, sizeof from->fpr));
	writer_u64(&w, (uint64_t)from->created);
	writer_u64(&w, (uint64_t)from->expires);
	writer_u64(&w, (uint64_t)from->stated);
	writer_u8(&w, from->revoked);
	err = writer_err(&w);
	if (!err)
		err = trust_object_id('k', slot->key.scheme, writer_view(&w), slot->id);
	writer_free(&w);
	if (err) {
		slot->key.pkey = NULL;
		return err;
	}
	e->batch->bare_n++;
	return 0;
}

static int
enrol_pgp(struct enrol *e, struct view file)
{
	static const char public[] = "PGP PUBLIC KEY BLOCK", private[] = "PGP PRIVATE KEY BLOCK";
	char text[SIG_TEXT_MAX] = "";
	const char *why = "";
	struct writer w;
	if (pgppacket_is_armoured(file, private))
		return refuse(e, "a private key has no place in a trust set; take it out of this file");
	writer_init(&w, TRUST_FILE_MAX);
	int err = 0;
	if (pgppacket_is_armoured(file, public))
		err = pgppacket_dearmour(file, public, &w, NULL, &why);
	else
		writer_bytes(&w, file);
	if (!err)
		err = writer_err(&w);
	if (err == FG_EFORMAT)
		err = refuse(e, "no OpenPGP public key: %s", why);
	else if (!err)
		err = pgpcert_read(writer_view(&w), enrol_pgp_key, e, text, sizeof text);
	if (err == FG_EFORMAT)
		err = refuse(e, "no OpenPGP public key that may be an anchor: %s", text);
	writer_free(&w);
	return err;
}

static bool
begins(struct view text, const char *word)
{
	size_t n = strlen(word);
	return text.n >= n && memcmp(text.p, word, n) == 0;
}

static int
enrol_object(const struct enrol *e, const struct pem_object *object)
{
	struct view der = view_of(object->der, object->n);
	if (e->batch->cert_n == TRUST_ITEMS_MAX || e->batch->crl_n == TRUST_ITEMS_MAX ||
	    e->batch->bare_n == TRUST_ITEMS_MAX) {
		refuse(e, "more than %d objects in one file", TRUST_ITEMS_MAX);
		return FG_ELIMIT;
	}
	if (strstr(object->label, "PRIVATE KEY"))
		return refuse(
		    e, "a private key has no place in a trust set; take it out of this file");
	if (strcmp(object->label, "CERTIFICATE") == 0 ||
	    strcmp(object->label, "X509 CERTIFICATE") == 0)
		return enrol_cert(e, der);
	if (strcmp(object->label, "X509 CRL") == 0)
		return enrol_crl(e, der);
	if (strcmp(object->label, "PUBLIC KEY") == 0)
		return enrol_key(e, der);
	return refuse(e, "\"%s\" is neither certificate, CRL nor public key", object->label);
}

int
trust_enrol_pem(struct trust *batch, const char *name, struct view pem, enum trust_scheme scheme,
    char *ret_why, size_t cap)
{
	struct enrol e = {
		.batch = batch, .name = name, .scheme = scheme, .why = ret_why, .cap = cap
	};
	struct pem_object object;
	struct pem it;
	const char *why = "";
	size_t objects = 0;
	int err;

	if (pem.n > TRUST_FILE_MAX) {
		snprintf(ret_why, cap, "file is larger than %u bytes", TRUST_FILE_MAX);
		return FG_ELIMIT;
	}
	e.line = 1;
	if (begins(pem, MINISIGN_START))
		return enrol_minisign(&e, pem);
	if (begins(pem, "ssh-") || begins(pem, "sk-"))
		return enrol_ssh(&e, pem);
	if (begins(pem, "{"))
		return trust_root_enrol(batch, name, pem, ret_why, cap);
	if (pgpcert_recognise(pem))
		return enrol_pgp(&e, pem);
	pem_begin(&it, pem, TRUST_FILE_MAX);
	while ((err = pem_next(&it, &object, &why)) == 1) {
		e.line = object.line;
		err = enrol_object(&e, &object);
		wipe(object.der, object.n); /* it may be the private key just refused */
		free(object.der);
		if (err)
			return err;
		objects++;
	}
	if (err == FG_EFORMAT)
		snprintf(ret_why, cap, "line %zu: %s", it.line - 1, why);
	else if (!err && objects == 0) {
		snprintf(ret_why, cap, "no PEM certificate, CRL or public key in it");
		err = FG_EFORMAT;
	}
	return err;
}
