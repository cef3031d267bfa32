/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/rollout.h"

#include <stdio.h>
#include <string.h>

#include "crypto/digest.h"

/* ---- plans ---- */

static bool
within(int64_t v, int64_t min, int64_t max)
{
	return v >= min && v <= max;
}

/* The field that is out of its range, or NULL. */
static const char *
ring_field(const struct rollout_ring *r)
{
	if (!within(r->soak, 1, ROLLOUT_SOAK_MAX))
		return "soak";
	if (!within(r->reports, 1, UINT32_MAX))
		return "reports";
	if (!within(r->success, 1, ROLLOUT_PERMILLE))
		return "success";
	if (!within(r->failed, 1, ROLLOUT_PERMILLE))
		return "failed";
	return within(r->silent, 1, ROLLOUT_PERMILLE) ? NULL : "silent";
}

static const char *
plan_field(const struct rollout_plan *p)
{
	if (!within(p->concurrent, 1, UINT32_MAX))
		return "concurrent";
	if (!within(p->per_day, 1, UINT32_MAX))
		return "per_day";
	if (!within(p->group_concurrent, 0, UINT32_MAX))
		return "group_concurrent";
	if (!within(p->group_per_day, 0, UINT32_MAX))
		return "group_per_day";
	if (!within(p->cell_concurrent, 0, UINT32_MAX))
		return "cell_concurrent";
	if (!within(p->cell_per_day, 0, UINT32_MAX))
		return "cell_per_day";
	if (!within(p->apn_concurrent, 0, UINT32_MAX))
		return "apn_concurrent";
	if (!within(p->apn_per_day, 0, UINT32_MAX))
		return "apn_per_day";
	if (!within(p->egress_watch, 0, UINT32_MAX))
		return "egress_watch";
	if (!within(p->settle, 0, ROLLOUT_SOAK_MAX))
		return "settle";
	if (!within(p->silence, 1, ROLLOUT_USUAL_MAX))
		return "silence";
	return within(p->silence_times, 1, ROLLOUT_TIMES_MAX) ? NULL : "silence_times";
}

/* What is wrong with how ring i takes modules, given those before it; NULL: nothing. */
static const char *
taking(const struct rollout_plan *p, unsigned i, int64_t before)
{
	const struct rollout_ring *r = &p->rings[i];
	bool last = i + 1 == p->rings_n;
	if (r->groups_n > ROLLOUT_GROUPS_MAX)
		return "has more groups than there is room for";
	if (last)
		return r->groups_n == 0 && r->share == ROLLOUT_PERMILLE ? NULL :
		    "is the last ring and takes everybody; give it neither groups nor share";
	if ((r->groups_n > 0) == (r->share > 0))
		return "takes modules by groups or by share; give it one of them";
	if (r->groups_n > 0)
		return r->share == 0 ? NULL : "has a share that is none";
	if (!within(r->share, 1, ROLLOUT_PERMILLE - 1))
		return "has a share that is not 1 to 999 permille; everybody is the last ring's";
	return r->share > before ? NULL : "takes no more than a ring before it; let shares grow";
}

const char *
rollout_plan_flaw(const struct rollout_plan *p, char out[160])
{
	const char *field = plan_field(p);
	int64_t share = 0;
	if (p->rings_n == 0 || p->rings_n > ROLLOUT_RINGS_MAX) {
		snprintf(out, 160, "it has no rings, or more than %d", ROLLOUT_RINGS_MAX);
		return out;
	}
	if (field) {
		snprintf(out, 160, "%s is out of range", field);
		return out;
	}
	for (unsigned i = 0; i < p->rings_n; i++) {
		const struct rollout_ring *r = &p->rings[i];
		const char *wrong = taking(p, i, share);
		field = ring_field(r);
		if (wrong)
			snprintf(out, 160, "rings[%u] %s", i, wrong);
		else if (field)
			snprintf(out, 160, "rings[%u].%s is out of range", i, field);
		else if (i == 0 && r->human)
			snprintf(out, 160, "rings[0] waits for a human; the approval opens it");
		if (wrong || field || (i == 0 && r->human))
			return out;
		for (unsigned k = 0; k < i; k++)
			if (strcmp(p->rings[k].name, r->name) == 0) {
				snprintf(out, 160, "rings[%u] has the name of rings[%u]", i, k);
				return out;
			}
		if (r->share > share)
			share = r->share;
	}
	return NULL;
}

