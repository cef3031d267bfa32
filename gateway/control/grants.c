/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/grants.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "policy/scope.h"

struct pair { /* one (module, release) that was granted */
	struct db_grant g;
	bool used, dirty;
	struct grants_fate fate;
};
_Static_assert(sizeof(struct pair) <= 80, "GRANTS_MAX of them stay in memory");

struct open_release {
	uint8_t id[RELEASE_ID];
	struct approval_list groups;
	char default_group[DB_NAME_MAX];
	char profile[APPROVAL_WORD_MAX];
	bool unlisted_ok;
	uint32_t max_devices;
	int64_t not_before, not_after;
	int64_t as_of;    /* whose groups are those of then; SCOPE_WHENEVER: of now */
	uint32_t granted; /* distinct modules, kept beside the pairs so that an answer counts nothing */
};

struct grants {
	struct db *db;
	bool halted;
	grants_time time;
	void *time_arg;
	struct open_release *open[GRANTS_RELEASES_MAX];
	unsigned open_n;
	struct pair *pair; /* open addressing, cap a power of two */
	size_t cap, n;
	size_t *dirty;     /* places to write; rebuilt when the table grows */
	size_t dirty_n, dirty_cap;
	grants_guard guard;
	void *guard_ctx;
};

const char *
grants_reason_name(enum grants_reason reason)
{
	static const char *const names[GRANTS_REASONS] = {
		[GRANTS_UNDECIDED] = "undecided",
		[GRANTS_NO_RELEASE] = "no-release",
		[GRANTS_HALTED] = "halted",
		[GRANTS_NO_MODULE] = "no-module",
		[GRANTS_UNLISTED] = "unlisted",
		[GRANTS_HELD] = "held",
		[GRANTS_GROUP] = "group",
		[GRANTS_EARLY] = "early",
		[GRANTS_LATE] = "late",
		[GRANTS_RING] = "ring",
		[GRANTS_PACED] = "paced",
		[GRANTS_FULL] = "full",
		[GRANTS_BUSY] = "busy",
		[GRANTS_WINDOW] = "window",
		[GRANTS_YES] = "yes",
	};
	return (unsigned)reason < GRANTS_REASONS ? names[reason] : names[0];
}

const char *
grants_reason_text(enum grants_reason reason)
{
	static const char *const texts[GRANTS_REASONS] = {
		[GRANTS_UNDECIDED] = "Nobody decided.",
		[GRANTS_NO_RELEASE] = "The release is not in force.",
		[GRANTS_HALTED] = "The gateway is halted.",
		[GRANTS_NO_MODULE] = "The module is not known.",
		[GRANTS_UNLISTED] = "The module is not in the inventory and its profile holds such modules.",
		[GRANTS_HELD] = "An operator holds the module.",
		[GRANTS_GROUP] = "The release is not for the module's group.",
		[GRANTS_EARLY] = "The release is not in force yet.",
		[GRANTS_LATE] = "The release has run out.",
		[GRANTS_RING] = "The rollout has not come to the module, or is stopped.",
		[GRANTS_PACED] = "As many modules as its plan allows at a time, or in a day, were granted the release.",
		[GRANTS_FULL] = "As many modules as were signed for have been granted the release.",
		[GRANTS_BUSY] = "The gateway has no memory for a further grant.",
		[GRANTS_WINDOW] = "It is outside the maintenance windows for the module.",
		[GRANTS_YES] = "Granted.",
	};
	return (unsigned)reason < GRANTS_REASONS ? texts[reason] : texts[0];
}

/* ---- pairs ---- */

/* Pseudonyms are HMACs and release ids digests: their bytes are hash enough. */
static size_t
slot_of(const struct grants *g, const uint8_t module[DB_ID], const uint8_t release[DB_ID])
{
	uint64_t a, b;
	memcpy(&a, module, sizeof a);
	memcpy(&b, release, sizeof b);
	size_t i = (size_t)(a ^ (b * 0x9e3779b97f4a7c15ull)) & (g->cap - 1);
	while (g->pair[i].used &&
	    (memcmp(g->pair[i].g.module, module, DB_ID) || memcmp(g->pair[i].g.release, release, DB_ID)))
		i = (i + 1) & (g->cap - 1);
	return i;
}

