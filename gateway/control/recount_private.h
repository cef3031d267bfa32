/* SPDX-License-Identifier: Apache-2.0 */
/* What recount.c, which reads the log, leaves for recount_mend.c. Indexes are of entries, plus one: 0 is never. */
#ifndef FG_GATEWAY_CONTROL_RECOUNT_PRIVATE_H
#define FG_GATEWAY_CONTROL_RECOUNT_PRIVATE_H

#include "gateway/control/waivers.h"

#include "gateway/control/recount.h"
#include "gateway/control/rollouts.h"
#include "gateway/control/shelf.h"
#include "gateway/state/refusal.h"
#include "gateway/wire/msg.h"

struct recount_review { /* by number */
	uint8_t key[SHELF_KEY];
	uint64_t id;
	uint64_t opened;   /* for people, the last time */
	uint64_t closed;   /* expired, outdated, or its release ran out */
	uint64_t rejected;
	uint8_t image[DIGEST_SHA256_LEN], report[DIGEST_SHA256_LEN], policy[DIGEST_SHA256_LEN]; /* when it was opened */
	uint8_t what[DIGEST_SHA256_LEN];
	int64_t arrived;   /* its image; 0: the entry does not say */
	bool have_what;
	char requester[RECOUNT_REQUESTERS_MAX][128]; /* who had asked by then: as many as an entry can name */
	unsigned requesters_n;
	uint8_t last_release[MSG_ID];
	bool have_release;
};

struct recount_release { /* by id */
	uint8_t key[SHELF_KEY];
	uint8_t id[MSG_ID];
	uint8_t image[DIGEST_SHA256_LEN];
	uint64_t review;
	uint64_t issued, refused, retired, revoked;
	int64_t not_after; /* 0: its record could not be read */
};

struct recount_statement { /* by digest */
	uint8_t key[SHELF_KEY];
	uint64_t review, signed_at;
	int64_t time;
	char approver[128];
};

struct recount_restricted { /* by image */
	uint8_t key[SHELF_KEY];
	uint64_t revoked, rejected;
};

struct recount_hold { /* by module */
	uint8_t key[SHELF_KEY];
	uint64_t at;
	bool held;
};

struct recount_rollout { /* by release */
	uint8_t key[SHELF_KEY];
	bool paused, closed;
	uint64_t stopped;   /* name of the last stop; 0: it had none */
	char held[ROLLOUT_RINGS_MAX][ROLLOUT_NAME_MAX + 1]; /* names of rings that are held, by their numbers */
	struct rollouts_said said; /* but for what stands above */
	/* Before people let it go on last, in that way, should the warden take it back. */
	struct {
		uint8_t step;       /* enum approval_step; 0: nothing to take back */
		bool paused;
		int ring;           /* the one that was held; -1: none */
		uint64_t since;
		char name[ROLLOUT_NAME_MAX + 1];
		struct rollouts_said said;
	} was;
};

struct recount_suspended { /* by key */
	uint8_t key[SHELF_KEY];
	uint32_t set; /* spoken under */
	int64_t time;
};

struct recount_refusal { /* by id */
	uint8_t key[SHELF_KEY];
	bool lifted;
	uint8_t kind;
	char value[DB_REFUSAL_VALUE_CAP];
	int64_t until, at;
};

struct recount_waiver { /* by id */
	uint8_t key[SHELF_KEY];
	bool lifted;
	struct waivers_one d;
};

struct recount { /* each shelf holds rows of one of those above */
	struct shelf reviews, releases, statements, restricted, refusals, holds, rollouts, suspended, waivers;
	struct shelf named; /* by digest of the object: what an earlier start named and could not mend */
	uint64_t erased;    /* the last time that rows of modules were erased on purpose */
	int64_t began;
	bool halted;        /* by the log, with no resume after it */
	uint64_t halted_at, ended_at; /* names of the last halt, and of the last that was ended; 0: none */
	uint8_t (*set)[DIGEST_SHA256_LEN]; /* statements of the sets that the log put in force, 1 first; owned */
	uint32_t sets_n;
	bool sets_broken;   /* they do not follow each other */
	unsigned skipped;   /* entries that cannot be read */
	bool no_memory;
};

#endif
