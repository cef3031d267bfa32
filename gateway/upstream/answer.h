/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer - the head of a vendor's HTTP answer, as far as the fetcher decides by
 * it: what representation this is (RFC 9110 8.8), which part of it (14.4), how it
 * is coded and framed; and the codes of FTP replies. Fed line by line as libcurl hands them on; called by fetch.
 * Guarantees: bounded, no allocation; what cannot be read strictly is not
 * believed: a malformed validator is none, a malformed range is a bad range.
 */
#ifndef FG_GATEWAY_UPSTREAM_ANSWER_H
#define FG_GATEWAY_UPSTREAM_ANSWER_H

#include "crypto/view.h"

#define ANSWER_VALIDATOR_MAX 128 /* with its NUL; entity tags seen are 20 to 50 bytes */

enum answer_range { ANSWER_RANGE_NONE = 0, ANSWER_RANGE_BAD, ANSWER_RANGE_BYTES };

struct answer {
	bool any, over;     /* a status line was read; the empty line as well */
	unsigned status;
	bool coded;         /* a content coding that is not identity */
	bool ambiguous;     /* its length is given in two ways (RFC 9112 6.3) */
	bool chunked, have_length;
	uint64_t length;
	enum answer_range range;
	uint64_t first, last, total; /* of ANSWER_RANGE_BYTES */
	char etag[ANSWER_VALIDATOR_MAX];     /* strong ones only, with its quotes; "" : none */
	char modified[ANSWER_VALIDATOR_MAX]; /* Last-Modified as it came; "" : none */
	bool etag_seen, modified_seen;
	char date[ANSWER_VALIDATOR_MAX];
};

/*
 * One line, with or without its line end. True when it ended a head that
 * is not an interim one (1xx): a is complete. Lines after that are trailers and
 * ignored. An interim head is forgotten when the next one begins.
 */
bool answer_line(struct answer *a, struct view line);
/*
 * What to name in If-Range (RFC 9110 13.1.5): the strong entity tag, else the time
 * of the last change where it is a strong validator, else "".
 */
const char *answer_validator(const struct answer *a);
/* The code of an FTP reply, from the line that ends it (RFC 959 4.2: a blank behind it); 0 for any other line. */
unsigned answer_reply(struct view line);

#endif
