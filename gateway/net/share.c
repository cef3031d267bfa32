/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/net/share.h"

#include <stdlib.h>

#define MILLI 1000             /* buckets count thousandths of bytes: a rate of 1 for 1 ms is one */
#define HEAP_MIN 64u
#define NOWHERE UINT32_MAX
/* Longer than the emptiest bucket takes to fill at the least rate there can be (1), and no product overflows. */
#define REFILL_MAX_MS (INT64_C(1) << 22)

_Static_assert(SHARE_TURN_MIN * MILLI < REFILL_MAX_MS, "a bucket fills within REFILL_MAX_MS");
_Static_assert(SHARE_RATE_MAX <= INT64_MAX / 2 / REFILL_MAX_MS, "no product overflows");

TAILQ_HEAD(users, share_user);
TAILQ_HEAD(nodes, share);

/*
 * Listed with their parent are the nodes below that have somebody to name and a
 * turn in their bucket. A node without a turn lies in the tree's heap until it has
 * one: that is blocked, whether anybody waits or not.
 *
 * Turns are counted in bytes (deficit round robin), because some ask for 2 KiB at a
 * time and others for all at once. Whoever has used its turn up is spent, and gets
 * the next when all who stood before it in the round had theirs. Whoever comes back
 * with some left is fresh, and goes before the round: else each small request would
 * cost as much waiting as a large one.
 */
struct share {
	struct share_tree *tree;
	struct share *parent;      /* NULL: the root */
	TAILQ_ENTRY(share) link;   /* in parent's fresh or round */
	struct nodes fresh, round;
	struct users users;        /* who wait here */
	uint64_t rate;
	int64_t tokens;            /* thousandths of bytes, as of at_ms */
	int64_t at_ms;
	int64_t due_ms;            /* when blocked */
	uint32_t heap_at;          /* NOWHERE: not blocked */
	uint32_t below;            /* nodes, or users joined */
	uint32_t waiting;          /* users, here and below */
	int32_t left;              /* bytes of its turn among its like; -SHARE_TURN to SHARE_TURN */
	bool spent;
	struct nodes *listed;      /* in which of its parent's; NULL: none */
};

struct share_tree {
	struct share *root;
	struct share **heap;       /* room for every node, so that blocking needs no memory */
	uint32_t heap_n, heap_cap, nodes;
};

/* ---- one bucket ---- */

static int64_t
turn(const struct share *s)
{
	uint32_t a_second = s->waiting / SHARE_ROUND_S;
	uint64_t n = s->rate / (a_second > SHARE_TURNS ? a_second : SHARE_TURNS);
	if (s->rate == 0 || n > SHARE_TURN)
		return SHARE_TURN;
	return n < SHARE_TURN_MIN ? SHARE_TURN_MIN : (int64_t)n;
}

/* Never less than a turn: SHARE_TURNS of them are a second's worth. */
static int64_t
depth(const struct share *s)
{
	int64_t least = (s->rate ? SHARE_TURN_MIN : SHARE_TURN) * (int64_t)MILLI;
	int64_t full = (int64_t)s->rate * SHARE_DEPTH_MS;
	return full > least ? full : least;
}

_Static_assert(SHARE_TURNS * SHARE_DEPTH_MS >= 1000, "a bucket holds a turn");

static void
refill(struct share *s, int64_t now)
{
	int64_t full = depth(s), since = now - s->at_ms;
	if (since <= 0)
		return;
	if (since > REFILL_MAX_MS)
		since = REFILL_MAX_MS;
	s->tokens += (int64_t)s->rate * since;
	if (s->tokens > full)
		s->tokens = full;
	s->at_ms = now;
}

static bool
is_short(const struct share *s)
{
	return s->rate && s->tokens < turn(s) * MILLI;
}

/* ---- the heap of blocked nodes, the first due on top ---- */

static void
put(struct share_tree *t, uint32_t i, struct share *s)
{
	t->heap[i] = s;
	s->heap_at = i;
}

