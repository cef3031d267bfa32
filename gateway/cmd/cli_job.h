/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_job - runs one stage of an inspection in a fresh fotagate-inspect, the one
 * beside the running program: cleared environment, no descriptors but stderr
 * and the channel, a wall limit. Whatever it does is an answer.
 */
#ifndef FG_GATEWAY_CMD_CLI_JOB_H
#define FG_GATEWAY_CMD_CLI_JOB_H

#include "gateway/wire/msg.h"
#include "images/report.h"

struct cli_job {
	struct report_reply reply; /* reply.text borrows from map */
	struct view map;
};

/*
 * fds as msg_inspect says, borrowed. 0 with ret filled (cli_job_end), or FG_EIO,
 * FG_ENOTFOUND (no such program) when nothing could be started.
 */
int cli_job_run(const struct msg_inspect *m, const int *fds, unsigned fds_n, unsigned wall_seconds,
    struct cli_job *ret);
void cli_job_end(struct cli_job *job);
/*
 * The explain stage over two open images and aids (images/aids.h; -1: none), with a scratch file of its own in $TMPDIR or
 * /var/tmp (that of others: in memory). asked as for cli_job_wall(). Errors of cli_job_run(), FG_EIO.
 */
int cli_job_explain(uint64_t job, int new_fd, int old_fd, int aids_fd, int64_t at, unsigned asked, struct cli_job *ret);
/*
 * Seconds for a stage that reads and writes bytes in all: those asked for, or (0) a
 * minute and a second more for every 16 MiB, since even a slow disk reads more.
 */
unsigned cli_job_wall(unsigned asked, uint64_t bytes);
#define CLI_JOB_WALL_MAX 86400
/* The path of the fotagate-inspect beside the running program; false when there is none, or it does not fit. */
bool cli_job_program(char *dst, size_t cap);

#endif
