/* SPDX-License-Identifier: Apache-2.0 */
/* conn_read - everything that comes in: handshake, heads, bodies, which few owners want. */
#include "gateway/net/net_private.h"

enum conn_step
conn_read_handshake(struct conn *conn)
{
	/*
	 * One of its steps signs, which costs more than all else in a round together; which
	 * one is the peer's choice, who may send his hello byte by byte. Whoever has no turn
	 * stays readable, and the loop comes back to him at once.
	 */
	if (!net_take_handshake(conn->net))
		return CONN_STEP_READ;
	switch (tls_session_handshake(conn->stream.tls)) {
	case NET_IO_DONE:
		conn->state = CONN_HEAD;
		conn->readable = true; /* the request may have come with the last flight */
		conn_stamp(conn, NET_LIMIT_HEAD_TIME);
		return CONN_STEP_AGAIN;
	case NET_IO_WANT_READ:
		return CONN_STEP_READ;
	case NET_IO_WANT_WRITE:
		return CONN_STEP_WRITE;
	case NET_IO_EOF:
	case NET_IO_FAILED:
	default:
		conn->net->counters.handshake_faults++;
		return conn_end(conn, CONN_WHY_TLS, false);
	}
}

/* One read into the free room of the buffer, which must not be full. */
static enum net_io
fill(struct conn *conn)
{
	size_t n = 0;
	bool more = false;
	if (!conn->in && !(conn->in = net_take_in(conn->net)))
		return NET_IO_FAILED;
	struct net_in *in = conn->in;
	enum net_io io = stream_read(&conn->stream, in->bytes + in->n, in->cap - in->n, &n, &more);
	conn->readable = io == NET_IO_DONE && more;
	if (io == NET_IO_DONE)
		in->n += n;
	if (io == NET_IO_EOF)
		conn->eof = true;
	return io;
}

static void
drop_in(struct conn *conn)
{
	net_give_in(conn->net, conn->in);
	conn->in = NULL;
}

static enum net_limit
limit_of(enum http_fault fault)
{
	switch (fault) {
	case HTTP_FAULT_LINE_LONG:
		return NET_LIMIT_LINE;
	case HTTP_FAULT_FIELD_LONG:
		return NET_LIMIT_FIELD;
	case HTTP_FAULT_HEAD_LONG:
		return NET_LIMIT_HEAD;
	case HTTP_FAULT_FIELDS_MANY:
		return NET_LIMIT_FIELDS;
	case HTTP_FAULT_BLANKS_MANY:
		return NET_LIMIT_BLANKS;
	default:
		return NET_LIMIT_NONE;
	}
}

static enum conn_step
hand_over(struct conn *conn)
{
	const struct net_callbacks *cb = &conn->net->callbacks;
	conn->state = CONN_OWNER;
	conn_stamp(conn, NET_LIMIT_ANSWER_TIME);
	conn->in_owner = true;
	cb->on_request(cb->ctx, conn, &conn->in->request);
	conn->in_owner = false;
	return CONN_STEP_AGAIN;
}

/*
 * Only a small body is read, whether the owner wants it or not: to keep the
 * connection, and because a client told "no" while it still writes may never
 * read it. A chunked one does not say how long it is before it has come.
 */
static enum conn_step
begin_request(struct conn *conn)
{
	const struct http_request *r = &conn->in->request;
	bool small = r->body == HTTP_BODY_CHUNKED || r->body_len <= conn->net->limits.body_max;
	conn->net->turns--;
	conn->requests++;
	conn->net->counters.requests++;
	conn->outcome = (struct conn_outcome){ 0 };
	if (r->body == HTTP_BODY_NONE)
		return hand_over(conn);
	if (small) {
		conn->body_left = r->body_len;
		conn->in->chunk = (struct http_chunk){ 0 };
		conn->state = CONN_BODY;
		conn_stamp(conn, NET_LIMIT_BODY_TIME);
		if (r->expect_continue && conn->in->n == r->head_len)
			return conn_write_continue(conn);
		return CONN_STEP_AGAIN;
	}
	if (r->method != HTTP_OTHER)
		return conn_write_refusal(conn, 413, HTTP_FAULT_NONE, NET_LIMIT_BODY);
	/* The owner refuses the method; its body stays where it is. */
	conn->unread = true;
	conn->close_after = true;
	conn_blame(conn, NET_LIMIT_BODY);
	return hand_over(conn);
}

/* CONN_STEP_READ: more bytes are needed. */
static enum conn_step
parse(struct conn *conn)
{
	struct net_in *in = conn->in;
	enum http_fault fault = HTTP_FAULT_NONE;
	switch (http_head_parse(&conn->scan, view_of(in->bytes, in->n), conn->mode,
	    &conn->net->limits.http, &in->request, &fault)) {
	case HTTP_PARSE_DONE:
		return begin_request(conn);
	case HTTP_PARSE_MORE:
		break;
	case HTTP_PARSE_BAD:
	default:
		return conn_write_refusal(conn, http_head_fault_status(fault), fault,
		    limit_of(fault));
	}
	if (http_head_is_blank(&conn->scan)) {
		/* XinYi's third line feed: the connection is still idle. */
		conn->scan = (struct http_scan){ .blanks = conn->scan.blanks };
		in->n = 0;
	} else if (conn->due_limit == NET_LIMIT_IDLE_TIME) {
		conn_stamp(conn, NET_LIMIT_HEAD_TIME);
	}
	return CONN_STEP_READ;
}

