/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/role/role.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/wire/memfd.h"

#define NAME_MAX_BYTES 32 /* "upstream[65535]" */

struct peer {
	LIST_ENTRY(peer) link;
	struct role *role;
	enum msg_role kind;
	unsigned index;
	struct chan *chan;
	bool up; /* peer_up was called */
};

LIST_HEAD(peer_list, peer);

enum stage {
	STAGE_BOOT = 0, /* nothing but MSG_BOOT */
	STAGE_FDS,      /* told who it is; descriptors come in */
	STAGE_JAILED,   /* peers and MSG_START */
	STAGE_STARTED,
};

struct role {
	const struct role_ops *ops;
	void *ctx;
	const struct clock_source *clock;
	enum stage stage;
	struct msg_boot boot;
	struct jail_status jail;
	struct event_base *base;
	struct chan *supervisor;
	struct chan_ops supervisor_ops;
	struct chan_rule *rules; /* own ones and the role's, one table for the channel */
	struct peer_list peers;
	bool halted; /* told so before start() */
	struct msg_halt halt;
	bool ending;
	int status;
	char name[NAME_MAX_BYTES];
};

/* ---- what a role asks of its runner ---- */

const struct msg_boot *
role_boot(const struct role *r)
{
	return &r->boot;
}

struct event_base *
role_base(const struct role *r)
{
	return r->base;
}

const struct clock_source *
role_clock(const struct role *r)
{
	return r->clock;
}

struct chan *
role_supervisor(const struct role *r)
{
	return r->supervisor;
}

const struct jail_status *
role_jail(const struct role *r)
{
	return &r->jail;
}

static struct peer *
find_peer(const struct role *r, enum msg_role kind, unsigned index)
{
	struct peer *p;
	LIST_FOREACH(p, &r->peers, link) {
		if (p->kind == kind && p->index == index)
			return p;
	}
	return NULL;
}

struct chan *
role_peer(const struct role *r, enum msg_role kind, unsigned index)
{
	struct peer *p = find_peer(r, kind, index);
	return p ? p->chan : NULL;
}

void
role_exit(struct role *r, int status)
{
	if (r->ending)
		return; /* the first reason counts */
	r->ending = true;
	r->status = status;
	event_base_loopbreak(r->base);
}

/* ---- peers ---- */

static void
forget_peer(struct peer *p, int why)
{
	struct role *r = p->role;
	struct chan *c = p->chan;
	LIST_REMOVE(p, link);
	if (p->up && r->ops->peer_down)
		r->ops->peer_down(r->ctx, c, p->kind, p->index, why);
	chan_free(c);
	free(p);
}

static void
peer_closed(void *owner, struct chan *c, int why)
{
	struct peer *p = owner;
	(void)c;
	if (why == FG_EPEER)
		oplog(OPLOG_ERR,
		      "%s[%u] broke the message contract; it stays cut off until it is restarted",
		      msg_role_name(p->kind), p->index);
	else
		oplog(OPLOG_INFO, "%s[%u] is away: %s", msg_role_name(p->kind), p->index,
		      err_name(why));
	forget_peer(p, why);
}

static void
announce_peer(struct peer *p)
{
	if (p->up)
		return;
	p->up = true;
	if (p->role->ops->peer_up)
		p->role->ops->peer_up(p->role->ctx, p->chan, p->kind, p->index);
}

/* Takes fd. */
static int
add_peer(struct role *r, const struct msg_peer *m, int fd)
{
	const struct chan_ops *ops = m->role < MSG_ROLE_LIMIT ? r->ops->peers[m->role] : NULL;
	if (!ops) {
		close(fd);
		return FG_EPEER;
	}
	struct peer *old = find_peer(r, m->role, m->index);
	if (old)
		forget_peer(old, 0);
	struct peer *p = calloc(1, sizeof *p);
	struct chan *c = p ? chan_new(r->base, fd, ops, r->ctx) : NULL;
	if (!c) {
		if (!p)
			close(fd);
		free(p);
		return FG_ENOMEM;
	}
	*p = (struct peer){ .role = r, .kind = m->role, .index = m->index, .chan = c };
	chan_set_peer(c, m->role, m->index);
	chan_set_close(c, peer_closed, p);
	LIST_INSERT_HEAD(&r->peers, p, link);
	if (r->stage == STAGE_STARTED)
		announce_peer(p);
	return 0;
}

