/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/judging.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/control/control_private.h"
#include "gateway/control/decisions.h"
#include "gateway/control/history.h"
#include "gateway/control/openings.h"
#include "gateway/wire/memfd.h"
#include "images/aids.h"
#include "images/explain.h"

enum stage { STAGE_VERIFY = 0, STAGE_EXPLAIN, STAGE_STAGES };

struct case_ { /* one candidate being judged */
	LIST_ENTRY(case_) link;
	struct judging *all;
	uint64_t candidate;
	char review[DB_REVIEW_CAP];
	uint64_t job;
	enum stage stage;
	int image_fd, signature_fd, old_fd;
	uint32_t wall_ms;
	struct report_asked asked;
	struct report_reply reply[STAGE_STAGES];
	struct view map[STAGE_STAGES]; /* of replies */
};

struct judging {
	struct control *c;
	LIST_HEAD(, case_) cases;
};

struct judging *
judging_new(struct control *c)
{
	struct judging *j = calloc(1, sizeof *j);
	if (j) {
		j->c = c;
		LIST_INIT(&j->cases);
	}
	return j;
}

static void
close_case(struct case_ *k)
{
	const int fds[] = { k->image_fd, k->signature_fd, k->old_fd };
	for (unsigned i = 0; i < 3; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	for (unsigned i = 0; i < STAGE_STAGES; i++)
		memfd_unmap(k->map[i]);
	LIST_REMOVE(k, link);
	free(k);
}

void
judging_free(struct judging *j)
{
	if (!j)
		return;
	while (!LIST_EMPTY(&j->cases))
		close_case(LIST_FIRST(&j->cases));
	free(j);
}

static struct case_ *
find(struct judging *j, uint64_t candidate)
{
	struct case_ *k;
	LIST_FOREACH(k, &j->cases, link) {
		if (k->candidate == candidate)
			return k;
	}
	return NULL;
}

/* ---- the end: what policy makes of it ---- */

/* By the fixed checks, which come first, or by a rule. */
static void
block(struct control *c, struct db_candidate *cand, const struct decide_result *d, const struct rules_result *rules)
{
	char said[RULES_SENTENCE_MAX];
	bool by_rule = d->verdict != DECIDE_DENY;
	rules_describe(rules, said);
	if (candidates_move(c, cand, LIFECYCLE_BLOCK, by_rule ? said : d->reasons_n ? d->because[0].sentence : "policy says no"))
		return;
	struct msg_append *e = candidates_entry(cand, ENTRY_IMAGE_QUARANTINED, "denied");
	logbook_ref(e, "verdict", decide_verdict_name(DECIDE_DENY));
	if (by_rule)
		logbook_ref(e, "rule", rules_decider(rules));
	else if (d->reasons_n)
		logbook_ref(e, "reason", decide_reason_id(d->because[0].reason));
	logbook_say(e, "%s", cand->note);
	logbook_tell(c->logbook, e);
}

static void
tell_judged(struct control *c, const struct db_candidate *cand, const struct report *r, const struct decide_result *d,
    const struct rules_result *rules)
{
	char said[RULES_SENTENCE_MAX];
	bool denied = d->verdict == DECIDE_REVIEW && rules->outcome == RULES_DENY;
	struct msg_append *e = candidates_entry(cand, ENTRY_IMAGE_ANALYSED, "ok");
	logbook_ref(e, "verdict", report_verdict_name(report_verdict(r)));
	logbook_ref(e, "decision", decide_verdict_name(denied ? DECIDE_DENY : d->verdict));
	logbook_ref(e, "rule", rules_decider(rules));
	logbook_ref_number(e, "rules.matched", rules->matches_n);
	rules_describe(rules, said);
	logbook_say(e, "%s", said);
	logbook_tell(c->logbook, e);
}

/* The report is stored and the row names it; now policy decides. */
static int
decide_on(struct control *c, struct db_candidate *cand, const struct report *r, const struct policy *p)
{
	struct decide_result *d = calloc(1, sizeof *d);
	struct rules_result *rules = calloc(1, sizeof *rules);
	int err = d && rules ? decisions_make(c, cand, r, p, d) : FG_ENOMEM;
	if (!err)
		err = decisions_rules(c, cand, r, p, NULL, rules);
	if (!err) {
		tell_judged(c, cand, r, d, rules);
		if (d->verdict == DECIDE_DENY || (d->verdict == DECIDE_REVIEW && rules->outcome == RULES_DENY))
			block(c, cand, d, rules);
		else if (d->verdict == DECIDE_REVIEW)
			openings_begin(c, cand);
		/* What holds it may pass (the clock left its place meanwhile): it stays in judging, for judging_resume(). */
	}
	free(rules);
	free(d);
	return err;
}

static int
store(struct control *c, const struct report *r, const struct policy *p, struct db_candidate *cand)
{
	struct writer text;
	writer_init(&text, REPORT_MAX);
	int err = report_encode(r, REPORT_MAX, &text);
	if (!err)
		err = report_digest(writer_view(&text), cand->report);
	if (!err)
		err = files_doc_put(c->files, FILES_REPORT, cand->report, writer_view(&text));
	if (!err)
		err = files_doc_put(c->files, FILES_POLICY, p->digest, p->text);
	writer_free(&text);
	if (err)
		return err;
	cand->have_report = cand->have_policy = true;
	memcpy(cand->policy, p->digest, sizeof cand->policy);
	return db_candidate_update(c->db, cand, cand->state);
}

static void
conclude(struct case_ *k)
{
	struct control *c = k->all->c;
	struct db_candidate *cand = calloc(1, sizeof *cand);
	struct report *r = report_new(REPORT_WHOLE);
	int err = cand && r ? db_candidate_get(c->db, k->candidate, cand) : FG_ENOMEM;
	const struct policy *p = err ? NULL : policies_find(c->policies, cand->profile);
	if (!err && !candidates_is(cand, LIFECYCLE_JUDGING))
		err = FG_ESTATE; /* rejected meanwhile */
	if (!err && (!p || memcmp(p->digest, k->asked.profile_sha256, sizeof p->digest)))
		err = FG_EAGAIN; /* another policy came into force: once more */
	if (!err)
		err = report_merge(&k->asked, &k->reply[STAGE_VERIFY], &k->reply[STAGE_EXPLAIN], NULL, r);
	if (!err)
		err = store(c, r, p, cand);
	if (!err)
		err = decide_on(c, cand, r, p);
	if (err && err != FG_ESTATE)
		oplog(OPLOG_WARNING, "%s could not be judged: %s", k->review, err_name(err));
	uint64_t again = err == FG_EAGAIN && p ? k->candidate : 0;
	struct judging *all = k->all;
	report_free(r);
	free(cand);
	close_case(k);
	if (again)
		judging_start(all, again);
}

/* ---- stages ---- */

static int
ask_verify(struct case_ *k, uint64_t job, struct chan *chan)
{
	struct control *c = k->all->c;
	const struct policy *p = policies_find(c->policies, k->asked.profile);
	int fds[3], trust = -1;
	unsigned n = 0;
	if (!p || memcmp(p->digest, k->asked.profile_sha256, sizeof p->digest))
		return FG_ENOTFOUND;
	struct trust_policy t = profile_trust_policy(p->profile);
	struct msg_inspect m = {
		.job = job,
		.stage = MSG_STAGE_VERIFY,
		.have_signature = k->asked.have_signature,
		.have_trust = k->asked.have_trust,
		.at = k->asked.at,
		.scheme = (uint8_t)profile_inspect_scheme(p->profile),
		/* A profile without a scheme has no purpose either; certificates then mean what they mean without one. */
		.purpose = (uint8_t)(t.purpose ? t.purpose : TRUST_PURPOSE_FIRMWARE),
		.allow_leaf_anchor = t.allow_leaf_anchor,
		.require_revocation = t.require_revocation,
		.pinned_ignores_expiry = t.pinned_ignores_expiry,
		.require_signature = k->asked.require_signature,
		.rsa_bits_min = t.rsa_bits_min,
	};
	snprintf(m.profile, sizeof m.profile, "%s", k->asked.profile);
	memcpy(m.profile_digest, p->digest, sizeof m.profile_digest);
	fds[n++] = k->image_fd;
	if (m.have_signature)
		fds[n++] = k->signature_fd;
	if (m.have_trust) {
		trust = memfd_sealed("fotagate-trust", p->trust);
		if (trust < 0)
			return trust;
		fds[n++] = trust;
	}
	int err = chan_send(chan, MSG_INSPECT, &m, fds, n);
	if (trust >= 0)
		close(trust);
	return err;
}

/* What the operator gives the comparison, as it is now: a sealed memfd, -1 for nothing, or an error. */
static int
aids_of(struct case_ *k, bool *ret_have)
{
	struct aids a = { 0 };
	struct writer w;
	int fd = -1;
	k->asked.have_rules = *ret_have = policies_rules(k->all->c->policies, &a.rules, k->asked.rules);
	if (!*ret_have)
		return fd;
	writer_init(&w, AIDS_MAX);
	aids_write(&a, &w);
	int err = writer_err(&w);
	fd = err ? err : memfd_sealed("fotagate-aids", writer_view(&w));
	writer_free(&w);
	return fd;
}

static int
ask_explain(struct case_ *k, uint64_t job, struct chan *chan)
{
	bool have_aids;
	int aids = aids_of(k, &have_aids);
	if (have_aids && aids < 0)
		return aids;
	const struct msg_inspect m = { .job = job,
		.stage = MSG_STAGE_EXPLAIN,
		.have_old = true,
		.have_target = true,
		.have_aids = have_aids,
		.at = k->asked.at,
		.target_max = EXPLAIN_SCRATCH_MAX };
	struct files_part scratch;
	int err = files_part_new(k->all->c->files, &scratch);
	if (!err) {
		/* Nobody else finds it, and it is gone when the inspector is. */
		files_part_drop(k->all->c->files, scratch.name);
		const int fds[4] = { k->image_fd, k->old_fd, scratch.fd, aids };
		err = chan_send(chan, MSG_INSPECT, &m, fds, 3 + have_aids);
		close(scratch.fd);
	}
	if (aids >= 0)
		close(aids);
	return err;
}

static int
on_ask(void *ctx, uint64_t job, struct chan *chan)
{
	struct case_ *k = ctx;
	return k->stage == STAGE_VERIFY ? ask_verify(k, job, chan) : ask_explain(k, job, chan);
}

static void run_stage(struct case_ *k, enum stage stage);

static void
take_reply(struct case_ *k, struct jobs_end *end)
{
	struct report_reply *r = &k->reply[k->stage];
	unsigned due = k->stage == STAGE_VERIFY ? MSG_STAGE_VERIFY : MSG_STAGE_EXPLAIN;
	r->end = end->end;
	snprintf(r->detail, sizeof r->detail, "%s", end->detail);
	if (end->end != REPORT_END_REPLIED)
		return;
	int err = end->reply.inspected.stage == due ? memfd_map(end->fd, REPORT_MAX, &k->map[k->stage]) : FG_EPEER;
	if (!err) {
		r->text = k->map[k->stage];
		return;
	}
	r->end = err == FG_ELIMIT ? REPORT_END_OVERLONG : REPORT_END_MALFORMED;
	snprintf(r->detail, sizeof r->detail, "%s", err == FG_ELIMIT ? "empty, or longer than 2 MiB" :
	    "the report of another stage, or not in a sealed memfd");
}

static void
on_ended(void *ctx, struct jobs_end *end)
{
	struct case_ *k = ctx;
	k->job = 0;
	take_reply(k, end);
	if (k->stage == STAGE_VERIFY && k->asked.have_old)
		run_stage(k, STAGE_EXPLAIN);
	else
		conclude(k);
}

static const struct jobs_ops ops = { on_ask, NULL, on_ended };

static void
run_stage(struct case_ *k, enum stage stage)
{
	k->stage = stage;
	int err = jobs_start(k->all->c->jobs, MSG_JOB_INSPECT, k->wall_ms, &ops, k, &k->job);
	if (!err)
		return;
	/* It stays in judging; judging_resume() comes by. */
	oplog(OPLOG_WARNING, "%s waits: %s", k->review, err_name(err));
	close_case(k);
}

/* ---- starting ---- */

static uint64_t
size_of(int fd)
{
	struct stat st;
	return fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

static int
open_case(struct case_ *k, const struct db_candidate *cand, const struct policy *p)
{
	struct control *c = k->all->c;
	k->image_fd = files_image_open(c->files, FILES_IMAGE, cand->image);
	if (k->image_fd < 0)
		return k->image_fd;
	if (cand->have_signature) {
		k->signature_fd = files_image_open(c->files, FILES_SIGNATURE, cand->signature);
		if (k->signature_fd < 0)
			return k->signature_fd;
	}
	k->old_fd = history_image(c, cand);
	k->asked = (struct report_asked){
		.at = control_now(c),
		.image_size = size_of(k->image_fd),
		.have_signature = cand->have_signature,
		.have_trust = p->trust.n > 0,
		.require_signature = p->profile->signature.require,
		.have_old = k->old_fd >= 0,
		.have_history = true,
	};
	int err = history_marks(c, cand, k->asked.past, &k->asked.past_n);
	if (err)
		return err;
	snprintf(k->asked.profile, sizeof k->asked.profile, "%s", p->profile->name);
	memcpy(k->asked.profile_sha256, p->digest, sizeof p->digest);
	uint64_t wall = JUDGING_WALL_S + (k->asked.image_size + size_of(k->old_fd)) / JUDGING_WALL_BYTES;
	k->wall_ms = (uint32_t)(wall < JUDGING_WALL_MAX_S ? wall : JUDGING_WALL_MAX_S) * 1000u;
	return FG_OK;
}

/* The bytes are gone: nothing can be judged, and a report about nothing is not made. */
static void
without_bytes(struct control *c, struct db_candidate *cand)
{
	cand->in_quarantine = false;
	(void)candidates_move(c, cand, LIFECYCLE_BLOCK, "the image is no longer in quarantine");
}

void
judging_start(struct judging *j, uint64_t candidate)
{
	struct control *c = j->c;
	/* No verdict is made by a clock that nobody believes: timekeep_tick() comes by when it is sure. */
	if (find(j, candidate) || !timekeep_is_sure(c))
		return;
	struct db_candidate *cand = calloc(1, sizeof *cand);
	struct case_ *k = calloc(1, sizeof *k);
	int err = cand && k ? db_candidate_get(c->db, candidate, cand) : FG_ENOMEM;
	if (err || !candidates_is(cand, LIFECYCLE_JUDGING)) {
		free(cand);
		free(k);
		return;
	}
	*k = (struct case_){ .all = j, .candidate = candidate, .image_fd = -1, .signature_fd = -1, .old_fd = -1 };
	db_candidate_review(candidate, k->review);
	LIST_INSERT_HEAD(&j->cases, k, link);
	const struct policy *p = policies_find(c->policies, cand->profile);
	err = p ? open_case(k, cand, p) : FG_ENOTFOUND;
	if (!err) {
		run_stage(k, STAGE_VERIFY);
	} else {
		if (p && err == FG_ENOTFOUND)
			without_bytes(c, cand);
		else
			oplog(OPLOG_WARNING, "%s cannot be judged now: %s", k->review,
			    p ? err_name(err) : "its profile is not configured any more");
		close_case(k);
	}
	free(cand);
}

void
judging_cancel(struct judging *j, uint64_t candidate)
{
	struct case_ *k = find(j, candidate);
	if (!k)
		return;
	jobs_cancel(j->c->jobs, k->job);
	close_case(k);
}

/* ---- many ---- */

void
judging_resume(struct judging *j)
{
	struct candidates_ids *l = candidates_in(j->c, LIFECYCLE_JUDGING);
	for (size_t i = 0; l && i < l->n; i++)
		judging_start(j, l->id[i]);
	free(l);
}

bool
judging_policy_stands(struct control *c, const struct db_candidate *cand)
{
	const struct policy *p = policies_find(c->policies, cand->profile);
	return p && cand->have_policy && !memcmp(p->digest, cand->policy, sizeof p->digest);
}

static void
again(struct judging *j, struct db_candidate *cand)
{
	struct control *c = j->c;
	unsigned n;
	if (candidates_outdate(c, cand, LIFECYCLE_REJUDGE, "the policy changed: it is judged again", &n))
		return;
	struct msg_append *e = candidates_entry(cand, ENTRY_APPROVAL_OUTDATED, "ok");
	logbook_ref_number(e, "statements", n);
	logbook_say(e, "the policy changed");
	logbook_tell(c->logbook, e);
	judging_start(j, cand->id);
}

void
judging_policy_changed(struct judging *j)
{
	struct control *c = j->c;
	struct candidates_ids *l = candidates_in(c, LIFECYCLE_REVIEW);
	struct db_candidate *cand = calloc(1, sizeof *cand);
	for (size_t i = 0; l && cand && i < l->n; i++) {
		/* Of a profile that is not configured any more it waits: the profile may come back. */
		if (db_candidate_get(c->db, l->id[i], cand) == FG_OK && policies_find(c->policies, cand->profile) &&
		    !judging_policy_stands(c, cand))
			again(j, cand);
	}
	free(cand);
	free(l);
	judging_resume(j);
}
