/* SPDX-License-Identifier: Apache-2.0 */
/*
 * share - who may send next, and how much: token buckets in a tree, and turns.
 * Role: an edge makes the tree (all of it, its groups, their modules), the
 * engine joins connections to the lowest nodes. Pure: time is a parameter, no
 * bytes pass here.
 * Guarantees: in any stretch of time no node gives more than its rate makes in
 * it and one bucket besides. Those who wait get turns of at most SHARE_TURN
 * bytes, one behind the other at each level: all groups alike, in a group all
 * its modules alike, in a module all its connections alike. Whoever waits below
 * buckets that fill comes up; a bucket that is empty holds up nobody beside it.
 */
#ifndef FG_NET_SHARE_H
#define FG_NET_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define SHARE_TURN 65536u       /* bytes; what is hashed as one, and four TLS records */
#define SHARE_TURN_MIN 2048u    /* where the rate is low, or many wait: a range of a module with little memory */
#define SHARE_TURNS 16          /* a second at least, as far as a turn is between those two; */
#define SHARE_ROUND_S 2         /* and enough for all who wait to come up in this time: clients give up after 4 */
#define SHARE_DEPTH_MS 250      /* a bucket holds so much of its rate, or a turn: what a loop may be late by */
#define SHARE_RATE_MIN 1024     /* bytes a second; less is no service, and a turn would take longer than clients wait */
#define SHARE_RATE_MAX (INT64_C(1) << 39)

struct share;
struct share_tree;

/* Somebody who sends; part of the caller's own struct. */
struct share_user {
	struct share *share;
	uint64_t want;   /* while it waits */
	uint64_t credit; /* bytes granted and not yet spent: the caller takes from it what it sends */
	bool waiting;
	TAILQ_ENTRY(share_user) link;
};

/* rate in all of this: bytes a second; 0: no limit. NULL on no memory. */
struct share_tree *share_tree_new(uint64_t rate);
/* Once every other node of it is freed. */
void share_tree_free(struct share_tree *tree);
struct share *share_root(struct share_tree *tree);
/* Its bucket is full. parent stays, and has no users of its own. NULL on no memory. */
struct share *share_new(struct share *parent, uint64_t rate, int64_t now_ms);
/* It has neither nodes below nor users. NULL is nobody. */
void share_free(struct share *s);
void share_set_rate(struct share *s, uint64_t rate, int64_t now_ms);
uint64_t share_rate(const struct share *s);
/* Forgetting it and making it anew would give nobody anything. */
bool share_is_full(struct share *s, int64_t now_ms);

/* user is all zero, s has no nodes below it. */
void share_join(struct share_user *user, struct share *s);
/* Gives back what is granted and not spent; user may be joined again. */
void share_leave(struct share_user *user, int64_t now_ms);
/* Of a grant that turned out too large: n bytes of it. */
void share_return(struct share_user *user, uint64_t n, int64_t now_ms);
/*
 * How much user may send of the want bytes (not 0) that it has: more than 0, or it waits
 * until share_next names it. Not while it waits, or has credit.
 */
uint64_t share_ask(struct share_user *user, uint64_t want, int64_t now_ms);
/* Whose turn it is, now with credit; NULL: nobody's yet. */
struct share_user *share_next(struct share_tree *tree, int64_t now_ms);
/* Until share_next may name somebody: 0 at once, -1 when nobody waits. */
int64_t share_wait_ms(const struct share_tree *tree, int64_t now_ms);
/* Users who wait. */
size_t share_waiting(const struct share_tree *tree);

#endif
