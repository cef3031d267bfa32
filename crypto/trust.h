/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trust - what the operator has said may vouch for an image: certificates with
 * their CRLs, and bare public keys whose record fixes the algorithm.
 * What a TUF repository begins with, its root metadata, is pinned here as well.
 * Role: built by the inspector from the bytes of a trust folder or profile;
 * asked by every scheme. Enrolment refuses what must never be an anchor: weak
 * and low-order keys (T17), private keys, unparseable PEM. A published test
 * key is enrolled (the signature says "verified") and flagged.
 */
#ifndef FG_CRYPTO_TRUST_H
#define FG_CRYPTO_TRUST_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "crypto/digest.h"
#include "crypto/pgpkey.h"
#include "crypto/pubkey.h"
#include "crypto/sig.h"

#define TRUST_ITEMS_MAX 256          /* certificates, CRLs and keys in one set */
#define TRUST_ROOTS_MAX 16           /* roots of TUF repositories beside them; a product has one or two */
#define TRUST_FILE_MAX (1u << 20)    /* bytes of one PEM file (a CRL is the largest) */
#define TRUST_NAME_MAX 128

/* How a bare key signs. Nothing in the signed file may choose this (section 1.1). */
enum trust_scheme {
	TRUST_SCHEME_NONE = 0,
	TRUST_RSA_PKCS1_SHA256,
	TRUST_RSA_PKCS1_SHA384,
	TRUST_RSA_PKCS1_SHA512,
	TRUST_RSA_PSS_SHA256, /* MGF1 same digest, salt = digest length (T15) */
	TRUST_RSA_PSS_SHA384,
	TRUST_RSA_PSS_SHA512,
	TRUST_ECDSA_DER,      /* digest by curve: P-256 SHA-256, P-384 SHA-384 */
	TRUST_ECDSA_FIXED,    /* r||s big-endian, exact length (T16) */
	TRUST_ED25519,
	TRUST_RSA_PSS_SHA256_LONG, /* the longest salt that fits: what openssl(1) makes of saltlen -2 (SWUpdate) */
};

/* Purpose a certificate of the chain must have. Zero denies. */
enum trust_purpose {
	TRUST_PURPOSE_NONE = 0,
	TRUST_PURPOSE_FIRMWARE,      /* EKU absent, codeSigning or emailProtection (no profile) */
	TRUST_PURPOSE_CODE_SIGNING,  /* EKU must hold codeSigning, intermediates with EKU too (T3) */
	TRUST_PURPOSE_EMAIL,         /* EKU must hold emailProtection (RAUC, SWUpdate default) */
};

struct trust_policy {
	enum trust_purpose purpose;
	bool allow_leaf_anchor;  /* a certificate in the set that is itself the signer vouches (T13), by SPKI */
	bool require_revocation; /* a chain without current CRLs is SIG_UNTRUSTED */
	bool pinned_ignores_expiry; /* only with allow_leaf_anchor: recovery-style pins (T11) */
	bool allow_partial_chain;   /* a CA of the set ends a chain even without its own root (T13) */
	unsigned rsa_bits_min;   /* 0 means TRUST_RSA_BITS_MIN */
};

#define TRUST_RSA_BITS_MIN 2048
#define TRUST_KEYNUM_LEN 8 /* of minisign and signify */

/*
 * The tool a bare key came from. What minisign, signify or OpenSSH sign has a form of
 * its own; the same 64 bytes must not pass for a signature of another form, so such
 * a key only counts there. minisign's second signature, over the first one and a
 * comment, would else be signify's of a file that holds just those.
 */
enum trust_tool { TRUST_TOOL_ANY = 0, TRUST_TOOL_MINISIGN, TRUST_TOOL_OPENSSH, TRUST_TOOL_SIGNIFY, TRUST_TOOL_OPENPGP };

