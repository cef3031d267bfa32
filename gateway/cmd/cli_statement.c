/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_statement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "crypto/approval_glass.h"
#include "crypto/approval_standing.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/stamp.h"
#include "gateway/cmd/cli_file.h"
#include "gateway/cmd/cli_keygen.h"
#include "gateway/cmd/cli_place.h"
#include "gateway/cmd/cli_print.h"
#include "gateway/wire/memfd.h"
#include "images/format.h"
#include "images/report.h"
#include "images/report_terms.h"

#define DAY 86400

struct taking {
	const struct cli_common *c;
	struct cli_call *call;
	const struct cli_statement_asked *asked;
	const char *review;
	struct approval *approval;
	struct view text;   /* of the statement */
	struct report *report; /* NULL for a resume */
};

static int
wrong(const struct taking *t, const char *what)
{
	return cli_opt_fail(t->c, CLI_REFUSED, "STATEMENT",
	    "Do not sign. Look at the review again; if this stays, the gateway may not be what it was: ask its administrators.",
	    "the statement that the gateway proposes %s", what);
}

/* ---- is it what was asked for? ---- */

static const char *
differs_from_report(const struct taking *t)
{
	const struct report *r = t->report;
	const struct approval_terms *terms = &t->approval->terms;
	if (!r->have_image || memcmp(r->sha256, terms->image, sizeof terms->image))
		return "is about another image than the report";
	if (r->inputs.have_profile && strcmp(r->inputs.profile, terms->profile))
		return "names another profile than the report";
	struct approval_delta delta = { .made = APPROVAL_MADE_WHOLE };
	report_terms_delta(r, &delta);
	const struct approval_delta *said = &terms->delta;
	if (delta.made != said->made || strcmp(delta.applier, said->applier) != 0 ||
	    memcmp(delta.base, said->base, sizeof delta.base) || memcmp(delta.target, said->target, sizeof delta.target))
		return "says something else of the delta than the report";
	for (unsigned i = 0; i < FINDING_LIMIT; i++)
		if (r->findings[i].count && r->findings[i].severity >= FINDING_NOTICE &&
		    !approval_list_has(&terms->findings, finding_get(i)->id))
			return "leaves out a finding of the report";
	for (uint32_t i = 0; i < terms->findings.n; i++) {
		enum finding_id id = finding_find(view_str(terms->findings.word[i]));
		if (id == FINDING_LIMIT || !r->findings[id].count)
			return "acknowledges a finding that is not in the report";
	}
	return NULL;
}

static bool
same_list(const struct cli_opt_list *asked, const struct approval_list *have)
{
	for (unsigned i = 0; i < asked->n; i++)
		if (!approval_list_has(have, asked->at[i]))
			return false;
	for (uint32_t k = 0; k < have->n; k++) {
		unsigned i = 0;
		while (i < asked->n && strcmp(asked->at[i], have->word[k]) != 0)
			i++;
		if (i == asked->n)
			return false;
	}
	return true;
}

static enum approval_decision
wanted(const struct taking *t)
{
	if (t->review)
		return t->asked->glass ? APPROVAL_BREAKGLASS : APPROVAL_APPROVE;
	if (t->asked->outcome)
		return APPROVAL_AFTERREVIEW;
	if (t->asked->standing)
		return APPROVAL_STANDING;
	return t->asked->step ? APPROVAL_CONTINUE : APPROVAL_RESUME;
}

static const char *
differs_from_step(const struct taking *t)
{
	const struct cli_statement_asked *a = t->asked;
	const struct approval_terms *terms = &t->approval->terms;
	char id[2 * sizeof terms->release + 1];
	hex_encode(terms->release, sizeof terms->release, id);
	if (terms->step != a->step)
		return "takes another step than you did";
	if (a->release && strcmp(a->release, id) != 0)
		return "is about another release";
	if (a->ring && strcmp(a->ring, terms->ring) != 0)
		return "is about another ring";
	return NULL;
}

