/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile_canonical - the policy people sign.
 * Written from the table of keys and not key by key, so that a key that is
 * added cannot be forgotten here: what is configured is what is hashed.
 */
#include "policy/profile_canonical.h"

#include "crypto/err.h"
#include "crypto/jsonw.h"
#include "policy/config.h"
#include "policy/config_schema.h"
#include "policy/supplier.h"

static void put_group(struct jsonw *j, const char *schema, const void *base);

static const char *
field(const void *base, const struct config_key *k)
{
	return (const char *)base + k->offset;
}

static unsigned
count(const void *base, const struct config_key *k)
{
	unsigned n;
	memcpy(&n, (const char *)base + k->count_offset, sizeof n);
	return n;
}

static void
put_named(struct jsonw *j, const struct config_key *k, const char *inside, const void *base)
{
	unsigned n = count(base, k);
	const char *last = NULL;
	jsonw_object(j);
	for (unsigned done = 0; done < n; done++) { /* names are distinct: the scan saw to it */
		const char *best = NULL;
		for (unsigned i = 0; i < n; i++) {
			const char *e = field(base, k) + (size_t)i * k->stride;
			if ((!last || strcmp(e, last) > 0) && (!best || strcmp(e, best) < 0))
				best = e;
		}
		if (!best)
			break;
		jsonw_key(j, best);
		put_group(j, inside, best);
		last = best;
	}
	jsonw_object_end(j);
}

static void
put_value(struct jsonw *j, const struct config_key *k, const void *base)
{
	char inside[CONFIG_SCHEMA_PATH_MAX];
	int64_t v;
	int word;
	bool b;
	config_schema_inside(k, inside);
	switch (k->type) {
	case CONFIG_KEY_BOOL:
		memcpy(&b, field(base, k), sizeof b);
		jsonw_bool(j, b);
		return;
	case CONFIG_KEY_INT:
	case CONFIG_KEY_SIZE:
	case CONFIG_KEY_DURATION:
		memcpy(&v, field(base, k), sizeof v);
		jsonw_int(j, v);
		return;
	case CONFIG_KEY_ENUM:
		memcpy(&word, field(base, k), sizeof word);
		jsonw_string(j, config_schema_word_at(k->words, word));
		return;
	case CONFIG_KEY_TEXT:
		jsonw_cstr(j, field(base, k));
		return;
	case CONFIG_KEY_TEXTS:
	case CONFIG_KEY_LIST:
		jsonw_array(j);
		for (unsigned i = 0; i < count(base, k); i++) {
			const char *e = field(base, k) + (size_t)i * k->stride;
			if (k->type == CONFIG_KEY_LIST)
				put_group(j, inside, e);
			else
				jsonw_cstr(j, e);
		}
		jsonw_array_end(j);
		return;
	case CONFIG_KEY_GROUP:
		put_group(j, inside, base);
		return;
	case CONFIG_KEY_NAMED:
		put_named(j, k, inside, base);
		return;
	case CONFIG_KEY_NONE:
		break;
	}
}

/* The direct keys of a group in ascending order. */
static void
put_group(struct jsonw *j, const char *schema, const void *base)
{
	const char *last = NULL;
	jsonw_object(j);
	for (;;) {
		const struct config_key *best = NULL;
		const char *best_leaf = NULL;
		for (size_t i = 0; i < config_schema_count(); i++) {
			const char *leaf = config_schema_leaf(config_schema_at(i), schema);
			if (leaf && (!last || strcmp(leaf, last) > 0) &&
			    (!best || strcmp(leaf, best_leaf) < 0)) {
				best = config_schema_at(i);
				best_leaf = leaf;
			}
		}
		if (!best)
			break;
		jsonw_key(j, best_leaf);
		put_value(j, best, base);
		last = best_leaf;
	}
	jsonw_object_end(j);
}

void
profile_canonical_group(struct jsonw *j, const char *schema, const void *base)
{
	put_group(j, schema, base);
}

/* What the profile's names of windows and blackouts mean. */
static void
put_windows(struct jsonw *j, const struct window_list *l)
{
	jsonw_key(j, "windows");
	jsonw_array(j);
	for (unsigned i = 0; i < l->n; i++)
		put_group(j, "windows[]", l->window[i]);
	jsonw_array_end(j);
}

