/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/net/net_private.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "crypto/err.h"
#include "crypto/wipe.h"
#include "gateway/net/http_date.h"

#define SLOTS_MIN 64u

_Static_assert(sizeof((struct net *)0)->date > HTTP_DATE_LEN, "room for the terminator");

int64_t
net_tick(struct net *net)
{
	return net->now_ms = net->clock.mono_ms(net->clock.ctx);
}

const char *
net_date(struct net *net)
{
	int64_t now = net->clock.wall_s(net->clock.ctx);
	if (now != net->date_s || net->date[0] == '\0') {
		http_date_format(now, net->date);
		net->date_s = now;
	}
	return net->date;
}

struct net_in *
net_take_in(struct net *net)
{
	const struct http_limits *l = &net->limits.http;
	/* Each empty line is at most CR LF. */
	size_t cap = (size_t)l->head_max + 2 * (size_t)l->blanks_max + NET_BODY_ROOM;
	struct net_in *in = net->spare_in;
	if (in) {
		net->spare_in = in->next;
		net->n_spare_in--;
		if (in->cap >= cap) {
			in->n = 0;
			return in;
		}
		free(in); /* from before the limits grew */
	}
	in = malloc(sizeof *in + cap);
	if (!in)
		return NULL;
	*in = (struct net_in){ .cap = cap };
	return in;
}

void
net_give_in(struct net *net, struct net_in *in)
{
	if (!in)
		return;
	if (net->wiping) /* all of it: bytes move to the front */
		wipe(in->bytes, in->cap);
	if (net->n_spare_in == NET_SPARES_MAX) {
		free(in);
		return;
	}
	in->next = net->spare_in;
	net->spare_in = in;
	net->n_spare_in++;
}

struct net_out *
net_take_out(struct net *net)
{
	struct net_out *out = net->spare_out;
	if (out) {
		net->spare_out = out->next;
		net->n_spare_out--;
	} else if (!(out = malloc(sizeof *out))) {
		return NULL;
	}
	out->n = out->off = out->head_n = 0;
	return out;
}

void
net_give_out(struct net *net, struct net_out *out)
{
	if (!out)
		return;
	if (net->wiping)
		wipe(out->bytes, out->n);
	if (net->n_spare_out == NET_SPARES_MAX) {
		free(out);
		return;
	}
	out->next = net->spare_out;
	net->spare_out = out;
	net->n_spare_out++;
}

struct net_send *
net_take_send(struct net *net)
{
	struct net_send *send = net->spare_send;
	if (!send)
		return calloc(1, sizeof *send);
	net->spare_send = send->next;
	net->n_spare_send--;
	*send = (struct net_send){ 0 };
	return send;
}

void
net_give_send(struct net *net, struct net_send *send)
{
	if (!send)
		return;
	if (net->n_spare_send == NET_SPARES_MAX) {
		free(send);
		return;
	}
	send->next = net->spare_send;
	net->spare_send = send;
	net->n_spare_send++;
}

void
net_wake_reaper(struct net *net)
{
	event_active(net->reaper, EV_TIMEOUT, 0);
}

bool
net_is_full(const struct net *net)
{
	return net->counters.conns >= net->limits.conns_max;
}

static void
on_round(evutil_socket_t fd, short what, void *arg)
{
	struct net *net = arg;
	(void)fd;
	(void)what;
	net->handshakes = 0;
}

bool
net_take_handshake(struct net *net)
{
	/* Behind all that is ready in this round; the clock that libevent keeps for a round is too coarse to tell them apart. */
	if (net->handshakes == 0)
		event_active(net->round, EV_TIMEOUT, 0);
	if (net->handshakes >= net->limits.handshake_batch) {
		net->counters.limits[NET_LIMIT_HANDSHAKE_BATCH]++;
		return false;
	}
	net->handshakes++;
	return true;
}

static void
reap(struct net *net)
{
	struct conn *conn;
	while ((conn = net->dead)) {
		uint32_t slot = (uint32_t)(conn->id & NET_SLOT_MASK);
		net->dead = conn->next_dead;
		net_peers_leave(net->peers, conn->ip);
		net->conns[slot] = NULL;
		net->free_slots[net->n_free++] = slot;
		net->counters.conns--;
		conn_bury(conn);
	}
}

