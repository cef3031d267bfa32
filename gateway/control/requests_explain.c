/* SPDX-License-Identifier: Apache-2.0 */
/* requests_explain - why a module gets what it gets: each release link by link, with the facts that each was asked of. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/stamp.h"
#include "gateway/control/privacy.h"
#include "gateway/control/requests_private.h"
#include "policy/scope.h"

#define SAID_MAX MSG_TEXT_MAX
#define WORDS_SHOWN 8 /* of the groups and versions of a release; release list has all */
#define CHAINS_MAX 256 /* of releases that it did not ask for: at its longest each is 9 KB, and CALL_DOC_MAX holds them */

/* One module and one release. */
struct matter {
	struct control *c;
	const struct inventory_module *m;
	const struct tables_release *release;
	const struct profile *p;
	bool asked;             /* what it asked for last is what the release answers */
	unsigned ring;          /* ROLLOUT_RINGS_MAX: none */
	struct rollouts_view v;
	bool have_fate;
	struct rollouts_fate fate;
	enum scope_answer answer, link[SCOPE_LINKS];
};

/* ---- words ---- */

static void __attribute__((format(printf, 3, 4)))
say(char *dst, size_t cap, const char *fmt, ...)
{
	size_t n = strlen(dst);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(dst + n, cap - n, fmt, ap);
	va_end(ap);
}

/* A time, or a dash. */
static const char *
when(int64_t at, char dst[STAMP_CAP])
{
	if (at <= 0 || stamp_format(at, dst))
		snprintf(dst, STAMP_CAP, "-");
	return dst;
}

/* Words of a release: a version may be somebody's number. */
static void
say_words(char *dst, size_t cap, const struct approval_list *l, const char *all)
{
	char masked[DB_VERSION_MAX];
	for (uint32_t i = 0; i < l->n && i < WORDS_SHOWN; i++) {
		privacy_mask_text(l->word[i], false, masked, sizeof masked);
		say(dst, cap, "%s%s", i ? ", " : "", strcmp(l->word[i], SCOPE_ANY) ? masked : all);
	}
	if (l->n > WORDS_SHOWN)
		say(dst, cap, " and %u more", l->n - WORDS_SHOWN);
}

/* The group that it is in now. */
static const char *
group_of(const struct matter *x)
{
	const char *group = inventory_group(x->m);
	return group[0] ? group : x->p->default_group;
}

/* ---- what each link has to say, whether it lets the module pass or not ---- */

static void
say_release(const struct matter *x, char *dst, size_t cap)
{
	if (x->release->withheld)
		say(dst, cap, "%s", releases_withheld(x->c->releases, x->release->id));
	else
		say(dst, cap, "%s is released, and the policy in force lets it pass", x->release->record->terms.review);
}

static void
say_halt(const struct matter *x, char *dst, size_t cap)
{
	const struct msg_halt *h = halts_now(x->c->halts);
	char at[STAMP_CAP];
	if (h)
		say(dst, cap, "halted by uid %u at %s: people have to sign its resumption (fotagate resume)", h->by_uid,
		    when(h->at, at));
	else
		say(dst, cap, "the gateway is not halted");
}

static void
say_identity(const struct matter *x, char *dst, size_t cap)
{
	enum identity_class best = (enum identity_class)inventory_best_class(x->m);
	say(dst, cap, "it is known by identities of class %s", identity_class_name(best));
	if (best == IDENTITY_D)
		say(dst, cap, ", nothing but its own word, which counts in no ring");
}

static void
say_listing(const struct matter *x, char *dst, size_t cap)
{
	if (x->m->listed)
		say(dst, cap, "it is in the inventory");
	else if (x->p->unlisted == PROFILE_OFFER)
		say(dst, cap, "it is not in the inventory, and the profile offers to such modules");
	else
		say(dst, cap, "it has only been seen: fotagate module import lists it");
}

static void
say_hold(const struct matter *x, char *dst, size_t cap)
{
	say(dst, cap, x->m->held ? "fotagate module unhold ends that; the log has who holds it, and why" : "nobody holds it");
}

static void
say_product(const struct matter *x, char *dst, size_t cap)
{
	char mine[DB_NAME_MAX], its[DB_NAME_MAX];
	privacy_mask_text(x->m->product, false, mine, sizeof mine);
	privacy_mask_text(x->release->record->terms.product, false, its, sizeof its);
	if (mine[0])
		say(dst, cap, "its product is %s, the release is for %s", mine, its);
	else
		say(dst, cap, "its product is not known, the release is for %s", its);
}

