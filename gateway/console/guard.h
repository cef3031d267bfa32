/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard - what a request must show before anybody is asked about it: whose it
 * is, and that a page of our own made it.
 * Role: the console's front. Pure.
 *
 * Who: a bearer token, or the session cookie; with a token no cookie is looked at,
 * and a token that is malformed is refused, not taken for nobody.
 * Where from: whatever is not GET or HEAD needs the header X-FG-CSRF, which no
 * form can send and no other origin's script without a preflight that nobody
 * answers; JSON, which a form cannot send either; and, where the browser says,
 * an Origin that is this host and Sec-Fetch-Site same-origin. A token is no
 * ambient right: it needs none of that but JSON.
 */
#ifndef FG_GATEWAY_CONSOLE_GUARD_H
#define FG_GATEWAY_CONSOLE_GUARD_H

#include "gateway/net/http_head.h"

#define GUARD_SECRET 32
#define GUARD_COOKIE "__Host-fg"
#define GUARD_TOKEN_PREFIX "fgt_"
#define GUARD_KEY_MAX 128 /* characters of an Idempotency-Key: an UUID has 36 */

enum guard_who { GUARD_NOBODY = 0, GUARD_SESSION, GUARD_TOKEN };

struct guard_id {
	enum guard_who who;
	uint8_t secret[GUARD_SECRET];
	struct view key; /* Idempotency-Key; empty: none. Borrowed from the request */
};

/* Who asks. NULL, or the id of what is wrong ("SIGN-IN", "USAGE") and *ret_why. */
const char *guard_identify(const struct http_request *r, struct guard_id *ret, const char **ret_why);
/* Whether it may be acted on. NULL, or "CSRF" or "MEDIA-TYPE" and *ret_why. */
const char *guard_origin(const struct http_request *r, enum guard_who who, const char **ret_why);
/* X-FG-Background: 1: a page asks by itself, and nobody before it. */
bool guard_background(const struct http_request *r);
/* The host without brackets into dst; false when it is none that a certificate could name. */
bool guard_host(const struct http_request *r, char *dst, size_t cap);
/* One of If-None-Match is etag (without quotes), or it is *. */
bool guard_unchanged(const struct http_request *r, struct view etag);

#endif
