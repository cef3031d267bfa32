/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_reply - the head of a response, spelled the way string-searching
 * modules expect it (MODULE_PROTOCOLS.md section 1, rows 1 to 5).
 * Role: net/conn encodes every response through it. Pure.
 * Guarantees: fixed order and spelling, `Content-Length` first and
 * `Connection` always there, never Transfer-Encoding, always below 512 bytes;
 * what the console adds (extra, open) comes on top of that, and no module gets it.
 * A field that could break the head (control characters, over-long) is a
 * programmer's mistake and aborts: check what comes from configuration with
 * http_reply_word_ok before.
 */
#ifndef FG_NET_HTTP_REPLY_H
#define FG_NET_HTTP_REPLY_H

#include "crypto/view.h"

#define HTTP_REPLY_MAX 512     /* XinYi looks for Content-Length in its first 512 byte recv */
#define HTTP_REPLY_ETAG_MAX 64 /* hexadecimal SHA-256 */
#define HTTP_REPLY_TYPE_MAX 56 /* multipart/byteranges and its boundary */
#define HTTP_REPLY_ALLOW_MAX 24
#define HTTP_REPLY_EXTRA_MAX 2048 /* field lines of the owner's own: a page's security policy and a cookie are 900 bytes */

enum http_reply_range {
	HTTP_REPLY_RANGE_NONE = 0,
	HTTP_REPLY_RANGE_PART,        /* Content-Range: bytes first-last/total */
	HTTP_REPLY_RANGE_UNSATISFIED, /* Content-Range: bytes *, slash, total */
};

/* All zero but status and length is a plain, complete response. */
struct http_reply {
	unsigned status;           /* 200 to 599 */
	uint64_t length;           /* not sent with 204 and 304 */
	bool close;                /* Connection: close instead of keep-alive */
	enum http_reply_range range;
	uint64_t first, last, total;
	struct view etag;          /* without quotes; empty: none */
	int64_t modified_s;        /* Last-Modified; 0: none */
	uint32_t retry_after_s;    /* 0: none */
	bool accept_ranges;
	const char *type;          /* Content-Type; NULL: none */
	const char *allow;         /* NULL: none */
	bool open;                 /* the end of the connection is the end of the body: no length; close must be set */
	struct view extra;         /* more field lines, each with its CRLF, for which http_reply_extra_ok says yes */
};

/* Printable ASCII without quotes, at most max bytes. */
bool http_reply_word_ok(struct view v, size_t max);
/* Whole lines `Name: value`, printable ASCII, at most HTTP_REPLY_EXTRA_MAX bytes of them; or none. */
bool http_reply_extra_ok(struct view lines);
/* True when a response of that status has no body and no length (204, 304). */
bool http_reply_is_bare(unsigned status);
/* date is the Date value, http_date_format's. Returns the bytes written to out, which holds extra.n more than that. */
size_t http_reply_encode(const struct http_reply *reply, const char *date,
    char out[HTTP_REPLY_MAX]);

#endif
