/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate standing: statements under which the gateway releases by itself. */
#include <stdio.h>

#include "crypto/approval_standing.h"
#include "gateway/cmd/cli_call.h"
#include "gateway/cmd/cli_print.h"
#include "gateway/cmd/cli_statement.h"
#include "gateway/cmd/cli_verb.h"
#include "gateway/cmd/cli_verbs.h"

static int
list(int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "standing", "id", 0 }, { "state", "state", 0 }, { "profile", "profile", 0 }, { "product", "product", 0 },
		{ "#modules", "max_devices", 0 }, { "#releases", "max_releases", 0 }, { "#in force", "in_force", 0 },
		{ "#signed", "have", 0 }, { "#needed", "need", 0 }, { "until", "until", 0 }, { "reason", "reason", 0 },
	};
	return cli_verb_list(argc, argv, &(struct cli_verb_list){ .request = "standing.list", .rows = "standing",
	    .usage = "standing list [--json]", .columns = columns, .n = sizeof columns / sizeof columns[0],
	    .empty = "Nothing is released without people." });
}

static void
show_one(const struct json_value *root)
{
	static const struct cli_label fields[] = {
		{ "standing", "id" }, { "state", "state" }, { "profile", "profile" }, { "product", "product" },
		{ "modules", "max_devices" }, { "releases", "max_releases" }, { "deltas", "deltas" }, { "signatures", "have" },
		{ "needed", "need" }, { "until", "until" },
	};
	cli_print_fields(stdout, json_get(root, "standing"), fields, sizeof fields / sizeof fields[0]);
}

static int
propose(int argc, char **argv)
{
	struct cli_args a;
	const char *reason = NULL, *profile = NULL, *product = NULL, *deltas = NULL;
	struct cli_opt_list findings = { 0 }, from = { 0 }, groups = { 0 }, signers = { 0 };
	int64_t days = -1, devices = -1, releases = -1;
	const struct cli_opt opts[] = {
		{ "profile", CLI_OPT_TEXT, &profile, 0, 0, 0 },
		{ "product", CLI_OPT_TEXT, &product, 0, 0, 0 },
		{ "finding", CLI_OPT_LIST, &findings, 0, 0, 0 },
		{ "deltas", CLI_OPT_TEXT, &deltas, 0, 0, 0 },
		{ "from", CLI_OPT_LIST, &from, 0, 0, 0 },
		{ "group", CLI_OPT_LIST, &groups, 0, 0, 0 },
		{ "signer", CLI_OPT_LIST, &signers, 0, 0, 0 },
		{ "max-devices", CLI_OPT_NUMBER, &devices, 1, UINT32_MAX, 0 },
		{ "max-releases", CLI_OPT_NUMBER, &releases, 1, APPROVAL_STANDING_RELEASES_MAX, 0 },
		{ "days", CLI_OPT_NUMBER, &days, 1, APPROVAL_DAYS_MAX, 0 },
		{ "reason", CLI_OPT_TEXT, &reason, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	struct cli_request r;
	struct cli_reply reply;
	bool shown;
	int status = cli_opt_parse(argc, argv, opts,
	    "standing propose --profile NAME --product NAME --max-devices N --max-releases N --days N --reason TEXT\n"
	    "       [--finding ID ...] [--deltas none|proved|reconstructed] [--from VERSION ...] [--group NAME ...]\n"
	    "       [--signer SHA256 ...] [--json]",
	    0, 0, &a);
	if (status)
		return cli_opt_end(status);
	if (cli_verb_reason(&a.common, reason))
		return CLI_USAGE;
	if (!profile || !product || days < 0 || devices < 0 || releases < 0)
		return cli_opt_fail(&a.common, CLI_USAGE, "USAGE",
		    "Say for what with --profile and --product, and how much with --max-devices, --max-releases and --days.",
		    "a standing statement has bounds");
	cli_call_begin(&r);
	cli_call_number(&r, "days", days);
	cli_call_text(&r, "deltas", deltas);
	cli_call_list(&r, "findings", &findings);
	cli_call_list(&r, "from", &from);
	cli_call_list(&r, "groups", &groups);
	cli_call_number(&r, "max_devices", devices);
	cli_call_number(&r, "max_releases", releases);
	cli_call_text(&r, "product", product);
	cli_call_text(&r, "profile", profile);
	cli_call_text(&r, "reason", reason);
	cli_call_list(&r, "signers", &signers);
	status = cli_call_once(&a.common, "standing.propose", &r, NULL, 0, &reply, &shown);
	if (shown)
		show_one(json_root(reply.doc));
	cli_reply_free(&reply);
	return status;
}

static int
statement(int argc, char **argv)
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
	    "standing statement STANDING --reason TEXT [--approver NAME] [-o FILE] [--sign KEYFILE] [--json]", 1, 1, &a);
	if (status)
		return cli_opt_end(status);
	if (cli_verb_reason(&a.common, asked.reason))
		return CLI_USAGE;
	asked.standing = a.at[0];
	cli_call_begin(&r);
	cli_call_text(&r, "approver", asked.approver);
	cli_call_text(&r, "reason", asked.reason);
	cli_call_text(&r, "standing", a.at[0]);
	return cli_statement_of(&a.common, "standing.statement", &r, &asked, "standing.submit");
}

static int
submit(int argc, char **argv)
{
	struct cli_args a;
	int status = cli_opt_parse(argc, argv, NULL, "standing submit STANDING STATEMENT SIGNATURE [--json]", 3, 3, &a);
	if (status)
		return cli_opt_end(status);
	return cli_statement_submit(&a.common, a.at[1], a.at[2], a.at[0], APPROVAL_STANDING, "standing.submit");
}

static int
revoke_one(int argc, char **argv)
{
	return cli_verb_one(argc, argv, &(struct cli_verb_one){ .request = "standing.revoke",
	    .usage = "standing revoke STANDING --reason TEXT [--json]", .key = "standing", .reason = true, .show = show_one });
}

int
cli_standing(int argc, char **argv)
{
	static const struct cli_sub subs[] = {
		{ "list", list, "under which statements the gateway releases by itself, within which bounds" },
		{ "propose", propose, "propose one; it permits nothing before enough people have signed" },
		{ "statement", statement, "write the statement to sign" },
		{ "submit", submit, "hand in a signed statement" },
		{ "revoke", revoke_one, "end one at once; one person is enough" },
	};
	return cli_opt_sub("standing", subs, sizeof subs / sizeof subs[0], argc, argv);
}
