/* SPDX-License-Identifier: Apache-2.0 */
/* One role's life: spawn, boot, wire, watch, restart, stop. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/visible.h"
#include "gateway/supervisor/spawn.h"
#include "gateway/supervisor/supervisor_internal.h"

#define PHASE_BOOT 1u
#define PHASE_READY 2u
#define OBJ_MAX 48 /* "role:edge[63]" */

void
supervisor_role_after(struct event *ev, int64_t ms)
{
	const struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000 };
	evtimer_add(ev, &tv);
}

static void
object(const struct instance *i, char out[OBJ_MAX])
{
	snprintf(out, OBJ_MAX, i->role == MSG_ROLE_EDGE ? "role:%s[%u]" : "role:%s",
		 msg_role_name(i->role), i->index);
}

struct instance *
supervisor_role_find(struct supervisor *s, enum msg_role role, unsigned index)
{
	for (unsigned n = 0; n < s->instances_n; n++) {
		struct instance *i = &s->instances[n];
		if (i->role == role && i->index == index)
			return i->chan && i->pid ? i : NULL;
	}
	return NULL;
}

void
supervisor_role_kill(struct instance *i)
{
	if (i->pid > 0)
		kill(i->pid, SIGKILL); /* not reaped yet, so the number is still its own */
}

void
supervisor_role_status(struct supervisor *s)
{
	unsigned ready = 0, missed = 0;
	for (unsigned n = 0; n < s->instances_n; n++) {
		bool is = s->instances[n].state == INSTANCE_READY;
		ready += is;
		missed += !is && s->instances[n].role != MSG_ROLE_CONSOLE; /* modules do not wait for a page */
	}
	notify_send(&s->notify, "STATUS=%s, %u of %u roles ready",
		    s->halt.halted ? "HALTED" : "serving", ready, s->instances_n);
	if (missed || s->served_once || s->stopping)
		return;
	s->served_once = true;
	oplog(OPLOG_NOTICE, "all %u roles are ready%s", ready,
	      s->halt.halted ? "; HALTED" : "");
	notify_send(&s->notify, "READY=1");
}

/* ---- what roles say ---- */

static void
on_ready(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct instance *i = ctx;
	const struct msg_ready *m = msg;
	char obj[OBJ_MAX], jail[MSG_TEXT_MAX];
	(void)frame;
	chan_set_phase(c, PHASE_READY);
	if (i->state == INSTANCE_BOOTING) {
		event_del(i->deadline);
		i->state = INSTANCE_READY;
	}
	object(i, obj);
	visible_cstr(view_str(m->jail), jail, sizeof jail);
	oplog(m->seccomp && m->landlock_abi ? OPLOG_INFO : OPLOG_WARNING, "%s is ready; jail: %s",
	      obj + 5, jail);
	if (i->role == MSG_ROLE_AUDIT)
		supervisor_log_resend(i->s);
	if (i->role == MSG_ROLE_CONTROL)
		supervisor_policy_show(i);
	supervisor_log(i->s, ENTRY_SVC_START, 6, "ok", obj, jail);
	supervisor_role_status(i->s);
}

static void
on_confirmed(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct instance *i = ctx;
	const struct msg_halt *m = msg;
	(void)c;
	(void)frame;
	if (m->at == i->s->halt.at) /* not the echo of an earlier one */
		supervisor_halt_confirmed(i);
}

static void
on_appended(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct instance *i = ctx;
	(void)c;
	(void)frame;
	supervisor_log_appended(i->s, msg);
}

static void
on_reloaded(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	(void)c;
	(void)frame;
	supervisor_reload_answer(ctx, msg);
}

static void
on_spawn(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct instance *i = ctx;
	(void)c;
	supervisor_job_spawn(i->s, msg, wire_take_fd(frame, 0));
}

static void
on_kill(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct instance *i = ctx;
	(void)c;
	(void)frame;
	supervisor_job_kill(i->s, ((const struct msg_kill *)msg)->job);
}

static void
on_unhalt(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct instance *i = ctx;
	(void)c;
	(void)frame;
	supervisor_halt_undo(i->s, msg);
}

/* People put another policy in force: what lies in the folder may be it. */
static void
on_policy(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct instance *i = ctx;
	(void)c;
	(void)msg;
	(void)frame;
	supervisor_reload(i->s);
}

#define COMMON                                                                                     \
	{ MSG_READY, PHASE_BOOT, on_ready }, { MSG_HALT, PHASE_BOOT | PHASE_READY, on_confirmed }

