/* SPDX-License-Identifier: Apache-2.0 */
/* peer - what the other end of one request showed of itself, for the record. Called by fetch. */
#ifndef FG_GATEWAY_UPSTREAM_PEER_H
#define FG_GATEWAY_UPSTREAM_PEER_H

#include <curl/curl.h>
#include <openssl/ssl.h>

#include "gateway/upstream/provenance.h"

/*
 * From now on, whatever certificate the server of ctx shows goes into h: also one that is
 * not accepted, after which libcurl has nothing to tell. h must outlive ctx.
 */
void peer_watch(struct provenance_hop *h, SSL_CTX *ctx);
/* Status, address and certificates of the transfer that e has just ended. */
void peer_note(struct provenance_hop *h, CURL *e);

#endif
