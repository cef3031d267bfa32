/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fotagate replay: every decision that the log has of a review, made again from
 * the report and the policy that it names, and held against what was logged; and
 * which of them each release of the review rests on.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/jsonf.h"
#include "crypto/release.h"
#include "crypto/stamp.h"
#include "gateway/cmd/cli_policy.h"
#include "gateway/cmd/cli_print.h"
#include "gateway/cmd/cli_proved.h"
#include "gateway/cmd/cli_update.h"
#include "gateway/cmd/cli_verbs.h"
#include "gateway/view/record.h"
#include "policy/policy_text.h"
#include "policy/rests.h"

#define RETRIES 10
#define DECISIONS_MAX 100 /* of one review: one for each policy that judged it; of releases likewise */
#define DIGEST "sha256:" /* before the digits, in a reference */
#define HEX_CAP (2 * DIGEST_SHA256_LEN + 1)

/* What no entry has: replayed with what is known now, which is said each time. */
static const char *const unlogged[] = {
	"product, versions and time of arrival: as they are stored now",
	"of a delta, whether its full image is held (full_held) and no other was given (only_one): as it is now",
	"refusals that were in force then: none",
	"the clock was believed: nothing is judged otherwise",
};

struct decision { /* one image.analysed */
	uint64_t index;
	int64_t at;
	char report[HEX_CAP], policy[HEX_CAP], hook[HEX_CAP]; /* "" : none was asked */
	unsigned attested; /* persons, of a trial */
	struct cli_verdict logged;
};

struct let { /* one release.issued */
	uint64_t index;
	int64_t at;
	uint8_t id[RELEASE_ID];
	bool glass, standing;
	char by[SIGNERS_PRINCIPAL_MAX]; /* the first who signed */
	const struct rests_decision *on; /* NULL: none */
};

struct replaying {
	const struct cli_common *common;
	struct cli_call *call;
	const char *review;
	struct merkle *m;
	struct decision *list;
	struct rests_decision *rests; /* of the same places in list */
	unsigned n, more;
	struct let *let;
	unsigned let_n, let_more;
	struct cli_update *update;
	struct writer doc; /* with --json */
	struct jsonw j;
	unsigned drifted;
};

/* ---- the log ---- */

/* "" when it is not there, or too long; of a digest the digits alone. */
static void
ref_text(const struct entry *e, const char *key, char *dst, size_t cap)
{
	const struct entry_ref *r = entry_ref_get(e, key);
	struct view t = r && !r->is_number ? r->text : view_of(NULL, 0);
	if (t.n > strlen(DIGEST) && memcmp(t.p, DIGEST, strlen(DIGEST)) == 0)
		t = view_of(t.p + strlen(DIGEST), t.n - strlen(DIGEST));
	if (t.n > 0 && t.n < cap)
		memcpy(dst, t.p, t.n);
	dst[t.n < cap ? t.n : 0] = '\0';
}

/* Whatever it rests on was logged before, and so is in the list already. */
static int
on_release(struct replaying *r, uint64_t index, const struct entry *e)
{
	char why[128];
	struct release *made = calloc(1, sizeof *made);
	int err = made ? release_parse(e->doc, made, why, sizeof why) : FG_ENOMEM;
	if (!err && strcmp(made->terms.review, r->review) == 0) {
		r->let_more += r->let_n == DECISIONS_MAX;
		if (r->let_n < DECISIONS_MAX) {
			struct let *l = &r->let[r->let_n++];
			*l = (struct let){ .index = index, .at = e->t_us / 1000000, .glass = made->glass != 0,
				.standing = made->by_standing, .on = rests_on(r->rests, r->n, index, made) };
			snprintf(l->by, sizeof l->by, "%s", made->statement[0].approver);
			err = release_id(e->doc, l->id);
		}
	}
	free(made);
	return err == FG_ENOMEM || err == FG_ECRYPTO ? err : FG_OK; /* what is no record is fotagate-verify's to tell */
}

static void
note_rests(struct replaying *r, const struct decision *d)
{
	struct rests_decision *on = &r->rests[r->n - 1];
	on->index = d->index;
	on->named = hex_decode(view_str(d->report), on->report, sizeof on->report) &&
	    hex_decode(view_str(d->policy), on->policy, sizeof on->policy);
	snprintf(on->decision, sizeof on->decision, "%s", d->logged.decision);
}

