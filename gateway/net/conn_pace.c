/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn_pace - connections that wait for their turn (net/share.h), and the one
 * timer of a process that ends the wait. A connection without a share comes
 * nowhere near here.
 */
#include "gateway/net/net_private.h"

#include <stdlib.h>

#include "crypto/err.h"

#define PACE_BATCH 64 /* turns given before the sockets' turn: 4 MiB at most, as two fast readers have */

struct conn_pace {
	struct share_user user; /* first: what share_next returns is one of these */
	struct conn *conn;
	int64_t since_ms;       /* when it waits */
};

static void
set_timer(struct net *net)
{
	int64_t wait = share_wait_ms(net->shares, net->now_ms);
	const struct timeval tv = { wait / 1000, wait % 1000 * 1000 };
	if (wait >= 0) /* 0: in the next round; event_active would come before the sockets again */
		event_add(net->pacer, &tv);
}

/* What we kept it waiting for is not the peer's to answer for. */
static void
waited(struct conn_pace *pace)
{
	struct conn *conn = pace->conn;
	conn->send->give_up += conn->net->now_ms - pace->since_ms;
	conn->send->full_ms = 0; /* nor does it make a slow reader of it */
	conn_stamp(conn, NET_LIMIT_STALL_TIME);
}

void
conn_pace_turns(struct net *net)
{
	net_tick(net);
	for (unsigned i = 0; i < PACE_BATCH; i++) {
		struct conn_pace *pace = (struct conn_pace *)share_next(net->shares, net->now_ms);
		if (!pace)
			break;
		waited(pace);
		conn_run(pace->conn);
	}
	set_timer(net);
}

bool
conn_pace_may_send(struct conn *conn)
{
	struct conn_pace *pace = conn->pace;
	struct net *net = conn->net;
	if (pace->user.credit)
		return true;
	if (pace->user.waiting)
		return false;
	if (share_ask(&pace->user, conn->send->left, net->now_ms))
		return true;
	net->counters.paced++;
	pace->since_ms = net->now_ms;
	set_timer(net);
	return false;
}

enum conn_step
conn_pace_wait(struct conn *conn)
{
	/* Nothing is expected of the peer; one that leaves is still noticed. */
	conn->net->due[conn->id & NET_SLOT_MASK] = NET_NEVER;
	return CONN_STEP_WAIT;
}

uint64_t
conn_pace_credit(const struct conn *conn)
{
	return conn->pace->user.credit;
}

void
conn_pace_spend(struct conn *conn, uint64_t n)
{
	uint64_t *credit = &conn->pace->user.credit;
	*credit -= n < *credit ? n : *credit;
}

void
conn_pace_rest(struct conn *conn)
{
	struct share_user *user = &conn->pace->user;
	if (user->credit)
		share_return(user, user->credit, conn->net->now_ms);
}

void
conn_pace_leave(struct conn *conn)
{
	if (!conn->pace)
		return;
	share_leave(&conn->pace->user, conn->net->now_ms);
	free(conn->pace);
	conn->pace = NULL;
}

int
conn_set_share(struct conn *conn, struct share *share)
{
	struct conn_pace *pace = conn->pace;
	if (conn->state == CONN_GONE || (pace ? pace->user.share : NULL) == share)
		return FG_OK;
	if (share && !conn->net->shares)
		abort();
	if (!pace && !(pace = calloc(1, sizeof *pace)))
		return FG_ENOMEM;
	pace->conn = conn;
	net_tick(conn->net);
	if (conn->pace) {
		bool waiting = pace->user.waiting;
		share_leave(&pace->user, conn->net->now_ms);
		if (waiting) {
			waited(pace);
			conn_wake(conn);
		}
	}
	conn->pace = pace;
	if (share)
		share_join(&pace->user, share);
	else {
		free(pace);
		conn->pace = NULL;
	}
	return FG_OK;
}