static void
say_group(const struct matter *x, char *dst, size_t cap)
{
	const struct release *record = x->release->record;
	char came[STAMP_CAP], written[STAMP_CAP];
	say(dst, cap, "it is in group %s, the release is for ", group_of(x));
	say_words(dst, cap, &x->release->record->terms.groups, "all");
	if (!record->by_standing || scope_placed_by(x->m->placed, record->as_of))
		return;
	say(dst, cap, "; but it came there ");
	if (x->m->placed)
		say(dst, cap, "at %s, ", when(x->m->placed, came));
	if (record->as_of)
		say(dst, cap, "after the standing statement that this rests on was written, at %s", when(record->as_of, written));
	else
		say(dst, cap, "and the release does not say as of when modules are meant");
}

static void
say_days(const struct matter *x, char *dst, size_t cap)
{
	const struct approval_terms *t = &x->release->record->terms;
	char from[STAMP_CAP], until[STAMP_CAP];
	say(dst, cap, "it is to be offered from %s until %s", when(t->not_before, from), when(t->not_after, until));
}

static void
say_version(const struct matter *x, char *dst, size_t cap)
{
	const struct approval_terms *t = &x->release->record->terms;
	char mine[DB_VERSION_MAX], its[DB_VERSION_MAX];
	privacy_mask_text(x->m->version, false, mine, sizeof mine);
	privacy_mask_text(t->target, false, its, sizeof its);
	if (!mine[0])
		say(dst, cap, "it has not said which version it has");
	else if (!x->m->version_cls)
		say(dst, cap, "it has version %s, as an operator said", mine);
	else
		say(dst, cap, "it said that it has version %s (class %s)", mine,
		    identity_class_name((enum identity_class)x->m->version_cls));
	say(dst, cap, ", the release leads from ");
	say_words(dst, cap, &t->from_versions, "any older one");
	say(dst, cap, " to %s", its);
}

static void
say_ring(const struct matter *x, char *dst, size_t cap)
{
	const struct rollout_plan *plan = x->v.plan;
	if (!plan && !x->v.lost) {
		say(dst, cap, "the release has no plan: it goes to all at once");
		return;
	}
	if (!plan || x->ring >= plan->rings_n || x->v.standing.ring >= plan->rings_n) {
		say(dst, cap, "the plan of its rollout cannot be read");
		return;
	}
	/* As rollouts has it: whoever came later is in the last one. */
	bool fresh = x->m->first_seen <= 0 || x->m->first_seen > x->release->record->issued;
	say(dst, cap, "it is in ring %s", plan->rings[x->ring].name);
	if (fresh)
		say(dst, cap, ", the last one, for it was not known when the rollout began");
	say(dst, cap, "; the rollout is %s, open up to ring %s", rollout_state_name(x->v.standing.state),
	    plan->rings[x->v.standing.ring].name);
	if (x->v.standing.held >> x->ring & 1)
		say(dst, cap, "; the ring is held until people sign for it");
	if (x->v.standing.state == ROLLOUT_PAUSED)
		say(dst, cap, ", by %s: %.200s", x->v.by, x->v.reason);
	else if (x->link[SCOPE_LINK_RING] != SCOPE_OFFER)
		say(dst, cap, ". %s", rollout_why_text(x->v.next.why));
}

static void
say_window(const struct matter *x, char *dst, size_t cap)
{
	int64_t opens;
	char at[STAMP_CAP];
	if (x->link[SCOPE_LINK_WINDOW] == SCOPE_OFFER) {
		bool any = x->p->windows.n || x->p->windows.blackouts_n;
		say(dst, cap, any ? "a window of the profile is open for its group" : "the profile has no windows");
		return;
	}
	opens = window_next(&x->p->windows, view_str(group_of(x)), timekeep_earliest(x->c), ZONE_NEVER);
	if (opens == ZONE_NEVER || stamp_format(opens, at))
		say(dst, cap, "no window of the profile opens for its group within 400 days");
	else
		say(dst, cap, "the next window opens at %s", at);
}

static void
say_link(const struct matter *x, enum scope_link link, char *dst, size_t cap)
{
	static void (*const by[SCOPE_LINKS])(const struct matter *, char *, size_t) = {
		[SCOPE_LINK_RELEASE] = say_release, [SCOPE_LINK_HALT] = say_halt, [SCOPE_LINK_IDENTITY] = say_identity,
		[SCOPE_LINK_LISTING] = say_listing, [SCOPE_LINK_HOLD] = say_hold, [SCOPE_LINK_PRODUCT] = say_product,
		[SCOPE_LINK_GROUP] = say_group, [SCOPE_LINK_DAYS] = say_days, [SCOPE_LINK_VERSION] = say_version,
		[SCOPE_LINK_RING] = say_ring, [SCOPE_LINK_WINDOW] = say_window,
	};
	by[link](x, dst, cap);
}