static struct pair *
find(const struct grants *g, const uint8_t module[DB_ID], const uint8_t release[DB_ID])
{
	if (!g->cap)
		return NULL;
	struct pair *p = &g->pair[slot_of(g, module, release)];
	return p->used ? p : NULL;
}

static int
mark(struct grants *g, struct pair *p)
{
	if (p->dirty)
		return FG_OK;
	if (g->dirty_n == g->dirty_cap) {
		size_t cap = g->dirty_cap ? g->dirty_cap * 2 : 256;
		size_t *more = reallocarray(g->dirty, cap, sizeof *more);
		if (!more)
			return FG_ENOMEM;
		g->dirty = more;
		g->dirty_cap = cap;
	}
	g->dirty[g->dirty_n++] = (size_t)(p - g->pair);
	p->dirty = true;
	return FG_OK;
}

static int
grow(struct grants *g)
{
	struct grants bigger = *g;
	bigger.cap = g->cap ? g->cap * 2 : 1024;
	bigger.pair = calloc(bigger.cap, sizeof bigger.pair[0]);
	if (!bigger.pair)
		return FG_ENOMEM;
	size_t dirty = 0;
	for (size_t i = 0; i < g->cap; i++) {
		if (!g->pair[i].used)
			continue;
		size_t to = slot_of(&bigger, g->pair[i].g.module, g->pair[i].g.release);
		bigger.pair[to] = g->pair[i];
		if (g->pair[i].dirty)
			g->dirty[dirty++] = to; /* as many as there were: never past what is read */
	}
	free(g->pair);
	g->pair = bigger.pair;
	g->cap = bigger.cap;
	return FG_OK;
}

static struct open_release *find_open(const struct grants *g, const uint8_t id[RELEASE_ID]);

static int
add(struct grants *g, const struct db_grant *what, bool dirty, struct pair **ret)
{
	if (g->n >= GRANTS_MAX)
		return FG_ELIMIT;
	int err = g->n * 4 >= g->cap * 3 ? grow(g) : FG_OK;
	if (err)
		return err;
	struct pair *p = &g->pair[slot_of(g, what->module, what->release)];
	if (!p->used) {
		*p = (struct pair){ .g = *what, .used = true };
		g->n++;
		err = dirty ? mark(g, p) : FG_OK;
		if (err) {
			p->used = false; /* the last one in its run: nothing lies behind it */
			g->n--;
			return err;
		}
		struct open_release *o = find_open(g, what->release);
		if (o)
			o->granted++;
	}
	if (ret)
		*ret = p;
	return FG_OK;
}

static int
load_one(void *arg, const struct db_grant *what)
{
	return add(arg, what, false, NULL);
}

int
grants_new(struct db *db, struct grants **ret)
{
	struct grants *g = calloc(1, sizeof *g);
	if (!g)
		return FG_ENOMEM;
	g->db = db;
	int err = db_grant_list(db, NULL, NULL, load_one, g);
	if (err) {
		grants_free(g);
		return err;
	}
	*ret = g;
	return FG_OK;
}

void
grants_free(struct grants *g)
{
	if (!g)
		return;
	for (unsigned i = 0; i < g->open_n; i++)
		free(g->open[i]);
	free(g->pair);
	free(g->dirty);
	free(g);
}

/* ---- releases ---- */

static struct open_release *
find_open(const struct grants *g, const uint8_t id[RELEASE_ID])
{
	for (unsigned i = 0; i < g->open_n; i++) {
		if (!memcmp(g->open[i]->id, id, RELEASE_ID))
			return g->open[i];
	}
	return NULL;
}

