/* SPDX-License-Identifier: Apache-2.0 */
/* conn_write - everything that goes out: heads, bodies, the last word. */
#include "gateway/net/net_private.h"

#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/wipe.h"

#define SENDFILE_MIN (32 * 1024 + 1) /* below, copying costs less than a second system call and the pages' references */
#define FILE_RUN (64u << 10) /* runs from a file end at its multiples: the next one then begins with a whole page */
/*
 * For slow peers, and for all when too much is owed: with its frame it fits into
 * what makes a socket writable (half of STREAM_THRIFTY_LOWAT), so nothing of it is owed.
 */
#define RECORD_SMALL 3584
#define SLOW_MS 2000         /* so long is looked before a peer is called slow, */
#define SLOW_RATE 32768u     /* bytes a second: 64 KiB in the kernel are then two seconds of its line */
#define BURST_FIRST 4     /* TLS records: an answer of 64 KiB by one write, before it is known how fast the peer reads */

void
conn_write_drop(struct conn *conn)
{
	struct net_send *send = conn->send;
	if (send && conn->net->wiping)
		wipe(conn->net->record, sizeof conn->net->record);
	net_give_out(conn->net, conn->out);
	conn->out = NULL;
	conn->send = NULL;
	if (conn->pace)
		conn_pace_rest(conn);
	if (send && send->source.done)
		send->source.done(send->source.ctx);
	net_give_send(conn->net, send);
}

/* The request has been answered: what came after it moves to the front. */
static void
consume_request(struct conn *conn)
{
	struct net_in *in = conn->in;
	conn->scan = (struct http_scan){ 0 };
	if (!in)
		return;
	size_t head = in->request.head_len;
	memmove(in->bytes, in->bytes + head, in->n - head);
	in->n -= head;
	if (in->n == 0) {
		net_give_in(conn->net, in);
		conn->in = NULL;
	}
}

/* What a reply needs: all of it, or nothing. */
static bool
prepare(struct conn *conn)
{
	struct net *net = conn->net;
	conn->send = net_take_send(net);
	conn->out = conn->send ? net_take_out(net) : NULL;
	if (conn->out)
		return true;
	net_give_send(net, conn->send);
	conn->send = NULL;
	return false;
}

/* The head, and the clock of the whole reply. */
static void
begin(struct conn *conn, const struct http_reply *reply)
{
	struct net *net = conn->net;
	struct net_out *out = conn->out;
	uint64_t slow_s = reply->length / net->limits.reply_rate;
	out->head_n = out->n =
	    http_reply_encode(reply, net_date(net), (char *)out->bytes);
	conn->outcome.status = (uint16_t)reply->status;
	conn->close_after = reply->close;
	/* 2^40 seconds are forever, and keep the sum below in range. */
	if (slow_s > UINT64_C(1) << 40)
		slow_s = UINT64_C(1) << 40;
	conn->send->give_up = net->now_ms + net->limits.reply_ms + (int64_t)slow_s * 1000;
	if (reply->open) /* its owner says when it is over; a reader that takes nothing is stalled all the same */
		conn->send->give_up = NET_NEVER;
	conn->state = CONN_REPLY;
	conn_stamp(conn, NET_LIMIT_STALL_TIME);
}

/* Whether this reply is the connection's last. */
static bool
must_close(struct conn *conn, const struct http_reply *head)
{
	bool worn = conn->requests >= conn->net->limits.requests_max;
	if (worn)
		conn->net->counters.limits[NET_LIMIT_REQUESTS]++;
	return worn || head->close || conn->close_after || conn->net->stopping ||
	    !conn->in->request.keep_alive;
}

