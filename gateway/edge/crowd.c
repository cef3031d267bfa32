/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/crowd.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "gateway/wire/msg.h"

/* Both kinds lie in balanced trees (tsearch), which no choice of keys makes slow. */
struct group {
	char name[MSG_NAME_MAX];
	struct share *share;
	size_t members; /* that have a share of it */
};

struct member {
	uint8_t key[CROWD_KEY];
	char group[MSG_NAME_MAX];
	uint32_t conns;        /* 0: resting */
	struct group *of;      /* while it has a share */
	struct share *share;
	TAILQ_ENTRY(member) resting;
};

struct crowd {
	struct crowd_rates rates;
	struct share_tree *tree;
	void *members, *groups;
	TAILQ_HEAD(, member) resting; /* who left first is first */
	size_t n, resting_n;
	int64_t now_ms;               /* for set_rate_of */
};

static int
compare_members(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	return memcmp(x->key, y->key, CROWD_KEY);
}

static int
compare_groups(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	return strcmp(x->name, y->name);
}

/* The one in the tree that is like what, or what itself, from now on there; NULL: no memory. */
static void *
find_or_add(const void *what, void **tree, int (*compare)(const void *, const void *))
{
	void **at = tsearch(what, tree, compare);
	return at ? *at : NULL;
}

static bool
is_limited(const struct crowd *c)
{
	return c->rates.all || c->rates.group || c->rates.module;
}

struct crowd *
crowd_new(const struct crowd_rates *rates)
{
	struct crowd *c = calloc(1, sizeof *c);
	if (!c)
		return NULL;
	c->rates = *rates;
	TAILQ_INIT(&c->resting);
	if (!(c->tree = share_tree_new(rates->all))) {
		free(c);
		return NULL;
	}
	return c;
}

struct share_tree *
crowd_tree(struct crowd *c)
{
	return c->tree;
}

/* ---- shares ---- */

static struct group *
group_of(struct crowd *c, const char *name, int64_t now)
{
	struct group like = { 0 };
	memcpy(like.name, name, strlen(name) + 1);
	struct group **at = tfind(&like, &c->groups, compare_groups);
	if (at)
		return *at;
	struct group *g = malloc(sizeof *g);
	if (!g)
		return NULL;
	*g = like;
	g->share = share_new(share_root(c->tree), c->rates.group, now);
	if (!g->share || !find_or_add(g, &c->groups, compare_groups)) {
		share_free(g->share);
		free(g);
		return NULL;
	}
	return g;
}

static void
group_leave(struct crowd *c, struct group *g)
{
	if (--g->members)
		return;
	tdelete(g, &c->groups, compare_groups);
	share_free(g->share);
	free(g);
}

int
crowd_share(struct crowd *c, struct member *m, int64_t now, struct share **ret)
{
	*ret = NULL;
	if (!is_limited(c))
		return FG_OK;
	if (!m->share) {
		struct group *g = group_of(c, m->group, now);
		if (!g)
			return FG_ENOMEM;
		g->members++;
		m->of = g;
		m->share = share_new(g->share, c->rates.module, now);
		if (!m->share) {
			group_leave(c, g);
			return FG_ENOMEM;
		}
	}
	*ret = m->share;
	return FG_OK;
}

/* ---- members ---- */

static void
forget(struct crowd *c, struct member *m)
{
	tdelete(m, &c->members, compare_members);
	c->n--;
	if (m->share) {
		share_free(m->share);
		group_leave(c, m->of);
	}
	free(m);
}

static void
wake(struct crowd *c, struct member *m)
{
	TAILQ_REMOVE(&c->resting, m, resting);
	c->resting_n--;
}

bool
crowd_is(const struct member *m, const uint8_t key[CROWD_KEY])
{
	return memcmp(m->key, key, CROWD_KEY) == 0;
}

int
crowd_enter(struct crowd *c, const uint8_t key[CROWD_KEY], const char *group, uint32_t max, struct member **ret)
{
	struct member like;
	memcpy(like.key, key, CROWD_KEY);
	struct member **at = tfind(&like, &c->members, compare_members), *m = at ? *at : NULL;
	if (m && m->conns >= max)
		return FG_ELIMIT;
	if (m && m->conns == 0)
		wake(c, m);
	if (!m) {
		if (!(m = calloc(1, sizeof *m)))
			return FG_ENOMEM;
		memcpy(m->key, key, CROWD_KEY);
		snprintf(m->group, sizeof m->group, "%s", group);
		if (!find_or_add(m, &c->members, compare_members)) {
			free(m);
			return FG_ENOMEM;
		}
		c->n++;
	}
	m->conns++;
	*ret = m;
	return FG_OK;
}

/* Worth remembering: in its group's bucket, when it is the last one there, or in its own something is missing. */
static bool
has_spent(struct member *m, int64_t now)
{
	return m->share && (!share_is_full(m->share, now) || (m->of->members == 1 && !share_is_full(m->of->share, now)));
}

void
crowd_leave(struct crowd *c, struct member *m, int64_t now)
{
	if (!m || --m->conns)
		return;
	if (!has_spent(m, now)) {
		forget(c, m);
		return;
	}
	TAILQ_INSERT_TAIL(&c->resting, m, resting);
	if (++c->resting_n > CROWD_RESTING) {
		struct member *first = TAILQ_FIRST(&c->resting);
		wake(c, first);
		forget(c, first);
	}
}

void
crowd_sweep(struct crowd *c, int64_t now)
{
	struct member *m;
	/* All fill in about the same time: whoever left first is full first. */
	while ((m = TAILQ_FIRST(&c->resting)) && !has_spent(m, now)) {
		wake(c, m);
		forget(c, m);
	}
}

static void
set_rate_of_group(const void *node, VISIT which, void *ctx)
{
	const struct crowd *c = ctx;
	struct group *const *g = node;
	if (which == postorder || which == leaf)
		share_set_rate((*g)->share, c->rates.group, c->now_ms);
}

static void
set_rate_of_member(const void *node, VISIT which, void *ctx)
{
	const struct crowd *c = ctx;
	struct member *const *m = node;
	if ((which == postorder || which == leaf) && (*m)->share)
		share_set_rate((*m)->share, c->rates.module, c->now_ms);
}

void
crowd_set_rates(struct crowd *c, const struct crowd_rates *rates, int64_t now)
{
	c->rates = *rates;
	c->now_ms = now;
	share_set_rate(share_root(c->tree), rates->all, now);
	twalk_r(c->groups, set_rate_of_group, c);
	twalk_r(c->members, set_rate_of_member, c);
	crowd_sweep(c, now);
}

size_t
crowd_members(const struct crowd *c)
{
	return c->n;
}

void
crowd_free(struct crowd *c)
{
	if (!c)
		return;
	struct member *m;
	while ((m = TAILQ_FIRST(&c->resting))) {
		wake(c, m);
		forget(c, m);
	}
	if (c->n)
		abort();
	share_tree_free(c->tree);
	free(c);
}
