/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_bundle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/jsonf.h"
#include "policy/profile_canonical.h"

#define BUNDLE_SCHEMA "fotagate-policy-bundle/1"
#define ITEM_TEXT_MAX (4u << 20) /* one profile or rule as JSON */

_Static_assert(POLICYSET_NAME_MAX == PROFILE_WORD_MAX + 1, "a statement names profiles");
_Static_assert(POLICYSET_PROFILES_MAX == CONFIG_PROFILES_MAX, "all of them");

static const char *const kinds[POLICY_BUNDLE_LIMIT] = {
	[POLICY_BUNDLE_BLACKOUT] = "blackout",
	[POLICY_BUNDLE_GROUP] = "group",
	[POLICY_BUNDLE_LIST] = "list",
	[POLICY_BUNDLE_PLAN] = "rollout plan",
	[POLICY_BUNDLE_PROFILE] = "profile",
	[POLICY_BUNDLE_RULE] = "rule",
	[POLICY_BUNDLE_SETTINGS] = "settings",
	[POLICY_BUNDLE_SUPPLIER] = "supplier",
	[POLICY_BUNDLE_WINDOW] = "window",
	[POLICY_BUNDLE_ANCHOR] = "anchor",
	[POLICY_BUNDLE_CA] = "CA file",
	[POLICY_BUNDLE_YARA] = "YARA rules",
	[POLICY_BUNDLE_HOOK] = "decision hook",
	[POLICY_BUNDLE_POLICY] = "policy",
};

const char *
policy_bundle_kind_name(enum policy_bundle_kind kind)
{
	return (unsigned)kind < POLICY_BUNDLE_LIMIT && kinds[kind] ? kinds[kind] : "";
}

void
policy_bundle_free(struct policy_bundle *b)
{
	if (!b)
		return;
	free(b->at);
	free(b);
}

static bool
is_configuration(enum policy_bundle_kind kind)
{
	return kind < POLICY_BUNDLE_ANCHOR;
}

/* ---- making ---- */

static int
add(struct policy_bundle *b, enum policy_bundle_kind kind, const char *name, const uint8_t sha256[DIGEST_SHA256_LEN])
{
	if (b->n == b->cap) {
		size_t cap = b->cap ? 2 * b->cap : 64;
		struct policy_bundle_item *more = reallocarray(b->at, cap, sizeof *more);
		if (!more)
			return FG_ENOMEM;
		b->at = more;
		b->cap = cap;
	}
	unsigned same = 1; /* groups may be said in several parts: "fleet", "fleet (2)" */
	for (size_t i = 0; i < b->n; i++)
		same += b->at[i].kind == kind && kind == POLICY_BUNDLE_GROUP && !strncmp(b->at[i].name, name, strlen(name)) &&
		    strchr(" ", b->at[i].name[strlen(name)]);
	struct policy_bundle_item *one = &b->at[b->n++];
	*one = (struct policy_bundle_item){ .kind = kind };
	if (same > 1)
		snprintf(one->name, sizeof one->name, "%.100s (%u)", name, same);
	else
		snprintf(one->name, sizeof one->name, "%s", name);
	memcpy(one->sha256, sha256, sizeof one->sha256);
	return FG_OK;
}

/* One element of the configuration by its canonical form. */
static int
add_group(struct policy_bundle *b, enum policy_bundle_kind kind, const char *name, const char *schema, const void *base)
{
	uint8_t sha256[DIGEST_SHA256_LEN];
	struct writer w;
	struct jsonw j;
	writer_init(&w, ITEM_TEXT_MAX);
	jsonw_init(&j, &w);
	profile_canonical_group(&j, schema, base);
	int err = writer_err(&w);
	if (!err)
		err = digest_sha256(writer_view(&w), sha256);
	writer_free(&w);
	return err ? err : add(b, kind, name, sha256);
}

