/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grants - whether this module may have the first byte of that release.
 * Role: control answers MSG_GRANT_ASK from here, in memory; the database follows
 * by grants_flush(). Control may only say yes inside the release record; the edge
 * then logs the grant itself. Guarantees: at most max_devices distinct modules per
 * release, asking again changes nothing, no lease beyond not_after or an hour.
 */
#ifndef FG_GATEWAY_CONTROL_GRANTS_H
#define FG_GATEWAY_CONTROL_GRANTS_H

#include "crypto/release.h"
#include "gateway/control/inventory.h"
#include "gateway/state/grant.h"

#define GRANTS_LEASE_MAX 3600       /* seconds, ARCHITECTURE.md section 3 */
#define GRANTS_RELEASES_MAX 4096    /* active at a time */
#define GRANTS_MAX 16000000u        /* (module, release) pairs remembered */

enum grants_reason {
	GRANTS_UNDECIDED = 0,
	GRANTS_NO_RELEASE,   /* not active: never was, revoked, expired */
	GRANTS_HALTED,
	GRANTS_NO_MODULE,    /* pseudonym unknown */
	GRANTS_UNLISTED,
	GRANTS_HELD,
	GRANTS_GROUP,
	GRANTS_EARLY,
	GRANTS_LATE,
	GRANTS_RING,         /* the rollout has not come to it, or is stopped */
	GRANTS_PACED,        /* as many as the plan lets through at a time, or in a day */
	GRANTS_FULL,         /* max_devices other modules have it */
	GRANTS_BUSY,         /* no memory for it now */
	GRANTS_WINDOW,       /* outside the profile's windows */
	GRANTS_YES,
	GRANTS_REASONS
};
/* "no-release", ..., "yes". */
const char *grants_reason_name(enum grants_reason reason);
/* One sentence. */
const char *grants_reason_text(enum grants_reason reason);

struct db;
struct grants;
/* Loads what was granted. db is borrowed for its life. */
int grants_new(struct db *db, struct grants **ret);
void grants_free(struct grants *g);
/*
 * Makes a release grantable. Everything needed is copied. default_group: of its
 * profile; unlisted_ok: the profile offers to modules that nobody imported.
 * The same id again replaces the profile's two. FG_ELIMIT, FG_ENOMEM.
 */
int grants_release_add(struct grants *g, const uint8_t id[RELEASE_ID], const struct release *record,
    const char *default_group, bool unlisted_ok);
/* Revoked or expired: no further grants. What was granted stays known. */
void grants_release_drop(struct grants *g, const uint8_t id[RELEASE_ID]);
/* Whether modules of that group may be granted anything of that profile between earliest and latest. */
typedef bool (*grants_time)(void *arg, const char *profile, const char *group, int64_t earliest, int64_t latest);
/* Asked before every yes; without it any time will do. */
void grants_ask_time(struct grants *g, grants_time fn, void *arg);
/* While halted every answer is GRANTS_HALTED. */
void grants_halt(struct grants *g, bool halted);

struct grants_answer {
	enum grants_reason reason; /* GRANTS_YES or why not */
	uint32_t lease_s;          /* 0 unless yes */
	bool first;                /* this module had not been granted this release before */
};
/*
 * Asked last, of what else would be granted; first: the module has no grant of that release
 * yet. Without one everything is.
 */
typedef enum grants_reason (*grants_guard)(void *ctx, const struct inventory_module *m, const uint8_t release[RELEASE_ID],
    bool first);
void grants_set_guard(struct grants *g, grants_guard guard, void *ctx);
/* m: as the inventory knows the pseudonym, or NULL. It is between earliest and latest (timekeep.h). */
struct grants_answer grants_ask(struct grants *g, const struct inventory_module *m, const uint8_t release[RELEASE_ID],
    int64_t earliest, int64_t latest);
/* Fills the answer to a whole message. */
void grants_answer_all(struct grants *g, const struct inventory *inv, const struct msg_grant_ask *ask,
    int64_t earliest, int64_t latest, struct msg_grant_say *ret);
/* A grant found in the log at start: counts whatever is active. FG_ENOMEM, FG_ELIMIT. */
int grants_replay(struct grants *g, const uint8_t module[MSG_ID], const uint8_t release[RELEASE_ID], int64_t at);
#define GRANTS_AGAIN_MAX 0xffffffu /* counted no further */
/*
 * What a granted module has said since: the owner's (rollouts.h), kept beside the grant, of which there may be
 * GRANTS_MAX: a few bits each. Not in the database.
 */
struct grants_fate {
	unsigned word : 2;       /* enum rollout_word */
	unsigned word_class : 3; /* enum identity_class */
	unsigned told : 3;       /* enum rollout_outcome that the log has */
	unsigned again : 24;     /* asked again in the old version */
	uint32_t place;          /* of the module under the release; 0: not looked at yet, or once more */
	int64_t word_at;
};
/* NULL: never granted. Valid until the next grant. */
struct grants_fate *grants_fate_of(struct grants *g, const uint8_t module[MSG_ID], const uint8_t release[RELEASE_ID]);
/*
 * Grants of all releases, in no order, those in n places from *at on, which goes on behind them. False: there were
 * no more. A walk has seen each once if grants_places() is at its end what it was at its beginning.
 */
bool grants_walk(struct grants *g, size_t *at, size_t n,
    void (*each)(void *arg, const struct db_grant *what, struct grants_fate *fate), void *arg);
size_t grants_places(const struct grants *g);
/* Modules granted a release that may be granted now; UINT32_MAX for any other. */
uint32_t grants_granted(const struct grants *g, const uint8_t release[RELEASE_ID]);
/* What an edge reports after an answer with body. FG_ENOTFOUND: never granted. */
int grants_served(struct grants *g, const struct msg_served *s, int64_t now);
/* Distinct modules granted, and those that were sent everything. */
void grants_count(const struct grants *g, const uint8_t release[RELEASE_ID], uint32_t *ret_granted,
    uint32_t *ret_completed);
/* When that module first was granted that release; false: never. */
bool grants_has(const struct grants *g, const uint8_t module[MSG_ID], const uint8_t release[RELEASE_ID],
    struct db_grant *ret);
/* Writes what changed, in one transaction. 0; FG_EIO: it stays to be written. */
int grants_flush(struct grants *g);

#endif