static bool
sound(const struct rollout_plan *p)
{
	char why[160];
	return rollout_plan_flaw(p, why) == NULL;
}

/* ---- rings ---- */

uint64_t
rollout_place(const uint8_t release[ROLLOUT_ID], const uint8_t pseudonym[ROLLOUT_ID])
{
	uint8_t both[2 * ROLLOUT_ID], digest[DIGEST_SHA256_LEN];
	uint64_t place = 0;
	memcpy(both, release, ROLLOUT_ID);
	memcpy(both + ROLLOUT_ID, pseudonym, ROLLOUT_ID);
	if (digest_sha256(view_of(both, sizeof both), digest))
		return UINT64_MAX;
	for (unsigned i = 0; i < 4; i++)
		place = place << 8 | digest[i];
	return place;
}

/* A place is below it for that part of all modules. */
static uint64_t
places_of(int64_t permille)
{
	return ROLLOUT_PLACES * (uint64_t)permille / ROLLOUT_PERMILLE;
}

static bool
has_group(const struct rollout_ring *r, struct view group)
{
	for (unsigned i = 0; i < r->groups_n; i++)
		if (view_is(group, r->groups[i]))
			return true;
	return false;
}

unsigned
rollout_ring_of(const struct rollout_plan *p, uint64_t place, struct view group, bool fresh)
{
	if (!sound(p))
		return ROLLOUT_RINGS_MAX;
	for (unsigned i = 0; !fresh && i + 1 < p->rings_n; i++) {
		const struct rollout_ring *r = &p->rings[i];
		if (r->groups_n > 0 ? has_group(r, group) : place < places_of(r->share))
			return i;
	}
	return p->rings_n - 1;
}

static bool
is_held(uint32_t held, unsigned ring)
{
	return held >> ring & 1;
}

void
rollout_open_all(struct rollout_open *ret)
{
	*ret = (struct rollout_open){ .share = ROLLOUT_PLACES, .fresh = true };
}

void
rollout_open_to(const struct rollout_plan *p, unsigned ring, uint32_t held, struct rollout_open *ret)
{
	*ret = (struct rollout_open){ 0 };
	if (!sound(p) || ring >= p->rings_n)
		return;
	for (unsigned i = 0; i <= ring; i++) {
		const struct rollout_ring *r = &p->rings[i];
		if (is_held(held, i))
			continue;
		for (unsigned k = 0; k < r->groups_n; k++)
			ret->group[ret->groups_n++] = r->groups[k];
		if (r->groups_n == 0 && places_of(r->share) > ret->share)
			ret->share = places_of(r->share);
	}
	ret->fresh = ring + 1 == p->rings_n && !is_held(held, ring);
}

bool
rollout_is_open(const struct rollout_standing *s, unsigned ring)
{
	bool on = s->state == ROLLOUT_RUNNING || s->state == ROLLOUT_DONE;
	return on && ring < ROLLOUT_RINGS_MAX && ring <= s->ring && !is_held(s->held, ring);
}

/* ---- modules ---- */

static int64_t
patience(const struct rollout_plan *p, int64_t usual)
{
	if (usual > ROLLOUT_USUAL_MAX)
		usual = ROLLOUT_USUAL_MAX;
	int64_t times = usual > 0 ? usual * p->silence_times : 0;
	return times > p->silence ? times : p->silence;
}

enum rollout_outcome
rollout_outcome(const struct rollout_plan *p, const struct rollout_facts *f, enum identity_class best, int64_t now)
{
	if (f->granted <= 0 || best == IDENTITY_CLASS_NONE || best >= IDENTITY_D)
		return ROLLOUT_UNCOUNTED;
	bool proved = f->word_class != IDENTITY_CLASS_NONE && f->word_class < IDENTITY_D;
	if (proved && f->word == ROLLOUT_WORD_NEW)
		return ROLLOUT_SUCCESS;
	/* Asks for it again once it has had all of it, and time to put it in. */
	if (proved && f->word == ROLLOUT_WORD_OLD && f->completed > 0 && f->word_at - f->completed >= p->settle)
		return ROLLOUT_FAILURE;
	int64_t last = f->heard > f->granted ? f->heard : f->granted;
	return last < now - patience(p, f->usual) ? ROLLOUT_SILENT : ROLLOUT_PENDING;
}

const char *
rollout_outcome_name(enum rollout_outcome outcome)
{
	static const char *const names[ROLLOUT_OUTCOMES] = { "uncounted", "pending", "success", "failure", "silent" };
	return names[(unsigned)outcome < ROLLOUT_OUTCOMES ? outcome : ROLLOUT_UNCOUNTED];
}