/* What the owner of an OpenPGP key said of it; the time of judging decides what it comes to. */
struct trust_pgp {
	uint8_t fpr[PGPKEY_FPR_LEN];
	int64_t created;
	int64_t expires; /* 0: never */
	int64_t stated;  /* when the owner last said so: of two files the newer one counts */
	bool revoked;
};


struct trust_key {
	char name[TRUST_NAME_MAX];
	EVP_PKEY *pkey;
	enum trust_scheme scheme;
	uint8_t spki_sha256[DIGEST_SHA256_LEN];
	char key_type[24];
	bool published;
	enum trust_tool tool;
	bool have_keynum; /* came as a minisign or signify key */
	uint8_t keynum[TRUST_KEYNUM_LEN];
	struct trust_pgp pgp; /* of TRUST_TOOL_OPENPGP */
};

/* Root metadata of a TUF repository, as the operator pinned it. */
struct tufmeta;
struct trust_root {
	char name[TRUST_NAME_MAX];
	struct tufmeta *meta; /* signed by its own threshold */
};

struct trust; /* the set; immutable after building */

struct trust *trust_new(void);
void trust_free(struct trust *t);
/*
 * Enrols every certificate, CRL and public key in a PEM text under name; or the
 * one key of a file of minisign, of signify, or of OpenSSH (ssh-ed25519); or all
 * keys that may sign of a file of OpenPGP keys, armoured or not.
 * scheme applies to bare keys; TRUST_SCHEME_NONE picks the contract's default
 * by type (RSA: PKCS#1 v1.5 SHA-256; EC: DER; Ed25519). FG_EFORMAT, FG_EINVAL
 * or FG_ELIMIT with a sentence in ret_why (cap bytes) when anything in it may
 * not be enrolled; the set is then unchanged. What is enrolled already is not
 * enrolled twice.
 */
int trust_add_pem(struct trust *t, const char *name, struct view pem, enum trust_scheme scheme, char *ret_why,
    size_t cap);
/* SHA-256 over the sorted enrolled objects: names the set in the report. */
int trust_digest(const struct trust *t, uint8_t out[DIGEST_SHA256_LEN]);
size_t trust_certs(const struct trust *t);
size_t trust_crls(const struct trust *t);
size_t trust_keys(const struct trust *t);
const struct trust_key *trust_key_at(const struct trust *t, size_t i);
size_t trust_roots(const struct trust *t);
/* Borrowed; NULL past the end. */
const struct trust_root *trust_root_at(const struct trust *t, size_t i);
/* Borrowed; NULL past the end. Candidates for a signer whose certificate was not sent along. */
X509 *trust_cert_at(const struct trust *t, size_t i);
/*
 * Judges a signer's certificate at time now (epoch seconds) against the set:
 * chain, purpose, validity, key strength, revocation over the whole chain
 * (T2, T3, T11-T14). extra are certificates found in the signature: candidates
 * for the path, never anchors. Fills result->signer and revocation and worsens
 * result->outcome; leaves it alone where nothing is wrong. 0 or local failure.
 * Call it only for a certificate whose key the signature has been found to fit:
 * what it fills in is then about the one who signed. A revoked certificate is
 * SIG_REVOKED by any CRL of the set; a missing or stale CRL alone shows in
 * revocation and becomes SIG_UNTRUSTED where policy->require_revocation.
 */
int trust_judge_cert(const struct trust *t, const struct trust_policy *policy, X509 *leaf, STACK_OF(X509) *extra,
    int64_t now, struct sig_result *result);

/* "rsa-pkcs1v15-sha256", "ecdsa-der", ... as profiles and reports spell it. */
const char *trust_scheme_name(enum trust_scheme scheme);
enum trust_scheme trust_scheme_parse(const char *word);
/* Whether key may count where tool signs: it is of that tool, or of none. */
bool trust_key_for(const struct trust_key *key, enum trust_tool tool);
/* The kind of key that goes with scheme; PUBKEY_OTHER for TRUST_SCHEME_NONE. */
enum pubkey_kind trust_scheme_kind(enum trust_scheme scheme);

#endif
