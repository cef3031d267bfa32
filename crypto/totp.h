/* SPDX-License-Identifier: Apache-2.0 */
/*
 * totp - one-time passwords by time (RFC 6238, over RFC 4226): HMAC-SHA-1, six
 * digits, steps of thirty seconds: what every authenticator app speaks.
 * Role: a second factor of signing in. It is bound to no content, so it is no approval.
 * Guarantees: a code is compared in constant time, within one step of now, and
 * one step is accepted once: the caller remembers it.
 */
#ifndef FG_CRYPTO_TOTP_H
#define FG_CRYPTO_TOTP_H

#include "crypto/view.h"

#define TOTP_SECRET_LEN 20 /* RFC 4226 section 4, R6: 160 bits are recommended */
#define TOTP_STEP_S 30
#define TOTP_DIGITS 6
#define TOTP_SKEW 1        /* steps either way: a phone half a minute off */
#define TOTP_URI_CAP 512

/* The number of digits (6 to 8) for a step. 0 or FG_ECRYPTO. */
int totp_value(struct view secret, uint64_t step, unsigned digits, uint32_t *ret);
/*
 * Is text the code of a step around now (seconds since 1970) that is later than last? 0 and
 * *ret_step, which the caller stores before it believes it; FG_ENOTFOUND: it is not; FG_ECRYPTO.
 */
int totp_check(struct view secret, struct view text, int64_t now, uint64_t last, uint64_t *ret_step);
/*
 * "otpauth://totp/..." for a QR code; issuer and account are of letters, digits, '.', '_' and '-' alone,
 * anything else is left out. False: it does not fit.
 */
bool totp_uri(const char *issuer, const char *account, struct view secret, char *dst, size_t cap);

#endif
