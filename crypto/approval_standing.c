/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/approval_standing.h"

#include <stdio.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/json.h"
#include "crypto/jsonf.h"
#include "crypto/visible.h"

#define DAY 86400

const char *
approval_standing_deltas(enum approval_made worst)
{
	switch (worst) {
	case APPROVAL_MADE_WHOLE:
		return "none";
	case APPROVAL_MADE_PROVED:
		return "proved";
	case APPROVAL_MADE_RECONSTRUCTED:
		return "reconstructed";
	case APPROVAL_MADE_UNSEEN: /* for those people sign each time */
	case APPROVAL_MADE_LIMIT:
		break;
	}
	return "";
}

bool
approval_standing_deltas_parse(struct view word, enum approval_made *ret)
{
	for (int i = APPROVAL_MADE_WHOLE; i < APPROVAL_MADE_LIMIT; i++) {
		const char *known = approval_standing_deltas((enum approval_made)i);
		if (known[0] && view_is(word, known)) {
			*ret = (enum approval_made)i;
			return true;
		}
	}
	return false;
}

/* ---- what may be signed ---- */

/* What only a release has, and what only a person can do each time. */
static bool
has_more(const struct approval_terms *t)
{
	static const struct approval_delta none;
	static const uint8_t zero[DIGEST_SHA256_LEN];
	return t->subject[0] || t->target[0] || t->checklist.n || t->waived.n || t->halted_at ||
	    t->delta.made != none.made || t->delta.applier[0] || memcmp(t->image, zero, sizeof t->image) ||
	    memcmp(t->report, zero, sizeof t->report) || memcmp(t->resource, zero, sizeof t->resource);
}

static bool
is_plain(const char *s)
{
	return s[0] && visible_is_plain(view_str(s));
}

static bool
are_digests(const struct approval_list *l)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	for (uint32_t i = 0; i < l->n; i++)
		if (!hex_decode(view_str(l->word[i]), digest, sizeof digest))
			return false;
	return true;
}

const char *
approval_standing_bad(const struct approval_terms *t)
{
	if (!is_plain(t->review) || !is_plain(t->profile) || !is_plain(t->product))
		return "the name, profile or product of a standing statement is missing or no printable ASCII";
	if (has_more(t))
		return "a standing statement is about no image, no waiver, no checklist and no halt";
	if (!approval_list_plain(&t->findings) || !approval_list_plain(&t->from_versions) ||
	    !approval_list_plain(&t->groups))
		return "a list is unsorted, repeats a word or holds characters outside printable ASCII";
	if (!t->from_versions.n || !t->groups.n)
		return "from-versions and groups must each name something, \"*\" for all";
	if (approval_list_has(&t->findings, "*"))
		return "findings are allowed one by one";
	if (!t->max_devices || !t->bounds.max_releases)
		return "the most modules and the most releases must each be at least 1";
	if (!approval_list_plain(&t->bounds.signers) || !are_digests(&t->bounds.signers))
		return "signers are SHA-256 digests of keys in 64 lower-case hex digits, sorted, each once";
	if (t->bounds.max_releases > APPROVAL_STANDING_RELEASES_MAX)
		return "more than 256 releases";
	if (!approval_standing_deltas(t->bounds.worst)[0])
		return "what is allowed of deltas is neither of the words there are";
	if (t->not_before <= 0 || t->not_after <= t->not_before)
		return "not_after must lie after not_before";
	if (t->not_after - t->not_before > (int64_t)APPROVAL_DAYS_MAX * DAY)
		return "not_after lies more than 30 days after not_before";
	if (t->quorum > APPROVAL_QUORUM_MAX)
		return "quorum is above 16 persons, more than a release can name";
	return NULL;
}

int
approval_standing_subject(const struct approval_terms *t, char *name, size_t cap, uint8_t digest[DIGEST_SHA256_LEN])
{
	int n = snprintf(name, cap, "standing statement %s for %s/%s", t->review, t->profile, t->product);
	return n < 0 || (size_t)n >= cap ? FG_EINVAL : digest_sha256(view_str(name), digest);
}