static int
on_entry(void *ctx, uint64_t index, struct view line)
{
	struct replaying *r = ctx;
	struct record rec;
	if (record_read(r->m, index, line, &rec))
		return cli_opt_fail(r->common, CLI_COULD_NOT, "LOCAL", NULL, "no memory");
	if (rec.known && rec.e.ev == ENTRY_IMAGE_ANALYSED && view_is(rec.e.obj, r->review)) {
		r->more += r->n == DECISIONS_MAX;
		if (r->n < DECISIONS_MAX) {
			struct decision *d = &r->list[r->n++];
			*d = (struct decision){ .index = index, .at = rec.e.t_us / 1000000 };
			ref_text(&rec.e, "report", d->report, sizeof d->report);
			ref_text(&rec.e, "policy", d->policy, sizeof d->policy);
			ref_text(&rec.e, "hook.answer", d->hook, sizeof d->hook);
			ref_text(&rec.e, "decision", d->logged.decision, sizeof d->logged.decision);
			ref_text(&rec.e, "rule", d->logged.rule, sizeof d->logged.rule);
			const struct entry_ref *matched = entry_ref_get(&rec.e, "rules.matched");
			d->logged.matches = matched && matched->is_number ? (unsigned)matched->number : 0;
			const struct entry_ref *tried = entry_ref_get(&rec.e, "attested");
			d->attested = tried && tried->is_number ? (unsigned)tried->number : 0;
			note_rests(r, d);
		}
	}
	int err = rec.known && rec.e.ev == ENTRY_RELEASE_ISSUED ? on_release(r, index, &rec.e) : FG_OK;
	record_free(&rec);
	return err ? cli_opt_fail(r->common, CLI_COULD_NOT, "LOCAL", NULL, "%s", err_why(err)) : 0;
}

static int
read_log(struct replaying *r)
{
	const struct checkpoint nothing = { .size = 0 };
	struct cli_proved p;
	uint64_t next = 0;
	int status = cli_proved_open(&p, r->common, r->call, NULL);
	if (!status)
		status = CLI_PROVED_AGAIN;
	for (unsigned tries = 0; status == CLI_PROVED_AGAIN && tries < RETRIES; tries++) {
		struct checkpoint before = tries ? p.log.head : nothing;
		status = cli_proved_head(&p, &before);
		while (!status && next < p.log.head.size)
			status = cli_proved_some(&p, &next, on_entry, r);
	}
	if (status == CLI_PROVED_AGAIN)
		status = cli_opt_fail(r->common, CLI_COULD_NOT, "LOG", "fotagate status tells what is known about the log.",
		    "tiles of the published log are missing");
	cli_proved_close(&p);
	return status;
}

/* ---- one decision ---- */

/* Of a document: why it cannot be had. */
static void
lost(const char *what, int err, char *why, size_t cap)
{
	snprintf(why, cap, err == FG_ENOTFOUND ? "the %s is not kept any more" : err == FG_EPEER ?
	    "the %s is not what its digest says" : "the %s cannot be read", what);
}

/* What the decision hook said then, as it was kept: nothing is run. */
static int
recall_hook(struct replaying *r, const struct decision *d, const struct config *c, char *why, size_t cap)
{
	uint8_t report[DIGEST_SHA256_LEN];
	const uint8_t *program = c->hook.program[0] ? c->hook.sha256 : NULL;
	struct hook_record *kept = program && d->hook[0] ? calloc(1, sizeof *kept) : NULL;
	int err = !kept && program && d->hook[0] ? FG_ENOMEM : kept ? cli_update_hook(r->call, d->hook, kept) : FG_OK;
	if (err)
		lost("decision hook's answer", err, why, cap);
	else if (!hex_decode(view_str(d->report), report, sizeof report))
		err = FG_EFORMAT;
	else
		hook_said_of(kept, program, report, &r->update->hook);
	free(kept);
	return err;
}

