/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate rollout: how far releases have come over their rings, stopping them, and what people sign for them to go on. */
#include <stdio.h>
#include <string.h>

#include "gateway/cmd/cli_call.h"
#include "gateway/cmd/cli_print.h"
#include "gateway/cmd/cli_statement.h"
#include "gateway/cmd/cli_verb.h"
#include "gateway/cmd/cli_verbs.h"

static int
list(int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "release", "id", 0 }, { "review", "review", 0 }, { "state", "state", 0 }, { "plan", "plan", 0 },
		{ "ring", "ring", 0 }, { "since", "since", 0 }, { "#granted", "granted", 0 }, { "#success", "success", 0 },
		{ "#failure", "failure", 0 }, { "#silent", "silent", 0 }, { "#bytes", "bytes", 0 },
	};
	return cli_verb_list(argc, argv, &(struct cli_verb_list){ .request = "rollout.list", .rows = "rollouts",
	    .usage = "rollout list [--after ID] [--limit N] [--csv] [--json]",
	    .page = CLI_PAGE_TEXT, .columns = columns, .n = sizeof columns / sizeof columns[0],
	    .empty = "No release has a plan: what is released is offered to all at once." });
}

static void
show_rollout(const struct json_value *root)
{
	static const struct cli_label fields[] = {
		{ "release", "id" }, { "review", "review" }, { "plan", "plan" }, { "state", "state" }, { "ring", "ring" },
		{ "open since", "since" }, { "bytes sent", "bytes" }, { "next", "next" }, { "reason", "reason" }, { "by", "by" },
	};
	static const struct cli_column columns[] = {
		{ "ring", "name", 0 }, { "open", "open", 0 }, { "held", "held", 0 }, { "people", "human", 0 },
		{ "#granted", "granted", 0 }, { "#success", "success", 0 }, { "#failure", "failure", 0 },
		{ "#silent", "silent", 0 }, { "#signed over", "over_failure", 0 }, { "#watched", "watched", 0 },
	};
	cli_print_fields(stdout, root, fields, sizeof fields / sizeof fields[0]);
	cli_print_rows(stdout, json_get(root, "rings"), columns, sizeof columns / sizeof columns[0], NULL);
}

static void
show_aborted(const struct json_value *root)
{
	static const struct cli_label fields[] = {
		{ "aborted", "releases" }, { "transfers reset", "reset" }, { "granted to", "granted" }, { "served to", "served" },
	};
	cli_print_fields(stdout, root, fields, sizeof fields / sizeof fields[0]);
	cli_print_line(stdout, "", "fotagate review reopen opens its review again; people sign anew.");
}

/* A release has digits, a review is R-12. */
static const char *
key_of(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strncmp(argv[i], "R-", 2) == 0 && strcmp(argv[i - 1], "--reason") != 0)
			return "review";
	return "release";
}

static int
show(int argc, char **argv)
{
	return cli_verb_one(argc, argv, &(struct cli_verb_one){ .request = "rollout.show", .key = key_of(argc, argv),
	    .show = show_rollout, .usage = "rollout show RELEASE|R-n [--json]" });
}

static int
pause_it(int argc, char **argv)
{
	return cli_verb_one(argc, argv, &(struct cli_verb_one){ .request = "rollout.pause", .key = key_of(argc, argv),
	    .show = show_rollout, .reason = true, .usage = "rollout pause RELEASE|R-n --reason TEXT [--json]" });
}

static int
abort_it(int argc, char **argv)
{
	return cli_verb_one(argc, argv, &(struct cli_verb_one){ .request = "rollout.abort", .key = key_of(argc, argv),
	    .show = show_aborted, .reason = true, .usage = "rollout abort RELEASE|R-n --reason TEXT [--json]" });
}

