/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_tool - an inspector that is told by its arguments what to do, with files as
 * descriptors from 3 on, and what it then writes to standard output: making, proving
 * and applying deltas. Used by `fotagate delta`.
 */
#ifndef FG_GATEWAY_CMD_CLI_TOOL_H
#define FG_GATEWAY_CMD_CLI_TOOL_H

#include <stddef.h>
#include <stdint.h>

#define CLI_TOOL_FDS 4
#define CLI_TOOL_FIRST 3 /* where it finds the first of them */

/*
 * Runs it to its end: its exit status, 128 and the signal that ended it; FG_ENOTFOUND when it is not beside us,
 * FG_EIO. *ret_n: bytes that it said, at most cap. The descriptors stay the caller's; at most CLI_TOOL_FDS.
 */
int cli_tool_run(const char *mode, const char *word, const int *fd, unsigned n, uint8_t *said, size_t cap, size_t *ret_n);

#endif
