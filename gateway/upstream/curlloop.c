/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream/curlloop.h"

#include <stdlib.h>

#include "crypto/err.h"

/*
 * libcurl 7.88 waits for the data connection of FTP alone while that begins TLS, although its server
 * says the next thing on the control connection. Looking now and then finds it, at no cost to speak of.
 */
#define TICK_MS 50

struct curlloop {
	struct event_base *base;
	CURLM *multi;
	CURL *easy;
	struct event *timer;
	struct event *tick;  /* see TICK_MS */
	int fd;              /* one that libcurl waits for, or -1 */
	struct event *over; /* out of libcurl's callbacks */
	CURLcode result;
	void (*done)(void *ctx, CURLcode result);
	void *ctx;
};

static void
look(struct curlloop *l)
{
	int left = 0;
	for (CURLMsg *m; (m = curl_multi_info_read(l->multi, &left));) {
		if (m->msg != CURLMSG_DONE)
			continue;
		l->result = m->data.result;
		event_active(l->over, EV_TIMEOUT, 0);
	}
}

static void
on_over(evutil_socket_t fd, short what, void *ctx)
{
	struct curlloop *l = ctx;
	(void)fd;
	(void)what;
	l->done(l->ctx, l->result);
}

static void
on_io(evutil_socket_t fd, short what, void *ctx)
{
	struct curlloop *l = ctx;
	int running = 0;
	int action = (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
	curl_multi_socket_action(l->multi, fd, action, &running);
	look(l);
}

static void
on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct curlloop *l = ctx;
	int running = 0;
	(void)fd;
	(void)what;
	curl_multi_socket_action(l->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	look(l);
}

static void
on_tick(evutil_socket_t fd, short what, void *ctx)
{
	struct curlloop *l = ctx;
	int running = 0;
	(void)fd;
	(void)what;
	if (l->fd < 0)
		return;
	curl_multi_socket_action(l->multi, l->fd, 0, &running);
	look(l);
}

static int
want_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *per_socket)
{
	struct curlloop *l = ctx;
	struct event *ev = per_socket;
	(void)easy;
	if (ev)
		event_free(ev);
	ev = NULL;
	if (what != CURL_POLL_REMOVE) {
		short want = (short)(EV_PERSIST | (what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));
		ev = event_new(l->base, fd, want, on_io, l);
		if (ev)
			event_add(ev, NULL);
	}
	if (ev)
		l->fd = fd;
	else if (l->fd == fd)
		l->fd = -1;
	curl_multi_assign(l->multi, fd, ev);
	return 0;
}

static int
want_timer(CURLM *multi, long ms, void *ctx)
{
	struct curlloop *l = ctx;
	(void)multi;
	if (ms < 0) {
		event_del(l->timer);
		return 0;
	}
	struct timeval tv = { ms / 1000, (ms % 1000) * 1000 };
	event_add(l->timer, &tv);
	return 0;
}

struct curlloop *
curlloop_new(struct event_base *base, void (*done)(void *ctx, CURLcode result), void *ctx)
{
	struct curlloop *l = calloc(1, sizeof *l);
	if (!l)
		return NULL;
	*l = (struct curlloop){ .base = base, .fd = -1, .done = done, .ctx = ctx };
	l->multi = curl_multi_init();
	l->timer = event_new(base, -1, 0, on_timer, l);
	l->tick = event_new(base, -1, EV_PERSIST, on_tick, l);
	l->over = event_new(base, -1, 0, on_over, l);
	if (!l->multi || !l->timer || !l->tick || !l->over) {
		curlloop_free(l);
		return NULL;
	}
	curl_multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(l->multi, CURLMOPT_SOCKETDATA, l);
	curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(l->multi, CURLMOPT_TIMERDATA, l);
	return l;
}

void
curlloop_free(struct curlloop *l)
{
	if (!l)
		return;
	if (l->multi && l->easy)
		curl_multi_remove_handle(l->multi, l->easy);
	if (l->easy)
		curl_easy_cleanup(l->easy);
	if (l->multi)
		curl_multi_cleanup(l->multi);
	if (l->timer)
		event_free(l->timer);
	if (l->tick)
		event_free(l->tick);
	if (l->over)
		event_free(l->over);
	free(l);
}

CURL *
curlloop_renew(struct curlloop *l)
{
	if (l->easy)
		curl_easy_cleanup(l->easy);
	l->easy = curl_easy_init();
	return l->easy;
}

int
curlloop_start(struct curlloop *l, bool two)
{
	const struct timeval tv = { 0, TICK_MS * 1000 };
	if (two && event_add(l->tick, &tv))
		return FG_ENOMEM;
	return curl_multi_add_handle(l->multi, l->easy) == CURLM_OK ? FG_OK : FG_EIO;
}

void
curlloop_stop(struct curlloop *l)
{
	event_del(l->tick);
	curl_multi_remove_handle(l->multi, l->easy);
}
