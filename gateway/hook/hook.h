/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook - one process, one question to the operator's decision hook: MSG_HOOK in, the program run on it, MSG_HOOKED
 * out, end.
 * Role: started by the supervisor for control, as the leader of a process group of its own; descriptor 3 is
 * control's channel. Guarantees: program and question are read by nobody here; the program has the jail of
 * JAIL_HOOK, standard input, output and error, and nothing else of ours; what it writes beyond the limit is
 * not read. When control goes away the whole group is killed, the rest of which the supervisor kills at the end.
 */
#ifndef FG_GATEWAY_HOOK_HOOK_H
#define FG_GATEWAY_HOOK_HOOK_H

#include "gateway/jail/jail.h"

#define HOOK_FD 3
#define HOOK_TASKS_MAX 32  /* processes and threads of its user: a pipeline, or an interpreter's; no swarm */
#define HOOK_FILES_MAX 64  /* descriptors of each */

/* Returns the exit status. opt says who to become before anything is read. */
int hook_main(const struct jail_options *opt);

#endif
