/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate breakglass: what one person alone may release, and looking at it afterwards. */
#include <stdio.h>

#include "crypto/approval_glass.h"
#include "gateway/cmd/cli_call.h"
#include "gateway/cmd/cli_print.h"
#include "gateway/cmd/cli_statement.h"
#include "gateway/cmd/cli_verb.h"
#include "gateway/cmd/cli_verbs.h"

static int
show(int argc, char **argv)
{
	static const struct cli_label fields[] = {
		{ "allowed", "allowed" }, { "modules", "max_devices" }, { "veto delay", "delay" }, { "not now", "why_not" },
	};
	static const struct cli_label owed[] = {
		{ "to look at", "release" }, { "image", "image" }, { "signatures", "have" }, { "needed", "need" },
	};
	struct cli_args a;
	struct cli_request r;
	struct cli_reply reply;
	bool shown;
	int status = cli_opt_parse(argc, argv, NULL, "breakglass show [--json]", 0, 0, &a);
	if (status)
		return cli_opt_end(status);
	cli_call_begin(&r);
	status = cli_call_once(&a.common, "breakglass.show", &r, NULL, 0, &reply, &shown);
	if (shown) {
		const struct json_value *root = json_root(reply.doc);
		cli_print_fields(stdout, root, fields, sizeof fields / sizeof fields[0]);
		if (json_type(json_get(root, "owed")) == JSON_OBJECT)
			cli_print_fields(stdout, json_get(root, "owed"), owed, sizeof owed / sizeof owed[0]);
	}
	cli_reply_free(&reply);
	return status;
}

static int
statement(int argc, char **argv)
{
	struct cli_args a;
	struct cli_statement_asked asked = { .max_devices = -1, .days = -1 };
	const char *outcome = NULL;
	const struct cli_opt opts[] = {
		{ "approver", CLI_OPT_TEXT, &asked.approver, 0, 0, 0 },
		{ "outcome", CLI_OPT_TEXT, &outcome, 0, 0, 0 },
		{ "reason", CLI_OPT_TEXT, &asked.reason, 0, 0, 0 },
		{ "output", CLI_OPT_TEXT, &asked.out, 0, 0, 'o' },
		{ "sign", CLI_OPT_TEXT, &asked.sign, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	struct cli_request r;
	int status = cli_opt_parse(argc, argv, opts,
	    "breakglass statement --outcome justified|unjustified --reason TEXT [--approver PRINCIPAL] [-o FILE]\n"
	    "       [--sign KEYFILE] [--json]", 0, 0, &a);
	if (status)
		return cli_opt_end(status);
	if (cli_verb_reason(&a.common, asked.reason))
		return CLI_USAGE;
	asked.outcome = outcome ? approval_outcome_parse(view_str(outcome)) : APPROVAL_OUTCOME_NONE;
	if (!asked.outcome)
		return cli_opt_fail(&a.common, CLI_USAGE, "USAGE", "Say what you came to: --outcome justified or unjustified.",
		    "an after-review has an outcome");
	cli_call_begin(&r);
	cli_call_text(&r, "approver", asked.approver);
	cli_call_text(&r, "outcome", outcome);
	cli_call_text(&r, "reason", asked.reason);
	return cli_statement_of(&a.common, "breakglass.statement", &r, &asked, "breakglass.submit");
}

static int
submit(int argc, char **argv)
{
	struct cli_args a;
	int status = cli_opt_parse(argc, argv, NULL, "breakglass submit STATEMENT SIGNATURE [--json]", 2, 2, &a);
	if (status)
		return cli_opt_end(status);
	return cli_statement_submit(&a.common, a.at[0], a.at[1], NULL, APPROVAL_AFTERREVIEW, "breakglass.submit");
}

int
cli_breakglass(int argc, char **argv)
{
	static const struct cli_sub subs[] = {
		{ "show", show, "what one person alone may release, and whether that has to be looked at first" },
		{ "statement", statement, "the after-review of such a release, to sign" },
		{ "submit", submit, "hand it in, signed" },
	};
	return cli_opt_sub("breakglass", subs, sizeof subs / sizeof subs[0], argc, argv);
}