int
conn_write_answer(struct conn *conn, const struct http_reply *head, const struct conn_body *body)
{
	static const struct conn_body none;
	struct http_reply reply = *head;
	uint64_t end;
	int err = FG_ESTATE;
	if (!body)
		body = &none;
	if (conn->state != CONN_OWNER)
		goto refuse;
	reply.length = body->source.pull ? body->length : body->memory.n;
	if (body->source.pull && __builtin_add_overflow(body->offset, body->length, &end))
		abort();
	err = FG_ELIMIT;
	if (reply.extra.n > CONN_MEMORY_MAX ||
	    (!body->source.pull && body->memory.n > CONN_MEMORY_MAX - reply.extra.n))
		goto refuse;
	err = FG_ENOMEM;
	if (!prepare(conn))
		goto refuse;
	if (!conn->in_owner)
		net_tick(conn->net);
	reply.open = body->open && !body->source.pull;
	reply.close = must_close(conn, head) || reply.open;
	begin(conn, &reply);
	struct net_out *out = conn->out;
	bool bare = conn->in->request.method == HTTP_HEAD || http_reply_is_bare(reply.status);
	if (!bare && !body->source.pull && body->memory.n) {
		memcpy(out->bytes + out->n, body->memory.p, body->memory.n);
		out->n += body->memory.n;
	}
	conn->send->source = body->source;
	conn->send->offset = body->offset;
	conn->send->left = bare || !body->source.pull ? 0 : body->length;
	conn->send->open = reply.open && !bare;
	conn->reply_owed = true;
	consume_request(conn);
	if (!conn->in_owner)
		conn_wake(conn);
	return FG_OK;
refuse:
	if (body->source.done)
		body->source.done(body->source.ctx);
	return err;
}

int
conn_push(struct conn *conn, struct view bytes)
{
	struct net *net = conn->net;
	if (conn->state != CONN_REPLY || !conn->send->open)
		return FG_ESTATE;
	bool drained = !conn->out;
	if (drained && !(conn->out = net_take_out(net)))
		return FG_ENOMEM;
	struct net_out *out = conn->out;
	if (bytes.n > sizeof out->bytes - out->n) {
		if (drained) {
			net_give_out(net, out);
			conn->out = NULL;
		}
		return FG_ELIMIT;
	}
	if (bytes.n)
		memcpy(out->bytes + out->n, bytes.p, bytes.n);
	out->n += bytes.n;
	net_tick(net);
	if (drained) /* while it waited for us, nobody was slow */
		conn_stamp(conn, NET_LIMIT_STALL_TIME);
	conn_wake(conn);
	return FG_OK;
}

void
conn_push_end(struct conn *conn)
{
	if (conn->state != CONN_REPLY || !conn->send->open)
		return;
	conn->send->open = false;
	net_tick(conn->net);
	conn_stamp(conn, NET_LIMIT_STALL_TIME);
	conn_wake(conn);
}

enum conn_step
conn_write_refusal(struct conn *conn, unsigned status, enum http_fault fault, enum net_limit limit)
{
	const struct http_reply reply = { .status = status, .close = true, .extra = conn->net->extra };
	if (!prepare(conn))
		return conn_end(conn, CONN_WHY_LOCAL, true);
	conn->outcome = (struct conn_outcome){ .fault = fault };
	conn->outcome.why = fault ? CONN_WHY_REQUEST : CONN_WHY_LIMIT;
	if (fault)
		conn->net->counters.faults[fault]++;
	if (limit)
		conn_blame(conn, limit);
	net_give_in(conn->net, conn->in);
	conn->in = NULL;
	conn->scan = (struct http_scan){ 0 };
	conn->unread = true;
	begin(conn, &reply);
	return CONN_STEP_AGAIN;
}

enum conn_step
conn_write_continue(struct conn *conn)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
	size_t n = 0;
	enum net_io io = stream_write(&conn->stream, view_of(text, sizeof text - 1), &n);
	if (io == NET_IO_DONE && n == sizeof text - 1)
		return CONN_STEP_AGAIN;
	/* Room for 25 bytes is missing only when earlier answers were never read. */
	return conn_end(conn, CONN_WHY_PEER_BROKE, true);
}

static size_t
at_most(uint64_t n, size_t max)
{
	return n < max ? (size_t)n : max;
}

/* How much of the body may go now: the rest of its turn here, and of its share's. */
static size_t
room(const struct conn *conn)
{
	return conn->pace ? at_most(conn_pace_credit(conn), conn->net->quota) : conn->net->quota;
}

/* What the last pull or file took beyond moving bytes. */
static void
charge(struct conn *conn)
{
	if (conn->send->source.cost)
		conn->net->quota -= at_most(conn->send->source.cost(conn->send->source.ctx), conn->net->quota);
}

