/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/edge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/wipe.h"
#include "gateway/edge/edge_private.h"

/* ---- the loop ---- */

static void
on_flush(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	edge_asks_flush(ctx);
}

/* For status; what is lost on the way is told anew when it changes. */
static void
tell_load(struct edge *e)
{
	const struct net_counters *n = net_counters(e->net);
	const struct msg_load m = {
		.connections = n->conns,
		.waiting = share_waiting(crowd_tree(e->crowd)),
		.owed = n->owed,
		.pauses = n->accept_pauses,
		.refused_source = n->limits[NET_LIMIT_SOURCE],
		.refused_module = e->turned_away,
	};
	if (!memcmp(&m, &e->load, sizeof m) || !edge_has_room(e, MSG_ROLE_CONTROL, EDGE_SIGHTS_QUEUED))
		return;
	if (chan_send(role_peer(e->role, MSG_ROLE_CONTROL, 0), MSG_LOAD, &m, NULL, 0) == FG_OK)
		e->load = m;
}

static void
on_tick(evutil_socket_t fd, short what, void *ctx)
{
	struct edge *e = ctx;
	(void)fd;
	(void)what;
	int64_t now = clock_mono_ms(e->clock);
	edge_asks_expire(e, now, NULL, false);
	crowd_sweep(e->crowd, now);
	if (now >= e->next_load_ms) {
		e->next_load_ms = now + EDGE_LOAD_MS;
		tell_load(e);
	}
	if (now < e->next_sweep_ms)
		return;
	e->next_sweep_ms = now + EDGE_SWEEP_MS;
	leases_sweep(e->leases, now);
	if (e->untold)
		oplog(OPLOG_WARNING, "%llu transfers ended that neither log nor control could be told of",
		    (unsigned long long)e->untold);
	e->untold = 0;
	if (e->turned_away != e->turned_away_said)
		oplog(OPLOG_WARNING, "%llu requests were turned away: their modules had limits.connections_per_module already",
		    (unsigned long long)(e->turned_away - e->turned_away_said));
	e->turned_away_said = e->turned_away;
}

static void
on_stopped(void *ctx)
{
	struct edge *e = ctx;
	role_exit(e->role, 0);
}

static int64_t
net_mono(void *ctx)
{
	return clock_mono_ms(ctx);
}

static int64_t
net_wall(void *ctx)
{
	return clock_wall_s(ctx);
}

static int
prepare(void *ctx, struct role *r, struct jail_paths *paths)
{
	struct edge *e = ctx;
	e->role = r;
	paths->n = 0;
	return FG_OK;
}

static int
start(void *ctx, struct role *r)
{
	struct edge *e = ctx;
	struct net_limits limits;
	if (e->bundle_fd < 0)
		return FG_ENOTFOUND;
	(void)clockwatch_see(&e->watch, clock_wall_us(e->clock), clock_mono_ms(e->clock) * 1000, 0);
	int err = edge_parse_bundle(e->bundle_fd, &e->bundle, &e->config);
	close(e->bundle_fd);
	e->bundle_fd = -1;
	if (err)
		return err;
	edge_limits_of(e->config, &limits);
	e->stock = stock_new();
	e->leases = leases_new();
	e->flush = event_new(role_base(r), -1, 0, on_flush, e);
	e->tick = event_new(role_base(r), -1, EV_PERSIST, on_tick, e);
	if (!e->stock || !e->leases || !e->flush || !e->tick || !edge_asks_init(e) || !edge_sight_init(e) ||
	    !edge_recall_init(e) || !edge_crowd_init(e))
		return FG_ENOMEM;
	struct net_clock clock = { net_mono, net_wall, (void *)(uintptr_t)e->clock };
	struct net_callbacks callbacks = {
		.on_request = edge_on_request,
		.on_sent = edge_on_sent,
		.on_close = edge_on_close,
		.on_stopped = on_stopped,
		.ctx = e,
	};
	err = net_new(role_base(r), &clock, &limits, &callbacks, &e->net);
	if (!err) {
		net_set_shares(e->net, crowd_tree(e->crowd));
		err = edge_open_listeners(e);
	}
	edge_tls_forget(e);
	struct timeval tick = { 0, EDGE_TICK_MS * 1000 };
	if (!err && event_add(e->tick, &tick))
		err = FG_ENOMEM;
	return err;
}

/* Transfers that still run are reset here, and told as far as anybody listens. */
static void
end(void *ctx)
{
	struct edge *e = ctx;
	net_free(e->net);
	if (e->flush)
		event_free(e->flush);
	if (e->tick)
		event_free(e->tick);
	e->net = NULL;
	e->flush = e->tick = NULL;
}

