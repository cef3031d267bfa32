/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate token: secrets that machines call the console's API with. */
#include <stdio.h>

#include "gateway/cmd/cli_call.h"
#include "gateway/cmd/cli_print.h"
#include "gateway/cmd/cli_verb.h"
#include "gateway/cmd/cli_verbs.h"

static int
list(int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "id", "id", 0 }, { "name", "name", 0 }, { "account", "account", 0 }, { "scopes", "scopes", 0 },
		{ "state", "state", 0 }, { "made", "made", 0 }, { "by", "by", 0 }, { "last used", "last", 0 },
		{ "expires", "expires", 0 },
	};
	return cli_verb_list(argc, argv, &(struct cli_verb_list){ .request = "token.list", .rows = "tokens",
	    .usage = "token list [--json]", .columns = columns, .n = sizeof columns / sizeof columns[0],
	    .empty = "There is no token." });
}

static void
show_one(const struct json_value *root)
{
	static const struct cli_label fields[] = {
		{ "token", "token" }, { "id", "id" }, { "name", "name" }, { "account", "account" }, { "scopes", "scopes" },
		{ "state", "state" }, { "expires", "expires" },
	};
	cli_print_fields(stdout, json_get(root, "token"), fields, sizeof fields / sizeof fields[0]);
}

static int
create(int argc, char **argv)
{
	struct cli_args a;
	struct cli_opt_list scopes = { 0 };
	const char *account = NULL;
	int64_t days = -1;
	const struct cli_opt opts[] = {
		{ "account", CLI_OPT_TEXT, &account, 0, 0, 0 },
		{ "scope", CLI_OPT_LIST, &scopes, 0, 0, 0 },
		{ "days", CLI_OPT_NUMBER, &days, 1, 400, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	struct cli_request r;
	struct cli_reply reply;
	bool shown;
	int status = cli_opt_parse(argc, argv, opts, "token create NAME --account ACCOUNT --scope view|operate|audit ... "
	    "[--days N] [--json]", 1, 1, &a);
	if (status)
		return cli_opt_end(status);
	if (!account || !scopes.n)
		return cli_opt_fail(&a.common, CLI_USAGE, "USAGE", "--account whose it is, --scope what it may",
		    "a token has an account and a scope");
	cli_call_begin(&r);
	cli_call_text(&r, "account", account);
	cli_call_number(&r, "days", days);
	cli_call_text(&r, "name", a.at[0]);
	cli_call_list(&r, "scopes", &scopes);
	status = cli_call_once(&a.common, "token.create", &r, NULL, 0, &reply, &shown);
	if (shown) {
		show_one(json_root(reply.doc));
		fputs("\nIt is not shown again.\n", stdout);
	}
	cli_reply_free(&reply);
	return status;
}

static int
revoke(int argc, char **argv)
{
	return cli_verb_one(argc, argv, &(struct cli_verb_one){ .request = "token.revoke",
	    .usage = "token revoke ID --reason TEXT [--json]", .key = "token", .reason = true, .show = show_one });
}

int
cli_token(int argc, char **argv)
{
	static const struct cli_sub subs[] = {
		{ "create", create, "one more, shown once" },
		{ "list", list, "which there are and were, and when they were used" },
		{ "revoke", revoke, "end one at once" },
	};
	return cli_opt_sub("token", subs, sizeof subs / sizeof subs[0], argc, argv);
}
