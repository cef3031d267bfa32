/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/net/net_private.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "crypto/err.h"

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct conn *conn = arg;
	(void)fd;
	if (what & EV_READ)
		conn->readable = true;
	net_tick(conn->net);
	conn_run(conn);
}

int
conn_new(struct net *net, uint32_t slot, int fd, const struct net_origin *origin,
    struct conn **ret_conn)
{
	struct conn *conn = calloc(1, sizeof *conn);
	if (!conn)
		return FG_ENOMEM;
	conn->net = net;
	conn->id = ++net->serial << NET_SLOT_BITS | slot;
	conn->tag = origin->tag;
	conn->mode = origin->mode;
	conn->stream.fd = fd;
	conn->state = CONN_HEAD;
	if (origin->tls) {
		conn->state = CONN_HANDSHAKE;
		conn->stream.tls =
		    tls_session_new(origin->tls, fd, net->clock.wall_s(net->clock.ctx));
	}
	if (origin->tls && !conn->stream.tls) {
		free(conn);
		return FG_ENOMEM;
	}
	event_assign(&conn->read_event, net->base, fd, EV_READ | EV_PERSIST, on_event, conn);
	/*
	 * On a busy day the request is there before anybody accepts: looked for before it is
	 * waited for, and a connection for one request never costs epoll's two calls.
	 */
	event_active(&conn->read_event, EV_READ, 0);
	conn_stamp(conn, origin->tls ? NET_LIMIT_HANDSHAKE_TIME : NET_LIMIT_HEAD_TIME);
	*ret_conn = conn;
	return FG_OK;
}

void
conn_bury(struct conn *conn)
{
	const struct net_callbacks *cb = &conn->net->callbacks;
	struct conn_outcome *o = &conn->outcome;
	if (conn->reply_owed && cb->on_sent)
		cb->on_sent(cb->ctx, conn, o);
	conn_write_drop(conn);
	o->sent = conn->sent_all;
	if (cb->on_close)
		cb->on_close(cb->ctx, conn, o);
	net_give_in(conn->net, conn->in);
	stream_free(&conn->stream);
	free(conn);
}

void
conn_stamp(struct conn *conn, enum net_limit limit)
{
	struct net *net = conn->net;
	int64_t due = net->now_ms + net_limits_get(&net->limits, limit);
	conn->due_limit = limit;
	if (limit == NET_LIMIT_STALL_TIME && due > conn->send->give_up) {
		due = conn->send->give_up;
		conn->due_limit = NET_LIMIT_REPLY_TIME;
	}
	net->due[conn->id & NET_SLOT_MASK] = due;
}

void
conn_blame(struct conn *conn, enum net_limit limit)
{
	conn->net->counters.limits[limit]++;
	conn->outcome.limit = limit;
}

bool
conn_is_idle(const struct conn *conn)
{
	return conn->state == CONN_HANDSHAKE || conn->state == CONN_LINGER ||
	    (conn->state == CONN_HEAD && http_head_is_blank(&conn->scan) && !conn->readable);
}

enum conn_step
conn_end(struct conn *conn, enum conn_why why, bool reset)
{
	if (conn->state == CONN_GONE)
		return CONN_STEP_STOP;
	conn->state = CONN_GONE;
	/* What was noted before the socket failed is the better reason. */
	if (conn->outcome.why == CONN_WHY_UNKNOWN || why == CONN_WHY_OWNER)
		conn->outcome.why = why;
	conn_pace_leave(conn);
	if (conn->stream.tls)
		conn->net->counters.owed -= tls_session_owed(conn->stream.tls);
	event_del(&conn->read_event);
	if (conn->write_event)
		event_free(conn->write_event);
	conn->write_event = NULL;
	if (reset) {
		stream_reset(&conn->stream);
		conn->net->counters.resets++;
	} else {
		stream_close(&conn->stream);
	}
	conn->net->due[conn->id & NET_SLOT_MASK] = NET_NEVER;
	conn->next_dead = conn->net->dead;
	conn->net->dead = conn;
	net_wake_reaper(conn->net);
	return CONN_STEP_STOP;
}

