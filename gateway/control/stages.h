/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stages - one stage of an inspection, in a process of its own: the question, the
 * job, the answer or how its process died. Used by judging and targets.
 * Guarantees: done runs once, from the loop, with the process dead, so that nobody
 * writes any more to what it was given; what comes as an answer is a report of that
 * stage in a sealed memfd, unread, or it is not called an answer.
 */
#ifndef FG_GATEWAY_CONTROL_STAGES_H
#define FG_GATEWAY_CONTROL_STAGES_H

#include "gateway/wire/msg.h"
#include "images/report.h"

/* A minute, and a second more for every 16 MiB, a tenth of what a slow disk reads. */
#define STAGES_WALL_S 60
#define STAGES_WALL_BYTES (16u << 20)
#define STAGES_WALL_MAX_S 7200

struct control;

struct stage { /* the caller's; zero: none is under way and none has answered */
	struct msg_inspect m; /* job is filled here */
	int fd[WIRE_FDS_MAX]; /* as msg_inspect says; borrowed until done */
	unsigned n;
	bool scratch;         /* with MSG_STAGE_EXPLAIN: a file without a name comes behind them, and the operator's YARA rules */
	uint64_t bytes;       /* that it has to read and write */

	struct report_reply reply; /* text borrows from map */
	struct view map;
	bool started; /* a process ran, whatever became of it */
	bool have_rules; /* it was given those in force when it began; their digest */
	uint8_t rules[DIGEST_SHA256_LEN];

	struct control *c;
	uint64_t job;
	void (*done)(void *ctx);
	void *ctx;
};

/* 0, or it could not be ordered: FG_ELIMIT, FG_ENOMEM; then done does not run. */
int stages_run(struct control *c, struct stage *s, void (*done)(void *ctx), void *ctx);
/* Stops what is under way, done does not run; forgets the answer. The descriptors are the caller's. */
void stages_end(struct stage *s);
/* Which rules the stage was given, for the report that its answer goes into. */
void stages_rules(const struct stage *s, struct report_asked *asked);
/* Bytes of a regular file; 0 also for none. */
uint64_t stages_size(int fd);

#endif