static void
put_blackouts(struct jsonw *j, const struct window_list *l)
{
	jsonw_key(j, "blackouts");
	jsonw_array(j);
	for (unsigned i = 0; i < l->blackouts_n; i++)
		put_group(j, "blackouts[]", l->blackout[i]);
	jsonw_array_end(j);
}

/* What each imported list says of the supplier, as of which day, by which file. */
static void
put_lists(struct jsonw *j, const struct config *c, const struct config_supplier *s)
{
	jsonw_key(j, "lists");
	jsonw_array(j);
	for (size_t i = 0; i < c->lists_n; i++) {
		const struct config_list *l = &c->lists[i];
		jsonw_object(j);
		jsonw_kcstr(j, "date", l->date);
		jsonw_kcstr(j, "name", l->name);
		jsonw_kcstr(j, "says", supplier_listed_name(supplier_listed(s, l, NULL)));
		jsonw_khex(j, "sha256", l->sha256, sizeof l->sha256);
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
}

/* By content: a changed program is another policy. Without one, a policy is what it was before there were any. */
static void
put_hook(struct jsonw *j, const struct config *c)
{
	if (!c->hook.program[0])
		return;
	jsonw_key(j, "hook");
	jsonw_object(j);
	jsonw_key(j, "settings");
	put_group(j, "hook", c);
	jsonw_khex(j, "sha256", c->hook.sha256, sizeof c->hook.sha256);
	jsonw_object_end(j);
}

static const struct profile_anchor *
anchor_named(const struct profile_anchor *anchors, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(anchors[i].name, name) == 0)
			return &anchors[i];
	return NULL;
}

int
profile_canonical(const struct profile *p, const struct config *c,
    const struct profile_anchor *anchors, size_t anchors_n, struct writer *w)
{
	const struct config_supplier *supplier = config_supplier(c, view_str(p->supplier));
	struct jsonw j;
	const struct rollout_plan *plan = config_rollout_plan(c, view_str(p->rollout));
	if (!supplier || (p->rollout[0] != '\0' && !plan))
		return FG_EINVAL;
	for (unsigned i = 0; i < p->signature.anchors_n; i++)
		if (!anchor_named(anchors, anchors_n, p->signature.anchors[i]))
			return FG_EINVAL;
	jsonw_init(&j, w);
	jsonw_object(&j);
	jsonw_key(&j,
	    "anchors"); /* in the profile's order, by content: a replaced file is another policy */
	jsonw_array(&j);
	for (unsigned i = 0; i < p->signature.anchors_n; i++)
		jsonw_hex(&j, anchor_named(anchors, anchors_n, p->signature.anchors[i])->sha256,
		    DIGEST_SHA256_LEN);
	jsonw_array_end(&j);
	put_blackouts(&j, &p->windows);
	put_hook(&j, c);
	put_lists(&j, c, supplier);
	jsonw_key(&j, "profile");
	put_group(&j, "profile", p);
	jsonw_key(&j, "quorum_raise");
	put_group(&j, "quorum_raise", c);
	jsonw_key(&j, "rollout"); /* whole: it is what opens rings, and policy/rollout_plan reads it from here */
	if (plan)
		put_group(&j, "rollout_plans[]", plan);
	else
		jsonw_null(&j);
	jsonw_key(&j, "rules"); /* in their order, which decides; those for other vendors are not this one's policy */
	jsonw_array(&j);
	for (unsigned i = 0; i < c->rules_n; i++)
		if (rules_concern(&c->rules[i], p, supplier->country))
			put_group(&j, "rules[]", &c->rules[i]);
	jsonw_array_end(&j);
	jsonw_kcstr(&j, "schema", PROFILE_POLICY_SCHEMA);
	jsonw_key(&j, "security_updates");
	jsonw_array(&j);
	for (unsigned i = 0; i < c->security_updates_n; i++)
		if (strcmp(c->security_updates[i].profile, p->name) == 0)
			put_group(&j, "security_updates[]", &c->security_updates[i]);
	jsonw_array_end(&j);
	jsonw_key(&j, "supplier");
	put_group(&j, "suppliers[]", supplier);
	put_windows(&j, &p->windows);
	jsonw_object_end(&j);
	return writer_err(w);
}
