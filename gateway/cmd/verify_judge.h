/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_judge - released within signed: one release record, or the end of one
 * halt, held against the statements people signed, the signer set in force at
 * its place in the log, and what was revoked or suspended before it.
 */
#ifndef FG_GATEWAY_CMD_VERIFY_JUDGE_H
#define FG_GATEWAY_CMD_VERIFY_JUDGE_H

#include "gateway/cmd/verify_index.h"
#include "gateway/cmd/verify_signers.h"

/*
 * What stops takes effect first and is logged after, so what was on its
 * way may stand behind the entry that stopped it. Later than this it may not.
 */
#define VERIFY_JUDGE_ON_ITS_WAY_US (INT64_C(10) * 1000000)
/*
 * Nor may more of it, for whoever writes the log can make its clock stand. The warden issues
 * one release at a time, and one more when it was started again meanwhile.
 */
#define VERIFY_JUDGE_RELEASES_ON_THEIR_WAY 2
/* Grants: what four edges full of waiting requests (EDGE_ASKS_MAX) had asked for. */
#define VERIFY_JUDGE_GRANTS_ON_THEIR_WAY UINT64_C(65536)

struct verify_release { /* one release the log issued */
	uint8_t id[RELEASE_ID];
	struct release *record; /* owned */
	uint64_t at;            /* index of its entry */
	int64_t t_us;           /* and time */
	bool off_console;       /* somebody signed for it elsewhere than in a browser */
	bool taken_back;        /* the warden took it back: never in effect */
	int64_t revoked_us;     /* 0: not */
	uint64_t late;          /* grants behind the revocation */
	uint32_t before;        /* the image's release before it: number plus 1, 0: none */
	uint32_t before_result; /* the same of what modules have after it (approval_result) */
	bool image_revoked;     /* and with it all that are before it */
	int64_t paused_us;      /* its rollout stands since; 0: it does not */
	int64_t was_us;         /* that before people let it go on last, should the warden take that back */
	uint64_t stopped;       /* name of the last stop of its rollout, or of a ring of it */
	uint64_t late_paused;   /* grants behind the pause */
	uint64_t granted;       /* distinct modules */
	uint64_t seen;          /* the smallest log state that who signed for it had seen; 0: that cannot be told */
	uint32_t released_before; /* break-glass: modules that people in full number had let its image to */
};

struct verify_suspended { /* a key */
	int64_t at;        /* second of the entry */
	uint64_t releases; /* signed with it, since */
	bool back;         /* it counts again */
};

struct verify_resume { /* one statement that a halt or a hold of the clock shall end, handed in and not used yet */
	char approver[SIGNERS_PRINCIPAL_MAX];
	bool clock; /* it confirms a clock that had stepped, else it ends a halt */
	bool off_console; /* signed elsewhere than in a browser, once at least */
	int64_t halted_at;
};

/* What the log has said so far that later statements are judged by. */
struct verify_judge {
	struct verify_log *l;
	const struct verify_signers *signers;
	uint32_t set;                   /* number of the signer set in force */
	struct verify_index *revoked;   /* image, or key of a standing statement -> index of its latest revocation */
	struct verify_index *standing;  /* key of a standing statement -> releases that rest on it */
	struct verify_index *opened;    /* SHA-256 of a review's or standing statement's name -> index of its latest opening */
	struct verify_index *gone;      /* key -> its number in suspended */
	struct verify_suspended *suspended; /* owned */
	size_t suspended_n, suspended_cap;
	struct verify_resume resume[SIGNERS_MAX];
	unsigned resumes;
	struct verify_index *continued; /* statement -> index of the entry by which a rollout went on with it */
	uint64_t statements;            /* looked at */
	struct verify_index *released;  /* image -> modules that people in full number let it to, and nobody stopped since */
	bool owed;                      /* an after-review, of that release */
	uint8_t owed_release[RELEASE_ID], owed_image[DIGEST_SHA256_LEN];
	uint32_t owed_quorum;
	uint64_t owed_size;             /* of the log when it was judged: who looks at it has seen more */
	bool have_said;                 /* a break-glass was announced: of that release */
	uint8_t said[RELEASE_ID];
};

/* FG_OK or FG_ENOMEM. */
int verify_judge_init(struct verify_judge *j, struct verify_log *l, const struct verify_signers *s);
void verify_judge_free(struct verify_judge *j);

/* All: problems are counted in the log; returns local failure only. at: index of e. */

/* A record with id, record, at and t_us filled; fills off_console. */
int verify_judge_release(struct verify_judge *j, struct verify_release *r);
int verify_judge_opened(struct verify_judge *j, const struct entry *e, uint64_t at);
int verify_judge_revoked(struct verify_judge *j, const uint8_t image[DIGEST_SHA256_LEN], uint64_t at);
int verify_judge_suspended(struct verify_judge *j, const struct entry *e, uint64_t at);
/* The next signer set: its document is the one in signers/, and it is in force from here on. */
int verify_judge_set(struct verify_judge *j, const struct entry *e, uint64_t at);
/* The set as it counts at this place of the log: without the keys that are suspended. */
int verify_judge_counting(const struct verify_judge *j, const struct signers *set, struct signers *ret);
/* Somebody's signature under a statement was handed in. */
int verify_judge_signed(struct verify_judge *j, const struct entry *e);
/*
 * A halt ends, or people confirm the clock: enough of them had signed for that one, by its name; for the newest that
 * anybody signed for where name is 0.
 */
int verify_judge_resumed(struct verify_judge *j, bool clock, uint64_t name, uint64_t at);
/*
 * A rollout goes on: enough persons had signed the statements that the entry names, about this very stop of that
 * release. r is NULL for one the log never issued; stopped: the name of its last stop.
 */
int verify_judge_continued(struct verify_judge *j, const struct verify_release *r, const struct entry *e, uint64_t stopped,
    uint64_t at);
/* A break-glass release was looked at: enough of that many persons had signed the statements that the entry names. */
int verify_judge_reviewed(struct verify_judge *j, const struct verify_release *r, const struct entry *e, uint32_t quorum,
    uint64_t at, bool *ret_enough);
/* A halt or a hold ended without them: what was signed for it is for no other. */
void verify_judge_forget(struct verify_judge *j, bool clock);

#endif
