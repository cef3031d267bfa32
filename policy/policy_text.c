/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_text.h"

#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/jsonf.h"
#include "policy/config_schema.h"
#include "policy/rules_check.h"
#include "policy/supplier.h"

/*
 * Reading is lenient and safe, and passes over what does not fit: the text that is
 * made of it then differs from the one given, which is the check.
 */
static void read_group(const struct json_value *v, const char *schema, void *base);

static void
put_count(void *base, const struct config_key *k, unsigned n)
{
	memcpy((char *)base + k->count_offset, &n, sizeof n);
}

static unsigned
fitting(const struct json_value *v, const struct config_key *k)
{
	return json_count(v) < (size_t)k->max ? (unsigned)json_count(v) : (unsigned)k->max;
}

static void
read_list(const struct json_value *v, const struct config_key *k, const char *inside, void *base)
{
	unsigned n = json_type(v) == JSON_ARRAY ? fitting(v, k) : 0;
	for (unsigned i = 0; i < n; i++) {
		char *e = (char *)base + k->offset + (size_t)i * k->stride;
		if (k->type == CONFIG_KEY_LIST)
			read_group(json_at(v, i), inside, e);
		else
			(void)json_cstr(json_at(v, i), e, k->stride);
	}
	put_count(base, k, n);
}

static void
read_named(const struct json_value *v, const struct config_key *k, const char *inside, void *base)
{
	unsigned n = json_type(v) == JSON_OBJECT ? fitting(v, k) : 0;
	for (unsigned i = 0; i < n; i++) {
		char *e = (char *)base + k->offset + (size_t)i * k->stride;
		struct view name = json_key_at(v, i);
		if (name.n > PROFILE_WORD_MAX)
			continue;
		read_group(json_at(v, i), inside, e);
		memcpy(e, name.p, name.n); /* each begins with its name */
		e[name.n] = '\0';
	}
	put_count(base, k, n);
}

static void
read_value(const struct json_value *v, const struct config_key *k, void *base)
{
	char inside[CONFIG_SCHEMA_PATH_MAX], word[64];
	char *at = (char *)base + k->offset;
	int64_t number;
	bool flag;
	int i;
	config_schema_inside(k, inside);
	switch (k->type) {
	case CONFIG_KEY_BOOL:
		if (json_bool(v, &flag))
			memcpy(at, &flag, sizeof flag);
		return;
	case CONFIG_KEY_INT:
	case CONFIG_KEY_SIZE:
	case CONFIG_KEY_DURATION:
		if (json_int(v, &number) && number >= k->min && number <= k->max)
			memcpy(at, &number, sizeof number);
		return;
	case CONFIG_KEY_ENUM:
		i = json_cstr(v, word, sizeof word) ? config_schema_word(k->words, word) : -1;
		if (i >= 0)
			memcpy(at, &i, sizeof i);
		return;
	case CONFIG_KEY_TEXT:
		(void)json_cstr(v, at, k->stride);
		return;
	case CONFIG_KEY_TEXTS:
	case CONFIG_KEY_LIST:
		read_list(v, k, inside, base);
		return;
	case CONFIG_KEY_GROUP:
		read_group(v, inside, base);
		return;
	case CONFIG_KEY_NAMED:
		read_named(v, k, inside, base);
		return;
	case CONFIG_KEY_NONE:
		break;
	}
}

static void
read_group(const struct json_value *v, const char *schema, void *base)
{
	for (size_t i = 0; i < config_schema_count(); i++) {
		const struct config_key *k = config_schema_at(i);
		const char *leaf = config_schema_leaf(k, schema);
		const struct json_value *member = leaf ? json_get(v, leaf) : NULL;
		if (member)
			read_value(member, k, base);
	}
}

/* Whether the same policy comes of it. */
static bool
gives(const struct config *c, const struct json_value *anchors, struct view text)
{
	const struct profile *p = &c->profiles[0];
	struct profile_anchor anchor[PROFILE_ANCHORS_MAX];
	struct writer w;
	bool good = json_count(anchors) == p->signature.anchors_n;
	for (unsigned i = 0; good && i < p->signature.anchors_n; i++) {
		anchor[i].name = p->signature.anchors[i];
		good = jsonf_hex(json_at(anchors, i), anchor[i].sha256, sizeof anchor[i].sha256);
	}
	writer_init(&w, POLICY_TEXT_MAX);
	good = good && profile_canonical(p, c, anchor, p->signature.anchors_n, &w) == FG_OK && view_equal(writer_view(&w), text);
	writer_free(&w);
	return good;
}

