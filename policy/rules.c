/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/rules.h"

#include <stdarg.h>
#include <stdio.h>

const char *
rules_outcome_name(enum rules_outcome outcome)
{
	switch (outcome) {
	case RULES_RELEASE:
		return "release";
	case RULES_HOLD:
		return "hold";
	case RULES_DENY:
		break;
	}
	return "deny";
}

bool
rules_automatic(const struct rules_result *r)
{
	return r->outcome == RULES_RELEASE && r->raise == 0 && r->time_lock == 0 && !r->hook_holds;
}

/* ---- predicates ---- */

bool
rules_pattern_fits(const char *pattern, const char *word)
{
	size_t n = strlen(pattern);
	if (n > 0 && pattern[n - 1] == '*')
		return strncmp(pattern, word, n - 1) == 0;
	return strcmp(pattern, word) == 0;
}

/* Each text of a list is stride bytes. An empty list takes anything, a fact that is not there only an empty one. */
static bool
is_one_of(const void *list, unsigned n, size_t stride, const char *word)
{
	if (n == 0)
		return true;
	for (unsigned i = 0; word && i < n; i++)
		if (rules_pattern_fits((const char *)list + (size_t)i * stride, word))
			return true;
	return false;
}
#define ONE_OF(r, f, list, word) is_one_of((r)->list, (r)->list##_n, sizeof (r)->list[0], (f)->word)

/* The same, but for an empty list, which names nothing. */
#define NAMES(r, list, word) ((r)->list##_n > 0 && is_one_of((r)->list, (r)->list##_n, sizeof (r)->list[0], word))

static bool
has_finding(const char (*ids)[RULES_ID_MAX + 1], unsigned n, const struct rules_facts *f)
{
	for (unsigned id = 0; id < FINDING_LIMIT; id++)
		if (f->finding[id] && n > 0 && is_one_of(ids, n, sizeof ids[0], finding_get(id)->id))
			return true;
	return false;
}

static int64_t
age(int64_t since, int64_t now)
{
	int64_t v;
	if (since <= 0 || __builtin_sub_overflow(now, since, &v) || v < 0)
		return 0;
	return v;
}

static bool
fits_neutral(const struct rule *r, const struct rules_facts *f)
{
	return ONE_OF(r, f, suppliers, supplier) && ONE_OF(r, f, products, product) && ONE_OF(r, f, profiles, profile) &&
	    ONE_OF(r, f, formats, format) && ONE_OF(r, f, countries, country);
}

static bool
is_said(const struct rule *r, const struct rules_facts *f)
{
	for (size_t i = 0; i < f->word_n; i++)
		if (NAMES(r, words, f->word[i]))
			return true;
	return false;
}

static bool
reaches(const struct rule *r, const struct rules_facts *f)
{
	if (f->reach == RULES_REACH_NOBODY)
		return false;
	for (size_t i = 0; f->reach == RULES_REACH_NAMED && i < f->group_n; i++)
		if (strcmp(f->group[i], SCOPE_ANY) == 0 || NAMES(r, groups, f->group[i]))
			return true;
	return f->reach != RULES_REACH_NAMED;
}

static bool
reaches_no_other(const struct rule *r, const struct rules_facts *f)
{
	if (f->reach == RULES_REACH_NOBODY)
		return true;
	for (size_t i = 0; f->reach == RULES_REACH_NAMED && i < f->group_n; i++)
		if (!NAMES(r, groups_only, f->group[i]))
			return false;
	return f->reach == RULES_REACH_NAMED;
}

static bool
is_at_least_so_bad(const struct rule *r, const struct rules_facts *f, int64_t now)
{
	if (r->findings_n && f->complete && !has_finding(r->findings, r->findings_n, f))
		return false;
	if ((r->words_n && !is_said(r, f)) || (r->groups_n && !reaches(r, f)))
		return false;
	if (f->worst > r->severity_at_least || f->signature > r->signature_at_best || f->signer > r->signer_at_best ||
	    f->direction > r->direction_at_best || f->delta > r->delta_at_best)
		return false;
	if (RULES_ALL - (int64_t)f->covered < r->unsigned_at_least ||
	    RULES_ALL - (int64_t)f->explained < r->unexplained_at_least ||
	    RULES_ALL - (int64_t)f->reviewable < r->unreviewable_at_least)
		return false;
	if (f->size < (uint64_t)r->size_at_least || (r->security == RULES_MARK_NO && f->security))
		return false;
	return (r->age_below == 0 || age(f->first_seen, now) < r->age_below) &&
	    (r->vendor_age_below == 0 || age(f->vendor_date, now) < r->vendor_age_below);
}

