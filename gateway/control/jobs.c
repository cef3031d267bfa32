/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/jobs.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <unistd.h>

#include "crypto/err.h"
#include "gateway/role/oplog.h"

/* Phases of a job's channel. */
#define PHASE_ASKED 1u
#define PHASE_ANSWERED 2u /* nothing may come any more */

struct job {
	TAILQ_ENTRY(job) link;
	struct jobs *jobs;
	uint64_t id;
	enum msg_job_kind kind;
	uint32_t wall_ms;
	const struct jobs_ops *ops; /* NULL: cancelled, waits for its process to end */
	void *ctx;
	struct chan *chan;          /* NULL: at its end */
	bool running, replied, exited;
	struct msg_job_exit exit;
	struct jobs_end end;
};
TAILQ_HEAD(job_list, job);

struct jobs {
	struct event_base *base;
	struct chan *supervisor;
	struct event *turn; /* starts and ends happen from the loop */
	struct job_list all; /* in order of asking */
	unsigned running[MSG_JOB_LIMIT], n, running_n;
	uint64_t next;
};

static void __attribute__((format(printf, 3, 4)))
failed(struct job *j, enum report_end how, const char *fmt, ...)
{
	va_list ap;
	j->end.end = how;
	va_start(ap, fmt);
	vsnprintf(j->end.detail, sizeof j->end.detail, fmt, ap);
	va_end(ap);
}

/* ---- the channel ---- */

static void
on_progress(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct job *j = ctx;
	const struct msg_fetch_progress *m = msg;
	(void)c;
	(void)frame;
	if (j->ops && j->ops->progress && m->job == j->id)
		j->ops->progress(j->ctx, m);
}

static void
answered(struct job *j, struct chan *c, struct wire_frame *frame, uint64_t id)
{
	chan_set_phase(c, PHASE_ANSWERED);
	j->replied = true;
	if (id != j->id) {
		failed(j, REPORT_END_MALFORMED, "the answer names another job");
		return;
	}
	j->end.end = REPORT_END_REPLIED;
	j->end.fd = wire_take_fd(frame, 0);
}

static void
on_fetched(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct job *j = ctx;
	j->end.reply.fetched = *(const struct msg_fetch_done *)msg;
	answered(j, c, frame, j->end.reply.fetched.job);
}

static void
on_inspected(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct job *j = ctx;
	j->end.reply.inspected = *(const struct msg_inspected *)msg;
	answered(j, c, frame, j->end.reply.inspected.job);
}

static void
on_hooked(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame)
{
	struct job *j = ctx;
	j->end.reply.hooked = *(const struct msg_hooked *)msg;
	answered(j, c, frame, j->end.reply.hooked.job);
}

static void
turn_soon(struct jobs *all)
{
	event_active(all->turn, EV_TIMEOUT, 0);
}

static void
on_close(void *ctx, struct chan *c, int why)
{
	struct job *j = ctx;
	if (why != FG_ENOTFOUND) {
		const struct msg_kill m = { .job = j->id };
		if (j->replied)
			failed(j, REPORT_END_TRAILING, "a second message after the answer");
		else
			failed(j, REPORT_END_MALFORMED, "not the message that was due");
		j->replied = true;
		if (!j->exited)
			chan_send(j->jobs->supervisor, MSG_KILL, &m, NULL, 0);
	}
	chan_free(c);
	j->chan = NULL;
	turn_soon(j->jobs);
}

static const struct chan_rule fetch_rules[] = {
	{ MSG_FETCH_PROGRESS, PHASE_ASKED, on_progress },
	{ MSG_FETCH_DONE, PHASE_ASKED, on_fetched },
};
static const struct chan_rule inspect_rules[] = {
	{ MSG_INSPECTED, PHASE_ASKED, on_inspected },
};
static const struct chan_rule hook_rules[] = {
	{ MSG_HOOKED, PHASE_ASKED, on_hooked },
};
static const struct chan_ops fetch_ops = { fetch_rules, 2, on_close };
static const struct chan_ops inspect_ops = { inspect_rules, 1, on_close };
static const struct chan_ops hook_ops = { hook_rules, 1, on_close };

static const struct {
	const struct chan_ops *ops;
	enum msg_role peer;
	unsigned most;
} kinds[MSG_JOB_LIMIT] = {
	[MSG_JOB_UPSTREAM] = { &fetch_ops, MSG_ROLE_UPSTREAM, JOBS_FETCHES_MAX },
	[MSG_JOB_INSPECT] = { &inspect_ops, MSG_ROLE_INSPECT, JOBS_INSPECTS_MAX },
	[MSG_JOB_HOOK] = { &hook_ops, MSG_ROLE_HOOK, JOBS_HOOKS_MAX },
};

/* ---- start and end ---- */

static void
drop(struct job *j)
{
	struct jobs *all = j->jobs;
	TAILQ_REMOVE(&all->all, j, link);
	all->n--;
	if (j->running) {
		all->running[j->kind]--;
		all->running_n--;
	}
	chan_free(j->chan);
	if (j->end.fd >= 0)
		close(j->end.fd);
	free(j);
}

static void
launch(struct job *j)
{
	struct jobs *all = j->jobs;
	const struct msg_spawn m = { .job = j->id, .kind = (uint8_t)j->kind, .wall_ms = j->wall_ms };
	int pair[2];
	int err = wire_pair(pair);
	j->running = true;
	all->running[j->kind]++;
	all->running_n++;
	if (!err) {
		j->chan = chan_new(all->base, pair[0], kinds[j->kind].ops, j);
		err = j->chan ? FG_OK : FG_ENOMEM;
		if (!err) {
			chan_set_peer(j->chan, kinds[j->kind].peer, 0);
			chan_set_phase(j->chan, PHASE_ASKED);
			/* The question waits in the socket for the process to read it. */
			err = j->ops->ask(j->ctx, j->id, j->chan);
		}
		if (!err)
			err = chan_send(all->supervisor, MSG_SPAWN, &m, &pair[1], 1);
		close(pair[1]);
	}
	if (!err)
		return;
	failed(j, REPORT_END_FAILED, "could not be started: %s", err_name(err));
	j->replied = j->exited = true;
	chan_free(j->chan);
	j->chan = NULL;
	turn_soon(all);
}