/* ---- writing and reading ---- */

static void
put_digest(struct jsonw *j, const char *key, const uint8_t sha256[DIGEST_SHA256_LEN])
{
	jsonw_key(j, key);
	jsonw_object(j);
	jsonw_key(j, "digest");
	jsonw_object(j);
	jsonw_khex(j, "sha256", sha256, DIGEST_SHA256_LEN);
	jsonw_object_end(j);
	jsonw_object_end(j);
}

static bool
get_digest(const struct json_value *v, uint8_t sha256[DIGEST_SHA256_LEN])
{
	return jsonf_hex(json_get(json_get(v, "digest"), "sha256"), sha256, DIGEST_SHA256_LEN);
}

void
approval_standing_put(struct jsonw *j, const struct approval *a)
{
	const struct approval_terms *t = &a->terms;
	jsonw_object(j);
	jsonw_kcstr(j, "approver", a->approver);
	jsonw_kcstr(j, "decision", APPROVAL_STANDING_WORD);
	put_digest(j, "definitions", t->bounds.definitions);
	jsonw_kcstr(j, "deltas", approval_standing_deltas(t->bounds.worst));
	approval_list_put(j, "findings", &t->findings);
	jsonw_kcstr(j, "gateway", t->gateway);
	jsonw_key(j, "log");
	jsonw_object(j);
	jsonw_khex(j, "root", a->log_root, sizeof a->log_root);
	jsonw_kuint(j, "size", a->log_size);
	jsonw_object_end(j);
	jsonw_kuint(j, "max_releases", t->bounds.max_releases);
	jsonw_khex(j, "nonce", a->nonce, sizeof a->nonce);
	if (t->have_plan)
		put_digest(j, "plan", t->plan);
	put_digest(j, "policy", t->policy);
	jsonw_kcstr(j, "product", t->product);
	jsonw_kcstr(j, "profile", t->profile);
	if (t->quorum)
		jsonw_kuint(j, "quorum", t->quorum);
	jsonw_kcstr(j, "reason", a->reason);
	jsonw_key(j, "scope");
	jsonw_object(j);
	approval_list_put(j, "from_versions", &t->from_versions);
	approval_list_put(j, "groups", &t->groups);
	jsonw_kuint(j, "max_devices", t->max_devices);
	jsonf_put_time(j, "not_after", t->not_after);
	jsonf_put_time(j, "not_before", t->not_before);
	jsonw_object_end(j);
	approval_list_put_some(j, "signers", &t->bounds.signers);
	jsonw_kcstr(j, "standing", t->review);
	jsonf_put_time(j, "time", a->time);
	jsonw_object_end(j);
}

bool
approval_standing_get(const struct json_value *p, struct approval_terms *t)
{
	const struct json_value *scope = json_get(p, "scope"), *quorum = json_get(p, "quorum"), *plan = json_get(p, "plan");
	struct view deltas;
	t->have_plan = plan != NULL;
	return json_string(json_get(p, "deltas"), &deltas) && approval_standing_deltas_parse(deltas, &t->bounds.worst) &&
	    get_digest(json_get(p, "definitions"), t->bounds.definitions) &&
	    approval_list_get_some(json_get(p, "signers"), &t->bounds.signers) &&
	    approval_list_get(json_get(p, "findings"), &t->findings) &&
	    jsonf_u32(json_get(p, "max_releases"), &t->bounds.max_releases) && (!plan || get_digest(plan, t->plan)) &&
	    get_digest(json_get(p, "policy"), t->policy) &&
	    json_cstr(json_get(p, "product"), t->product, sizeof t->product) &&
	    json_cstr(json_get(p, "profile"), t->profile, sizeof t->profile) &&
	    (!quorum || jsonf_u32(quorum, &t->quorum)) &&
	    approval_list_get(json_get(scope, "from_versions"), &t->from_versions) &&
	    approval_list_get(json_get(scope, "groups"), &t->groups) &&
	    jsonf_u32(json_get(scope, "max_devices"), &t->max_devices) &&
	    jsonf_time(json_get(scope, "not_after"), &t->not_after) &&
	    jsonf_time(json_get(scope, "not_before"), &t->not_before) &&
	    json_cstr(json_get(p, "standing"), t->review, sizeof t->review);
}

