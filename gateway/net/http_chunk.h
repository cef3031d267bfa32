/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_chunk - the body of a chunked request (RFC 9112 section 7.1) out of
 * untrusted bytes.
 * Role: net/conn feeds it what follows a head that says chunked. Pure: no I/O,
 * no allocation.
 * Guarantees: never reads outside the view; each byte is looked at once; the
 * same bytes give the same data and the same end for every cut. There is one
 * mode: where a body ends is nothing to be lenient about, so every line ends in
 * CR LF, also where lines of a head need not.
 */
#ifndef FG_NET_HTTP_CHUNK_H
#define FG_NET_HTTP_CHUNK_H

#include "gateway/net/http_head.h"

#define HTTP_CHUNK_DIGITS_MAX 16 /* of a size: 2^64 and no endless zeros */
#define HTTP_CHUNK_EXTRA_MAX 4096 /* extensions and trailers of one body; real clients send neither */

/* Where the next byte belongs. */
enum http_chunk_place {
	HTTP_CHUNK_SIZE = 0,     /* first digit */
	HTTP_CHUNK_SIZE_MORE,
	HTTP_CHUNK_SIZE_BLANK,   /* white space, which only an extension may follow */
	HTTP_CHUNK_EXTENSION,
	HTTP_CHUNK_SIZE_LF,
	HTTP_CHUNK_BYTES,
	HTTP_CHUNK_BYTES_CR,
	HTTP_CHUNK_BYTES_LF,
	HTTP_CHUNK_TRAILER,      /* first byte of a trailer line, or of the last CR LF */
	HTTP_CHUNK_TRAILER_NAME,
	HTTP_CHUNK_TRAILER_VALUE,
	HTTP_CHUNK_TRAILER_LF,
	HTTP_CHUNK_LAST_LF,
	HTTP_CHUNK_ENDED,
};

/* All zero before the first byte. */
struct http_chunk {
	enum http_chunk_place place;
	uint8_t digits;          /* of the size under way */
	uint64_t left;           /* data bytes of the chunk under way */
	uint64_t total;          /* data bytes that the chunks so far have announced */
	uint32_t extra;          /* bytes of extensions and trailers */
};

enum http_chunk_step {
	HTTP_CHUNK_BAD = 0,      /* *ret_fault says why */
	HTTP_CHUNK_MORE,         /* *in is used up */
	HTTP_CHUNK_DATA,         /* *ret_data holds bytes of the body, at least one */
	HTTP_CHUNK_OVER,         /* more than max bytes of data have been announced */
	HTTP_CHUNK_DONE,         /* *in begins with what follows the request */
};

/*
 * The next thing in *in, which moves on behind it. Extensions and trailers are
 * checked and thrown away. Not to be called again after BAD, OVER or DONE.
 */
enum http_chunk_step http_chunk_next(struct http_chunk *chunk, struct view *in, uint64_t max,
    struct view *ret_data, enum http_fault *ret_fault);

#endif
