/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/role/chan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/role/oplog.h"

#define READ_BATCH 64 /* frames a turn; others on the loop get theirs before the next 64 */

struct waiting {
	STAILQ_ENTRY(waiting) link;
	uint16_t type;
	unsigned fds_n;
	int fds[WIRE_FDS_MAX]; /* our own duplicates */
	size_t n;
	uint8_t body[];
};

STAILQ_HEAD(waiting_list, waiting);

struct chan {
	int fd;
	struct event *readable;
	struct event *writable;
	struct event *dying; /* fires from the loop, so that a send never re-enters its caller */
	const struct chan_ops *ops;
	void *ctx;
	void (*on_close)(void *owner, struct chan *c, int why);
	void *owner;
	enum msg_role peer;
	unsigned index;
	unsigned phase;
	struct waiting_list queue;
	unsigned queued;
	size_t queued_bytes;
	int why;      /* 0 while alive; else the reason that on_close gets */
	bool mute;    /* the peer reads no more; what it sent is still to be handled */
	bool paused;  /* by its owner: nothing is read */
	bool told;    /* on_close was called */
	bool freed;   /* by its owner, from inside a callback */
	unsigned busy; /* callbacks running; memory lives until the last returns */
	void *msg;
	size_t msg_n;
	uint8_t *buf;
};

static void
drop_queue(struct chan *c)
{
	while (!STAILQ_EMPTY(&c->queue)) {
		struct waiting *w = STAILQ_FIRST(&c->queue);
		STAILQ_REMOVE_HEAD(&c->queue, link);
		for (unsigned i = 0; i < w->fds_n; i++)
			close(w->fds[i]);
		free(w);
	}
	c->queued = 0;
	c->queued_bytes = 0;
}

static void
release(struct chan *c)
{
	if (c->readable)
		event_free(c->readable);
	if (c->writable)
		event_free(c->writable);
	if (c->dying)
		event_free(c->dying);
	drop_queue(c);
	if (c->fd >= 0)
		close(c->fd);
	free(c->msg);
	free(c->buf);
	free(c);
}

/* No byte passes from here on; on_close follows from the loop. */
static void
die(struct chan *c, int why)
{
	if (c->why || c->freed)
		return;
	c->why = why;
	event_del(c->readable);
	event_del(c->writable);
	drop_queue(c);
	event_active(c->dying, EV_TIMEOUT, 0);
}

static void
on_dying(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	struct chan *c = arg;
	if (c->told || c->freed)
		return;
	c->told = true;
	close(c->fd); /* before anyone reacts: the peer must see the end too */
	c->fd = -1;
	c->busy++;
	if (c->on_close)
		c->on_close(c->owner, c, c->why);
	else if (c->ops->on_close)
		c->ops->on_close(c->ctx, c, c->why);
	if (--c->busy == 0 && c->freed)
		release(c);
}

static const struct chan_rule *
rule_for(const struct chan *c, unsigned type)
{
	for (unsigned i = 0; i < c->ops->rules_n; i++)
		if (c->ops->rules[i].type == type)
			return &c->ops->rules[i];
	return NULL;
}

/* One frame through the table; false when the channel is dead afterwards. */
static bool
dispatch(struct chan *c, struct wire_frame *frame)
{
	const struct chan_rule *rule = rule_for(c, frame->type);
	const char *fault = NULL;
	if (!rule)
		fault = "not permitted";
	else if (!(rule->phases & c->phase))
		fault = "not permitted now";
	else if (msg_decode(frame, c->msg, c->msg_n))
		fault = "malformed";
	if (fault) {
		oplog(OPLOG_ERR, "%s[%u] sent %s(%u), which is %s: channel closed",
		      msg_role_name(c->peer), c->index, msg_type_name(frame->type), frame->type,
		      fault);
		wire_close_fds(frame);
		die(c, FG_EPEER);
		return false;
	}
	rule->handle(c->ctx, c, c->msg, frame);
	wire_close_fds(frame);
	return !c->why && !c->freed;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)what;
	struct chan *c = arg;
	c->busy++;
	for (int i = 0; i < READ_BATCH; i++) {
		struct wire_frame frame;
		int r = wire_recv(fd, c->buf, &frame);
		if (r == FG_EAGAIN)
			break;
		if (r)
			die(c, r);
		if (r || !dispatch(c, &frame) || c->paused)
			break;
	}
	if (--c->busy == 0 && c->freed)
		release(c);
}

/*
 * Called right after wire_send, while errno is its. A peer that reads no more
 * may have sent its last words: they are read to the end of file before the
 * channel is called dead.
 */
static void
send_failed(struct chan *c, int err)
{
	if (err != FG_EIO || (errno != EPIPE && errno != ECONNRESET)) {
		die(c, err);
		return;
	}
	c->mute = true;
	event_del(c->writable);
	drop_queue(c);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)what;
	struct chan *c = arg;
	struct waiting *w;
	while ((w = STAILQ_FIRST(&c->queue))) {
		int r = wire_send(fd, w->type, view_of(w->body, w->n), w->fds, w->fds_n);
		if (r == FG_EAGAIN)
			return;
		if (r) {
			send_failed(c, r);
			return;
		}
		STAILQ_REMOVE_HEAD(&c->queue, link);
		c->queued--;
		c->queued_bytes -= w->n;
		for (unsigned i = 0; i < w->fds_n; i++)
			close(w->fds[i]);
		free(w);
	}
	event_del(c->writable);
}

