/* SPDX-License-Identifier: Apache-2.0 */
/* peer - what the other end of one request showed of itself, for the record. Called by fetch. */
#ifndef FG_GATEWAY_UPSTREAM_PEER_H
#define FG_GATEWAY_UPSTREAM_PEER_H

#include <curl/curl.h>

#include "gateway/upstream/provenance.h"

/* Status, address and certificates of the transfer that e has just ended. */
void peer_note(struct provenance_hop *h, CURL *e);

#endif