static const char *
differs_from_asked(const struct taking *t)
{
	const struct cli_statement_asked *a = t->asked;
	const struct approval_terms *terms = &t->approval->terms;
	if (strcmp(a->reason, t->approval->reason) != 0)
		return "gives another reason";
	if (a->approver && strcmp(a->approver, t->approval->approver) != 0)
		return "names another person";
	if (a->standing && strcmp(a->standing, terms->review) != 0)
		return "is about another standing statement";
	if (a->outcome && a->outcome != terms->outcome)
		return "comes to another outcome than you did";
	if (!t->review)
		return a->step ? differs_from_step(t) : NULL;
	if (strcmp(t->review, terms->review) != 0)
		return "is about another review";
	if (a->groups.n && !same_list(&a->groups, &terms->groups))
		return "names other groups than you did";
	if (a->from.n && !same_list(&a->from, &terms->from_versions))
		return "names other from-versions than you did";
	if (!same_list(&a->ticks, &terms->checklist))
		return "says that other things were done than you ticked";
	if (a->max_devices > 0 && terms->max_devices != (uint64_t)a->max_devices)
		return "allows another number of modules than you did";
	if (a->days > 0 && !a->glass && terms->not_after - terms->not_before > a->days * DAY)
		return "lasts longer than you said";
	if (a->glass && terms->not_after - t->approval->time > APPROVAL_GLASS_MAX)
		return "lasts longer than 24 hours";
	return NULL;
}

static int
check(const struct taking *t)
{
	const struct approval *a = t->approval;
	int64_t now = (int64_t)time(NULL);
	const char *bad = a->terms.decision != wanted(t) ? "decides something else" : differs_from_asked(t);
	if (!bad && t->review)
		bad = differs_from_report(t);
	if (!bad && t->asked->glass && report_verdict(t->report) == REPORT_BLOCKED)
		bad = "is break-glass over a finding that blocks";
	if (!bad && (a->time > now + APPROVAL_SKEW || a->time < now - APPROVAL_SKEW))
		bad = "is dated more than five minutes from this machine's clock";
	return bad ? wrong(t, bad) : 0;
}

static int
read_report(struct taking *t, struct view text)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	struct report_refusal why = { .text = "" };
	t->report = report_new(REPORT_WHOLE);
	int err = t->report ? report_digest(text, digest) : FG_ENOMEM;
	if (!err && memcmp(digest, t->approval->terms.report, sizeof digest))
		return wrong(t, "names another report than the one it showed");
	if (!err)
		err = report_parse(text, REPORT_WHOLE, t->report, &why);
	if (err == FG_EFORMAT)
		return wrong(t, "rests on something that is no report");
	return err ? cli_opt_fail(t->c, CLI_COULD_NOT, "LOCAL", NULL, "report: %s", err_name(err)) : 0;
}

/* ---- telling it ---- */

static void
tell_list(const char *label, const struct approval_list *l, const char *all, const char *none)
{
	struct writer w;
	writer_init(&w, 65536);
	for (uint32_t i = 0; i < l->n; i++)
		writer_textf(&w, "%s%s", i ? ", " : "", l->word[i]);
	bool every = l->n == 1 && strcmp(l->word[0], "*") == 0;
	cli_print_line(stderr, label, "%.*s", every ? (int)strlen(all) : w.n ? (int)w.n : (int)strlen(none),
	    every ? all : w.n ? (const char *)w.p : none);
	writer_free(&w);
}

static void
tell_time(const char *label, int64_t t)
{
	char text[STAMP_CAP];
	cli_print_line(stderr, label, "%s", stamp_format(t, text) ? "?" : text);
}

static void
tell_digest(const char *label, const uint8_t digest[DIGEST_SHA256_LEN])
{
	char hex[DIGEST_HEX_LEN + 1];
	hex_encode(digest, DIGEST_SHA256_LEN, hex);
	cli_print_line(stderr, label, "%s", hex);
}

