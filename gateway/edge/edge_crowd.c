/* SPDX-License-Identifier: Apache-2.0 */
/* edge_crowd - whose a connection is: how many of them that module may have, and what is its share of the bandwidth. */
#include <string.h>

#include "crypto/err.h"
#include "gateway/edge/edge_private.h"

/* Each edge's part of what all send together; never more than that, whoever connects to which. */
static uint64_t
part_of(int64_t rate, int64_t edges)
{
	uint64_t part = (uint64_t)rate / (uint64_t)edges;
	return rate && !part ? 1 : part;
}

static struct crowd_rates
rates_of(const struct config *c)
{
	return (struct crowd_rates){
		.all = part_of(c->limits.bytes_per_second, c->edges),
		.group = part_of(c->limits.group_bytes_per_second, c->edges),
		.module = (uint64_t)c->limits.module_bytes_per_second,
	};
}

bool
edge_crowd_init(struct edge *e)
{
	const struct crowd_rates rates = rates_of(e->config);
	e->crowd = crowd_new(&rates);
	return e->crowd != NULL;
}

enum identity_class
edge_crowd_class(const struct edge *e)
{
	return e->by_link.is ? IDENTITY_B : e->route.identity.class;
}

/*
 * A claim counts beside its like from the same place only: else whoever knows a
 * module's IMEI could use up its connections and its bandwidth from anywhere.
 */
static void
key_of(const struct conn *conn, const uint8_t module[MSG_ID], enum identity_class class, uint8_t key[CROWD_KEY])
{
	_Static_assert(CROWD_KEY == MSG_ID + NET_ADDR_LEN, "both fit");
	uint16_t port;
	memset(key, 0, CROWD_KEY);
	memcpy(key, module, MSG_ID);
	if (class != IDENTITY_A && class != IDENTITY_B && class != IDENTITY_C)
		conn_peer(conn, key + MSG_ID, &port);
}

static int
take_share(struct edge *e, struct conn *conn, struct member *m)
{
	struct share *share = NULL;
	int err = crowd_share(e->crowd, m, clock_mono_ms(e->clock), &share);
	return err ? err : conn_set_share(conn, share);
}

int
edge_crowd_enter(struct edge *e, struct conn *conn, const uint8_t module[MSG_ID], enum identity_class class,
    const char *group)
{
	struct visit *v = edge_visit(conn);
	struct member *m;
	uint8_t key[CROWD_KEY];
	if (!v)
		return FG_ENOMEM;
	key_of(conn, module, class, key);
	if (v->member && crowd_is(v->member, key))
		return FG_OK;
	int err = crowd_enter(e->crowd, key, group, (uint32_t)e->config->limits.connections_per_module, &m);
	if (err) {
		e->turned_away += err == FG_ELIMIT;
		return err;
	}
	edge_crowd_leave(e, conn);
	v->member = m;
	if (v->recall)
		v->recall->print = 0; /* that was somebody else */
	return take_share(e, conn, m);
}

void
edge_crowd_leave(struct edge *e, struct conn *conn)
{
	struct visit *v = conn_data(conn);
	if (!v || !v->member)
		return;
	(void)conn_set_share(conn, NULL); /* needs no memory */
	crowd_leave(e->crowd, v->member, clock_mono_ms(e->clock));
	v->member = NULL;
}

static void
take_again(void *ctx, struct conn *conn)
{
	struct edge *e = ctx;
	const struct visit *v = conn_data(conn);
	if (v && v->member && take_share(e, conn, v->member))
		conn_reset(conn); /* no memory: better nothing than more than it may have */
}

void
edge_crowd_renew(struct edge *e, const struct config *c)
{
	const struct crowd_rates rates = rates_of(c);
	crowd_set_rates(e->crowd, &rates, clock_mono_ms(e->clock));
	net_each(e->net, take_again, e);
}
