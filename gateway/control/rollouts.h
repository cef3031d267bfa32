/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rollouts - releases on their way over the rings of the plan that people signed
 * with the profile (policy/rollout.h). What modules report is counted, the next ring
 * opens when the open ones have shown what the plan asks for, and all stop when
 * it says so. Guarantees: the plan comes from the policy whose digest stands in
 * the release record, and from nowhere else: where that text is not to be had,
 * nobody is offered the release; a ring opens after its entry is in the log and
 * only while signatures would be counted; a pause takes effect first. Evidence is
 * in memory and in the log, never in the database, and a claim (class D) is none.
 * A release whose policy has no plan is for everybody at once.
 */
#ifndef FG_GATEWAY_CONTROL_ROLLOUTS_H
#define FG_GATEWAY_CONTROL_ROLLOUTS_H

#include "crypto/release.h"
#include "gateway/control/inventory.h"
#include "gateway/control/rollouts_caps.h"
#include "gateway/state/grant.h"
#include "gateway/state/rollout.h"
#include "policy/rollout.h"

#define ROLLOUTS_LOOK_MS 10000 /* silence and soak are looked at that often when nobody reports */
#define ROLLOUTS_SLICE_MS 20   /* a second, for counting all grants: grants are asked for meanwhile */

struct call;
struct control;
struct rollouts;

struct rollouts *rollouts_new(struct control *c);
void rollouts_free(struct rollouts *r);

/*
 * The plan in the policy of that digest, which is in force or was kept, and how statements name
 * it. FG_ENOTFOUND, FG_EFORMAT, FG_EIO, FG_ENOMEM, FG_ECRYPTO.
 */
int rollouts_plan_of(struct control *c, const char *profile, const uint8_t policy[DIGEST_SHA256_LEN],
    struct rollout_plan *ret, bool *ret_have, uint8_t digest[DIGEST_SHA256_LEN]);

/* ---- releases (releases.h alone) ---- */

/* It is offered from now on: takes up what the database has of it, or begins. Says who is let in. */
void rollouts_begin(struct rollouts *r, const uint8_t id[RELEASE_ID], const struct release *record,
    struct rollout_open *ret);
/* It is not offered any more. */
void rollouts_end(struct rollouts *r, const uint8_t id[RELEASE_ID]);

/* ---- what is reported ---- */

/* A request of a module, just taken into the inventory. */
void rollouts_heard(struct rollouts *r, const struct inventory_seen *seen, const struct msg_sighting *s);
/* What an entry device.result of the log says, at start. class may be empty: then it is a claim's. */
void rollouts_replay(struct rollouts *r, const uint8_t module[MSG_ID], const uint8_t release[RELEASE_ID],
    struct view outcome, struct view class, int64_t at);
/* Endpoints that are new with a release, as the log names them; one more than there is room for is told each time. */
#define ROLLOUTS_ENDPOINTS_MAX 64
#define ROLLOUTS_ENDPOINT_ID 16 /* of the SHA-256 of its text */
struct rollouts_endpoints {
	unsigned n;
	uint8_t name[ROLLOUTS_ENDPOINTS_MAX][ROLLOUTS_ENDPOINT_ID];
};
/* FG_ECRYPTO. */
int rollouts_endpoint_name(struct view endpoint, uint8_t ret[ROLLOUTS_ENDPOINT_ID]);
/* False: it is there already. */
bool rollouts_endpoint_add(struct rollouts_endpoints *e, const uint8_t name[ROLLOUTS_ENDPOINT_ID]);
/* What the log, which was read, has of one rollout. */
struct rollouts_said {
	unsigned ring;
	int64_t since;
	bool paused, closed;
	int64_t stopped;                   /* name of the last stop; 0: it had none */
	uint32_t held;                     /* bit i: ring i */
	char opens[ROLLOUT_NAME_MAX + 1];  /* the ring that people signed for to be opened last; "": none */
	bool have_statement;               /* by which people let it go on last, over what failed: */
	uint8_t statement[DIGEST_SHA256_LEN];
	uint32_t watched[ROLLOUT_RINGS_MAX]; /* of struct rollout_standing */
	struct rollouts_endpoints endpoints; /* of a release without a plan, too */
};
/*
 * What the database says beyond it is taken back; where the plan is lost, as soon as that
 * is found again. NULL, or how they differed.
 */
