/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/rules_tell.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"

#define SCHEMA "rules[]"

/* Each predicate as a clause; %s is what is asked for. Keys that are not here say what is then decided. */
static const struct phrase {
	const char *key, *text;
} phrases[] = {
	{ "suppliers", "the supplier is %s" },
	{ "products", "the product is %s" },
	{ "profiles", "it came by the profile %s" },
	{ "formats", "the format is %s" },
	{ "countries", "the supplier is registered in %s" },
	{ "findings", "there is the finding %s" },
	{ "findings_absent", "there is no finding %s" },
	{ "supplier_words", "what is known of the supplier includes %s" },
	{ "groups", "it is for the group %s, or for all" },
	{ "groups_only", "it is for no group but %s" },
	{ "severity_at_least", "the worst finding weighs as much as %s, or more" },
	{ "severity_at_most", "the worst finding weighs as much as %s, or less" },
	{ "signature_at_best", "the signature is %s, or worse" },
	{ "signature_at_worst", "the signature is %s, or better" },
	{ "signer_at_best", "the signer is %s, or worse" },
	{ "signer_at_worst", "the signer is %s, or better" },
	{ "direction_at_best", "the version goes %s, or a worse way" },
	{ "direction_at_worst", "the version goes %s, or a better way" },
	{ "delta_at_best", "what a delta makes is %s, or known worse" },
	{ "delta_at_worst", "what a delta makes is %s, or known better" },
	{ "unsigned_at_least", "%s of a thousand bytes, or more, are under no signature" },
	{ "unsigned_at_most", "%s of a thousand bytes, or less, are under no signature" },
	{ "unexplained_at_least", "%s of a thousand bytes, or more, changed without explanation" },
	{ "unexplained_at_most", "%s of a thousand bytes, or less, changed without explanation" },
	{ "unreviewable_at_least", "%s of a thousand bytes, or more, cannot be reviewed" },
	{ "unreviewable_at_most", "%s of a thousand bytes, or less, cannot be reviewed" },
	{ "attested_at_least", "%s persons, or more, attest a trial on a module" },
	{ "size_at_least", "the image has %s bytes, or more" },
	{ "age_below", "the image came here less than %s ago" },
	{ "age_at_least", "the image came here %s ago, or earlier" },
	{ "vendor_age_below", "it was made less than %s ago, by a date that a signature vouches for" },
	{ "vendor_age_at_least", "it was made %s ago, or earlier, by a date that a signature vouches for" },
	{ "security", "it is %s as a security update" },
};

static const char *
phrase_of(const struct config_key *k)
{
	const char *leaf = config_schema_leaf(k, SCHEMA);
	for (size_t i = 0; leaf && i < sizeof phrases / sizeof phrases[0]; i++)
		if (strcmp(phrases[i].key, leaf) == 0)
			return phrases[i].text;
	return NULL;
}

/* ---- one predicate of a rule ---- */

static size_t
bytes_of(const struct config_key *k)
{
	switch (k->type) {
	case CONFIG_KEY_TEXTS:
		return k->stride * (size_t)k->max;
	case CONFIG_KEY_ENUM:
		return sizeof(int);
	case CONFIG_KEY_INT:
	case CONFIG_KEY_SIZE:
	case CONFIG_KEY_DURATION:
		return sizeof(int64_t);
	default:
		abort(); /* predicates have no other types */
	}
}

static int64_t
number_of(const struct rule *r, const struct config_key *k)
{
	int64_t v;
	memcpy(&v, (const char *)r + k->offset, sizeof v);
	return v;
}

static int
word_of(const struct rule *r, const struct config_key *k)
{
	int v;
	memcpy(&v, (const char *)r + k->offset, sizeof v);
	return v;
}

static unsigned
count_of(const struct rule *r, const struct config_key *k)
{
	unsigned n;
	memcpy(&n, (const char *)r + k->count_offset, sizeof n);
	return n;
}

/* What the table says of a rule that does not say it. */
static int64_t
default_of(const struct config_key *k)
{
	int64_t v = 0;
	switch (k->type) {
	case CONFIG_KEY_ENUM:
		return config_schema_word(k->words, k->def);
	case CONFIG_KEY_DURATION:
		(void)config_form_duration(k->def, &v);
		return v;
	default:
		(void)config_form_size(k->def, &v);
		return v;
	}
}

static bool
is_asked(const struct rule *r, const struct config_key *k)
{
	switch (k->type) {
	case CONFIG_KEY_TEXTS:
		return count_of(r, k) > 0;
	case CONFIG_KEY_ENUM:
		return word_of(r, k) != default_of(k);
	default:
		return number_of(r, k) != default_of(k);
	}
}

