/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "gateway/edge/edge_private.h"

bool
edge_asks_init(struct edge *e)
{
	e->asks = calloc(EDGE_ASKS_MAX, sizeof e->asks[0]);
	for (unsigned i = 0; i < EDGE_ASKS_MAX; i++)
		e->asks_free[i] = EDGE_ASKS_MAX - 1 - i;
	e->asks_free_n = EDGE_ASKS_MAX;
	return e->asks != NULL;
}

/* Token: serial above, place below. */
static uint64_t
token_of(const struct edge *e, const struct ask *a)
{
	return (uint64_t)a->serial << 32 | (uint64_t)(a - e->asks);
}

static struct ask *
find(struct edge *e, uint64_t token, enum ask_step step)
{
	uint32_t i = (uint32_t)token;
	if (i >= EDGE_ASKS_MAX)
		return NULL;
	struct ask *a = &e->asks[i];
	return a->step == step && a->serial == (uint32_t)(token >> 32) ? a : NULL;
}

static void
release_place(struct edge *e, struct ask *a)
{
	*a = (struct ask){ 0 };
	e->asks_free[e->asks_free_n++] = (uint32_t)(a - e->asks);
}

/* The place is free afterwards; NULL when the connection is gone. */
static struct conn *
take_conn(struct edge *e, struct ask *a)
{
	struct conn *conn = conn_find(e->net, a->conn);
	struct visit *v = conn ? conn_data(conn) : NULL;
	if (v)
		v->ask = 0;
	release_place(e, a);
	return conn;
}

/* busy: nobody said no, the answer did not come. */
static void
refuse(struct edge *e, struct ask *a, bool busy)
{
	const struct profile *profile = a->profile;
	struct conn *conn = take_conn(e, a);
	if (conn)
		edge_not_now(e, conn, profile, busy);
}

void
edge_asks_forget(struct edge *e, uint64_t token)
{
	uint32_t i = (uint32_t)token;
	if (i < EDGE_ASKS_MAX && e->asks[i].step != ASK_FREE && e->asks[i].serial == (uint32_t)(token >> 32))
		release_place(e, &e->asks[i]);
}

void
edge_asks_flush(struct edge *e)
{
	if (e->to_control.asks_n) {
		e->to_control.generation = e->table ? table_generation(e->table) : 0;
		/* Away: the deadline turns every one of them into "not now". */
		(void)chan_send(role_peer(e->role, MSG_ROLE_CONTROL, 0), MSG_GRANT_ASK, &e->to_control, NULL, 0);
		e->to_control.asks_n = 0;
	}
	if (e->to_audit.grants_n) {
		e->to_audit.generation = e->table ? table_generation(e->table) : 0;
		(void)chan_send(role_peer(e->role, MSG_ROLE_AUDIT, 0), MSG_GRANT_APPEND, &e->to_audit, NULL, 0);
		e->to_audit.grants_n = 0;
	}
}

static void
gathered(struct edge *e, bool full)
{
	if (full)
		edge_asks_flush(e);
	else
		event_active(e->flush, EV_TIMEOUT, 0);
}

void
edge_asks_add(struct edge *e, struct conn *conn, const struct profile *profile, const uint8_t module[MSG_ID],
    const uint8_t release[MSG_ID])
{
	struct visit *v = edge_visit(conn);
	if (!v || !e->asks_free_n || !edge_has_room(e, MSG_ROLE_CONTROL, EDGE_TOLD_QUEUED) ||
	    !edge_has_room(e, MSG_ROLE_AUDIT, EDGE_TOLD_QUEUED)) {
		edge_not_now(e, conn, profile, true);
		return;
	}
	struct ask *a = &e->asks[e->asks_free[--e->asks_free_n]];
	e->serial = e->serial == UINT32_MAX ? 1 : e->serial + 1; /* never 0: no token is */
	*a = (struct ask){ .step = ASK_CONTROL, .serial = e->serial, .conn = conn_id(conn), .profile = profile };
	v->ask = token_of(e, a);
	a->deadline_ms = clock_mono_ms(e->clock) + EDGE_ASK_MS;
	memcpy(a->module, module, MSG_ID);
	memcpy(a->release, release, MSG_ID);
	struct msg_ask *m = &e->to_control.asks[e->to_control.asks_n++];
	m->token = token_of(e, a);
	memcpy(m->module, module, MSG_ID);
	memcpy(m->release, release, MSG_ID);
	gathered(e, e->to_control.asks_n == MSG_GRANTS_MAX);
}

void
edge_asks_control(struct edge *e, const struct msg_grant_say *m)
{
	for (uint32_t i = 0; i < m->says_n; i++) {
		struct ask *a = find(e, m->says[i].token, ASK_CONTROL);
		if (!a)
			continue;
		if (!m->says[i].yes) {
			refuse(e, a, false);
			continue;
		}
		a->step = ASK_AUDIT;
		a->lease_s = m->says[i].lease_s;
		struct msg_grant *g = &e->to_audit.grants[e->to_audit.grants_n++];
		g->token = m->says[i].token;
		memcpy(g->module, a->module, MSG_ID);
		memcpy(g->release, a->release, MSG_ID);
		gathered(e, e->to_audit.grants_n == MSG_GRANTS_MAX);
	}
}

void
edge_asks_audit(struct edge *e, const struct msg_grant_appended *m)
{
	for (uint32_t i = 0; i < m->granted_n; i++) {
		struct ask *a = find(e, m->granted[i].token, ASK_AUDIT);
		if (!a)
			continue;
		if (m->granted[i].err) {
			refuse(e, a, true);
			continue;
		}
		/* Durable. A full lease table only means that the module asks again. */
		(void)leases_add(e->leases, a->module, a->release, clock_mono_ms(e->clock), a->lease_s);
		struct ask held = *a;
		struct conn *conn = take_conn(e, a);
		if (conn)
			edge_granted(e, conn, held.module, held.release);
	}
}

void
edge_asks_expire(struct edge *e, int64_t now_ms, const uint8_t *release, bool all)
{
	if (e->asks_free_n == EDGE_ASKS_MAX)
		return;
	for (unsigned i = 0; i < EDGE_ASKS_MAX; i++) {
		struct ask *a = &e->asks[i];
		if (a->step == ASK_FREE)
			continue;
		bool of_release = release && !memcmp(a->release, release, MSG_ID);
		if (all || of_release || a->deadline_ms <= now_ms)
			refuse(e, a, !of_release);
	}
}

void
edge_asks_lost(struct edge *e)
{
	e->to_control.asks_n = e->to_audit.grants_n = 0;
	edge_asks_expire(e, 0, NULL, true);
}