const char *rollouts_mend(struct rollouts *r, const uint8_t id[RELEASE_ID], const struct rollouts_said *said);
/* All that the log knows were mended: those it does not know begin, or begin anew. */
void rollouts_mended(struct rollouts *r);
/* Every second: counts, opens, pauses, when somebody has reported or ROLLOUTS_LOOK_MS went by. */
void rollouts_tick(struct rollouts *r);

/* ---- people ---- */

/* Nobody gets it any more until people sign that it goes on. FG_ENOTFOUND: no rollout; FG_ESTATE: it is not running. */
int rollouts_pause(struct rollouts *r, const uint8_t id[RELEASE_ID], const char *by, const char *reason);

/*
 * Nobody in that ring gets it any more until people sign for that, whether it is open yet or not; transfers and
 * leases of the release end at once, and those of other rings begin anew. A pause stays as it is: by whom, why, and
 * with what was signed for it to end. FG_ENOTFOUND: no rollout, or no such ring; FG_EEXIST: it is held; FG_ESTATE: the
 * rollout was aborted or superseded.
 */
int rollouts_hold(struct rollouts *r, const uint8_t id[RELEASE_ID], struct view ring, const char *by, const char *reason);

/*
 * What people sign for it to go on, by the step that is asked for; ring is of UNHOLD alone. NULL, or why nobody can
 * sign for that now (out): what stops it is another thing, or all that the plan asks for was not shown yet.
 */
const char *rollouts_terms(const struct rollouts *r, const uint8_t id[RELEASE_ID], enum approval_step step,
    struct view ring, struct approval_terms *ret, char out[MSG_TEXT_MAX]);
/*
 * People have signed those terms, the warden has judged them and the log has it. Takes effect only if the rollout still
 * stands as it stood: what stopped it meanwhile holds. FG_ESTATE: it does not.
 */
int rollouts_continue(struct rollouts *r, const struct approval_terms *t, const char *by, const char *reason);

/*
 * Ends it, and the release with it (releases_retire), which answers the call. FG_ENOTFOUND: no
 * rollout, and the call is not answered.
 */
int rollouts_abort(struct rollouts *r, const uint8_t id[RELEASE_ID], const char *by, const char *reason,
    struct call *call);

/* Ends as superseded by the release of that review, and its release with it; no-op for one without a plan. */
void rollouts_supersede(struct rollouts *r, const uint8_t id[RELEASE_ID], const char *newer);
/* It is offered, to whom it may be: neither paused nor its plan lost. *ret_plan: it goes over rings. */
bool rollouts_goes(const struct rollouts *r, const uint8_t id[RELEASE_ID], bool *ret_plan);

/* Tells of each that is paused, and of each whose plan is lost. */
void rollouts_alerts(const struct rollouts *r, void (*alert)(struct jsonw *j, const char *id, const char *text),
    struct jsonw *j);
/* For showing; borrowed until the next change. */
struct rollouts_view {
	const uint8_t *id;
	const struct rollout_plan *plan; /* NULL: none, everybody at once */
	bool lost;                       /* there is one, and it cannot be read */
	struct rollout_standing standing;
	struct rollout_next next;
	int64_t stopped;                 /* when it, or a ring of it, was stopped last; 0: never */
	uint64_t bytes;                  /* sent of it, as last counted */
	bool paced;                      /* nobody is granted it for the first time now: GRANTS_PACED */
	const char *by, *reason;
};
/* False: it is not offered. */
bool rollouts_view_of(const struct rollouts *r, const uint8_t id[RELEASE_ID], struct rollouts_view *ret);
/*
 * As many modules as the plan lets through were granted it of those that share this one's group, cell or APN: GRANTS_PACED
 * for it. ROLLOUTS_SHARES: none of these is full.
 */
enum rollouts_share rollouts_paced_share(const struct rollouts *r, const uint8_t id[RELEASE_ID],
    const struct inventory_module *m);
/* What became of one module under a release. False: it was never granted it, or that is not offered. */
struct rollouts_fate {
	struct db_grant grant;
	const char *outcome; /* rollout_outcome_name(); without a plan nobody fails */
	const char *word;    /* "none", "old", "new": what it said last of its version since */
	int64_t word_at;
	uint32_t again;      /* asked again in the old version */
};
bool rollouts_fate_of(const struct rollouts *r, const uint8_t id[RELEASE_ID], const struct inventory_module *m,
    struct rollouts_fate *ret);
/* The ring of a module, ROLLOUT_RINGS_MAX without a plan; *ret_open: whether it is let in now. */
unsigned rollouts_ring_of(const struct rollouts *r, const uint8_t id[RELEASE_ID], const struct inventory_module *m,
    bool *ret_open);

#endif