static const struct chan_rule edge_rules[] = {
	COMMON,
	{ MSG_RELOADED, PHASE_READY, on_reloaded },
};
static const struct chan_rule console_rules[] = {
	COMMON,
	{ MSG_RELOADED, PHASE_READY, on_reloaded },
};
static const struct chan_rule audit_rules[] = {
	COMMON,
	{ MSG_APPENDED, PHASE_READY, on_appended },
};
static const struct chan_rule warden_rules[] = {
	COMMON,
	{ MSG_UNHALT, PHASE_READY, on_unhalt },
	{ MSG_POLICY_TAKEN, PHASE_READY, on_policy },
};
static const struct chan_rule control_rules[] = {
	COMMON,
	{ MSG_RELOADED, PHASE_READY, on_reloaded },
	{ MSG_SPAWN, PHASE_BOOT | PHASE_READY, on_spawn }, /* start() may already order one */
	{ MSG_KILL, PHASE_BOOT | PHASE_READY, on_kill },
};

static void on_close(void *ctx, struct chan *c, int why);

#define OPS(table) { table, sizeof table / sizeof table[0], on_close }

static const struct chan_ops *
ops_of(enum msg_role role)
{
	static const struct chan_ops edge = OPS(edge_rules), audit = OPS(audit_rules),
				     warden = OPS(warden_rules), control = OPS(control_rules),
				     console = OPS(console_rules);
	switch (role) {
	case MSG_ROLE_EDGE:
		return &edge;
	case MSG_ROLE_AUDIT:
		return &audit;
	case MSG_ROLE_WARDEN:
		return &warden;
	case MSG_ROLE_CONTROL:
		return &control;
	case MSG_ROLE_CONSOLE:
		return &console;
	default:
		abort();
	}
}

/* ---- end of a life ---- */

static void
on_close(void *ctx, struct chan *c, int why)
{
	struct instance *i = ctx;
	(void)c;
	if (why == FG_EPEER)
		oplog(OPLOG_ERR, "INCIDENT: %s[%u] broke the message contract and is killed",
		    msg_role_name(i->role), i->index);
	chan_free(i->chan);
	i->chan = NULL;
	i->broke_contract = why == FG_EPEER;
	if (i->broke_contract)
		supervisor_role_kill(i);
	else
		supervisor_role_after(i->deadline, SUPERVISOR_LINGER_MS); /* it is exiting, or hangs */
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct instance *i = arg;
	(void)fd;
	(void)what;
	oplog(OPLOG_WARNING, "%s[%u] did not %s in time and is killed", msg_role_name(i->role),
	      i->index, i->state == INSTANCE_BOOTING ? "start" : "end");
	supervisor_role_kill(i);
}

static void
on_halt_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct instance *i = arg;
	(void)fd;
	(void)what;
	oplog(OPLOG_ERR, "%s[%u] did not confirm the halt and is killed", msg_role_name(i->role),
	      i->index);
	supervisor_role_kill(i);
}

static void
describe(int status, char *out, size_t cap)
{
	if (WIFEXITED(status))
		snprintf(
		    out, cap, "exited with status %d%s", WEXITSTATUS(status),
		    WEXITSTATUS(status) == ROLE_EXIT_SANDBOX	? " (its sandbox could not be had)"
		    : WEXITSTATUS(status) == ROLE_EXIT_CONTRACT ? " (a message was not permitted)"
								: "");
	else if (WTERMSIG(status) == SIGSYS)
		snprintf(out, cap, "INCIDENT: killed by its sandbox (SIGSYS)");
	else
		snprintf(out, cap, "killed by signal %d", WTERMSIG(status));
}

static void
tell_control(struct instance *i, int status)
{
	struct instance *control = supervisor_role_find(i->s, MSG_ROLE_CONTROL, 0);
	const struct msg_role_exit m = {
		.role = (uint8_t)i->role,
		.index = (uint16_t)i->index,
		.status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status),
		.restarts = i->restarts,
	};
	if (control && control != i)
		chan_send(control->chan, MSG_ROLE_EXIT, &m, NULL, 0);
}

static void advance_stop(struct supervisor *s);

static void
schedule_restart(struct instance *i)
{
	int64_t delay = backoff_ended(&i->backoff, clock_mono_ms(i->s->opt->clock));
	oplog(OPLOG_NOTICE, "%s[%u] starts again in %lld ms", msg_role_name(i->role), i->index,
	      (long long)delay);
	supervisor_role_after(i->restart, delay);
}

static void
forget_process(struct instance *i)
{
	event_del(i->deadline);
	chan_free(i->chan);
	i->chan = NULL;
	i->pid = 0;
	i->state = INSTANCE_DOWN;
	if (i->role == MSG_ROLE_CONTROL)
		supervisor_job_kill_all(i->s); /* nobody is left to read their answers */
	supervisor_halt_confirmed(i);
	supervisor_reload_answer(i, NULL);
}

