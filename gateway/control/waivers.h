/* SPDX-License-Identifier: Apache-2.0 */
/*
 * waivers - findings that an approver answers for until a day. Used by reviews for
 * every statement and whenever signatures are counted, by requests, by recount.
 * Guarantees: one counts only once the log has it, and only as long as the log has
 * it: a row of the database alone is none. It permits nothing by itself: it stands,
 * by its id, in the statement that people sign, and where a profile wants findings
 * waived (review.waivers) it is one more thing that has to be there. Lifting one
 * takes effect first and is logged after, if need be after the next start; what was signed for with it counts no
 * more, and the same one is not made again.
 */
#ifndef FG_GATEWAY_CONTROL_WAIVERS_H
#define FG_GATEWAY_CONTROL_WAIVERS_H

#include "crypto/approval.h"
#include "crypto/jsonw.h"
#include "gateway/state/candidate.h"
#include "policy/waiver.h"

#define WAIVERS_MAX 1024 /* each is looked at for each statement; as many lifted ones are remembered; one that is over gives way */

struct call;
struct control;
struct waivers;

struct waivers_one {
	uint8_t id[WAIVER_ID];
	struct waiver w;
	int64_t at;
	char owner[DB_WHO_MAX];
	char reason[DB_TEXT_MAX];
};

/* Empty until waivers_recall(). */
struct waivers *waivers_new(struct control *c);
void waivers_free(struct waivers *w);
/* From the database, at start; none of them counts before the log was read. */
int waivers_recall(struct waivers *w);

/* ---- the log, at start ---- */

/*
 * It has this one, not lifted: it counts, unless it was lifted here; then the log is told so. True when the database
 * did not, or had it otherwise.
 */
bool waivers_again(struct waivers *w, const struct waivers_one *d);
/* It has this one, and that it was lifted: it is not made again. */
void waivers_gone(struct waivers *w, const struct waivers_one *d);
/* All that the log has was said: each() of those it does not have, which are dropped. */
void waivers_settle(struct waivers *w, void (*each)(void *arg, const uint8_t id[WAIVER_ID]), void *arg);

/* ---- what they are for ---- */

/*
 * Those that apply to what a report says, now: of the log, for the update, not over. free(). Holds until a waiver is
 * added or lifted, and as long as the report.
 */
struct waivers_met;

/* FG_ENOMEM, FG_EIO or another error of the database: that cannot be told now, which is not that there are none. */
int waivers_meet(struct waivers *w, const struct db_candidate *cand, const struct report *r, struct waivers_met **ret);
/* When the first of them ends; 0: there is none. */
int64_t waivers_end(const struct waivers_met *m);
/* Whether all that the report says by that id is waived. */
bool waivers_cover(const struct waivers_met *m, enum finding_id id);
/* The first finding of that severity or worse that is not waived, NULL for none. Of what blocks there is no waiver. */
const char *waivers_missing(const struct waivers_met *m, enum finding_severity from);
/* Key and array of them: id, finding, owner, reason, until. m NULL: there is no report, so none. */
void waivers_put(struct waivers *w, const struct waivers_met *m, struct jsonw *j, const char *key);
/* Adds them by name. Errors of waivers_meet(), and FG_ELIMIT when a statement does not hold so many. */
int waivers_name(struct waivers *w, const struct db_candidate *cand, const struct report *r, struct approval_list *ret);

/* Requests waiver.add, waiver.list, waiver.lift. */
void waivers_add(struct waivers *w, struct call *call);
void waivers_list(struct waivers *w, struct call *call);
void waivers_lift(struct waivers *w, struct call *call);

#endif
