/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate profile: vendor profiles that are in force, drafts of new ones, and what is wrong with a file. */
#include <stdio.h>

#include "crypto/decimal.h"
#include "crypto/err.h"
#include "gateway/cmd/cli_call.h"
#include "gateway/cmd/cli_print.h"
#include "gateway/cmd/cli_profile.h"
#include "gateway/cmd/cli_verb.h"
#include "gateway/cmd/cli_verbs.h"
#include "images/trustset.h"

static int
list(int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "name", "name", 0 }, { "supplier", "supplier", 0 }, { "#quorum", "quorum", 0 }, { "#canary", "canary_quorum", 0 },
		{ "fetches", "fetches", 0 }, { "policy", "policy", 12 }, { "hosts", "hosts", 0 }, { "path", "path", 0 },
	};
	return cli_verb_list(argc, argv, &(struct cli_verb_list){ .request = "profile.list", .rows = "profiles",
	    .usage = "profile list [--csv] [--json]", .columns = columns, .n = sizeof columns / sizeof columns[0],
	    .empty = "No profile yet. fotagate profile unknown shows what modules ask for." });
}

static int
unknown(int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "#id", "id", 0 }, { "#count", "count", 0 }, { "last", "last", 0 }, { "listener", "listener", 0 },
		{ "host", "host", 0 }, { "path", "path", 0 }, { "client", "agent", 0 },
	};
	return cli_verb_list(argc, argv, &(struct cli_verb_list){ .request = "profile.unknown", .rows = "unknown",
	    .usage = "profile unknown [--csv] [--json]", .columns = columns, .n = sizeof columns / sizeof columns[0],
	    .empty = "Every request so far was one that a profile knows." });
}

/* Lines of a draft: each made visible on its own, so that the breaks stay. */
static void
print_text(const struct json_value *v)
{
	struct view s;
	if (!json_string(v, &s))
		return;
	for (size_t i = 0; i < s.n; i++)
		putchar(s.p[i] == '\n' || s.p[i] == '\t' || (s.p[i] >= 0x20 && s.p[i] <= 0x7e) ? s.p[i] : '?');
}

static int
draft(int argc, char **argv)
{
	struct cli_args a;
	struct cli_request r;
	struct cli_reply reply;
	bool shown;
	uint64_t id;
	int status = cli_opt_parse(argc, argv, NULL, "profile draft ID NAME [--json]", 2, 2, &a);
	if (status)
		return cli_opt_end(status);
	if (!decimal_parse(view_str(a.at[0]), JSON_INT_MAX - 1, &id))
		return cli_opt_fail(&a.common, CLI_USAGE, "USAGE", "fotagate profile unknown lists the numbers.",
		    "%s: not the number of a request", a.at[0]);
	cli_call_begin(&r);
	jsonw_kuint(&r.j, "id", id);
	cli_call_text(&r, "name", a.at[1]);
	status = cli_call_once(&a.common, "profile.draft", &r, NULL, 0, &reply, &shown);
	if (shown)
		print_text(json_get(json_root(reply.doc), "text"));
	cli_reply_free(&reply);
	return status;
}

/* ---- check: here, without the daemon, by its own rules ---- */

static int
check_anchors(const struct cli_common *c, const char *path, const struct profile *p)
{
	struct msg_inspect m = { 0 };
	struct writer w;
	writer_init(&w, TRUSTSET_MAX);
	int err = cli_profile_load(path, p->name, &m, NULL, &w);
	writer_free(&w);
	if (!err)
		return 0;
	return cli_opt_fail(c, err == FG_EINVAL ? CLI_REFUSED : CLI_COULD_NOT, "ANCHOR", NULL,
	    "profile %s: its anchors cannot be used", p->name);
}

static int
check(int argc, char **argv)
{
	struct cli_args a;
	char path[CLI_OPT_PATH_MAX];
	struct config *conf = NULL;
	int status = cli_opt_parse(argc, argv, NULL, "profile check [-c FILE] [NAME] [--json]", 0, 1, &a);
	if (status)
		return cli_opt_end(status);
	if (!cli_opt_config_path(&a.common, path))
		return CLI_USAGE;
	int err = cli_profile_config(path, &conf);
	if (err)
		return cli_opt_fail(&a.common, err == FG_EINVAL ? CLI_REFUSED : CLI_COULD_NOT, "CONFIG", NULL,
		    "%s: the daemon would refuse this configuration", path);
	const char *name = a.n ? a.at[0] : NULL;
	size_t looked = 0;
	for (size_t i = 0; i < conf->profiles_n && !status; i++) {
		if (name && strcmp(name, conf->profiles[i].name) != 0)
			continue;
		status = check_anchors(&a.common, path, &conf->profiles[i]);
		looked++;
	}
	if (!status && name && !looked)
		status = cli_opt_fail(&a.common, CLI_REFUSED, "NOT-FOUND", NULL,
		    "%s: no profile of that name beside %s", name, path);
	else if (!status && a.common.json)
		printf("{\"ok\":true,\"profiles\":%zu}\n", looked);
	else if (!status)
		printf("%s: in order, %zu profile%s with their anchors\n", path, looked, looked == 1 ? "" : "s");
	config_free(conf);
	return status;
}

int
cli_vendor(int argc, char **argv)
{
	static const struct cli_sub subs[] = {
		{ "list", list, "profiles in force" },
		{ "unknown", unknown, "requests that no profile fits" },
		{ "draft", draft, "a profile to begin with, from such a request" },
		{ "check", check, "what is wrong with the configuration here (no daemon needed)" },
	};
	return cli_opt_sub("profile", subs, sizeof subs / sizeof subs[0], argc, argv);
}
