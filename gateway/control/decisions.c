/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/decisions.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "gateway/control/bases.h"
#include "gateway/control/candidates.h"
#include "gateway/control/control_private.h"

bool
decisions_clock_sure(struct control *c)
{
	/* No latest time is kept here: the log's is asked, and people can overrule that one. */
	return timekeep_is_sure(c) && control_now(c) >= people_genesis(c->people)->set.time - DECIDE_SKEW;
}

/* ---- what policy is told ---- */

static enum decide_severity
severity(enum finding_severity s)
{
	switch (s) {
	case FINDING_INFO:
		return DECIDE_INFO;
	case FINDING_NOTICE:
		return DECIDE_NOTICE;
	case FINDING_WARNING:
		return DECIDE_WARNING;
	default:
		return DECIDE_BLOCK;
	}
}

static bool
stage_failed(const struct report *r)
{
	for (unsigned i = FINDING_INSPECT_CRASHED; i <= FINDING_INSPECT_TRAILING; i++)
		if (r->findings[i].count)
			return true;
	return false;
}

/* The best signature of the image itself; a verified one of the profile's scheme before any other. */
static void
best_signature(const struct report *r, const struct profile *p, struct decide_facts *f)
{
	f->signature = r->have_image ? SIG_ABSENT : SIG_UNKNOWN;
	bool first = true;
	for (unsigned i = 0; i < r->signatures.n; i++) {
		const struct sig_result *s = &r->signatures.result[i];
		bool match = profile_scheme_matches(p, r->format, s);
		if (s->where[0] != '\0')
			continue;
		if (first || s->outcome > f->signature || (s->outcome == f->signature && match && !f->scheme_matches)) {
			f->signature = s->outcome;
			f->scheme_matches = match;
		}
		first = false;
	}
	/* One that is bad spoils the rest: it is evidence of tampering, not a missing one. */
	for (unsigned i = 0; i < r->signatures.n; i++)
		if (r->signatures.result[i].where[0] == '\0' &&
		    (r->signatures.result[i].outcome == SIG_INVALID || r->signatures.result[i].outcome == SIG_REVOKED))
			f->signature = r->signatures.result[i].outcome;
}

/* ---- deltas ---- */

/* Candidates of the same product that lead to the same version. */
struct step {
	struct control *c;
	const struct db_candidate *cand;
	struct db_resource resource, other;
	bool full_held, second;
};

static bool
waits_or_stands(const struct db_candidate *cand)
{
	return candidates_is(cand, LIFECYCLE_JUDGING) || candidates_is(cand, LIFECYCLE_REVIEW) ||
	    candidates_is(cand, LIFECYCLE_APPROVED) || candidates_is(cand, LIFECYCLE_EXPIRED);
}

static int
look_at_step(void *arg, const struct db_candidate *other)
{
	struct step *s = arg;
	struct report *r = NULL;
	if (other->id == s->cand->id || !other->have_report || !waits_or_stands(other))
		return 0;
	int err = db_resource_get(s->c->db, other->resource, &s->other);
	if (err || strcmp(s->other.target, s->resource.target) != 0)
		return err;
	err = decisions_report(s->c, other->report, &r);
	if (err)
		return err == FG_ENOMEM ? err : 0; /* without a report it says nothing for anybody */
	bool delta = bases_is_delta(r) || r->have_delta;
	if (!delta && report_verified(r) > 0 && report_verdict(r) != REPORT_BLOCKED)
		s->full_held = true;
	if (delta && !strcmp(s->other.from, s->resource.from) && memcmp(other->image, s->cand->image, sizeof other->image))
		s->second = true;
	report_free(r);
	return 0;
}

static int
delta_facts(struct control *c, const struct report *r, const struct db_candidate *cand, const struct profile *p,
    struct decide_facts *f)
{
	f->whole = r->have_image && !r->have_delta && !bases_is_delta(r) &&
	    (profile_delta_format(p) == FORMAT_NONE || r->format != FORMAT_RAW);
	f->target_seen = r->have_delta && r->delta.have_target;
	if (f->whole || f->target_seen)
		return FG_OK;
	struct step *s = calloc(1, sizeof *s);
	if (!s)
		return FG_ENOMEM;
	*s = (struct step){ .c = c, .cand = cand };
	int err = db_resource_get(c->db, cand->resource, &s->resource);
	const struct db_candidate_filter filter = { .profile = cand->profile, .product = s->resource.product };
	if (!err)
		err = db_candidate_list(c->db, &filter, look_at_step, s);
	f->full_held = s->full_held;
	f->only_one = !err && !s->second;
	free(s);
	return err;
}

