/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate waiver: findings that somebody answers for. */
#include <stdio.h>

#include "gateway/cmd/cli_call.h"
#include "gateway/cmd/cli_print.h"
#include "gateway/cmd/cli_verb.h"
#include "gateway/cmd/cli_verbs.h"
#include "policy/waiver.h"

static int
list(int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "waiver", "id", 0 }, { "finding", "finding", 0 }, { "part", "part", 0 }, { "profile", "profile", 0 },
		{ "product", "product", 0 }, { "image", "image", 12 }, { "owner", "owner", 0 }, { "until", "until", 0 },
		{ "over", "over", 0 }, { "reason", "reason", 0 },
	};
	return cli_verb_list(argc, argv, &(struct cli_verb_list){ .request = "waiver.list", .rows = "waivers",
	    .usage = "waiver list [--json]", .columns = columns, .n = sizeof columns / sizeof columns[0],
	    .empty = "No finding is waived." });
}

static void
show_one(const struct json_value *root)
{
	static const struct cli_label fields[] = {
		{ "waiver", "id" }, { "finding", "finding" }, { "part", "part" }, { "profile", "profile" },
		{ "product", "product" }, { "owner", "owner" }, { "until", "until" },
	};
	cli_print_fields(stdout, json_get(root, "waiver"), fields, sizeof fields / sizeof fields[0]);
}

static int
add(int argc, char **argv)
{
	struct cli_args a;
	const char *reason = NULL, *profile = NULL, *product = NULL, *image = NULL, *part = NULL;
	int64_t days = -1;
	const struct cli_opt opts[] = {
		{ "profile", CLI_OPT_TEXT, &profile, 0, 0, 0 },
		{ "product", CLI_OPT_TEXT, &product, 0, 0, 0 },
		{ "image", CLI_OPT_TEXT, &image, 0, 0, 0 },
		{ "part", CLI_OPT_TEXT, &part, 0, 0, 0 },
		{ "reason", CLI_OPT_TEXT, &reason, 0, 0, 0 },
		{ "days", CLI_OPT_NUMBER, &days, 1, WAIVER_DAYS_MAX, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	struct cli_request r;
	struct cli_reply reply;
	bool shown;
	int status = cli_opt_parse(argc, argv, opts,
	    "waiver add FINDING --profile NAME --reason TEXT --days N [--product NAME] [--image SHA256] [--part TEXT] [--json]", 1,
	    1, &a);
	if (status)
		return cli_opt_end(status);
	if (cli_verb_reason(&a.common, reason))
		return CLI_USAGE;
	if (!profile || days < 0)
		return cli_opt_fail(&a.common, CLI_USAGE, "USAGE", "Say of which updates with --profile, and how long with --days.",
		    "a waiver is for the updates of one profile, and ends");
	cli_call_begin(&r);
	cli_call_number(&r, "days", days);
	cli_call_text(&r, "finding", a.at[0]);
	cli_call_text(&r, "image", image);
	cli_call_text(&r, "part", part);
	cli_call_text(&r, "product", product);
	cli_call_text(&r, "profile", profile);
	cli_call_text(&r, "reason", reason);
	status = cli_call_once(&a.common, "waiver.add", &r, NULL, 0, &reply, &shown);
	if (shown)
		show_one(json_root(reply.doc));
	cli_reply_free(&reply);
	return status;
}

static int
lift(int argc, char **argv)
{
	return cli_verb_one(argc, argv, &(struct cli_verb_one){ .request = "waiver.lift",
	    .usage = "waiver lift WAIVER --reason TEXT [--json]", .key = "waiver", .reason = true, .show = show_one });
}

int
cli_waiver(int argc, char **argv)
{
	static const struct cli_sub subs[] = {
		{ "list", list, "which findings somebody answers for, until when and why" },
		{ "add", add, "answer for a finding; it stands in what people sign, and permits nothing by itself" },
		{ "lift", lift, "end a waiver at once; one person is enough" },
	};
	return cli_opt_sub("waiver", subs, sizeof subs / sizeof subs[0], argc, argv);
}
