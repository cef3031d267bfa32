/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate session and console: who is signed in, and how the first one gets in. */
#include <stdio.h>

#include "gateway/cmd/cli_call.h"
#include "gateway/cmd/cli_print.h"
#include "gateway/cmd/cli_verb.h"
#include "gateway/cmd/cli_verbs.h"

static int
list(int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "session", "id", 0 }, { "account", "account", 0 }, { "from", "peer", 0 }, { "by", "by", 0 },
		{ "since", "made", 0 }, { "heard of", "last", 0 }, { "until", "until", 0 },
	};
	return cli_verb_list(argc, argv, &(struct cli_verb_list){ .request = "session.list", .rows = "sessions",
	    .usage = "session list [--json]", .columns = columns, .n = sizeof columns / sizeof columns[0],
	    .empty = "Nobody is signed in." });
}

static void
show_ended(const struct json_value *root)
{
	cli_print_field(stdout, "ended", json_get(root, "ended"));
}

static int
end(int argc, char **argv)
{
	return cli_verb_one(argc, argv, &(struct cli_verb_one){ .request = "session.end",
	    .usage = "session end SESSION [--json]", .key = "session", .show = show_ended });
}

int
cli_session(int argc, char **argv)
{
	static const struct cli_sub subs[] = {
		{ "list", list, "who is signed in, from where" },
		{ "end", end, "end one at once" },
	};
	return cli_opt_sub("session", subs, sizeof subs / sizeof subs[0], argc, argv);
}

static int
setup_code(int argc, char **argv)
{
	struct cli_args a;
	struct cli_reply reply;
	bool shown;
	int status = cli_opt_parse(argc, argv, NULL, "console setup-code [--json]", 0, 0, &a);
	if (status)
		return cli_opt_end(status);
	status = cli_call_once(&a.common, "setup.code", NULL, NULL, 0, &reply, &shown);
	if (shown) {
		cli_print_field(stdout, "code", json_get(json_root(reply.doc), "code"));
		cli_print_field(stdout, "until", json_get(json_root(reply.doc), "until"));
	}
	cli_reply_free(&reply);
	return status;
}

int
cli_console(int argc, char **argv)
{
	static const struct cli_sub subs[] = {
		{ "setup-code", setup_code, "a code with which the console's first administrator is made, once, within the hour" },
	};
	return cli_opt_sub("console", subs, sizeof subs / sizeof subs[0], argc, argv);
}