/* The callback may add or lose peers, so each round starts over. */
static void
announce_peers(struct role *r)
{
	for (struct peer *p = LIST_FIRST(&r->peers); p && !r->ending;) {
		if (p->up) {
			p = LIST_NEXT(p, link);
			continue;
		}
		announce_peer(p);
		p = LIST_FIRST(&r->peers);
	}
}

/* ---- the supervisor's messages while running ---- */

static void
on_peer(struct role *r, const struct msg_peer *m, struct wire_frame *frame)
{
	int err = add_peer(r, m, wire_take_fd(frame, 0));
	if (err) {
		oplog(OPLOG_ERR, "channel to %s[%u]: %s", msg_role_name(m->role), m->index,
		      err_name(err));
		role_exit(r, err == FG_EPEER ? ROLE_EXIT_CONTRACT : ROLE_EXIT_FAILED);
	}
}

static void
on_reload(struct role *r, const struct msg_reload *m, struct wire_frame *frame)
{
	struct msg_reloaded answer = { .generation = m->generation };
	if (m->held) { /* nobody waits for what comes of it */
		if (r->ops->held && memfd_is_sealed(frame->fds[0]))
			r->ops->held(r->ctx, wire_take_fd(frame, 0));
		return;
	}
	if (!r->ops->reload)
		snprintf(answer.why, sizeof answer.why, "this role has nothing to reload");
	else if (!memfd_is_sealed(frame->fds[0]))
		snprintf(answer.why, sizeof answer.why, "the bundle is not sealed");
	else
		answer.ok = r->ops->reload(r->ctx, wire_take_fd(frame, 0), answer.why,
		    sizeof answer.why) == 0;
	chan_send(r->supervisor, MSG_RELOADED, &answer, NULL, 0);
}

/*
 * A reload may bring files of its own first (anchors that new profiles name).
 * What the role makes of one is its own affair: it runs on without.
 */
static void
on_late_fd(struct role *r, const struct msg_boot_fd *m, struct wire_frame *frame)
{
	int err =
	    r->ops->boot_fd ? r->ops->boot_fd(r->ctx, r, m, wire_take_fd(frame, 0)) : FG_EPEER;
	if (err)
		oplog(OPLOG_WARNING, "descriptor %u.%u (%s) was not taken: %s", m->kind, m->ordinal,
		      m->name, err_name(err));
}

/* The echo tells the supervisor that this role stopped serving, not only that it was told. */
static void
on_halt(struct role *r, const struct msg_halt *m)
{
	if (r->ops->halt)
		r->ops->halt(r->ctx, m);
	chan_send(r->supervisor, MSG_HALT, m, NULL, 0);
}

static void
on_supervisor(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct role *r = ctx;
	switch (frame->type) {
	case MSG_PEER:
		on_peer(r, msg, frame);
		return;
	case MSG_BOOT_FD:
		on_late_fd(r, msg, frame);
		return;
	case MSG_RELOAD:
		on_reload(r, msg, frame);
		return;
	case MSG_STOP:
		r->ops->stop(r->ctx, ((const struct msg_stop *)msg)->grace_ms);
		return;
	case MSG_HALT:
		on_halt(r, msg);
		return;
	case MSG_UNHALT:
		if (r->ops->unhalt)
			r->ops->unhalt(r->ctx, msg);
		return;
	default:
		break;
	}
	for (unsigned i = 0; i < r->ops->supervisor_rules_n; i++)
		if (r->ops->supervisor_rules[i].type == frame->type)
			r->ops->supervisor_rules[i].handle(r->ctx, c, msg, frame);
}

static void
supervisor_closed(void *ctx, struct chan *c, int why)
{
	struct role *r = ctx;
	(void)c;
	oplog(why == FG_EPEER ? OPLOG_ERR : OPLOG_NOTICE, "supervisor is gone: %s", err_name(why));
	role_exit(r, why == FG_EPEER ? ROLE_EXIT_CONTRACT : ROLE_EXIT_FAILED);
}

