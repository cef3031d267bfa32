/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_aids - what the operator gives a comparison beside the images (images/aids.h),
 * from files of theirs.
 * Role: `fotagate inspect`. Rules are compiled by a fotagate-inspect of their own first,
 * in its jail, so that whoever wrote them learns of a mistake at once.
 */
#ifndef FG_GATEWAY_CMD_CLI_AIDS_H
#define FG_GATEWAY_CMD_CLI_AIDS_H

#include "images/report.h"

struct cli_aids_asked { /* paths; NULL: not given */
	const char *rules, *own;
};

/*
 * Reads and checks; *ret_fd is a sealed memfd of the caller's, -1 when nothing was
 * given, and asked names the digests. 0, or the exit status of the command after a
 * sentence on standard error: 2 for rules or a list that are none, 3 for what cannot be read.
 */
int cli_aids_load(const struct cli_aids_asked *q, int *ret_fd, struct report_asked *asked);

#endif
