/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_date - HTTP's dates (RFC 9110 section 5.6.7) from and to epoch seconds.
 * Role: Date and Last-Modified on the way out, If-*-Since and If-Range on the
 * way in. Pure and without locale: strftime's names follow the environment.
 */
#ifndef FG_NET_HTTP_DATE_H
#define FG_NET_HTTP_DATE_H

#include "crypto/view.h"

#define HTTP_DATE_LEN 29                  /* "Sun, 06 Nov 1994 08:49:37 GMT" */
#define HTTP_DATE_MAX INT64_C(253402300799) /* last second of the year 9999 */

/* IMF-fixdate with a terminator. Times outside [0, HTTP_DATE_MAX] are moved to the nearer end. */
void http_date_format(int64_t epoch_s, char out[HTTP_DATE_LEN + 1]);
/*
 * Any of the three forms a recipient must take. A two-digit year is read as
 * the one within 50 years of now_s. False on anything else.
 */
bool http_date_parse(struct view v, int64_t now_s, int64_t *ret_epoch_s);

#endif
