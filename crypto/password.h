/* SPDX-License-Identifier: Apache-2.0 */
/*
 * password - what is stored instead of a password, and which ones nobody may have.
 * Role: control's accounts. Guarantees: scrypt (RFC 7914) with its cost in the
 * text, so that a later cost needs no other format; comparison in constant time.
 * Each check takes as long and as much memory as it costs: never on an event loop.
 */
#ifndef FG_CRYPTO_PASSWORD_H
#define FG_CRYPTO_PASSWORD_H

#include "crypto/view.h"

#define PASSWORD_MIN 12        /* characters: AUDIT_AND_APPROVAL.md section 3.5 */
#define PASSWORD_MAX 128
#define PASSWORD_BYTES_MAX (4 * PASSWORD_MAX)
#define PASSWORD_COST 16       /* log2 N: 64 MiB and about 0.2 s of one processor */
#define PASSWORD_COST_MAX 17   /* 128 MiB: what a check may be made to take */
#define PASSWORD_SALT_LEN 16
#define PASSWORD_SALT_MAX 32
#define PASSWORD_HASH_LEN 32
#define PASSWORD_PHC_CAP 128   /* "$scrypt$ln=16,r=8,p=1$" and both in base64 without padding: 96 at most */

/* The text to store. 0; FG_EINVAL (cost, or no password or one too long), FG_ENOMEM, FG_ECRYPTO. */
int password_hash(struct view password, unsigned cost, const uint8_t salt[PASSWORD_SALT_LEN], char ret[PASSWORD_PHC_CAP]);
/* The text of a hash that is nobody's, from random bytes: to check against, where there is no account, in the same time. */
int password_nobody(unsigned cost, const uint8_t random[PASSWORD_SALT_LEN + PASSWORD_HASH_LEN], char ret[PASSWORD_PHC_CAP]);
/* 0 and whether it is that password; FG_EFORMAT for a text that is none of ours, FG_ECRYPTO. */
int password_check(struct view password, const char *phc, bool *ret_is);
/*
 * Why nobody may have it, as the end of "the password ..."; NULL: good. Too short or long, no text, next to
 * nothing but a common word, one character or a sequence, or the account's own name.
 */
const char *password_refusal(struct view password, const char *account);

#endif
