/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate policy explain: a decision of the gateway's, laid open. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cmd/cli_call.h"
#include "gateway/cmd/cli_policy.h"
#include "gateway/cmd/cli_print.h"

#define INDENT 6

static void
indented(const char *before, const struct json_value *text)
{
	struct writer w;
	writer_init(&w, 8192);
	writer_text(&w, before);
	cli_print_text(text, &w);
	writer_u8(&w, 0);
	char *plain = writer_err(&w) ? NULL : cli_print_plain((const char *)w.p);
	printf("%*s", INDENT, "");
	cli_print_wrapped(stdout, plain ? plain : "(too long)", INDENT);
	free(plain);
	writer_free(&w);
}

static void
print_facts(const struct json_value *facts)
{
	printf("\nfacts\n");
	for (size_t i = 0; i < json_count(facts); i++) {
		struct view key = json_key_at(facts, i);
		if (!cli_print_is_plain(key))
			continue;
		printf("  %-15.*s ", (int)(key.n < 40 ? key.n : 40), (const char *)key.p);
		struct writer w;
		writer_init(&w, 8192);
		cli_print_text(json_at(facts, i), &w);
		writer_u8(&w, 0);
		cli_print_wrapped(stdout, writer_err(&w) || w.n == 1 ? "-" : (const char *)w.p, 18);
		writer_free(&w);
	}
}

static void
print_fixed(const struct json_value *fixed)
{
	const struct json_value *reasons = json_get(fixed, "reasons");
	printf("\nfixed checks\n");
	if (json_count(reasons) == 0)
		printf("%*snothing stands against a review\n", INDENT, "");
	for (size_t i = 0; i < json_count(reasons); i++)
		indented("", json_get(json_at(reasons, i), "sentence"));
}

/* Its own words, which are anybody's. */
static void
print_hook(const struct json_value *hook)
{
	const struct json_value *reasons = json_get(hook, "reasons");
	uint64_t quorum = 0;
	if (json_type(hook) != JSON_OBJECT)
		return;
	printf("\ndecision hook\n%*s", INDENT, "");
	cli_print_string(stdout, json_get(hook, "outcome"));
	if (json_uint(json_get(hook, "quorum"), &quorum) && quorum)
		printf(", for %llu persons at least", (unsigned long long)quorum);
	printf("\n");
	for (size_t i = 0; i < json_count(reasons); i++)
		indented("it says: ", json_at(reasons, i));
	indented("program sha256 ", json_get(hook, "program"));
}

static void
print_rules(const struct json_value *rules)
{
	printf("\nrules\n");
	if (json_count(rules) == 0)
		printf("%*sthere are none\n", INDENT, "");
	for (size_t i = 0; i < json_count(rules); i++) {
		const struct json_value *r = json_at(rules, i), *misses = json_get(r, "misses");
		bool matches = false, decides = false;
		json_bool(json_get(r, "matches"), &matches);
		json_bool(json_get(r, "decides"), &decides);
		printf("%3zu.  ", i + 1);
		cli_print_string(stdout, json_get(r, "name"));
		printf(": %s\n", decides ? "matches, and decides" :
		    matches ? "matches, behind the one that decides" : "does not match");
		if (matches)
			indented("", json_get(r, "says"));
		for (size_t m = 0; m < json_count(misses); m++)
			indented("asks, and it is not so: ", json_get(json_at(misses, m), "words"));
	}
}

static void
print_outcome(const struct json_value *root)
{
	static const struct cli_label labels[] = { { "decision", "decision" }, { "because", "says" } };
	uint64_t quorum = 0, raise = 0, floor = 0, lock = 0;
	char decision[16] = "";
	(void)json_cstr(json_get(root, "decision"), decision, sizeof decision);
	printf("\n");
	cli_print_fields(stdout, root, labels, sizeof labels / sizeof labels[0]);
	if (!json_uint(json_get(root, "quorum"), &quorum) || !json_uint(json_get(root, "raise"), &raise) ||
	    !json_uint(json_get(root, "floor"), &floor) || !json_uint(json_get(root, "time_lock"), &lock) ||
	    strcmp(decision, "deny") == 0)
		return;
	printf("%-*s", CLI_PRINT_LABEL, "persons");
	cli_print_string(stdout, json_get(root, "kind"));
	if (quorum)
		printf(": %llu by the rule", (unsigned long long)quorum);
	else
		printf(": as the profile says");
	printf(", not below %llu of genesis", (unsigned long long)floor);
	if (raise) {
		printf(", and %llu more for ", (unsigned long long)raise);
		cli_print_string(stdout, json_get(root, "raised_by"));
	}
	printf("\n");
	cli_print_field(stdout, "needed", json_get(root, "need"));
	cli_print_field(stdout, "have signed", json_get(root, "have"));
	cli_print_field(stdout, "not before", json_get(root, "earliest"));
	if (lock)
		cli_print_line(stdout, "time lock", "%llu s after a signature", (unsigned long long)lock);
}

static void
show(const struct json_value *root)
{
	static const struct cli_label labels[] = { { "review", "id" }, { "state", "state" }, { "profile", "profile" },
		{ "report", "report" }, { "policy", "policy" }, { "judged by", "judged_policy" }, { "at", "at" } };
	const struct json_value *update = json_get(root, "update");
	cli_print_fields(stdout, root, labels, sizeof labels / sizeof labels[0]);
	cli_print_field(stdout, "product", json_get(update, "product"));
	cli_print_field(stdout, "version", json_get(update, "target"));
	cli_print_field(stdout, "groups", json_get(json_get(root, "scope"), "groups"));
	print_facts(json_get(root, "facts"));
	print_fixed(json_get(root, "fixed"));
	print_rules(json_get(root, "rules"));
	print_hook(json_get(root, "hook"));
	print_outcome(root);
}

int
cli_policy_explain(int argc, char **argv)
{
	struct cli_args a;
	struct cli_request r;
	struct cli_reply reply;
	bool shown;
	int status = cli_opt_parse(argc, argv, NULL, "policy explain REVIEW [--json]", 1, 1, &a);
	if (status)
		return cli_opt_end(status);
	cli_call_begin(&r);
	cli_call_text(&r, "review", a.at[0]);
	status = cli_call_once(&a.common, "policy.explain", &r, NULL, 0, &reply, &shown);
	if (shown)
		show(json_root(reply.doc));
	cli_reply_free(&reply);
	return status;
}
