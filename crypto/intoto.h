/* SPDX-License-Identifier: Apache-2.0 */
/*
 * intoto - the envelope around what people sign: an in-toto statement v1 in canonical
 * JSON (RFC 8785), about one subject with its SHA-256.
 * Role: genesis, signer sets, approvals; the predicate is theirs. That a text has no
 * other form is shown by who parses it, by writing it again.
 */
#ifndef FG_CRYPTO_INTOTO_H
#define FG_CRYPTO_INTOTO_H

#include "crypto/digest.h"
#include "crypto/jsonw.h"

/* Begins the document in w; the value of "predicate" comes next. */
void intoto_begin(struct jsonw *j, struct writer *w);
/* What stands behind the predicate, of that type. The end of the document. */
void intoto_end(struct jsonw *j, const char *type, const char *subject, const uint8_t sha256[DIGEST_SHA256_LEN]);

#endif