enum conn_step
conn_read_head(struct conn *conn)
{
	for (;;) {
		if (conn->in && conn->in->n) {
			if (conn->net->turns == 0)
				return CONN_STEP_YIELD;
			enum conn_step step = parse(conn);
			if (step != CONN_STEP_READ)
				return step;
		}
		bool blank = http_head_is_blank(&conn->scan);
		enum conn_why gone = blank ? CONN_WHY_PEER : CONN_WHY_PEER_BROKE;
		if (conn->eof)
			return conn_end(conn, gone, false);
		if (!conn->readable) {
			if (blank)
				drop_in(conn);
			return CONN_STEP_READ;
		}
		/* Only after limits have grown under a buffer taken before. */
		if (conn->in && conn->in->n == conn->in->cap)
			return conn_write_refusal(conn, 431, HTTP_FAULT_HEAD_LONG, NET_LIMIT_HEAD);
		switch (fill(conn)) {
		case NET_IO_WANT_WRITE:
			return CONN_STEP_WRITE;
		case NET_IO_FAILED:
			return conn_end(conn, gone, false);
		case NET_IO_DONE:
		case NET_IO_WANT_READ:
		case NET_IO_EOF:
		default:
			break;
		}
	}
}

static void
tell_body(struct conn *conn, struct view data)
{
	const struct net_callbacks *cb = &conn->net->callbacks;
	if (data.n && cb->on_body)
		cb->on_body(cb->ctx, conn, data);
}

/* What *in holds of a body whose length is known; *in moves on. */
static enum http_chunk_step
take_counted(struct conn *conn, struct view *in)
{
	size_t n = in->n < conn->body_left ? in->n : (size_t)conn->body_left;
	tell_body(conn, view_of(in->p, n));
	conn->body_left -= n;
	*in = view_of(in->p + n, in->n - n);
	return conn->body_left ? HTTP_CHUNK_MORE : HTTP_CHUNK_DONE;
}

static enum http_chunk_step
take_chunked(struct conn *conn, struct view *in, enum http_fault *ret_fault)
{
	enum http_chunk_step step;
	struct view data;
	while ((step = http_chunk_next(&conn->in->chunk, in, conn->net->limits.body_max, &data,
	            ret_fault)) == HTTP_CHUNK_DATA)
		tell_body(conn, data);
	return step;
}

/* Takes from the buffer what there is of the body; what follows it moves to behind the head. */
static enum http_chunk_step
take_body(struct conn *conn, size_t *ret_taken, enum http_fault *ret_fault)
{
	struct net_in *in = conn->in;
	size_t head = in->request.head_len;
	struct view rest = view_of(in->bytes + head, in->n - head);
	enum http_chunk_step step = in->request.body == HTTP_BODY_CHUNKED
	    ? take_chunked(conn, &rest, ret_fault) : take_counted(conn, &rest);
	*ret_taken = in->n - head - rest.n;
	memmove(in->bytes + head, rest.p, rest.n);
	in->n -= *ret_taken;
	return step;
}

enum conn_step
conn_read_body(struct conn *conn)
{
	for (;;) {
		enum http_fault fault = HTTP_FAULT_NONE;
		size_t taken;
		switch (take_body(conn, &taken, &fault)) {
		case HTTP_CHUNK_DONE:
			return hand_over(conn);
		case HTTP_CHUNK_OVER:
			return conn_write_refusal(conn, 413, HTTP_FAULT_NONE, NET_LIMIT_BODY);
		case HTTP_CHUNK_BAD:
			return conn_write_refusal(conn, http_head_fault_status(fault), fault,
			    NET_LIMIT_NONE);
		case HTTP_CHUNK_MORE:
		case HTTP_CHUNK_DATA:
		default:
			break;
		}
		if (conn->eof)
			return conn_end(conn, CONN_WHY_PEER_BROKE, false);
		if (taken >= conn->net->quota)
			return CONN_STEP_YIELD;
		conn->net->quota -= taken;
		if (!conn->readable)
			return CONN_STEP_READ;
		switch (fill(conn)) {
		case NET_IO_WANT_WRITE:
			return CONN_STEP_WRITE;
		case NET_IO_FAILED:
			return conn_end(conn, CONN_WHY_PEER_BROKE, false);
		case NET_IO_DONE:
		case NET_IO_WANT_READ:
		case NET_IO_EOF:
		default:
			break;
		}
	}
}

enum conn_step
conn_read_linger(struct conn *conn)
{
	while (conn->readable) {
		size_t n = 0;
		switch (stream_read(&conn->stream, conn->net->record, sizeof conn->net->record, &n,
		    &conn->readable)) {
		case NET_IO_DONE:
			break;
		case NET_IO_WANT_READ:
			conn->readable = false;
			return CONN_STEP_READ;
		case NET_IO_WANT_WRITE:
		case NET_IO_EOF:
		case NET_IO_FAILED:
		default:
			return conn_end(conn, CONN_WHY_DONE, false);
		}
		/* Who goes on writing after so much gets the reset it provokes. */
		if (n >= conn->body_left)
			return conn_end(conn, CONN_WHY_DONE, false);
		conn->body_left -= n;
	}
	return CONN_STEP_READ;
}

void
conn_read_ahead(struct conn *conn)
{
	/* Who listens to an open body has nothing to say, and hanging up is to be noticed. */
	if (conn->close_after && !(conn->send && conn->send->open)) {
		conn->unread = true;
		return;
	}
	while (conn->readable && !(conn->in && conn->in->n == conn->in->cap)) {
		enum net_io io = fill(conn);
		if (io == NET_IO_FAILED) {
			conn_end(conn, CONN_WHY_PEER_BROKE, false);
			return;
		}
		if (conn->in && conn->in->n == 0)
			drop_in(conn);
		if (io != NET_IO_DONE)
			return;
	}
}