/* As the profile names them, in its order: nothing else of them was kept. One that does not resolve stays out. */
static void
read_windows(const struct json_value *root, struct config *c, struct window_list *l)
{
	read_value(json_get(root, "windows"), config_schema_find("windows"), c);
	read_value(json_get(root, "blackouts"), config_schema_find("blackouts"), c);
	for (unsigned i = 0; i < c->windows_n && l->n < WINDOW_USED_MAX; i++)
		if (window_resolve(&c->windows[i]))
			l->window[l->n++] = &c->windows[i];
	for (unsigned i = 0; i < c->blackouts_n && l->blackouts_n < WINDOW_USED_MAX; i++)
		if (window_blackout_resolve(&c->blackouts[i]))
			l->blackout[l->blackouts_n++] = &c->blackouts[i];
}

static bool
says(const struct json_value *v, enum supplier_listed is)
{
	struct view word;
	return json_string(json_get(v, "says"), &word) && view_is(word, supplier_listed_name(is));
}

/* What a list says of this supplier was kept, not whom it names: the shortest list that says so. FG_ENOMEM. */
static int
read_lists(const struct json_value *v, struct config *c)
{
	size_t n = json_type(v) == JSON_ARRAY ? json_count(v) : 0;
	if (n > CONFIG_LISTS_MAX)
		n = CONFIG_LISTS_MAX;
	c->lists = n > 0 ? calloc(n, sizeof *c->lists) : NULL;
	if (n > 0 && !c->lists)
		return FG_ENOMEM;
	for (; c->lists_n < n; c->lists_n++) {
		const struct json_value *from = json_at(v, c->lists_n);
		struct config_list *l = &c->lists[c->lists_n];
		int64_t day;
		(void)json_cstr(json_get(from, "date"), l->date, sizeof l->date);
		(void)json_cstr(json_get(from, "name"), l->name, sizeof l->name);
		(void)jsonf_hex(json_get(from, "sha256"), l->sha256, sizeof l->sha256);
		if (zone_date_parse(view_str(l->date), &day))
			l->dated = day * ZONE_DAY;
		l->complete = says(from, SUPPLIER_NOT_LISTED);
		l->entities_n = says(from, SUPPLIER_LISTED);
		if (l->entities_n)
			memcpy(l->entities[0].supplier, c->suppliers[0].name, sizeof l->entities[0].supplier);
	}
	return FG_OK;
}

/* The lists of fotagate.conf's own; FG_ENOMEM. */
static int
read_all(const struct json_value *root, struct config *c)
{
	const struct json_value *plan = json_get(root, "rollout"), *hook = json_get(root, "hook");
	struct config_problems *problems = calloc(1, sizeof *problems);
	c->profiles = calloc(1, sizeof *c->profiles);
	if (!problems || !c->profiles) {
		free(problems);
		return FG_ENOMEM;
	}
	c->profiles_n = 1;
	c->suppliers_n = 1;
	read_group(json_get(root, "profile"), "profile", &c->profiles[0]);
	read_group(json_get(root, "quorum_raise"), "quorum_raise", c);
	read_group(json_get(hook, "settings"), "hook", c);
	(void)jsonf_hex(json_get(hook, "sha256"), c->hook.sha256, sizeof c->hook.sha256);
	read_group(json_get(root, "supplier"), "suppliers[]", &c->suppliers[0]);
	read_value(json_get(root, "rules"), config_schema_find("rules"), c);
	read_value(json_get(root, "security_updates"), config_schema_find("security_updates"), c);
	read_windows(root, c, &c->profiles[0].windows);
	read_group(plan, "rollout_plans[]", &c->rollout_plans[0]);
	c->rollout_plans_n = json_type(plan) == JSON_OBJECT;
	/* Only for what it resolves: what was in force was in order then. */
	rules_check(c, "policy", problems);
	free(problems);
	return read_lists(json_get(root, "lists"), c);
}

int
policy_text_read(struct view text, struct config **ret)
{
	struct json *doc = NULL;
	int err = text.n > POLICY_TEXT_MAX ? FG_EFORMAT : json_parse(text, &doc, NULL);
	if (err)
		return err == FG_ENOMEM ? err : FG_EFORMAT;
	struct config *c = calloc(1, sizeof *c);
	err = c ? read_all(json_root(doc), c) : FG_ENOMEM;
	if (!err && !gives(c, json_get(json_root(doc), "anchors"), text))
		err = FG_EFORMAT;
	json_free(doc);
	if (err) {
		config_free(c);
		return err;
	}
	*ret = c;
	return FG_OK;
}