bool
approval_standing_same(const struct approval_bounds *a, const struct approval_bounds *b)
{
	for (uint32_t i = 0; i < a->signers.n && a->signers.n == b->signers.n; i++)
		if (strcmp(a->signers.word[i], b->signers.word[i]) != 0)
			return false;
	return a->max_releases == b->max_releases && a->worst == b->worst && a->signers.n == b->signers.n &&
	    !memcmp(a->definitions, b->definitions, sizeof a->definitions);
}

/* ---- does it cover? ---- */

static bool
is_within(const struct approval_list *asked, const struct approval_list *allowed, bool any)
{
	if (any && approval_list_has(allowed, "*"))
		return true;
	for (uint32_t i = 0; i < asked->n; i++)
		if (!approval_list_has(allowed, asked->word[i]))
			return false;
	return true;
}

/* By one of those, and nobody else: that is what the record says of it. */
static bool
is_signed_by(const struct approval_terms *r, const struct approval_list *signers)
{
	char digits[DIGEST_HEX_LEN + 1];
	if (!signers->n)
		return true;
	hex_encode(r->signer, sizeof r->signer, digits);
	return r->have_signer && approval_list_has(signers, digits);
}

/* Better is larger but for whole images, which are the best. */
static bool
delta_within(enum approval_made made, enum approval_made worst)
{
	return made == APPROVAL_MADE_WHOLE ||
	    (worst > APPROVAL_MADE_UNSEEN && made >= worst && made < APPROVAL_MADE_LIMIT);
}

uint64_t
approval_standing_modules(const struct approval_terms *standing)
{
	return (uint64_t)standing->max_devices * standing->bounds.max_releases;
}

/* Names and lists of a release stand in the log and before people: what none of them could have signed goes nowhere. */
static bool
is_signable(const struct approval_terms *r)
{
	uint8_t key[DIGEST_SHA256_LEN];
	return approval_key(r, key) == FG_OK;
}

/* Who and what it is for. */
static const char *
of_another(const struct approval_terms *s, const struct approval_terms *r)
{
	if (strcmp(s->gateway, r->gateway) != 0)
		return "another gateway";
	if (strcmp(s->profile, r->profile) != 0)
		return "another profile";
	if (strcmp(s->product, r->product) != 0)
		return "another product";
	if (memcmp(s->policy, r->policy, sizeof s->policy) != 0)
		return "another policy";
	if (s->have_plan != r->have_plan || (s->have_plan && memcmp(s->plan, r->plan, sizeof s->plan) != 0))
		return "another rollout plan";
	return NULL;
}

const char *
approval_standing_outside(const struct approval_terms *s, const struct approval_terms *r, int64_t issued)
{
	if (s->decision != APPROVAL_STANDING || r->decision != APPROVAL_APPROVE)
		return "no standing statement, or no release";
	if (!is_signable(r))
		return "terms that nobody could sign";
	const char *other = of_another(s, r);
	if (other)
		return other;
	if (!is_signed_by(r, &s->bounds.signers))
		return "another signer";
	if (!is_within(&r->findings, &s->findings, false))
		return "a finding that is not listed";
	if (r->waived.n || r->checklist.n)
		return "a waiver or a checklist, which persons answer for each time";
	if (!delta_within(r->delta.made, s->bounds.worst))
		return "a delta of which too little is known";
	if (!is_within(&r->from_versions, &s->from_versions, true))
		return "a version it starts from";
	if (!is_within(&r->groups, &s->groups, true))
		return "a group";
	if (r->max_devices > s->max_devices)
		return "more modules than it allows";
	if (issued < s->not_before || issued >= s->not_after || r->not_before < s->not_before || r->not_after > s->not_after)
		return "a time outside its own";
	return NULL;
}
