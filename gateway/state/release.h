/* SPDX-License-Identifier: Apache-2.0 */
/* release - control's mirror of what the warden issued; the warden's own files decide. */
#ifndef FG_GATEWAY_STATE_RELEASE_H
#define FG_GATEWAY_STATE_RELEASE_H

#include "crypto/release.h"
#include "crypto/writer.h"
#include "gateway/state/db.h"

enum db_release_state { DB_RELEASE_NONE = 0, DB_RELEASE_ACTIVE, DB_RELEASE_REVOKED, DB_RELEASE_EXPIRED };

struct db_release {
	uint8_t id[DB_ID];
	uint64_t candidate;
	int64_t issued;
	enum db_release_state state;
	int64_t ended;            /* revoked or expired; 0 */
	char by[DB_WHO_MAX];      /* who revoked */
	char reason[DB_TEXT_MAX];
	struct view record;       /* canonical JSON, up to RELEASE_RECORD_MAX; borrowed */
};

/* The same again is fine; FG_EEXIST when that id has another record. FG_ENOTFOUND: no such candidate. */
int db_release_add(struct db *db, const struct db_release *r);
/* The record is appended to w, and ret->record borrows it from there. FG_ENOTFOUND. */
int db_release_get(struct db *db, const uint8_t id[DB_ID], struct db_release *ret, struct writer *w);
/* Ends an active release. FG_ENOTFOUND; FG_ESTATE: it is not active (never back to active). */
int db_release_end(struct db *db, const uint8_t id[DB_ID], enum db_release_state state, int64_t at, const char *by,
    const char *reason);
/* In order of issue; DB_RELEASE_NONE: in any state. */
int db_release_list(struct db *db, enum db_release_state state, int (*each)(void *arg, const struct db_release *r),
    void *arg);
/* The youngest first, those before `before` (NULL: from the youngest), in any state, at most limit. */
int db_release_page(struct db *db, const uint8_t *before, unsigned limit, int (*each)(void *arg, const struct db_release *r),
    void *arg);
const char *db_release_state_name(enum db_release_state state); /* "active", ...; "none" */

#endif