int
grants_release_add(struct grants *g, const uint8_t id[RELEASE_ID], const struct release *record,
    const char *default_group, bool unlisted_ok)
{
	struct open_release *o = find_open(g, id);
	if (!o) {
		if (g->open_n == GRANTS_RELEASES_MAX)
			return FG_ELIMIT;
		o = calloc(1, sizeof *o);
		if (!o)
			return FG_ENOMEM;
		memcpy(o->id, id, RELEASE_ID);
		o->groups = record->terms.groups;
		memcpy(o->profile, record->terms.profile, sizeof o->profile);
		o->max_devices = record->terms.max_devices;
		o->not_before = record->terms.not_before;
		o->not_after = record->terms.not_after;
		o->as_of = record->by_standing ? record->as_of : SCOPE_WHENEVER;
		uint32_t completed;
		grants_count(g, id, &o->granted, &completed);
		g->open[g->open_n++] = o;
	}
	size_t n = strnlen(default_group, sizeof o->default_group - 1);
	memcpy(o->default_group, default_group, n);
	o->default_group[n] = '\0';
	o->unlisted_ok = unlisted_ok;
	return FG_OK;
}

void
grants_release_drop(struct grants *g, const uint8_t id[RELEASE_ID])
{
	for (unsigned i = 0; i < g->open_n; i++) {
		if (memcmp(g->open[i]->id, id, RELEASE_ID))
			continue;
		free(g->open[i]);
		g->open[i] = g->open[--g->open_n];
		return;
	}
}

void
grants_ask_time(struct grants *g, grants_time fn, void *arg)
{
	g->time = fn;
	g->time_arg = arg;
}

void
grants_set_guard(struct grants *g, grants_guard guard, void *ctx)
{
	g->guard = guard;
	g->guard_ctx = ctx;
}

void
grants_halt(struct grants *g, bool halted)
{
	g->halted = halted;
}

/* ---- answers ---- */

void
grants_count(const struct grants *g, const uint8_t release[RELEASE_ID], uint32_t *ret_granted,
    uint32_t *ret_completed)
{
	uint32_t granted = 0, completed = 0;
	for (size_t i = 0; i < g->cap; i++) {
		const struct pair *p = &g->pair[i];
		if (!p->used || memcmp(p->g.release, release, DB_ID))
			continue;
		granted++;
		completed += p->g.completed != 0;
	}
	*ret_granted = granted;
	*ret_completed = completed;
}

static enum grants_reason
permitted(const struct grants *g, const struct inventory_module *m, const struct open_release *o, int64_t earliest,
    int64_t latest)
{
	if (g->halted)
		return GRANTS_HALTED;
	if (!o)
		return GRANTS_NO_RELEASE;
	if (!m)
		return GRANTS_NO_MODULE;
	if (!m->listed && !o->unlisted_ok)
		return GRANTS_UNLISTED;
	if (m->held)
		return GRANTS_HELD;
	const char *group = inventory_group(m);
	group = group[0] ? group : o->default_group;
	if (!approval_list_has(&o->groups, "*") && !approval_list_has(&o->groups, group))
		return GRANTS_GROUP;
	if (!scope_placed_by(m->placed, o->as_of))
		return GRANTS_GROUP;
	if (earliest < o->not_before)
		return GRANTS_EARLY;
	if (latest >= o->not_after)
		return GRANTS_LATE;
	if (g->time && !g->time(g->time_arg, o->profile, group, earliest, latest))
		return GRANTS_WINDOW;
	return GRANTS_YES;
}