/* ---- what comes after an edge's offer: the grant ---- */

/* Whether grants are given at all, whatever the release: control_gate() by other than the halt. */
static bool
gate_lets(const struct matter *x, char *dst, size_t cap)
{
	struct control *c = x->c;
	if (logbook_condemned(c->logbook))
		say(dst, cap, "the audit log is %s: nobody is granted anything", logbook_state(c->logbook));
	else if (c->halt_lost)
		say(dst, cap, "the log has the gateway halted and the flag is gone: nobody is granted anything");
	else if (!timekeep_is_sure(c))
		timekeep_why(c, dst, cap);
	else if (!replay_done(c->replay))
		say(dst, cap, "the audit log is still being read: nobody is granted anything yet");
	else
		say(dst, cap, "log and clock are in order");
	return !logbook_condemned(c->logbook) && !c->halt_lost && replay_done(c->replay) && timekeep_is_sure(c);
}

static bool
room_lets(const struct matter *x, char *dst, size_t cap)
{
	uint32_t granted = grants_granted(x->c->grants, x->release->id), most = x->release->record->terms.max_devices;
	if (x->release->withheld) /* counted for nobody meanwhile */
		return true;
	if (granted >= most && !x->have_fate) {
		say(dst, cap, "as many modules as people signed for have it already: %u of %u", granted, most);
		return false;
	}
	say(dst, cap, "%u modules of the %u that people signed for have it", granted, most);
	return true;
}

static bool
pace_lets(const struct matter *x, char *dst, size_t cap)
{
	const struct rollout_plan *plan = x->v.plan;
	enum rollouts_share share = !plan || x->v.paced ? ROLLOUTS_SHARES :
	    rollouts_paced_share(x->c->rollouts, x->release->id, x->m);
	if ((!x->v.paced && share == ROLLOUTS_SHARES) || x->have_fate)
		return true;
	if (share == ROLLOUTS_SHARES) {
		say(dst, cap, "%s", grants_reason_text(GRANTS_PACED));
		return false;
	}
	char tag[TAGS_WORD_MAX + 1];
	int64_t concurrent, per_day;
	rollouts_caps_limits(plan, share, &concurrent, &per_day);
	rollouts_caps_name(x->m->tags, share, tag);
	if (share == ROLLOUTS_BY_GROUP)
		say(dst, cap, "as many modules of group %s", group_of(x));
	else if (tag[0])
		say(dst, cap, "as many modules of %s", tag);
	else
		say(dst, cap, "as many modules of which no tag says the %s", share == ROLLOUTS_BY_CELL ? "cell" : "APN");
	say(dst, cap, " were granted the release as the plan lets through of each:");
	if (concurrent)
		say(dst, cap, " %lld at a time", (long long)concurrent);
	if (per_day)
		say(dst, cap, "%s %lld in 24 hours", concurrent ? "," : "", (long long)per_day);
	return false;
}

static bool
asked_lets(const struct matter *x, char *dst, size_t cap)
{
	char at[STAMP_CAP];
	if (x->asked)
		say(dst, cap, "it asked for it; it was heard of last at %s", when(x->m->last_seen, at));
	else if (x->m->last_seen)
		say(dst, cap, "it has not asked for it; it was heard of last at %s", when(x->m->last_seen, at));
	else
		say(dst, cap, "it has not asked for it, nor for anything else: it may get its updates elsewhere");
	return x->asked;
}

/* What it was granted, and what came of it. Says nothing for one that was not. */
static void
say_fate(const struct matter *x, char *dst, size_t cap)
{
	const struct db_grant *g = &x->fate.grant;
	char at[STAMP_CAP], end[STAMP_CAP], word[STAMP_CAP];
	if (!x->have_fate)
		return;
	say(dst, cap, "granted at %s, %" PRIu64 " bytes sent, ", when(g->at, at), g->bytes);
	say(dst, cap, g->completed ? "all of it by %s" : "not all of it%s", g->completed ? when(g->completed, end) : "");
	if (!strcmp(x->fate.word, "new"))
		say(dst, cap, "; it reports the released version since %s", when(x->fate.word_at, word));
	else if (!strcmp(x->fate.word, "old"))
		say(dst, cap, "; it asked again in another version, %u times, last at %s", x->fate.again,
		    when(x->fate.word_at, word));
	else
		say(dst, cap, "; it has not said since which version it has");
	say(dst, cap, " (%s)", x->fate.outcome);
}