static int
open_supervisor(struct role *r)
{
	static const uint16_t own[] = {
		MSG_PEER, MSG_BOOT_FD, MSG_RELOAD, MSG_STOP, MSG_HALT, MSG_UNHALT,
	};
	const unsigned own_n = sizeof own / sizeof own[0];
	unsigned n = own_n + r->ops->supervisor_rules_n;
	r->rules = calloc(n, sizeof *r->rules);
	if (!r->rules) {
		close(ROLE_FD);
		return FG_ENOMEM;
	}
	for (unsigned i = 0; i < own_n; i++)
		r->rules[i] = (struct chan_rule){ own[i], CHAN_ALWAYS, on_supervisor };
	for (unsigned i = 0; i < r->ops->supervisor_rules_n; i++) {
		r->rules[own_n + i] = r->ops->supervisor_rules[i];
		r->rules[own_n + i].handle = on_supervisor;
	}
	r->supervisor_ops = (struct chan_ops){ r->rules, n, supervisor_closed };
	r->supervisor = chan_new(r->base, ROLE_FD, &r->supervisor_ops, r);
	if (!r->supervisor)
		return FG_ENOMEM;
	chan_set_peer(r->supervisor, MSG_ROLE_SUPERVISOR, 0);
	return 0;
}

/* ---- boot dialogue ---- */

static int
enter_jail(struct role *r)
{
	struct jail_paths paths = { 0 };
	if (r->ops->prepare) {
		int err = r->ops->prepare(r->ctx, r, &paths);
		if (err) {
			oplog(OPLOG_ERR, "could not prepare: %s", err_name(err));
			return err;
		}
	}
	const struct jail_options opt = {
		.drop = r->boot.drop,
		.uid = r->boot.uid,
		.gid = r->boot.gid,
		.new_netns = r->boot.drop,
		.unsafe_allowed = r->boot.unsafe_sandbox,
	};
	char why[256];
	int err = jail_enter(r->ops->jail, &paths, &opt, &r->jail, why, sizeof why);
	if (err) {
		oplog(OPLOG_ERR, "the jail could not be entered: %s", why);
		return FG_ESANDBOX;
	}
	r->stage = STAGE_JAILED;
	return 0;
}

static int
boot_named(struct role *r, const struct msg_boot *m)
{
	if (m->role != r->ops->role)
		return FG_EPEER;
	r->boot = *m;
	snprintf(r->name, sizeof r->name, m->role == MSG_ROLE_EDGE ? "%s[%u]" : "%s",
	    msg_role_name(m->role), m->index);
	program_invocation_short_name = r->name; /* what oplog() and the process list say */
	prctl(PR_SET_NAME, r->name);
	r->stage = STAGE_FDS;
	return 0;
}

static int
boot_fd(struct role *r, struct wire_frame *frame)
{
	struct msg_boot_fd m;
	if (msg_decode(frame, &m, sizeof m) || !r->ops->boot_fd)
		return FG_EPEER;
	int err = r->ops->boot_fd(r->ctx, r, &m, wire_take_fd(frame, 0));
	if (err)
		oplog(OPLOG_ERR, "descriptor %u.%u.%u (%s): %s", m.kind, m.ordinal, m.part, m.name,
		    err_name(err));
	return err;
}

/* Messages after the descriptors: the first of them closes the jail. */
static int
boot_jailed(struct role *r, struct wire_frame *frame)
{
	struct msg_peer peer;
	if (r->stage == STAGE_FDS) {
		int err = enter_jail(r);
		if (err)
			return err;
	}
	switch (frame->type) {
	case MSG_PEER:
		if (msg_decode(frame, &peer, sizeof peer))
			return FG_EPEER;
		return add_peer(r, &peer, wire_take_fd(frame, 0));
	case MSG_HALT:
		if (msg_decode(frame, &r->halt, sizeof r->halt))
			return FG_EPEER;
		r->halted = true;
		return 0;
	case MSG_START:
		if (msg_decode(frame, NULL, 0))
			return FG_EPEER;
		r->stage = STAGE_STARTED;
		return 0;
	default:
		return FG_EPEER;
	}
}