bool
rollout_is_absent(int64_t seen, int64_t usual, int64_t now)
{
	if (usual > ROLLOUT_USUAL_MAX)
		usual = ROLLOUT_USUAL_MAX;
	int64_t wait = usual > 0 ? usual * ROLLOUT_ABSENT_TIMES : 0;
	return seen <= 0 || seen < now - (wait > ROLLOUT_ABSENT_S ? wait : ROLLOUT_ABSENT_S);
}

/* ---- what next ---- */

const char *
rollout_state_name(enum rollout_state state)
{
	static const char *const names[ROLLOUT_STATES] = { "none", "running", "paused", "aborted", "done",
		"superseded" };
	return names[(unsigned)state < ROLLOUT_STATES ? state : ROLLOUT_NO_STATE];
}

/* part of whole is at least that many permille; never, of nothing. */
static bool
reaches(uint64_t part, uint64_t whole, int64_t permille)
{
	return whole > 0 && part * ROLLOUT_PERMILLE >= whole * (uint64_t)permille;
}

/*
 * Few modules are measured against as many as must report: one of one is not all of
 * them. What went wrong in the other way is left out of the whole, or more of that
 * would make this less.
 */
static bool
too_many(const struct rollout_ring *r, uint32_t part, uint32_t granted, uint32_t other, int64_t permille)
{
	uint64_t of = granted - other;
	return reaches(part, of > (uint64_t)r->reports ? of : (uint64_t)r->reports, permille);
}

