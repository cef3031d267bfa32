/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control - the one choke point: everything people, modules and timers want
 * becomes a request to this role. It holds the state, drives candidates
 * through their life cycle and builds the decision table. It permits nothing:
 * bytes are released by the warden, grants are logged by the edge itself.
 */
#ifndef FG_GATEWAY_CONTROL_CONTROL_H
#define FG_GATEWAY_CONTROL_CONTROL_H

#include "gateway/role/clock.h"

/* The role's process; returns its exit status. */
int control_main(const struct clock_source *clock);

#endif
