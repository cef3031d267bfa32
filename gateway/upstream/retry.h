/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retry - how long to wait before the next try, and whether another can help.
 * Pure. Called by fetch, within one job; between jobs control has its own back-off
 * of minutes to hours (gateway/control/fetches.h).
 */
#ifndef FG_GATEWAY_UPSTREAM_RETRY_H
#define FG_GATEWAY_UPSTREAM_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include <curl/curl.h>

#define RETRY_FIRST_MS 1000       /* doubles with each failure in a row */
#define RETRY_MOST_MS 60000
#define RETRY_AFTER_MOST_S 300    /* a vendor that wants more is left to control's back-off */

/*
 * Milliseconds after that many failures in a row (1: the first). Half is certain, half is
 * chance, so that gateways that lost one vendor at once do not come back at once.
 */
uint32_t retry_wait_ms(unsigned failures, uint32_t random);
/* The network failed, or the vendor's server was cut off: not a rule of ours and nothing the vendor said. */
bool retry_helps(CURLcode result);
/* Statuses that say "later" (RFC 9110 15.5.9, 15.6, RFC 6585 4). */
bool retry_status(long status);

#endif
