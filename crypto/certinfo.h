/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certinfo - the facts of one certificate as text and numbers that can be shown.
 * Role: fills struct sig_signer. Everything textual goes through visible_*: a
 * subject is whatever its maker typed.
 */
#ifndef FG_CRYPTO_CERTINFO_H
#define FG_CRYPTO_CERTINFO_H

#include <openssl/x509.h>

#include "crypto/sig.h"

/* "O=Example, CN=Signer" in the order of the certificate, RFC 2253 escapes, cut to cap. FG_ENOMEM.
 */
int certinfo_name(const X509_NAME *name, char *ret, size_t cap);
/* Lower-case hex without leading zeros, "-" before a negative one; over-long ones end in "...". */
int certinfo_serial(const ASN1_INTEGER *serial, char *ret, size_t cap);
/* Seconds since the epoch; FG_EFORMAT when it is no time. */
int certinfo_time(const ASN1_TIME *time, int64_t *ret);
/*
 * Subject, issuer, serial, validity, key type and SPKI hash of x509; anchor and
 * published_key are left alone. FG_EFORMAT when a date or the key cannot be read.
 */
int certinfo_describe(const X509 *x509, struct sig_signer *ret);

#endif