/* What has no name of its own and decides all the same. */
static int
add_settings(struct policy_bundle *b, const struct config *c)
{
	uint8_t sha256[DIGEST_SHA256_LEN];
	struct writer w;
	struct jsonw j;
	writer_init(&w, ITEM_TEXT_MAX);
	jsonw_init(&j, &w);
	jsonw_object(&j);
	if (c->hook.program[0]) { /* a policy without one was signed before there were any */
		jsonw_key(&j, "hook");
		profile_canonical_group(&j, "hook", c);
	}
	jsonw_key(&j, "inspect");
	profile_canonical_group(&j, "inspect", c);
	jsonw_key(&j, "listings");
	profile_canonical_group(&j, "listings", c);
	jsonw_key(&j, "quorum_raise");
	profile_canonical_group(&j, "quorum_raise", c);
	jsonw_key(&j, "security_updates");
	jsonw_array(&j);
	for (unsigned i = 0; i < c->security_updates_n; i++)
		profile_canonical_group(&j, "security_updates[]", &c->security_updates[i]);
	jsonw_array_end(&j);
	jsonw_object_end(&j);
	int err = writer_err(&w);
	if (!err)
		err = digest_sha256(writer_view(&w), sha256);
	writer_free(&w);
	return err ? err : add(b, POLICY_BUNDLE_SETTINGS, "settings", sha256);
}

static int
add_configuration(struct policy_bundle *b, const struct config *c)
{
	int err = FG_OK;
	for (unsigned i = 0; !err && i < c->blackouts_n; i++)
		err = add_group(b, POLICY_BUNDLE_BLACKOUT, c->blackouts[i].name, "blackouts[]", &c->blackouts[i]);
	for (unsigned i = 0; !err && i < c->groups_n; i++)
		err = add_group(b, POLICY_BUNDLE_GROUP, c->groups[i].name, "groups[]", &c->groups[i]);
	for (size_t i = 0; !err && i < c->lists_n; i++)
		err = add(b, POLICY_BUNDLE_LIST, c->lists[i].name, c->lists[i].sha256);
	for (unsigned i = 0; !err && i < c->rollout_plans_n; i++)
		err = add_group(b, POLICY_BUNDLE_PLAN, c->rollout_plans[i].name, "rollout_plans[]", &c->rollout_plans[i]);
	for (size_t i = 0; !err && i < c->profiles_n; i++)
		err = add_group(b, POLICY_BUNDLE_PROFILE, c->profiles[i].name, "profile", &c->profiles[i]);
	for (unsigned i = 0; !err && i < c->rules_n; i++)
		err = add_group(b, POLICY_BUNDLE_RULE, c->rules[i].name, "rules[]", &c->rules[i]);
	if (!err)
		err = add_settings(b, c);
	for (unsigned i = 0; !err && i < c->suppliers_n; i++)
		err = add_group(b, POLICY_BUNDLE_SUPPLIER, c->suppliers[i].name, "suppliers[]", &c->suppliers[i]);
	for (unsigned i = 0; !err && i < c->windows_n; i++)
		err = add_group(b, POLICY_BUNDLE_WINDOW, c->windows[i].name, "windows[]", &c->windows[i]);
	return err;
}

static const struct policy_bundle_item *
file_named(const struct policy_bundle_item *files, size_t n, enum policy_bundle_kind kind, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (files[i].kind == kind && strcmp(files[i].name, name) == 0)
			return &files[i];
	return NULL;
}

struct making {
	struct policy_bundle *b;
	const struct policy_bundle_item *files;
	size_t files_n;
	char *why;
	size_t cap;
};

static int
add_file(struct making *m, enum policy_bundle_kind kind, const char *name)
{
	const struct policy_bundle_item *f = file_named(m->files, m->files_n, kind, name);
	if (!name[0] || policy_bundle_find(m->b, kind, name))
		return FG_OK;
	if (f)
		return add(m->b, kind, name, f->sha256);
	snprintf(m->why, m->cap, "the %s %s is not there", policy_bundle_kind_name(kind), name);
	return FG_ENOTFOUND;
}

/* What the policies below are made with is what is handed over. */
static int
add_hook(struct making *m, const struct config *c)
{
	int err = add_file(m, POLICY_BUNDLE_HOOK, c->hook.program);
	const struct policy_bundle_item *f = policy_bundle_find(m->b, POLICY_BUNDLE_HOOK, c->hook.program);
	if (!err && f && memcmp(f->sha256, c->hook.sha256, sizeof f->sha256) != 0)
		err = FG_EINVAL;
	return err;
}

