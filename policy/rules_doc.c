/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/rules_doc.h"

#include <stdarg.h>
#include <stdio.h>

#include "crypto/visible.h"
#include "images/format.h"
#include "policy/config_schema.h"
#include "policy/supplier.h"

struct reading {
	const struct json_value *v;
	const struct config *config;
	struct rules_doc *d;
	char *why; /* "" : nothing was wrong yet */
};

static const char *const members[] = { "age", "attested", "complete", "country", "delta", "direction", "findings", "format",
	"groups", "product", "profile", "security", "severity", "signature", "signer", "size", "supplier", "supplier_words",
	"unexplained", "unreviewable", "unsigned", "vendor_age", "version" };

__attribute__((format(printf, 2, 3))) static void
refuse(struct reading *r, const char *fmt, ...)
{
	va_list ap;
	if (r->why[0])
		return;
	va_start(ap, fmt);
	vsnprintf(r->why, RULES_DOC_WHY_MAX, fmt, ap);
	va_end(ap);
}

/* Predicates of rules name the words of each scale; one list for both. */
static const char *
words_of(const char *key)
{
	return config_schema_find(key)->words;
}

/* ---- reading ---- */

static void
check_members(struct reading *r)
{
	char seen[64];
	for (size_t i = 0; i < json_count(r->v); i++) {
		struct view key = json_key_at(r->v, i);
		bool known = false;
		for (size_t m = 0; m < sizeof members / sizeof members[0]; m++)
			known = known || view_is(key, members[m]);
		visible_cstr(view_of(key.p, key.n < 40 ? key.n : 40), seen, sizeof seen);
		if (!known)
			refuse(r, "%s is no fact", seen);
	}
}

/* NULL when it is not there, or wrong. */
static const char *
text(struct reading *r, const char *key, char *dst, size_t cap)
{
	const struct json_value *v = json_get(r->v, key);
	if (!v || json_type(v) == JSON_NULL)
		return NULL;
	if (json_cstr(v, dst, cap))
		return dst;
	refuse(r, "%s is no text, or longer than %zu bytes", key, cap - 1);
	return NULL;
}
#define TEXT(r, member) text(r, #member, (r)->d->member, sizeof (r)->d->member)

/* 0, the worst, when it is not there. */
static int
word(struct reading *r, const char *key, const char *words)
{
	char given[64];
	if (!json_get(r->v, key))
		return 0;
	int i = json_cstr(json_get(r->v, key), given, sizeof given) ? config_schema_word(words, given) : -1;
	if (i < 0)
		refuse(r, "%s is none of %.150s", key, words);
	return i < 0 ? 0 : i;
}

static unsigned
texts(struct reading *r, const char *key, char *list, size_t stride, const char **at)
{
	const struct json_value *v = json_get(r->v, key);
	size_t n = json_count(v);
	if (json_type(v) != JSON_ARRAY || n > RULES_DOC_LIST_MAX) {
		refuse(r, "%s is no list, or longer than %d", key, RULES_DOC_LIST_MAX);
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		at[i] = list + i * stride;
		if (!json_cstr(json_at(v, i), list + i * stride, stride))
			refuse(r, "%s[%zu] is no text, or longer than %zu bytes", key, i, stride - 1);
	}
	return (unsigned)n;
}

/* What is left of a thousand; nothing when it is not said. */
static unsigned
thousandths(struct reading *r, const char *key)
{
	uint64_t n = RULES_ALL;
	const struct json_value *v = json_get(r->v, key);
	if (v && (!json_uint(v, &n) || n > RULES_ALL))
		refuse(r, "%s is not 0 to %d", key, RULES_ALL);
	return n > RULES_ALL ? 0 : RULES_ALL - (unsigned)n;
}

bool
rules_doc_seconds(const struct json_value *v, int64_t *ret)
{
	char given[32];
	if (json_cstr(v, given, sizeof given))
		return config_form_duration(given, ret);
	return json_int(v, ret) && *ret >= 0;
}

static int64_t
since(struct reading *r, const char *key, int64_t now)
{
	const struct json_value *v = json_get(r->v, key);
	int64_t age = 0;
	if (!v || json_type(v) == JSON_NULL)
		return 0;
	if (!rules_doc_seconds(v, &age) || age >= now) {
		refuse(r, "%s is neither seconds nor a duration, or too long", key);
		return 0;
	}
	return now - age;
}

