/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/rules_check.h"

#include "crypto/stamp.h"
#include "images/format.h"

struct check {
	const struct config *config;
	const char *file;
	struct config_problems *problems;
};

/* ---- each by itself ---- */

static bool
is_finding(const char *pattern)
{
	for (unsigned id = 0; id < FINDING_LIMIT; id++)
		if (rules_pattern_fits(pattern, finding_get(id)->id))
			return true;
	return false;
}

static void
check_findings(const struct check *k, const struct rule *r, const char *key, const char (*list)[RULES_ID_MAX + 1],
    unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!is_finding(list[i]))
			config_problem_add(k->problems, k->file, r->line,
			    "rule %s: %s has \"%s\", which is no finding; see fotagate-report(5)", r->name, key, list[i]);
}

static void
check_names(const struct check *k, const struct rule *r)
{
	for (unsigned i = 0; i < r->suppliers_n; i++)
		if (!config_supplier(k->config, view_str(r->suppliers[i])))
			config_problem_add(k->problems, k->file, r->line,
			    "rule %s: \"%s\" is no supplier; add it to suppliers, or mend the name", r->name, r->suppliers[i]);
	for (unsigned i = 0; i < r->formats_n; i++)
		if (format_find(view_str(r->formats[i])) == FORMAT_NONE)
			config_problem_add(k->problems, k->file, r->line,
			    "rule %s: \"%s\" is no format; see fotagate-report(5)", r->name, r->formats[i]);
	check_findings(k, r, "findings", r->findings, r->findings_n);
	check_findings(k, r, "findings_absent", r->findings_absent, r->findings_absent_n);
}

static void
check_outcome(const struct check *k, struct rule *r)
{
	if (r->freeze_until[0] && !stamp_parse(view_str(r->freeze_until), &r->frozen))
		r->frozen = STAMP_MAX; /* the form was refused already */
	if (r->outcome == RULES_RELEASE && r->time_lock)
		config_problem_add(k->problems, k->file, r->line,
		    "rule %s: release and time_lock: nobody signs at that moment, so no time runs; write hold, or cool_down",
		    r->name);
	if (r->outcome == RULES_DENY && (r->quorum || r->cool_down || r->security_cool_down || r->time_lock || r->frozen))
		config_problem_add(k->problems, k->file, r->line,
		    "rule %s denies, and says how many sign or from when; remove these, or write hold", r->name);
	if (r->security_cool_down > r->cool_down)
		config_problem_add(k->problems, k->file, r->line,
		    "rule %s: security_cool_down is longer than cool_down; shorten it, or give a longer cool_down",
		    r->name);
}

void
rules_check(struct config *c, const char *file, struct config_problems *problems)
{
	const struct check k = { c, file, problems };
	for (unsigned i = 0; i < c->rules_n; i++) {
		struct rule *r = &c->rules[i];
		for (unsigned j = 0; j < i; j++)
			if (r->name[0] != '\0' && strcmp(r->name, c->rules[j].name) == 0)
				config_problem_add(problems, file, r->line,
				    "rules[%u] has the name of rules[%u]; choose another", i, j);
		check_names(&k, r);
		check_outcome(&k, r);
	}
}

/* ---- all together ---- */

/* What a rule permits under one profile and kind of scope; all but outcome count the other way. */
struct permit {
	enum rules_outcome outcome;
	int64_t quorum, cool, cool_marked, lock, frozen;
};

static int64_t
of_profile(const struct profile *p, enum scope_kind kind)
{
	return kind == SCOPE_CANARY && p->canary_quorum > 0 ? p->canary_quorum : p->quorum;
}

static struct permit
permit_of(const struct rule *r, const struct profile *p, enum scope_kind kind)
{
	if (!r) /* what no rule matches */
		return (struct permit){ .outcome = RULES_HOLD, .quorum = of_profile(p, kind) };
	return (struct permit){
		.outcome = r->outcome,
		.quorum = r->quorum ? r->quorum : of_profile(p, kind),
		.cool = r->cool_down,
		.cool_marked = r->security_cool_down ? r->security_cool_down : r->cool_down,
		.lock = r->time_lock,
		.frozen = r->frozen,
	};
}

static bool
permits_no_more(const struct permit *a, const struct permit *b)
{
	if (a->outcome == RULES_DENY || b->outcome == RULES_DENY)
		return a->outcome == RULES_DENY;
	return a->outcome <= b->outcome && a->quorum >= b->quorum && a->cool >= b->cool && a->cool_marked >= b->cool_marked &&
	    a->lock >= b->lock && a->frozen >= b->frozen;
}

/* Whether one word may fit both. */
static bool
overlap(const char *a, const char *b)
{
	size_t n = strcspn(a, "*"), m = strcspn(b, "*");
	if (a[n] == '*' && b[m] == '*')
		return strncmp(a, b, n < m ? n : m) == 0;
	return a[n] == '*' ? rules_pattern_fits(a, b) : rules_pattern_fits(b, a);
}

