/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate release and revoke: what is let through, and how it ends. */
#include <stdio.h>
#include <string.h>

#include "gateway/cmd/cli_call.h"
#include "gateway/cmd/cli_print.h"
#include "gateway/cmd/cli_verbs.h"

static int
list(int argc, char **argv)
{
	static const char *const heads[] = { "release", "state", "review", "profile", "product", "version", "#granted", "#served",
		"#limit", "until", "signed by", NULL };
	static const char *const keys[] = { "id", "state", "review", "profile", "product", "target", "granted", "served",
		"max_devices", "not_after", "signed_by" };
	struct cli_args a;
	struct cli_reply reply;
	bool shown;
	int status = cli_opt_parse(argc, argv, NULL, "release list [--json]", 0, 0, &a);
	if (status)
		return cli_opt_end(status);
	status = cli_call_once(&a.common, "release.list", NULL, NULL, 0, &reply, &shown);
	if (shown) {
		const struct json_value *all = json_get(json_root(reply.doc), "releases");
		struct cli_table t;
		cli_table_init(&t, heads);
		for (size_t i = 0; i < json_count(all); i++)
			for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
				cli_table_value(&t, json_get(json_at(all, i), keys[k]));
		cli_table_print(&t, stdout, "Nothing is released: no module gets anything.");
	}
	cli_reply_free(&reply);
	return status;
}

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
	if (!reason)
		return cli_opt_fail(&a.common, CLI_USAGE, "USAGE", "Say with --reason why; it stays in the log.",
		    "a reason is missing");
	const char *key = strncmp(a.at[0], "R-", 2) == 0 ? "review" : "release";
	cli_call_begin(&r);
	cli_call_text(&r, "reason", reason);
	cli_call_text(&r, key, a.at[0]);
	status = cli_call_once(&a.common, "release.revoke", &r, NULL, 0, &reply, &shown);
	if (shown) {
		const struct json_value *root = json_root(reply.doc);
		bool warden = false;
		json_bool(json_get(root, "warden"), &warden);
		cli_print_field(stdout, "revoked", json_get(root, "releases"));
		cli_print_field(stdout, "transfers reset", json_get(root, "reset"));
		cli_print_field(stdout, "granted to", json_get(root, "granted"));
		cli_print_field(stdout, "served to", json_get(root, "served"));
		if (!warden)
			cli_print_line(stdout, "warden", "away: it is told as soon as it is back; edges serve it no more already");
	}
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