static int
add_policy(struct making *m, const struct config *c, const struct profile *p)
{
	struct profile_anchor anchors[PROFILE_ANCHORS_MAX];
	uint8_t sha256[DIGEST_SHA256_LEN];
	for (unsigned i = 0; i < p->signature.anchors_n; i++) {
		const struct policy_bundle_item *f = policy_bundle_find(m->b, POLICY_BUNDLE_ANCHOR, p->signature.anchors[i]);
		anchors[i].name = p->signature.anchors[i];
		memcpy(anchors[i].sha256, f->sha256, sizeof anchors[i].sha256); /* added before, or nothing comes here */
	}
	int err = profile_digest(p, c, anchors, p->signature.anchors_n, sha256);
	return err ? err : add(m->b, POLICY_BUNDLE_POLICY, p->name, sha256);
}

static int
add_files(struct making *m, const struct config *c)
{
	int err = FG_OK;
	for (size_t i = 0; !err && i < c->profiles_n; i++)
		for (unsigned k = 0; !err && k < c->profiles[i].signature.anchors_n; k++)
			err = add_file(m, POLICY_BUNDLE_ANCHOR, c->profiles[i].signature.anchors[k]);
	for (size_t i = 0; !err && i < c->profiles_n; i++)
		err = add_file(m, POLICY_BUNDLE_CA, c->profiles[i].upstream_options.ca_file);
	if (!err)
		err = add_file(m, POLICY_BUNDLE_YARA, c->inspect.yara_rules);
	if (!err)
		err = add_hook(m, c);
	for (size_t i = 0; !err && i < c->profiles_n; i++)
		err = add_policy(m, c, &c->profiles[i]);
	return err;
}

/* ---- as text ---- */

static void
put_part(struct jsonw *j, const struct policy_bundle *b, bool configuration)
{
	jsonw_array(j);
	for (size_t i = 0; i < b->n; i++) {
		if (is_configuration(b->at[i].kind) != configuration)
			continue;
		jsonw_object(j);
		jsonw_kcstr(j, "kind", kinds[b->at[i].kind]);
		jsonw_kcstr(j, "name", b->at[i].name);
		jsonw_khex(j, "sha256", b->at[i].sha256, sizeof b->at[i].sha256);
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
}

int
policy_bundle_write(const struct policy_bundle *b, struct writer *w)
{
	struct jsonw j;
	jsonw_init(&j, w);
	jsonw_object(&j);
	jsonw_key(&j, "config");
	put_part(&j, b, true);
	jsonw_key(&j, "files");
	put_part(&j, b, false);
	jsonw_kcstr(&j, "schema", BUNDLE_SCHEMA);
	jsonw_object_end(&j);
	return writer_err(w);
}

static int
digest(struct policy_bundle *b)
{
	struct writer w;
	struct jsonw j;
	writer_init(&w, POLICY_BUNDLE_TEXT_MAX);
	jsonw_init(&j, &w);
	put_part(&j, b, true);
	int err = writer_err(&w);
	if (!err)
		err = digest_sha256(writer_view(&w), b->config);
	writer_reset(&w);
	if (!err)
		err = policy_bundle_write(b, &w);
	if (!err)
		err = digest_sha256(writer_view(&w), b->sha256);
	writer_free(&w);
	return err;
}

/*
 * None is made otherwise; of two with one name policy_bundle_find() and a person who reads what differs would see one.
 * A statement has a policy's whole name.
 */
static bool
follows(const struct policy_bundle *b, const struct policy_bundle_item *one)
{
	if (one->kind == POLICY_BUNDLE_POLICY && strlen(one->name) >= POLICYSET_NAME_MAX)
		return false;
	return (!b->n || one->kind >= b->at[b->n - 1].kind) && !policy_bundle_find(b, one->kind, one->name);
}

static bool
get_part(const struct json_value *v, bool configuration, struct policy_bundle *b)
{
	char kind[16];
	bool good = json_type(v) == JSON_ARRAY;
	for (size_t i = 0; good && i < json_count(v); i++) {
		struct policy_bundle_item one = { .kind = POLICY_BUNDLE_NONE };
		const struct json_value *e = json_at(v, i);
		good = json_cstr(json_get(e, "kind"), kind, sizeof kind) &&
		    json_cstr(json_get(e, "name"), one.name, sizeof one.name) &&
		    jsonf_hex(json_get(e, "sha256"), one.sha256, sizeof one.sha256);
		for (unsigned k = 1; good && k < POLICY_BUNDLE_LIMIT; k++)
			if (strcmp(kinds[k], kind) == 0)
				one.kind = (enum policy_bundle_kind)k;
		good = good && one.kind && is_configuration(one.kind) == configuration && follows(b, &one);
		if (good && b->n == b->cap) {
			size_t cap = b->cap ? 2 * b->cap : 64;
			struct policy_bundle_item *more = reallocarray(b->at, cap, sizeof *more);
			good = more != NULL;
			b->at = more ? more : b->at;
			b->cap = more ? cap : b->cap;
		}
		if (good)
			b->at[b->n++] = one;
	}
	return good;
}

int
policy_bundle_read(struct view text, struct policy_bundle **ret)
{
	struct json *doc = NULL;
	struct writer again;
	int err = text.n > POLICY_BUNDLE_TEXT_MAX ? FG_EFORMAT : json_parse(text, &doc, NULL);
	if (err)
		return err == FG_ENOMEM ? err : FG_EFORMAT;
	struct policy_bundle *b = calloc(1, sizeof *b);
	writer_init(&again, POLICY_BUNDLE_TEXT_MAX);
	if (!b)
		err = FG_ENOMEM;
	else if (!get_part(json_get(json_root(doc), "config"), true, b) ||
	    !get_part(json_get(json_root(doc), "files"), false, b) || policy_bundle_write(b, &again) ||
	    !view_equal(writer_view(&again), text))
		err = FG_EFORMAT;
	if (!err)
		err = digest(b);
	writer_free(&again);
	json_free(doc);
	if (err) {
		policy_bundle_free(b);
		return err;
	}
	*ret = b;
	return FG_OK;
}

int
policy_bundle_make(const struct config *c, const struct policy_bundle_item *files, size_t files_n,
    struct policy_bundle **ret, char *ret_why, size_t cap)
{
	struct making m = { .b = calloc(1, sizeof *m.b), .files = files, .files_n = files_n, .why = ret_why, .cap = cap };
	int err = m.b ? add_configuration(m.b, c) : FG_ENOMEM;
	if (!err)
		err = add_files(&m, c);
	if (!err)
		err = digest(m.b);
	if (err) {
		policy_bundle_free(m.b);
		return err;
	}
	*ret = m.b;
	return FG_OK;
}

int
policy_bundle_config(const struct config *c, uint8_t ret[DIGEST_SHA256_LEN])
{
	struct policy_bundle *b = calloc(1, sizeof *b);
	int err = b ? add_configuration(b, c) : FG_ENOMEM;
	if (!err)
		err = digest(b);
	if (!err)
		memcpy(ret, b->config, DIGEST_SHA256_LEN);
	policy_bundle_free(b);
	return err;
}

/* ---- of two ---- */

const struct policy_bundle_item *
policy_bundle_find(const struct policy_bundle *b, enum policy_bundle_kind kind, const char *name)
{
	return file_named(b->at, b->n, kind, name);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct policyset_profile *)a)->name, ((const struct policyset_profile *)b)->name);
}

