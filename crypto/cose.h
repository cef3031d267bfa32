/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cose - signatures of CBOR Object Signing (RFC 9052): COSE_Sign1 and COSE_Sign.
 * Role: SUIT's authentication blocks. Guarantees: the algorithm is taken from
 * the protected header and only from there; a critical header that is not known
 * refuses the whole; what is signed is built from the bytes that were received,
 * never from an encoding of our own.
 */
#ifndef FG_CRYPTO_COSE_H
#define FG_CRYPTO_COSE_H

#include "crypto/trust.h"
#include "crypto/writer.h"

#define COSE_SIGNERS_MAX SIG_SIGNERS_MAX
#define COSE_HEADERS_MAX 16 /* of one header map */

struct cose_signature {
	int64_t alg;             /* of the IANA registry: -7 is ES256 */
	enum trust_scheme as;    /* TRUST_SCHEME_NONE: an algorithm nobody here calculates */
	struct view body, sign;  /* protected headers as received; sign only of COSE_Sign */
	struct view kid;         /* a hint (T14); empty: none */
	struct view signature;
	bool one;                /* COSE_Sign1 */
};

struct cose {
	bool mac;                /* a message authentication code: nothing anybody could check without the secret */
	bool have_payload;
	struct view payload;     /* borrowed; detached when !have_payload */
	unsigned n;
	struct cose_signature signature[COSE_SIGNERS_MAX];
};

/*
 * Reads one tagged object (18, 98; 17 and 97 are codes), all of it. Views borrow
 * from bytes. FG_EFORMAT with *ret_why (static text).
 */
int cose_parse(struct view bytes, struct cose *ret, const char **ret_why);
/* Appends what a signature is over (section 4.4), without external data. writer_err() says whether it fitted. */
void cose_tbs(const struct cose_signature *s, struct view payload, struct writer *w);
/* "ES256", "EdDSA", ...; "unknown". */
const char *cose_alg_name(int64_t alg);

#endif