static int
boot_message(struct role *r, struct wire_frame *frame)
{
	struct msg_boot boot;
	switch (r->stage) {
	case STAGE_BOOT:
		if (frame->type != MSG_BOOT || msg_decode(frame, &boot, sizeof boot))
			return FG_EPEER;
		return boot_named(r, &boot);
	case STAGE_FDS:
		if (frame->type == MSG_BOOT_FD)
			return boot_fd(r, frame);
		return boot_jailed(r, frame);
	case STAGE_JAILED:
		return boot_jailed(r, frame);
	case STAGE_STARTED:
		break;
	}
	abort();
}

/* Blocks until START. 0 or why not. */
static int
boot_dialogue(struct role *r)
{
	uint8_t *buf = malloc(WIRE_FRAME_MAX);
	int err = buf ? 0 : FG_ENOMEM;
	while (!err && r->stage != STAGE_STARTED) {
		struct wire_frame frame;
		err = wire_recv(ROLE_FD, buf, &frame);
		if (err == FG_EAGAIN) {
			struct pollfd p = { .fd = ROLE_FD, .events = POLLIN };
			err = poll(&p, 1, -1) < 0 && errno != EINTR ? FG_EIO : 0;
			continue;
		}
		if (err)
			break;
		err = boot_message(r, &frame);
		if (err == FG_EPEER)
			oplog(OPLOG_ERR,
			      "supervisor sent %s, which is not permitted in the boot dialogue",
			      msg_type_name(frame.type));
		wire_close_fds(&frame);
	}
	free(buf);
	return err;
}

static int
say_ready(struct role *r)
{
	struct msg_ready m = {
		.landlock_abi = r->jail.landlock ? (uint32_t)r->jail.landlock_abi : 0,
		.seccomp = r->jail.seccomp,
		.netns = r->jail.netns,
	};
	snprintf(m.jail, sizeof m.jail, "%s", r->jail.text);
	return chan_send(r->supervisor, MSG_READY, &m, NULL, 0);
}

static int
start(struct role *r)
{
	int err = open_supervisor(r);
	if (!err)
		err = r->ops->start(r->ctx, r);
	if (err) {
		oplog(OPLOG_ERR, "could not start: %s", err_name(err));
		return err;
	}
	if (r->halted)
		on_halt(r, &r->halt);
	announce_peers(r);
	return r->ending ? 0 : say_ready(r);
}

static int
exit_status(int err)
{
	switch (err) {
	case FG_EPEER:
		return ROLE_EXIT_CONTRACT;
	case FG_ESANDBOX:
		return ROLE_EXIT_SANDBOX;
	default:
		return ROLE_EXIT_FAILED;
	}
}

static void
tear_down(struct role *r)
{
	if (r->stage == STAGE_STARTED && r->ops->end)
		r->ops->end(r->ctx);
	while (!LIST_EMPTY(&r->peers)) {
		struct peer *p = LIST_FIRST(&r->peers);
		p->up = false; /* the role is over: no more callbacks */
		forget_peer(p, 0);
	}
	chan_free(r->supervisor);
	free(r->rules);
	if (r->base)
		event_base_free(r->base);
}

int
role_run(const struct role_ops *ops, void *ctx, const struct clock_source *clock)
{
	if (!ops->start || !ops->stop)
		abort();
	struct role r = { .ops = ops, .ctx = ctx, .clock = clock };
	LIST_INIT(&r.peers);
	const char *name = program_invocation_short_name;
	signal(SIGPIPE, SIG_IGN);
	/* Made before the jail, so that the jail need not know how libevent comes up. */
	r.base = event_base_new();
	int err = r.base ? boot_dialogue(&r) : FG_ENOMEM;
	if (!err)
		err = start(&r);
	if (!err && !r.ending && event_base_dispatch(r.base) < 0)
		err = FG_EIO;
	int status = err ? exit_status(err) : r.status;
	tear_down(&r);
	program_invocation_short_name = (char *)(uintptr_t)name;
	return status;
}
