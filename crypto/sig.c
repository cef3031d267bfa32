/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/sig.h"

#include "crypto/visible.h"

static const char *const outcome_names[] = {
	[SIG_UNKNOWN] = "unknown",
	[SIG_INVALID] = "invalid",
	[SIG_REVOKED] = "revoked",
	[SIG_WEAK] = "weak",
	[SIG_EXPIRED] = "expired",
	[SIG_UNTRUSTED] = "untrusted",
	[SIG_OPAQUE] = "opaque",
	[SIG_ABSENT] = "absent",
	[SIG_VERIFIED] = "verified",
};

#define OUTCOMES (sizeof outcome_names / sizeof outcome_names[0])

const char *
sig_outcome_name(enum sig_outcome outcome)
{
	return (size_t)outcome < OUTCOMES ? outcome_names[outcome] : outcome_names[SIG_UNKNOWN];
}

enum sig_outcome
sig_outcome_parse(struct view word)
{
	for (size_t i = 0; i < OUTCOMES; i++)
		if (view_is(word, outcome_names[i]))
			return (enum sig_outcome)i;
	return SIG_UNKNOWN;
}

static const char *const reason_names[SIG_REASONS] = { "weak-digest", "short-rsa", "small-exponent",
	"weak-curve", "low-order", "pss-salt", "purpose", "trailing" };

const char *
sig_reason_name(enum sig_reason reason)
{
	for (unsigned i = 0; i < SIG_REASONS; i++)
		if ((unsigned)reason == 1u << i)
			return reason_names[i];
	return "none";
}

unsigned
sig_reason_parse(struct view word)
{
	for (unsigned i = 0; i < SIG_REASONS; i++)
		if (view_is(word, reason_names[i]))
			return 1u << i;
	return 0;
}

const char *
sig_revocation_name(enum sig_revocation revocation)
{
	switch (revocation) {
	case SIG_REVOCATION_NOT_CHECKED:
		break;
	case SIG_REVOCATION_CHECKED:
		return "checked";
	case SIG_REVOCATION_STALE:
		return "stale";
	case SIG_REVOCATION_NOT_APPLICABLE:
		return "not-applicable";
	}
	return "not-checked";
}

/*
 * The higher the worse. "Nobody looked" is worse than verified, so that no call
 * can lift a result out of it, but any real observation replaces it.
 */
static int
badness(enum sig_outcome outcome)
{
	switch (outcome) {
	case SIG_VERIFIED:
		return 0;
	case SIG_UNKNOWN:
		return 1;
	case SIG_ABSENT:
		return 2;
	case SIG_OPAQUE:
		return 3;
	case SIG_UNTRUSTED:
		return 4;
	case SIG_EXPIRED:
		return 5;
	case SIG_WEAK:
		return 6;
	case SIG_REVOKED:
		return 7;
	case SIG_INVALID:
		return 8;
	}
	return 9;
}

void
sig_worsen(struct sig_result *r, enum sig_outcome outcome, const char *detail)
{
	int was = badness(r->outcome), is = badness(outcome);
	if (is < was || (is == was && r->detail[0] != '\0'))
		return;
	r->outcome = is > badness(SIG_INVALID) ? SIG_INVALID : outcome;
	visible_cstr(view_str(detail), r->detail, sizeof r->detail);
}
