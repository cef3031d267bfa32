/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base - full images that deltas of a product may be for, beside those that were
 * released: brought and named by a person, or made by a delta and named after what
 * it leads to. A row permits nothing: it says what a delta is tried on.
 */
#ifndef FG_GATEWAY_STATE_BASE_H
#define FG_GATEWAY_STATE_BASE_H

#include "gateway/state/db.h"

struct db_base {
	char profile[DB_NAME_MAX], product[DB_NAME_MAX], version[DB_VERSION_MAX];
	uint8_t image[DIGEST_SHA256_LEN];
	uint64_t size;
	int64_t added;
	char who[DB_WHO_MAX];  /* who named it; "" : a delta made it */
	uint64_t candidate;    /* that delta's; 0: a person brought it */
};

/* FG_EEXIST: this image is that version's already, by whoever's word. */
int db_base_add(struct db *db, const struct db_base *b);
/*
 * Those that people brought, the youngest first; NULL: all profiles, products. A non-zero return stops and is
 * returned. What a delta made counts as its candidate's, once that was released.
 */
int db_base_list(struct db *db, const char *profile, const char *product,
    int (*each)(void *arg, const struct db_base *b), void *arg);
/* Forgets what a person named so, of every image or of that one (NULL: every), and hands out each row. */
int db_base_drop_named(struct db *db, const char *profile, const char *product, const char *version, const uint8_t *image,
    int (*each)(void *arg, const struct db_base *b), void *arg);
/* Forgets what that delta made, and hands out each row. */
int db_base_drop_made(struct db *db, uint64_t candidate, int (*each)(void *arg, const struct db_base *b), void *arg);

#endif
