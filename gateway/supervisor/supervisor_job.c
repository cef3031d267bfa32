/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs: a process for one fetch or one stage of inspection. Control brings the
 * channel and speaks to the job over it; here is only its start, its wall clock
 * and its end.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/supervisor/spawn.h"
#include "gateway/supervisor/supervisor_internal.h"

#define EXIT_NO_START 127 /* spawn.h */

static void
report(struct supervisor *s, const struct msg_job_exit *m)
{
	struct instance *control = supervisor_role_find(s, MSG_ROLE_CONTROL, 0);
	if (control)
		chan_send(control->chan, MSG_JOB_EXIT, m, NULL, 0);
}

static void
free_job(struct job *j)
{
	LIST_REMOVE(j, link);
	j->s->jobs_n--;
	event_free(j->wall);
	free(j);
}

/* A hook leads a group: all that it started ends with it. Callers have not reaped it yet, so that number is its own. */
static void
kill_job(const struct job *j)
{
	kill(j->kind == MSG_JOB_HOOK ? -j->pid : j->pid, SIGKILL);
	if (j->kind == MSG_JOB_HOOK)
		kill(j->pid, SIGKILL); /* not a leader yet */
}

static void
on_wall(evutil_socket_t fd, short what, void *arg)
{
	struct job *j = arg;
	(void)fd;
	(void)what;
	j->timed_out = true;
	kill_job(j);
}

/*
 * All kinds get control's channel as descriptor 3 and know no supervisor. An
 * upstream and a hook enter their jail as the user their arguments name; fotagate-inspect,
 * which also people start, becomes that user before it starts.
 */
static pid_t
start_role(const struct supervisor *s, enum msg_role role, const char *word, int channel)
{
	const struct identity *id = &s->id[role];
	char drop[48];
	const char *argv[5] = { "fotagated", word };
	unsigned n = 2;
	snprintf(drop, sizeof drop, "--drop=%u:%u", (unsigned)id->uid, (unsigned)id->gid);
	if (s->drop)
		argv[n++] = drop;
	if (s->plan->main.unsafe_sandbox)
		argv[n++] = "--allow-running-without-sandbox";
	const struct spawn spawn = {
		.program = s->opt->self_fd, .argv = argv, .channel = channel, .group = role == MSG_ROLE_HOOK,
	};
	return spawn_process(&spawn);
}

static pid_t
start_inspect(const struct supervisor *s, int channel)
{
	const struct identity *id = &s->id[MSG_ROLE_INSPECT];
	const char *argv[4] = { "fotagate-inspect", "--job" };
	if (s->plan->main.unsafe_sandbox)
		argv[2] = "--allow-running-without-sandbox";
	const struct spawn spawn = {
		.program = s->opt->inspect_fd, .argv = argv, .channel = channel,
		.drop = s->drop, .uid = id->uid, .gid = id->gid,
		.netns_optional = s->plan->main.unsafe_sandbox,
	};
	return spawn_process(&spawn);
}

static pid_t
start(const struct supervisor *s, enum msg_job_kind kind, int channel)
{
	if (kind == MSG_JOB_UPSTREAM)
		return start_role(s, MSG_ROLE_UPSTREAM, "--role=upstream", channel);
	if (kind == MSG_JOB_HOOK)
		return start_role(s, MSG_ROLE_HOOK, "--role=hook", channel);
	return start_inspect(s, channel);
}

static struct job *
find(struct supervisor *s, uint64_t id)
{
	struct job *j;
	LIST_FOREACH(j, &s->jobs, link) {
		if (j->id == id)
			return j;
	}
	return NULL;
}

static struct job *
make(struct supervisor *s, const struct msg_spawn *m)
{
	if (s->jobs_n >= SUPERVISOR_JOBS_MAX || s->stopping || find(s, m->job) ||
	    m->kind == MSG_JOB_NONE || (m->kind == MSG_JOB_HOOK && !plan_has_hook(s->plan)))
		return NULL;
	struct job *j = calloc(1, sizeof *j);
	struct event *wall = j ? evtimer_new(s->base, on_wall, j) : NULL;
	if (!wall) {
		free(j);
		return NULL;
	}
	*j = (struct job){ .s = s, .id = m->job, .kind = m->kind, .wall = wall };
	LIST_INSERT_HEAD(&s->jobs, j, link);
	s->jobs_n++;
	return j;
}

void
supervisor_job_spawn(struct supervisor *s, const struct msg_spawn *m, int fd)
{
	struct job *j = make(s, m);
	if (j)
		j->pid = start(s, j->kind, fd);
	close(fd);
	if (j && j->pid > 0) {
		bool over = m->wall_ms > SUPERVISOR_JOB_WALL_MAX_MS;
		supervisor_role_after(j->wall, over ? SUPERVISOR_JOB_WALL_MAX_MS : m->wall_ms);
		return;
	}
	oplog(OPLOG_WARNING, "job %llu was not started%s", (unsigned long long)m->job,
	    s->jobs_n >= SUPERVISOR_JOBS_MAX ? ": too many are running" : "");
	if (j)
		free_job(j);
	report(s, &(struct msg_job_exit){ .job = m->job });
}

void
supervisor_job_kill(struct supervisor *s, uint64_t id)
{
	struct job *j = find(s, id);
	if (j)
		kill_job(j);
}

void
supervisor_job_kill_all(struct supervisor *s)
{
	struct job *j;
	LIST_FOREACH(j, &s->jobs, link)
		kill_job(j);
}

void
supervisor_job_reap(struct supervisor *s)
{
	struct job *j, *next;
	for (j = LIST_FIRST(&s->jobs); j; j = next) {
		siginfo_t over = { 0 };
		int status;
		next = LIST_NEXT(j, link);
		/* What a hook started may have outlived it: seen dead, not reaped, its group is still nobody else's. */
		if (j->kind == MSG_JOB_HOOK &&
		    (waitid(P_PID, (id_t)j->pid, &over, WEXITED | WNOHANG | WNOWAIT) || over.si_pid != j->pid))
			continue;
		if (j->kind == MSG_JOB_HOOK)
			kill_job(j);
		if (waitpid(j->pid, &status, WNOHANG) != j->pid)
			continue;
		const struct msg_job_exit m = {
			.job = j->id,
			.started = !(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NO_START),
			.timed_out = j->timed_out,
			.status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status),
		};
		if (m.status == -SIGSYS) {
			oplog(OPLOG_ERR, "INCIDENT: job %llu was killed by its sandbox",
			      (unsigned long long)j->id);
			supervisor_log(s, ENTRY_SVC_EXIT, 2, "failed",
			    j->kind == MSG_JOB_UPSTREAM ? "role:upstream" : j->kind == MSG_JOB_HOOK ? "role:hook" : "role:inspect",
			    "INCIDENT: killed by its sandbox (SIGSYS)");
		}
		report(s, &m);
		free_job(j);
	}
}

void
supervisor_job_free(struct supervisor *s)
{
	supervisor_job_kill_all(s);
	while (!LIST_EMPTY(&s->jobs)) {
		struct job *j = LIST_FIRST(&s->jobs);
		waitpid(j->pid, NULL, 0);
		free_job(j);
	}
}
