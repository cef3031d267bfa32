/* SPDX-License-Identifier: Apache-2.0 */
/* report_merge - the whole from what the stages said, or from how they died. */
#include "images/report.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "images/entail.h"
#include "images/story.h"

static enum finding_id
of_end(enum report_end end)
{
	switch (end) {
	case REPORT_END_CRASHED:
		return FINDING_INSPECT_CRASHED;
	case REPORT_END_TIMEOUT:
		return FINDING_INSPECT_TIMEOUT;
	case REPORT_END_OVERLONG:
		return FINDING_INSPECT_OVERLONG;
	case REPORT_END_TRAILING:
		return FINDING_INSPECT_TRAILING;
	case REPORT_END_MALFORMED:
		return FINDING_INSPECT_MALFORMED;
	case REPORT_END_REPLIED:
	case REPORT_END_FAILED:
		break;
	}
	return FINDING_INSPECT_FAILED;
}

/* The stage's fragment, or a finding in ret that says why there is none. */
static int
fragment(const struct report_reply *reply, enum report_kind kind, struct report *ret,
    struct report **ret_part)
{
	const char *stage = report_stage_name(kind);
	*ret_part = NULL;
	if (!reply || reply->end != REPORT_END_REPLIED) {
		report_raise(ret, of_end(reply ? reply->end : REPORT_END_FAILED), FINDING_NONE,
		    NULL, "stage %s: %s", stage, reply ? reply->detail : "was not run");
		return 0;
	}
	struct report *part = report_new(kind);
	struct report_refusal why;
	if (!part)
		return FG_ENOMEM;
	int err = report_parse(reply->text, kind, part, &why);
	if (!err) {
		*ret_part = part;
		return 0;
	}
	report_free(part);
	if (err == FG_ENOMEM)
		return err;
	report_raise(ret, why.finding, FINDING_NONE, NULL, "stage %s: %s", stage, why.text);
	return 0;
}

/* No id belongs to two stages but REPORT-CUT, of which one detail is enough. */
static void
take_findings(struct report *ret, const struct report *part)
{
	for (unsigned i = 0; i < FINDING_LIMIT; i++)
		if (part->findings[i].count && !ret->findings[i].count)
			ret->findings[i] = part->findings[i];
}

static void
disagree(struct report *ret, const char *what)
{
	report_raise(ret, FINDING_INSPECT_DISAGREES, FINDING_NONE, NULL, "%s", what);
}

/* The reply must be an answer to what was asked. */
static int
check_verify(const struct report_asked *asked, const struct report *part, struct report *ret)
{
	const struct report_inputs *in = &part->inputs;
	enum finding_id missing;
	int err = entail_missing(part, asked->require_signature, &missing);
	if (err)
		return err;
	if (missing != FINDING_LIMIT)
		disagree(ret,
		    "stage verify: the profile demands a signature, and the reply does not know");
	if (in->at != asked->at)
		disagree(ret, "stage verify: another verification time");
	if (strcmp(in->inspector, REPORT_INSPECTOR) != 0)
		disagree(ret, "stage verify: another version of the inspector");
	if (in->have_profile != (asked->profile[0] != '\0') ||
	    strcmp(in->profile, asked->profile) != 0 ||
	    (in->have_profile &&
	        memcmp(in->profile_sha256, asked->profile_sha256, DIGEST_SHA256_LEN) != 0))
		disagree(ret, "stage verify: another profile");
	if (in->have_signature != asked->have_signature)
		disagree(ret,
		    "stage verify: another opinion on whether a signature file was given");
	if (in->have_trust && !asked->have_trust)
		disagree(ret, "stage verify: a trust set that was not given");
	if (part->size != asked->image_size)
		disagree(ret, "stage verify: another size of the image");
	if (report_verified(part) && !in->have_trust)
		disagree(ret, "stage verify: a verified signature without a trust set");
	return 0;
}

static void
take_verify(struct report *ret, const struct report *part)
{
	ret->have_image = true;
	ret->format = part->format;
	memcpy(ret->sha256, part->sha256, sizeof ret->sha256);
	ret->size = part->size;
	ret->signatures = part->signatures;
	ret->contents = part->contents;
	ret->inputs.have_trust = part->inputs.have_trust;
	memcpy(ret->inputs.trust, part->inputs.trust, sizeof ret->inputs.trust);
	ret->inputs.have_signature = part->inputs.have_signature;
	memcpy(ret->inputs.signature, part->inputs.signature, sizeof ret->inputs.signature);
	take_findings(ret, part);
}