static void
tell_approval(const struct taking *t)
{
	const struct approval_terms *m = &t->approval->terms;
	cli_print_line(stderr, "You permit", "%s version %s (profile %s) to be given to modules, %s.", m->product, m->target,
	    m->profile, m->review);
	tell_digest("image", m->image);
	cli_print_line(stderr, "", "%llu bytes, %s", (unsigned long long)t->report->size, format_name(t->report->format));
	if (m->delta.made)
		cli_print_line(stderr, "a delta", "%s", approval_made_text(m->delta.made));
	if (m->delta.applier[0]) {
		cli_print_line(stderr, "", "applied by %s", m->delta.applier);
		tell_digest("to the base", m->delta.base);
		tell_digest("it makes", m->delta.target);
	}
	cli_print_line(stderr, "report", "says %s", report_verdict_name(report_verdict(t->report)));
	tell_digest("", m->report);
	tell_digest("policy", m->policy);
	tell_list("you accept", &m->findings, "*", "no finding: there is none to accept");
	if (m->checklist.n)
		tell_list("you have done", &m->checklist, "*", "nothing");
	if (m->waived.n)
		tell_list("waived", &m->waived, "*", "nothing");
	tell_list("for versions", &m->from_versions, "every older one", "none");
	tell_list("for groups", &m->groups, "all", "none");
	cli_print_line(stderr, "at most", "%u module%s", m->max_devices, m->max_devices == 1 ? "" : "s");
	if (m->quorum && !m->delay)
		cli_print_line(stderr, "signed by", "at least %u person%s", m->quorum, m->quorum == 1 ? "" : "s");
	if (m->have_plan)
		tell_digest("in the order", m->plan);
	if (m->delay)
		cli_print_line(stderr, "BREAK-GLASS", "by you alone, %u s after its release, in which anybody may stop it;"
		    " others have to look at it afterwards", m->delay);
	else
		tell_time("from", m->not_before);
	tell_time("until", m->not_after);
}

/* Everything that will be asked of a release that nobody signs for. */
static void
tell_standing(const struct taking *t)
{
	const struct approval_terms *m = &t->approval->terms;
	cli_print_line(stderr, "You permit", "this gateway to release versions of %s (profile %s) BY ITSELF, under %s.", m->product,
	    m->profile, m->review);
	tell_digest("policy", m->policy);
	tell_list("findings", &m->findings, "*", "no finding: an image must have none");
	cli_print_line(stderr, "deltas", "%s", approval_standing_deltas(m->bounds.worst));
	tell_list("for versions", &m->from_versions, "every older one", "none");
	tell_list("for groups", &m->groups, "all", "none");
	tell_digest("as defined", m->bounds.definitions);
	cli_print_line(stderr, "at most", "%u release%s, each for %u module%s", m->bounds.max_releases,
	    m->bounds.max_releases == 1 ? "" : "s", m->max_devices, m->max_devices == 1 ? "" : "s");
	if (m->quorum)
		cli_print_line(stderr, "signed by", "at least %u person%s", m->quorum, m->quorum == 1 ? "" : "s");
	if (m->have_plan)
		tell_digest("in the order", m->plan);
	tell_time("from", m->not_before);
	tell_time("until", m->not_after);
}

static void
tell_continue(const struct approval_terms *m)
{
	char line[APPROVAL_WORD_MAX + 96], id[2 * sizeof m->release + 1];
	hex_encode(m->release, sizeof m->release, id);
	if (m->step == APPROVAL_STEP_RESUME)
		snprintf(line, sizeof line, "a rollout to go on as it was when it was paused, up to ring %s.", m->ring);
	else if (m->step == APPROVAL_STEP_UNHOLD)
		snprintf(line, sizeof line, "ring %s of a rollout, which was held, to go on.", m->ring);
	else
		snprintf(line, sizeof line, "ring %s of a rollout to be opened.", m->ring);
	cli_print_line(stderr, "You permit", "%s", line);
	cli_print_line(stderr, "of release", "%s, for at most %u module%s", id, m->max_devices, m->max_devices == 1 ? "" : "s");
	tell_time("as it stands since", m->halted_at);
	tell_digest("by the plan", m->plan);
	if (m->step == APPROVAL_STEP_RESUME)
		tell_list("over", &m->over, "*", "nothing: no module failed or went silent");
}

static void
tell(const struct taking *t)
{
	const struct approval *a = t->approval;
	if (t->review) {
		tell_approval(t);
	} else if (t->asked->outcome) {
		char id[2 * sizeof a->terms.release + 1];
		hex_encode(a->terms.release, sizeof a->terms.release, id);
		cli_print_line(stderr, "You have looked", "at what one person alone released: it was %s.",
		    approval_outcome_name(a->terms.outcome));
		cli_print_line(stderr, "release", "%s", id);
	} else if (t->asked->step) {
		tell_continue(&a->terms);
	} else if (t->asked->standing) {
		tell_standing(t);
	} else {
		char since[STAMP_CAP];
		cli_print_line(stderr, "You permit", "this gateway to go on with what was approved.");
		cli_print_line(stderr, "ends", "the halt, or the hold of its clock, that began at %s",
		    stamp_format(a->terms.halted_at, since) ? "?" : since);
	}
	cli_print_line(stderr, "gateway", "%s", a->terms.gateway);
	cli_print_line(stderr, "as", "%s", a->approver);
	cli_print_line(stderr, "because", "%s", a->reason);
	cli_print_line(stderr, "log seen", "%llu entries", (unsigned long long)a->log_size);
	fputc('\n', stderr);
}

