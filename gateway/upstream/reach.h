/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reach - which addresses the fetcher may connect to, judged on the resolved
 * address that will be connected to, so that a name cannot lead elsewhere in between.
 * Called by fetch.
 */
#ifndef FG_GATEWAY_UPSTREAM_REACH_H
#define FG_GATEWAY_UPSTREAM_REACH_H

#include <curl/curl.h>

#include "gateway/wire/msg.h"
#include "policy/cidr.h"

/* The host of url is an address, in whatever spelling, that may not be reached; text: for people. */
bool reach_forbids(const struct msg_fetch *job, const char *url, char text[CIDR_TEXT_MAX]);
/* Public, or in a range the job lists. */
bool reach_allowed(const struct msg_fetch *job, const struct cidr_addr *a);
/* False: neither IPv4 nor IPv6. */
bool reach_address(const struct curl_sockaddr *to, struct cidr_addr *ret, uint16_t *ret_port);

#endif
