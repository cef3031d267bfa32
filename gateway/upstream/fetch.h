/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fetch - one URL into one file under the gateway's own identity, over as many
 * redirects, cuts and tries as the job allows.
 * Rules held here: the transports of policy/transport.h and never from one to the other; no
 * private addresses unless listed; no cookies, netrc, environment proxies or
 * content coding; FTP in passive mode, with one server, both connections under TLS or none;
 * caps on bytes, seconds, redirects, header bytes and minimum speed; CA bundle or SPKI pins
 * of the profile. After a cut it goes on where it was while the vendor's validator says that the content is the same and the
 * overlap is; anything else begins from zero, and says so.
 */
#ifndef FG_GATEWAY_UPSTREAM_FETCH_H
#define FG_GATEWAY_UPSTREAM_FETCH_H

#include <event2/event.h>

#include "gateway/role/clock.h"
#include "gateway/upstream/provenance.h"

#define FETCH_HEADER_BYTES_MAX 65536 /* of one answer; generous for CDNs */
#define FETCH_PAGE_MAX 65536         /* of an error page or redirect that is read and forgotten */
#define FETCH_PROGRESS 65536         /* new bytes that make a cut one of a long way, and none of a row of failures */
#define FETCH_KEEP_BYTES (16u << 20) /* new ones are synced and told of after so many or after */
#define FETCH_KEEP_MS 10000          /* so long: that much is lost when everything dies */
#define FETCH_CHANGES_MAX 2          /* beginnings from zero because it changed: a release day, no game */

struct credentials;
struct fetch;

struct fetch_result {
	enum msg_fetch_outcome outcome;
	enum msg_fetch_finding finding; /* what stood against it; with MSG_FETCH_OK: what was overcome */
	long status;                    /* of HTTP, or the code of the last FTP reply */
	bool absent;                    /* the vendor said that there is nothing of that name */
	uint64_t bytes;
	bool have_kept;                 /* all of it, or what another fetch may go on with */
	struct msg_kept kept;
	char detail[MSG_TEXT_MAX];
};

struct fetch_ops {
	/* At most once a second, and at each try. kept: what is on disk now, if that is news; else NULL. */
	void (*progress)(void *ctx, uint64_t bytes, uint64_t total, const struct msg_kept *kept);
	void (*done)(void *ctx, const struct fetch_result *result); /* once; fetch may be freed inside */
};

/* Process-wide set-up of libcurl; before the jail, because it reads OpenSSL's configuration. 0 or FG_ENOMEM. */
int fetch_global(void);
/* job, ca, secret and provenance are borrowed for its life. */
struct fetch *fetch_new(struct event_base *base, const struct clock_source *clock, const struct msg_fetch *job,
    struct view ca, const struct credentials *secret, struct provenance *prov, const struct fetch_ops *ops, void *ctx);
void fetch_free(struct fetch *f);
/*
 * Starts fetching url into fd (for reading and writing): going on with what is kept in it, if
 * that is there, else from zero. One at a time. 0: done is called, and not in here. FG_EIO, FG_ENOMEM.
 */
int fetch_start(struct fetch *f, const char *url, bool signature, int fd, uint64_t max_bytes,
    const struct msg_kept *kept);

#endif
