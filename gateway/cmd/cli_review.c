/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate review: what waits for people, what it is, and how they decide. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/cmd/cli_call.h"
#include "gateway/cmd/cli_page.h"
#include "gateway/cmd/cli_place.h"
#include "gateway/cmd/cli_print.h"
#include "gateway/cmd/cli_remark.h"
#include "gateway/cmd/cli_statement.h"
#include "gateway/cmd/cli_verb.h"
#include "gateway/cmd/cli_verbs.h"

#define PAGE 1000 /* the most control gives at once */
#define LISTING_MAX (1u << 28) /* hundreds of thousands of reviews */

/* ---- list ---- */

/* Of which severity there are how many; what is mild is in the report. */
static void
findings(struct cli_table *t, const struct json_value *v)
{
	int64_t block = 0, warning = 0;
	json_int(json_get(v, "block"), &block);
	json_int(json_get(v, "warning"), &warning);
	if (block || warning)
		cli_table_cell(t, "%lld block, %lld warning", (long long)block, (long long)warning);
	else
		cli_table_cell(t, "%s", "");
}

static void
list_row(struct cli_table *t, const struct json_value *r)
{
	int64_t have = 0, need = 0;
	json_int(json_get(r, "have"), &have);
	json_int(json_get(r, "need"), &need);
	cli_table_value(t, json_get(r, "id"));
	cli_table_value(t, json_get(r, "state"));
	cli_table_value(t, json_get(r, "verdict"));
	findings(t, json_get(r, "severities"));
	cli_table_cell(t, "%lld/%lld", (long long)have, (long long)need);
	cli_table_value(t, json_get(r, "asked"));
	cli_table_value(t, json_get(r, "profile"));
	cli_table_value(t, json_get(r, "product"));
	cli_table_value(t, json_get(r, "target"));
	cli_table_short(t, json_get(r, "image"), 12);
	cli_table_value(t, json_get(r, "opened"));
}

/* Both ways to show it at once; the one that is not wanted stays empty. */
struct listing {
	struct cli_table table;
	struct writer w;
	struct jsonw j;
};

/* Which are wanted; NULL and false: no matter. */
struct filter {
	const char *product, *profile, *state;
	bool needs_me;
};

/* One page; *next is where the following begins, 0 at the end. */
static int
page(const struct cli_common *c, struct cli_call *call, const struct filter *f, unsigned long long *next,
    struct listing *l)
{
	struct cli_request r;
	struct cli_reply reply;
	char text[32] = "";
	unsigned long long last = *next;
	cli_call_begin(&r);
	if (last)
		cli_call_number(&r, "after", (int64_t)last);
	cli_call_number(&r, "limit", PAGE);
	if (f->needs_me)
		jsonw_kbool(&r.j, "needs_me", true);
	cli_call_text(&r, "product", f->product);
	cli_call_text(&r, "profile", f->profile);
	cli_call_text(&r, "state", f->state);
	int status = cli_call_do(call, "review.list", &r, NULL, 0, &reply);
	if (status)
		return status;
	const struct json_value *root = json_root(reply.doc), *all = json_get(root, "reviews");
	if (reply.status != CLI_DONE)
		status = cli_call_refused(c, &reply);
	for (size_t i = 0; !status && i < json_count(all); i++) {
		if (c->json)
			jsonw_value(&l->j, json_at(all, i));
		else
			list_row(&l->table, json_at(all, i));
	}
	*next = 0;
	/* A page may be empty, where few are wanted; what does not go on would go on for ever. */
	if (!status && json_cstr(json_get(root, "next"), text, sizeof text) &&
	    (sscanf(text, "%llu", next) != 1 || *next <= last))
		status = cli_opt_fail(c, CLI_COULD_NOT, "PEER", NULL, "the gateway's list cannot be read");
	cli_reply_free(&reply);
	return status;
}

