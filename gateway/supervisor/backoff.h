/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backoff - how long to wait before a role that ended is started again:
 * doubling, bounded, forgotten after a quiet time. Pure: time is a parameter.
 */
#ifndef FG_GATEWAY_SUPERVISOR_BACKOFF_H
#define FG_GATEWAY_SUPERVISOR_BACKOFF_H

#include <stdint.h>

#define BACKOFF_FIRST_MS 250   /* a crash that does not repeat is hardly noticed */
#define BACKOFF_MAX_MS 60000   /* one that does costs a start a minute */
#define BACKOFF_QUIET_MS 60000 /* ran this long: the next end counts as the first */

struct backoff {
	unsigned failures; /* in a row */
	int64_t started_ms;
};

void backoff_started(struct backoff *b, int64_t now_ms);
/* It ended: milliseconds until it may start again. */
int64_t backoff_ended(struct backoff *b, int64_t now_ms);

#endif
