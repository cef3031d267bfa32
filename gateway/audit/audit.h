/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit - the role that owns the log. Every other role appends on a channel of
 * its own and audit stamps the source; who may append which event is a table.
 * Acknowledged means durable. When the log cannot be written, nothing is
 * acknowledged any more and the process ends: no grant, no release, no resume.
 */
#ifndef FG_GATEWAY_AUDIT_AUDIT_H
#define FG_GATEWAY_AUDIT_AUDIT_H

#include "gateway/role/clock.h"

/* The role's process; returns its exit status. */
int audit_main(const struct clock_source *clock);

#endif