static int
list(int argc, char **argv)
{
	static const char *const heads[] = { "id", "state", "report", "findings", "signed", "#asked", "profile", "product",
		"version", "image", "opened", NULL };
	struct cli_args a;
	struct filter f = { 0 };
	bool csv = false;
	const struct cli_opt opts[] = {
		{ "csv", CLI_OPT_FLAG, &csv, 0, 0, 0 },
		{ "needs-me", CLI_OPT_FLAG, &f.needs_me, 0, 0, 0 },
		{ "product", CLI_OPT_TEXT, &f.product, 0, 0, 0 },
		{ "profile", CLI_OPT_TEXT, &f.profile, 0, 0, 0 },
		{ "state", CLI_OPT_TEXT, &f.state, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	struct cli_call *call = NULL;
	struct listing l;
	unsigned long long next = 0;
	int status = cli_opt_parse(argc, argv, opts,
	    "review list [--profile NAME] [--product NAME] [--state WORD] [--needs-me] [--csv] [--json]", 0, 0, &a);
	if (status)
		return cli_opt_end(status);
	if (cli_verb_form(&a.common, csv))
		return CLI_USAGE;
	cli_table_init(&l.table, heads);
	if (csv)
		cli_table_csv(&l.table);
	writer_init(&l.w, LISTING_MAX);
	jsonw_init(&l.j, &l.w);
	jsonw_object(&l.j);
	jsonw_key(&l.j, "reviews");
	jsonw_array(&l.j);
	status = cli_call_open(&a.common, &call);
	if (!status)
		do
			status = page(&a.common, call, &f, &next, &l);
		while (!status && next);
	cli_call_close(call);
	jsonw_array_end(&l.j);
	jsonw_object_end(&l.j);
	if (!status && writer_err(&l.w))
		status = cli_opt_fail(&a.common, CLI_COULD_NOT, "LOCAL", "List them by --state.",
		    "too many reviews for one answer");
	else if (!status && a.common.json)
		cli_print_json(stdout, writer_view(&l.w));
	else if (!status)
		cli_table_print(&l.table, stdout, f.needs_me || f.product || f.profile || f.state ? "No review that fits." :
		    "Nothing to review. A review begins when a module asks for something new, or with fotagate import.");
	cli_table_drop(&l.table);
	writer_free(&l.w);
	return status;
}

/* ---- show ---- */

static void
show_row(const struct json_value *r)
{
	static const struct cli_label fields[] = {
		{ "review", "id" }, { "state", "state" }, { "", "text" }, { "profile", "profile" }, { "product", "product" },
		{ "version", "target" }, { "for versions", "from" }, { "image", "image" }, { "size", "size" },
		{ "came by", "source" }, { "from", "url" }, { "asked", "asked" }, { "first by", "asked_by" },
		{ "opened", "opened" }, { "deadline", "deadline" }, { "report", "report" }, { "verdict", "verdict" },
		{ "policy", "policy" }, { "signatures", "have" }, { "needed", "need" }, { "rules", "rule" },
		{ "supersedes", "supersedes" }, { "back", "way_back" },
	};
	static const struct cli_column findings[] = {
		{ "severity", "severity", 0 }, { "#count", "count", 0 }, { "finding", "id", 0 },
	};
	static const struct cli_column rules[] = {
		{ "rule", "name", 0 }, { "decides", "decides", 0 }, { "says", "says", 0 },
	};
	static const struct cli_column statements[] = {
		{ "time", "time", 0 }, { "signed by", "approver", 0 }, { "key", "backup", 0 }, { "counts", "current", 0 },
		{ "#modules", "max_devices", 0 },
		{ "groups", "groups", 0 }, { "until", "not_after", 0 }, { "reason", "reason", 0 },
	};
	static const struct cli_column others[] = {
		{ "other image", "image", 12 }, { "review", "review", 0 }, { "state", "state", 0 }, { "first by", "asked_by", 0 },
		{ "#asked", "asked", 0 }, { "#modules", "modules", 0 }, { "freezes", "freezes", 0 },
	};
	cli_print_fields(stdout, r, fields, sizeof fields / sizeof fields[0]);
	static const struct cli_label delta[] = {
		{ "delta for base", "base" }, { "delta itself", "patch" }, { "applied by", "applier" }, { "makes", "target" },
		{ "which is", "text" }, { "its report", "target_report" },
	};
	const struct json_value *made = json_get(r, "delta");
	if (made && json_type(made) == JSON_OBJECT)
		cli_print_fields(stdout, made, delta, sizeof delta / sizeof delta[0]);
	const struct json_value *reasons = json_get(r, "reasons");
	for (size_t i = 0; i < json_count(reasons); i++)
		cli_print_field(stdout, i ? "" : "because", json_get(json_at(reasons, i), "sentence"));
	const struct json_value *todo = json_get(r, "checklist");
	for (size_t i = 0; i < json_count(todo); i++)
		cli_print_field(stdout, i ? "" : "to be done", json_at(todo, i));
	cli_print_rows(stdout, json_get(r, "other_images"), others, sizeof others / sizeof others[0], NULL);
	cli_print_rows(stdout, json_get(r, "findings"), findings, sizeof findings / sizeof findings[0], NULL);
	static const struct cli_column waivers[] = {
		{ "waived", "finding", 0 }, { "part", "part", 0 }, { "owner", "owner", 0 }, { "until", "until", 0 },
		{ "reason", "reason", 0 },
	};
	cli_print_rows(stdout, json_get(r, "waivers"), waivers, sizeof waivers / sizeof waivers[0], NULL);
	cli_print_rows(stdout, json_get(r, "rules"), rules, sizeof rules / sizeof rules[0], NULL);
	static const struct cli_column remarks[] = {
		{ "remark", "at", 0 }, { "by", "who", 0 }, { "file", "name", 0 }, { "sha256", "file", 12 }, { "text", "text", 0 },
	};
	cli_print_rows(stdout, json_get(r, "remarks"), remarks, sizeof remarks / sizeof remarks[0], NULL);
	bool glass = false;
	if (json_bool(json_get(r, "breakglass"), &glass) && glass)
		cli_print_line(stdout, "break-glass", "one person alone lets it through; see fotagate breakglass show");
	if (json_type(json_get(r, "standing")) == JSON_STRING)
		cli_print_field(stdout, "released by itself, under", json_get(r, "standing"));
	cli_print_rows(stdout, json_get(r, "statements"), statements, sizeof statements / sizeof statements[0], NULL);
}

static int
show(int argc, char **argv)
{
	struct cli_args a;
	struct cli_request r;
	struct cli_reply reply;
	bool shown;
	int status = cli_opt_parse(argc, argv, NULL, "review show REVIEW [--json]", 1, 1, &a);
	if (status)
		return cli_opt_end(status);
	cli_call_begin(&r);
	cli_call_text(&r, "review", a.at[0]);
	status = cli_call_once(&a.common, "review.show", &r, NULL, 0, &reply, &shown);
	if (shown)
		show_row(json_root(reply.doc));
	cli_reply_free(&reply);
	return status;
}

/* ---- report ---- */

/* The report's bytes with the digest that control names; 0 or an exit status after saying why. */
static int
fetch_report(const struct cli_common *c, struct cli_call *call, const char *review, struct writer *w)
{
	struct cli_request r;
	struct cli_reply reply;
	uint8_t said[DIGEST_SHA256_LEN], have[DIGEST_SHA256_LEN];
	struct view hex = { 0 };
	cli_call_begin(&r);
	cli_call_text(&r, "review", review);
	int status = cli_call_do(call, "review.report", &r, NULL, 0, &reply);
	if (status)
		return status;
	if (reply.status != CLI_DONE) {
		status = cli_call_refused(c, &reply);
	} else if (reply.file < 0 || !json_string(json_get(json_root(reply.doc), "sha256"), &hex) ||
	    !hex_decode(hex, said, sizeof said) || cli_call_slurp(reply.file, REPORT_MAX, w) ||
	    digest_sha256(writer_view(w), have) || memcmp(said, have, sizeof said)) {
		status = cli_opt_fail(c, CLI_REFUSED, "REPORT",
		    "Ask its administrators: what people sign names a report by its digest.",
		    "%s: the gateway handed out a report that is not the one it names", review);
	}
	cli_reply_free(&reply);
	return status;
}

static int
print_report(const struct cli_common *c, struct view text)
{
	struct report *r = report_new(REPORT_WHOLE);
	struct report_refusal why = { .text = "" };
	uint8_t digest[DIGEST_SHA256_LEN];
	int err = r ? report_parse(text, REPORT_WHOLE, r, &why) : FG_ENOMEM;
	if (!err)
		err = report_digest(text, digest);
	if (!err)
		cli_page_print(stdout, r, digest, false);
	report_free(r);
	return err ? cli_opt_fail(c, CLI_COULD_NOT, "REPORT", NULL, "no report: %s", why.text[0] ? why.text : err_name(err)) : 0;
}

static int
report(int argc, char **argv)
{
	struct cli_args a;
	const char *out = NULL;
	const struct cli_opt opts[] = {
		{ "output", CLI_OPT_TEXT, &out, 0, 0, 'o' },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	struct cli_call *call = NULL;
	struct cli_place place = { 0 };
	struct writer w;
	int status = cli_opt_parse(argc, argv, opts, "review report REVIEW [-o FILE] [--json]", 1, 1, &a);
	if (status)
		return cli_opt_end(status);
	writer_init(&w, REPORT_MAX);
	status = cli_call_open(&a.common, &call);
	if (!status)
		status = fetch_report(&a.common, call, a.at[0], &w);
	if (!status && out)
		status = cli_place_file(&a.common, &place, out, 0644, writer_view(&w));
	else if (!status && a.common.json)
		cli_print_json(stdout, writer_view(&w));
	else if (!status)
		status = print_report(&a.common, writer_view(&w));
	cli_place_end(&place);
	cli_call_close(call);
	writer_free(&w);
	return status;
}

/* ---- statement and submit ---- */

static int
propose(const struct cli_common *c, struct cli_call *call, const char *review, const struct cli_statement_asked *asked)
{
	struct cli_request r;
	struct cli_reply reply;
	struct writer text;
	cli_call_begin(&r);
	cli_call_text(&r, "approver", asked->approver);
	if (asked->glass)
		jsonw_kbool(&r.j, "breakglass", true);
	cli_call_number(&r, "days", asked->days);
	cli_call_list(&r, "from", &asked->from);
	cli_call_list(&r, "groups", &asked->groups);
	cli_call_number(&r, "hours", asked->hours);
	cli_call_number(&r, "max_devices", asked->max_devices);
	cli_call_text(&r, "reason", asked->reason);
	cli_call_text(&r, "review", review);
	cli_call_list(&r, "ticks", &asked->ticks);
	int status = cli_call_do(call, "review.statement", &r, NULL, 0, &reply);
	if (status)
		return status;
	writer_init(&text, REPORT_MAX);
	if (reply.status != CLI_DONE)
		status = cli_call_refused(c, &reply);
	if (!status)
		status = fetch_report(c, call, review, &text);
	if (!status)
		status = cli_statement_take(c, call, &reply, review, writer_view(&text), asked, "review.submit");
	writer_free(&text);
	cli_reply_free(&reply);
	return status;
}

static int
statement(int argc, char **argv)
{
	struct cli_args a;
	struct cli_statement_asked asked = { .max_devices = -1, .days = -1, .hours = -1 };
	const struct cli_opt opts[] = {
		{ "approver", CLI_OPT_TEXT, &asked.approver, 0, 0, 0 },
		{ "break-glass", CLI_OPT_FLAG, &asked.glass, 0, 0, 0 },
		{ "hours", CLI_OPT_NUMBER, &asked.hours, 1, APPROVAL_GLASS_MAX / 3600, 0 },
		{ "reason", CLI_OPT_TEXT, &asked.reason, 0, 0, 0 },
		{ "group", CLI_OPT_LIST, &asked.groups, 0, 0, 0 },
		{ "from", CLI_OPT_LIST, &asked.from, 0, 0, 0 },
		{ "tick", CLI_OPT_LIST, &asked.ticks, 0, 0, 0 },
		{ "max-devices", CLI_OPT_NUMBER, &asked.max_devices, 1, UINT32_MAX, 0 },
		{ "days", CLI_OPT_NUMBER, &asked.days, 1, APPROVAL_DAYS_MAX, 0 },
		{ "output", CLI_OPT_TEXT, &asked.out, 0, 0, 'o' },
		{ "sign", CLI_OPT_TEXT, &asked.sign, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	struct cli_call *call = NULL;
	int status = cli_opt_parse(argc, argv, opts,
	    "review statement REVIEW --reason TEXT [--approver PRINCIPAL] [--group NAME ...] [--from VERSION ...]\n"
	    "       [--tick ITEM ...] [--max-devices N] [--days N | --break-glass [--hours N]]\n"
	    "       [-o FILE] [--sign KEYFILE] [--json]", 1, 1, &a);
	if (status)
		return cli_opt_end(status);
	if (!asked.reason)
		return cli_opt_fail(&a.common, CLI_USAGE, "USAGE", "Say with --reason, in at least 10 characters, why it is right.",
		    "a statement needs a reason");
	status = cli_call_open(&a.common, &call);
	if (!status)
		status = propose(&a.common, call, a.at[0], &asked);
	cli_call_close(call);
	return status;
}

static int
submit(int argc, char **argv)
{
	struct cli_args a;
	int status = cli_opt_parse(argc, argv, NULL, "review submit REVIEW STATEMENT SIGNATURE [--json]", 3, 3, &a);
	if (status)
		return cli_opt_end(status);
	return cli_statement_submit(&a.common, a.at[1], a.at[2], a.at[0], APPROVAL_APPROVE, "review.submit");
}

/* ---- one review, one word ---- */

static void
show_state(const struct json_value *root)
{
	cli_print_field(stdout, "review", json_get(root, "review"));
	cli_print_field(stdout, "state", json_get(root, "state"));
}

static int
one(int argc, char **argv, const char *request, const char *usage)
{
	return cli_verb_one(argc, argv, &(struct cli_verb_one){ .request = request, .usage = usage, .key = "review",
	    .show = show_state });
}

static int
reject(int argc, char **argv)
{
	struct cli_args a;
	const char *reason = NULL, *also = NULL;
	const struct cli_opt opts[] = {
		{ "reason", CLI_OPT_TEXT, &reason, 0, 0, 0 },
		{ "also", CLI_OPT_TEXT, &also, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	struct cli_request r;
	struct cli_reply reply;
	bool shown;
	int status = cli_opt_parse(argc, argv, opts,
	    "review reject REVIEW --reason TEXT [--also digest|version|signer] [--json]", 1, 1, &a);
	if (status)
		return cli_opt_end(status);
	if (cli_verb_reason(&a.common, reason))
		return CLI_USAGE;
	cli_call_begin(&r);
	cli_call_text(&r, "also", also);
	cli_call_text(&r, "reason", reason);
	cli_call_text(&r, "review", a.at[0]);
	status = cli_call_once(&a.common, "review.reject", &r, NULL, 0, &reply, &shown);
	if (shown)
		show_state(json_root(reply.doc));
	cli_reply_free(&reply);
	return status;
}

static int
notes(int argc, char **argv)
{
	static const struct cli_label fields[] = { { "image", "image" }, { "notes", "notes" }, { "lines", "lines" } };
	struct cli_args a;
	struct cli_request r;
	struct cli_reply reply;
	bool shown;
	int status = cli_opt_parse(argc, argv, NULL, "review notes REVIEW FILE [--json]", 2, 2, &a);
	if (status)
		return cli_opt_end(status);
	int fd = cli_call_file(&a.common, a.at[1]);
	if (fd < 0)
		return CLI_COULD_NOT;
	cli_call_begin(&r);
	cli_call_text(&r, "review", a.at[0]);
	status = cli_call_once(&a.common, "notes.add", &r, &fd, 1, &reply, &shown);
	close(fd);
	if (shown)
		cli_print_fields(stdout, json_root(reply.doc), fields, sizeof fields / sizeof fields[0]);
	cli_reply_free(&reply);
	return status;
}

static int
attest(int argc, char **argv)
{
	struct cli_args a;
	const char *reason = NULL, *before = NULL, *after = NULL, *flash = NULL;
	const struct cli_opt opts[] = {
		{ "before", CLI_OPT_TEXT, &before, 0, 0, 0 },
		{ "after", CLI_OPT_TEXT, &after, 0, 0, 0 },
		{ "flash", CLI_OPT_TEXT, &flash, 0, 0, 0 },
		{ "reason", CLI_OPT_TEXT, &reason, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	static const struct cli_column columns[] = {
		{ "who", "who", 0 }, { "at", "at", 0 }, { "before", "before", 0 }, { "after", "after", 0 },
		{ "flash", "flash", 16 },
	};
	struct cli_request r;
	struct cli_reply reply;
	bool shown;
	int status = cli_opt_parse(argc, argv, opts,
	    "review attest REVIEW --before VERSION --after VERSION --reason TEXT [--flash SHA256] [--json]", 1, 1, &a);
	if (status)
		return cli_opt_end(status);
	if (!before || !after)
		return cli_opt_fail(&a.common, CLI_USAGE, "USAGE", "Say what the module reported before and after.",
		    "an attestation needs --before and --after");
	if (cli_verb_reason(&a.common, reason))
		return CLI_USAGE;
	cli_call_begin(&r);
	cli_call_text(&r, "after", after);
	cli_call_text(&r, "before", before);
	cli_call_text(&r, "flash", flash);
	cli_call_text(&r, "reason", reason);
	cli_call_text(&r, "review", a.at[0]);
	status = cli_call_once(&a.common, "review.attest", &r, NULL, 0, &reply, &shown);
	if (shown)
		cli_print_rows(stdout, json_get(json_root(reply.doc), "attested"), columns, sizeof columns / sizeof columns[0],
		    "Nothing is attested.");
	cli_reply_free(&reply);
	return status;
}

static int
reopen(int argc, char **argv)
{
	return one(argc, argv, "review.reopen", "review reopen REVIEW [--json]");
}

static int
retry(int argc, char **argv)
{
	return one(argc, argv, "fetch.retry", "fetch retry REVIEW [--json]");
}

int
cli_review(int argc, char **argv)
{
	static const struct cli_sub subs[] = {
		{ "list", list, "what waits, newest last" },
		{ "show", show, "one of them: what it is, why it stands where it stands, who signed" },
		{ "report", report, "what the inspection found" },
		{ "statement", statement, "the statement to sign (and with --sign, sign it)" },
		{ "submit", submit, "hand in a signed statement" },
		{ "attest", attest, "what a module in a laboratory did with it" },
		{ "notes", notes, "show the vendor's own words beside what was measured" },
		{ "comment", cli_remark_comment, "say something about it" },
		{ "attach", cli_remark_attach, "lay a file beside it, such as the results of a laboratory" },
		{ "attachment", cli_remark_attachment, "such a file, as it came" },
		{ "reject", reject, "refuse it; one person is enough" },
		{ "reopen", reopen, "judge again what was blocked, expired or an incident" },
	};
	return cli_opt_sub("review", subs, sizeof subs / sizeof subs[0], argc, argv);
}

int
cli_fetch(int argc, char **argv)
{
	static const struct cli_sub subs[] = {
		{ "retry", retry, "fetch again what could not be fetched" },
	};
	return cli_opt_sub("fetch", subs, sizeof subs / sizeof subs[0], argc, argv);
}

/* ---- resume: the end of a halt is decided like a release ---- */

static int
resume_statement(int argc, char **argv)
{
	struct cli_args a;
	struct cli_statement_asked asked = { .max_devices = -1, .days = -1 };
	const struct cli_opt opts[] = {
		{ "approver", CLI_OPT_TEXT, &asked.approver, 0, 0, 0 },
		{ "reason", CLI_OPT_TEXT, &asked.reason, 0, 0, 0 },
		{ "output", CLI_OPT_TEXT, &asked.out, 0, 0, 'o' },
		{ "sign", CLI_OPT_TEXT, &asked.sign, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	struct cli_request r;
	int status = cli_opt_parse(argc, argv, opts,
	    "resume statement --reason TEXT [--approver PRINCIPAL] [-o FILE] [--sign KEYFILE] [--json]", 0, 0, &a);
	if (status)
		return cli_opt_end(status);
	if (!asked.reason)
		return cli_opt_fail(&a.common, CLI_USAGE, "USAGE", "Say with --reason why it may serve again.",
		    "a reason is missing");
	cli_call_begin(&r);
	cli_call_text(&r, "approver", asked.approver);
	cli_call_text(&r, "reason", asked.reason);
	return cli_statement_of(&a.common, "resume.statement", &r, &asked, "resume.submit");
}

static int
resume_submit(int argc, char **argv)
{
	struct cli_args a;
	int status = cli_opt_parse(argc, argv, NULL, "resume submit STATEMENT SIGNATURE [--json]", 2, 2, &a);
	if (status)
		return cli_opt_end(status);
	return cli_statement_submit(&a.common, a.at[0], a.at[1], NULL, APPROVAL_RESUME, "resume.submit");
}

int
cli_resume(int argc, char **argv)
{
	static const struct cli_sub subs[] = {
		{ "statement", resume_statement, "the statement that ends a halt, to sign" },
		{ "submit", resume_submit, "hand it in, signed" },
	};
	return cli_opt_sub("resume", subs, sizeof subs / sizeof subs[0], argc, argv);
}