static void
take_explain(const struct report_asked *asked, struct report *ret, struct report *part)
{
	if (asked->have_old_sha256 &&
	    memcmp(asked->old_sha256, part->changes.old.sha256, DIGEST_SHA256_LEN) != 0) {
		disagree(ret, "stage explain: compared with another old image");
		return;
	}
	if (ret->have_image &&
	    (ret->size != part->changes.new.size ||
	        memcmp(ret->sha256, part->changes.new.sha256, DIGEST_SHA256_LEN) != 0)) {
		disagree(ret, "stage explain: saw another image than stage verify");
		return;
	}
	ret->have_changes = true;
	ret->changes = part->changes;
	ret->story = part->story;
	part->story = NULL;
	take_findings(ret, part);
}

/*
 * What speaks against the target speaks against the delta that makes it: no
 * verdict gets milder by being wrapped. Offsets are the target's and stay with it.
 */
static void
lift(struct report *ret, const struct report *target)
{
	for (unsigned i = 0; i < FINDING_LIMIT; i++) {
		const struct report_finding *f = &target->findings[i];
		if (!f->count || f->severity < FINDING_WARNING)
			continue;
		for (unsigned k = 0; k < f->details_n; k++)
			report_raise(ret, (enum finding_id)i, f->severity, NULL, "target: %s", f->details[k].text);
		ret->findings[i].count += f->count - f->details_n;
	}
}

/* The target's own inspection: it must be about the bytes that the stage made. */
static int
take_target(const struct report_applied *delta, struct report *ret)
{
	struct report_delta *d = &ret->delta;
	uint64_t unsigned_n = 0;
	const struct report *t = delta->target;
	if (t->have_image &&
	    (t->size != d->result.target_size || memcmp(t->sha256, d->result.target_sha256, DIGEST_SHA256_LEN) != 0)) {
		disagree(ret, "stage delta: its target is not what was inspected as that");
		return 0;
	}
	/* Its own stage gave no answer: a report about nothing is not one about the target. */
	if (!t->have_image) {
		report_raise(ret, FINDING_INSPECT_FAILED, FINDING_NONE, NULL, "the delta's target was not inspected");
		lift(ret, t);
		return 0;
	}
	int err = report_unsigned(t, &unsigned_n);
	if (err && err != FG_ELIMIT) /* too many ranges to tell: not all of it, then */
		return err;
	d->have_target = true;
	memcpy(d->target_report, delta->target_report, sizeof d->target_report);
	d->target_verdict = report_verdict(t);
	/* A key that anybody has proves nothing of the vendor. */
	d->target_signed = !err && t->size > 0 && report_verified(t) > 0 && unsigned_n == 0 &&
	                   !report_has(t, FINDING_SIG_KEY_PUBLISHED);
	lift(ret, t);
	return 0;
}

static int
take_delta(const struct report_asked *asked, const struct report_applied *delta, const struct report *part,
    struct report *ret)
{
	const struct report_delta *d = &part->delta;
	if (memcmp(asked->base, d->base_sha256, DIGEST_SHA256_LEN) != 0) {
		disagree(ret, "stage delta: applied to another base");
		return 0;
	}
	if (ret->have_image && (ret->size != d->patch_size || memcmp(ret->sha256, d->patch_sha256, DIGEST_SHA256_LEN) != 0)) {
		disagree(ret, "stage delta: saw another image than stage verify");
		return 0;
	}
	ret->have_delta = true;
	ret->delta = *d;
	take_findings(ret, part);
	if (d->result.outcome != DELTA_APPLIED)
		return 0;
	ret->delta.have_full = delta->have_full;
	memcpy(ret->delta.full_sha256, delta->full_sha256, DIGEST_SHA256_LEN);
	int err = 0;
	if (delta->target)
		err = take_target(delta, ret);
	else
		report_raise(ret, FINDING_INSPECT_FAILED, FINDING_NONE, NULL, "the delta's target was not inspected");
	if (err)
		return err;
	/* Of another base it would make other bytes, and those the vendor would not have signed. */
	if (delta->others && !report_delta_proved(ret))
		report_raise(ret, FINDING_DELTA_BASE_UNSURE, FINDING_NONE, NULL, "%u other base%s held would do as well",
		    delta->others, delta->others == 1 ? "" : "s");
	/* The verify stage did not know that the target would be seen. */
	if (ret->delta.have_target && report_has(ret, FINDING_FMT_DELTA))
		ret->findings[FINDING_FMT_DELTA].severity = FINDING_NOTICE;
	entail_delta(ret);
	return 0;
}