static uint32_t
lower(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* What people signed to go on over is as if it had never been granted. */
static struct rollout_count
since_signed(const struct rollout_count *n, const struct rollout_count *over)
{
	uint32_t failure = lower(over->failure, n->failure), silent = lower(over->silent, n->silent);
	return (struct rollout_count){ .granted = n->granted - failure - silent, .success = n->success,
		.failure = n->failure - failure, .silent = n->silent - silent };
}

/* Of counts that add up. */
static enum rollout_why
trouble(const struct rollout_ring *r, const struct rollout_count *all, const struct rollout_count *over)
{
	const struct rollout_count left = since_signed(all, over), *n = &left;
	if (too_many(r, n->failure, n->granted, n->silent, r->failed))
		return ROLLOUT_WHY_FAILED;
	return too_many(r, n->silent, n->granted, n->failure, r->silent) ? ROLLOUT_WHY_SILENT : ROLLOUT_WHY_NONE;
}

/* More ended than began: whoever counted has not counted. */
static bool
adds_up(const struct rollout_count *n)
{
	return (uint64_t)n->success + n->failure + n->silent <= n->granted;
}

static enum rollout_why
missing(const struct rollout_ring *r, const struct rollout_count *n, int64_t open_for)
{
	if (open_for < r->soak)
		return ROLLOUT_WHY_SOAK;
	if (n->success < (uint64_t)r->reports)
		return ROLLOUT_WHY_REPORTS;
	return reaches(n->success, n->granted, r->success) ? ROLLOUT_WHY_NONE : ROLLOUT_WHY_SUCCESS;
}

struct rollout_next
rollout_next(const struct rollout_plan *p, const struct rollout_standing *s, int64_t now)
{
	struct rollout_next next = { ROLLOUT_PAUSE, ROLLOUT_WHY_FLAW, s->ring };
	if (s->state != ROLLOUT_RUNNING)
		return (struct rollout_next){ ROLLOUT_WAIT, ROLLOUT_WHY_STOPPED, s->ring };
	if (!sound(p) || s->ring >= p->rings_n || s->since <= 0)
		return next;
	for (next.ring = 0; next.ring <= s->ring; next.ring++) {
		if (!adds_up(&s->count[next.ring]))
			return next;
		enum rollout_why why = trouble(&p->rings[next.ring], &s->count[next.ring], &s->over[next.ring]);
		if (why)
			return (struct rollout_next){ ROLLOUT_PAUSE, why, next.ring };
	}
	next = (struct rollout_next){ ROLLOUT_WAIT, ROLLOUT_WHY_CLOCK, s->ring };
	if (now < s->since)
		return next;
	bool last = s->ring + 1 == p->rings_n;
	next.why = ROLLOUT_WHY_HELD;
	if (is_held(s->held, s->ring) || (last ? s->held != 0 : is_held(s->held, s->ring + 1)))
		return next;
	next.why = missing(&p->rings[s->ring], &s->count[s->ring], now - s->since);
	if (next.why)
		return next;
	if (!last && s->watched[s->ring] < (uint64_t)p->egress_watch) {
		next.why = ROLLOUT_WHY_EGRESS;
		return next;
	}
	if (!last && p->rings[s->ring + 1].human && s->opens != s->ring + 1) {
		next.why = ROLLOUT_WHY_HUMAN;
		return next;
	}
	return (struct rollout_next){ last ? ROLLOUT_FINISH : ROLLOUT_OPEN, ROLLOUT_WHY_PASSED, s->ring };
}

/* ---- going on over what failed ---- */

void
rollout_shrink(struct rollout_standing *s, unsigned rings_n)
{
	for (unsigned i = 0; i < rings_n && i < ROLLOUT_RINGS_MAX; i++) {
		s->over[i].failure = lower(s->over[i].failure, s->count[i].failure);
		s->over[i].silent = lower(s->over[i].silent, s->count[i].silent);
	}
}

bool
rollout_over_put(const char *ring, const struct rollout_count *n, char dst[ROLLOUT_OVER_CAP])
{
	int len = snprintf(dst, ROLLOUT_OVER_CAP, "%s: %u failed, %u silent", ring, n->failure, n->silent);
	return len > 0 && len < ROLLOUT_OVER_CAP;
}

/* Digits at *at, which goes on behind them; false: there are none, or more than a count holds. */
static bool
get_number(struct view v, size_t *at, uint32_t *ret)
{
	uint64_t n = 0;
	size_t from = *at;
	for (; *at < v.n && v.p[*at] >= '0' && v.p[*at] <= '9' && n <= UINT32_MAX; (*at)++)
		n = n * 10 + (v.p[*at] - '0');
	*ret = (uint32_t)n;
	return *at > from && n <= UINT32_MAX;
}

static bool
get_word(struct view v, size_t *at, const char *word)
{
	size_t n = strlen(word);
	if (v.n - *at < n || memcmp(v.p + *at, word, n) != 0)
		return false;
	*at += n;
	return true;
}

unsigned
rollout_over_get(const struct rollout_plan *p, struct view word, struct rollout_count *ret)
{
	for (unsigned i = 0; i < p->rings_n && i < ROLLOUT_RINGS_MAX; i++) {
		struct rollout_count n = { 0 };
		char again[ROLLOUT_OVER_CAP];
		size_t at = 0;
		if (!get_word(word, &at, p->rings[i].name) || !get_word(word, &at, ": ") || !get_number(word, &at, &n.failure) ||
		    !get_word(word, &at, " failed, ") || !get_number(word, &at, &n.silent))
			continue;
		if (!rollout_over_put(p->rings[i].name, &n, again) || !view_is(word, again))
			continue;
		*ret = n;
		return i;
	}
	return ROLLOUT_RINGS_MAX;
}

const char *
rollout_why_text(enum rollout_why why)
{
	static const char *const texts[ROLLOUT_WHYS] = {
		[ROLLOUT_WHY_NONE] = "Nobody has decided.",
		[ROLLOUT_WHY_FLAW] = "The plan or the numbers under it cannot be right.",
		[ROLLOUT_WHY_FAILED] = "As many modules failed as pause the rollout.",
		[ROLLOUT_WHY_SILENT] = "As many modules went silent as pause the rollout.",
		[ROLLOUT_WHY_CLOCK] = "The ring was opened later than the clock says it is.",
		[ROLLOUT_WHY_STOPPED] = "The rollout is not running.",
		[ROLLOUT_WHY_SOAK] = "The ring has not been open for long enough.",
		[ROLLOUT_WHY_REPORTS] = "Too few modules of the ring have reported the new version.",
		[ROLLOUT_WHY_SUCCESS] = "Too small a part of the ring's modules has reported the new version.",
		[ROLLOUT_WHY_EGRESS] = "No report of the network (fotagate egress import) tells of enough modules of the ring.",
		[ROLLOUT_WHY_HUMAN] = "The ring has shown what it must; people open the next one, and sign for that.",
		[ROLLOUT_WHY_HELD] = "The ring, or the next one, is held.",
		[ROLLOUT_WHY_PASSED] = "The ring has shown what it must.",
	};
	return texts[(unsigned)why < ROLLOUT_WHYS ? why : ROLLOUT_WHY_NONE];
}