struct grants_answer
grants_ask(struct grants *g, const struct inventory_module *m, const uint8_t release[RELEASE_ID], int64_t earliest,
    int64_t latest)
{
	const struct open_release *o = find_open(g, release);
	struct grants_answer a = { .reason = permitted(g, m, o, earliest, latest) };
	if (a.reason != GRANTS_YES)
		return a;
	bool first = !find(g, m->pseudonym, release);
	if (first && o->granted >= o->max_devices)
		a.reason = GRANTS_FULL;
	else if (g->guard)
		a.reason = g->guard(g->guard_ctx, m, release, first);
	if (a.reason != GRANTS_YES)
		return a;
	if (first) {
		struct db_grant fresh = { .at = latest };
		memcpy(fresh.module, m->pseudonym, DB_ID);
		memcpy(fresh.release, release, DB_ID);
		if (add(g, &fresh, true, NULL)) {
			a.reason = GRANTS_BUSY;
			return a;
		}
		a.first = true;
	}
	int64_t left = o->not_after - latest;
	a.lease_s = left < GRANTS_LEASE_MAX ? (uint32_t)left : GRANTS_LEASE_MAX;
	return a;
}

void
grants_answer_all(struct grants *g, const struct inventory *inv, const struct msg_grant_ask *ask,
    int64_t earliest, int64_t latest, struct msg_grant_say *ret)
{
	*ret = (struct msg_grant_say){ .says_n = ask->asks_n };
	for (uint32_t i = 0; i < ask->asks_n; i++) {
		const struct msg_ask *one = &ask->asks[i];
		struct grants_answer a = grants_ask(g, inventory_by_pseudonym(inv, one->module), one->release, earliest,
		    latest);
		ret->says[i] = (struct msg_say){ one->token, a.reason == GRANTS_YES, (uint8_t)a.reason, a.lease_s };
	}
}

int
grants_replay(struct grants *g, const uint8_t module[MSG_ID], const uint8_t release[RELEASE_ID], int64_t at)
{
	struct db_grant what = { .at = at };
	memcpy(what.module, module, DB_ID);
	memcpy(what.release, release, DB_ID);
	return add(g, &what, true, NULL);
}

struct grants_fate *
grants_fate_of(struct grants *g, const uint8_t module[MSG_ID], const uint8_t release[RELEASE_ID])
{
	struct pair *p = find(g, module, release);
	return p ? &p->fate : NULL;
}

bool
grants_walk(struct grants *g, size_t *at, size_t n,
    void (*each)(void *arg, const struct db_grant *what, struct grants_fate *fate), void *arg)
{
	for (; n > 0 && *at < g->cap; n--, (*at)++)
		if (g->pair[*at].used)
			each(arg, &g->pair[*at].g, &g->pair[*at].fate);
	return *at < g->cap;
}

size_t
grants_places(const struct grants *g)
{
	return g->cap;
}

uint32_t
grants_granted(const struct grants *g, const uint8_t release[RELEASE_ID])
{
	const struct open_release *o = find_open(g, release);
	return o ? o->granted : UINT32_MAX;
}

int
grants_served(struct grants *g, const struct msg_served *s, int64_t now)
{
	struct pair *p = find(g, s->module, s->release);
	if (!p)
		return FG_ENOTFOUND;
	/* An edge may say what it likes: beyond what the database holds, one number would stop every later write. */
	uint64_t bytes;
	if (__builtin_add_overflow(p->g.bytes, s->sent, &bytes) || bytes > INT64_MAX)
		bytes = INT64_MAX;
	p->g.bytes = bytes;
	if (s->complete && !p->g.completed)
		p->g.completed = now;
	return mark(g, p);
}

bool
grants_has(const struct grants *g, const uint8_t module[MSG_ID], const uint8_t release[RELEASE_ID],
    struct db_grant *ret)
{
	const struct pair *p = find(g, module, release);
	if (p && ret)
		*ret = p->g;
	return p != NULL;
}

int
grants_flush(struct grants *g)
{
	if (!g->dirty_n)
		return FG_OK;
	int err = db_begin(g->db);
	if (err)
		return err;
	for (size_t i = 0; !err && i < g->dirty_n; i++)
		err = db_grant_put(g->db, &g->pair[g->dirty[i]].g);
	err = db_end(g->db, err);
	if (err)
		return err;
	for (size_t i = 0; i < g->dirty_n; i++)
		g->pair[g->dirty[i]].dirty = false;
	g->dirty_n = 0;
	return FG_OK;
}
