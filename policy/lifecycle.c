/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/lifecycle.h"

#define S(x) LIFECYCLE_##x
#define PERMIT(from, verb, to, needs) { S(from), S(verb), S(to), LIFECYCLE_PERMIT, S(NEEDS_##needs) }
#define RESTRICT(from, verb, to, needs) \
	{ S(from), S(verb), S(to), LIFECYCLE_RESTRICT, S(NEEDS_##needs) }

static const struct lifecycle_move moves[] = {
	PERMIT(NONE, SIGHT, SIGHTED, NONE),
	PERMIT(NONE, IMPORT, JUDGING, PERSON),

	PERMIT(SIGHTED, FETCH, FETCHING, NONE),
	RESTRICT(SIGHTED, REJECT, REJECTED, PERSON),
	RESTRICT(SIGHTED, EXPIRE, EXPIRED, NONE),

	PERMIT(FETCHING, ARRIVE, JUDGING, NONE),
	RESTRICT(FETCHING, FAIL, FETCH_FAILED, NONE),
	RESTRICT(FETCHING, CONFLICT, INCIDENT, NONE),
	RESTRICT(FETCHING, REJECT, REJECTED, PERSON),

	PERMIT(FETCH_FAILED, FETCH, FETCHING, NONE),
	RESTRICT(FETCH_FAILED, REJECT, REJECTED, PERSON),
	RESTRICT(FETCH_FAILED, EXPIRE, EXPIRED, NONE),

	PERMIT(JUDGING, ADMIT, REVIEW, NONE),
	RESTRICT(JUDGING, BLOCK, BLOCKED, NONE),
	RESTRICT(JUDGING, CONFLICT, INCIDENT, NONE), /* an image, and not the one that was released for the same update */
	RESTRICT(JUDGING, REJECT, REJECTED, PERSON),

	PERMIT(BLOCKED, REOPEN, JUDGING, PERSON),
	RESTRICT(BLOCKED, REJECT, REJECTED, PERSON),
	RESTRICT(BLOCKED, EXPIRE, EXPIRED, NONE),

	PERMIT(REVIEW, APPROVE, APPROVED, SIGNATURES),
	/* The statement people sign names report and policy: when either changes, votes are void. */
	RESTRICT(REVIEW, REJUDGE, JUDGING, NONE),
	RESTRICT(REVIEW, REJECT, REJECTED, PERSON),
	RESTRICT(REVIEW, EXPIRE, EXPIRED, NONE),

	/*
	 * A vendor that changes bytes behind a URL, or a changed profile, must not
	 * be able to take back what people signed: only revoke and time do.
	 */
	RESTRICT(APPROVED, REVOKE, REVOKED, PERSON),
	RESTRICT(APPROVED, EXPIRE, EXPIRED, NONE),

	PERMIT(EXPIRED, REOPEN, JUDGING, PERSON), /* the bytes are still held */
	PERMIT(EXPIRED, FETCH, FETCHING, PERSON), /* they are not */
	RESTRICT(EXPIRED, REJECT, REJECTED, PERSON),

	/* Both sets of bytes are kept; the report on the new ones says what happened. */
	PERMIT(INCIDENT, REOPEN, JUDGING, PERSON),
	RESTRICT(INCIDENT, REJECT, REJECTED, PERSON),
};

static const char *const state_names[LIFECYCLE_STATES] = {
	[LIFECYCLE_NONE] = "none",
	[LIFECYCLE_SIGHTED] = "sighted",
	[LIFECYCLE_FETCHING] = "fetching",
	[LIFECYCLE_FETCH_FAILED] = "fetch-failed",
	[LIFECYCLE_JUDGING] = "judging",
	[LIFECYCLE_BLOCKED] = "blocked",
	[LIFECYCLE_REVIEW] = "review",
	[LIFECYCLE_APPROVED] = "approved",
	[LIFECYCLE_REJECTED] = "rejected",
	[LIFECYCLE_REVOKED] = "revoked",
	[LIFECYCLE_EXPIRED] = "expired",
	[LIFECYCLE_INCIDENT] = "incident",
};

static const char *const verb_names[LIFECYCLE_VERBS] = {
	[LIFECYCLE_VERB_NONE] = "none",
	[LIFECYCLE_SIGHT] = "sight",
	[LIFECYCLE_IMPORT] = "import",
	[LIFECYCLE_FETCH] = "fetch",
	[LIFECYCLE_FAIL] = "fail",
	[LIFECYCLE_ARRIVE] = "arrive",
	[LIFECYCLE_CONFLICT] = "conflict",
	[LIFECYCLE_BLOCK] = "block",
	[LIFECYCLE_ADMIT] = "admit",
	[LIFECYCLE_REJUDGE] = "rejudge",
	[LIFECYCLE_APPROVE] = "approve",
	[LIFECYCLE_REJECT] = "reject",
	[LIFECYCLE_REVOKE] = "revoke",
	[LIFECYCLE_EXPIRE] = "expire",
	[LIFECYCLE_REOPEN] = "reopen",
};

const struct lifecycle_move *
lifecycle_move(enum lifecycle_state from, enum lifecycle_verb verb)
{
	for (size_t i = 0; i < sizeof moves / sizeof *moves; i++)
		if (moves[i].from == from && moves[i].verb == verb)
			return &moves[i];
	return NULL;
}

size_t
lifecycle_count(void)
{
	return sizeof moves / sizeof *moves;
}

const struct lifecycle_move *
lifecycle_at(size_t i)
{
	return i < sizeof moves / sizeof *moves ? &moves[i] : NULL;
}

bool
lifecycle_is_terminal(enum lifecycle_state state)
{
	for (size_t i = 0; i < sizeof moves / sizeof *moves; i++)
		if (moves[i].from == state)
			return false;
	return true;
}

const char *
lifecycle_state_name(enum lifecycle_state state)
{
	return (unsigned)state < LIFECYCLE_STATES ? state_names[state] : "none";
}

const char *
lifecycle_verb_name(enum lifecycle_verb verb)
{
	return (unsigned)verb < LIFECYCLE_VERBS ? verb_names[verb] : "none";
}

enum lifecycle_state
lifecycle_state_parse(struct view word)
{
	for (unsigned i = 1; i < LIFECYCLE_STATES; i++)
		if (view_is(word, state_names[i]))
			return (enum lifecycle_state)i;
	return LIFECYCLE_NONE;
}

enum lifecycle_verb
lifecycle_verb_parse(struct view word)
{
	for (unsigned i = 1; i < LIFECYCLE_VERBS; i++)
		if (view_is(word, verb_names[i]))
			return (enum lifecycle_verb)i;
	return LIFECYCLE_VERB_NONE;
}