static void
findings(struct reading *r)
{
	struct rules_facts *f = &r->d->f;
	const struct json_value *v = json_get(r->v, "findings"), *complete = json_get(r->v, "complete");
	enum rules_severity worst = RULES_NO_FINDING;
	char id[RULES_ID_MAX + 1];
	f->complete = v != NULL;
	if (v && json_type(v) != JSON_ARRAY)
		refuse(r, "findings is no list");
	for (size_t i = 0; i < json_count(v); i++) {
		enum finding_id known = json_cstr(json_at(v, i), id, sizeof id) ? finding_find(view_str(id)) : FINDING_LIMIT;
		if (known == FINDING_LIMIT) {
			refuse(r, "findings[%zu] is no finding; see fotagate-report(5)", i);
			continue;
		}
		f->finding[known] = true;
		enum rules_severity is = rules_severity_of(finding_get(known)->severity);
		worst = is < worst ? is : worst;
	}
	if (complete && !json_bool(complete, &f->complete))
		refuse(r, "complete is neither true nor false");
	f->worst = f->complete ? worst : RULES_BLOCK;
	if (json_get(r->v, "severity"))
		f->worst = (enum rules_severity)word(r, "severity", words_of("rules[].severity_at_least"));
}

_Static_assert(SUPPLIER_WORD_MAX <= RULES_WORD_MAX + 1 && SUPPLIER_WORDS_MAX <= RULES_DOC_LIST_MAX, "they fit");

/* All that the gateway would know of it; in the country that the case says, if it says one. */
static void
known_words(struct reading *r, const struct config_supplier *s, int64_t now)
{
	struct rules_doc *d = r->d;
	struct config_supplier as = *s;
	struct supplier_words w;
	if (d->f.country)
		snprintf(as.country, sizeof as.country, "%s", d->f.country);
	supplier_words(r->config, &as, now, &w);
	for (unsigned i = 0; i < w.n; i++) {
		memcpy(d->word[i], w.word[i], sizeof w.word[i]);
		d->words[i] = d->word[i];
	}
	d->f.word_n = w.n;
}

/* What follows from the profile, where it is not said otherwise. */
static void
supplier(struct reading *r, int64_t now)
{
	struct rules_doc *d = r->d;
	struct rules_facts *f = &d->f;
	f->profile = TEXT(r, profile);
	f->supplier = TEXT(r, supplier);
	f->country = TEXT(r, country);
	const struct profile *p = f->profile ? config_profile(r->config, view_str(f->profile)) : NULL;
	if (p && !json_get(r->v, "supplier"))
		f->supplier = p->supplier;
	const struct config_supplier *s = f->supplier ? config_supplier(r->config, view_str(f->supplier)) : NULL;
	if (s && !json_get(r->v, "country"))
		f->country = s->country;
	f->word = d->words;
	if (json_get(r->v, "supplier_words")) {
		f->word_n = texts(r, "supplier_words", d->word[0], sizeof d->word[0], d->words);
		return;
	}
	if (s) {
		known_words(r, s, now);
		return;
	}
	snprintf(d->word[0], sizeof d->word[0], "country:%s", f->country ? f->country : "unknown");
	d->words[0] = d->word[0];
	f->word_n = 1;
}

static void
security(struct reading *r)
{
	struct rules_doc *d = r->d;
	const char *version = TEXT(r, version);
	d->f.security = TEXT(r, security);
	if (json_get(r->v, "security") || !d->f.profile || !d->f.product || !version)
		return;
	const struct rules_security *mark = rules_security_of(r->config->security_updates, r->config->security_updates_n,
	    d->f.profile, d->f.product, version);
	d->f.security = mark ? mark->reason : NULL;
}

static void
groups(struct reading *r)
{
	struct rules_doc *d = r->d;
	const struct json_value *v = json_get(r->v, "groups");
	d->f.group = d->groups;
	d->f.reach = !v ? RULES_REACH_ALL : json_type(v) == JSON_NULL ? RULES_REACH_NOBODY : RULES_REACH_NAMED;
	if (d->f.reach == RULES_REACH_NAMED)
		d->f.group_n = texts(r, "groups", d->group[0], sizeof d->group[0], d->groups);
}