static bool
lists_overlap(const char *a, unsigned n, const char *b, unsigned m, size_t stride)
{
	for (unsigned i = 0; i < n; i++)
		for (unsigned j = 0; j < m; j++)
			if (overlap(a + i * stride, b + j * stride))
				return true;
	return n == 0 || m == 0;
}

/* Two that never match the same update, whatever is found about it, cannot take each other's place. */
static bool
may_meet(const struct rule *a, const struct rule *b)
{
	return lists_overlap(a->products[0], a->products_n, b->products[0], b->products_n, sizeof a->products[0]) &&
	    lists_overlap(a->formats[0], a->formats_n, b->formats[0], b->formats_n, sizeof a->formats[0]);
}

/* False when it found a problem. behind is NULL for what no rule matches. */
static bool
check_pair(const struct check *k, const struct rule *r, const struct rule *behind, const struct profile *p,
    enum scope_kind kind)
{
	const struct permit a = permit_of(r, p, kind), b = permit_of(behind, p, kind);
	const char *other = behind ? behind->name : "what no rule matches";
	unsigned sides = rules_sides(r);
	if ((sides & RULES_ASKS_BAD) && !permits_no_more(&a, &b)) {
		config_problem_add(k->problems, k->file, r->line,
		    "rule %s: worse facts make it match, and under profile %s it then permits more than %s%s; "
		    "ask for as much in it, or put it behind",
		    r->name, p->name, behind ? "the later rule " : "", other);
		return false;
	}
	if ((sides & RULES_ASKS_GOOD) && !permits_no_more(&b, &a)) {
		config_problem_add(k->problems, k->file, r->line,
		    "rule %s: worse facts make it match no more, and under profile %s %s%s then permits more; "
		    "put the stricter rule first, without such conditions",
		    r->name, p->name, behind ? "the later rule " : "", other);
		return false;
	}
	return true;
}

struct all { /* what the rules have to do with each other, and with one profile */
	bool meet[RULES_MAX][RULES_MAX];
	bool concern[RULES_MAX];
	bool told[RULES_MAX]; /* one problem of a rule is enough */
};

static bool
check_rule(const struct check *k, const struct all *a, unsigned i, const struct profile *p)
{
	static const enum scope_kind kinds[] = { SCOPE_PRODUCTION, SCOPE_CANARY };
	const struct config *c = k->config;
	for (unsigned kind = 0; kind < 2; kind++) {
		for (unsigned j = i + 1; j < c->rules_n; j++)
			if (a->concern[j] && a->meet[i][j] && !check_pair(k, &c->rules[i], &c->rules[j], p, kinds[kind]))
				return false;
		if (!check_pair(k, &c->rules[i], NULL, p, kinds[kind]))
			return false;
	}
	return true;
}

static void
check_under(const struct check *k, struct all *a, const struct profile *p)
{
	const struct config *c = k->config;
	const struct config_supplier *s = config_supplier(c, view_str(p->supplier));
	for (unsigned i = 0; i < c->rules_n; i++)
		a->concern[i] = rules_concern(&c->rules[i], p, s ? s->country : "");
	for (unsigned i = 0; i < c->rules_n; i++)
		if (a->concern[i] && !a->told[i] && rules_sides(&c->rules[i]))
			a->told[i] = !check_rule(k, a, i, p);
}

static void
check_profiles(const struct check *k)
{
	const struct config *c = k->config;
	for (unsigned i = 0; i < c->security_updates_n; i++)
		if (!config_profile(c, view_str(c->security_updates[i].profile)))
			config_problem_add(k->problems, k->file, c->security_updates[i].line,
			    "security_updates[%u]: \"%s\" is no profile; mend the name", i, c->security_updates[i].profile);
	for (unsigned i = 0; i < c->rules_n; i++)
		for (unsigned n = 0; n < c->rules[i].profiles_n; n++)
			if (!config_profile(c, view_str(c->rules[i].profiles[n])))
				config_problem_add(k->problems, k->file, c->rules[i].line,
				    "rule %s: \"%s\" is no profile; mend the name", c->rules[i].name, c->rules[i].profiles[n]);
}

void
rules_check_order(const struct config *c, const char *file, struct config_problems *problems)
{
	const struct check k = { c, file, problems };
	struct all a = { .told = { false } };
	check_profiles(&k);
	/* Once and not for every profile: lists are long. */
	for (unsigned i = 0; i < c->rules_n; i++)
		for (unsigned j = i + 1; j < c->rules_n; j++)
			a.meet[i][j] = may_meet(&c->rules[i], &c->rules[j]);
	for (size_t n = 0; n < c->profiles_n; n++)
		check_under(&k, &a, &c->profiles[n]);
}
