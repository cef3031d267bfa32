/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate release and revoke: what is let through, and how it ends. */
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
		{ "release", "id", 0 }, { "state", "state", 0 }, { "review", "review", 0 }, { "profile", "profile", 0 },
		{ "product", "product", 0 }, { "version", "target", 0 }, { "#granted", "granted", 0 }, { "#served", "served", 0 },
		{ "#limit", "max_devices", 0 }, { "until", "not_after", 0 }, { "signed by", "signed_by", 0 },
	};
	return cli_verb_list(argc, argv, &(struct cli_verb_list){ .request = "release.list", .rows = "releases",
	    .usage = "release list [--after RELEASE] [--limit N] [--csv] [--json]",
	    .page = CLI_PAGE_TEXT, .columns = columns, .n = sizeof columns / sizeof columns[0],
	    .empty = "Nothing is released: no module gets anything." });
}

static void
show_revoked(const struct json_value *root)
{
	static const struct cli_label fields[] = {
		{ "revoked", "releases" }, { "transfers reset", "reset" }, { "granted to", "granted" }, { "served to", "served" },
		{ "instead", "instead" },
	};
	bool warden = false;
	json_bool(json_get(root, "warden"), &warden);
	cli_print_fields(stdout, root, fields, sizeof fields / sizeof fields[0]);
	if (!warden)
		cli_print_line(stdout, "warden", "away: it is told as soon as it is back; edges serve it no more already");
}

/* A release has digits, a review is R-12. */
static int
revoke(int argc, char **argv, const char *usage)
{
	struct cli_args a;
	const char *reason = NULL;
	const struct cli_opt opts[] = {
		{ "reason", CLI_OPT_TEXT, &reason, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	struct cli_request r;
	struct cli_reply reply;
	bool shown;
	int status = cli_opt_parse(argc, argv, opts, usage, 1, 1, &a);
	if (status)
		return cli_opt_end(status);
	if (cli_verb_reason(&a.common, reason))
		return CLI_USAGE;
	const char *key = strncmp(a.at[0], "R-", 2) == 0 ? "review" : "release";
	cli_call_begin(&r);
	cli_call_text(&r, "reason", reason);
	cli_call_text(&r, key, a.at[0]);
	status = cli_call_once(&a.common, "release.revoke", &r, NULL, 0, &reply, &shown);
	if (shown)
		show_revoked(json_root(reply.doc));
	cli_reply_free(&reply);
	return status;
}

static int
release_revoke(int argc, char **argv)
{
	return revoke(argc, argv, "release revoke RELEASE|R-n --reason TEXT [--json]");
}

int
cli_revoke(int argc, char **argv)
{
	return revoke(argc, argv, "revoke RELEASE|R-n --reason TEXT [--json]");
}

int
cli_release(int argc, char **argv)
{
	static const struct cli_sub subs[] = {
		{ "list", list, "what is let through, to whom, until when" },
		{ "revoke", release_revoke, "end it at once; one person is enough" },
	};
	return cli_opt_sub("release", subs, sizeof subs / sizeof subs[0], argc, argv);
}