void
policy_bundle_put(const struct policy_bundle *b, struct policyset *ret)
{
	memcpy(ret->bundle, b->sha256, sizeof ret->bundle);
	memcpy(ret->config, b->config, sizeof ret->config);
	ret->n = 0;
	for (size_t i = 0; i < b->n && ret->n < POLICYSET_PROFILES_MAX; i++) {
		if (b->at[i].kind != POLICY_BUNDLE_POLICY)
			continue;
		struct policyset_profile *p = &ret->profile[ret->n++];
		*p = (struct policyset_profile){ .name = "" };
		snprintf(p->name, sizeof p->name, "%.48s", b->at[i].name);
		memcpy(p->sha256, b->at[i].sha256, sizeof p->sha256);
	}
	qsort(ret->profile, ret->n, sizeof ret->profile[0], by_name);
}

void
policy_bundle_compare(const struct policy_bundle *was, const struct policy_bundle *now,
    void (*each)(void *ctx, const struct policy_bundle_item *item, enum policy_bundle_change change), void *ctx)
{
	for (size_t i = 0; i < now->n; i++) {
		const struct policy_bundle_item *before = policy_bundle_find(was, now->at[i].kind, now->at[i].name);
		if (!before)
			each(ctx, &now->at[i], POLICY_BUNDLE_NEW);
		else if (memcmp(before->sha256, now->at[i].sha256, sizeof before->sha256) != 0)
			each(ctx, &now->at[i], POLICY_BUNDLE_CHANGED);
	}
	for (size_t i = 0; i < was->n; i++)
		if (!policy_bundle_find(now, was->at[i].kind, was->at[i].name))
			each(ctx, &was->at[i], POLICY_BUNDLE_GONE);
}