/* A deadline has passed: each phase has its own way out. */
void
conn_expire(struct conn *conn)
{
	enum net_limit limit = conn->due_limit;
	if (conn->state == CONN_LINGER) {
		conn_blame(conn, limit);
		conn_end(conn, CONN_WHY_DONE, false);
		return;
	}
	/* A request half read gets an answer; silence is answered with silence. */
	if ((conn->state == CONN_HEAD && !http_head_is_blank(&conn->scan)) ||
	    conn->state == CONN_BODY) {
		conn_write_refusal(conn, 408, HTTP_FAULT_NONE, limit);
		conn_wake(conn);
		return;
	}
	conn_blame(conn, limit);
	conn->outcome.why = CONN_WHY_LIMIT;
	/* A reader that stopped reading must not keep kernel memory. */
	conn_end(conn, CONN_WHY_LIMIT, conn->state == CONN_REPLY);
}

/* Sets the socket events to what the state waits for; most requests change nothing. */
static void
arm(struct conn *conn, enum conn_step step)
{
	bool write = step == CONN_STEP_WRITE || step == CONN_STEP_YIELD;
	bool busy = conn->state == CONN_OWNER || conn->state == CONN_REPLY;
	bool full = conn->in && conn->in->n == conn->in->cap;
	/* The socket stays readable after EOF, and while there is no room: not to be asked. */
	bool read = !conn->eof && !(busy && (full || conn->readable));
	int failed = 0;
	if (write && !conn->write_event)
		conn->write_event =
		    event_new(conn->net->base, conn->stream.fd, EV_WRITE | EV_PERSIST, on_event, conn);
	if (write != conn->write_armed) {
		failed |= !conn->write_event ? -1
		    : write                  ? event_add(conn->write_event, NULL)
		                             : event_del(conn->write_event);
		conn->write_armed = write;
	}
	if (read != conn->read_armed) {
		failed |= read ? event_add(&conn->read_event, NULL) : event_del(&conn->read_event);
		conn->read_armed = read;
	}
	if (failed)
		conn_end(conn, CONN_WHY_LOCAL, true);
}

static enum conn_step
wait_for_owner(struct conn *conn)
{
	(void)conn;
	return CONN_STEP_WAIT;
}

void
conn_run(struct conn *conn)
{
	static enum conn_step (*const steps[])(struct conn *) = {
		[CONN_HANDSHAKE] = conn_read_handshake,
		[CONN_HEAD] = conn_read_head,
		[CONN_BODY] = conn_read_body,
		[CONN_OWNER] = wait_for_owner,
		[CONN_REPLY] = conn_write_reply,
		[CONN_LINGER] = conn_read_linger,
	};
	enum conn_step step = CONN_STEP_AGAIN;
	conn->net->quota = conn->net->limits.turn_bytes;
	conn->net->turns = conn->net->limits.turn_requests;
	if (conn->readable && (conn->state == CONN_OWNER || conn->state == CONN_REPLY))
		conn_read_ahead(conn);
	while (step == CONN_STEP_AGAIN)
		step = conn->state == CONN_GONE ? CONN_STEP_STOP : steps[conn->state](conn);
	if (conn->state != CONN_GONE)
		arm(conn, step);
}

void
conn_wake(struct conn *conn)
{
	if (conn->state != CONN_GONE)
		event_active(&conn->read_event, EV_WRITE, 0); /* not EV_READ: there may be nothing to read */
}

uint64_t
conn_id(const struct conn *conn)
{
	return conn->id;
}

struct conn *
conn_find(struct net *net, uint64_t id)
{
	uint64_t slot = id & NET_SLOT_MASK;
	if (slot >= net->n_slots)
		return NULL;
	struct conn *conn = net->conns[slot];
	return conn && conn->id == id && conn->state != CONN_GONE ? conn : NULL;
}

struct net *
conn_net(const struct conn *conn)
{
	return conn->net;
}

uint32_t
conn_tag(const struct conn *conn)
{
	return conn->tag;
}