static void
on_reap(evutil_socket_t fd, short what, void *arg)
{
	struct net *net = arg;
	(void)fd;
	(void)what;
	reap(net);
	if (!net->stopping) {
		if (!net_is_full(net))
			listener_resume_all(net);
	} else if (net->counters.conns == 0 && !net->stopped_told) {
		net->stopped_told = true;
		if (net->callbacks.on_stopped)
			net->callbacks.on_stopped(net->callbacks.ctx);
	}
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	net_sweep(arg);
}

static void
on_pace(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	conn_pace_turns(arg);
}

int
net_new(struct event_base *base, const struct net_clock *clock, const struct net_limits *limits,
    const struct net_callbacks *callbacks, struct net **ret_net)
{
	const struct timeval every = { NET_SWEEP_MS / 1000, NET_SWEEP_MS % 1000 * 1000 };
	enum net_limit which;
	if (net_limits_check(limits, &which) != FG_OK)
		return FG_EINVAL;
	if (!clock->mono_ms || !clock->wall_s || !callbacks->on_request)
		abort();
	struct net *net = calloc(1, sizeof *net);
	if (!net)
		return FG_ENOMEM;
	net->base = base;
	net->clock = *clock;
	net->limits = *limits;
	net->callbacks = *callbacks;
	net->peers = net_peers_new();
	net->reaper = event_new(base, -1, 0, on_reap, net);
	net->round = event_new(base, -1, 0, on_round, net);
	net->timer = event_new(base, -1, EV_PERSIST, on_timer, net);
	net->pacer = event_new(base, -1, 0, on_pace, net);
	if (!net->peers || !net->pacer || !net->reaper || !net->round || !net->timer || event_add(net->timer, &every)) {
		net_free(net);
		return FG_ENOMEM;
	}
	*ret_net = net;
	return FG_OK;
}

static void
end_all(struct net *net)
{
	for (uint32_t i = 0; i < net->n_slots; i++)
		if (net->conns[i])
			conn_end(net->conns[i], CONN_WHY_STOP, true);
}

void
net_free(struct net *net)
{
	if (!net)
		return;
	listener_free_all(net);
	end_all(net);
	if (net->timer)
		event_free(net->timer);
	if (net->round)
		event_free(net->round);
	if (net->pacer)
		event_free(net->pacer);
	/* Stays until the last connection is buried: ending one wakes it. */
	if (net->reaper) {
		reap(net);
		event_free(net->reaper);
	}
	while (net->spare_in) {
		struct net_in *in = net->spare_in;
		net->spare_in = in->next;
		free(in);
	}
	while (net->spare_out) {
		struct net_out *out = net->spare_out;
		net->spare_out = out->next;
		free(out);
	}
	while (net->spare_send) {
		struct net_send *send = net->spare_send;
		net->spare_send = send->next;
		free(send);
	}
	net_peers_free(net->peers);
	free(net->conns);
	free(net->due);
	free(net->free_slots);
	free(net);
}

/* Doubles the table; each array on its own, so that a failure leaves all usable. */
static bool
grow(struct net *net)
{
	uint32_t n = net->n_slots ? net->n_slots * 2 : SLOTS_MIN;
	if (n > UINT32_C(1) << NET_SLOT_BITS)
		return false;
	void *p = reallocarray(net->conns, n, sizeof *net->conns);
	if (!p)
		return false;
	net->conns = p;
	if (!(p = reallocarray(net->due, n, sizeof *net->due)))
		return false;
	net->due = p;
	if (!(p = reallocarray(net->free_slots, n, sizeof *net->free_slots)))
		return false;
	net->free_slots = p;
	for (uint32_t i = n; i-- > net->n_slots;) {
		net->conns[i] = NULL;
		net->due[i] = NET_NEVER;
		net->free_slots[net->n_free++] = i;
	}
	net->n_slots = n;
	return true;
}

