/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/hooks.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/jsonf.h"
#include "gateway/control/control_private.h"
#include "gateway/control/decisions.h"
#include "gateway/control/privacy.h"
#include "gateway/control/requests_private.h"
#include "gateway/control/standing.h"
#include "gateway/wire/memfd.h"
#include "policy/evidence.h"
#include "policy/rules_doc.h"

_Static_assert(MSG_HOOK_PROGRAM_MAX == HOOK_PROGRAM_MAX && MSG_HOOK_ANSWER_MAX == HOOK_ANSWER_MAX, "one limit each");

struct hooks_ask {
	LIST_ENTRY(hooks_ask) link;
	struct hooks *all;
	uint64_t candidate, job;
	uint8_t report[DIGEST_SHA256_LEN], program[DIGEST_SHA256_LEN], asked[DIGEST_SHA256_LEN];
	struct writer facts;
	void (*done)(void *ctx, const char *why);
	void *ctx;
};

struct hooks {
	struct control *c;
	LIST_HEAD(, hooks_ask) asks;
	unsigned failures;        /* since the last answer */
	struct hooks_ask *review; /* about something that is released */
	int64_t review_at;        /* not before */
};

struct hooks *
hooks_new(struct control *c)
{
	struct hooks *h = calloc(1, sizeof *h);
	if (h) {
		h->c = c;
		LIST_INIT(&h->asks);
	}
	return h;
}

static void
drop(struct hooks_ask *a)
{
	LIST_REMOVE(a, link);
	if (a->all->review == a)
		a->all->review = NULL;
	writer_free(&a->facts);
	free(a);
}

void
hooks_cancel(struct hooks_ask *a)
{
	if (!a)
		return;
	jobs_cancel(a->all->c->jobs, a->job);
	drop(a);
}

void
hooks_free(struct hooks *h)
{
	if (!h)
		return;
	while (!LIST_EMPTY(&h->asks))
		hooks_cancel(LIST_FIRST(&h->asks));
	free(h);
}

int64_t
hooks_wait(const struct hooks *h)
{
	int64_t wait = HOOKS_WAIT_S;
	for (unsigned i = 1; i < h->failures && wait < HOOKS_WAIT_MAX_S; i++)
		wait *= 2;
	return wait < HOOKS_WAIT_MAX_S ? wait : HOOKS_WAIT_MAX_S;
}

/* ---- what is kept ---- */

const uint8_t *
hooks_program(struct control *c)
{
	const struct config *f = policies_config(c->policies);
	return f->hook.program[0] ? f->hook.sha256 : NULL;
}

void
hooks_said(struct control *c, const struct db_candidate *cand, struct hook_said *ret)
{
	const uint8_t *program = hooks_program(c);
	struct hook_record *r = program && cand->have_hook ? calloc(1, sizeof *r) : NULL;
	struct writer w;
	writer_init(&w, HOOK_RECORD_MAX);
	bool good = r && files_doc_get(c->files, FILES_HOOK, cand->hook, &w) == FG_OK &&
	    hook_record_read(writer_view(&w), r) == FG_OK;
	hook_said_of(good ? r : NULL, program, cand->report, ret);
	writer_free(&w);
	free(r);
}

/* The answer, and what it was an answer to; then the row names it. */
static int
keep(struct hooks_ask *a, const struct hook_answer *answer)
{
	struct control *c = a->all->c;
	struct db_candidate *cand = calloc(1, sizeof *cand);
	struct hook_record *r = calloc(1, sizeof *r);
	struct writer w;
	writer_init(&w, HOOK_RECORD_MAX);
	int err = cand && r ? db_candidate_get(c->db, a->candidate, cand) : FG_ENOMEM;
	if (!err && (!cand->have_report || memcmp(cand->report, a->report, sizeof a->report) != 0 || !hooks_program(c) ||
	    memcmp(hooks_program(c), a->program, sizeof a->program) != 0))
		err = FG_ESTATE; /* judged again, or another program came meanwhile */
	if (!err) {
		r->answer = *answer;
		r->at = control_now(c);
		memcpy(r->program, a->program, sizeof r->program);
		memcpy(r->report, a->report, sizeof r->report);
		memcpy(r->asked, a->asked, sizeof r->asked);
		err = hook_record_write(r, &w);
	}
	if (!err)
		err = files_doc_put(c->files, FILES_HOOK, a->asked, writer_view(&a->facts));
	if (!err)
		err = digest_sha256(writer_view(&w), cand->hook);
	if (!err)
		err = files_doc_put(c->files, FILES_HOOK, cand->hook, writer_view(&w));
	if (!err) {
		cand->have_hook = true;
		err = db_candidate_update(c->db, cand, cand->state);
	}
	writer_free(&w);
	free(r);
	free(cand);
	return err;
}

/* ---- what it is told ---- */