/* ---- writing, signing, handing in ---- */

bool
cli_statement_name(const char *name)
{
	return name[0] && name[0] != '.' && name[0] != '-' &&
	    name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@+-")] == '\0';
}

static int
write_file(const struct taking *t, const char *proposed, char path[CLI_OPT_PATH_MAX])
{
	struct cli_place p = { 0 };
	if (!t->asked->out && !cli_statement_name(proposed))
		return wrong(t, "comes with a name no file should have");
	if (snprintf(path, CLI_OPT_PATH_MAX, "%s", t->asked->out ? t->asked->out : proposed) >= CLI_OPT_PATH_MAX)
		return CLI_USAGE;
	int status = cli_place_file(t->c, &p, path, 0644, t->text);
	cli_place_end(&p);
	return status;
}

/* Descriptors 0 and 1 of the request: statement and armoured signature. */
int
cli_statement_hand_in(const struct cli_common *c, struct cli_call *call, const char *request, struct view statement,
    struct view signature)
{
	struct cli_reply reply = { .file = -1 };
	int fds[2] = { memfd_sealed("statement", statement), memfd_sealed("signature", signature) };
	int status = fds[0] < 0 || fds[1] < 0 ? cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", NULL, "no memory") :
	    cli_call_do(call, request, NULL, fds, 2, &reply);
	if (!status) {
		const struct json_value *root = json_root(reply.doc);
		status = (int)reply.status;
		if (json_get(root, "error") && !c->json) {
			cli_call_refused(c, &reply);
		} else if (c->json) {
			cli_print_json(stdout, reply.text);
		} else {
			cli_print_field(stdout, "result", json_get(root, "text"));
			cli_print_field(stdout, "state", json_get(root, "state"));
			cli_print_field(stdout, "signatures", json_get(root, "have"));
			cli_print_field(stdout, "needed", json_get(root, "need"));
			cli_print_field(stdout, "of the new set", json_get(root, "have_new"));
			cli_print_field(stdout, "needed of it", json_get(root, "need_new"));
			if (json_type(json_get(root, "release")) == JSON_STRING)
				cli_print_field(stdout, "release", json_get(root, "release"));
		}
	}
	for (unsigned i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	cli_reply_free(&reply);
	return status;
}

static int
sign(const struct taking *t, const char *request)
{
	struct writer armour;
	writer_init(&armour, SSHSIG_ARMOR_MAX);
	int err = cli_keygen_sign(t->asked->sign, APPROVAL_NAMESPACE, t->text, false, &armour), status;
	if (err)
		status = cli_opt_fail(t->c, CLI_COULD_NOT, "LOCAL", "ssh-keygen says above why; nothing was handed in.",
		    "%s: could not sign", t->asked->sign);
	else
		status = cli_statement_hand_in(t->c, t->call, request, t->text, writer_view(&armour));
	writer_free(&armour);
	return status;
}

static void
say_next(const struct taking *t, const struct cli_reply *proposal, const char *path)
{
	const char *about = t->review ? t->review : t->asked->standing ? t->asked->standing : "";
	const char *noun = t->review ? "review submit " : t->asked->standing ? "standing submit " :
	    t->asked->outcome ? "breakglass submit" : t->asked->step ? "rollout submit" : "resume submit";
	if (t->c->json)
		cli_print_json(stdout, proposal->text);
	else
		printf("Written to %s. Sign it with your own key, and hand both in:\n\n"
		       "  ssh-keygen -Y sign -n " APPROVAL_NAMESPACE " -f KEY %s\n  fotagate %s%s %s %s.sig\n", path, path, noun,
		    about, path, path);
}

static int
finish(const struct taking *t, const struct cli_reply *proposal, const char *submit)
{
	char name[256] = "", path[CLI_OPT_PATH_MAX] = "";
	json_cstr(json_get(json_root(proposal->doc), "name"), name, sizeof name);
	int status = t->asked->sign && !t->asked->out ? 0 : write_file(t, name, path);
	if (status)
		return status;
	if (t->asked->sign)
		return sign(t, submit);
	say_next(t, proposal, path);
	return CLI_DONE;
}

int
cli_statement_take(const struct cli_common *c, struct cli_call *call, const struct cli_reply *proposal,
    const char *review, struct view report, const struct cli_statement_asked *asked, const char *submit)
{
	struct taking t = { .c = c, .call = call, .asked = asked, .review = review };
	char why[256] = "";
	t.approval = calloc(1, sizeof *t.approval);
	if (!t.approval)
		return cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", NULL, "no memory");
	int status = 0;
	if (!json_string(json_get(json_root(proposal->doc), "statement"), &t.text) ||
	    approval_parse(t.text, t.approval, why, sizeof why))
		status = wrong(&t, "is not one in the form that people sign");
	if (!status && review)
		status = read_report(&t, report);
	if (!status)
		status = check(&t);
	if (!status) {
		tell(&t);
		status = finish(&t, proposal, submit);
	}
	report_free(t.report);
	free(t.approval);
	return status;
}

int
cli_statement_of(const struct cli_common *c, const char *request, struct cli_request *r,
    const struct cli_statement_asked *asked, const char *submit)
{
	struct cli_call *call = NULL;
	struct cli_reply reply = { .file = -1 };
	int status = cli_call_open(c, &call);
	if (!status)
		status = cli_call_do(call, request, r, NULL, 0, &reply);
	if (!status && reply.status != CLI_DONE)
		status = cli_call_refused(c, &reply);
	else if (!status)
		status = cli_statement_take(c, call, &reply, NULL, view_of(NULL, 0), asked, submit);
	cli_reply_free(&reply);
	cli_call_close(call);
	return status;
}

/* ---- submit ---- */

/* What it is about, for whoever handed in another one. */
static const char *
noun_of(const struct approval_terms *t)
{
	if (t->decision == APPROVAL_APPROVE || t->decision == APPROVAL_STANDING || t->decision == APPROVAL_BREAKGLASS)
		return t->review;
	if (t->decision == APPROVAL_AFTERREVIEW)
		return "an after-review";
	return t->decision == APPROVAL_RESUME ? "a halt" : "a rollout";
}

static int
right_statement(const struct cli_common *c, const char *path, struct view text, const char *review,
    enum approval_decision decision)
{
	struct approval *a = calloc(1, sizeof *a);
	char why[256] = "";
	int status = 0;
	int err = a ? approval_parse(text, a, why, sizeof why) : FG_ENOMEM;
	if (err)
		status = cli_opt_fail(c, err == FG_ENOMEM ? CLI_COULD_NOT : CLI_REFUSED, "STATEMENT",
		    "Sign and submit the file exactly as fotagate review statement wrote it.", "%s: no statement: %s", path,
		    why[0] ? why : err_name(err));
	else if ((a->terms.decision != decision && (decision != APPROVAL_APPROVE || a->terms.decision != APPROVAL_BREAKGLASS)) ||
	    (review && strcmp(review, a->terms.review) != 0))
		status = cli_opt_fail(c, CLI_USAGE, "STATEMENT", NULL, "%s: is about %s", path, noun_of(&a->terms));
	free(a);
	return status;
}

int
cli_statement_submit(const struct cli_common *c, const char *statement, const char *signature, const char *review,
    enum approval_decision decision, const char *submit)
{
	uint8_t *text = NULL, *armour = NULL;
	size_t text_n = 0, armour_n = 0;
	struct cli_call *call = NULL;
	int status = 0;
	int err = cli_file_read(NULL, statement, APPROVAL_BYTES_MAX, &text, &text_n);
	const char *which = statement;
	if (!err) {
		which = signature;
		err = cli_file_read(NULL, signature, SSHSIG_ARMOR_MAX, &armour, &armour_n);
	}
	if (err)
		status = cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", NULL, "%s: %s", which, err_why(err));
	if (!status)
		status = right_statement(c, statement, view_of(text, text_n), review, decision);
	if (!status)
		status = cli_call_open(c, &call);
	if (!status)
		status = cli_statement_hand_in(c, call, submit, view_of(text, text_n), view_of(armour, armour_n));
	cli_call_close(call);
	free(text);
	free(armour);
	return status;
}
