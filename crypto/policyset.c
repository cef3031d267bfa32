/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/policyset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/intoto.h"
#include "crypto/jsonf.h"
#include "crypto/visible.h"

#define POLICYSET_PREDICATE "urn:fotagate:policy:v1"
#define POLICYSET_SUBJECT "policy"

static int
no(char *ret_why, size_t cap, int err, const char *why)
{
	if (cap)
		snprintf(ret_why, cap, "%s", why);
	return err;
}

static bool
is_zero(const uint8_t digest[DIGEST_SHA256_LEN])
{
	static const uint8_t none[DIGEST_SHA256_LEN];
	return memcmp(digest, none, sizeof none) == 0;
}

int
policyset_check(const struct policyset *s, char *ret_why, size_t cap)
{
	if (s->n > POLICYSET_PROFILES_MAX)
		return no(ret_why, cap, FG_EINVAL, "a policy has at most 256 profiles");
	for (uint32_t i = 0; i < s->n; i++) {
		const char *name = s->profile[i].name;
		if (!name[0] || !visible_is_plain(view_str(name)) || strpbrk(name, " \"\\"))
			return no(ret_why, cap, FG_EINVAL, "a profile's name is empty or holds what no name may hold");
		if (i > 0 && strcmp(s->profile[i - 1].name, name) >= 0)
			return no(ret_why, cap, FG_EINVAL, "profiles are not in order, or one is listed twice");
	}
	if (is_zero(s->bundle) || is_zero(s->config))
		return no(ret_why, cap, FG_EINVAL, "the digest of the bundle is missing");
	if ((s->number == 0) != is_zero(s->previous) || (s->number == 0 && (s->signers || s->time)))
		return no(ret_why, cap, FG_EINVAL, "only the policy of genesis has no predecessor");
	if (s->number && (!jsonf_is_time(s->time) || !s->time))
		return no(ret_why, cap, FG_EINVAL, "time is missing");
	return FG_OK;
}

void
policyset_put(struct jsonw *j, const struct policyset *s)
{
	jsonw_object(j);
	jsonw_khex(j, "bundle", s->bundle, sizeof s->bundle);
	jsonw_khex(j, "config", s->config, sizeof s->config);
	if (s->number) {
		jsonw_kuint(j, "number", s->number);
		jsonw_khex(j, "previous", s->previous, sizeof s->previous);
	}
	jsonw_key(j, "profiles");
	jsonw_object(j);
	for (uint32_t i = 0; i < s->n; i++)
		jsonw_khex(j, s->profile[i].name, s->profile[i].sha256, sizeof s->profile[i].sha256);
	jsonw_object_end(j);
	if (s->number) {
		jsonw_kuint(j, "signers", s->signers);
		jsonf_put_time(j, "time", s->time);
	}
	jsonw_object_end(j);
}

static bool
get_profiles(const struct json_value *v, struct policyset *ret)
{
	size_t n = json_count(v);
	if (json_type(v) != JSON_OBJECT || n > POLICYSET_PROFILES_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct policyset_profile *p = &ret->profile[i];
		struct view name = json_key_at(v, i);
		if (!name.n || name.n >= sizeof p->name || memchr(name.p, '\0', name.n) ||
		    !jsonf_hex(json_at(v, i), p->sha256, sizeof p->sha256))
			return false;
		memcpy(p->name, name.p, name.n);
		p->name[name.n] = '\0';
	}
	ret->n = (uint32_t)n;
	return true;
}

bool
policyset_get(const struct json_value *v, bool is_genesis, struct policyset *ret)
{
	*ret = (struct policyset){ 0 };
	return jsonf_hex(json_get(v, "bundle"), ret->bundle, sizeof ret->bundle) &&
	    jsonf_hex(json_get(v, "config"), ret->config, sizeof ret->config) &&
	    get_profiles(json_get(v, "profiles"), ret) &&
	    (is_genesis || (jsonf_u32(json_get(v, "number"), &ret->number) && ret->number &&
	    jsonf_hex(json_get(v, "previous"), ret->previous, sizeof ret->previous) &&
	    jsonf_u32(json_get(v, "signers"), &ret->signers) && jsonf_time(json_get(v, "time"), &ret->time)));
}

int
policyset_encode(const struct policyset *s, const char *origin, struct writer *w)
{
	int err = s->number ? policyset_check(s, NULL, 0) : FG_EINVAL;
	if (err)
		return err;
	struct jsonw j;
	intoto_begin(&j, w);
	jsonw_object(&j);
	jsonw_kcstr(&j, "gateway", origin);
	jsonw_key(&j, "policy");
	policyset_put(&j, s);
	jsonw_object_end(&j);
	intoto_end(&j, POLICYSET_PREDICATE, POLICYSET_SUBJECT, s->bundle);
	return writer_err(w);
}

int
policyset_parse(struct view text, const char *origin, struct policyset *ret, char *ret_why, size_t cap)
{
	struct json *doc = NULL;
	if (text.n > POLICYSET_BYTES_MAX)
		return no(ret_why, cap, FG_EFORMAT, "policy statement is larger than 32 KiB");
	int err = json_parse(text, &doc, NULL);
	if (err == FG_ENOMEM)
		return err;
	if (err)
		return no(ret_why, cap, FG_EFORMAT, "policy statement is not strict JSON");
	struct policyset *s = calloc(1, sizeof *s);
	struct writer again;
	writer_init(&again, POLICYSET_BYTES_MAX);
	if (!s)
		err = FG_ENOMEM;
	else if (!policyset_get(json_get(json_get(json_root(doc), "predicate"), "policy"), false, s))
		err = no(ret_why, cap, FG_EFORMAT, "policy statement lacks a field or holds one of another type");
	else if (policyset_check(s, ret_why, cap))
		err = FG_EFORMAT;
	else if (policyset_encode(s, origin, &again) || !view_equal(writer_view(&again), text))
		err = no(ret_why, cap, FG_EFORMAT, "policy statement is not canonical or belongs to another gateway");
	else
		*ret = *s;
	writer_free(&again);
	free(s);
	json_free(doc);
	return err;
}

bool
policyset_has(const struct policyset *s, const char *profile, const uint8_t sha256[DIGEST_SHA256_LEN])
{
	for (uint32_t i = 0; i < s->n; i++)
		if (strcmp(s->profile[i].name, profile) == 0)
			return memcmp(s->profile[i].sha256, sha256, DIGEST_SHA256_LEN) == 0;
	return false;
}
