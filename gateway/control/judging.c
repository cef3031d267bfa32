/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/judging.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/control/bases.h"
#include "gateway/control/control_private.h"
#include "gateway/control/decisions.h"
#include "gateway/control/history.h"
#include "gateway/control/notesfetch.h"
#include "gateway/control/openings.h"
#include "gateway/control/rivals.h"
#include "gateway/control/seconds.h"
#include "gateway/control/stages.h"
#include "gateway/control/targets.h"
#include "gateway/control/vendornotes.h"
#include "gateway/wire/memfd.h"
#include "policy/evidence.h"

#define AGAIN_MAX 64 /* candidates that wait for a place or an answer; more wait for the next start */

struct case_ { /* one candidate being judged */
	LIST_ENTRY(case_) link;
	struct judging *all;
	uint64_t candidate;
	char review[DB_REVIEW_CAP];
	struct db_resource resource;
	int image_fd, signature_fd, old_fd, trust_fd;
	struct report_asked asked;
	struct notes notes; /* the vendor's */
	struct msg_inspect verify_asked;
	struct stage verify, explain;
	enum format_id format;   /* of a delta whose bytes do not tell it */
	struct targets *targets; /* of a delta */
	const struct targets_result *made;
	struct hooks_ask *hook;  /* is being asked: the report is kept, and what it comes to is not known yet */
	bool hook_asked;
};

