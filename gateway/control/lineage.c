/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/lineage.h"

#include <stdio.h>
#include <string.h>

#include "crypto/err.h"
#include "gateway/control/decisions.h"
#include "gateway/control/privacy.h"
#include "gateway/control/requests_private.h"
#include "images/report.h"
#include "policy/scope.h"

struct spelled { /* terms as policy/scope.h asks for them; borrows from those */
	struct view from[APPROVAL_LIST_MAX], groups[APPROVAL_LIST_MAX];
	struct scope_release r;
};

static const struct scope_release *
spell(struct spelled *s, const struct approval_terms *t, int64_t as_of)
{
	for (uint32_t i = 0; i < t->from_versions.n; i++)
		s->from[i] = view_str(t->from_versions.word[i]);
	for (uint32_t i = 0; i < t->groups.n; i++)
		s->groups[i] = view_str(t->groups.word[i]);
	s->r = (struct scope_release){ .valid = true, .product = view_str(t->product), .target_version = view_str(t->target),
		.from = s->from, .from_n = t->from_versions.n, .groups = s->groups, .groups_n = t->groups.n,
		.not_before = t->not_before, .not_after = t->not_after, .share = ROLLOUT_PLACES, .known_by = SCOPE_WHENEVER,
		.as_of = as_of };
	return &s->r;
}

static int64_t
as_of(const struct release *record)
{
	return record->by_standing ? record->as_of : SCOPE_WHENEVER;
}

/* All that may get the older one may get the newer, whose groups are those of when. */
static bool
takes_place(struct control *c, const struct approval_terms *newer, int64_t when, const struct release *record)
{
	const struct approval_terms *older = &record->terms;
	const struct policy *p = policies_find(c->policies, newer->profile);
	struct spelled n, o;
	return p && strcmp(newer->profile, older->profile) == 0 && newer->max_devices >= older->max_devices &&
	    scope_covers(spell(&n, newer, when), spell(&o, older, as_of(record)), p->profile);
}

/* ---- superseded ---- */

/* The index of one whose place that one takes; n: of none. Only what goes over rings has a place to take. */
static size_t
superseded_by(struct control *c, const struct tables_release *all, size_t n, const struct release *newer)
{
	size_t i = 0;
	bool plan;
	for (; i < n; i++) {
		(void)rollouts_goes(c->rollouts, all[i].id, &plan);
		if (plan && takes_place(c, &newer->terms, as_of(newer), all[i].record))
			break;
	}
	return i;
}

void
lineage_supersede(struct control *c)
{
	size_t n;
	bool plan;
	const struct tables_release *all = releases_all(c->releases, &n);
	if (!c->warden_listed)
		return;
	for (size_t i = 0; i < n; i++) {
		const struct approval_terms *t = &all[i].record->terms;
		if (all[i].withheld || t->not_before > timekeep_earliest(c) || !rollouts_goes(c->rollouts, all[i].id, &plan))
			continue;
		size_t old = superseded_by(c, all, n, all[i].record);
		if (old == n)
			continue;
		rollouts_supersede(c->rollouts, all[old].id, t->review);
		all = releases_all(c->releases, &n);
		i = (size_t)-1; /* the list is another one now, and shorter */
	}
}

void
lineage_supersedes(struct control *c, const struct approval_terms *t, struct jsonw *j)
{
	size_t n;
	bool plan;
	const struct tables_release *all = releases_all(c->releases, &n);
	jsonw_array(j);
	for (size_t i = 0; i < n; i++) {
		(void)rollouts_goes(c->rollouts, all[i].id, &plan);
		if (plan && takes_place(c, t, SCOPE_WHENEVER, all[i].record))
			jsonw_cstr(j, all[i].record->terms.review);
	}
	jsonw_array_end(j);
}

void
lineage_places(struct control *c, const struct approval_terms *t, char out[LINEAGE_TEXT_CAP])
{
	size_t n, len = 0;
	bool plan;
	const struct tables_release *all = releases_all(c->releases, &n);
	out[0] = '\0';
	for (size_t i = 0; i < n && len < LINEAGE_TEXT_CAP; i++) {
		(void)rollouts_goes(c->rollouts, all[i].id, &plan);
		if (plan && takes_place(c, t, SCOPE_WHENEVER, all[i].record))
			len += (size_t)snprintf(out + len, LINEAGE_TEXT_CAP - len, "%s%s", len ? ", " : "supersedes ",
			    all[i].record->terms.review);
	}
}

/* ---- back, and instead ---- */

/* What is known of what a module has once it took an image; all NULL: nothing. Owned. */
struct outcome {
	struct report *own;
	struct report *made; /* of a delta: the report of what it makes. Of a package, its own has the date as well */
};

static void
outcome_load(struct control *c, const uint8_t *digest, struct outcome *ret)
{
	*ret = (struct outcome){ NULL, NULL };
	if (!digest || decisions_report(c, digest, &ret->own) != FG_OK)
		return;
	if (report_is_delta(ret->own) && ret->own->delta.have_target)
		(void)decisions_report(c, ret->own->delta.target_report, &ret->made);
}

