/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jobs - processes that do one dangerous thing each: fetch one URL, inspect one
 * image in one stage, ask the operator's program once. Control makes the channel, the supervisor starts the
 * process; bounded in number, the rest waits in order.
 * Guarantees: a job ends exactly once, with its channel at its end and its
 * process dead; a reply does not excuse how its sender died, a second message
 * spoils the first, and nothing but the messages of its kind is ever heard.
 */
#ifndef FG_GATEWAY_CONTROL_JOBS_H
#define FG_GATEWAY_CONTROL_JOBS_H

#include "gateway/role/chan.h"
#include "images/report.h"

#define JOBS_FETCHES_MAX 8   /* at once; each holds a connection to a vendor */
#define JOBS_INSPECTS_MAX 2  /* at once; each can take a core and a gigabyte */
#define JOBS_HOOKS_MAX 1     /* at once; what people wait for is not worth a second core */
#define JOBS_WAITING_MAX 1024

struct jobs;

struct jobs_end {
	enum report_end end; /* REPORT_END_REPLIED, or how it failed */
	char detail[160];    /* plain ASCII; with anything but a reply */
	bool started;        /* the process ran, whatever became of it */
	union {
		struct msg_fetch_done fetched;
		struct msg_inspected inspected;
		struct msg_hooked hooked;
	} reply;
	int fd;              /* the reply's; the callee takes it by setting -1 */
};

struct jobs_ops {
	/* Says what is to be done: one MSG_FETCH, MSG_INSPECT or MSG_HOOK on c. An error ends the job as failed. */
	int (*ask)(void *ctx, uint64_t job, struct chan *c);
	/* May be NULL. */
	void (*progress)(void *ctx, const struct msg_fetch_progress *m);
	/* Once, from the loop; the job is forgotten. Inspect replies say which stage: the callee checks. */
	void (*ended)(void *ctx, struct jobs_end *end);
};

/* supervisor is borrowed. NULL on no memory. */
struct jobs *jobs_new(struct event_base *base, struct chan *supervisor);
/* No callbacks; running jobs are killed. */
void jobs_free(struct jobs *j);
/*
 * Starts when there is a place. wall_ms: the supervisor kills it then. 0 and
 * *ret_id (never 0), FG_ELIMIT, FG_ENOMEM. ended() never runs inside.
 */
int jobs_start(struct jobs *j, enum msg_job_kind kind, uint32_t wall_ms, const struct jobs_ops *ops, void *ctx,
    uint64_t *ret_id);
/* Forgets it and kills what runs; ended() is not called. An unknown id is fine. */
void jobs_cancel(struct jobs *j, uint64_t id);
/* From the supervisor. */
void jobs_on_exit(struct jobs *j, const struct msg_job_exit *m);
unsigned jobs_running(const struct jobs *j);
unsigned jobs_waiting(const struct jobs *j);

#endif