struct judging {
	struct control *c;
	LIST_HEAD(, case_) cases;
	uint64_t again[AGAIN_MAX];
	unsigned again_n;
	int64_t again_at;
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
	const int fds[] = { k->image_fd, k->signature_fd, k->old_fd, k->trust_fd };
	hooks_cancel(k->hook);
	targets_free(k->targets);
	stages_end(&k->verify);
	stages_end(&k->explain);
	for (unsigned i = 0; i < sizeof fds / sizeof fds[0]; i++)
		if (fds[i] >= 0)
			close(fds[i]);
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
	evidence_describe(d, rules, said);
	if (candidates_move(c, cand, LIFECYCLE_BLOCK, said))
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

/* It stays in judging; people see why. What is said already is not said again. */
static void
stay(struct control *c, struct db_candidate *cand, const char *why)
{
	if (!strncmp(cand->note, why, sizeof cand->note - 1))
		return;
	snprintf(cand->note, sizeof cand->note, "%s", why);
	if (db_candidate_update(c->db, cand, cand->state)) {
		oplog(OPLOG_ERR, "why a candidate is held could not be written down: %s", db_why(c->db));
		return;
	}
	struct msg_append *e = candidates_entry(cand, ENTRY_IMAGE_QUARANTINED, "held");
	logbook_say(e, "%s", cand->note);
	logbook_tell(c->logbook, e);
}

/*
 * The proof, or the lack of one, that people sign for: base and delta by their digests, who applied
 * it, what came out, and the word. The delta's own digest is the image's.
 */
static void
put_proof(struct msg_append *e, const struct report *r)
{
	const struct report_delta *d = &r->delta;
	if (!r->have_delta)
		return;
	logbook_ref_sha256(e, "base", d->base_sha256);
	logbook_ref(e, "applier", d->result.applier);
	logbook_ref(e, "outcome", report_delta_word(r));
	if (d->result.outcome == DELTA_APPLIED)
		logbook_ref_sha256(e, "target_image", d->result.target_sha256);
	if (d->have_target)
		logbook_ref_sha256(e, "target_report", d->target_report);
}

/* It stays in judging for what policy lacks (a clock, a base): judging_resume() comes by. */
static void
hold_for_policy(struct control *c, struct db_candidate *cand, const struct decide_result *d)
{
	const char *why = d->reasons_n ? d->because[0].sentence : "policy holds it";
	bool told = !strncmp(cand->note, why, sizeof cand->note - 1);
	stay(c, cand, why);
	for (unsigned i = 0; i < d->reasons_n && !told; i++)
		if (d->because[i].reason == DECIDE_DELTA_SECOND)
			seconds_tell(c, cand);
}

/* Its answer by the digest of what is kept of it: by that the decision can be made again. */
static void
tell_hook(struct control *c, const struct db_candidate *cand, struct msg_append *e)
{
	struct hook_said *said = calloc(1, sizeof *said);
	if (said)
		hooks_said(c, cand, said);
	if (said && said->state == HOOK_ANSWERED) {
		logbook_ref(e, "hook", hook_outcome_name(said->answer.outcome));
		logbook_ref_sha256(e, "hook.answer", cand->hook);
		logbook_ref_sha256(e, "hook.program", hooks_program(c));
	}
	free(said);
}

static void
tell_judged(const struct case_ *k, const struct db_candidate *cand, const struct report *r, const struct decide_result *d,
    const struct rules_result *rules)
{
	struct control *c = k->all->c;
	char said[RULES_SENTENCE_MAX];
	struct msg_append *e = candidates_entry(cand, ENTRY_IMAGE_ANALYSED, "ok");
	logbook_ref(e, "verdict", report_verdict_name(report_verdict(r)));
	logbook_ref(e, "decision", decide_verdict_name(evidence_verdict(d, rules)));
	logbook_ref(e, "rule", rules_decider(rules));
	logbook_ref_number(e, "rules.matched", rules->matches_n);
	put_proof(e, r);
	if (d->unseen) {
		/* What no report says, so that the decision can be made again. */
		logbook_ref_number(e, "attested", attests_count(c->attests, cand->image, k->resource.target));
		logbook_ref_number(e, "opened.permille", evidence_opened(r));
	}
	tell_hook(c, cand, e);
	evidence_describe(d, rules, said);
	/* What nobody can see through is the thing to know; the rule has its reference. */
	logbook_say(e, "%s", d->unseen ? DECIDE_UNSEEN_TEXT : said);
	logbook_tell(c->logbook, e);
}

static void on_hook(void *ctx, const char *why);

/* Whether all that is wanting is the hook's answer, which then is on its way, or could not be asked for (*ret_err). */
static bool
ask_hook(struct case_ *k, const struct db_candidate *cand, const struct report *r, const struct policy *p,
    const struct decide_result *d, const struct rules_result *rules, int *ret_err)
{
	struct control *c = k->all->c;
	struct hook_said *said = calloc(1, sizeof *said);
	bool wanted = false;
	if (said) {
		hooks_said(c, cand, said);
		wanted = !k->hook_asked && hook_is_wanted(said, d, rules);
	}
	free(said);
	if (!wanted)
		return false;
	k->hook_asked = true;
	*ret_err = hooks_ask(c->hooks, cand, r, p, on_hook, k, &k->hook);
	return true;
}

/* The report is stored and the row names it; now policy decides. */
static int
decide_on(struct case_ *k, struct db_candidate *cand, const struct report *r, const struct policy *p)
{
	struct control *c = k->all->c;
	struct decide_result *d = calloc(1, sizeof *d);
	struct rules_result *rules = calloc(1, sizeof *rules);
	int err = d && rules ? decisions_make(c, cand, r, p, d) : FG_ENOMEM;
	if (!err)
		err = decisions_rules(c, cand, r, p, NULL, rules);
	if (!err && !ask_hook(k, cand, r, p, d, rules, &err)) {
		enum decide_verdict verdict = evidence_verdict(d, rules);
		tell_judged(k, cand, r, d, rules);
		if (verdict == DECIDE_REVIEW && k->made && k->made->part) {
			/* A delta that goes on from here finds its base, once this one is released. */
			int kept = bases_keep(c, cand, k->made->part, r->delta.result.target_sha256, k->made->size);
			targets_part_taken(k->targets);
			if (kept)
				oplog(OPLOG_WARNING, "%s: what it makes could not be kept: %s", k->review, err_name(kept));
		}
		if (verdict == DECIDE_DENY)
			block(c, cand, d, rules);
		else if (rivals_judged(c, cand, &err) || err)
			; /* what people have released for the same update is other bytes: they have to decide */
		else if (verdict == DECIDE_REVIEW)
			openings_begin(c, cand);
		else
			hold_for_policy(c, cand, d);
	}
	free(rules);
	free(d);
	return err;
}

static int
store(struct control *c, const struct report *r, const struct targets_result *made, const struct policy *p,
    struct db_candidate *cand)
{
	struct writer text;
	writer_init(&text, REPORT_MAX);
	int err = report_encode(r, REPORT_MAX, &text);
	if (!err)
		err = report_digest(writer_view(&text), cand->report);
	if (!err && made && made->text.n)
		err = files_doc_put(c->files, FILES_REPORT, made->applied.target_report, made->text);
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

/* What its report is compared with: like with like. */
static int
add_history(struct case_ *k, const struct db_candidate *cand, bool delta)
{
	struct report_asked *a = &k->asked;
	int err = history_marks(k->all->c, cand, delta ? HISTORY_DELTAS : HISTORY_RESULTS, a->past, &a->past_n);
	a->have_history = !delta || a->past_n > 0; /* what a delta makes is compared with all of them: targets.h */
	return err;
}

static int
merge(struct case_ *k, const struct db_candidate *cand, struct report *r)
{
	const struct report_applied *applied = NULL;
	int err = add_history(k, cand, k->made != NULL);
	if (k->made && k->made->end == TARGETS_DONE) {
		applied = &k->made->applied;
		k->asked.have_base = true;
		memcpy(k->asked.base, k->made->base.image, sizeof k->asked.base);
	}
	stages_rules(&k->explain, &k->asked);
	if (!err)
		err = report_merge(&k->asked, &k->verify.reply, &k->explain.reply, applied, r);
	/* Its bytes do not tell: everybody who reads the report has to know it from there. */
	if (!err && k->format && !r->delta.have_target)
		report_raise(r, FINDING_FMT_DELTA, FINDING_WARNING, NULL, "format %s, as the profile has it",
		    format_name(k->format));
	return err;
}

/* No word about the image: it was not looked at to the end. It is tried again in a while, at a start, when a base comes. */
static void
hold_until(struct case_ *k, const char *why, int64_t again_at)
{
	struct judging *j = k->all;
	struct db_candidate *cand = calloc(1, sizeof *cand);
	unsigned at = 0;
	oplog(OPLOG_WARNING, "%s is held: %s", k->review, why);
	if (cand && db_candidate_get(j->c->db, k->candidate, cand) == FG_OK && candidates_is(cand, LIFECYCLE_JUDGING))
		stay(j->c, cand, why);
	free(cand);
	while (at < j->again_n && j->again[at] != k->candidate)
		at++;
	if (at == j->again_n && at < AGAIN_MAX)
		j->again[j->again_n++] = k->candidate;
	if (!j->again_at || again_at < j->again_at)
		j->again_at = again_at;
	close_case(k);
}

static void
hold(struct case_ *k, const char *why)
{
	hold_until(k, why, control_now(k->all->c) + JUDGING_AGAIN_S);
}

/* What is wrong is ours, and nothing about the image. */
static void
hold_for(struct case_ *k, const char *what, int err)
{
	char why[120];
	snprintf(why, sizeof why, "%s: %s", what, err_name(err));
	hold(k, why);
}

/* What came of the last step; where the hook is being asked, on_hook() goes on. */
static void
settle(struct case_ *k, int err, const struct policy *p)
{
	struct judging *all = k->all;
	uint64_t again = err == FG_EAGAIN && p ? k->candidate : 0;
	if (!err && k->hook)
		return;
	if (err && err != FG_ESTATE && err != FG_EAGAIN)
		hold_for(k, "it could not be judged", err);
	else
		close_case(k);
	if (again)
		judging_start(all, again);
}

/* Of a report that was kept: that it still is the one, under the policy in force. */
static int
find_case(struct case_ *k, struct db_candidate *cand, const struct policy **ret)
{
	struct control *c = k->all->c;
	int err = db_candidate_get(c->db, k->candidate, cand);
	*ret = err ? NULL : policies_find(c->policies, cand->profile);
	if (!err && !candidates_is(cand, LIFECYCLE_JUDGING))
		err = FG_ESTATE; /* rejected meanwhile */
	if (!err && (!*ret || memcmp((*ret)->digest, k->asked.profile_sha256, sizeof (*ret)->digest)))
		err = FG_EAGAIN; /* another policy came into force: once more */
	return err;
}

static void
on_hook(void *ctx, const char *why)
{
	struct case_ *k = ctx;
	struct control *c = k->all->c;
	struct db_candidate *cand = calloc(1, sizeof *cand);
	const struct policy *p = NULL;
	struct report *r = NULL;
	k->hook = NULL;
	int err = cand ? find_case(k, cand, &p) : FG_ENOMEM;
	if (!err && why) {
		hold_until(k, why, control_now(c) + hooks_wait(c->hooks));
	} else {
		if (!err)
			err = decisions_report(c, cand->report, &r);
		if (!err)
			err = decide_on(k, cand, r, p);
		settle(k, err, p);
	}
	report_free(r);
	free(cand);
}

static void
conclude(struct case_ *k)
{
	struct control *c = k->all->c;
	struct db_candidate *cand = calloc(1, sizeof *cand);
	struct report *r = report_new(REPORT_WHOLE);
	const struct policy *p = NULL;
	int err = cand && r ? find_case(k, cand, &p) : FG_ENOMEM;
	if (!err)
		err = merge(k, cand, r);
	if (!err)
		err = store(c, r, k->made, p, cand);
	if (!err)
		err = decide_on(k, cand, r, p);
	report_free(r);
	free(cand);
	settle(k, err, p);
}

/* ---- stages ---- */

static void
on_explained(void *ctx)
{
	struct case_ *k = ctx;
	char why[TARGETS_WHY_MAX];
	if (!k->explain.started) {
		snprintf(why, sizeof why, "it could not be compared: %s", k->explain.reply.detail);
		hold(k, why);
		return;
	}
	conclude(k);
}

static void
run(struct case_ *k, struct stage *s, void (*done)(void *ctx))
{
	int err = stages_run(k->all->c, s, done, k);
	if (err)
		hold_for(k, "there is no place to look at it", err);
}

static void
explain(struct case_ *k)
{
	struct stage *s = &k->explain;
	s->m = (struct msg_inspect){ .stage = MSG_STAGE_EXPLAIN, .have_old = true, .at = k->asked.at };
	s->fd[s->n++] = k->image_fd;
	s->fd[s->n++] = k->old_fd;
	s->scratch = true;
	s->bytes = k->asked.image_size + stages_size(k->old_fd);
	run(k, s, on_explained);
}

/* What opens of a delta that nobody sees through is better than nothing: it is taken apart, beside an empty file. */
static void
open_delta(struct case_ *k)
{
	if (k->old_fd >= 0)
		close(k->old_fd);
	k->old_fd = memfd_sealed("fotagate-nothing", view_of(NULL, 0));
	int err = k->old_fd < 0 ? k->old_fd : digest_sha256(view_of(NULL, 0), k->asked.old_sha256);
	if (err) {
		hold_for(k, "it could not be taken apart", err);
		return;
	}
	k->asked.have_old = k->asked.have_old_sha256 = true;
	explain(k);
}

static void
on_made(void *ctx, const struct targets_result *r)
{
	struct case_ *k = ctx;
	k->made = r;
	if (r->end == TARGETS_HOLD)
		hold(k, r->why);
	else if (r->end == TARGETS_DONE && r->applied.target)
		conclude(k);
	else
		open_delta(k);
}

/* As the verify stage has it; a report that is none is for the merged one to tell of. */
static bool
is_delta(struct case_ *k)
{
	struct report_refusal why;
	struct report *part = k->verify.reply.end == REPORT_END_REPLIED ? report_new(REPORT_VERIFY) : NULL;
	bool read = part && report_parse(k->verify.reply.text, REPORT_VERIFY, part, &why) == FG_OK;
	const struct policy *p = policies_find(k->all->c->policies, k->asked.profile);
	bool delta = read && report_is_delta(part);
	if (read && !delta && p && part->format == FORMAT_RAW)
		k->format = profile_delta_format(p->profile);
	report_free(part);
	return delta || k->format;
}

static void
make_target(struct case_ *k)
{
	struct control *c = k->all->c;
	struct db_candidate *cand = calloc(1, sizeof *cand);
	const struct policy *p = policies_find(c->policies, k->asked.profile);
	int err = cand ? db_candidate_get(c->db, k->candidate, cand) : FG_ENOMEM;
	const struct targets_asked q = { .cand = cand,
		.resource = &k->resource,
		.verify = &k->verify_asked,
		.asked = &k->asked,
		.format = k->format,
		.order = p ? p->profile->version_order : VERSION_ORDER_EXACT,
		.patch_fd = k->image_fd,
		.trust_fd = k->trust_fd };
	/* A delta against a whole image says nothing; its target is compared with its base. */
	k->asked.have_old = false;
	if (!err)
		err = targets_start(c, &q, on_made, k, &k->targets);
	free(cand);
	if (err)
		hold(k, "its bases could not be looked up now");
}

static void
on_verified(void *ctx)
{
	struct case_ *k = ctx;
	if (!k->verify.started) {
		char why[TARGETS_WHY_MAX];
		snprintf(why, sizeof why, "it could not be looked at: %s", k->verify.reply.detail);
		hold(k, why);
	} else if (is_delta(k)) {
		make_target(k);
	} else if (!k->asked.have_old) {
		conclude(k);
	} else {
		explain(k);
	}
}

static void
verify(struct case_ *k)
{
	struct stage *s = &k->verify;
	s->m = k->verify_asked;
	s->fd[s->n++] = k->image_fd;
	if (s->m.have_signature)
		s->fd[s->n++] = k->signature_fd;
	if (s->m.have_trust)
		s->fd[s->n++] = k->trust_fd;
	s->bytes = k->asked.image_size;
	run(k, s, on_verified);
}

/* ---- starting ---- */

static void
describe(struct case_ *k, const struct policy *p)
{
	struct trust_policy t = profile_trust_policy(p->profile);
	k->verify_asked = (struct msg_inspect){
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
	snprintf(k->verify_asked.profile, sizeof k->verify_asked.profile, "%s", k->asked.profile);
	memcpy(k->verify_asked.profile_digest, p->digest, sizeof k->verify_asked.profile_digest);
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
	if (p->trust.n > 0) {
		k->trust_fd = memfd_sealed("fotagate-trust", p->trust);
		if (k->trust_fd < 0)
			return k->trust_fd;
	}
	/* A report without a comparison because there was no descriptor would say that this is the first. */
	int err = history_image(c, cand, &k->old_fd);
	if (err)
		return err;
	k->asked = (struct report_asked){
		.at = control_now(c),
		.image_size = stages_size(k->image_fd),
		.have_signature = cand->have_signature,
		.have_trust = p->trust.n > 0,
		.require_signature = p->profile->signature.require,
		.proof_signs = p->profile->deltas.proof_signs,
		.have_old = k->old_fd >= 0,
	};
	err = vendornotes_of(c, cand->image, &k->notes);
	if (err)
		return err;
	k->asked.notes = &k->notes;
	snprintf(k->asked.profile, sizeof k->asked.profile, "%s", p->profile->name);
	memcpy(k->asked.profile_sha256, p->digest, sizeof p->digest);
	describe(k, p);
	return db_resource_get(c->db, cand->resource, &k->resource);
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
	if (find(j, candidate) || notesfetch_awaits(c->notesfetch, candidate) || !timekeep_is_sure(c))
		return;
	struct db_candidate *cand = calloc(1, sizeof *cand);
	struct case_ *k = calloc(1, sizeof *k);
	int err = cand && k ? db_candidate_get(c->db, candidate, cand) : FG_ENOMEM;
	if (err || !candidates_is(cand, LIFECYCLE_JUDGING)) {
		free(cand);
		free(k);
		return;
	}
	*k = (struct case_){ .all = j, .candidate = candidate, .image_fd = -1, .signature_fd = -1, .old_fd = -1,
		.trust_fd = -1 };
	db_candidate_review(candidate, k->review);
	LIST_INSERT_HEAD(&j->cases, k, link);
	const struct policy *p = policies_find(c->policies, cand->profile);
	err = p ? open_case(k, cand, p) : FG_ENOTFOUND;
	if (!err) {
		verify(k);
	} else if (p && err != FG_ENOTFOUND) {
		hold_for(k, "it cannot be judged now", err); /* and is tried again */
	} else {
		if (p)
			without_bytes(c, cand);
		else
			oplog(OPLOG_WARNING, "%s cannot be judged now: its profile is not configured any more", k->review);
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
	close_case(k);
}

bool
judging_is_held(struct judging *j, const struct db_candidate *cand)
{
	return candidates_is(cand, LIFECYCLE_JUDGING) && cand->note[0] && !find(j, cand->id);
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

void
judging_tick(struct judging *j)
{
	uint64_t again[AGAIN_MAX];
	unsigned n = j->again_n;
	if (!n || control_now(j->c) < j->again_at)
		return;
	memcpy(again, j->again, n * sizeof again[0]);
	j->again_n = 0;
	j->again_at = 0;
	for (unsigned i = 0; i < n; i++)
		judging_start(j, again[i]);
}

void
judging_look_again(struct judging *j, const char *profile)
{
	struct candidates_ids *l = candidates_in(j->c, LIFECYCLE_JUDGING);
	struct db_candidate *cand = calloc(1, sizeof *cand);
	for (size_t i = 0; l && cand && i < l->n; i++)
		if (db_candidate_get(j->c->db, l->id[i], cand) == FG_OK && !strcmp(cand->profile, profile))
			judging_start(j, cand->id);
	free(cand);
	free(l);
}

bool
judging_policy_stands(struct control *c, const struct db_candidate *cand)
{
	const struct policy *p = policies_find(c->policies, cand->profile);
	return p && cand->have_policy && !memcmp(p->digest, cand->policy, sizeof p->digest);
}

void
judging_again(struct judging *j, struct db_candidate *cand, const char *why)
{
	struct control *c = j->c;
	char note[DB_TEXT_MAX];
	unsigned n;
	snprintf(note, sizeof note, "%s: it is judged again", why);
	if (candidates_outdate(c, cand, LIFECYCLE_REJUDGE, note, &n))
		return;
	struct msg_append *e = candidates_entry(cand, ENTRY_APPROVAL_OUTDATED, "ok");
	logbook_ref_number(e, "statements", n);
	logbook_say(e, "%s", why);
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
			judging_again(j, cand, "the policy changed");
	}
	free(cand);
	free(l);
	judging_resume(j);
}
