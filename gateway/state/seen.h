/* SPDX-License-Identifier: Apache-2.0 */
/* seen - how a vendor's servers showed themselves so far: keys, and where they led; and which reviews are held for what. */
#ifndef FG_GATEWAY_STATE_SEEN_H
#define FG_GATEWAY_STATE_SEEN_H

#include "gateway/state/db.h"

#define DB_SEEN_TEXT_MAX 288 /* MSG_PLACE_MAX */
#define DB_SEEN_PENDING_MAX 256 /* of a profile, the newest: a vendor that shows another key every time fills no disk */
#define DB_SEEN_KNOWN_MAX 512   /* of a profile: decades of certificates; a fetcher that invents places fills no disk either */

struct db_seen {
	char profile[DB_NAME_MAX];
	uint8_t kind; /* enum msg_shown_kind */
	char place[DB_SEEN_TEXT_MAX], value[DB_SEEN_TEXT_MAX];
	bool known;          /* false: it was held, and no person has let it pass */
	int64_t first, last;
};

/* FG_ENOTFOUND. */
int db_seen_get(struct db *db, const char *profile, uint8_t kind, const char *place, const char *value,
    struct db_seen *ret);
/* Whether anything is known of the place. */
int db_seen_any(struct db *db, const char *profile, uint8_t kind, const char *place, bool *ret);
/* Adds or replaces; what is held for it stays so. */
int db_seen_put(struct db *db, const struct db_seen *s);
/* Whether one more may become known. When there are too many, those not seen since `before` give way, oldest first. */
int db_seen_room(struct db *db, const char *profile, int64_t before, bool *ret);
/* The candidate is held for a row that is there. */
int db_seen_hold(struct db *db, uint64_t candidate, const struct db_seen *s);
/* What a candidate is held for, as far as it is not known; stops at a non-zero return, which is returned. */
int db_seen_held(struct db *db, uint64_t candidate, int (*each)(void *arg, const struct db_seen *s), void *arg);
/* All a candidate is held for is known from now on, whoever else is held for it; *ret_n of them. */
int db_seen_accept(struct db *db, uint64_t candidate, unsigned *ret_n);

#endif
