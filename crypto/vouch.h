/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vouch - a person as a trusted front names them: who says so (the issuer) and who that is there (the subject).
 * Callers: the console, which reads it off a request, and control, which knows whose account that is. Pure.
 * Guarantees: one identity has one digest, two have two: no byte of either part can be taken for the other's.
 */
#ifndef FG_CRYPTO_VOUCH_H
#define FG_CRYPTO_VOUCH_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/digest.h"

/* Both stand whole in an entry of the log (struct msg_ref). OpenID Connect lets a subject have 255; those seen have 36 or 64. */
#define VOUCH_ISSUER_MAX 159
#define VOUCH_SUBJECT_MAX 159
#define VOUCH_WORDS_MAX 255   /* acr, and the list of amr */

/* "https://..." of printable ASCII without blanks, VOUCH_ISSUER_MAX at most. */
bool vouch_is_issuer(struct view v);
/* Printable ASCII without blanks, VOUCH_SUBJECT_MAX at most, not empty. */
bool vouch_is_subject(struct view v);
/* Both have those forms. 0, FG_EINVAL, or what OpenSSL says. */
int vouch_identity(struct view issuer, struct view subject, uint8_t ret[DIGEST_SHA256_LEN]);

#endif