static void
died(struct instance *i, int status)
{
	struct supervisor *s = i->s;
	bool expected =
	    i->state == INSTANCE_STOPPING && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	bool incident = i->broke_contract || (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
	char obj[OBJ_MAX], text[128];
	object(i, obj);
	if (i->broke_contract)
		snprintf(text, sizeof text, "INCIDENT: broke the message contract");
	else
		describe(status, text, sizeof text);
	oplog(incident ? OPLOG_ERR : expected ? OPLOG_INFO : OPLOG_WARNING, "%s %s", obj + 5, text);
	forget_process(i);
	supervisor_log(s, expected ? ENTRY_SVC_STOP : ENTRY_SVC_EXIT,
		       incident	  ? 2
		       : expected ? 6
				  : 4,
		       expected ? "ok" : "failed", obj, text);
	tell_control(i, status);
	supervisor_role_status(s);
	if (s->stopping) {
		advance_stop(s);
	} else if (WIFEXITED(status) && WEXITSTATUS(status) == ROLE_EXIT_SANDBOX &&
		   !s->served_once) {
		oplog(OPLOG_ERR, "the sandbox of %s could not be had: fotagated does not start "
		    "(allow_running_without_sandbox would accept it)", obj + 5);
		s->status = ROLE_EXIT_SANDBOX;
		supervisor_role_stop_all(s);
	} else {
		/*
		 * What an attempt to take it over ends in. Whoever had it in his hand had the secrets too, and could go
		 * on making tickets of any module; who is only out of memory, or killed by hand, costs nobody a handshake.
		 */
		if (i->role == MSG_ROLE_EDGE && (incident || (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)))
			supervisor_boot_tickets(s, true);
		i->restarts++;
		schedule_restart(i);
	}
}

void
supervisor_role_reap(struct supervisor *s)
{
	for (unsigned n = 0; n < s->instances_n; n++) {
		struct instance *i = &s->instances[n];
		int status;
		/* One by one: waiting for any child could take another module's. */
		if (i->pid > 0 && waitpid(i->pid, &status, WNOHANG) == i->pid)
			died(i, status);
	}
}

/* ---- beginning of a life ---- */

static int
send_peer(struct instance *to, const struct instance *about, int fd)
{
	const struct msg_peer m = { .role = (uint8_t)about->role, .index = (uint16_t)about->index };
	return chan_send(to->chan, MSG_PEER, &m, &fd, 1);
}

static int
join(struct instance *a, struct instance *b)
{
	int pair[2];
	int r = wire_pair(pair);
	if (r)
		return r;
	r = send_peer(a, b, pair[0]);
	if (!r)
		(void)send_peer(b, a, pair[1]); /* b's own trouble is found on its own channel */
	close(pair[0]);
	close(pair[1]);
	return r;
}

static int
wire_up(struct instance *i)
{
	struct supervisor *s = i->s;
	for (unsigned n = 0; n < s->instances_n; n++) {
		struct instance *o = &s->instances[n];
		if (o == i || !o->chan || !o->pid || o->state == INSTANCE_STOPPING ||
		    !wiring_joined(i->role, o->role))
			continue;
		int r = join(i, o);
		if (r)
			return r;
	}
	return 0;
}

static int
spawn_instance(struct instance *i)
{
	const struct supervisor_options *opt = i->s->opt;
	bool warden = i->role == MSG_ROLE_WARDEN;
	char role[32];
	snprintf(role, sizeof role, "--role=%s", msg_role_name(i->role));
	const char *const argv[] = { warden ? "fotagate-warden" : "fotagated", role, NULL };
	int pair[2];
	if (wire_pair(pair))
		return FG_EIO;
	const struct spawn spawn = {
		.program = warden ? opt->warden_fd : opt->self_fd, .argv = argv, .channel = pair[1],
	};
	pid_t pid = spawn_process(&spawn);
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return FG_EIO;
	}
	i->pid = pid;
	i->broke_contract = false;
	i->state = INSTANCE_BOOTING;
	i->chan = chan_new(i->s->base, pair[0], ops_of(i->role), i);
	if (!i->chan)
		return FG_ENOMEM;
	chan_set_peer(i->chan, i->role, i->index);
	chan_set_phase(i->chan, PHASE_BOOT);
	return 0;
}

static void
start(struct instance *i)
{
	backoff_started(&i->backoff, clock_mono_ms(i->s->opt->clock));
	int r = spawn_instance(i);
	if (!r)
		r = supervisor_boot_send(i->s, i);
	if (!r && i->s->halt.halted && wiring_hears_halt(i->role))
		r = supervisor_halt_boot(i);
	if (!r)
		r = wire_up(i);
	if (!r)
		r = chan_send(i->chan, MSG_START, NULL, NULL, 0);
	supervisor_role_after(i->deadline, SUPERVISOR_BOOT_MS);
	if (!r)
		return;
	oplog(OPLOG_ERR, "%s[%u] could not be started: %s", msg_role_name(i->role), i->index,
	      err_name(r));
	if (i->pid)
		supervisor_role_kill(i); /* its end brings the restart */
	else
		schedule_restart(i);
}

