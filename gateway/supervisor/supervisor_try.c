/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates, keys, lists and shared keys of listeners, for fotagated -n. The
 * supervisor opens them and reads none: an edge that will never serve does, in
 * its jail, and says on our standard error what it thinks of each listener. A
 * console does the same for its own.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/supervisor/spawn.h"
#include "gateway/supervisor/supervisor_internal.h"

struct trial {
	struct chan *chan;
	pid_t pid;
	bool closed; /* the channel has ended */
};

static void
on_close(void *ctx, struct chan *c, int why)
{
	struct trial *t = ctx;
	(void)c;
	(void)why;
	t->closed = true;
}

static void
on_late(evutil_socket_t fd, short what, void *ctx)
{
	struct trial *t = ctx;
	(void)fd;
	(void)what;
	kill(t->pid, SIGKILL);
}

/* Its exit status; negative when there is none of its own. */
static int
wait_for(struct supervisor *s, struct trial *t)
{
	int status = 0;
	struct event *late = evtimer_new(s->base, on_late, t);
	if (late)
		supervisor_role_after(late, SUPERVISOR_BOOT_MS);
	while (late && !t->closed && event_base_loop(s->base, EVLOOP_ONCE) == 0)
		;
	if (late)
		event_free(late);
	else
		kill(t->pid, SIGKILL);
	while (waitpid(t->pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
try_role(struct supervisor *s, supervisor_plan_say say, enum msg_role role, const char *arg)
{
	const char *const argv[] = { "fotagated", arg, NULL };
	static const struct chan_ops ops = { NULL, 0, on_close };
	struct trial t = { 0 };
	int pair[2];
	if (wire_pair(pair))
		return FG_EIO;
	const struct spawn spawn = { .program = s->opt->self_fd, .argv = argv, .channel = pair[1] };
	t.pid = spawn_process(&spawn);
	close(pair[1]);
	if (t.pid < 0) {
		close(pair[0]);
		return FG_EIO;
	}
	t.chan = chan_new(s->base, pair[0], &ops, &t);
	int err = t.chan ? supervisor_boot_try(s, t.chan, role) : FG_ENOMEM;
	if (err)
		kill(t.pid, SIGKILL);
	int status = wait_for(s, &t);
	chan_free(t.chan);
	if (status == 0 && !err)
		return FG_OK;
	if (status == ROLE_EXIT_SANDBOX)
		say(s, "certificates and keys were not looked at: this kernel cannot give who reads them its jail");
	else if (status != ROLE_EXIT_PROBLEMS)
		say(s, "certificates and keys could not be looked at: the process that does it ended");
	return FG_EINVAL;
}

int
supervisor_try_files(struct supervisor *s, supervisor_plan_say say)
{
	int err = try_role(s, say, MSG_ROLE_EDGE, "--role=edge-try");
	int also = s->plan->main.console_address[0] ? try_role(s, say, MSG_ROLE_CONSOLE, "--role=console-try") : FG_OK;
	return err ? err : also;
}