/* ---- the answer ---- */

/* What a release says of this module: the edge's own function, with the facts the table has. */
static void
ask_scope(struct matter *x, bool let_in)
{
	const struct inventory_module *m = x->m;
	const struct approval_terms *t = &x->release->record->terms;
	struct view from[APPROVAL_LIST_MAX], groups[APPROVAL_LIST_MAX];
	for (uint32_t i = 0; i < t->from_versions.n; i++)
		from[i] = view_str(t->from_versions.word[i]);
	for (uint32_t i = 0; i < t->groups.n; i++)
		groups[i] = view_str(t->groups.word[i]);
	const struct scope_release r = {
		.valid = !x->release->withheld,
		.halted = halts_now(x->c->halts) != NULL,
		.product = view_str(t->product),
		.target_version = view_str(t->target),
		.from = from,
		.from_n = t->from_versions.n,
		.groups = groups,
		.groups_n = t->groups.n,
		.not_before = t->not_before,
		.not_after = t->not_after,
		.share = let_in ? ROLLOUT_PLACES : 0,
		.known_by = SCOPE_WHENEVER, /* the module's ring says so already */
		.as_of = x->release->record->by_standing ? x->release->record->as_of : SCOPE_WHENEVER,
	};
	const struct scope_module s = {
		.identified = true,
		.listed = m->listed,
		.held = m->held,
		.product = view_str(m->product[0] ? m->product : t->product),
		.group = view_str(inventory_group(m)),
		.placed = m->placed,
		.current_version = view_str(m->version),
	};
	x->answer = scope_chain(&r, &s, x->p, timekeep_earliest(x->c), timekeep_latest(x->c), x->link);
}

struct answer {
	enum scope_answer answer;
	const struct matter *x; /* whose chain is shown; NULL: none */
	const char *missing;
	const char *product, *profile, *target;
	const char *ring;       /* of the plan; "": none */
	const uint8_t *release; /* NULL: there is none */
	const uint8_t *resource;
};

static void
put_link(struct jsonw *j, const char *name, bool ok, const char *said)
{
	jsonw_object(j);
	jsonw_kcstr(j, "link", name);
	jsonw_kbool(j, "ok", ok);
	requests_put_text(j, "said", said);
	jsonw_object_end(j);
}

/* What a grant is asked of, one after the other. */
static const struct {
	const char *name;
	bool (*lets)(const struct matter *x, char *dst, size_t cap);
} after[] = { { "gate", gate_lets }, { "room", room_lets }, { "pace", pace_lets }, { "asked", asked_lets } };

static void
put_chain(struct jsonw *j, const struct matter *x)
{
	jsonw_key(j, "chain");
	jsonw_array(j);
	for (unsigned i = 0; x && i < SCOPE_LINKS; i++) {
		char said[SAID_MAX] = "";
		say_link(x, (enum scope_link)i, said, sizeof said);
		put_link(j, scope_link_name((enum scope_link)i), x->link[i] == SCOPE_OFFER, said);
	}
	for (unsigned i = 0; x && i < sizeof after / sizeof after[0]; i++) {
		char said[SAID_MAX] = "";
		bool ok = after[i].lets(x, said, sizeof said);
		if (said[0])
			put_link(j, after[i].name, ok, said);
	}
	char said[SAID_MAX] = "";
	if (x)
		say_fate(x, said, sizeof said);
	if (said[0])
		put_link(j, "grant", true, said);
	jsonw_array_end(j);
}

static void
put_answer(struct jsonw *j, const struct answer *a)
{
	jsonw_object(j);
	jsonw_kcstr(j, "answer", scope_answer_name(a->answer));
	put_chain(j, a->x);
	requests_put_text(j, "missing", a->missing);
	requests_put_said(j, "product", a->product, false);
	requests_put_text(j, "profile", a->profile);
	requests_put_digest(j, "release", a->release != NULL, a->release, MSG_ID);
	jsonw_khex(j, "resource", a->resource, MSG_ID);
	requests_put_text(j, "ring", a->ring);
	requests_put_said(j, "target", a->target, false);
	jsonw_kcstr(j, "text", scope_answer_text(a->answer));
	jsonw_object_end(j);
}

