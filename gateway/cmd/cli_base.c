/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate base: which full image is a version, so that a delta can be judged by what it makes. */
#include <stdio.h>
#include <unistd.h>

#include "gateway/cmd/cli_call.h"
#include "gateway/cmd/cli_print.h"
#include "gateway/cmd/cli_verb.h"
#include "gateway/cmd/cli_verbs.h"

static int
add(int argc, char **argv)
{
	static const struct cli_label fields[] = { { "base", "image" }, { "product", "product" }, { "version", "version" },
		{ "size", "size" } };
	struct cli_args a;
	const char *profile = NULL, *product = NULL, *version = NULL;
	const struct cli_opt opts[] = {
		{ "profile", CLI_OPT_TEXT, &profile, 0, 0, 0 },
		{ "product", CLI_OPT_TEXT, &product, 0, 0, 0 },
		{ "version", CLI_OPT_TEXT, &version, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	struct cli_request r;
	struct cli_reply reply;
	bool shown;
	int status = cli_opt_parse(argc, argv, opts, "base add FILE --profile NAME --product NAME --version VERSION [--json]", 1,
	    1, &a);
	if (status)
		return cli_opt_end(status);
	if (!profile || !product || !version)
		return cli_opt_fail(&a.common, CLI_USAGE, "USAGE", "fotagate profile list and fotagate module list show the names.",
		    "a base needs --profile, --product and --version");
	int fd = cli_call_file(&a.common, a.at[0]);
	if (fd < 0)
		return CLI_COULD_NOT;
	cli_call_begin(&r);
	cli_call_text(&r, "product", product);
	cli_call_text(&r, "profile", profile);
	cli_call_text(&r, "version", version);
	status = cli_call_once(&a.common, "base.add", &r, &fd, 1, &reply, &shown);
	close(fd);
	if (shown)
		cli_print_fields(stdout, json_root(reply.doc), fields, sizeof fields / sizeof fields[0]);
	cli_reply_free(&reply);
	return status;
}

static int
drop(int argc, char **argv)
{
	struct cli_args a;
	const char *profile = NULL, *product = NULL, *version = NULL, *image = NULL;
	const struct cli_opt opts[] = {
		{ "profile", CLI_OPT_TEXT, &profile, 0, 0, 0 },
		{ "product", CLI_OPT_TEXT, &product, 0, 0, 0 },
		{ "version", CLI_OPT_TEXT, &version, 0, 0, 0 },
		{ "image", CLI_OPT_TEXT, &image, 0, 0, 0 },
		{ "", CLI_OPT_END, NULL, 0, 0, 0 },
	};
	struct cli_request r;
	struct cli_reply reply;
	bool shown;
	int status = cli_opt_parse(argc, argv, opts,
	    "base drop --profile NAME --product NAME --version VERSION [--image SHA256] [--json]", 0, 0, &a);
	if (status)
		return cli_opt_end(status);
	if (!profile || !product || !version)
		return cli_opt_fail(&a.common, CLI_USAGE, "USAGE", "fotagate base list shows them.",
		    "a base is named by --profile, --product and --version");
	cli_call_begin(&r);
	cli_call_text(&r, "image", image);
	cli_call_text(&r, "product", product);
	cli_call_text(&r, "profile", profile);
	cli_call_text(&r, "version", version);
	status = cli_call_once(&a.common, "base.drop", &r, NULL, 0, &reply, &shown);
	const struct json_value *gone = json_get(json_root(reply.doc), "dropped");
	for (size_t i = 0; shown && i < json_count(gone); i++)
		cli_print_field(stdout, "dropped", json_at(gone, i));
	cli_reply_free(&reply);
	return status;
}

static int
list(int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "profile", "profile", 0 }, { "product", "product", 0 }, { "version", "version", 0 },
		{ "image", "image", 16 }, { "#size", "size", 0 }, { "source", "source", 0 }, { "by", "who", 0 },
		{ "held", "held", 0 }, { "since", "since", 0 },
	};
	static const struct cli_verb_list v = { .request = "base.list", .usage = "base list [--profile NAME] [--json]",
		.filter = "profile", .rows = "bases", .columns = columns, .n = sizeof columns / sizeof columns[0],
		.empty = "No base yet. What is released is one by itself; fotagate base add names one that was not." };
	return cli_verb_list(argc, argv, &v);
}

int
cli_base(int argc, char **argv)
{
	static const struct cli_sub subs[] = {
		{ "list", list, "the full images that deltas can be for" },
		{ "add", add, "bring and name one that was never released here" },
		{ "drop", drop, "forget what was named so" },
	};
	return cli_opt_sub("base", subs, sizeof subs / sizeof subs[0], argc, argv);
}
