/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The config child: a process that has nothing but the bundle, parses it in a
 * jail and answers in fixed messages. One at a time; the loop goes on
 * meanwhile, because a halt must not wait for a configuration.
 */
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/visible.h"
#include "gateway/supervisor/keyfile.h"
#include "gateway/supervisor/spawn.h"
#include "gateway/supervisor/supervisor_internal.h"

#define NOBODY 65534 /* Debian's, and the kernel's overflow id */

struct planner {
	struct supervisor *s;
	supervisor_plan_say say;
	supervisor_plan_done done;
	int bundle; /* borrowed */
	struct plan *plan;
	struct chan *chan;
	struct event *deadline;
	pid_t pid;
	int status;    /* once pid is 0 again */
	bool unsafe;   /* second try: whether that is acceptable is what it is to find out */
	bool closed;   /* the channel has ended */
	bool over;     /* answered or given up; only to be reaped */
};

static void
finish(struct planner *p, const char *fault)
{
	if (p->over)
		return;
	p->over = true;
	struct plan *plan = p->plan;
	p->plan = NULL;
	if (!fault && plan->ok && p->unsafe && !plan->main.unsafe_sandbox)
		fault = "this kernel cannot give it a sandbox";
	if (fault) {
		char text[MSG_TEXT_MAX];
		snprintf(text, sizeof text, "the configuration could not be checked: %s", fault);
		p->say(p->s, text);
	}
	if (fault || !plan->ok) {
		free(plan);
		plan = NULL;
	}
	if (p->pid > 0)
		kill(p->pid, SIGKILL); /* it has nothing left to do */
	supervisor_role_after(p->deadline, 0); /* the rest from the loop: we are in a callback of chan */
	p->done(p->s, plan);
}

static int
send_genesis(struct planner *p)
{
	char path[MSG_PATH_MAX + 32], why[512];
	snprintf(path, sizeof path, "%s/authority/genesis.json", p->plan->main.data_dir);
	int fd = keyfile_open(path, KEYFILE_PAPER, why, sizeof why);
	if (fd == FG_ENOTFOUND)
		return chan_send(p->chan, MSG_START, NULL, NULL, 0);
	if (fd < 0) {
		oplog(OPLOG_ERR, "%s", why);
		return fd;
	}
	const struct msg_boot_fd m = { .kind = MSG_FD_GENESIS, .name = "genesis.json" };
	int r = chan_send(p->chan, MSG_BOOT_FD, &m, &fd, 1);
	close(fd);
	return r ? r : chan_send(p->chan, MSG_START, NULL, NULL, 0);
}

static void
on_plan(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct planner *p = ctx;
	(void)c;
	if (p->over)
		return;
	if (plan_take(p->plan, frame->type, msg)) {
		finish(p, "the config child's answer is out of order");
		return;
	}
	if (frame->type == MSG_PLAN_ERROR) {
		char text[MSG_TEXT_MAX];
		visible_cstr(view_str(((const struct msg_plan_error *)msg)->text), text,
			     sizeof text);
		p->say(p->s, text);
	}
	if (frame->type == MSG_PLAN && send_genesis(p))
		finish(p, "genesis.json could not be handed over");
	if (p->plan && p->plan->stage == PLAN_DONE)
		finish(p, NULL);
}

static void start_child(struct planner *p);

/* Both ends of the child are in: its channel and its exit status. */
static void
ended(struct planner *p)
{
	if (p->over || !p->closed || p->pid)
		return;
	if (WIFEXITED(p->status) && WEXITSTATUS(p->status) == ROLE_EXIT_SANDBOX && !p->unsafe) {
		chan_free(p->chan);
		p->chan = NULL;
		p->unsafe = true;
		start_child(p);
		return;
	}
	if (WIFSIGNALED(p->status) && WTERMSIG(p->status) == SIGSYS)
		finish(p, "INCIDENT: its parser was killed by its sandbox");
	else
		finish(p, "its parser ended without an answer");
}

static void
on_close(void *ctx, struct chan *c, int why)
{
	struct planner *p = ctx;
	(void)c;
	p->closed = true;
	if (why == FG_EPEER)
		finish(p, "its parser broke the message contract");
	ended(p);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct planner *p = arg;
	(void)fd;
	(void)what;
	if (p->over)
		supervisor_plan_reap(p->s);
	else
		finish(p, "its parser took too long");
}