/* What the end of the process says about the answer. */
static void
judge_exit(struct job *j)
{
	const struct msg_job_exit *e = &j->exit;
	if (j->end.end == REPORT_END_TRAILING || j->end.end == REPORT_END_MALFORMED || (j->replied && !e->job))
		return;
	if (!e->started)
		failed(j, REPORT_END_FAILED, "the process could not be started");
	else if (e->timed_out)
		failed(j, REPORT_END_TIMEOUT, "no end after %u s", j->wall_ms / 1000);
	else if (e->status < 0)
		failed(j, REPORT_END_CRASHED, "signal %d%s", -e->status,
		    e->status == -SIGSYS ? ", a system call its jail forbids" : "");
	else if (e->status > 0)
		failed(j, REPORT_END_FAILED, "exit status %d", e->status);
	else if (!j->replied)
		failed(j, REPORT_END_FAILED, "it ended without an answer");
}

static void
finish(struct job *j)
{
	const struct jobs_ops *ops = j->ops;
	void *ctx = j->ctx;
	judge_exit(j);
	struct jobs_end end = j->end;
	end.started = j->exit.started;
	j->end.fd = -1;
	drop(j);
	if (end.end != REPORT_END_REPLIED && end.fd >= 0) {
		close(end.fd);
		end.fd = -1;
	}
	if (ops)
		ops->ended(ctx, &end);
	if (end.fd >= 0)
		close(end.fd);
}

static struct job *
next_over(struct jobs *all)
{
	struct job *j;
	TAILQ_FOREACH(j, &all->all, link) {
		if (j->running && !j->chan && j->exited)
			return j;
	}
	return NULL;
}

static struct job *
next_to_start(struct jobs *all)
{
	struct job *j;
	TAILQ_FOREACH(j, &all->all, link) {
		if (!j->running && all->running[j->kind] < kinds[j->kind].most)
			return j;
	}
	return NULL;
}

static void
on_turn(evutil_socket_t fd, short what, void *ctx)
{
	struct jobs *all = ctx;
	struct job *j;
	(void)fd;
	(void)what;
	/* Callbacks may start and cancel others: the list is walked anew each time. */
	while ((j = next_over(all)))
		finish(j);
	while ((j = next_to_start(all)))
		launch(j);
}

/* ---- public ---- */

struct jobs *
jobs_new(struct event_base *base, struct chan *supervisor)
{
	struct jobs *all = calloc(1, sizeof *all);
	if (!all)
		return NULL;
	all->base = base;
	all->supervisor = supervisor;
	all->turn = event_new(base, -1, 0, on_turn, all);
	/* Numbers of an earlier life must not be mistaken for ours: its jobs may still be ending. */
	if (!all->turn || getrandom(&all->next, sizeof all->next, 0) != (ssize_t)sizeof all->next) {
		if (all->turn)
			event_free(all->turn);
		free(all);
		return NULL;
	}
	all->next |= 1;
	TAILQ_INIT(&all->all);
	return all;
}

void
jobs_free(struct jobs *all)
{
	if (!all)
		return;
	struct job *j;
	while ((j = TAILQ_FIRST(&all->all)))
		drop(j);
	event_free(all->turn);
	free(all);
}

int
jobs_start(struct jobs *all, enum msg_job_kind kind, uint32_t wall_ms, const struct jobs_ops *ops, void *ctx,
    uint64_t *ret_id)
{
	if (kind <= MSG_JOB_NONE || kind >= MSG_JOB_LIMIT)
		abort();
	if (all->n - all->running_n >= JOBS_WAITING_MAX)
		return FG_ELIMIT;
	struct job *j = calloc(1, sizeof *j);
	if (!j)
		return FG_ENOMEM;
	*j = (struct job){ .jobs = all, .id = all->next, .kind = kind, .wall_ms = wall_ms, .ops = ops, .ctx = ctx,
		.end.fd = -1 };
	all->next += 2; /* odd for ever: never 0 */
	TAILQ_INSERT_TAIL(&all->all, j, link);
	all->n++;
	*ret_id = j->id;
	turn_soon(all);
	return FG_OK;
}

static struct job *
find(struct jobs *all, uint64_t id)
{
	struct job *j;
	TAILQ_FOREACH(j, &all->all, link) {
		if (j->id == id)
			return j;
	}
	return NULL;
}

void
jobs_cancel(struct jobs *all, uint64_t id)
{
	struct job *j = id ? find(all, id) : NULL;
	if (!j)
		return;
	if (!j->running) {
		drop(j);
		return;
	}
	j->ops = NULL;
	if (!j->exited)
		chan_send(all->supervisor, MSG_KILL, &(struct msg_kill){ .job = id }, NULL, 0);
}

void
jobs_on_exit(struct jobs *all, const struct msg_job_exit *m)
{
	struct job *j = find(all, m->job);
	if (!j || !j->running || j->exited)
		return;
	j->exited = true;
	j->exit = *m;
	turn_soon(all);
}

unsigned
jobs_running(const struct jobs *all)
{
	return all->running_n;
}

unsigned
jobs_waiting(const struct jobs *all)
{
	return all->n - all->running_n;
}