static int
hold(int argc, char **argv)
{
	struct cli_args a;
	const char *reason = NULL;
	const struct cli_opt opts[] = { { "reason", CLI_OPT_TEXT, &reason, 0, 0, 0 }, { "", CLI_OPT_END, NULL, 0, 0, 0 } };
	struct cli_request r;
	struct cli_reply reply;
	bool shown;
	int status = cli_opt_parse(argc, argv, opts, "rollout hold RELEASE|R-n RING --reason TEXT [--json]", 2, 2, &a);
	if (status)
		return cli_opt_end(status);
	if (cli_verb_reason(&a.common, reason))
		return CLI_USAGE;
	bool review = strncmp(a.at[0], "R-", 2) == 0;
	cli_call_begin(&r);
	cli_call_text(&r, "reason", reason);
	cli_call_text(&r, "release", review ? NULL : a.at[0]);
	cli_call_text(&r, "review", review ? a.at[0] : NULL);
	cli_call_text(&r, "ring", a.at[1]);
	status = cli_call_once(&a.common, "rollout.hold", &r, NULL, 0, &reply, &shown);
	if (shown)
		show_rollout(json_root(reply.doc));
	cli_reply_free(&reply);
	return status;
}

/* ---- going on: a statement to sign ---- */

static int
statement(int argc, char **argv, enum approval_step step, const char *usage)
{
	struct cli_args a;
	bool opens = step == APPROVAL_STEP_OPEN;
	struct cli_statement_asked asked = { .max_devices = -1, .days = -1 };
	const struct cli_opt opts[] = {
		{ "approver", CLI_OPT_TEXT, &asked.approver, 0, 0, 0 },
		{ "reason", CLI_OPT_TEXT, &asked.reason, 0, 0, 0 },
		{ "output", CLI_OPT_TEXT, &asked.out, 0, 0, 'o' },
		{ "sign", CLI_OPT_TEXT, &asked.sign, 0, 0, 0 },
		{ opens ? "" : "ring", opens ? CLI_OPT_END : CLI_OPT_TEXT, &asked.ring, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	struct cli_request r;
	int status = cli_opt_parse(argc, argv, opts, usage, 1, 1, &a);
	if (status)
		return cli_opt_end(status);
	if (cli_verb_reason(&a.common, asked.reason))
		return CLI_USAGE;
	asked.step = asked.ring ? APPROVAL_STEP_UNHOLD : step;
	bool review = strncmp(a.at[0], "R-", 2) == 0;
	asked.release = review ? NULL : a.at[0];
	cli_call_begin(&r);
	cli_call_text(&r, "approver", asked.approver);
	cli_call_text(&r, "reason", asked.reason);
	cli_call_text(&r, "release", asked.release);
	cli_call_text(&r, "review", review ? a.at[0] : NULL);
	cli_call_text(&r, "ring", asked.ring);
	cli_call_text(&r, "step", approval_step_name(asked.step));
	return cli_statement_of(&a.common, "rollout.statement", &r, &asked, "rollout.submit");
}

static int
resume_it(int argc, char **argv)
{
	return statement(argc, argv, APPROVAL_STEP_RESUME, "rollout resume RELEASE|R-n [--ring RING] --reason TEXT "
	    "[--approver PRINCIPAL] [-o FILE] [--sign KEYFILE] [--json]");
}

static int
open_it(int argc, char **argv)
{
	return statement(argc, argv, APPROVAL_STEP_OPEN, "rollout open RELEASE|R-n --reason TEXT [--approver PRINCIPAL] "
	    "[-o FILE] [--sign KEYFILE] [--json]");
}

static int
submit(int argc, char **argv)
{
	struct cli_args a;
	int status = cli_opt_parse(argc, argv, NULL, "rollout submit STATEMENT SIGNATURE [--json]", 2, 2, &a);
	if (status)
		return cli_opt_end(status);
	return cli_statement_submit(&a.common, a.at[0], a.at[1], NULL, APPROVAL_CONTINUE, "rollout.submit");
}

int
cli_rollout(int argc, char **argv)
{
	static const struct cli_sub subs[] = {
		{ "list", list, "how far each release is on its way over the rings" },
		{ "show", show, "one of them, ring by ring" },
		{ "pause", pause_it, "offer it to nobody more; one person is enough" },
		{ "hold", hold, "offer it to nobody in one ring; one person is enough" },
		{ "abort", abort_it, "end it and its release, so that people can sign anew" },
		{ "resume", resume_it, "the statement by which it goes on after a pause, or in a ring that was held, to sign" },
		{ "open", open_it, "the statement by which people open the ring that waits for them, to sign" },
		{ "submit", submit, "hand such a statement in, signed" },
	};
	return cli_opt_sub("rollout", subs, sizeof subs / sizeof subs[0], argc, argv);
}
