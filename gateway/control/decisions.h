/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decisions - what policy says of a report: it, candidate, refusals and clock, put
 * before policy/evidence.h, policy/decide.h and policy/rules.h. Used by judging when
 * a report is new, by reviews for how many have to sign and from when it may be, by
 * standing for what is released already, by requests to show why. Guarantee: writes
 * nothing; what is not in the report is unknown to policy, which then says no, or
 * the worst.
 */
#ifndef FG_GATEWAY_CONTROL_DECISIONS_H
#define FG_GATEWAY_CONTROL_DECISIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/decide.h"
#include "policy/rules.h"

struct control;
struct db_candidate;
struct db_scope;
struct evidence;
struct evidence_update;
struct policy;
struct report;

/*
 * Whether the clock can be believed: not before genesis was made, and not behind
 * what this database has seen. (Whether anybody disciplines it is shown in status.)
 */
bool decisions_clock_sure(struct control *c);
/*
 * What policy is told of the report, for a release in that scope (NULL: as below);
 * free(). Borrows all that is given, and the policies loaded now. FG_ENOMEM, FG_EIO.
 */
struct decisions_told;
int decisions_tell(struct control *c, const struct db_candidate *cand, const struct report *r, const struct policy *p,
    const struct db_scope *scope, struct decisions_told **ret);
const struct evidence *decisions_evidence(const struct decisions_told *t);
const struct evidence_update *decisions_update(const struct decisions_told *t);
/* What policy says of the report now, the decision hook's kept answer included. FG_ENOMEM, FG_EIO. */
int decisions_make(struct control *c, const struct db_candidate *cand, const struct report *r, const struct policy *p,
    struct decide_result *ret);
/* The stored report of a candidate; report_free(). FG_ENOTFOUND, FG_EFORMAT, FG_ENOMEM, FG_EIO. */
int decisions_report(struct control *c, const uint8_t digest[32], struct report **ret);
/*
 * The others of a delta's product that lead to its version, and wait or stand: full images that are verified and
 * not blocked, and other deltas for the same step (where a URL does not say from which version, from any), with
 * those told apart of which was seen what they make. A full image is nobody's second. each() leaves the database
 * alone. FG_ENOMEM, FG_EIO: these were not all.
 */
enum decisions_other { DECISIONS_NO_OTHER = 0, DECISIONS_FULL, DECISIONS_SECOND, DECISIONS_SECOND_SEEN };
int decisions_others(struct control *c, const struct db_candidate *cand,
    void (*each)(void *arg, const struct db_candidate *other, enum decisions_other what), void *arg);
/*
 * A delta whose result nobody saw, as the stored report has it: what such a one needs, and what policy says of it
 * now. Where that cannot be told it counts as one that is held, without a reason, for no days.
 */
bool decisions_unseen(struct control *c, const struct db_candidate *cand, struct decide_result *ret);
/*
 * What the operator's rules say of the report, and the hook's kept answer of that, for a release in that scope; NULL:
 * nobody proposed one yet, so it is what holds for the smallest. *ret lives as long
 * as the policies loaded now. FG_ENOMEM, FG_EIO.
 */
int decisions_rules(struct control *c, const struct db_candidate *cand, const struct report *r, const struct policy *p,
    const struct db_scope *scope, struct rules_result *ret);

/*
 * SHA-256 of the SPKI of whoever signed the whole of the candidate's image, if that is one key: *ret_have false when no
 * signature verified, or when those that did are of several. What decisions_report() says.
 */
int decisions_signer(struct control *c, const struct db_candidate *cand, bool *ret_have, uint8_t ret[32]);

#endif
