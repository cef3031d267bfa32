/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edge - the module plane: one process, one event base, no directory, no open.
 * Role: N of them serve the listeners, each from sockets of its own. An edge serves a byte only when its
 * decision table offers it, the warden's record allows the row, control has said
 * yes, and audit has acknowledged this edge's own grant (or a lease of that
 * grant still runs). In every other case the module gets its protocol's
 * "nothing for you yet" at once.
 */
#ifndef FG_GATEWAY_EDGE_EDGE_H
#define FG_GATEWAY_EDGE_EDGE_H

#include "gateway/role/clock.h"

/* The role's process; returns its exit status. */
int edge_main(const struct clock_source *clock);

/*
 * The same for fotagated -n: it is handed configuration and files, no sockets and
 * no peers, says on standard error what it cannot use, and ends: 0, or
 * ROLE_EXIT_PROBLEMS.
 */
int edge_try_main(const struct clock_source *clock);

#endif
