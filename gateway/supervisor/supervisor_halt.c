/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Halting: takes effect first, is recorded after, and needs no role but the
 * edges it stops. Nothing here waits for control, the log or the disk. An edge
 * that does not confirm within a second is killed; it comes back halted.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/supervisor/sockets.h"
#include "gateway/supervisor/supervisor_internal.h"

#define SOCKET_NAME "halt.sock"
#define CLIENTS_MAX 16        /* people do not halt in crowds; each holds a 64 KiB buffer */
#define CLIENT_MS 10000       /* a connection that says nothing */
#define ACT_MAX 32

static void
free_client(struct halt_client *h)
{
	LIST_REMOVE(h, link);
	h->s->halt_clients_n--;
	chan_free(h->chan);
	event_free(h->deadline);
	free(h);
}

static bool
all_confirmed(const struct supervisor *s)
{
	for (unsigned n = 0; n < s->instances_n; n++)
		if (s->instances[n].halt_pending)
			return false;
	return true;
}

static void
answer(struct supervisor *s)
{
	const struct msg_halt m = { .at = s->halt.at, .by_uid = s->halt.by_uid };
	struct halt_client *h;
	if (!all_confirmed(s))
		return;
	LIST_FOREACH(h, &s->halt_clients, link) {
		if (h->waiting)
			chan_send(h->chan, MSG_HALT, &m, NULL, 0);
		h->waiting = false;
	}
}

void
supervisor_halt_confirmed(struct instance *i)
{
	if (!i->halt_pending)
		return;
	i->halt_pending = false;
	event_del(i->halt_deadline);
	answer(i->s);
}

static void
tell(struct instance *i, const struct msg_halt *m)
{
	if (!i->pid || !wiring_hears_halt(i->role))
		return; /* starts halted when it starts */
	int r = chan_send(i->chan, MSG_HALT, m, NULL, 0);
	if (i->role != MSG_ROLE_EDGE)
		return;
	i->halt_pending = true;
	if (r)
		supervisor_role_kill(i);
	else
		supervisor_role_after(i->halt_deadline, SUPERVISOR_HALT_ACK_MS);
}

/* data_dir may lie on a disk that no longer answers: a child waits for it, not we. */
static void
write_flag(struct supervisor *s)
{
	if (s->halt_writer) {
		s->halt_write_again = true;
		return;
	}
	pid_t pid = fork();
	if (pid == 0)
		_exit(haltflag_save(s->plan->main.data_dir, &s->halt) ? 0 : 1);
	s->halt_writer = pid > 0 ? pid : 0;
	if (pid < 0)
		oplog(OPLOG_ERR, "the halt could not be written down: it may not survive a restart "
				 "of the machine");
}

void
supervisor_halt(struct supervisor *s, uid_t by)
{
	char act[ACT_MAX];
	int64_t now = clock_wall_s(s->opt->clock);
	/*
	 * Two halts never share a time, so that undoing one cannot undo the other; the
	 * last one's is kept when it is undone, for clocks are set back.
	 */
	if (now <= s->halt.at)
		now = s->halt.at + 1;
	s->halt = (struct haltflag){ .halted = true, .at = now, .by_uid = by };
	const struct msg_halt m = { .at = now, .by_uid = by };
	for (unsigned n = 0; n < s->instances_n; n++)
		tell(&s->instances[n], &m);
	oplog(OPLOG_WARNING, "HALTED by uid %u", (unsigned)by);
	if (!haltflag_save(s->plan->main.run_dir, &s->halt)) /* memory, not a disk */
		oplog(OPLOG_ERR, "the halt could not be written to run_dir");
	write_flag(s);
	snprintf(act, sizeof act, "uid:%u", (unsigned)by);
	supervisor_log_halt(s, act, now);
	supervisor_role_status(s);
}

int
supervisor_halt_boot(struct instance *i)
{
	const struct msg_halt m = { .at = i->s->halt.at, .by_uid = i->s->halt.by_uid };
	return chan_send(i->chan, MSG_HALT, &m, NULL, 0);
}

/* From the warden alone, which saw the signatures. */
void
supervisor_halt_undo(struct supervisor *s, const struct msg_unhalt *m)
{
	if (!s->halt.halted || m->at != s->halt.at) {
		oplog(OPLOG_WARNING,
		      "a resume of another halt than the one in force has no effect");
		return;
	}
	if (s->halt_writer) { /* it would put the file back */
		s->halt_undo_at = m->at;
		return;
	}
	if (!haltflag_clear(s->plan->main.run_dir, s->plan->main.data_dir))
		oplog(OPLOG_ERR,
		      "the flag file could not be removed: the next start will be halted");
	s->halt.halted = false;
	for (unsigned n = 0; n < s->instances_n; n++) {
		struct instance *i = &s->instances[n];
		if (i->pid && wiring_hears_halt(i->role))
			chan_send(i->chan, MSG_UNHALT, m, NULL, 0);
	}
	oplog(OPLOG_NOTICE, "resumed");
	supervisor_role_status(s);
}