static void
sift(struct share_tree *t, uint32_t i, struct share *s)
{
	while (i > 0 && t->heap[(i - 1) / 2]->due_ms > s->due_ms) {
		put(t, i, t->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	for (uint32_t k; (k = 2 * i + 1) < t->heap_n; i = k) {
		if (k + 1 < t->heap_n && t->heap[k + 1]->due_ms < t->heap[k]->due_ms)
			k++;
		if (t->heap[k]->due_ms >= s->due_ms)
			break;
		put(t, i, t->heap[k]);
	}
	put(t, i, s);
}

static bool
is_blocked(const struct share *s)
{
	return s->heap_at != NOWHERE;
}

static void
block(struct share *s)
{
	int64_t missing = turn(s) * MILLI - s->tokens, rate = (int64_t)s->rate;
	s->due_ms = s->at_ms + (missing + rate - 1) / rate;
	sift(s->tree, s->tree->heap_n++, s);
}

static void
unblock(struct share *s)
{
	struct share_tree *t = s->tree;
	uint32_t i = s->heap_at;
	struct share *last = t->heap[--t->heap_n];
	s->heap_at = NOWHERE;
	if (last != s)
		sift(t, i, last);
}

/* ---- the tree ---- */

static bool
has_waiters(const struct share *s)
{
	return !TAILQ_EMPTY(&s->users) || !TAILQ_EMPTY(&s->fresh) || !TAILQ_EMPTY(&s->round);
}

static void
unlist(struct share *s)
{
	if (s->listed)
		TAILQ_REMOVE(s->listed, s, link);
	s->listed = NULL;
}

/* Lists s with its parent or takes it off, and so on upwards, as far as that changes something. */
static void
settle(struct share *s)
{
	for (; s->parent; s = s->parent) {
		bool wanted = !is_blocked(s) && has_waiters(s);
		if (wanted == (s->listed != NULL))
			return;
		if (wanted) {
			s->listed = s->spent ? &s->parent->round : &s->parent->fresh;
			TAILQ_INSERT_TAIL(s->listed, s, link);
		} else {
			unlist(s);
		}
	}
}

static struct share *
node_new(struct share_tree *t, struct share *parent, uint64_t rate, int64_t now)
{
	if (t->nodes == t->heap_cap) {
		uint32_t cap = t->heap_cap ? t->heap_cap * 2 : HEAP_MIN;
		struct share **heap = reallocarray(t->heap, cap, sizeof *heap);
		if (!heap)
			return NULL;
		t->heap = heap;
		t->heap_cap = cap;
	}
	struct share *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->tree = t;
	s->parent = parent;
	s->rate = rate > SHARE_RATE_MAX ? SHARE_RATE_MAX : rate;
	s->tokens = depth(s);
	s->at_ms = now;
	s->heap_at = NOWHERE;
	s->spent = true;
	TAILQ_INIT(&s->fresh);
	TAILQ_INIT(&s->round);
	TAILQ_INIT(&s->users);
	t->nodes++;
	return s;
}

struct share_tree *
share_tree_new(uint64_t rate)
{
	struct share_tree *t = calloc(1, sizeof *t);
	if (t && !(t->root = node_new(t, NULL, rate, 0))) {
		share_tree_free(t);
		return NULL;
	}
	return t;
}

void
share_tree_free(struct share_tree *t)
{
	if (!t)
		return;
	if (t->nodes > 1)
		abort();
	free(t->root);
	free(t->heap);
	free(t);
}

struct share *
share_root(struct share_tree *t)
{
	return t->root;
}

struct share *
share_new(struct share *parent, uint64_t rate, int64_t now)
{
	struct share *s = node_new(parent->tree, parent, rate, now);
	if (s)
		parent->below++;
	return s;
}

void
share_free(struct share *s)
{
	if (!s)
		return;
	if (s->below || !s->parent)
		abort();
	if (is_blocked(s))
		unblock(s);
	s->parent->below--;
	s->tree->nodes--;
	free(s);
}

void
share_set_rate(struct share *s, uint64_t rate, int64_t now)
{
	bool had_none = s->rate == 0;
	refill(s, now);
	if (is_blocked(s))
		unblock(s);
	s->at_ms = now;
	s->rate = rate > SHARE_RATE_MAX ? SHARE_RATE_MAX : rate;
	if (had_none || s->tokens > depth(s))
		s->tokens = depth(s);
	if (is_short(s))
		block(s);
	settle(s);
}

uint64_t
share_rate(const struct share *s)
{
	return s->rate;
}

bool
share_is_full(struct share *s, int64_t now)
{
	refill(s, now);
	return s->rate == 0 || s->tokens == depth(s);
}

/* ---- users ---- */

void
share_join(struct share_user *u, struct share *s)
{
	u->share = s;
	s->below++;
}

void
share_return(struct share_user *u, uint64_t n, int64_t now)
{
	if (n > u->credit)
		abort();
	u->credit -= n;
	for (struct share *s = u->share; n && s; s = s->parent) {
		refill(s, now);
		s->tokens += (int64_t)n * MILLI;
		if (s->tokens > depth(s))
			s->tokens = depth(s);
	}
}

static void
enqueue(struct share_user *u, uint64_t want)
{
	u->want = want;
	u->waiting = true;
	TAILQ_INSERT_TAIL(&u->share->users, u, link);
	for (struct share *s = u->share; s; s = s->parent)
		s->waiting++;
}

static void
dequeue(struct share_user *u)
{
	TAILQ_REMOVE(&u->share->users, u, link);
	u->waiting = false;
	for (struct share *s = u->share; s; s = s->parent)
		s->waiting--;
}

void
share_leave(struct share_user *u, int64_t now)
{
	share_return(u, u->credit, now);
	if (u->waiting) {
		dequeue(u);
		settle(u->share);
	}
	u->share->below--;
	*u = (struct share_user){ 0 };
}

/* The shortest turn on the way from s upwards. */
static int64_t
turn_from(const struct share *s)
{
	int64_t n = SHARE_TURN;
	for (; s; s = s->parent)
		n = n < turn(s) ? n : turn(s);
	return n;
}

/*
 * n bytes of its turn among its like are gone. It keeps its place while it has some
 * left. How long the turn is depends on what they share, not on what it has itself.
 */
static void
take_turn(struct share *s, int64_t n)
{
	int64_t whole = turn_from(s->parent);
	if (s->spent) /* more than one turn, from when they were longer, is not held against it */
		s->left = (int32_t)((s->left < -whole ? -whole : s->left) + whole);
	s->left -= (int32_t)n;
	s->spent = s->left <= 0;
	if (s->spent)
		unlist(s);
}

/* For u: no node above it is blocked. */
static void
grant(struct share_user *u, uint64_t want, int64_t now)
{
	int64_t n = turn_from(u->share);
	for (struct share *s = u->share; s; s = s->parent) {
		refill(s, now);
		if (s->rate && n > s->tokens / MILLI) /* turns were shorter when it was last looked at */
			n = s->tokens / MILLI;
	}
	n = want < (uint64_t)n ? (int64_t)want : n;
	u->credit = (uint64_t)n;
	for (struct share *s = u->share; s; s = s->parent) {
		if (s->rate)
			s->tokens -= n * MILLI;
		if (is_short(s))
			block(s);
		if (s->parent)
			take_turn(s, n);
	}
	for (struct share *s = u->share; s->parent; s = s->parent)
		settle(s);
}

uint64_t
share_ask(struct share_user *u, uint64_t want, int64_t now)
{
	bool free_way = true;
	if (u->waiting || u->credit || !want)
		abort();
	for (struct share *s = u->share; s; s = s->parent)
		free_way &= !is_blocked(s) && !has_waiters(s);
	if (free_way) {
		grant(u, want, now);
		return u->credit;
	}
	enqueue(u, want);
	settle(u->share);
	return 0;
}

struct share_user *
share_next(struct share_tree *t, int64_t now)
{
	while (t->heap_n && t->heap[0]->due_ms <= now) {
		struct share *s = t->heap[0];
		refill(s, now);
		unblock(s);
		settle(s);
	}
	if (is_blocked(t->root))
		return NULL;
	struct share *s = t->root;
	while (TAILQ_EMPTY(&s->users) && has_waiters(s))
		s = TAILQ_EMPTY(&s->fresh) ? TAILQ_FIRST(&s->round) : TAILQ_FIRST(&s->fresh);
	struct share_user *u = TAILQ_FIRST(&s->users);
	if (!u)
		return NULL;
	dequeue(u);
	grant(u, u->want, now);
	return u;
}

int64_t
share_wait_ms(const struct share_tree *t, int64_t now)
{
	if (t->root->waiting == 0)
		return -1;
	if (!is_blocked(t->root) && has_waiters(t->root))
		return 0;
	if (!t->heap_n)
		abort(); /* who waits waits for a bucket */
	int64_t due = is_blocked(t->root) ? t->root->due_ms : t->heap[0]->due_ms;
	return due > now ? due - now : 0;
}

size_t
share_waiting(const struct share_tree *t)
{
	return t->root->waiting;
}