static void
put_findings(struct jsonw *j, const struct decide_facts *f)
{
	static const char *const severities[] = { [DECIDE_BLOCK] = "block", [DECIDE_WARNING] = "warning",
		[DECIDE_NOTICE] = "notice", [DECIDE_INFO] = "info" };
	jsonw_key(j, "findings");
	jsonw_array(j);
	for (size_t i = 0; i < f->findings_n; i++) {
		jsonw_object(j);
		jsonw_kcstr(j, "id", f->finding[i].id);
		jsonw_kcstr(j, "severity", severities[f->finding[i].severity]);
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
}

/* What rules are told, with each finding's weight and the rules' own word; numbers of modules stand in no text of it. */
static void
put(struct jsonw *j, struct control *c, const struct db_candidate *cand, const struct policy *p,
    const struct decisions_told *t, const struct rules_result *rules)
{
	const struct evidence *e = decisions_evidence(t);
	const struct evidence_update *u = decisions_update(t);
	struct rules_facts facts = e->rules;
	char product[DB_NAME_MAX], target[DB_VERSION_MAX], from[DB_VERSION_MAX], review[DB_REVIEW_CAP];
	privacy_mask_text(u->product, false, product, sizeof product);
	privacy_mask_text(u->target, false, target, sizeof target);
	privacy_mask_text(u->from, false, from, sizeof from);
	db_candidate_review(cand->id, review);
	facts.product = product;
	jsonw_object(j);
	jsonf_put_time(j, "at", control_now(c));
	jsonw_key(j, "coverage");
	jsonw_object(j);
	jsonw_kuint(j, "signed", e->decide.signed_bytes);
	jsonw_kuint(j, "structure", e->decide.structure_bytes);
	jsonw_kuint(j, "unsigned", e->decide.unsigned_bytes);
	jsonw_object_end(j);
	jsonw_key(j, "facts");
	rules_doc_put(j, &facts, target, control_now(c));
	put_findings(j, &e->decide);
	jsonw_khex(j, "image", cand->image, sizeof cand->image);
	jsonw_khex(j, "policy", p->digest, sizeof p->digest);
	jsonw_khex(j, "report", cand->report, sizeof cand->report);
	jsonw_kcstr(j, "review", review);
	jsonw_key(j, "rules");
	jsonw_object(j);
	jsonw_kcstr(j, "outcome", rules_outcome_name(rules->outcome));
	jsonw_kuint(j, "quorum", rules->quorum);
	jsonw_kcstr(j, "rule", rules_decider(rules));
	jsonw_object_end(j);
	jsonw_kcstr(j, "schema", HOOK_SCHEMA);
	jsonw_key(j, "update");
	jsonw_object(j);
	requests_put_time(j, "arrived", u->arrived);
	requests_put_text(j, "from", from);
	requests_put_text(j, "product", product);
	requests_put_text(j, "target", target);
	jsonw_object_end(j);
	jsonw_object_end(j);
}

static int
tell(struct hooks_ask *a, const struct db_candidate *cand, const struct report *r, const struct policy *p)
{
	struct control *c = a->all->c;
	struct decisions_told *t = NULL;
	struct rules_result *rules = calloc(1, sizeof *rules);
	struct jsonw j;
	int err = rules ? decisions_tell(c, cand, r, p, NULL, &t) : FG_ENOMEM;
	if (!err)
		err = decisions_rules(c, cand, r, p, NULL, rules);
	if (!err) {
		jsonw_init(&j, &a->facts);
		put(&j, c, cand, p, t, rules);
		err = writer_err(&a->facts);
	}
	if (!err)
		err = digest_sha256(writer_view(&a->facts), a->asked);
	free(t);
	free(rules);
	return err;
}

/* ---- asking ---- */

static int
on_ask(void *ctx, uint64_t job, struct chan *chan)
{
	struct hooks_ask *a = ctx;
	const struct config *f = policies_config(a->all->c->policies);
	const struct msg_hook m = { .job = job, .seconds = (uint32_t)f->hook.seconds,
		.memory_mib = (uint32_t)f->hook.memory_mib };
	struct view program;
	/* It may have waited for its turn, and another program come into force: then that is asked, and the answer is its. */
	if (!policies_hook(a->all->c->policies, &program, a->program))
		return FG_ENOTFOUND;
	int fds[2] = { memfd_sealed("fotagate-hook-asked", writer_view(&a->facts)), -1 };
	fds[1] = memfd_sealed("fotagate-hook", program);
	int err = fds[0] < 0 ? fds[0] : fds[1] < 0 ? fds[1] : chan_send(chan, MSG_HOOK, &m, fds, 2);
	for (unsigned i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	return err;
}

/* NULL and *ret, or why it is no answer. */
static const char *
take(const struct jobs_end *end, struct hook_answer *ret, char why[HOOKS_WHY_MAX])
{
	const struct msg_hooked *m = &end->reply.hooked;
	const char *colon = m->said[0] ? ": " : "", *said = m->said;
	char bad[HOOK_WHY_MAX] = "";
	struct view text;
	if (end->end != REPORT_END_REPLIED) {
		snprintf(why, HOOKS_WHY_MAX, "%s", end->detail);
	} else if (m->outcome == MSG_HOOK_OVERLONG) {
		snprintf(why, HOOKS_WHY_MAX, "it wrote more than %u bytes%s%s", HOOK_ANSWER_MAX, colon, said);
	} else if (m->outcome != MSG_HOOK_ENDED) {
		snprintf(why, HOOKS_WHY_MAX, "it was not run");
	} else if (m->status < 0) {
		snprintf(why, HOOKS_WHY_MAX, "signal %d%s%s%s", -m->status,
		    m->status == -SIGSYS ? ", a system call its jail forbids" : "", colon, said);
	} else if (m->status > 0) {
		snprintf(why, HOOKS_WHY_MAX, "exit status %d%s%s", m->status, colon, said);
	} else if (!m->have_answer || memfd_map(end->fd, HOOK_ANSWER_MAX, &text)) {
		snprintf(why, HOOKS_WHY_MAX, "it wrote nothing%s%s", colon, said);
	} else {
		int err = hook_answer_read(text, ret, bad);
		memfd_unmap(text);
		if (!err)
			return NULL;
		snprintf(why, HOOKS_WHY_MAX, "what it wrote is no answer: %s", bad[0] ? bad : err_name(err));
	}
	return why;
}

static void
on_ended(void *ctx, struct jobs_end *end)
{
	struct hooks_ask *a = ctx;
	struct hooks *h = a->all;
	struct hook_answer answer;
	char what[HOOKS_WHY_MAX], said[HOOKS_WHY_MAX + 64];
	const char *why = take(end, &answer, what);
	void (*done)(void *, const char *) = a->done;
	void *to = a->ctx;
	a->job = 0;
	if (!why) {
		int err = keep(a, &answer);
		if (err == FG_ESTATE)
			snprintf(what, sizeof what, "what it was asked about changed meanwhile");
		else if (err)
			snprintf(what, sizeof what, "its answer could not be kept: %s", err_name(err));
		why = err ? what : NULL;
	}
	if (why && h->failures < 32)
		h->failures++;
	else if (!why)
		h->failures = 0;
	if (why)
		snprintf(said, sizeof said, "the decision hook gave no answer: %.380s", why);
	drop(a);
	done(to, why ? said : NULL);
}

static const struct jobs_ops ops = { on_ask, NULL, on_ended };

int
hooks_ask(struct hooks *h, const struct db_candidate *cand, const struct report *r, const struct policy *p,
    void (*done)(void *ctx, const char *why), void *ctx, struct hooks_ask **ret)
{
	struct control *c = h->c;
	struct hooks_ask *a = hooks_program(c) ? calloc(1, sizeof *a) : NULL;
	if (!a)
		return FG_ENOMEM;
	*a = (struct hooks_ask){ .all = h, .candidate = cand->id, .done = done, .ctx = ctx };
	memcpy(a->report, cand->report, sizeof a->report);
	memcpy(a->program, hooks_program(c), sizeof a->program);
	writer_init(&a->facts, HOOK_FACTS_MAX);
	LIST_INSERT_HEAD(&h->asks, a, link);
	int err = tell(a, cand, r, p);
	if (!err)
		err = jobs_start(c->jobs, MSG_JOB_HOOK, (uint32_t)policies_config(c->policies)->hook.seconds * 1000u, &ops, a,
		    &a->job);
	if (err)
		drop(a);
	else
		*ret = a;
	return err;
}

/* ---- what is released ---- */

static void
on_reviewed(void *ctx, const char *why)
{
	struct hooks *h = ctx;
	if (why) {
		h->review_at = control_now(h->c) + hooks_wait(h);
		oplog(OPLOG_WARNING, "what is released stays as it was: %s", why);
		return;
	}
	standing_review(h->c);
	hooks_tick(h);
}

/* False: it needs no question, or none can be asked now. */
static bool
ask_about(struct hooks *h, const struct tables_release *t)
{
	struct control *c = h->c;
	const struct approval_terms *terms = &t->record->terms;
	const struct policy *p = policies_find(c->policies, terms->profile);
	struct db_candidate *cand = p && memcmp(p->digest, terms->policy, sizeof p->digest) ? calloc(1, sizeof *cand) : NULL;
	struct report *r = NULL;
	struct hook_said *said = cand ? calloc(1, sizeof *said) : NULL;
	bool asked = false;
	uint64_t number;
	if (said && db_candidate_review_parse(view_str(terms->review), &number) &&
	    db_candidate_get(c->db, number, cand) == FG_OK && cand->have_report) {
		hooks_said(c, cand, said);
		asked = said->state == HOOK_UNANSWERED && decisions_report(c, cand->report, &r) == FG_OK &&
		    hooks_ask(h, cand, r, p, on_reviewed, h, &h->review) == FG_OK;
	}
	report_free(r);
	free(said);
	free(cand);
	return asked;
}

void
hooks_tick(struct hooks *h)
{
	size_t n;
	if (h->review || !hooks_program(h->c) || control_now(h->c) < h->review_at)
		return;
	const struct tables_release *list = releases_all(h->c->releases, &n);
	for (size_t i = 0; i < n && !h->review; i++)
		(void)ask_about(h, &list[i]);
}
