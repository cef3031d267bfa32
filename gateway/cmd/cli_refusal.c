/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate refusal: what nobody needs to look at again. */
#include <stdio.h>

#include "gateway/cmd/cli_call.h"
#include "gateway/cmd/cli_print.h"
#include "gateway/cmd/cli_verb.h"
#include "gateway/cmd/cli_verbs.h"

static int
list(int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "refusal", "id", 0 }, { "kind", "kind", 0 }, { "value", "value", 0 }, { "by", "by", 0 }, { "at", "at", 0 },
		{ "until", "until", 0 }, { "over", "over", 0 }, { "reason", "reason", 0 },
	};
	return cli_verb_list(argc, argv, &(struct cli_verb_list){ .request = "refusal.list", .rows = "refusals",
	    .usage = "refusal list [--csv] [--json]", .columns = columns, .n = sizeof columns / sizeof columns[0],
	    .empty = "Nothing is refused beforehand." });
}

static void
show_one(const struct json_value *root)
{
	static const struct cli_label fields[] = {
		{ "refusal", "id" }, { "kind", "kind" }, { "value", "value" }, { "until", "until" },
	};
	cli_print_fields(stdout, json_get(root, "refusal"), fields, sizeof fields / sizeof fields[0]);
}

static int
add(int argc, char **argv)
{
	struct cli_args a;
	const char *reason = NULL;
	int64_t days = -1;
	const struct cli_opt opts[] = {
		{ "reason", CLI_OPT_TEXT, &reason, 0, 0, 0 },
		{ "days", CLI_OPT_NUMBER, &days, 1, 3650, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	struct cli_request r;
	struct cli_reply reply;
	bool shown;
	int status = cli_opt_parse(argc, argv, opts,
	    "refusal add digest|version|signer|pattern VALUE --reason TEXT [--days N] [--json]", 2, 2, &a);
	if (status)
		return cli_opt_end(status);
	if (cli_verb_reason(&a.common, reason))
		return CLI_USAGE;
	cli_call_begin(&r);
	cli_call_number(&r, "days", days);
	cli_call_text(&r, "kind", a.at[0]);
	cli_call_text(&r, "reason", reason);
	cli_call_text(&r, "value", a.at[1]);
	status = cli_call_once(&a.common, "refusal.add", &r, NULL, 0, &reply, &shown);
	if (shown)
		show_one(json_root(reply.doc));
	cli_reply_free(&reply);
	return status;
}

static int
lift(int argc, char **argv)
{
	return cli_verb_one(argc, argv, &(struct cli_verb_one){ .request = "refusal.lift",
	    .usage = "refusal lift REFUSAL --reason TEXT [--json]", .key = "refusal", .reason = true, .show = show_one });
}

int
cli_refusal(int argc, char **argv)
{
	static const struct cli_sub subs[] = {
		{ "list", list, "what is refused before anybody looks at it, by whom and why" },
		{ "add", add, "refuse bytes, a version, a signer or a pattern of names; one person is enough" },
		{ "lift", lift, "end a refusal; what it kept away still needs its review" },
	};
	return cli_opt_sub("refusal", subs, sizeof subs / sizeof subs[0], argc, argv);
}
