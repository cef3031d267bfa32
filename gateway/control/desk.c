/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/desk.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/role/oplog.h"

struct person { /* one connection */
	LIST_ENTRY(person) link;
	struct desk *desk;
	struct chan *chan;
	struct caller who;
	struct call *calls[DESK_CALLS_MAX];
	unsigned calls_n;
};

struct desk {
	struct event_base *base;
	int listener;
	struct event *readable;
	const struct callers *callers;
	void (*handle)(void *ctx, struct call *c);
	void *ctx;
	LIST_HEAD(, person) people;
	unsigned n;
};

static void
drop(struct person *p)
{
	for (unsigned i = 0; i < p->calls_n; i++)
		call_hang_up(p->calls[i]);
	LIST_REMOVE(p, link);
	p->desk->n--;
	chan_free(p->chan);
	free(p);
}

static void
on_close(void *ctx, struct chan *c, int why)
{
	(void)c;
	(void)why;
	drop(ctx);
}

/* ---- the line of a call ---- */

static void
reply(void *ctx, const struct msg_reply *m, const int *fds, unsigned fds_n)
{
	struct person *p = ctx;
	/* A person who does not read loses the connection, by the queue's limit. */
	(void)chan_send(p->chan, MSG_REPLY, m, fds, fds_n);
}

static void
over(void *ctx, struct call *c)
{
	struct person *p = ctx;
	for (unsigned i = 0; i < p->calls_n; i++) {
		if (p->calls[i] == c) {
			p->calls[i] = p->calls[--p->calls_n];
			return;
		}
	}
}

static void
on_call(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	static const char bad[] =
	    "{\"error\":{\"cure\":\"send one JSON object\",\"id\":\"USAGE\",\"text\":\"the arguments are not strict JSON\"}}";
	static const char many[] =
	    "{\"error\":{\"cure\":\"wait for answers\",\"id\":\"LIMIT\",\"text\":\"too many calls on one connection\"}}";
	struct person *p = ctx;
	const struct msg_call *m = msg;
	const struct call_line line = { p, reply, over };
	struct call *call = NULL;
	struct msg_reply no = { .token = m->token, .status = CALL_COULD_NOT, .json = view_of(many, sizeof many - 1) };
	if (p->calls_n == DESK_CALLS_MAX) {
		chan_send(c, MSG_REPLY, &no, NULL, 0);
		return;
	}
	if (call_new(m, frame, &p->who, &line, &call)) {
		no.status = CALL_USAGE;
		no.json = view_of(bad, sizeof bad - 1);
		chan_send(c, MSG_REPLY, &no, NULL, 0);
		return;
	}
	p->calls[p->calls_n++] = call;
	p->desk->handle(p->desk->ctx, call);
}

static const struct chan_rule rules[] = { { MSG_CALL, CHAN_ALWAYS, on_call } };
static const struct chan_ops ops = { rules, 1, on_close };

/* ---- accepting ---- */

static unsigned
held_by(const struct desk *d, uid_t uid)
{
	const struct person *p;
	unsigned n = 0;
	LIST_FOREACH(p, &d->people, link)
		n += p->who.uid == uid;
	return n;
}

static void
add(struct desk *d, int fd)
{
	struct person *p = calloc(1, sizeof *p);
	if (!p || callers_identify(d->callers, fd, &p->who) || d->n == DESK_PEOPLE_MAX ||
	    held_by(d, p->who.uid) == DESK_PEOPLE_OF_ONE) {
		close(fd);
		free(p);
		return;
	}
	p->desk = d;
	p->chan = chan_new(d->base, fd, &ops, p);
	if (!p->chan) {
		free(p);
		return;
	}
	chan_set_peer(p->chan, MSG_ROLE_CLI, 0);
	LIST_INSERT_HEAD(&d->people, p, link);
	d->n++;
}

static void
on_accept(evutil_socket_t listener, short what, void *ctx)
{
	struct desk *d = ctx;
	(void)what;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0)
		add(d, fd);
	else if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
		oplog(OPLOG_WARNING, "control socket: accept failed, errno %d", errno);
}

struct desk *
desk_new(struct event_base *base, int listener, const struct callers *callers,
    void (*handle)(void *ctx, struct call *c), void *ctx)
{
	struct desk *d = calloc(1, sizeof *d);
	if (!d) {
		close(listener);
		return NULL;
	}
	*d = (struct desk){ .base = base, .listener = listener, .callers = callers, .handle = handle, .ctx = ctx };
	LIST_INIT(&d->people);
	evutil_make_socket_nonblocking(listener);
	d->readable = event_new(base, listener, EV_READ | EV_PERSIST, on_accept, d);
	if (!d->readable || event_add(d->readable, NULL)) {
		desk_free(d);
		return NULL;
	}
	return d;
}

void
desk_free(struct desk *d)
{
	if (!d)
		return;
	while (!LIST_EMPTY(&d->people))
		drop(LIST_FIRST(&d->people));
	if (d->readable)
		event_free(d->readable);
	close(d->listener);
	free(d);
}