bool
rules_doc_read(const struct json_value *v, const struct config *c, int64_t now, struct rules_doc *ret,
    char ret_why[RULES_DOC_WHY_MAX])
{
	struct reading r = { v, c, ret, ret_why };
	struct rules_facts *f = &ret->f;
	memset(ret, 0, sizeof *ret);
	ret_why[0] = '\0';
	if (json_type(v) != JSON_OBJECT)
		refuse(&r, "facts are an object");
	check_members(&r);
	supplier(&r, now);
	f->product = TEXT(&r, product);
	f->format = TEXT(&r, format);
	if (f->format && format_find(view_str(f->format)) == FORMAT_NONE)
		refuse(&r, "format is none that is known; see fotagate-report(5)");
	findings(&r);
	security(&r);
	groups(&r);
	f->signature = (enum sig_outcome)word(&r, "signature", words_of("rules[].signature_at_best"));
	f->signer = (enum rules_signer)word(&r, "signer", words_of("rules[].signer_at_best"));
	f->direction = (enum rules_direction)word(&r, "direction", words_of("rules[].direction_at_best"));
	f->delta = (enum rules_delta)word(&r, "delta", words_of("rules[].delta_at_best"));
	f->covered = thousandths(&r, "unsigned");
	f->explained = thousandths(&r, "unexplained");
	f->reviewable = thousandths(&r, "unreviewable");
	uint64_t persons = 0;
	if (json_get(v, "attested") && (!json_uint(json_get(v, "attested"), &persons) || persons > RULES_QUORUM_MAX))
		refuse(&r, "attested is no number of persons up to %d", RULES_QUORUM_MAX);
	f->attested = (unsigned)persons;
	f->first_seen = since(&r, "age", now);
	f->vendor_date = since(&r, "vendor_age", now);
	/* Larger is worse. */
	f->size = JSON_INT_MAX - 1;
	if (json_get(v, "size") && !json_uint(json_get(v, "size"), &f->size))
		refuse(&r, "size is no number of bytes");
	return !ret_why[0];
}

/* ---- writing ---- */

static void
put_text(struct jsonw *j, const char *key, const char *s)
{
	if (s)
		jsonw_kcstr(j, key, s);
	else
		jsonw_knull(j, key);
}

static void
put_word(struct jsonw *j, const char *key, const char *of, unsigned v)
{
	jsonw_kstring(j, key, config_schema_word_at(words_of(of), (int)v));
}

static void
put_age(struct jsonw *j, const char *key, int64_t since_then, int64_t now)
{
	if (since_then <= 0)
		jsonw_knull(j, key);
	else
		jsonw_kuint(j, key, since_then < now ? (uint64_t)(now - since_then) : 0);
}

static void
put_list(struct jsonw *j, const char *key, const char *const *list, size_t n)
{
	jsonw_key(j, key);
	jsonw_array(j);
	for (size_t i = 0; i < n; i++)
		jsonw_cstr(j, list[i]);
	jsonw_array_end(j);
}

static void
put_reach(struct jsonw *j, const struct rules_facts *f)
{
	static const char *const all[] = { SCOPE_ANY };
	if (f->reach == RULES_REACH_NOBODY)
		jsonw_knull(j, "groups");
	else if (f->reach == RULES_REACH_NAMED)
		put_list(j, "groups", f->group, f->group_n);
	else
		put_list(j, "groups", all, 1);
}

void
rules_doc_put(struct jsonw *j, const struct rules_facts *f, const char *version, int64_t now)
{
	jsonw_object(j);
	put_age(j, "age", f->first_seen, now);
	jsonw_kuint(j, "attested", f->attested < RULES_QUORUM_MAX ? f->attested : RULES_QUORUM_MAX);
	jsonw_kbool(j, "complete", f->complete);
	put_text(j, "country", f->country);
	put_word(j, "delta", "rules[].delta_at_best", f->delta);
	put_word(j, "direction", "rules[].direction_at_best", f->direction);
	jsonw_key(j, "findings");
	jsonw_array(j);
	for (unsigned i = 0; i < FINDING_LIMIT; i++)
		if (f->finding[i])
			jsonw_cstr(j, finding_get(i)->id);
	jsonw_array_end(j);
	put_text(j, "format", f->format);
	put_reach(j, f);
	put_text(j, "product", f->product);
	put_text(j, "profile", f->profile);
	put_text(j, "security", f->security);
	put_word(j, "severity", "rules[].severity_at_least", f->worst);
	put_word(j, "signature", "rules[].signature_at_best", f->signature);
	put_word(j, "signer", "rules[].signer_at_best", f->signer);
	jsonw_kuint(j, "size", f->size < (uint64_t)JSON_INT_MAX ? f->size : (uint64_t)JSON_INT_MAX - 1);
	put_text(j, "supplier", f->supplier);
	put_list(j, "supplier_words", f->word, f->word_n);
	jsonw_kuint(j, "unexplained", RULES_ALL - f->explained);
	jsonw_kuint(j, "unreviewable", RULES_ALL - f->reviewable);
	jsonw_kuint(j, "unsigned", RULES_ALL - f->covered);
	put_age(j, "vendor_age", f->vendor_date, now);
	put_text(j, "version", version);
	jsonw_object_end(j);
}