static int
enqueue(struct chan *c, unsigned type, struct view body, const int *fds, unsigned fds_n)
{
	if (c->queued >= CHAN_QUEUE_MAX || body.n > CHAN_QUEUE_BYTES_MAX - c->queued_bytes)
		return FG_ELIMIT;
	struct waiting *w = malloc(sizeof *w + body.n);
	if (!w)
		return FG_ENOMEM;
	w->type = (uint16_t)type;
	w->n = body.n;
	if (body.n)
		memcpy(w->body, body.p, body.n);
	for (w->fds_n = 0; w->fds_n < fds_n; w->fds_n++) {
		int fd = fcntl(fds[w->fds_n], F_DUPFD_CLOEXEC, 0);
		if (fd < 0) {
			while (w->fds_n)
				close(w->fds[--w->fds_n]);
			free(w);
			return FG_EIO;
		}
		w->fds[w->fds_n] = fd;
	}
	STAILQ_INSERT_TAIL(&c->queue, w, link);
	c->queued++;
	c->queued_bytes += body.n;
	event_add(c->writable, NULL);
	return 0;
}

static int
send_body(struct chan *c, unsigned type, struct view body, const int *fds, unsigned fds_n)
{
	if (STAILQ_EMPTY(&c->queue)) {
		int r = wire_send(c->fd, (uint16_t)type, body, fds, fds_n);
		if (!r)
			return 0;
		if (r != FG_EAGAIN) {
			send_failed(c, r);
			return FG_ESTATE;
		}
	}
	int r = enqueue(c, type, body, fds, fds_n);
	if (r)
		die(c, r); /* a gap in the stream would be worse than its end */
	return r;
}

int
chan_send(struct chan *c, unsigned type, const void *msg, const int *fds, unsigned fds_n)
{
	if (!c)
		return FG_EAGAIN;
	if (msg_fds(type, msg) != fds_n)
		abort();
	if (c->why || c->mute || c->freed)
		return FG_ESTATE;
	struct writer w;
	writer_init(&w, WIRE_BODY_MAX);
	msg_encode(type, msg, &w);
	int r = writer_err(&w);
	if (!r)
		r = send_body(c, type, writer_view(&w), fds, fds_n);
	writer_free(&w);
	return r;
}

static size_t
largest_message(const struct chan_ops *ops)
{
	size_t n = 1;
	for (unsigned i = 0; i < ops->rules_n; i++)
		if (msg_size(ops->rules[i].type) > n)
			n = msg_size(ops->rules[i].type);
	return n;
}

struct chan *
chan_new(struct event_base *base, int fd, const struct chan_ops *ops, void *ctx)
{
	struct chan *c = calloc(1, sizeof *c);
	if (!c) {
		close(fd);
		return NULL;
	}
	*c = (struct chan){ .fd = fd, .ops = ops, .ctx = ctx, .phase = CHAN_ALWAYS };
	STAILQ_INIT(&c->queue);
	int flags = fcntl(fd, F_GETFL);
	c->msg_n = largest_message(ops);
	c->msg = malloc(c->msg_n);
	c->buf = malloc(WIRE_FRAME_MAX);
	c->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, c);
	c->writable = event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
	c->dying = event_new(base, -1, 0, on_dying, c);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) || !c->msg || !c->buf ||
	    !c->readable || !c->writable || !c->dying || event_add(c->readable, NULL)) {
		release(c);
		return NULL;
	}
	return c;
}

void
chan_free(struct chan *c)
{
	if (!c || c->freed)
		return;
	c->freed = true;
	event_del(c->readable);
	event_del(c->writable);
	event_del(c->dying);
	if (!c->busy)
		release(c);
}

void
chan_set_close(struct chan *c, void (*on_close)(void *, struct chan *, int), void *owner)
{
	c->on_close = on_close;
	c->owner = owner;
}

void
chan_set_peer(struct chan *c, enum msg_role role, unsigned index)
{
	c->peer = role;
	c->index = index;
}

enum msg_role
chan_peer_role(const struct chan *c)
{
	return c->peer;
}

unsigned
chan_peer_index(const struct chan *c)
{
	return c->index;
}

void
chan_set_phase(struct chan *c, unsigned phase_bits)
{
	c->phase = phase_bits;
}

void
chan_pause(struct chan *c, bool paused)
{
	if (c->why || c->freed || c->paused == paused)
		return;
	c->paused = paused;
	if (paused)
		event_del(c->readable);
	else if (event_add(c->readable, NULL))
		die(c, FG_ENOMEM);
}

unsigned
chan_queued(const struct chan *c)
{
	return c->queued;
}