static int
facts(const struct report *r, const struct db_candidate *cand, const struct policy *p,
    struct decide_finding *list, struct decide_facts *f)
{
	static const enum decide_class classes[] = { [REPORT_BLOCKED] = DECIDE_CLASS_BLOCKED,
		[REPORT_REVIEW] = DECIDE_CLASS_REVIEW, [REPORT_ACCEPTABLE] = DECIDE_CLASS_ACCEPTABLE };
	struct coverage cover;
	uint64_t bare = 0;
	int err = report_coverage(r, &cover);
	if (!err)
		err = report_unsigned(r, &bare);
	if (err)
		return err;
	*f = (struct decide_facts){
		.complete = r->have_image && !stage_failed(r),
		.class = classes[report_verdict(r)],
		.size = r->size,
		.signed_bytes = coverage_signed(&cover),
		.structure_bytes = coverage_unsigned(&cover) - bare,
		.unsigned_bytes = bare,
		.judged_at = r->inputs.at,
		.same_image = r->have_image && !memcmp(r->sha256, cand->image, sizeof r->sha256),
		.same_policy = r->inputs.have_profile && !memcmp(r->inputs.profile_sha256, p->digest, sizeof p->digest),
		.finding = list,
	};
	memcpy(f->image, cand->image, sizeof f->image);
	best_signature(r, p->profile, f);
	for (unsigned i = 0; i < FINDING_LIMIT; i++)
		if (r->findings[i].count)
			list[f->findings_n++] = (struct decide_finding){ finding_get(i)->id, severity(r->findings[i].severity) };
	return FG_OK;
}

int
decisions_make(struct control *c, const struct db_candidate *cand, const struct report *r, const struct policy *p,
    struct decide_result *ret)
{
	struct decide_finding list[FINDING_LIMIT];
	struct decide_facts f;
	char refused[REFUSALS_SENTENCE_MAX];
	int err = facts(r, cand, p, list, &f);
	if (!err && refusals_meets(c->refusals, cand, r, refused))
		f.refused = refused;
	if (!err)
		err = delta_facts(c, r, cand, p->profile, &f);
	if (!err)
		decide(&f, p->profile, control_now(c), decisions_clock_sure(c), ret);
	return err;
}

/* ---- of what is stored ---- */

int
decisions_report(struct control *c, const uint8_t digest[DIGEST_SHA256_LEN], struct report **ret)
{
	struct report_refusal why;
	struct writer w;
	struct report *r = report_new(REPORT_WHOLE);
	writer_init(&w, REPORT_MAX);
	int err = r ? files_doc_get(c->files, FILES_REPORT, digest, &w) : FG_ENOMEM;
	if (!err)
		err = report_parse(writer_view(&w), REPORT_WHOLE, r, &why);
	writer_free(&w);
	if (err) {
		report_free(r);
		return err;
	}
	*ret = r;
	return FG_OK;
}

int
decisions_stored(struct control *c, const struct db_candidate *cand, struct decide_result *ret)
{
	struct report *r = NULL;
	const struct policy *p = policies_find(c->policies, cand->profile);
	int err = p && cand->have_report ? decisions_report(c, cand->report, &r) : FG_ENOTFOUND;
	if (!err)
		err = decisions_make(c, cand, r, p, ret);
	report_free(r);
	return err;
}

bool
decisions_unseen(struct control *c, const struct db_candidate *cand, struct decide_result *ret)
{
	const struct policy *p = policies_find(c->policies, cand->profile);
	/* Under any other rule it never came before people. */
	if (!p || p->profile->deltas.unseen == PROFILE_UNSEEN_HOLD || !cand->have_report)
		return false;
	return decisions_stored(c, cand, ret) == FG_OK && ret->unseen;
}