static void
on_restart(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	start(arg);
}

static int
make_one(struct supervisor *s, struct instance *i, enum msg_role role, unsigned index)
{
	*i = (struct instance){ .s = s, .role = role, .index = index };
	i->restart = evtimer_new(s->base, on_restart, i);
	i->deadline = evtimer_new(s->base, on_deadline, i);
	i->halt_deadline = evtimer_new(s->base, on_halt_deadline, i);
	return i->restart && i->deadline && i->halt_deadline ? 0 : FG_ENOMEM;
}

int
supervisor_role_make(struct supervisor *s)
{
	unsigned n = WIRING_ROLES - 1 + s->plan->main.edges;
	s->instances = calloc(n, sizeof *s->instances);
	if (!s->instances)
		return FG_ENOMEM;
	for (unsigned r = 0; r < WIRING_ROLES; r++) {
		enum msg_role role = wiring_start_order[r];
		unsigned copies = role == MSG_ROLE_EDGE ? s->plan->main.edges :
		    role == MSG_ROLE_CONSOLE ? s->plan->main.console_address[0] != '\0' : 1;
		for (unsigned k = 0; k < copies; k++)
			if (make_one(s, &s->instances[s->instances_n++], role, k))
				return FG_ENOMEM;
	}
	return 0;
}

void
supervisor_role_start_all(struct supervisor *s)
{
	for (unsigned n = 0; n < s->instances_n; n++)
		start(&s->instances[n]);
}

/* ---- stopping ---- */

static bool
any_left(const struct supervisor *s, enum msg_role role)
{
	for (unsigned n = 0; n < s->instances_n; n++)
		if (s->instances[n].role == role && s->instances[n].pid)
			return true;
	return false;
}

static void
stop_one(struct instance *i)
{
	uint32_t grace = i->role == MSG_ROLE_EDGE ? i->s->plan->main.stop_ms : SUPERVISOR_STOP_MS;
	const struct msg_stop m = { .grace_ms = grace };
	if (!i->pid)
		return;
	i->state = INSTANCE_STOPPING;
	if (!i->chan || chan_send(i->chan, MSG_STOP, &m, NULL, 0))
		supervisor_role_kill(i);
	supervisor_role_after(i->deadline, (int64_t)grace + 1000); /* a second to say goodbye */
}

static void
advance_stop(struct supervisor *s)
{
	while (s->stop_stage < WIRING_ROLES && !any_left(s, wiring_stop_order[s->stop_stage])) {
		if (++s->stop_stage == WIRING_ROLES)
			break;
		for (unsigned n = 0; n < s->instances_n; n++)
			if (s->instances[n].role == wiring_stop_order[s->stop_stage])
				stop_one(&s->instances[n]);
	}
	if (s->stop_stage == WIRING_ROLES)
		event_base_loopbreak(s->base);
}

void
supervisor_role_close_listeners(struct supervisor *s)
{
	for (unsigned i = 0; i < MSG_LISTENERS_MAX; i++)
		for (unsigned k = 0; k < PLAN_EDGES_MAX; k++)
			if (s->listeners[i][k] >= 0)
				close(s->listeners[i][k]);
	memset(s->listeners, -1, sizeof s->listeners);
	if (s->web_listener >= 0)
		close(s->web_listener);
	s->web_listener = -1;
	if (s->front_listener >= 0)
		close(s->front_listener);
	s->front_listener = -1;
}

void
supervisor_role_stop_all(struct supervisor *s)
{
	if (s->stopping)
		return;
	s->stopping = true;
	notify_send(&s->notify, "STOPPING=1\nSTATUS=stopping");
	/* Ours would keep the ports open after the edges closed theirs; a service manager's stay its own. */
	supervisor_role_close_listeners(s);
	for (unsigned n = 0; n < s->instances_n; n++) {
		event_del(s->instances[n].restart);
		if (s->instances[n].role == wiring_stop_order[0])
			stop_one(&s->instances[n]);
	}
	advance_stop(s);
}

void
supervisor_role_kill_all(struct supervisor *s)
{
	for (unsigned n = 0; n < s->instances_n; n++)
		supervisor_role_kill(&s->instances[n]);
}

void
supervisor_role_free(struct supervisor *s)
{
	for (unsigned n = 0; n < s->instances_n; n++) {
		struct instance *i = &s->instances[n];
		supervisor_role_kill(i);
		if (i->pid > 0)
			waitpid(i->pid, NULL, 0);
		chan_free(i->chan);
		if (i->restart)
			event_free(i->restart);
		if (i->deadline)
			event_free(i->deadline);
		if (i->halt_deadline)
			event_free(i->halt_deadline);
	}
	free(s->instances);
}
