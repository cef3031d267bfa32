/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/openings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "gateway/control/control_private.h"
#include "gateway/control/decisions.h"
#include "gateway/control/recount.h"
#include "policy/evidence.h"

struct opening { /* a review that waits for its entry to be durable */
	struct control *c;
	uint64_t candidate;
	uint8_t report[DIGEST_SHA256_LEN];
};

/*
 * What is not in the report may have changed while the log wrote: another delta for the same step, a full
 * image that was taken back. FG_OK with *ret, or it could not be told.
 */
static int
ask_again(struct control *c, const struct db_candidate *cand, struct decide_result *d, bool *ret)
{
	struct report *r = NULL;
	const struct policy *p = policies_find(c->policies, cand->profile);
	struct rules_result *rules = calloc(1, sizeof *rules);
	int err = rules && p ? decisions_report(c, cand->report, &r) : FG_ENOMEM;
	if (!err)
		err = decisions_make(c, cand, r, p, d);
	if (!err)
		err = decisions_rules(c, cand, r, p, NULL, rules);
	*ret = !err && evidence_verdict(d, rules) == DECIDE_REVIEW;
	report_free(r);
	free(rules);
	return err;
}

static void
admit(struct control *c, struct db_candidate *cand, uint64_t index)
{
	struct decide_result *d = calloc(1, sizeof *d);
	bool passes = false;
	int err = d ? ask_again(c, cand, d, &passes) : FG_ENOMEM;
	if (err) {
		oplog(OPLOG_ERR, "a review could not be opened: %s", err_name(err));
	} else if (!passes) {
		judging_start(c->judging, cand->id); /* which says why */
	} else {
		/* A statement counts when its signer saw this entry: a log larger than its index. */
		cand->opened_at_log = index;
		(void)candidates_move(c, cand, LIFECYCLE_ADMIT, d->unseen ?
		    "waits for people to review and sign: " DECIDE_UNSEEN_TEXT : "waits for people to review and sign");
		mandates_try(c->mandates, cand->id);
		judging_look_again(c->judging, cand->profile); /* a full image that a delta waits for */
	}
	free(d);
}

static void
on_opened(void *ctx, int err, uint64_t index)
{
	struct opening *o = ctx;
	struct control *c = o->c;
	struct db_candidate *cand = calloc(1, sizeof *cand);
	/*
	 * Without the entry the candidate stays in judging, and is judged again when the
	 * log is back. Under another policy than meanwhile in force it must not open either.
	 */
	if (!err && cand && db_candidate_get(c->db, o->candidate, cand) == FG_OK && cand->have_report &&
	    !memcmp(cand->report, o->report, sizeof o->report) && judging_policy_stands(c, cand))
		admit(c, cand, index);
	free(cand);
	free(o);
}

void
openings_begin(struct control *c, const struct db_candidate *cand)
{
	/* Recount holds every review in the database against the log, and this life has made none of them. */
	if (!replay_done(c->replay))
		return; /* it is judged again when the log was read */
	struct opening *o = calloc(1, sizeof *o);
	struct msg_append *e = o ? candidates_entry(cand, ENTRY_REVIEW_OPENED, "ok") : NULL;
	struct db_resource res;
	int err = e ? db_resource_get(c->db, cand->resource, &res) : FG_ENOMEM;
	if (!err) {
		char key[24];
		/* What recount holds the database against after a start. */
		logbook_ref(e, "product", res.product);
		logbook_ref(e, "target", res.target);
		logbook_ref(e, "from", res.from);
		if (cand->arrived > 0)
			logbook_ref_number(e, "arrived", (uint64_t)cand->arrived);
		logbook_ref_number(e, "requesters", cand->requesters_n);
		for (uint32_t i = 0; i < cand->requesters_n && i < RECOUNT_REQUESTERS_MAX; i++) {
			snprintf(key, sizeof key, "requester.%u", i);
			logbook_ref(e, key, cand->requester[i]);
		}
		*o = (struct opening){ .c = c, .candidate = cand->id };
		memcpy(o->report, cand->report, sizeof o->report);
		err = logbook_append(c->logbook, e, on_opened, o);
	}
	free(e);
	if (!err)
		return;
	free(o);
	if (err == FG_EAGAIN)
		oplog(OPLOG_WARNING, "a review waits for the log: %s", logbook_state(c->logbook));
	else
		oplog(OPLOG_ERR, "a review could not be opened: %s", err_name(err));
}
