/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/net/net_private.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crypto/err.h"

/* Why a listener does not accept just now; a set. */
enum pause {
	PAUSE_NONE = 0,
	PAUSE_FDS = 1,   /* no descriptors or memory: until the timer */
	PAUSE_CONNS = 2, /* NET_CONNS_MAX: until one ends */
	PAUSE_STOP = 4,  /* for good */
};

struct listener {
	struct net *net;
	struct listener *next;
	int fd;
	struct net_origin origin;
	struct event *readable, *timer;
	bool minded; /* another one's: by the timer only */
	unsigned paused;
};

static void
set_pause(struct listener *l, unsigned paused)
{
	const struct timeval wait = { 0, LISTENER_PAUSE_MS * 1000 };
	if (paused & ~l->paused & (PAUSE_FDS | PAUSE_CONNS))
		l->net->counters.accept_pauses++;
	if (paused & ~l->paused & PAUSE_FDS)
		event_add(l->timer, &wait);
	if (paused && !l->paused)
		event_del(l->readable);
	/* No memory for the event: the timer tries again. */
	if (!paused && l->paused && !l->minded && event_add(l->readable, NULL)) {
		paused = PAUSE_FDS;
		event_add(l->timer, &wait);
	}
	l->paused = paused;
}

/* True to go on with the batch. */
static bool
accept_one(struct listener *l)
{
	struct sockaddr_storage ss;
	socklen_t n = sizeof ss;
	if (net_is_full(l->net)) {
		l->net->counters.limits[NET_LIMIT_CONNS]++;
		set_pause(l, l->paused | PAUSE_CONNS);
		return false;
	}
	int fd = accept4(l->fd, (struct sockaddr *)&ss, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		/* The engine counts what it turns away. */
		if (net_adopt(l->net, fd, (struct sockaddr *)&ss, &l->origin) == FG_ENOMEM)
			set_pause(l, l->paused | PAUSE_FDS);
		return l->paused == PAUSE_NONE;
	}
	switch (errno) {
	case EAGAIN:
		return false;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		set_pause(l, l->paused | PAUSE_FDS);
		return false;
	default:
		/* ECONNABORTED and the network errors accept(2) passes on: that one only. */
		return true;
	}
}

/* True when more may wait. */
static bool
accept_batch(struct listener *l)
{
	for (uint32_t i = 0; i < l->net->limits.accept_batch; i++)
		if (!accept_one(l))
			return false;
	return true;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;
	(void)fd;
	(void)what;
	(void)accept_batch(l);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval later = { 0, LISTENER_MIND_MS * 1000 }, at_once = { 0, 0 };
	struct listener *l = arg;
	(void)fd;
	(void)what;
	set_pause(l, l->paused & ~(unsigned)PAUSE_FDS);
	if (!l->minded || l->paused & PAUSE_STOP)
		return;
	bool more = !l->paused && accept_batch(l);
	event_add(l->timer, more ? &at_once : &later);
}

static bool
is_listening(int fd, bool local)
{
	int listening = 0, domain = 0, type = 0;
	socklen_t a = sizeof listening, b = sizeof domain, c = sizeof type;
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &a) == 0 && listening &&
	    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &b) == 0 &&
	    (local ? domain == AF_UNIX : domain == AF_INET || domain == AF_INET6) &&
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &c) == 0 && type == SOCK_STREAM;
}

/* Accepted sockets inherit all of it: no call per connection. */
static bool
set_options(int fd, bool local)
{
	int one = 1, lowat = LISTENER_LOWAT;
	if (evutil_make_socket_nonblocking(fd))
		return false;
	return local || (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0 &&
	    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat, sizeof lowat) == 0);
}

enum kind { KIND_OWN, KIND_MINDED, KIND_UNIX };

static int
open_as(struct net *net, int fd, const struct net_origin *origin, enum kind kind, struct listener **ret_listener)
{
	const bool minded = kind == KIND_MINDED, local = kind == KIND_UNIX;
	const struct timeval later = { 0, LISTENER_MIND_MS * 1000 };
	if (!is_listening(fd, local) || !set_options(fd, local)) {
		close(fd);
		return FG_EINVAL;
	}
	struct listener *l = calloc(1, sizeof *l);
	if (!l) {
		close(fd);
		return FG_ENOMEM;
	}
	l->net = net;
	l->fd = fd;
	l->origin = *origin;
	l->minded = minded;
	if (l->origin.tls)
		tls_ref(l->origin.tls);
	l->next = net->listeners;
	net->listeners = l;
	l->readable = event_new(net->base, fd, EV_READ | EV_PERSIST, on_readable, l);
	l->timer = event_new(net->base, -1, 0, on_timer, l);
	if (!l->readable || !l->timer ||
	    (minded ? event_add(l->timer, &later) : event_add(l->readable, NULL))) {
		listener_free(l);
		return FG_ENOMEM;
	}
	if (net->stopping)
		set_pause(l, PAUSE_STOP);
	*ret_listener = l;
	return FG_OK;
}

int
listener_new(struct net *net, int fd, const struct net_origin *origin, struct listener **ret_listener)
{
	return open_as(net, fd, origin, KIND_OWN, ret_listener);
}

int
listener_new_unix(struct net *net, int fd, const struct net_origin *origin, struct listener **ret_listener)
{
	return open_as(net, fd, origin, KIND_UNIX, ret_listener);
}

int
listener_mind(struct net *net, int fd, const struct net_origin *origin, struct listener **ret_listener)
{
	return open_as(net, fd, origin, KIND_MINDED, ret_listener);
}

void
listener_free(struct listener *l)
{
	if (!l)
		return;
	for (struct listener **at = &l->net->listeners; *at; at = &(*at)->next) {
		if (*at == l) {
			*at = l->next;
			break;
		}
	}
	if (l->readable)
		event_free(l->readable);
	if (l->timer)
		event_free(l->timer);
	if (l->fd >= 0)
		close(l->fd);
	tls_free(l->origin.tls);
	free(l);
}

void
listener_set_tls(struct listener *l, struct tls *tls)
{
	struct tls *old = l->origin.tls;
	l->origin.tls = tls ? tls_ref(tls) : NULL;
	tls_free(old);
}

bool
listener_is_paused(const struct listener *l)
{
	return l->paused != PAUSE_NONE;
}

void
listener_free_all(struct net *net)
{
	while (net->listeners)
		listener_free(net->listeners);
}

void
listener_stop_all(struct net *net)
{
	for (struct listener *l = net->listeners; l; l = l->next) {
		set_pause(l, l->paused | PAUSE_STOP);
		/* Whoever comes now is refused at once, not kept waiting in a queue that nobody empties. */
		if (l->fd >= 0)
			close(l->fd);
		l->fd = -1;
	}
}

void
listener_resume_all(struct net *net)
{
	for (struct listener *l = net->listeners; l; l = l->next)
		if (l->paused & PAUSE_CONNS)
			set_pause(l, l->paused & ~(unsigned)PAUSE_CONNS);
}
