/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request - one request to a vendor, by HTTP or FTP, as libcurl is told it, with everything
 * switched off that could add to it: nothing of the environment, of a module or of an
 * earlier request goes out. Called by fetch.
 */
#ifndef FG_GATEWAY_UPSTREAM_REQUEST_H
#define FG_GATEWAY_UPSTREAM_REQUEST_H

#include <curl/curl.h>

#include "crypto/view.h"
#include "gateway/upstream/answer.h"
#include "gateway/upstream/credentials.h"
#include "gateway/wire/msg.h"

#define REQUEST_SPEED_WINDOW 30 /* seconds below min_speed end the transfer */
#define REQUEST_CONNECT_SECONDS 30
#define REQUEST_REPLY_SECONDS 30 /* for one FTP reply; a busy server answers in seconds */
#define REQUEST_FTP_ANYBODY "anonymous:fotagate@" /* RFC 1635 3 */
#define REQUEST_PINS_CAP (4 * 64) /* "sha256//" and 44 digits each */

/* What does not change from request to request of a job; all of it borrowed. */
struct request {
	const struct msg_fetch *job;
	struct view ca;
	const struct credentials *secret;
	char home[2][MSG_PLACE_MAX]; /* the vendor's own servers, as the operator named them: of image and signature */
	char pins[REQUEST_PINS_CAP];
	struct curl_slist *fields; /* of the request that is set up */
};

/* 0 or FG_ENOMEM. */
int request_init(struct request *r, const struct msg_fetch *job, struct view ca, const struct credentials *secret);
void request_free(struct request *r);
/*
 * Tells e, which is new, to get url. from > 0: only what is there from that byte on; of HTTP only
 * while the representation is still the one validator names, of FTP the caller has to look. most: bytes
 * a file may have, where its server tells beforehand. left_ms: what all of it may still take. Callbacks
 * are the caller's to set. False: libcurl would not, or url is none that is fetched.
 */
bool request_set(struct request *r, CURL *e, const char *url, uint64_t from, const char *validator, uint64_t most,
    long left_ms);

#endif
