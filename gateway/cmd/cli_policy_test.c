/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate policy test: the operator's own examples, held against the rules of a file. No daemon. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "crypto/err.h"
#include "gateway/cmd/cli_file.h"
#include "gateway/cmd/cli_opt.h"
#include "gateway/cmd/cli_policy.h"
#include "gateway/cmd/cli_print.h"
#include "gateway/cmd/cli_profile.h"
#include "policy/rules_case.h"

struct testing {
	const struct cli_common *common;
	const struct config *config;
	const char *file;
	struct view text;
	struct rules_case k;
	struct rules_result result;
	struct writer doc; /* with --json */
	struct jsonw j;
	unsigned passed, failed;
};

static void
tell(struct testing *t, size_t i, const char *why)
{
	unsigned line = rules_case_line(t->text, i);
	char *name = cli_print_plain(t->k.name);
	if (t->common->json) {
		jsonw_object(&t->j);
		jsonw_kuint(&t->j, "line", line);
		jsonw_kcstr(&t->j, "name", name ? name : "");
		jsonw_kbool(&t->j, "passed", !why[0]);
		jsonw_kcstr(&t->j, "rule", rules_decider(&t->result));
		jsonw_kcstr(&t->j, "why", why);
		jsonw_object_end(&t->j);
	} else if (why[0]) {
		printf("FAIL  %s\n      %s:%u: ", name ? name : "", t->file, line);
		cli_print_wrapped(stdout, why, 6);
	} else {
		printf("ok    %s\n", name ? name : "");
	}
	free(name);
}

static void
run(struct testing *t, const struct json_value *cases, int64_t now)
{
	char why[RULES_CASE_WHY_MAX];
	for (size_t i = 0; i < json_count(cases); i++) {
		t->result.matches_n = 0;
		bool good = rules_case_read(json_at(cases, i), t->config, now, &t->k, why) &&
		    rules_case_holds(&t->k, t->config, &t->result, why);
		t->passed += good;
		t->failed += !good;
		tell(t, i, why);
	}
}

static int
finish(struct testing *t)
{
	if (t->common->json) {
		jsonw_array_end(&t->j);
		jsonw_kuint(&t->j, "failed", t->failed);
		jsonw_kbool(&t->j, "hook_left_out", t->config->hook.program[0] != '\0');
		jsonw_kuint(&t->j, "passed", t->passed);
		jsonw_object_end(&t->j);
		if (writer_err(&t->doc))
			return cli_opt_fail(t->common, CLI_COULD_NOT, "LOCAL", NULL, "%s", err_why(writer_err(&t->doc)));
		cli_print_json(stdout, writer_view(&t->doc));
	} else {
		if (t->config->hook.program[0])
			printf("the decision hook is not run for cases: what it says can only ask for more\n");
		printf("%u passed, %u failed\n", t->passed, t->failed);
	}
	return t->failed ? CLI_REFUSED : CLI_DONE;
}

/* The list of cases; NULL after saying what is wrong with the file. */
static const struct json_value *
cases_of(struct testing *t, struct json **doc)
{
	struct json_error why = { 0, "" };
	int err = json_parse(t->text, doc, &why);
	if (err) {
		cli_opt_fail(t->common, CLI_REFUSED, "CASES", "The file is one JSON object.", "%s:%u: %s", t->file,
		    rules_case_line_at(t->text, why.offset), why.what ? why.what : err_name(err));
		return NULL;
	}
	const struct json_value *cases = json_get(json_root(*doc), "cases");
	if (json_type(cases) == JSON_ARRAY && json_count(cases) > 0 && json_count(json_root(*doc)) == 1)
		return cases;
	cli_opt_fail(t->common, CLI_REFUSED, "CASES", "Write {\"cases\":[ ... ]}, see fotagate.conf(5).",
	    "%s: has no list of cases, or more than that", t->file);
	return NULL;
}

int
cli_policy_test(int argc, char **argv)
{
	struct cli_args a;
	char path[CLI_OPT_PATH_MAX];
	struct config *c = NULL;
	struct json *doc = NULL;
	uint8_t *text = NULL;
	size_t n = 0;
	int status = cli_opt_parse(argc, argv, NULL, "policy test [-c FILE] CASES [--json]", 1, 1, &a);
	if (status)
		return cli_opt_end(status);
	if (!cli_opt_config_path(&a.common, path))
		return CLI_USAGE;
	int err = cli_profile_config(path, &c);
	if (err)
		return cli_opt_fail(&a.common, err == FG_EINVAL ? CLI_REFUSED : CLI_COULD_NOT, "CONFIG", NULL,
		    "%s: the daemon would refuse this configuration", path);
	struct testing *t = calloc(1, sizeof *t);
	err = t ? cli_file_read(NULL, a.at[0], RULES_CASE_FILE_MAX, &text, &n) : FG_ENOMEM;
	if (err) {
		status = cli_opt_fail(&a.common, CLI_COULD_NOT, "LOCAL", NULL, "%s: %s", a.at[0], err_why(err));
	} else {
		*t = (struct testing){ .common = &a.common, .config = c, .file = a.at[0], .text = view_of(text, n) };
		writer_init(&t->doc, JSON_TEXT_MAX);
		jsonw_init(&t->j, &t->doc);
		jsonw_object(&t->j);
		jsonw_key(&t->j, "cases");
		jsonw_array(&t->j);
		const struct json_value *cases = cases_of(t, &doc);
		if (cases)
			run(t, cases, (int64_t)time(NULL));
		status = cases ? finish(t) : CLI_REFUSED;
		writer_free(&t->doc);
	}
	json_free(doc);
	free(text);
	free(t);
	config_free(c);
	return status;
}
