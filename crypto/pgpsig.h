/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pgpsig - one signature packet of OpenPGP (RFC 4880 section 5.2): what it
 * says, what it is over beside the document, and its arithmetic.
 * Role: pgpcert.c for the signatures of keys, openpgp.c for those of files.
 * Guarantees: only what is hashed is believed. Of the other area the issuer
 * narrows who is asked (T14) and an embedded signature is taken, which stands
 * for itself; the rest is not read. What a critical subpacket demands and is
 * not done here shows in critical, and the signature must then not count.
 */
#ifndef FG_CRYPTO_PGPSIG_H
#define FG_CRYPTO_PGPSIG_H

#include "crypto/digest.h"
#include "crypto/pgpkey.h"

#define PGPSIG_BODY_MAX 32768 /* what GnuPG would not write either: photos lie in keys, not in signatures */

/* Section 5.2.1. */
enum pgpsig_type {
	PGPSIG_BINARY = 0x00,
	PGPSIG_TEXT = 0x01,
	PGPSIG_CERT_FIRST = 0x10, /* of a user ID, in four degrees of having looked */
	PGPSIG_CERT_LAST = 0x13,
	PGPSIG_SUBKEY = 0x18,
	PGPSIG_BACK = 0x19, /* of a subkey over its primary key */
	PGPSIG_DIRECT = 0x1f,
	PGPSIG_KEY_REVOKED = 0x20,
	PGPSIG_SUBKEY_REVOKED = 0x28,
	PGPSIG_CERT_REVOKED = 0x30,
};

#define PGPSIG_FLAG_SIGN 0x02 /* of key flags: may sign data */

struct pgpsig {
	unsigned version; /* 3 or 4 */
	unsigned type, alg;
	enum digest_alg digest; /* DIGEST_NONE: one that is not calculated here, hash_name says which */
	const char *hash_name;
	int64_t created;
	uint32_t expires;     /* seconds after created; 0: never */
	struct view hashed;   /* goes into the digest behind the document; v4: and a trailer behind that */
	uint8_t left[2];      /* first bytes of the digest, once more */
	struct view numbers;
	size_t loose;         /* bytes that nobody signed, but for the issuer's name, once in each form */
	bool critical;        /* a critical subpacket that is not understood here */
	bool have_issuer, have_fpr; /* hints, from either area */
	uint8_t issuer[PGPKEY_ID_LEN], fpr[PGPKEY_FPR_LEN];
	/* Said by keys about themselves; from the hashed area. */
	bool have_flags;
	uint8_t flags;
	bool have_key_expires;
	uint32_t key_expires; /* seconds after the key was made; 0: never */
	struct view embedded; /* body of the signature that a signing subkey makes; of either area */
};

/*
 * Reads the body of a signature packet; it must live as long. FG_EFORMAT with
 * *ret_why (static text).
 */
int pgpsig_parse(struct view body, struct pgpsig *ret, const char **ret_why);
/* May it be by that key, going by its hints alone? Never without one. */
bool pgpsig_may_be_by(const struct pgpsig *s, const uint8_t fpr[PGPKEY_FPR_LEN]);
/*
 * Ends a digest that has gone over the document: sum of it, what s hashes of
 * itself, and the trailer (section 5.2.4). running is left as it was.
 */
int pgpsig_digest(const struct pgpsig *s, const struct digest *running, uint8_t ret[DIGEST_LEN_MAX]);
/*
 * Does it fit that digest under pkey, a key for alg? Nothing else is asked: not
 * its age, type or digest's strength. 0 with *ret_fits (false too for numbers
 * of the wrong form), FG_ENOMEM or FG_ECRYPTO.
 */
int pgpsig_fits(const struct pgpsig *s, EVP_PKEY *pkey, const uint8_t *sum, bool *ret_fits);

#endif