/* By the report and the policy of then. why: what of it cannot be had any more. */
static int
again(struct replaying *r, const struct decision *d, struct cli_verdict *ret, char *why, size_t cap)
{
	struct report_refusal refusal;
	struct config *c = NULL;
	struct writer w;
	struct report *report = report_new(REPORT_WHOLE);
	why[0] = '\0';
	writer_init(&w, POLICY_TEXT_MAX);
	int err = report ? cli_update_document(r->call, "report", d->report, REPORT_MAX, &w) : FG_ENOMEM;
	if (err)
		lost("report", err, why, cap);
	else if (report_parse(writer_view(&w), REPORT_WHOLE, report, &refusal)) {
		snprintf(why, cap, "the report is not of a form that this version reads");
		err = FG_EFORMAT;
	}
	if (!err) {
		err = cli_update_document(r->call, "policy", d->policy, POLICY_TEXT_MAX, &w);
		if (err)
			lost("policy", err, why, cap);
	}
	if (!err && (err = policy_text_read(writer_view(&w), &c)) == FG_EFORMAT)
		snprintf(why, cap, "the policy is not of a form that this version reads");
	if (!err) {
		report_free(r->update->report);
		r->update->report = report;
		report = NULL;
		r->update->clock_sure = true;
		r->update->update.scoped = false;
		r->update->update.refused = NULL;
		r->update->update.attested = d->attested;
		err = recall_hook(r, d, c, why, cap);
	}
	if (!err)
		err = cli_update_under(r->update, c, d->at, ret);
	if (err && !why[0])
		snprintf(why, cap, "it cannot be made again: %s", err_name(err));
	writer_free(&w);
	config_free(c);
	report_free(report);
	return err;
}

static void
drift(const struct decision *d, const struct cli_verdict *is, char *out, size_t cap)
{
	size_t n = 0;
	out[0] = '\0';
	if (strcmp(d->logged.decision, is->decision) != 0)
		n += (size_t)snprintf(out + n, cap - n, "decision: logged %s, now %s; ", d->logged.decision, is->decision);
	if (strcmp(d->logged.rule, is->rule) != 0)
		n += (size_t)snprintf(out + n, cap - n, "rule: logged %s, now %s; ", d->logged.rule, is->rule);
	if (d->logged.matches != is->matches)
		n += (size_t)snprintf(out + n, cap - n, "rules that match: logged %u, now %u; ", d->logged.matches, is->matches);
	if (n >= 2)
		out[n - 2] = '\0';
}

static void
tell(struct replaying *r, const struct decision *d, const struct cli_verdict *is, const char *what, bool replayed)
{
	char when[STAMP_CAP] = "?";
	(void)!stamp_format(d->at, when);
	if (r->common->json) {
		jsonw_object(&r->j);
		jsonw_kcstr(&r->j, "at", when);
		jsonw_kcstr(&r->j, "drift", what);
		jsonw_kuint(&r->j, "index", d->index);
		jsonw_kcstr(&r->j, "logged", d->logged.decision);
		jsonw_kcstr(&r->j, "policy", d->policy);
		jsonw_kbool(&r->j, "replayed", replayed);
		jsonw_kcstr(&r->j, "report", d->report);
		jsonw_kcstr(&r->j, "rule", is->rule);
		jsonw_object_end(&r->j);
		return;
	}
	printf("entry %" PRIu64 ", %s: logged %s by rule %s, policy %.12s\n      ", d->index, when, d->logged.decision,
	    d->logged.rule, d->policy);
	if (what[0])
		printf("DRIFT ");
	cli_print_wrapped(stdout, what[0] ? what : is->says[0] ? is->says : "the same", 6);
}

static void
replay_all(struct replaying *r)
{
	for (unsigned i = 0; i < r->n; i++) {
		struct cli_verdict is = { .decision = "" };
		char what[300];
		bool replayed = again(r, &r->list[i], &is, what, sizeof what) == FG_OK;
		if (replayed)
			drift(&r->list[i], &is, what, sizeof what);
		r->drifted += what[0] != '\0';
		tell(r, &r->list[i], &is, what, replayed);
	}
}

/* ---- what was released ---- */

static void
tell_let(struct replaying *r, const struct let *l, const char *what)
{
	char when[STAMP_CAP] = "?", id[2 * RELEASE_ID + 1];
	(void)!stamp_format(l->at, when);
	hex_encode(l->id, sizeof l->id, id);
	if (r->common->json) {
		jsonw_object(&r->j);
		jsonw_kcstr(&r->j, "at", when);
		jsonw_kbool(&r->j, "breakglass", l->glass);
		jsonw_key(&r->j, "decision");
		if (l->on)
			jsonw_uint(&r->j, l->on->index);
		else
			jsonw_null(&r->j);
		jsonw_kcstr(&r->j, "drift", what);
		jsonw_kuint(&r->j, "index", l->index);
		jsonw_kcstr(&r->j, "release", id);
		jsonw_object_end(&r->j);
		return;
	}
	printf("entry %" PRIu64 ", %s: released %.8s%s%s%s%s", l->index, when, id, l->standing ? " by a standing statement" : "",
	    l->glass ? ", break-glass by " : "", l->glass ? l->by : "", what[0] ? "\n      DRIFT " : "");
	if (what[0])
		cli_print_wrapped(stdout, what, 6);
	else
		printf(", on what entry %" PRIu64 " decided\n", l->on->index);
}

