/* SPDX-License-Identifier: Apache-2.0 */
/*
 * curlloop - libcurl's multi interface on the event loop, one transfer at a time.
 * Called by fetch. Guarantees: done() runs from the loop, never inside a call
 * of libcurl's or of the caller's.
 */
#ifndef FG_GATEWAY_UPSTREAM_CURLLOOP_H
#define FG_GATEWAY_UPSTREAM_CURLLOOP_H

#include <stdbool.h>

#include <curl/curl.h>
#include <event2/event.h>

struct curlloop;

/* NULL for want of memory. */
struct curlloop *curlloop_new(struct event_base *base, void (*done)(void *ctx, CURLcode result), void *ctx);
/* Ends a transfer that is under way; done() is not called. */
void curlloop_free(struct curlloop *l);
/*
 * The one handle, new: nothing of the transfer before is left, no TLS session either. The one before
 * is gone with what it could be asked. Options are the caller's. NULL for want of memory.
 */
CURL *curlloop_renew(struct curlloop *l);
/* two: it has two connections, as FTP has. 0, FG_ENOMEM, or FG_EIO: libcurl refused. */
int curlloop_start(struct curlloop *l, bool two);
/* After done(): the handle can be asked until it is renewed. */
void curlloop_stop(struct curlloop *l);

#endif