/* What has to happen before the last thing it asked for can be offered. */
static void
what_is_missing(struct control *c, const struct db_resource *r, char *dst, size_t cap)
{
	struct db_candidate *cand = calloc(1, sizeof *cand);
	char review[DB_REVIEW_CAP] = "";
	uint32_t have, need;
	if (!cand || db_candidate_newest(c->db, r->id, cand)) {
		snprintf(dst, cap, "%s", r->url[0] ? "the vendor has not been asked yet" :
		    "the profile does not fetch: somebody has to import the image");
		free(cand);
		return;
	}
	db_candidate_review(cand->id, review);
	reviews_count(c, cand, &have, &need);
	if (candidates_is(cand, LIFECYCLE_REVIEW))
		snprintf(dst, cap, "%s waits for people: %u of %u have signed%s%.300s", review, have, need,
		    have >= need && cand->note[0] ? "; " : "", have >= need ? cand->note : ""); /* what the warden had against it */
	else
		snprintf(dst, cap, "%s is %s: %.300s", review, cand->state, cand->note);
	free(cand);
}

static void
explain_last(struct control *c, struct jsonw *j, const struct inventory_module *m)
{
	struct db_resource r;
	char missing[SAID_MAX];
	if (!m->have_last_resource || db_resource_get(c->db, m->last_resource, &r))
		return;
	what_is_missing(c, &r, missing, sizeof missing);
	put_answer(j, &(struct answer){ .answer = SCOPE_HOLD_NO_RELEASE, .missing = missing, .product = r.product,
	    .profile = r.profile, .target = r.target, .ring = "", .resource = r.id });
}

/* What the first link that stops it says; of one that may have it, what keeps it from asking, if it has not begun. */
static void
first_missing(const struct matter *x, char *dst, size_t cap)
{
	for (unsigned i = 0; i < SCOPE_LINKS; i++) {
		if (x->link[i] != SCOPE_OFFER) {
			say_link(x, (enum scope_link)i, dst, cap);
			return;
		}
	}
	for (unsigned i = 0; i < sizeof after / sizeof after[0]; i++) {
		dst[0] = '\0';
		if (!after[i].lets(x, dst, cap) && !(after[i].lets == asked_lets && x->have_fate))
			return;
	}
	dst[0] = '\0';
}

/* x: module, release and profile are there. */
static void
explain_release(struct jsonw *j, struct matter *x, bool chain)
{
	struct control *c = x->c;
	const uint8_t *id = x->release->id;
	const struct approval_terms *t = &x->release->record->terms;
	char missing[SAID_MAX] = "";
	bool let_in;
	x->ring = rollouts_ring_of(c->rollouts, id, x->m, &let_in);
	(void)rollouts_view_of(c->rollouts, id, &x->v);
	if (!x->v.plan || x->ring >= x->v.plan->rings_n)
		x->ring = ROLLOUT_RINGS_MAX;
	x->have_fate = rollouts_fate_of(c->rollouts, id, x->m, &x->fate);
	ask_scope(x, let_in);
	first_missing(x, missing, sizeof missing);
	put_answer(j, &(struct answer){ .answer = x->answer, .x = chain ? x : NULL, .missing = missing, .product = t->product,
	    .profile = t->profile, .target = t->target,
	    .ring = x->ring < ROLLOUT_RINGS_MAX ? x->v.plan->rings[x->ring].name : "", .release = id,
	    .resource = t->resource });
}

void
requests_module_explain(struct control *c, struct call *call)
{
	const struct inventory_module *m = requests_module_of(c, call);
	struct call_doc d;
	size_t n, chains = 0;
	bool last = false;
	if (!m)
		return;
	const struct tables_release *list = releases_all(c->releases, &n);
	call_doc_begin(&d);
	jsonw_key(&d.j, "answers");
	jsonw_array(&d.j);
	for (size_t i = 0; i < n; i++) {
		const struct approval_terms *t = &list[i].record->terms;
		const struct policy *p = policies_find(c->policies, t->profile);
		bool asked = m->have_last_resource && !memcmp(t->resource, m->last_resource, MSG_ID);
		if (!p || (!asked && strcmp(t->profile, m->profile) != 0))
			continue;
		last |= asked;
		struct matter x = { .c = c, .m = m, .release = &list[i], .p = p->profile, .asked = asked };
		explain_release(&d.j, &x, asked || chains++ < CHAINS_MAX);
	}
	if (!last)
		explain_last(c, &d.j, m);
	jsonw_array_end(&d.j);
	/* What an edge said to it when it asked last. */
	requests_put_text(&d.j, "last_answer", m->last_seen ? scope_answer_name((enum scope_answer)m->last_answer) : "");
	requests_put_time(&d.j, "last_seen", m->last_seen);
	jsonw_khex(&d.j, "module", m->pseudonym, sizeof m->pseudonym);
	call_doc_end(call, &d, CALL_DONE);
}