static bool
is_at_most_so_bad(const struct rule *r, const struct rules_facts *f, int64_t now)
{
	if (r->findings_absent_n && (!f->complete || has_finding(r->findings_absent, r->findings_absent_n, f)))
		return false;
	if (r->groups_only_n && !reaches_no_other(r, f))
		return false;
	if (f->worst < r->severity_at_most || f->signature < r->signature_at_worst || f->signer < r->signer_at_worst ||
	    f->direction < r->direction_at_worst || f->delta < r->delta_at_worst)
		return false;
	if (RULES_ALL - (int64_t)f->covered > r->unsigned_at_most ||
	    RULES_ALL - (int64_t)f->explained > r->unexplained_at_most ||
	    RULES_ALL - (int64_t)f->reviewable > r->unreviewable_at_most)
		return false;
	if ((r->security == RULES_MARK_YES && !f->security) || (int64_t)f->attested < r->attested_at_least)
		return false;
	return age(f->first_seen, now) >= r->age_at_least && age(f->vendor_date, now) >= r->vendor_age_at_least;
}

bool
rules_matches(const struct rule *r, const struct rules_facts *f, int64_t now)
{
	return fits_neutral(r, f) && is_at_least_so_bad(r, f, now) && is_at_most_so_bad(r, f, now);
}

unsigned
rules_sides(const struct rule *r)
{
	bool bad = r->findings_n || r->words_n || r->groups_n || r->severity_at_least < RULES_NO_FINDING ||
	    r->signature_at_best < SIG_VERIFIED || r->signer_at_best < RULES_SIGNER_KEPT ||
	    r->direction_at_best < RULES_UP || r->delta_at_best < RULES_DELTA_NONE || r->unsigned_at_least > 0 ||
	    r->unexplained_at_least > 0 || r->unreviewable_at_least > 0 || r->size_at_least > 0 || r->age_below > 0 ||
	    r->vendor_age_below > 0 || r->security == RULES_MARK_NO;
	bool good = r->findings_absent_n || r->groups_only_n || r->severity_at_most > RULES_BLOCK ||
	    r->signature_at_worst > SIG_UNKNOWN || r->signer_at_worst > RULES_SIGNER_UNKNOWN ||
	    r->direction_at_worst > RULES_WAY_UNKNOWN || r->delta_at_worst > RULES_DELTA_OPAQUE ||
	    r->unsigned_at_most < RULES_ALL || r->unexplained_at_most < RULES_ALL || r->unreviewable_at_most < RULES_ALL ||
	    r->age_at_least > 0 || r->vendor_age_at_least > 0 || r->attested_at_least > 0 || r->security == RULES_MARK_YES;
	return (bad ? RULES_ASKS_BAD : 0u) | (good ? RULES_ASKS_GOOD : 0u);
}

bool
rules_concern(const struct rule *r, const struct profile *p, const char *country)
{
	const struct rules_facts f = { .supplier = p->supplier, .profile = p->name, .country = country };
	return ONE_OF(r, &f, suppliers, supplier) && ONE_OF(r, &f, profiles, profile) && ONE_OF(r, &f, countries, country);
}

const struct rules_security *
rules_security_of(const struct rules_security *list, unsigned n, const char *profile, const char *product,
    const char *version)
{
	for (unsigned i = 0; i < n; i++)
		if (strcmp(list[i].profile, profile) == 0 && strcmp(list[i].version, version) == 0 &&
		    (list[i].product[0] == '\0' || rules_pattern_fits(list[i].product, product)))
			return &list[i];
	return NULL;
}

enum rules_severity
rules_severity_of(enum finding_severity s)
{
	static const enum rules_severity of[FINDING_SEVERITY_LIMIT] = { [FINDING_NONE] = RULES_BLOCK,
		[FINDING_INFO] = RULES_INFO, [FINDING_NOTICE] = RULES_NOTICE, [FINDING_WARNING] = RULES_WARNING,
		[FINDING_BLOCK] = RULES_BLOCK };
	return of[s];
}

/* ---- words ---- */

void
rules_duration(int64_t s, char out[RULES_DURATION_MAX])
{
	static const struct {
		int64_t seconds;
		const char *unit;
	} units[] = { { 86400, "day" }, { 3600, "hour" }, { 60, "minute" }, { 1, "second" } };
	size_t i = 0;
	while (s % units[i].seconds != 0)
		i++;
	snprintf(out, RULES_DURATION_MAX, "%lld %s%s", (long long)(s / units[i].seconds), units[i].unit,
	    s == units[i].seconds ? "" : "s");
}

__attribute__((format(printf, 2, 3))) static void
add(char out[RULES_SENTENCE_MAX], const char *fmt, ...)
{
	size_t n = strlen(out);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(out + n, RULES_SENTENCE_MAX - n, fmt, ap);
	va_end(ap);
}