static void
outcome_free(struct outcome *o)
{
	report_free(o->own);
	report_free(o->made);
}

struct has { /* what a module has then */
	struct outcome is;
	unsigned compared;
};

static bool
refuses(const struct report *has, const struct outcome *older, char *why, size_t cap)
{
	return has && ((older->own && continuity_refuses(has, older->own, why, cap)) ||
	    (older->made && continuity_refuses(has, older->made, why, cap)));
}

/* A counter of the older one is lower. What cannot be read is not known, and one too many is not looked at. */
static bool
is_refused(struct control *c, struct has *has, const struct approval_terms *older, char *why, size_t cap)
{
	struct outcome o;
	if (!has || !has->is.own || has->compared++ >= LINEAGE_COMPARED_MAX)
		return false;
	outcome_load(c, older->report, &o);
	bool refused = refuses(has->is.own, &o, why, cap) || refuses(has->is.made, &o, why, cap);
	outcome_free(&o);
	return refused;
}

/*
 * One in force that may be offered to a module with that version; has: only of no newer version, which it does not
 * refuse. NULL: none, and why the last one may not.
 */
static const struct approval_terms *
offered_to(struct control *c, const uint8_t *but, const struct profile *p, const char *product, const char *version,
    struct has *has, char *ret_why, size_t cap, const struct approval_terms **ret_last)
{
	bool back = has != NULL;
	size_t n;
	const struct tables_release *all = releases_all(c->releases, &n);
	*ret_last = NULL;
	for (size_t i = 0; i < n; i++) {
		const struct approval_terms *t = &all[i].record->terms;
		struct spelled s;
		if (all[i].withheld || (but && !memcmp(all[i].id, but, RELEASE_ID)) || strcmp(t->product, product) != 0 ||
		    strcmp(t->profile, p->name) != 0)
			continue;
		enum version_relation is = version_compare(p->version_order, view_str(t->target), view_str(version));
		if (is == VERSION_SAME || (back && is == VERSION_NEWER))
			continue;
		enum scope_answer answer = scope_version(spell(&s, t, SCOPE_WHENEVER), view_str(product), view_str(version), p);
		char counter[LINEAGE_TEXT_CAP / 2];
		bool refused = answer == SCOPE_OFFER && is_refused(c, has, t, counter, sizeof counter);
		if (answer == SCOPE_OFFER && !refused)
			return t;
		if (refused)
			snprintf(ret_why, cap, "would be refused by such a module: %s", counter);
		else
			snprintf(ret_why, cap, "is not offered to such a module: %s", scope_answer_text(answer));
		*ret_last = t;
	}
	return NULL;
}

void
lineage_way_back(struct control *c, const char *profile, const char *product, const char *version,
    const uint8_t *report, char out[LINEAGE_TEXT_CAP])
{
	const struct policy *p = policies_find(c->policies, profile);
	const struct approval_terms *last = NULL, *t = NULL;
	struct has has = { .compared = 0 };
	char its[DB_VERSION_MAX], why[LINEAGE_TEXT_CAP / 2 + 48];
	outcome_load(c, report, &has.is);
	if (p)
		t = offered_to(c, NULL, p->profile, product, version, &has, why, sizeof why, &last);
	outcome_free(&has.is);
	if (t || last)
		privacy_mask_text((t ? t : last)->target, false, its, sizeof its);
	if (t)
		snprintf(out, LINEAGE_TEXT_CAP, "way back: %s, %s", t->review, its);
	else if (!last)
		snprintf(out, LINEAGE_TEXT_CAP, "no way back, because no older release of this product is in force");
	else
		snprintf(out, LINEAGE_TEXT_CAP, "no way back, because %s, %.60s, %s", last->review, its, why);
}

/* As for a module that has said nothing, or what the release was signed for. */
void
lineage_instead(struct control *c, const uint8_t id[RELEASE_ID], const struct approval_terms *gone,
    char out[LINEAGE_TEXT_CAP])
{
	const struct policy *p = policies_find(c->policies, gone->profile);
	const struct approval_terms *last, *t = NULL;
	char back[LINEAGE_TEXT_CAP], its[DB_VERSION_MAX], why[LINEAGE_TEXT_CAP];
	const char *from = gone->from_versions.n && strcmp(gone->from_versions.word[0], SCOPE_ANY) ?
	    gone->from_versions.word[0] : "";
	if (p)
		t = offered_to(c, id, p->profile, gone->product, from, NULL, why, sizeof why, &last);
	lineage_way_back(c, gone->profile, gone->product, gone->target, gone->report, back);
	if (t)
		privacy_mask_text(t->target, false, its, sizeof its);
	snprintf(out, LINEAGE_TEXT_CAP, "those that wait get %s%s%s; for those that have it: %.250s", t ? t->review : "nothing",
	    t ? ", " : "", t ? its : "", back);
}