void
supervisor_halt_reap(struct supervisor *s)
{
	int status;
	if (!s->halt_writer || waitpid(s->halt_writer, &status, WNOHANG) != s->halt_writer)
		return;
	s->halt_writer = 0;
	if (status)
		oplog(OPLOG_ERR, "the halt could not be written to data_dir: it may not survive a "
				 "restart of the "
				 "machine");
	if (s->halt_write_again) {
		s->halt_write_again = false;
		write_flag(s);
	}
	const struct msg_unhalt m = { .at = s->halt_undo_at };
	s->halt_undo_at = 0;
	if (m.at)
		supervisor_halt_undo(s, &m); /* of a halt that is no longer the last it has no effect */
}

/* ---- halt.sock ---- */

static void
on_halt(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct halt_client *h = ctx;
	(void)c;
	(void)msg; /* when and by whom is for us to say */
	(void)frame;
	h->waiting = true;
	supervisor_halt(h->s, h->uid);
	answer(h->s); /* with every edge dead already nobody is waited for */
}

static void
on_client_close(void *ctx, struct chan *c, int why)
{
	(void)c;
	(void)why;
	free_client(ctx);
}

static void
on_client_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	free_client(arg);
}

/* Takes fd. */
static void
add_client(struct supervisor *s, int fd, uid_t uid)
{
	static const struct chan_rule rules[] = { { MSG_HALT, CHAN_ALWAYS, on_halt } };
	static const struct chan_ops ops = { rules, 1, on_client_close };
	struct halt_client *h = calloc(1, sizeof *h);
	struct event *deadline = h ? evtimer_new(s->base, on_client_deadline, h) : NULL;
	struct chan *c = NULL;
	if (deadline)
		c = chan_new(s->base, fd, &ops, h);
	else
		close(fd);
	if (!c) {
		if (deadline)
			event_free(deadline);
		free(h);
		return;
	}
	*h = (struct halt_client){ .s = s, .chan = c, .deadline = deadline, .uid = uid };
	chan_set_peer(c, MSG_ROLE_CLI, 0);
	LIST_INSERT_HEAD(&s->halt_clients, h, link);
	s->halt_clients_n++;
	supervisor_role_after(deadline, CLIENT_MS);
}

static void
on_accept(evutil_socket_t listener, short what, void *arg)
{
	struct supervisor *s = arg;
	struct sockets_peer peer;
	(void)what;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	if (sockets_peer(fd, s->operators, &peer)) {
		close(fd);
	} else if (peer.uid != 0 && peer.uid != geteuid() && !peer.in_group) {
		oplog(OPLOG_WARNING, "uid %u may not halt", (unsigned)peer.uid);
		close(fd);
	} else if (s->halt_clients_n == CLIENTS_MAX) {
		/* Whoever came first and has said nothing yet makes room: halting must not be blocked. */
		struct halt_client *h, *last = NULL;
		LIST_FOREACH(h, &s->halt_clients, link) {
			if (!h->waiting)
				last = h;
		}
		if (last)
			free_client(last);
		add_client(s, fd, peer.uid);
	} else {
		add_client(s, fd, peer.uid);
	}
}

int
supervisor_halt_open(struct supervisor *s)
{
	char why[MSG_TEXT_MAX];
	mode_t mode = s->drop ? 0660 : 0600;
	s->halt_sock =
	    sockets_unix(s->plan->main.run_dir, SOCKET_NAME, mode, s->operators, why, sizeof why);
	if (s->halt_sock < 0) {
		oplog(OPLOG_ERR, "%s", why);
		return s->halt_sock;
	}
	s->halt_event = event_new(s->base, s->halt_sock, EV_READ | EV_PERSIST, on_accept, s);
	return s->halt_event && event_add(s->halt_event, NULL) == 0 ? 0 : FG_ENOMEM;
}

void
supervisor_halt_close(struct supervisor *s)
{
	while (!LIST_EMPTY(&s->halt_clients))
		free_client(LIST_FIRST(&s->halt_clients));
	if (s->halt_event)
		event_free(s->halt_event);
	s->halt_event = NULL;
	if (s->halt_sock < 0)
		return;
	char path[MSG_PATH_MAX + sizeof SOCKET_NAME + 1];
	snprintf(path, sizeof path, "%s/" SOCKET_NAME, s->plan->main.run_dir);
	unlink(path);
	close(s->halt_sock);
	s->halt_sock = -1;
}
