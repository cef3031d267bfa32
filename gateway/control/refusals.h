/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refusals - what people refuse for good or for a time: bytes, a version, a
 * signer, a pattern of names. Called by decisions and reviews for every candidate,
 * by requests and by recount. Guarantees: a refusal takes effect first (releases that it
 * meets are revoked, open reviews are judged again) and is logged after; a release of which that cannot be told
 * now, for want of memory or of a disk, is withheld until it can be, and is not revoked for that. Lifting one is
 * logged first, and permits nothing: what it kept away is judged and signed for like anything else.
 */
#ifndef FG_GATEWAY_CONTROL_REFUSALS_H
#define FG_GATEWAY_CONTROL_REFUSALS_H

#include "crypto/approval.h"
#include "crypto/jsonw.h"
#include "gateway/state/refusal.h"
#include "images/report.h"
#include "policy/refusal.h"

#define REFUSALS_MAX 4096 /* each is looked at for each decision; more is a policy, not a list of refusals */
#define REFUSALS_SENTENCE_MAX 256
#define REFUSALS_DAYS_MAX 3650 /* ten years; whoever means longer means without end */
/* A reference of an entry holds less than a pattern may be long: its value is logged in pieces, under these keys. */
#define REFUSALS_PIECE 128
#define REFUSALS_PIECES ((REFUSAL_VALUE_MAX + REFUSALS_PIECE - 1) / REFUSALS_PIECE)
extern const char *const refusals_piece_keys[REFUSALS_PIECES];

struct call;
struct control;
struct db_candidate;
struct refusals;

/* Empty until refusals_recall(). */
struct refusals *refusals_new(struct control *c);
void refusals_free(struct refusals *r);
/* From the database, at start. 0, or its error: then nothing may be decided. */
int refusals_recall(struct refusals *r);

/*
 * Whether the candidate meets a refusal, and the first that it meets as a sentence. report may be
 * NULL: then signers are not known, and one that is refused for them is not found. FG_ENOMEM, FG_EIO: that
 * cannot be told now, which is neither answer.
 */
int refusals_meets(struct refusals *r, const struct db_candidate *cand, const struct report *report, bool *ret_meets,
    char ret[REFUSALS_SENTENCE_MAX]);

/*
 * The same of what people signed for and the warden issued: without a candidate's row, and with the signers
 * of its report. When a signer is refused and that report is lost or damaged, it meets.
 */
int refusals_meets_release(struct refusals *r, const struct approval_terms *t, bool *ret_meets,
    char ret[REFUSALS_SENTENCE_MAX]);
/* Every minute: looks once more for what meets a refusal, when not all of it could be looked at. */
void refusals_tick(struct refusals *r);

/* Requests refusal.add, refusal.list, refusal.lift. */
void refusals_add(struct refusals *r, struct call *call);
void refusals_list(struct refusals *r, struct call *call);
void refusals_lift(struct refusals *r, struct call *call);
/*
 * With review.reject: what the candidate is to be refused by as well, "digest", "version" or
 * "signer". 0 with *ret, not in force yet; FG_EINVAL with *ret_why when the review has no such thing;
 * FG_ENOMEM, FG_EIO.
 */
int refusals_draft(struct refusals *r, const struct db_candidate *cand, struct view kind, const char *who,
    const char *reason, struct db_refusal *ret, const char **ret_why);
/* In force from here on, whatever is returned but FG_ELIMIT and FG_ENOMEM; another error says that it could not be written. */
int refusals_begin(struct refusals *r, const struct db_refusal *d);

/*
 * The log has it in force, under that id; true when it was missing here, and is not any more. An entry that gives
 * another value than its id was made of refuses nothing.
 */
bool refusals_again(struct refusals *r, const uint8_t id[REFUSAL_ID], enum refusal_kind kind, struct view value,
    int64_t until, int64_t at);

#endif
