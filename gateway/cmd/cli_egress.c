/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate egress: what the operator's own network saw of modules, held against releases. */
#include <stdio.h>
#include <unistd.h>

#include "gateway/cmd/cli_call.h"
#include "gateway/cmd/cli_print.h"
#include "gateway/cmd/cli_verbs.h"

static void
show_release(const struct json_value *o)
{
	const struct json_value *endpoints = json_get(o, "endpoints");
	bool baseline = false, paused = false;
	json_bool(json_get(o, "baseline"), &baseline);
	json_bool(json_get(o, "paused"), &paused);
	cli_print_field(stdout, "release", json_get(o, "id"));
	if (!baseline) {
		cli_print_line(stdout, "", "No module of the product was seen without it, so nobody knows what is new: "
		    "let the report reach back to before, or take in modules that wait for it.");
		return;
	}
	cli_print_field(stdout, "modules watched", json_get(o, "watched"));
	cli_print_field(stdout, "new endpoints", json_get(o, "new"));
	for (size_t i = 0; i < json_count(endpoints); i++) {
		fputs("  ", stdout);
		cli_print_string(stdout, json_at(endpoints, i));
		fputc('\n', stdout);
	}
	if (paused)
		cli_print_line(stdout, "", "Its rollout is paused, until people sign that it goes on.");
}

static void
show(const struct json_value *root)
{
	const struct json_value *errors = json_get(root, "errors"), *releases = json_get(root, "releases");
	bool dry = false;
	json_bool(json_get(root, "dry_run"), &dry);
	cli_print_lines(errors);
	if (json_count(errors)) {
		cli_print_line(stdout, "", "Nothing of it was taken: mend these lines.");
		return;
	}
	if (dry)
		cli_print_line(stdout, "", "Nothing was changed; this is what it says.");
	cli_print_field(stdout, "lines", json_get(root, "lines"));
	cli_print_field(stdout, "of unknown modules", json_get(root, "unknown"));
	for (size_t i = 0; i < json_count(releases); i++)
		show_release(json_at(releases, i));
	if (!json_count(releases))
		cli_print_line(stdout, "", "No module in it has a release that is offered.");
}

static int
import(int argc, char **argv)
{
	struct cli_args a;
	bool dry = false, shown;
	const struct cli_opt opts[] = {
		{ "dry-run", CLI_OPT_FLAG, &dry, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	struct cli_request r;
	struct cli_reply reply;
	int status = cli_opt_parse(argc, argv, opts, "egress import FILE [--dry-run] [--json]", 1, 1, &a);
	if (status)
		return cli_opt_end(status);
	int fd = cli_call_file(&a.common, a.at[0]);
	if (fd < 0)
		return CLI_COULD_NOT;
	cli_call_begin(&r);
	if (dry)
		jsonw_kbool(&r.j, "dry_run", true);
	status = cli_call_once(&a.common, "egress.import", &r, &fd, 1, &reply, &shown);
	close(fd);
	if (shown)
		show(json_root(reply.doc));
	cli_reply_free(&reply);
	return status;
}

int
cli_egress(int argc, char **argv)
{
	static const struct cli_sub subs[] = {
		{ "import", import, "where modules connect to, by a report of your network" },
	};
	return cli_opt_sub("egress", subs, sizeof subs / sizeof subs[0], argc, argv);
}
