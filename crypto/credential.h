/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credential - a certificate or a private key found in somebody's files: what it is and
 * whose, not whether anything may rest on it.
 * Role: the change report. Guarantees: input is untrusted and bounded by the caller; nothing
 * read here becomes an anchor; a private key's secret half is used only to name its public
 * one, and is wiped.
 */
#ifndef FG_CRYPTO_CREDENTIAL_H
#define FG_CRYPTO_CREDENTIAL_H

#include "crypto/sig.h"

enum credential_kind {
	CREDENTIAL_NONE = 0,
	CREDENTIAL_CA,     /* may vouch for others: by its extensions, or because it vouches for itself */
	CREDENTIAL_LEAF,
	CREDENTIAL_KEY,    /* private, for whoever has the bytes */
	CREDENTIAL_SEALED, /* private, under a password */
};

struct credential {
	enum credential_kind kind;
	bool self_issued;
	/* SHA-256 that names it: a certificate's DER; of a key the public half, or the bytes where that is not to be had. */
	uint8_t id[DIGEST_SHA256_LEN];
	struct sig_signer signer; /* of a certificate all; of a key type and SPKI where they are known */
};

/*
 * A certificate, or a private key (PKCS #8, PKCS #1, SEC 1, plain or under a password), at
 * the start of der. *ret_used: its bytes. 0; FG_EFORMAT when it is none; FG_ENOMEM.
 */
int credential_cert(struct view der, struct credential *ret, size_t *ret_used);
int credential_key(struct view der, struct credential *ret, size_t *ret_used);
/* The body of an OpenSSH private key (PROTOCOL.key of OpenSSH): named by its public key. Results as above. */
int credential_openssh(struct view body, struct credential *ret);

#endif