void
rules_tell_any(struct rule *r)
{
	memset(r, 0, sizeof *r);
	for (size_t i = 0; i < config_schema_count(); i++) {
		const struct config_key *k = config_schema_at(i);
		if (!phrase_of(k) || k->type == CONFIG_KEY_TEXTS)
			continue;
		int64_t v = default_of(k);
		int word = (int)v;
		if (k->type == CONFIG_KEY_ENUM)
			memcpy((char *)r + k->offset, &word, sizeof word);
		else
			memcpy((char *)r + k->offset, &v, sizeof v);
	}
}

const struct config_key *
rules_tell_next(const struct rule *r, size_t *at)
{
	while (*at < config_schema_count()) {
		const struct config_key *k = config_schema_at((*at)++);
		if (phrase_of(k) && is_asked(r, k))
			return k;
	}
	return NULL;
}

bool
rules_tell_holds(const struct rule *r, const struct config_key *k, const struct rules_facts *f, int64_t now)
{
	struct rule alone;
	rules_tell_any(&alone);
	memcpy((char *)&alone + k->offset, (const char *)r + k->offset, bytes_of(k));
	if (k->type == CONFIG_KEY_TEXTS)
		memcpy((char *)&alone + k->count_offset, (const char *)r + k->count_offset, sizeof(unsigned));
	return rules_matches(&alone, f, now);
}

/* ---- in words ---- */

__attribute__((format(printf, 3, 4))) static void
add(char *out, size_t cap, const char *fmt, ...)
{
	size_t n = strlen(out);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(out + n, cap - n, fmt, ap);
	va_end(ap);
}

static void
value(const struct rule *r, const struct config_key *k, char *out, size_t cap)
{
	struct view word;
	char time[RULES_DURATION_MAX];
	out[0] = '\0';
	switch (k->type) {
	case CONFIG_KEY_TEXTS:
		for (unsigned i = 0; i < count_of(r, k); i++)
			add(out, cap, "%s%s", i == 0 ? "" : " or ", (const char *)r + k->offset + (size_t)i * k->stride);
		return;
	case CONFIG_KEY_ENUM:
		word = config_schema_word_at(k->words, word_of(r, k));
		add(out, cap, "%.*s", (int)word.n, (const char *)word.p);
		return;
	case CONFIG_KEY_DURATION:
		rules_duration(number_of(r, k), time);
		add(out, cap, "%s", time);
		return;
	default:
		add(out, cap, "%" PRId64, number_of(r, k));
		return;
	}
}

void
rules_tell_words(const struct rule *r, const struct config_key *k, char out[RULES_TELL_WORDS_MAX])
{
	char asked[RULES_TELL_WORDS_MAX];
	const char *text = phrase_of(k), *hole = strstr(text, "%s");
	value(r, k, asked, sizeof asked);
	snprintf(out, RULES_TELL_WORDS_MAX, "%.*s%s%s", (int)(hole - text), text, asked, hole + 2);
}

/* ---- all of them, held against an update ---- */

static void
put_misses(struct jsonw *j, const struct rule *r, const struct rules_facts *f, int64_t now, char *words)
{
	const struct config_key *k;
	size_t at = 0;
	jsonw_key(j, "misses");
	jsonw_array(j);
	while ((k = rules_tell_next(r, &at)) != NULL) {
		if (rules_tell_holds(r, k, f, now))
			continue;
		rules_tell_words(r, k, words);
		jsonw_object(j);
		jsonw_kcstr(j, "key", config_schema_leaf(k, SCHEMA));
		jsonw_kcstr(j, "words", words);
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
}

int
rules_tell_put(struct jsonw *j, const struct rule *rules, unsigned n, const struct rules_facts *f, int64_t now)
{
	char says[RULES_SENTENCE_MAX], *words = malloc(RULES_TELL_WORDS_MAX);
	bool decided = false;
	if (!words)
		return FG_ENOMEM;
	jsonw_array(j);
	for (unsigned i = 0; i < n && i < RULES_MAX; i++) {
		bool matches = rules_matches(&rules[i], f, now);
		rules_demand(&rules[i], f->security, says);
		jsonw_object(j);
		jsonw_kbool(j, "decides", matches && !decided);
		jsonw_kbool(j, "matches", matches);
		put_misses(j, &rules[i], f, now, words);
		jsonw_kcstr(j, "name", rules[i].name);
		jsonw_kcstr(j, "says", says);
		jsonw_object_end(j);
		decided = decided || matches;
	}
	jsonw_array_end(j);
	free(words);
	return FG_OK;
}