void
conn_peer(const struct conn *conn, uint8_t ret_ip[NET_ADDR_LEN], uint16_t *ret_port)
{
	memcpy(ret_ip, conn->ip, NET_ADDR_LEN);
	*ret_port = conn->port;
}

int
conn_local(const struct conn *conn, uint8_t ret_ip[NET_ADDR_LEN], uint16_t *ret_port)
{
	struct sockaddr_storage ss;
	socklen_t n = sizeof ss;
	if (getsockname(conn->stream.fd, (struct sockaddr *)&ss, &n))
		return FG_EIO;
	net_address((struct sockaddr *)&ss, ret_ip, ret_port);
	return FG_OK;
}

int
conn_unix_uid(const struct conn *conn, uid_t *ret_uid)
{
	struct ucred peer;
	int domain = 0;
	socklen_t n = sizeof peer, m = sizeof domain;
	/* Of other sockets the kernel says nobody, or root. */
	if (getsockopt(conn->stream.fd, SOL_SOCKET, SO_DOMAIN, &domain, &m) || domain != AF_UNIX ||
	    getsockopt(conn->stream.fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) || n != sizeof peer)
		return FG_EIO;
	*ret_uid = peer.uid;
	return FG_OK;
}

bool
conn_is_tls(const struct conn *conn)
{
	return conn->stream.tls != NULL;
}

const uint8_t *
conn_tls_peer(const struct conn *conn)
{
	return conn->stream.tls ? tls_session_peer(conn->stream.tls) : NULL;
}

const char *
conn_tls_psk(const struct conn *conn)
{
	return conn->stream.tls ? tls_session_psk(conn->stream.tls) : NULL;
}

enum tls_refusal
conn_tls_refusal(const struct conn *conn, uint8_t ret_spki[TLS_SPKI_LEN])
{
	return conn->stream.tls ? tls_session_refusal(conn->stream.tls, ret_spki) : TLS_REFUSAL_NONE;
}

bool
conn_tls_revoked(const struct conn *conn, const struct tls *tls)
{
	return conn->stream.tls && tls_peer_revoked(tls, conn->stream.tls);
}

bool
conn_tls_stands(struct conn *conn, struct tls *tls)
{
	return !conn->stream.tls || tls_peer_stands(conn->stream.tls, tls, conn->net->clock.wall_s(conn->net->clock.ctx));
}

const char *
conn_tls_name(const struct conn *conn)
{
	return conn->stream.tls ? tls_session_name(conn->stream.tls) : NULL;
}

void *
conn_data(const struct conn *conn)
{
	return conn->data;
}

void
conn_set_data(struct conn *conn, void *data)
{
	conn->data = data;
}

const struct http_request *
conn_request(const struct conn *conn)
{
	return conn->state == CONN_OWNER ? &conn->in->request : NULL;
}

uint64_t
conn_request_number(const struct conn *conn)
{
	return conn->requests;
}

int
conn_reply(struct conn *conn, const struct http_reply *head, const struct conn_body *body)
{
	return conn_write_answer(conn, head, body);
}

void
conn_reset(struct conn *conn)
{
	conn_end(conn, CONN_WHY_OWNER, true);
}

void
conn_close_silently(struct conn *conn)
{
	conn_end(conn, CONN_WHY_OWNER, false);
}

const char *
conn_why_name(enum conn_why why)
{
	static const char *const names[] = {
		[CONN_WHY_UNKNOWN] = "unknown",
		[CONN_WHY_DONE] = "done",
		[CONN_WHY_PEER] = "peer",
		[CONN_WHY_PEER_BROKE] = "peer-broke",
		[CONN_WHY_OWNER] = "owner",
		[CONN_WHY_SOURCE] = "source",
		[CONN_WHY_REQUEST] = "request",
		[CONN_WHY_LIMIT] = "limit",
		[CONN_WHY_TLS] = "tls",
		[CONN_WHY_STOP] = "stop",
		[CONN_WHY_LOCAL] = "local",
	};
	return (unsigned)why < sizeof names / sizeof names[0] ? names[why] : "unknown";
}
