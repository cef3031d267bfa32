/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate rollout: how far releases have come over their rings, and stopping them. */
#include <stdio.h>
#include <string.h>

#include "gateway/cmd/cli_call.h"
#include "gateway/cmd/cli_print.h"
#include "gateway/cmd/cli_verb.h"
#include "gateway/cmd/cli_verbs.h"

static int
list(int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "release", "id", 0 }, { "review", "review", 0 }, { "state", "state", 0 }, { "plan", "plan", 0 },
		{ "ring", "ring", 0 }, { "since", "since", 0 }, { "#granted", "granted", 0 }, { "#success", "success", 0 },
		{ "#failure", "failure", 0 }, { "#silent", "silent", 0 },
	};
	return cli_verb_list(argc, argv, &(struct cli_verb_list){ .request = "rollout.list", .rows = "rollouts",
	    .usage = "rollout list [--csv] [--json]", .columns = columns, .n = sizeof columns / sizeof columns[0],
	    .empty = "No release has a plan: what is released is offered to all at once." });
}

static void
show_rollout(const struct json_value *root)
{
	static const struct cli_label fields[] = {
		{ "release", "id" }, { "review", "review" }, { "plan", "plan" }, { "state", "state" }, { "ring", "ring" },
		{ "open since", "since" }, { "next", "next" }, { "reason", "reason" }, { "by", "by" },
	};
	static const struct cli_column columns[] = {
		{ "ring", "name", 0 }, { "open", "open", 0 }, { "#granted", "granted", 0 }, { "#success", "success", 0 },
		{ "#failure", "failure", 0 }, { "#silent", "silent", 0 },
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

int
cli_rollout(int argc, char **argv)
{
	static const struct cli_sub subs[] = {
		{ "list", list, "how far each release is on its way over the rings" },
		{ "show", show, "one of them, ring by ring" },
		{ "pause", pause_it, "offer it to nobody more; one person is enough" },
		{ "abort", abort_it, "end it and its release, so that people can sign anew" },
	};
	return cli_opt_sub("rollout", subs, sizeof subs / sizeof subs[0], argc, argv);
}