static void
edge_free(struct edge *e)
{
	for (unsigned i = 0; i < MSG_LISTENERS_MAX; i++) {
		if (e->listener[i].fd >= 0)
			close(e->listener[i].fd);
		if (e->listener[i].next_fd >= 0)
			close(e->listener[i].next_fd);
		tls_free(e->listener[i].tls);
	}
	if (e->bundle_fd >= 0)
		close(e->bundle_fd);
	edge_tls_forget(e);
	wipe(e->tickets, sizeof e->tickets);
	table_free(e->table);
	stock_free(e->stock);
	leases_free(e->leases);
	crowd_free(e->crowd);
	config_free(e->config);
	bundle_free(e->bundle);
	free(e->asks);
	free(e->seen);
	free(e->recent);
	while (e->spare_sending) {
		struct sending *s = e->spare_sending;
		e->spare_sending = s->next;
		free(s);
	}
	free(e);
}

/* ---- control ---- */

static void
on_table(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct edge *e = ctx;
	const struct msg_table *m = msg;
	struct msg_table_taken answer = { .generation = m->generation };
	struct table *t = NULL;
	int err = table_open(frame->fds[0], &t);
	if (!err && (table_generation(t) != m->generation || (e->table && m->generation < table_generation(e->table))))
		err = FG_ESTATE; /* never back */
	if (err) {
		table_free(t);
	} else {
		table_free(e->table);
		e->table = t;
		e->epoch++;
	}
	answer.err = err;
	chan_send(c, MSG_TABLE_TAKEN, &answer, NULL, 0);
}

static void
on_say(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	(void)c;
	(void)frame;
	edge_asks_control(ctx, msg);
}

/* Leases and transfers; RST, because kernel buffers would still deliver. */
static unsigned
end_release(struct edge *e, const uint8_t id[MSG_ID])
{
	leases_drop_release(e->leases, id);
	unsigned n = edge_reset_transfers(e, id);
	edge_asks_expire(e, INT64_MIN, id, false);
	return n;
}

/* Order: nothing new first, then what is under way. */
static unsigned
drop_release(struct edge *e, const uint8_t id[MSG_ID])
{
	stock_drop(e->stock, id);
	return end_release(e, id);
}

static void
on_revoke(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct edge *e = ctx;
	const struct msg_revoke *m = msg;
	struct msg_revoked answer = { 0 };
	(void)frame;
	/* Withheld: control grants nothing of it, and its next table has no row for it. */
	if (!m->withheld)
		stock_ban(e->stock, m->release);
	answer.reset = m->withheld ? end_release(e, m->release) : drop_release(e, m->release);
	memcpy(answer.release, m->release, sizeof answer.release);
	chan_send(c, MSG_REVOKED, &answer, NULL, 0);
}

/* ---- audit, warden ---- */

static void
on_granted(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	(void)c;
	(void)frame;
	edge_asks_audit(ctx, msg);
}

static void
on_appended(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	(void)ctx; /* served and failed transfers are told without waiting */
	(void)c;
	(void)msg;
	(void)frame;
}

static void
on_release(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct edge *e = ctx;
	const struct msg_release *m = msg;
	struct msg_release_taken answer = { 0 };
	int image = wire_take_fd(frame, 0), blocks = wire_take_fd(frame, 1);
	memcpy(answer.release, m->release, sizeof answer.release);
	answer.err = stock_add(e->stock, m->release, m->record, m->size, m->hot, image, blocks);
	if (answer.err)
		oplog(OPLOG_ERR, "a release from the warden is not taken: %s", err_name(answer.err));
	chan_send(c, MSG_RELEASE_TAKEN, &answer, NULL, 0);
}

static void
on_withdraw(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	const struct msg_withdraw *m = msg;
	(void)c;
	(void)frame;
	drop_release(ctx, m->release);
}

static void
on_clock(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct edge *e = ctx;
	const struct msg_clock *m = msg;
	(void)c;
	(void)frame;
	/* A hold is control's and the warden's affair: they permit. Rows are judged by both ends of doubt here. */
	if (m->base_boot && clockwatch_adopt(&e->watch, m->base_wall, m->base_boot, m->forgiven))
		oplog(OPLOG_ERR, "the warden told a clock that no machine has");
}

static const struct chan_rule control_rules[] = {
	{ MSG_TABLE, CHAN_ALWAYS, on_table },
	{ MSG_GRANT_SAY, CHAN_ALWAYS, on_say },
	{ MSG_REVOKE, CHAN_ALWAYS, on_revoke },
};
static const struct chan_rule audit_rules[] = {
	{ MSG_GRANT_APPENDED, CHAN_ALWAYS, on_granted },
	{ MSG_APPENDED, CHAN_ALWAYS, on_appended },
};
static const struct chan_rule warden_rules[] = {
	{ MSG_RELEASE, CHAN_ALWAYS, on_release },
	{ MSG_WITHDRAW, CHAN_ALWAYS, on_withdraw },
	{ MSG_CLOCK, CHAN_ALWAYS, on_clock },
};
static const struct chan_ops control_ops = { control_rules, sizeof control_rules / sizeof control_rules[0], NULL };
static const struct chan_ops audit_ops = { audit_rules, sizeof audit_rules / sizeof audit_rules[0], NULL };
static const struct chan_ops warden_ops = { warden_rules, sizeof warden_rules / sizeof warden_rules[0], NULL };