/* Up to max bytes of the source from `offset`; 0 when it failed. */
static size_t
pull(struct conn *conn, uint64_t offset, size_t max, const uint8_t **ret_run)
{
	int64_t n = conn->send->source.pull(conn->send->source.ctx, offset, max, ret_run);
	if (n > 0 && (uint64_t)n > max)
		abort(); /* the owner's mistake would become somebody's memory on the wire */
	charge(conn);
	return n > 0 ? (size_t)n : 0;
}

/*
 * What a TLS record is made of, `done` bytes of the answer being in records
 * already: head and body together, since a second record costs more than the
 * copy. Empty when the source failed.
 */
static struct view
gather(struct conn *conn, size_t done, size_t max)
{
	const struct view failed = { NULL, 0 };
	struct net *net = conn->net;
	const struct net_out *out = conn->out;
	size_t head = out ? out->n - out->off : 0;
	size_t pending = done < head ? head - done : 0, body = done < head ? 0 : done - head;
	uint64_t left = conn->pace ? at_most(conn_pace_credit(conn), conn->send->left) : conn->send->left;
	size_t want = at_most(pending + (left - body), max), have = 0;
	const uint8_t *run;
	while (have < want) {
		size_t n;
		if (have < pending) {
			run = out->bytes + out->off + done;
			n = at_most(pending, want);
		} else if (!(n = pull(conn, conn->send->offset + body + (have - pending), want - have, &run))) {
			return failed;
		}
		if (n == want)
			return view_of(run, n);
		memcpy(net->record + have, run, n);
		have += n;
	}
	return view_of(net->record, have);
}

/*
 * How many records of at most *ret_max bytes to put together. What a full socket
 * does not take is memory of ours until it does, so that depends on how the last
 * write went, and on how much all together are owed. 0: none before the kernel has
 * room for it.
 */
static unsigned
plan_records(struct conn *conn, size_t *ret_max)
{
	struct net *net = conn->net;
	uint64_t owed = net->counters.owed, most = net->limits.owed_max;
	size_t fit = owed < most ? at_most((most - owed) / TLS_PUT_ROOM, TLS_BATCH) : 0;
	if (!conn->burst)
		conn->burst = BURST_FIRST;
	*ret_max = conn->thrifty || !fit ? RECORD_SMALL : TLS_RECORD_MAX;
	if (fit)
		return fit < conn->burst ? (unsigned)fit : conn->burst;
	net->counters.limits[NET_LIMIT_OWED]++;
	return stream_has_room(&conn->stream);
}

/* NET_IO_EOF: the source failed. */
static enum net_io
put_records(struct conn *conn, unsigned n_records, size_t max)
{
	struct net *net = conn->net;
	size_t done = 0, all = (size_t)(conn->out ? conn->out->n - conn->out->off : 0);
	all += at_most(conn->send->left, room(conn));
	net->batch.n = 0;
	for (unsigned i = 0; i < n_records && done < all && (conn->net->quota || !done); i++) {
		size_t n = 0;
		struct view record = gather(conn, done, max);
		if (!record.n && done)
			break; /* what stands before it is as good as ever */
		if (!record.n)
			return NET_IO_EOF;
		enum net_io io = tls_session_put(conn->stream.tls, &net->batch, record, &n);
		if (io != NET_IO_DONE)
			return NET_IO_FAILED; /* nothing is read or written on the way to the batch */
		done += n;
	}
	return NET_IO_DONE;
}

/* Several records by one write. */
static enum net_io
send_records(struct conn *conn, size_t *ret_n)
{
	struct net *net = conn->net;
	struct tls_session *tls = conn->stream.tls;
	size_t owed = tls_session_owed(tls), max;
	bool moved;
	if (!owed) {
		unsigned n = plan_records(conn, &max);
		if (!n)
			return NET_IO_WANT_WRITE;
		enum net_io io = put_records(conn, n, max);
		if (io != NET_IO_DONE)
			return io;
	}
	enum net_io io = tls_session_flush(tls, &net->batch, ret_n, &moved);
	net->counters.owed += tls_session_owed(tls);
	net->counters.owed -= owed;
	if (io == NET_IO_WANT_WRITE && moved) /* a reader, if a slow one; what is sent is counted when all of it is */
		conn_stamp(conn, NET_LIMIT_STALL_TIME);
	if (io == NET_IO_WANT_WRITE)
		conn->burst = 1;
	else if (io == NET_IO_DONE && conn->burst < TLS_BATCH && !conn->thrifty)
		conn->burst *= 2;
	return io;
}

