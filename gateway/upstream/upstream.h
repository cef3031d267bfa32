/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upstream - one process, one fetch: MSG_FETCH in, bytes into the files it was
 * handed, MSG_FETCH_DONE with a provenance record out, end.
 * Role: started by the supervisor for control; descriptor 3 is control's
 * channel. Guarantees: nothing of a module's is in its memory but the name of
 * who asked first, which goes into the record and nowhere else; what it reports
 * is the fetcher's claim and labelled so.
 */
#ifndef FG_GATEWAY_UPSTREAM_UPSTREAM_H
#define FG_GATEWAY_UPSTREAM_UPSTREAM_H

#include "gateway/jail/jail.h"
#include "gateway/role/clock.h"

#define UPSTREAM_FD 3

/* Returns the exit status. opt says who to become before the first byte from outside. */
int upstream_main(const struct jail_options *opt, const struct clock_source *clock);

#endif
