/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/rules_case.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "crypto/jsonf.h"

/* Another sentence behind those that are there. */
__attribute__((format(printf, 2, 3))) static void
say(char why[RULES_CASE_WHY_MAX], const char *fmt, ...)
{
	size_t n = strlen(why);
	va_list ap;
	n += (size_t)snprintf(why + n, RULES_CASE_WHY_MAX - n, "%s", n ? "; " : "");
	if (n >= RULES_CASE_WHY_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(why + n, RULES_CASE_WHY_MAX - n, fmt, ap);
	va_end(ap);
}

/* ---- reading ---- */

static void
check_members(const struct json_value *v, const char *where, const char *const *known, size_t n, char *why)
{
	for (size_t i = 0; i < json_count(v); i++) {
		bool is = false;
		for (size_t k = 0; k < n; k++)
			is = is || view_is(json_key_at(v, i), known[k]);
		if (!is)
			say(why, "a member of %s is none of what the manual lists", where);
	}
}

static void
read_expected(const struct json_value *v, const struct config *c, struct rules_case *k, char *why)
{
	static const char *const known[] = { "outcome", "quorum", "rule", "wait" };
	char outcome[16] = "";
	uint32_t quorum = 0;
	check_members(v, "expect", known, sizeof known / sizeof known[0], why);
	(void)json_cstr(json_get(v, "outcome"), outcome, sizeof outcome);
	if (strcmp(outcome, "deny") != 0 && strcmp(outcome, "hold") != 0)
		say(why, "expect.outcome is neither \"deny\" nor \"hold\"");
	k->outcome = strcmp(outcome, "hold") == 0 ? RULES_HOLD : RULES_DENY;
	k->quorum = k->wait = -1;
	if (json_get(v, "rule") && !json_cstr(json_get(v, "rule"), k->rule, sizeof k->rule))
		say(why, "expect.rule is no name");
	if (json_get(v, "wait") && !rules_doc_seconds(json_get(v, "wait"), &k->wait))
		say(why, "expect.wait is neither seconds nor a duration");
	if (!json_get(v, "quorum"))
		return;
	if (!jsonf_u32(json_get(v, "quorum"), &quorum))
		say(why, "expect.quorum is no number");
	k->quorum = quorum;
	if (k->outcome == RULES_DENY)
		say(why, "expect.quorum: nobody signs for what is denied");
	else if (!k->doc.f.profile || !config_profile(c, view_str(k->doc.f.profile)))
		say(why, "expect.quorum needs facts.profile, one of the configuration");
}

bool
rules_case_read(const struct json_value *v, const struct config *c, int64_t now, struct rules_case *ret,
    char ret_why[RULES_CASE_WHY_MAX])
{
	static const char *const known[] = { "at", "expect", "facts", "floor", "name", "scope" };
	char scope[16] = "production", facts[RULES_DOC_WHY_MAX];
	memset(ret, 0, sizeof *ret);
	ret_why[0] = '\0';
	check_members(v, "the case", known, sizeof known / sizeof known[0], ret_why);
	if (!json_cstr(json_get(v, "name"), ret->name, sizeof ret->name))
		say(ret_why, "name is missing, or longer than %d bytes", RULES_CASE_NAME_MAX);
	ret->at = now;
	if (json_get(v, "at") && !jsonf_time(json_get(v, "at"), &ret->at))
		say(ret_why, "at is no time like 2026-12-24T00:00:00Z");
	if (json_get(v, "scope"))
		(void)json_cstr(json_get(v, "scope"), scope, sizeof scope);
	ret->kind = !strcmp(scope, "canary") ? SCOPE_CANARY : !strcmp(scope, "production") ? SCOPE_PRODUCTION : SCOPE_NONE;
	if (ret->kind == SCOPE_NONE || (json_get(v, "scope") && json_type(json_get(v, "scope")) != JSON_STRING))
		say(ret_why, "scope is neither \"canary\" nor \"production\"");
	ret->floor = 1;
	if (json_get(v, "floor") && (!jsonf_u32(json_get(v, "floor"), &ret->floor) || ret->floor == 0))
		say(ret_why, "floor is no number of persons");
	if (!rules_doc_read(json_get(v, "facts"), c, ret->at, &ret->doc, facts))
		say(ret_why, "facts: %s", facts);
	read_expected(json_get(v, "expect"), c, ret, ret_why);
	return !ret_why[0];
}

/* ---- deciding ---- */

bool
rules_case_holds(const struct rules_case *k, const struct config *c, struct rules_result *ret,
    char ret_why[RULES_CASE_WHY_MAX])
{
	ret_why[0] = '\0';
	rules_decide(c->rules, c->rules_n, &c->raise, &k->doc.f, k->at, ret);
	if (ret->outcome != k->outcome)
		say(ret_why, "the outcome is %s, not %s", rules_outcome_name(ret->outcome), rules_outcome_name(k->outcome));
	if (k->rule[0] && strcmp(k->rule, rules_decider(ret)) != 0)
		say(ret_why, "the rule that decides is %s, not %.48s", rules_decider(ret), k->rule);
	const struct profile *p = k->quorum >= 0 ? config_profile(c, view_str(k->doc.f.profile)) : NULL;
	if (p && ret->outcome != RULES_DENY) {
		uint32_t need = rules_quorum(ret, k->kind, p, k->floor);
		if (need == SCOPE_QUORUM_NEVER)
			say(ret_why, "nobody can sign enough, and %" PRId64 " were to", k->quorum);
		else if (need != k->quorum)
			say(ret_why, "%" PRIu32 " have to sign, not %" PRId64, need, k->quorum);
	}
	int64_t wait = ret->earliest > k->at ? ret->earliest - k->at : 0;
	if (k->wait >= 0 && wait != k->wait)
		say(ret_why, "a module waits %" PRId64 " s, not %" PRId64, wait, k->wait);
	return !ret_why[0];
}

/* ---- lines ---- */

unsigned
rules_case_line_at(struct view text, size_t offset)
{
	unsigned line = 1;
	for (size_t i = 0; i < text.n && i < offset; i++)
		line += text.p[i] == '\n';
	return line;
}

unsigned
rules_case_line(struct view text, size_t n)
{
	unsigned depth = 0;
	bool quoted = false;
	for (size_t i = 0; i < text.n; i++) {
		uint8_t b = text.p[i];
		if (quoted && b == '\\') {
			i++;
		} else if (b == '"') {
			quoted = !quoted;
		} else if (!quoted && (b == '{' || b == '[')) {
			/* The file's object, its list, a case. */
			if (depth == 2 && n-- == 0)
				return rules_case_line_at(text, i);
			depth++;
		} else if (!quoted && (b == '}' || b == ']')) {
			depth--;
		}
	}
	return 0;
}
