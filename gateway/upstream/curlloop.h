/* SPDX-License-Identifier: Apache-2.0 */
/*
 * curlloop - libcurl's multi interface on the event loop, one transfer at a time.
 * Called by fetch. Guarantees: done() runs from the loop, never inside a call
 * of libcurl's or of the caller's.
 */
#ifndef FG_GATEWAY_UPSTREAM_CURLLOOP_H
#define FG_GATEWAY_UPSTREAM_CURLLOOP_H

#include <curl/curl.h>
#include <event2/event.h>

struct curlloop;

/* NULL for want of memory. */
struct curlloop *curlloop_new(struct event_base *base, void (*done)(void *ctx, CURLcode result), void *ctx);
/* Ends a transfer that is under way; done() is not called. */
void curlloop_free(struct curlloop *l);
/* The one handle; options are the caller's, to be set anew before each start. */
CURL *curlloop_easy(struct curlloop *l);
/* 0, or FG_EIO: libcurl refused. */
int curlloop_start(struct curlloop *l);
/* After done(): the handle can be asked and set up again. */
void curlloop_stop(struct curlloop *l);

#endif
