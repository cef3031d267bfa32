/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/rollout_plan.h"

#include <string.h>

#include "crypto/err.h"
#include "crypto/json.h"
#include "policy/profile.h"

#define PLAN_KEYS 7 /* beside those that came later */
#define RING_KEYS 9

static bool
number(const struct json_value *of, const char *key, int64_t *ret)
{
	return json_int(json_get(of, key), ret);
}

/* One that came later: absent it is 0, and never written so. */
static bool
late(const struct json_value *of, const char *key, int64_t *ret, size_t *keys)
{
	if (json_type(json_get(of, key)) == JSON_NONE)
		return true;
	++*keys;
	return number(of, key, ret) && *ret != 0;
}

static bool
read_ring(const struct json_value *v, struct rollout_ring *r)
{
	const struct json_value *groups = json_get(v, "groups");
	if (json_type(v) != JSON_OBJECT || json_count(v) != RING_KEYS || json_type(groups) != JSON_ARRAY ||
	    json_count(groups) > ROLLOUT_GROUPS_MAX)
		return false;
	for (size_t i = 0; i < json_count(groups); i++)
		if (!json_cstr(json_at(groups, i), r->groups[r->groups_n++], sizeof r->groups[0]))
			return false;
	return json_cstr(json_get(v, "name"), r->name, sizeof r->name) && json_bool(json_get(v, "human"), &r->human) &&
	    number(v, "share", &r->share) && number(v, "soak", &r->soak) && number(v, "reports", &r->reports) &&
	    number(v, "success", &r->success) && number(v, "failed", &r->failed) && number(v, "silent", &r->silent);
}

static bool
read_plan(const struct json_value *v, struct rollout_plan *p)
{
	const struct json_value *rings = json_get(v, "rings");
	char why[160];
	size_t keys = PLAN_KEYS;
	if (!late(v, "group_concurrent", &p->group_concurrent, &keys) || !late(v, "group_per_day", &p->group_per_day, &keys) ||
	    !late(v, "cell_concurrent", &p->cell_concurrent, &keys) || !late(v, "cell_per_day", &p->cell_per_day, &keys) ||
	    !late(v, "apn_concurrent", &p->apn_concurrent, &keys) || !late(v, "apn_per_day", &p->apn_per_day, &keys) ||
	    !late(v, "egress_watch", &p->egress_watch, &keys))
		return false;
	if (json_type(v) != JSON_OBJECT || json_count(v) != keys || json_type(rings) != JSON_ARRAY ||
	    json_count(rings) > ROLLOUT_RINGS_MAX)
		return false;
	for (size_t i = 0; i < json_count(rings); i++)
		if (!read_ring(json_at(rings, i), &p->rings[p->rings_n++]))
			return false;
	return json_cstr(json_get(v, "name"), p->name, sizeof p->name) && number(v, "concurrent", &p->concurrent) &&
	    number(v, "per_day", &p->per_day) && number(v, "settle", &p->settle) && number(v, "silence", &p->silence) &&
	    number(v, "silence_times", &p->silence_times) && !rollout_plan_flaw(p, why);
}

static int
digest_of(const struct json_value *plan, uint8_t out[DIGEST_SHA256_LEN])
{
	struct writer w;
	writer_init(&w, JSON_TEXT_MAX);
	json_canonical(plan, &w);
	int err = writer_err(&w);
	if (!err)
		err = digest_sha256(writer_view(&w), out);
	writer_free(&w);
	return err;
}

int
rollout_plan_read(struct view policy, struct rollout_plan *ret, bool *ret_have, uint8_t digest[DIGEST_SHA256_LEN])
{
	struct json *doc = NULL;
	struct view schema;
	*ret = (struct rollout_plan){ .rings_n = 0 };
	*ret_have = false;
	memset(digest, 0, DIGEST_SHA256_LEN);
	int err = json_parse(policy, &doc, NULL);
	if (err)
		return err == FG_ENOMEM ? err : FG_EFORMAT;
	const struct json_value *root = json_root(doc), *plan = json_get(root, "rollout");
	bool good = json_string(json_get(root, "schema"), &schema) &&
	    (view_is(schema, PROFILE_POLICY_SCHEMA) || view_is(schema, PROFILE_POLICY_SCHEMA_OLD));
	*ret_have = good && json_type(plan) != JSON_NONE && json_type(plan) != JSON_NULL;
	if (*ret_have)
		good = read_plan(plan, ret);
	err = good ? FG_OK : FG_EFORMAT;
	if (good && *ret_have)
		err = digest_of(plan, digest);
	json_free(doc);
	if (err)
		*ret = (struct rollout_plan){ .rings_n = 0 };
	return err;
}
