/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/genesis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/intoto.h"
#include "crypto/jsonf.h"
#include "crypto/visible.h"

#define GENESIS_PREDICATE "urn:fotagate:genesis:v1"

static int
no(char *ret_why, size_t cap, int err, const char *why)
{
	if (cap)
		snprintf(ret_why, cap, "%s", why);
	return err;
}

static bool
has_demo_name(const char *origin)
{
	/* The host part of the origin, up to the first slash. */
	size_t host = strcspn(origin, "/"), suffix = strlen(GENESIS_DEMO_SUFFIX);
	return host > suffix && strncmp(origin + host - suffix, GENESIS_DEMO_SUFFIX, suffix) == 0;
}

static const char *
bad_genesis(const struct genesis *g)
{
	if (!g->origin[0] || !visible_is_plain(view_str(g->origin)) || strpbrk(g->origin, " +\"\\"))
		return "origin is empty or holds a space, a plus sign, a quote or characters outside printable ASCII";
	if (g->demo != has_demo_name(g->origin))
		return "a demo's origin, and only a demo's, ends in .invalid";
	if (!g->floor_canary || !g->floor_production || !g->canary_max)
		return "a quorum floor is zero";
	if (g->floor_production < g->floor_canary)
		return "the floor for production lies below the one for canaries";
	if (g->floor_production > signers_persons(&g->set))
		return "the floor for production is more than there are persons";
	if (!g->log_vkey[0] || !visible_is_plain(view_str(g->log_vkey)))
		return "the log's verifier key is missing";
	if (g->set.number != 0)
		return "the genesis holds signer set 0";
	if (!g->glass.delay && g->glass.max_devices)
		return "break-glass without a veto delay";
	if (g->glass.delay && (g->glass.delay > GENESIS_GLASS_DELAY_MAX || (!g->demo && g->glass.delay < GENESIS_GLASS_DELAY_MIN)))
		return "the veto delay of break-glass is 5 minutes to 12 hours";
	if (g->glass.delay && g->floor_production < 2)
		return "where one person is enough anyway there is no break-glass";
	if (g->signed_policy && (g->policy.number || policyset_check(&g->policy, NULL, 0)))
		return "the policy of the genesis is no policy 0";
	return NULL;
}

int
genesis_encode(const struct genesis *g, struct writer *w)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	if (bad_genesis(g) || signers_check(&g->set, NULL, 0))
		return FG_EINVAL;
	int err = digest_sha256(view_str(g->origin), digest);
	if (err)
		return err;
	struct jsonw j;
	intoto_begin(&j, w);
	jsonw_object(&j);
	if (g->glass.delay) { /* a genesis without keeps its bytes */
		jsonw_key(&j, "breakglass");
		jsonw_object(&j);
		jsonw_kuint(&j, "delay", g->glass.delay);
		jsonw_kuint(&j, "max_devices", g->glass.max_devices);
		jsonw_object_end(&j);
	}
	jsonw_kbool(&j, "demo", g->demo);
	jsonw_key(&j, "floors");
	jsonw_object(&j);
	jsonw_kuint(&j, "canary", g->floor_canary);
	jsonw_kuint(&j, "canary_max_devices", g->canary_max);
	jsonw_kuint(&j, "production", g->floor_production);
	jsonw_object_end(&j);
	jsonw_kcstr(&j, "gateway", g->origin);
	jsonw_khex(&j, "instance", g->instance, sizeof g->instance);
	jsonw_kcstr(&j, "log", g->log_vkey);
	if (g->signed_policy) { /* a genesis without keeps its bytes */
		jsonw_key(&j, "policy");
		policyset_put(&j, &g->policy);
	}
	jsonw_key(&j, "set");
	signers_put(&j, &g->set);
	jsonw_object_end(&j);
	intoto_end(&j, GENESIS_PREDICATE, g->origin, digest);
	return writer_err(w);
}

static bool
get_genesis(const struct json_value *root, struct genesis *g)
{
	const struct json_value *p = json_get(root, "predicate"), *floors = json_get(p, "floors");
	const struct json_value *policy = json_get(p, "policy"), *glass = json_get(p, "breakglass");
	g->signed_policy = policy != NULL;
	return (!glass || (jsonf_u32(json_get(glass, "delay"), &g->glass.delay) &&
	    jsonf_u32(json_get(glass, "max_devices"), &g->glass.max_devices))) &&
	    (!policy || policyset_get(policy, true, &g->policy)) && json_bool(json_get(p, "demo"), &g->demo) &&
	    jsonf_u32(json_get(floors, "canary"), &g->floor_canary) &&
	    jsonf_u32(json_get(floors, "canary_max_devices"), &g->canary_max) &&
	    jsonf_u32(json_get(floors, "production"), &g->floor_production) &&
	    json_cstr(json_get(p, "gateway"), g->origin, sizeof g->origin) &&
	    jsonf_hex(json_get(p, "instance"), g->instance, sizeof g->instance) &&
	    json_cstr(json_get(p, "log"), g->log_vkey, sizeof g->log_vkey) && signers_get(json_get(p, "set"), &g->set);
}

int
genesis_parse(struct view text, struct genesis *ret, char *ret_why, size_t cap)
{
	struct json *doc = NULL;
	if (text.n > GENESIS_BYTES_MAX)
		return no(ret_why, cap, FG_EFORMAT, "genesis is larger than 32 KiB");
	int err = json_parse(text, &doc, NULL);
	if (err == FG_ENOMEM)
		return err;
	if (err)
		return no(ret_why, cap, FG_EFORMAT, "genesis is not strict JSON");
	struct genesis *g = calloc(1, sizeof *g);
	struct writer again;
	writer_init(&again, GENESIS_BYTES_MAX);
	const char *bad = NULL;
	if (!g)
		err = FG_ENOMEM;
	else if (!get_genesis(json_root(doc), g))
		err = no(ret_why, cap, FG_EFORMAT, "genesis lacks a field or holds a key of an unknown type");
	else if ((bad = bad_genesis(g)))
		err = no(ret_why, cap, FG_EFORMAT, bad);
	else if (signers_check(&g->set, ret_why, cap))
		err = FG_EFORMAT;
	else if (genesis_encode(g, &again) || !view_equal(writer_view(&again), text))
		err = no(ret_why, cap, FG_EFORMAT, "genesis is not in the one canonical form");
	else
		*ret = *g;
	writer_free(&again);
	free(g);
	json_free(doc);
	return err;
}

int
genesis_check(const struct genesis *g, struct view text, const struct signers_signature *sigs, unsigned n,
    int64_t now, char *ret_why, size_t cap)
{
	unsigned persons = 0;
	int err = signers_count(&g->set, text, SIGNERS_NAMESPACE, now, sigs, n, NULL, 0, &persons, NULL, NULL);
	if (err)
		return err;
	if (persons < g->set.threshold) {
		if (cap)
			snprintf(ret_why, cap, "genesis is signed by %u of the %u persons it needs", persons, g->set.threshold);
		return FG_EPERM;
	}
	return FG_OK;
}

uint32_t
genesis_floor(const struct genesis *g, uint32_t max_devices)
{
	return max_devices <= g->canary_max ? g->floor_canary : g->floor_production;
}

bool
genesis_permits(const struct genesis *g, uint64_t modules, uint32_t persons, bool off_console)
{
	uint32_t n = modules < UINT32_MAX ? (uint32_t)modules : UINT32_MAX;
	return persons >= genesis_floor(g, n) && (n <= g->canary_max || off_console);
}
