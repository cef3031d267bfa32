/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fetch - one URL into one file under the gateway's own identity, by libcurl's
 * multi interface on the event loop.
 * Rules held here: http and https only and never from one to the other; no
 * private addresses unless listed; no cookies, netrc, environment proxies or
 * content decoding; caps on bytes, seconds, redirects, header bytes and minimum
 * speed; CA bundle or SPKI pins of the profile.
 */
#ifndef FG_GATEWAY_UPSTREAM_FETCH_H
#define FG_GATEWAY_UPSTREAM_FETCH_H

#include <event2/event.h>

#include "gateway/role/clock.h"
#include "gateway/upstream/provenance.h"

#define FETCH_HEADER_BYTES_MAX 65536 /* of one answer; generous for CDNs */
#define FETCH_PAGE_MAX 65536         /* of an error page or redirect that is read and forgotten */
#define FETCH_SPEED_WINDOW 30        /* seconds below min_speed end the transfer */
#define FETCH_CONNECT_SECONDS 30

struct fetch;

struct fetch_result {
	enum msg_fetch_outcome outcome;
	long status;
	uint64_t bytes;
	char detail[MSG_TEXT_MAX];
};

struct fetch_ops {
	void (*progress)(void *ctx, uint64_t bytes, uint64_t total); /* at most once a second */
	void (*done)(void *ctx, const struct fetch_result *result);  /* once; fetch may be freed inside */
};

/* Process-wide set-up of libcurl; before the jail, because it reads OpenSSL's configuration. 0 or FG_ENOMEM. */
int fetch_global(void);
/* One multi handle; job, ca and provenance are borrowed for its life. */
struct fetch *fetch_new(struct event_base *base, const struct clock_source *clock, const struct msg_fetch *job,
    struct view ca, struct provenance *prov, const struct fetch_ops *ops, void *ctx);
void fetch_free(struct fetch *f);
/* Starts fetching url into fd, which is emptied first. One at a time. 0, or FG_EIO: then done is not called. */
int fetch_start(struct fetch *f, const char *url, bool signature, int fd, uint64_t max_bytes);

#endif
