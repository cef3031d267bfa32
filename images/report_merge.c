/* SPDX-License-Identifier: Apache-2.0 */
/* report_merge - the whole from what the stages said, or from how they died. */
#include "images/report.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "images/entail.h"

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
	const char *stage = kind == REPORT_VERIFY ? "verify" : "explain";
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

/* No id belongs to both stages but REPORT-CUT, of which one detail is enough. */
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
take_explain(const struct report_asked *asked, struct report *ret, const struct report *part)
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
	take_findings(ret, part);
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
	if (asked->have_base)
		report_raise(ret, FINDING_DELTA_NOT_APPLIED, FINDING_NONE, NULL,
		    "the base was only named, not used");
	if (!asked->have_old)
		report_raise(ret, FINDING_CHG_NO_OLD, FINDING_NONE, NULL, "no old image was given");
}

int
report_merge(const struct report_asked *asked, const struct report_reply *verify,
    const struct report_reply *explain, struct report *ret)
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
	if (!err && asked->have_history)
		continuity_raise(whole, asked->past, asked->past_n);
	if (!err)
		*ret = *whole;
	report_free(facts);
	report_free(changes);
	report_free(whole);
	return err;
}
