/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supervisor - the process that starts, joins, restarts and stops all others,
 * and carries out a halt. It holds root's rights where it was given them, so it
 * parses nothing but fixed messages: no network byte, no configuration text
 * (a one-shot unprivileged child does that), no image, no statement.
 *
 * Only this header is for callers (cmd/); supervisor_internal.h joins the files
 * of the folder. config_child.c, which runs in the child, is the one file here
 * that may include policy/.
 */
#ifndef FG_GATEWAY_SUPERVISOR_SUPERVISOR_H
#define FG_GATEWAY_SUPERVISOR_SUPERVISOR_H

#include "gateway/role/clock.h"

struct supervisor_options {
	const char *config;       /* path of fotagate.conf */
	const char *programs_dir; /* where the programs below lie */
	int self_fd;              /* this program, O_PATH: spawn_open(); re-executed as --role=NAME */
	int warden_fd;            /* fotagate-warden, or -1: refused at start */
	int inspect_fd;           /* fotagate-inspect, likewise */
	const struct clock_source *clock;
	unsigned tickets_ms;      /* how long a secret of session tickets seals; 0: TICKETS_PERIOD_MS */
};

/* Runs the gateway until it is told to stop. The process's exit status. */
int supervisor_run(const struct supervisor_options *opt);
/* fotagated -n: every problem on stderr, one a line. 0, 1 with problems, 3 when it could not be checked. */
int supervisor_check(const struct supervisor_options *opt);

#endif
