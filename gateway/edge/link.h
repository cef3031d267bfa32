/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link - short URLs for modules that are told what to fetch: /f/<token>.
 * Role: control makes one on an operator's word, bound to a module, a release
 * and a time; edges look its digest up in the decision table. The token stands
 * in no file, table or log: only its SHA-256 does.
 * A link says which module asks and for what. It grants nothing: scope, halt,
 * grant and lease are asked as for every other request.
 */
#ifndef FG_GATEWAY_EDGE_LINK_H
#define FG_GATEWAY_EDGE_LINK_H

#include "crypto/digest.h"
#include "crypto/view.h"

#define LINK_PREFIX "/f/"
#define LINK_TOKEN_LEN 16 /* of 32 letters and digits each: 80 random bits, and 19 bytes of path */
#define LINK_PATH_CAP (sizeof LINK_PREFIX + LINK_TOKEN_LEN)

/* A path of exactly that form; *ret_token (may be NULL) borrows from it. */
bool link_parse(struct view path, struct view *ret_token);
/* The path that random bytes make: letters and digits that nobody mistakes for each other. */
void link_path(const uint8_t random[LINK_TOKEN_LEN], char out[LINK_PATH_CAP]);
/* 0 or FG_ECRYPTO. */
int link_digest(struct view token, uint8_t out[DIGEST_SHA256_LEN]);

#endif
