/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pgpkey - public keys of OpenPGP, version 4 (RFC 4880 section 5.5.2; curves of
 * RFC 6637, Ed25519 as GnuPG writes it).
 * Role: pgpsig.c (arithmetic), pgpcert.c (what belongs to whom).
 */
#ifndef FG_CRYPTO_PGPKEY_H
#define FG_CRYPTO_PGPKEY_H

#include <openssl/evp.h>

#include "crypto/view.h"

#define PGPKEY_FPR_LEN 20
#define PGPKEY_ID_LEN 8 /* the last bytes of the fingerprint */
#define PGPKEY_MPI_MAX 2048 /* bytes of one number: RSA of 16384 bits */

/* Section 9.1, as far as they sign. */
enum pgpkey_alg {
	PGPKEY_NONE = 0,
	PGPKEY_RSA = 1,
	PGPKEY_RSA_SIGN = 3,
	PGPKEY_DSA = 17,
	PGPKEY_ECDSA = 19,
	PGPKEY_EDDSA = 22,
};

struct pgpkey {
	struct view body; /* of its packet, borrowed; its digest names it and goes into what is signed */
	unsigned alg;
	int64_t created;
	uint8_t fpr[PGPKEY_FPR_LEN];
	EVP_PKEY *pkey; /* owned; NULL: of a kind that nothing here verifies with (encryption, DSA, other curves) */
};

/*
 * Reads the body of a key or subkey packet. FG_EFORMAT with *ret_why (static
 * text) for another version or a malformed one; FG_ENOMEM, FG_ECRYPTO. *ret is
 * the caller's to pgpkey_free() on success only.
 */
int pgpkey_parse(struct view body, struct pgpkey *ret, const char **ret_why);
void pgpkey_free(struct pgpkey *key);

#endif