/* Head and body from memory, by one call. */
static enum net_io
send_gathered(struct conn *conn, size_t *ret_n, bool *ret_short)
{
	struct net_out *out = conn->out;
	struct iovec iov[2];
	size_t n_iov = 0, head = out ? out->n - out->off : 0, offered = head;
	if (out)
		iov[n_iov++] = (struct iovec){ out->bytes + out->off, head };
	if (conn->send->left && room(conn)) {
		const uint8_t *run;
		size_t n = pull(conn, conn->send->offset, at_most(conn->send->left, room(conn)), &run);
		if (!n)
			return NET_IO_EOF;
		/* sendmsg only reads it; iov_base has no const. */
		iov[n_iov++] = (struct iovec){ (void *)(uintptr_t)run, n };
		offered += n;
	}
	/* Closing follows, which sends it: one segment for the end of the answer and the FIN. */
	bool last = (conn->close_after || conn->net->stopping) && offered == head + conn->send->left;
	enum net_io io = stream_send(&conn->stream, iov, n_iov, last, ret_n);
	*ret_short = io == NET_IO_DONE && *ret_n < offered;
	return io;
}

/* The head, then the body from its file: no byte of it is copied. run: n bytes at conn->send->offset. */
static enum net_io
send_file(struct conn *conn, const struct net_run *run, size_t n, size_t *ret_n, bool *ret_short)
{
	struct net_out *out = conn->out;
	size_t head = out ? out->n - out->off : 0, moved = 0;
	enum net_io io = NET_IO_DONE;
	if (head)
		io = stream_send_head(&conn->stream, view_of(out->bytes + out->off, head), &moved);
	*ret_n = moved;
	*ret_short = io == NET_IO_DONE && moved < head;
	if (io != NET_IO_DONE || *ret_short)
		return io;
	moved = 0;
	io = stream_send_file(&conn->stream, run->fd, run->at, n, &moved);
	*ret_n += moved;
	*ret_short = io == NET_IO_WANT_WRITE || moved < n;
	/* With the head gone there is something to account for. */
	return io == NET_IO_WANT_WRITE && head ? NET_IO_DONE : io;
}

/* How much of the file to offer: what is left of the turn, and on to the end of a run; of a share, no more than that. */
static size_t
file_max(const struct conn *conn)
{
	uint64_t turn = at_most(conn->send->left, room(conn));
	if (conn->pace)
		return (size_t)turn;
	uint64_t over = (conn->send->offset + turn) % FILE_RUN;
	return (size_t)(over ? at_most(conn->send->left, turn + (FILE_RUN - over)) : turn);
}

/* One go at it. NET_IO_EOF: the source failed. *ret_short: the socket is full. */
static enum net_io
send_some(struct conn *conn, size_t *ret_n, bool *ret_short)
{
	*ret_short = false;
	if (conn->stream.tls)
		return send_records(conn, ret_n);
	if (conn->send->source.file && conn->send->left >= SENDFILE_MIN && room(conn) >= SENDFILE_MIN) {
		struct net_run run;
		size_t max = file_max(conn);
		int64_t n = conn->send->source.file(conn->send->source.ctx, conn->send->offset, max, &run);
		if (n > 0 && (uint64_t)n > max)
			abort();
		charge(conn);
		if (n)
			return n < 0 ? NET_IO_EOF : send_file(conn, &run, (size_t)n, ret_n, ret_short);
	}
	return send_gathered(conn, ret_n, ret_short);
}

