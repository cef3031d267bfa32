/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve - the answers the edge gives, put together from net's parts.
 * Role: called with a connection whose request waits (net/conn.h). Each
 * returns conn_reply's result.
 */
#ifndef FG_NET_SERVE_H
#define FG_NET_SERVE_H

#include "gateway/net/conn.h"
#include "gateway/net/http_range.h"

#define SERVE_IMAGE_TYPE "application/octet-stream"

/*
 * An image, as conditions and Range of the waiting request ask: 200, 206, 304,
 * 412 or 416. Takes the source, also on failure. *ret_answer (may be NULL) says
 * what it came to, for the log. resource is borrowed for the call.
 */
int serve_image(struct conn *conn, const struct http_resource *resource,
    const struct net_source *source, struct http_answer *ret_answer);
/* The same decision without answering: what a grant would be asked for. */
struct http_answer serve_decide(const struct conn *conn, const struct http_resource *resource);

/* A short answer: "not now" in a profile's words, an error, an empty 404. */
struct serve_text {
	unsigned status;
	const char *type;        /* NULL: no Content-Type, as for an empty body */
	struct view body;        /* copied; at most CONN_MEMORY_MAX */
	uint32_t retry_after_s;  /* 0: not said */
	bool close;
};
int serve_text(struct conn *conn, const struct serve_text *text);
/* 405 with Allow, for HTTP_OTHER. */
int serve_method_refused(struct conn *conn);

#endif
