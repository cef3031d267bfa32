/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stamp - time as text (RFC 3339) and as seconds or microseconds since 1970.
 * Role: everything signed, logged or shown. Own arithmetic on the proleptic
 * Gregorian calendar: no time zone, no locale, no leap second, no clock.
 * Each moment has exactly one text, "2026-01-01T10:00:00Z", and no other text
 * is read back: what is signed must not have two spellings.
 */
#ifndef FG_CRYPTO_STAMP_H
#define FG_CRYPTO_STAMP_H

#include "crypto/view.h"

#define STAMP_CAP 21                  /* "2026-01-01T10:00:00Z" and NUL */
#define STAMP_US_CAP 28               /* "2026-01-01T10:00:00.000123Z" and NUL */
#define STAMP_MAX INT64_C(253402300799) /* 9999-12-31T23:59:59Z: four digits of year */
#define STAMP_US_MAX (STAMP_MAX * 1000000 + 999999)

/*
 * Seconds as text. FG_EINVAL, out untouched, when they are not 0..STAMP_MAX:
 * seconds come from certificates and other processes, so callers must look.
 */
int stamp_format(int64_t seconds, char out[STAMP_CAP]) __attribute__((warn_unused_result));
/* Microseconds as text, always with six digits of fraction; else as above. */
int stamp_format_us(int64_t us, char out[STAMP_US_CAP]) __attribute__((warn_unused_result));
/* Back again; false, *ret untouched, for everything the formatters do not write. */
bool stamp_parse(struct view text, int64_t *ret_seconds);
bool stamp_parse_us(struct view text, int64_t *ret_us);
/*
 * What a person may type (--at): decimal seconds since 1970 without sign or
 * leading zero, or any RFC 3339 date-time: 't' and 'z' in either case, a
 * fraction of 1-9 digits (dropped), an offset. A leap second is refused.
 */
bool stamp_parse_any(struct view text, int64_t *ret_seconds);

#endif
