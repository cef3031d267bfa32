/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/release.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/genesis.h"
#include "crypto/json.h"
#include "crypto/jsonf.h"
#include "crypto/visible.h"

#define RELEASE_SCHEMA "fotagate-release/1"

static int
no(char *ret_why, size_t cap, const char *why)
{
	if (cap)
		snprintf(ret_why, cap, "%s", why);
	return FG_EFORMAT;
}

/* ---- writing ---- */

static void
put_statements(struct jsonw *j, const struct release *r)
{
	jsonw_key(j, "statements");
	jsonw_array(j);
	for (uint32_t i = 0; i < r->statements_n; i++) {
		const struct release_statement *s = &r->statement[i];
		jsonw_object(j);
		jsonw_kcstr(j, "approver", s->approver);
		jsonw_khex(j, "key", s->key, sizeof s->key);
		jsonw_khex(j, "signature", s->signature, sizeof s->signature);
		jsonw_khex(j, "statement", s->statement, sizeof s->statement);
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
}

static void
put_terms(struct jsonw *j, const struct approval_terms *t)
{
	jsonw_object(j);
	approval_list_put_some(j, "checklist", &t->checklist);
	approval_delta_put(j, &t->delta);
	approval_list_put(j, "findings", &t->findings);
	approval_list_put(j, "from_versions", &t->from_versions);
	jsonw_kcstr(j, "gateway", t->gateway);
	approval_list_put(j, "groups", &t->groups);
	jsonw_khex(j, "image", t->image, sizeof t->image);
	jsonw_kuint(j, "max_devices", t->max_devices);
	jsonf_put_time(j, "not_after", t->not_after);
	jsonf_put_time(j, "not_before", t->not_before);
	if (t->have_plan)
		jsonw_khex(j, "plan", t->plan, sizeof t->plan);
	jsonw_khex(j, "policy", t->policy, sizeof t->policy);
	jsonw_kcstr(j, "product", t->product);
	jsonw_kcstr(j, "profile", t->profile);
	if (t->quorum)
		jsonw_kuint(j, "quorum", t->quorum);
	jsonw_khex(j, "report", t->report, sizeof t->report);
	jsonw_khex(j, "resource", t->resource, sizeof t->resource);
	jsonw_kcstr(j, "review", t->review);
	if (t->have_signer)
		jsonw_khex(j, "signer", t->signer, sizeof t->signer);
	jsonw_kcstr(j, "subject", t->subject);
	jsonw_kcstr(j, "target", t->target);
	approval_list_put_some(j, "waived", &t->waived);
	jsonw_object_end(j);
}

int
release_encode(const struct release *r, struct writer *w)
{
	const struct approval_terms *t = &r->terms;
	if (!jsonf_is_time(r->issued) || !jsonf_is_time(r->as_of) || !jsonf_is_time(t->not_before) || !jsonf_is_time(t->not_after))
		return FG_EINVAL;
	struct jsonw j;
	jsonw_init(&j, w);
	jsonw_object(&j);
	if (r->as_of)
		jsonf_put_time(&j, "as_of", r->as_of);
	jsonw_key(&j, "blocks");
	jsonw_object(&j);
	jsonw_kuint(&j, "count", r->blocks);
	jsonw_khex(&j, "sha256", r->blocks_sha256, sizeof r->blocks_sha256);
	jsonw_kuint(&j, "size", r->block_size);
	jsonw_object_end(&j);
	if (r->glass)
		jsonw_kuint(&j, "breakglass", r->glass);
	jsonf_put_time(&j, "issued", r->issued);
	jsonw_kuint(&j, "log_size", r->log_size);
	jsonw_kuint(&j, "quorum", r->quorum);
	jsonw_kcstr(&j, "schema", RELEASE_SCHEMA);
	jsonw_kuint(&j, "signers", r->signers_number);
	jsonw_kuint(&j, "size", r->size);
	if (r->by_standing)
		jsonw_khex(&j, "standing", r->standing, sizeof r->standing);
	put_statements(&j, r);
	jsonw_key(&j, "terms");
	put_terms(&j, &r->terms);
	jsonw_object_end(&j);
	return writer_err(w);
}

/* ---- reading ---- */

static bool
get_terms(const struct json_value *v, struct approval_terms *t)
{
	const struct json_value *quorum = json_get(v, "quorum"), *plan = json_get(v, "plan");
	const struct json_value *signer = json_get(v, "signer");
	t->have_signer = signer != NULL;
	t->decision = APPROVAL_APPROVE;
	t->have_plan = plan != NULL;
	return (!quorum || jsonf_u32(quorum, &t->quorum)) && (!plan || jsonf_hex(plan, t->plan, sizeof t->plan)) &&
	    (!signer || jsonf_hex(signer, t->signer, sizeof t->signer)) &&
	    approval_delta_get(json_get(v, "delta"), &t->delta) &&
	    approval_list_get_some(json_get(v, "checklist"), &t->checklist) &&
	    approval_list_get_some(json_get(v, "waived"), &t->waived) &&
	    approval_list_get(json_get(v, "findings"), &t->findings) &&
	    approval_list_get(json_get(v, "from_versions"), &t->from_versions) &&
	    json_cstr(json_get(v, "gateway"), t->gateway, sizeof t->gateway) &&
	    approval_list_get(json_get(v, "groups"), &t->groups) &&
	    jsonf_hex(json_get(v, "image"), t->image, sizeof t->image) &&
	    jsonf_u32(json_get(v, "max_devices"), &t->max_devices) &&
	    jsonf_time(json_get(v, "not_after"), &t->not_after) &&
	    jsonf_time(json_get(v, "not_before"), &t->not_before) &&
	    jsonf_hex(json_get(v, "policy"), t->policy, sizeof t->policy) &&
	    json_cstr(json_get(v, "product"), t->product, sizeof t->product) &&
	    json_cstr(json_get(v, "profile"), t->profile, sizeof t->profile) &&
	    jsonf_hex(json_get(v, "report"), t->report, sizeof t->report) &&
	    jsonf_hex(json_get(v, "resource"), t->resource, sizeof t->resource) &&
	    json_cstr(json_get(v, "review"), t->review, sizeof t->review) &&
	    json_cstr(json_get(v, "subject"), t->subject, sizeof t->subject) &&
	    json_cstr(json_get(v, "target"), t->target, sizeof t->target);
}

static bool
get_statements(const struct json_value *v, struct release *r)
{
	size_t n = json_count(v);
	if (json_type(v) != JSON_ARRAY || n > RELEASE_STATEMENTS_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct json_value *e = json_at(v, i);
		struct release_statement *s = &r->statement[i];
		if (!json_cstr(json_get(e, "approver"), s->approver, sizeof s->approver) ||
		    !jsonf_hex(json_get(e, "key"), s->key, sizeof s->key) ||
		    !jsonf_hex(json_get(e, "signature"), s->signature, sizeof s->signature) ||
		    !jsonf_hex(json_get(e, "statement"), s->statement, sizeof s->statement))
			return false;
	}
	r->statements_n = (uint32_t)n;
	return true;
}

static bool
get_release(const struct json_value *v, struct release *r)
{
	const struct json_value *blocks = json_get(v, "blocks"), *standing = json_get(v, "standing");
	const struct json_value *as_of = json_get(v, "as_of"), *glass = json_get(v, "breakglass");
	struct view schema;
	r->by_standing = standing != NULL;
	return (!glass || jsonf_u32(glass, &r->glass)) && (!standing || jsonf_hex(standing, r->standing, sizeof r->standing)) &&
	    (!as_of || jsonf_time(as_of, &r->as_of)) &&
	    json_string(json_get(v, "schema"), &schema) && view_is(schema, RELEASE_SCHEMA) &&
	    json_uint(json_get(blocks, "count"), &r->blocks) && jsonf_u32(json_get(blocks, "size"), &r->block_size) &&
	    jsonf_hex(json_get(blocks, "sha256"), r->blocks_sha256, sizeof r->blocks_sha256) &&
	    jsonf_time(json_get(v, "issued"), &r->issued) && json_uint(json_get(v, "log_size"), &r->log_size) &&
	    jsonf_u32(json_get(v, "quorum"), &r->quorum) && jsonf_u32(json_get(v, "signers"), &r->signers_number) &&
	    json_uint(json_get(v, "size"), &r->size) && get_statements(json_get(v, "statements"), r) &&
	    get_terms(json_get(v, "terms"), &r->terms);
}

/* One person let it through alone: it waits, ends soon, and rests on nothing else. */
static const char *
inconsistent_glass(const struct release *r)
{
	const struct approval_terms *t = &r->terms;
	if (r->by_standing)
		return "break-glass and a standing statement";
	if (r->glass > GENESIS_GLASS_DELAY_MAX || r->quorum != 1)
		return "break-glass with another wait, or another number of persons, than there can be";
	if (t->not_before != r->issued + r->glass)
		return "break-glass that does not begin when its wait is over";
	/* Its end is at most 24 hours from the statement's time, which may lie ahead of ours a little. */
	if (t->not_after - r->issued > APPROVAL_GLASS_MAX + APPROVAL_SKEW)
		return "break-glass for more than 24 hours";
	return NULL;
}

/* What no warden of ours would have written, whatever its form. */
static const char *
inconsistent(const struct release *r)
{
	const struct approval_terms *t = &r->terms;
	if (r->block_size != RELEASE_BLOCK)
		return "block size is not 64 KiB";
	if (r->size == 0 || r->blocks != (r->size - 1) / RELEASE_BLOCK + 1)
		return "block count does not follow from the size";
	if (r->quorum == 0 || r->statements_n < r->quorum)
		return "fewer statements than the quorum";
	if (!r->glass && r->quorum < r->terms.quorum)
		return "a quorum below the one that was signed for";
	if (r->issued <= 0 || t->not_before <= 0 || t->not_after <= t->not_before)
		return "times are not in order";
	if (t->have_signer && !r->by_standing)
		return "only what people did not sign for says who signed the image";
	if ((r->as_of && !r->by_standing) || r->as_of > r->issued + APPROVAL_SKEW)
		return "the time as of which modules are meant is none of a standing statement";
	if (!t->max_devices || !t->groups.n || !t->from_versions.n || !t->profile[0])
		return "scope is empty";
	const char *glass = r->glass ? inconsistent_glass(r) : NULL;
	if (glass)
		return glass;
	for (uint32_t i = 0; i < r->statements_n; i++) {
		for (uint32_t k = 0; k < i; k++) {
			if (!strcmp(r->statement[i].approver, r->statement[k].approver))
				return "one person is listed twice";
		}
	}
	return NULL;
}

int
release_parse(struct view text, struct release *ret, char *ret_why, size_t cap)
{
	struct json *doc = NULL;
	if (text.n > RELEASE_RECORD_MAX)
		return no(ret_why, cap, "release record is larger than 32 KiB");
	int err = json_parse(text, &doc, NULL);
	if (err == FG_ENOMEM)
		return err;
	if (err)
		return no(ret_why, cap, "release record is not strict JSON");
	struct release *r = calloc(1, sizeof *r);
	struct writer again;
	writer_init(&again, RELEASE_RECORD_MAX);
	const char *bad = NULL;
	if (!r)
		err = FG_ENOMEM;
	else if (!get_release(json_root(doc), r))
		err = no(ret_why, cap, "release record lacks a field or holds one of another type");
	else if ((bad = inconsistent(r)))
		err = no(ret_why, cap, bad);
	else if (release_encode(r, &again) || !view_equal(writer_view(&again), text))
		err = no(ret_why, cap, "release record is not in the one canonical form");
	else
		*ret = *r;
	writer_free(&again);
	free(r);
	json_free(doc);
	return err;
}

void
release_signed_terms(const struct release *r, struct approval_terms *ret)
{
	*ret = r->terms;
	if (!r->glass)
		return;
	ret->decision = APPROVAL_BREAKGLASS;
	ret->not_before = 0;
	ret->delay = r->glass;
}

int
release_id(struct view record, uint8_t out[RELEASE_ID])
{
	uint8_t digest[DIGEST_SHA256_LEN];
	int err = digest_sha256(record, digest);
	if (!err)
		memcpy(out, digest, RELEASE_ID);
	return err;
}