/* The base was named: it was used, or the report says why not. */
static int
merge_delta(const struct report_asked *asked, const struct report_applied *delta, struct report *ret)
{
	struct report *part = NULL;
	int err = delta ? fragment(&delta->stage, REPORT_DELTA, ret, &part) : 0;
	if (!err && part)
		err = take_delta(asked, delta, part, ret);
	report_free(part);
	if (!err && !ret->have_delta)
		report_raise(ret, FINDING_DELTA_NOT_APPLIED, FINDING_NONE, NULL,
		    delta ? "the stage that applies it gave no answer" : "the base was only named, not used");
	return err;
}

bool
report_delta_made(const struct report_reply *stage, struct report_delta *ret)
{
	struct report_refusal why;
	struct report *part = stage->end == REPORT_END_REPLIED ? report_new(REPORT_DELTA) : NULL;
	bool made = part && report_parse(stage->text, REPORT_DELTA, part, &why) == 0 &&
	            part->delta.result.outcome == DELTA_APPLIED;
	if (made)
		*ret = part->delta;
	report_free(part);
	return made;
}

/*
 * The vendor's signature is over what the delta makes, and the profile lets that stand for one over the delta.
 * One that is there and not good is no absent one, and blocks as ever.
 */
static void
let_proof_sign(const struct report_asked *asked, struct report *ret)
{
	struct report_finding *f = &ret->findings[FINDING_SIG_ABSENT];
	if (!asked->proof_signs || !f->count || !ret->delta.target_signed || !report_delta_proved(ret))
		return;
	f->severity = FINDING_WARNING;
	snprintf(f->details[0].text, sizeof f->details[0].text,
	    "the delta has no signature; by the profile those over what it makes count for it");
}

static void
take_asked(struct report *ret, const struct report_asked *asked)
{
	struct report_inputs *in = &ret->inputs;
	in->at = asked->at;
	snprintf(in->inspector, sizeof in->inspector, "%s", REPORT_INSPECTOR);
	in->have_profile = asked->profile[0] != '\0';
	snprintf(in->profile, sizeof in->profile, "%s", asked->profile);
	memcpy(in->profile_sha256, asked->profile_sha256, sizeof in->profile_sha256);
	in->have_base = asked->have_base;
	memcpy(in->base, asked->base, sizeof in->base);
	in->have_own = asked->have_own;
	memcpy(in->own, asked->own, sizeof in->own);
	in->have_rules = asked->have_rules;
	memcpy(in->rules, asked->rules, sizeof in->rules);
	if (asked->notes)
		ret->notes = *asked->notes;
}

int
report_merge(const struct report_asked *asked, const struct report_reply *verify,
    const struct report_reply *explain, const struct report_applied *delta, struct report *ret)
{
	struct report *facts = NULL, *changes = NULL, *whole = report_new(REPORT_WHOLE);
	if (!whole)
		return FG_ENOMEM;
	take_asked(whole, asked);
	int err = fragment(verify, REPORT_VERIFY, whole, &facts);
	if (!err && facts)
		err = check_verify(asked, facts, whole);
	if (!err && facts)
		take_verify(whole, facts);
	if (!err && asked->have_old)
		err = fragment(explain, REPORT_EXPLAIN, whole, &changes);
	if (!err && changes)
		take_explain(asked, whole, changes);
	if (!err && asked->have_base)
		err = merge_delta(asked, delta, whole);
	if (!err)
		let_proof_sign(asked, whole);
	/* A delta whose target was compared with its base is compared with something. */
	bool alone = whole->have_changes && whole->changes.old.size == 0;
	if (!err && (!asked->have_old || alone) && !whole->delta.have_target)
		report_raise(whole, FINDING_CHG_NO_OLD, FINDING_NONE, NULL,
		    alone ? "it was taken apart by itself: what could be opened is told as new" : "no old image was given");
	if (!err && asked->have_history)
		continuity_raise(whole, asked->past, asked->past_n);
	if (!err)
		report_move(ret, whole);
	report_free(facts);
	report_free(changes);
	report_free(whole);
	return err;
}