/* n bytes are gone: first of the head, then of the body. */
static void
account(struct conn *conn, size_t n)
{
	struct net_out *out = conn->out;
	size_t body = n;
	conn->net->quota -= at_most(n, conn->net->quota);
	if (out) {
		size_t taken = at_most(n, out->n - out->off);
		size_t head_left = out->off < out->head_n ? out->head_n - out->off : 0;
		body -= at_most(n, head_left);
		out->off += taken;
		n -= taken;
		if (out->off == out->n) {
			net_give_out(conn->net, out);
			conn->out = NULL;
		}
	}
	if (conn->pace)
		conn_pace_spend(conn, n);
	conn->send->offset += n;
	conn->send->left -= n;
	conn->outcome.sent += body;
	conn->sent_all += body;
	conn->net->counters.bytes += body;
	conn_stamp(conn, NET_LIMIT_STALL_TIME);
}

/*
 * The last word is said. Closing while the peer's bytes lie unread would make
 * the kernel reset, and the peer lose the answer: then wait for it to close.
 */
static enum conn_step
say_goodbye(struct conn *conn)
{
	bool unread = conn->unread || conn->readable || (conn->in && conn->in->n) ||
	    stream_has_unread(&conn->stream);
	if (!unread || conn->eof)
		return conn_end(conn, CONN_WHY_DONE, false);
	net_give_in(conn->net, conn->in);
	conn->in = NULL;
	stream_half_close(&conn->stream);
	conn->state = CONN_LINGER;
	conn->readable = true;
	conn->body_left = (uint64_t)conn->net->limits.body_max + TLS_RECORD_MAX;
	conn_stamp(conn, NET_LIMIT_LINGER_TIME);
	return CONN_STEP_AGAIN;
}

static enum conn_step
finish(struct conn *conn)
{
	const struct net_callbacks *cb = &conn->net->callbacks;
	conn->outcome.complete = true;
	if (conn->reply_owed) {
		struct conn_outcome outcome = conn->outcome;
		outcome.why = CONN_WHY_DONE;
		conn->reply_owed = false;
		conn->net->counters.replies++;
		if (cb->on_sent)
			cb->on_sent(cb->ctx, conn, &outcome);
	}
	conn_write_drop(conn);
	if (conn->state == CONN_GONE)
		return CONN_STEP_STOP;
	if (conn->close_after || conn->net->stopping)
		return say_goodbye(conn);
	conn->state = CONN_HEAD;
	conn_stamp(conn, NET_LIMIT_IDLE_TIME);
	return CONN_STEP_AGAIN;
}

/* The socket is full. A peer that empties it slowly, and has for long, is not in need of large buffers. */
static enum conn_step
wait_for_room(struct conn *conn)
{
	int64_t now = conn->net->now_ms, since = now - conn->send->full_ms;
	if (conn->thrifty || (conn->send->full_ms && since < SLOW_MS))
		return CONN_STEP_WRITE;
	if (conn->send->full_ms && (conn->sent_all - conn->send->full_sent) / SLOW_RATE < (uint64_t)since / 1000) {
		conn->thrifty = true;
		conn->burst = 1;
		stream_be_thrifty(&conn->stream);
	}
	conn->send->full_ms = now;
	conn->send->full_sent = conn->sent_all;
	return CONN_STEP_WRITE;
}

enum conn_step
conn_write_reply(struct conn *conn)
{
	while (conn->out || conn->send->left) {
		size_t n = 0;
		bool full;
		if (conn->net->quota == 0)
			return CONN_STEP_YIELD;
		bool waits = conn->pace && conn->send->left && !conn_pace_may_send(conn);
		if (waits && !conn->out)
			return conn_pace_wait(conn);
		/* The head does not wait: it tells a client that it was heard. */
		switch (send_some(conn, &n, &full)) {
		case NET_IO_DONE:
			account(conn, n);
			if (full)
				return wait_for_room(conn);
			break;
		case NET_IO_WANT_WRITE:
			return wait_for_room(conn);
		case NET_IO_WANT_READ:
			return CONN_STEP_READ;
		case NET_IO_EOF:
			return conn_end(conn, CONN_WHY_SOURCE, true);
		case NET_IO_FAILED:
		default:
			return conn_end(conn, CONN_WHY_PEER_BROKE, false);
		}
	}
	if (conn->send->open && conn->eof)
		return conn_end(conn, CONN_WHY_PEER, false);
	if (conn->send->open) {
		conn->net->due[conn->id & NET_SLOT_MASK] = NET_NEVER;
		return CONN_STEP_WAIT;
	}
	return finish(conn);
}
