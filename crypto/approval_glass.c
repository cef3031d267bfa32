/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/approval_glass.h"

#include <stdio.h>
#include <string.h>

#include "crypto/hex.h"
#include "crypto/json.h"
#include "crypto/jsonf.h"

#define REVIEW_PERSONS_MIN 2 /* whoever broke the glass looks at it with somebody else */

/* ---- break-glass ---- */

const char *
approval_glass_bad(const struct approval_terms *t)
{
	if (!t->delay || t->delay > GENESIS_GLASS_DELAY_MAX)
		return "break-glass has a veto delay, of at most 12 hours";
	/* It begins when the delay after its entry in the log is over, which nobody who signs can know. */
	if (t->not_before)
		return "a break-glass statement does not say when it begins";
	return t->not_after > 0 ? NULL : "not_after is missing";
}

const char *
approval_glass_outside(const struct genesis *g, uint64_t modules, uint32_t released)
{
	if (!g->glass.delay)
		return "the genesis of this gateway has no break-glass, and that is for good";
	if (modules > g->glass.max_devices && !released)
		return "it is for more modules than genesis allows, and its image was never released by enough persons";
	if (modules > g->glass.max_devices && modules > released)
		return "it is for more modules than genesis allows, and than its image was released for before";
	return NULL;
}

/* ---- after-review ---- */

const char *
approval_outcome_name(enum approval_outcome outcome)
{
	static const char *const names[APPROVAL_OUTCOME_LIMIT] = { "", "justified", "unjustified" };
	return (unsigned)outcome < APPROVAL_OUTCOME_LIMIT ? names[outcome] : "";
}

enum approval_outcome
approval_outcome_parse(struct view word)
{
	for (int i = APPROVAL_OUTCOME_NONE + 1; i < APPROVAL_OUTCOME_LIMIT; i++)
		if (view_is(word, approval_outcome_name((enum approval_outcome)i)))
			return (enum approval_outcome)i;
	return APPROVAL_OUTCOME_NONE;
}

uint32_t
approval_review_quorum(const struct genesis *g, uint32_t asked)
{
	uint32_t need = g->floor_production > asked ? g->floor_production : asked;
	return need > REVIEW_PERSONS_MIN ? need : REVIEW_PERSONS_MIN;
}

const char *
approval_review_bad(const struct approval_terms *t)
{
	static const uint8_t none[sizeof t->release];
	if (!approval_outcome_name(t->outcome)[0])
		return "an after-review says whether it was justified or unjustified";
	return memcmp(t->release, none, sizeof none) != 0 ? NULL : "an after-review names a release";
}

int
approval_review_subject(const struct approval_terms *t, char *name, size_t cap, uint8_t digest[DIGEST_SHA256_LEN])
{
	char id[2 * sizeof t->release + 1];
	hex_encode(t->release, sizeof t->release, id);
	snprintf(name, cap, "after-review of break-glass release %s of %s", id, t->gateway);
	return digest_sha256(view_str(name), digest);
}

void
approval_review_put(struct jsonw *j, const struct approval *a)
{
	const struct approval_terms *t = &a->terms;
	jsonw_object(j);
	jsonw_kcstr(j, "approver", a->approver);
	jsonw_kcstr(j, "decision", APPROVAL_REVIEW_WORD);
	jsonw_kcstr(j, "gateway", t->gateway);
	jsonw_key(j, "log");
	jsonw_object(j);
	jsonw_khex(j, "root", a->log_root, sizeof a->log_root);
	jsonw_kuint(j, "size", a->log_size);
	jsonw_object_end(j);
	jsonw_khex(j, "nonce", a->nonce, sizeof a->nonce);
	jsonw_kcstr(j, "outcome", approval_outcome_name(t->outcome));
	jsonw_kcstr(j, "reason", a->reason);
	jsonw_khex(j, "release", t->release, sizeof t->release);
	jsonf_put_time(j, "time", a->time);
	jsonw_object_end(j);
}

bool
approval_review_get(const struct json_value *p, struct approval_terms *t)
{
	struct view outcome;
	return json_string(json_get(p, "outcome"), &outcome) &&
	    (t->outcome = approval_outcome_parse(outcome)) != APPROVAL_OUTCOME_NONE &&
	    jsonf_hex(json_get(p, "release"), t->release, sizeof t->release);
}