static void
peer_up(void *ctx, struct chan *c, enum msg_role peer, unsigned index)
{
	(void)c;
	(void)index;
	if (peer == MSG_ROLE_CONTROL)
		edge_tls_tell(ctx);
}

static void
peer_down(void *ctx, struct chan *c, enum msg_role peer, unsigned index, int why)
{
	(void)c;
	(void)index;
	(void)why;
	struct edge *e = ctx;
	if (peer == MSG_ROLE_CONTROL || peer == MSG_ROLE_AUDIT)
		edge_asks_lost(e);
	if (peer == MSG_ROLE_CONTROL) /* the next one knows nothing yet */
		e->load = (struct msg_load){ 0 };
}

/* ---- supervisor ---- */

/* A connection knows its listener by number: each must stay what it was. */
static bool
same_listeners(const struct config *a, const struct config *b)
{
	if (a->listeners_n != b->listeners_n)
		return false;
	for (unsigned i = 0; i < a->listeners_n; i++) {
		const struct config_listener *x = &a->listeners[i], *y = &b->listeners[i];
		if (strcmp(x->name, y->name) || strcmp(x->address, y->address) || x->port != y->port || x->tls != y->tls)
			return false;
	}
	return true;
}

static int
reload(void *ctx, int bundle_fd, char *ret_why, size_t cap)
{
	struct edge *e = ctx;
	struct bundle *b = NULL;
	struct config *c = NULL;
	struct net_limits limits;
	int err = edge_parse_bundle(bundle_fd, &b, &c);
	close(bundle_fd);
	if (!err && !same_listeners(c, e->config))
		err = FG_ESTATE; /* the supervisor asks for a restart before it comes to this */
	if (!err) {
		edge_limits_of(c, &limits);
		err = net_set_limits(e->net, &limits);
	}
	if (err) {
		snprintf(ret_why, cap, "edge kept the old configuration: %s", err_name(err));
		edge_tls_forget(e);
		config_free(c);
		bundle_free(b);
		return err;
	}
	edge_tls_renew(e, c, ret_why, cap);
	edge_crowd_renew(e, c);
	/* Waiting requests point into the old configuration. */
	edge_asks_expire(e, 0, NULL, true);
	config_free(e->config);
	bundle_free(e->bundle);
	e->config = c;
	e->bundle = b;
	e->epoch++;
	edge_tls_tell(e);
	return FG_OK;
}

static void
stop(void *ctx, unsigned grace_ms)
{
	struct edge *e = ctx;
	edge_asks_expire(e, 0, NULL, true);
	net_stop(e->net, grace_ms);
}

static void
halt(void *ctx, const struct msg_halt *m)
{
	struct edge *e = ctx;
	(void)m;
	e->halted = true;
	unsigned n = edge_reset_transfers(e, NULL);
	edge_asks_expire(e, 0, NULL, true);
	oplog(OPLOG_WARNING, "halted: %u transfers were reset", n);
}

static void
unhalt(void *ctx, const struct msg_unhalt *m)
{
	struct edge *e = ctx;
	(void)m;
	e->halted = false;
}

static int
run(const struct role_ops *ops, const struct clock_source *clock)
{
	struct edge *e = calloc(1, sizeof *e);
	if (!e)
		return ROLE_EXIT_FAILED;
	e->clock = clock;
	e->bundle_fd = -1;
	for (unsigned i = 0; i < MSG_LISTENERS_MAX; i++)
		e->listener[i].fd = e->listener[i].next_fd = -1;
	int status = role_run(ops, e, clock);
	edge_free(e);
	return status;
}

int
edge_main(const struct clock_source *clock)
{
	static const struct role_ops ops = {
		.role = MSG_ROLE_EDGE,
		.jail = JAIL_EDGE,
		.boot_fd = edge_on_boot_fd,
		.prepare = prepare,
		.start = start,
		.peers = {
			[MSG_ROLE_CONTROL] = &control_ops,
			[MSG_ROLE_AUDIT] = &audit_ops,
			[MSG_ROLE_WARDEN] = &warden_ops,
		},
		.peer_up = peer_up,
		.peer_down = peer_down,
		.reload = reload,
		.stop = stop,
		.halt = halt,
		.unhalt = unhalt,
		.end = end,
	};
	return run(&ops, clock);
}

int
edge_try_main(const struct clock_source *clock)
{
	static const struct role_ops ops = {
		.role = MSG_ROLE_EDGE,
		.jail = JAIL_EDGE,
		.boot_fd = edge_on_boot_fd,
		.prepare = prepare,
		.start = edge_try,
		.stop = stop,
	};
	return run(&ops, clock);
}