void
net_address(const struct sockaddr *sa, uint8_t ret_ip[NET_ADDR_LEN], uint16_t *ret_port)
{
	memset(ret_ip, 0, NET_ADDR_LEN);
	*ret_port = 0;
	if (sa && sa->sa_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, sa, sizeof in);
		ret_ip[10] = ret_ip[11] = 0xff;
		memcpy(ret_ip + 12, &in.sin_addr, 4);
		*ret_port = ntohs(in.sin_port);
	} else if (sa && sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, sa, sizeof in6);
		memcpy(ret_ip, &in6.sin6_addr, NET_ADDR_LEN);
		*ret_port = ntohs(in6.sin6_port);
	}
}

int
net_adopt(struct net *net, int fd, const struct sockaddr *peer, const struct net_origin *origin)
{
	struct stream refused = { .fd = fd };
	struct conn *conn = NULL;
	uint8_t ip[NET_ADDR_LEN];
	uint16_t port;
	int err = FG_ELIMIT;
	net_address(peer, ip, &port);
	if (net->stopping)
		goto refuse;
	if (net_is_full(net)) {
		net->counters.limits[NET_LIMIT_CONNS]++;
		goto refuse;
	}
	if (net->n_free == 0 && !grow(net)) {
		err = FG_ENOMEM;
		goto refuse;
	}
	err = net_peers_enter(net->peers, ip, net->limits.source_max);
	if (err == FG_ELIMIT)
		net->counters.limits[NET_LIMIT_SOURCE]++;
	if (err)
		goto refuse;
	uint32_t slot = net->free_slots[net->n_free - 1];
	net_tick(net);
	err = conn_new(net, slot, fd, origin, &conn);
	if (err) {
		net_peers_leave(net->peers, ip);
		goto refuse;
	}
	net->n_free--;
	net->conns[slot] = conn;
	net->counters.conns++;
	net->counters.accepted++;
	memcpy(conn->ip, ip, sizeof ip);
	conn->port = port;
	return FG_OK;
refuse:
	/* Not close: nothing was promised, and TIME_WAIT would be ours to keep. */
	stream_reset(&refused);
	return err;
}

void
net_stop(struct net *net, uint32_t grace_ms)
{
	if (net->stopping)
		return;
	net->stopping = true;
	net->stop_due = net_tick(net) + grace_ms;
	listener_stop_all(net);
	for (uint32_t i = 0; i < net->n_slots; i++)
		if (net->conns[i] && conn_is_idle(net->conns[i]))
			conn_end(net->conns[i], CONN_WHY_STOP, false);
	net_wake_reaper(net); /* also when there was none: on_stopped comes from the loop */
}

void
net_sweep(struct net *net)
{
	int64_t now = net_tick(net);
	if (net->stopping && now >= net->stop_due)
		end_all(net);
	for (uint32_t i = 0; i < net->n_slots; i++)
		if (net->due[i] <= now && net->conns[i])
			conn_expire(net->conns[i]);
	if (net->shares && share_waiting(net->shares))
		conn_pace_turns(net); /* a timer that could not be had is late, not lost */
}

const struct net_counters *
net_counters(const struct net *net)
{
	return &net->counters;
}

int
net_set_limits(struct net *net, const struct net_limits *limits)
{
	enum net_limit which;
	if (net_limits_check(limits, &which) != FG_OK)
		return FG_EINVAL;
	net->limits = *limits;
	if (!net_is_full(net) && !net->stopping)
		listener_resume_all(net);
	return FG_OK;
}

void
net_set_extra(struct net *net, struct view lines)
{
	if (!http_reply_extra_ok(lines) || lines.n > CONN_MEMORY_MAX)
		abort();
	net->extra = lines;
}

void
net_set_wiping(struct net *net)
{
	net->wiping = true;
}

void
net_set_shares(struct net *net, struct share_tree *tree)
{
	if (net->shares)
		abort();
	net->shares = tree;
}

void
net_each(struct net *net, void (*fn)(void *ctx, struct conn *conn), void *ctx)
{
	for (uint32_t i = 0; i < net->n_slots; i++)
		if (net->conns[i] && net->conns[i]->state != CONN_GONE)
			fn(ctx, net->conns[i]);
}