void
rules_demand(const struct rule *r, const char *security, char out[RULES_SENTENCE_MAX])
{
	char time[RULES_DURATION_MAX];
	bool shorter = security && r->security_cool_down > 0;
	out[0] = '\0';
	add(out, "%s", rules_outcome_name(r->outcome));
	if (r->outcome == RULES_DENY)
		return;
	if (r->outcome == RULES_RELEASE)
		add(out, " by itself where a standing statement covers it, else hold");
	if (r->quorum)
		add(out, " for %lld signature%s", (long long)r->quorum, r->quorum == 1 ? "" : "s");
	else
		add(out, " for the signatures that the profile asks for");
	if (r->cool_down) {
		rules_duration(shorter ? r->security_cool_down : r->cool_down, time);
		add(out, ", not before the image is known for %s", time);
		if (shorter)
			add(out, " (a security update: %.80s)", security);
	}
	if (r->freeze_until[0])
		add(out, ", not before %s", r->freeze_until);
	if (r->time_lock) {
		rules_duration(r->time_lock, time);
		add(out, ", not within %s of a signature", time);
	}
}

const char *
rules_decider(const struct rules_result *r)
{
	return r->matches_n ? r->match[0].rule->name : "none";
}

void
rules_describe(const struct rules_result *r, char out[RULES_SENTENCE_MAX])
{
	out[0] = '\0';
	if (r->matches_n)
		add(out, "rule %s says %.160s", rules_decider(r), r->match[0].sentence);
	else
		add(out, "no rule matches: hold for the signatures that the profile asks for");
	if (r->raise && r->outcome != RULES_DENY)
		add(out, "; and %u more for %s", r->raise, finding_get(r->raised_by)->id);
	if (!r->hook_holds || r->hook_never || r->outcome == RULES_DENY)
		return;
	if (r->hook_quorum)
		add(out, "; and %u at least for the decision hook", r->hook_quorum);
	else
		add(out, "; and one more for the decision hook");
}

/* ---- deciding ---- */

static void
raise_by(struct rules_result *r, const struct rules_facts *f, enum finding_id id, int64_t by)
{
	/* Without a whole report nobody can say that it is not there. */
	if (by <= (int64_t)r->raise || (f->complete && !f->finding[id]))
		return;
	r->raise = (uint32_t)by;
	r->raised_by = id;
}

static void
not_before(struct rules_result *r, int64_t when, const char *why)
{
	if (when <= r->earliest)
		return;
	r->earliest = when;
	r->earliest_why = why;
}

static void
take(struct rules_result *r, const struct rule *rule, const struct rules_facts *f, int64_t now)
{
	int64_t when, since = f->first_seen > 0 && f->first_seen < now ? f->first_seen : now;
	bool shorter = f->security && rule->security_cool_down > 0;
	r->outcome = rule->outcome == RULES_HOLD || rule->outcome == RULES_RELEASE ? rule->outcome : RULES_DENY;
	r->quorum = (uint32_t)rule->quorum;
	r->time_lock = rule->time_lock;
	if (rule->cool_down > 0) {
		if (__builtin_add_overflow(since, shorter ? rule->security_cool_down : rule->cool_down, &when))
			when = INT64_MAX;
		not_before(r, when, shorter ? "security_cool_down" : "cool_down");
	}
	not_before(r, rule->frozen, "freeze_until");
}

void
rules_decide(const struct rule *rules, unsigned n, const struct rules_raise *raise, const struct rules_facts *f,
    int64_t now, struct rules_result *ret)
{
	ret->outcome = RULES_HOLD;
	ret->quorum = ret->raise = 0;
	ret->raised_by = FINDING_LIMIT;
	ret->earliest = ret->time_lock = 0;
	ret->earliest_why = "";
	ret->hook_holds = ret->hook_never = false;
	ret->hook_quorum = 0;
	ret->matches_n = 0;
	for (unsigned i = 0; i < n && i < RULES_MAX; i++) {
		if (!rules_matches(&rules[i], f, now))
			continue;
		struct rules_match *m = &ret->match[ret->matches_n++];
		m->rule = &rules[i];
		rules_demand(&rules[i], f->security, m->sentence);
		if (ret->matches_n == 1)
			take(ret, &rules[i], f, now);
	}
	raise_by(ret, f, FINDING_CHG_ONE_WAY_DOOR, raise->one_way_door);
	raise_by(ret, f, FINDING_META_TARGETED, raise->targeted);
	raise_by(ret, f, FINDING_CONT_NEW_SIGNER, raise->new_signer);
}

uint32_t
rules_quorum(const struct rules_result *r, enum scope_kind kind, const struct profile *p, uint32_t floor)
{
	uint32_t n = scope_quorum(kind, p, floor);
	if (r->outcome == RULES_DENY || r->hook_never || n == SCOPE_QUORUM_NEVER)
		return SCOPE_QUORUM_NEVER;
	if (r->quorum)
		n = r->quorum > floor ? r->quorum : floor;
	uint32_t more = r->raise + (r->hook_holds && r->hook_quorum == 0);
	if (r->hook_holds && n < r->hook_quorum)
		n = r->hook_quorum;
	return n >= SCOPE_QUORUM_NEVER - more ? SCOPE_QUORUM_NEVER : n + more;
}