/* One that rests on no decision has drifted as well: whoever signed for it was shown something else. */
static void
tell_lets(struct replaying *r)
{
	for (unsigned i = 0; i < r->let_n; i++) {
		const char *bad = rests_bad(r->let[i].on);
		tell_let(r, &r->let[i], bad ? bad : "");
	}
}

static int
finish(struct replaying *r)
{
	if (!r->n)
		return cli_opt_fail(r->common, CLI_REFUSED, "NOT-FOUND", "Only what was judged can be replayed.",
		    "the log has no decision on %s", r->review);
	if (r->more && !r->common->json)
		printf("and %u decisions more\n", r->more);
	for (unsigned i = 0; i < r->let_n; i++)
		r->drifted += rests_bad(r->let[i].on) != NULL;
	if (r->common->json) {
		jsonw_array_end(&r->j);
		jsonw_kuint(&r->j, "drifted", r->drifted);
		jsonw_key(&r->j, "releases");
		jsonw_array(&r->j);
		tell_lets(r);
		jsonw_array_end(&r->j);
		jsonw_kcstr(&r->j, "review", r->review);
		jsonw_key(&r->j, "unlogged");
		jsonw_array(&r->j);
		for (size_t i = 0; i < sizeof unlogged / sizeof unlogged[0]; i++)
			jsonw_cstr(&r->j, unlogged[i]);
		jsonw_array_end(&r->j);
		jsonw_object_end(&r->j);
		if (writer_err(&r->doc))
			return cli_opt_fail(r->common, CLI_COULD_NOT, "LOCAL", NULL, "%s", err_why(writer_err(&r->doc)));
		cli_print_json(stdout, writer_view(&r->doc));
	} else {
		tell_lets(r);
		if (r->let_more)
			printf("and %u releases more\n", r->let_more);
		printf("\n%u decision%s, %u drifted. Not in the log, and therefore taken\n", r->n, r->n == 1 ? "" : "s",
		    r->drifted);
		for (size_t i = 0; i < sizeof unlogged / sizeof unlogged[0]; i++)
			printf("      %s\n", unlogged[i]);
	}
	return r->drifted ? CLI_REFUSED : CLI_DONE;
}

static int
replay(struct replaying *r)
{
	int status = read_log(r);
	int err = status ? 0 : cli_update_open(r->call, r->common, r->review, r->update);
	if (err == FG_ESTATE)
		return cli_opt_fail(r->common, CLI_REFUSED, "STATE", NULL, "%s has no report, or its profile is not configured",
		    r->review);
	if (status || err)
		return status ? status : err == FG_ENOTFOUND ? CLI_REFUSED : CLI_COULD_NOT;
	replay_all(r);
	cli_update_free(r->update);
	return finish(r);
}

int
cli_replay(int argc, char **argv)
{
	struct cli_args a;
	int status = cli_opt_parse(argc, argv, NULL, "replay REVIEW [--json]", 1, 1, &a);
	if (status)
		return cli_opt_end(status);
	struct replaying r = { .common = &a.common, .review = a.at[0], .m = merkle_new(),
		.list = calloc(DECISIONS_MAX, sizeof *r.list), .rests = calloc(DECISIONS_MAX, sizeof *r.rests),
		.let = calloc(DECISIONS_MAX, sizeof *r.let), .update = calloc(1, sizeof *r.update) };
	writer_init(&r.doc, JSON_TEXT_MAX);
	jsonw_init(&r.j, &r.doc);
	jsonw_object(&r.j);
	jsonw_key(&r.j, "decisions");
	jsonw_array(&r.j);
	if (r.m && r.list && r.rests && r.let && r.update)
		status = cli_call_open(&a.common, &r.call);
	else
		status = cli_opt_fail(&a.common, CLI_COULD_NOT, "LOCAL", NULL, "no memory");
	if (!status)
		status = replay(&r);
	if (r.call)
		cli_call_close(r.call);
	writer_free(&r.doc);
	free(r.update);
	free(r.let);
	free(r.rests);
	free(r.list);
	merkle_free(r.m);
	return status;
}
