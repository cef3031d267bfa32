/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate policy check: what is wrong with the rules of a file, or how they are read. No daemon. */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "gateway/cmd/cli_opt.h"
#include "gateway/cmd/cli_policy.h"
#include "gateway/cmd/cli_print.h"
#include "gateway/cmd/cli_profile.h"
#include "policy/rules_tell.h"

#define INDENT 6

static bool
asks_nothing(const struct rule *r)
{
	size_t at = 0;
	return rules_tell_next(r, &at) == NULL;
}

/* Why a rule that is in order never decides anything; NULL: it may. */
static const char *
idle(const struct config *c, unsigned at, char *buf, size_t cap)
{
	for (unsigned i = 0; i < at; i++) {
		if (!asks_nothing(&c->rules[i]))
			continue;
		snprintf(buf, cap, "it never decides: %s stands before it and matches every update", c->rules[i].name);
		return buf;
	}
	for (size_t i = 0; i < c->profiles_n; i++) {
		const struct config_supplier *s = config_supplier(c, view_str(c->profiles[i].supplier));
		if (rules_concern(&c->rules[at], &c->profiles[i], s ? s->country : ""))
			return NULL;
	}
	return c->profiles_n ? "it never decides: no profile's updates can match it" : NULL;
}

/* ---- for people ---- */

static void
indented(const char *before, const char *text)
{
	char line[RULES_TELL_WORDS_MAX + 16];
	snprintf(line, sizeof line, "%s%s", before, text);
	printf("%*s", INDENT, "");
	cli_print_wrapped(stdout, line, INDENT);
}

static void
print_rule(const struct config *c, unsigned i, char *words)
{
	const struct rule *r = &c->rules[i];
	char says[RULES_SENTENCE_MAX], why[160];
	const struct config_key *k;
	const char *before = "if ";
	size_t at = 0;
	rules_demand(r, NULL, says);
	printf("%3u.  %s (line %u): ", i + 1, r->name, r->line);
	cli_print_wrapped(stdout, says, INDENT);
	for (; (k = rules_tell_next(r, &at)) != NULL; before = "and ") {
		rules_tell_words(r, k, words);
		indented(before, words);
	}
	if (asks_nothing(r))
		indented("", "whatever the update is like");
	if (r->security_cool_down) {
		rules_demand(r, "reason as marked", says);
		indented("for what is marked: ", says);
	}
	const char *never = idle(c, i, why, sizeof why);
	if (never)
		indented("note: ", never);
}

static void
print_rules(const struct config *c, const char *path, char *words)
{
	printf("%s: in order, %u rule%s, %zu profile%s, %u security update%s marked\n", path, c->rules_n,
	    c->rules_n == 1 ? "" : "s", c->profiles_n, c->profiles_n == 1 ? "" : "s", c->security_updates_n,
	    c->security_updates_n == 1 ? "" : "s");
	printf("The first that matches decides, after the fixed checks, which no rule lifts.\n\n");
	for (unsigned i = 0; i < c->rules_n; i++)
		print_rule(c, i, words);
	printf("else  hold for the signatures that the profile asks for\n");
	printf("and   %lld more for CHG-ONE-WAY-DOOR, %lld for META-TARGETED, %lld for CONT-NEW-SIGNER; of several the most\n",
	    (long long)c->raise.one_way_door, (long long)c->raise.targeted, (long long)c->raise.new_signer);
}

/* ---- for machines ---- */

static void
put_rule(struct jsonw *j, const struct config *c, unsigned i, char *words)
{
	const struct rule *r = &c->rules[i];
	char says[RULES_SENTENCE_MAX], why[160];
	const struct config_key *k;
	size_t at = 0;
	jsonw_object(j);
	jsonw_key(j, "asks");
	jsonw_array(j);
	while ((k = rules_tell_next(r, &at)) != NULL) {
		rules_tell_words(r, k, words);
		jsonw_object(j);
		jsonw_kcstr(j, "key", config_schema_leaf(k, "rules[]"));
		jsonw_kcstr(j, "words", words);
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
	jsonw_kuint(j, "line", r->line);
	jsonw_kcstr(j, "name", r->name);
	const char *never = idle(c, i, why, sizeof why);
	if (never)
		jsonw_kcstr(j, "note", never);
	rules_demand(r, NULL, says);
	jsonw_kcstr(j, "says", says);
	jsonw_object_end(j);
}

static int
print_document(const struct config *c, char *words)
{
	struct writer w;
	struct jsonw j;
	writer_init(&w, JSON_TEXT_MAX);
	jsonw_init(&j, &w);
	jsonw_object(&j);
	jsonw_kbool(&j, "ok", true);
	jsonw_kuint(&j, "profiles", c->profiles_n);
	jsonw_key(&j, "rules");
	jsonw_array(&j);
	for (unsigned i = 0; i < c->rules_n; i++)
		put_rule(&j, c, i, words);
	jsonw_array_end(&j);
	jsonw_object_end(&j);
	int err = writer_err(&w);
	if (!err)
		cli_print_json(stdout, writer_view(&w));
	writer_free(&w);
	return err;
}

int
cli_policy_check(int argc, char **argv)
{
	struct cli_args a;
	char path[CLI_OPT_PATH_MAX];
	struct config *c = NULL;
	int status = cli_opt_parse(argc, argv, NULL, "policy check [-c FILE] [--json]", 0, 0, &a);
	if (status)
		return cli_opt_end(status);
	if (!cli_opt_config_path(&a.common, path))
		return CLI_USAGE;
	int err = cli_profile_config(path, &c);
	if (err)
		return cli_opt_fail(&a.common, err == FG_EINVAL ? CLI_REFUSED : CLI_COULD_NOT, "CONFIG", NULL,
		    "%s: the daemon would refuse this configuration", path);
	char *words = malloc(RULES_TELL_WORDS_MAX);
	err = words ? FG_OK : FG_ENOMEM;
	if (!err && a.common.json)
		err = print_document(c, words);
	else if (!err)
		print_rules(c, path, words);
	free(words);
	config_free(c);
	return err ? cli_opt_fail(&a.common, CLI_COULD_NOT, "LOCAL", NULL, "%s", err_why(err)) : CLI_DONE;
}