/* As the plan in force says, else by the name the packages use, else nobody: it needs no file. */
static struct identity
config_identity(const struct supervisor *s)
{
	if (s->plan)
		return s->id[MSG_ROLE_CONFIG];
	const struct passwd *pw = getpwnam(SUPERVISOR_CONFIG_USER);
	if (pw && pw->pw_uid != 0)
		return (struct identity){ pw->pw_uid, pw->pw_gid };
	return (struct identity){ NOBODY, NOBODY };
}

static int
spawn_child(struct planner *p)
{
	static const char *const argv[] = { "fotagated", "--role=config", NULL };
	static const struct chan_rule rules[] = {
	    {MSG_PLAN, CHAN_ALWAYS, on_plan},	   {MSG_PLAN_LISTENER, CHAN_ALWAYS, on_plan},
	    {MSG_PLAN_FILE, CHAN_ALWAYS, on_plan}, {MSG_PLAN_ERROR, CHAN_ALWAYS, on_plan},
	    {MSG_PLAN_END, CHAN_ALWAYS, on_plan},
	};
	static const struct chan_ops ops = { rules, sizeof rules / sizeof rules[0], on_close };
	int pair[2];
	if (wire_pair(pair))
		return FG_EIO;
	const struct spawn spawn = {
	    .program = p->s->opt->self_fd, .argv = argv, .channel = pair[1]};
	pid_t pid = spawn_process(&spawn);
	close(pair[1]);
	p->pid = pid > 0 ? pid : 0;
	p->closed = false;
	p->chan = chan_new(p->s->base, pair[0], &ops, p);
	if (!p->pid || !p->chan)
		return FG_ENOMEM;
	chan_set_peer(p->chan, MSG_ROLE_CONFIG, 0);
	return 0;
}

static void
start_child(struct planner *p)
{
	struct identity id = config_identity(p->s);
	const struct msg_boot boot = {
		.role = MSG_ROLE_CONFIG, .drop = p->s->drop, .uid = id.uid, .gid = id.gid,
		.unsafe_sandbox = p->unsafe,
	};
	const struct msg_boot_fd what = { .kind = MSG_FD_BUNDLE, .name = "bundle" };
	int r = spawn_child(p);
	if (!r)
		r = chan_send(p->chan, MSG_BOOT, &boot, NULL, 0);
	if (!r)
		r = chan_send(p->chan, MSG_BOOT_FD, &what, &p->bundle, 1);
	if (r)
		finish(p, "its parser could not be started");
}

void
supervisor_plan_start(struct supervisor *s, int bundle, supervisor_plan_say say,
    supervisor_plan_done done)
{
	if (s->planner)
		abort(); /* callers wait for the one at work */
	struct planner *p = calloc(1, sizeof *p);
	struct plan *plan = calloc(1, sizeof *plan);
	struct event *deadline = p ? evtimer_new(s->base, on_deadline, p) : NULL;
	if (!plan || !deadline) {
		if (deadline)
			event_free(deadline);
		free(plan);
		free(p);
		say(s, "the configuration could not be checked: no memory");
		done(s, NULL);
		return;
	}
	*p = (struct planner){
	    .s = s,
	    .say = say,
	    .done = done,
	    .bundle = bundle,
	    .plan = plan,
	    .deadline = deadline,
	    .unsafe = s->plan && s->plan->main.unsafe_sandbox,
	};
	s->planner = p;
	supervisor_role_after(deadline, SUPERVISOR_PLAN_MS);
	start_child(p);
}

void
supervisor_plan_reap(struct supervisor *s)
{
	struct planner *p = s->planner;
	if (!p || (p->pid && waitpid(p->pid, &p->status, WNOHANG) != p->pid))
		return;
	p->pid = 0;
	ended(p);
	if (!p->over || p->pid)
		return;
	supervisor_plan_free(s);
	if (s->reload_again)
		supervisor_reload(s);
}

void
supervisor_plan_free(struct supervisor *s)
{
	struct planner *p = s->planner;
	if (!p)
		return;
	s->planner = NULL;
	if (p->pid > 0) {
		kill(p->pid, SIGKILL);
		while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	chan_free(p->chan);
	event_free(p->deadline);
	free(p->plan);
	free(p);
}
