/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_head - the head of an HTTP/1 request out of untrusted bytes.
 * Role: net/conn feeds it what a module has sent so far; the edge reads the
 * result. Pure: no I/O, no clock, no allocation.
 * Guarantees: never reads outside the view; linear over all calls of one
 * request however the bytes were cut, and the same bytes give the same answer
 * for every cut; a request whose end two parsers could see in different places
 * is refused (RFC 9112 sections 6.1 and 11.2), in both modes.
 */
#ifndef FG_NET_HTTP_HEAD_H
#define FG_NET_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/view.h"

/* Defaults and ceilings. A module builds its request in 200 to 2048 bytes. */
#define HTTP_LINE_MAX 4096   /* request line: the longest known URL setting is 2048, twice that */
#define HTTP_FIELD_MAX 4096  /* one field line: a JWT in Authorization is about 1.5 KiB */
#define HTTP_HEAD_MAX 8192   /* all of it: what curl, Go and fwupd send stays below 1 KiB */
#define HTTP_FIELDS_MAX 64   /* field lines: the richest real client sends nine */
#define HTTP_BLANKS_MAX 4    /* empty lines before a request: XinYi leaves one, RFC 9112 2.2 asks for one */
#define HTTP_METHOD_MAX 16   /* longer than any registered method but two WebDAV ones */
#define HTTP_HEAD_CEILING (64 * 1024) /* no setting may ask for more memory a request */

struct http_limits {
	uint32_t line_max;   /* bytes without the line end */
	uint32_t field_max;  /* bytes without the line end */
	uint32_t head_max;   /* bytes with every line end, leading empty lines not counted */
	uint32_t fields_max; /* at most HTTP_FIELDS_MAX */
	uint32_t blanks_max;
};

/*
 * Strict is RFC 9112 and the URI syntax of RFC 3986 to the letter. Lenient: a
 * bare LF ends a line of the head, and a target may hold any printable
 * character. Nothing that decides where a request ends is lenient.
 */
enum http_mode {
	HTTP_STRICT = 0,
	HTTP_LENIENT,
};

enum http_method {
	HTTP_OTHER = 0, /* the layer above answers 405 */
	HTTP_GET,
	HTTP_HEAD,
};

enum http_body {
	HTTP_BODY_NONE = 0,
	HTTP_BODY_LENGTH,
	HTTP_BODY_CHUNKED,
};

/* Why a head was refused; http_head_fault_id gives the stable word. */
enum http_fault {
	HTTP_FAULT_NONE = 0,
	HTTP_FAULT_LINE_LONG,
	HTTP_FAULT_FIELD_LONG,
	HTTP_FAULT_HEAD_LONG,
	HTTP_FAULT_FIELDS_MANY,
	HTTP_FAULT_BLANKS_MANY,
	HTTP_FAULT_CONTROL,         /* NUL or another control character */
	HTTP_FAULT_CR_BARE,
	HTTP_FAULT_LF_BARE,         /* strict mode only */
	HTTP_FAULT_LINE_FORM,       /* not three words */
	HTTP_FAULT_METHOD_FORM,
	HTTP_FAULT_METHOD_LONG,
	HTTP_FAULT_TARGET_FORM,
	HTTP_FAULT_VERSION_FORM,
	HTTP_FAULT_VERSION,         /* HTTP, but not 1.x */
	HTTP_FAULT_FIELD_FORM,      /* no colon, no name, space before the colon */
	HTTP_FAULT_FIELD_FOLD,      /* obs-fold */
	HTTP_FAULT_HOST_ABSENT,
	HTTP_FAULT_HOST_REPEATED,
	HTTP_FAULT_HOST_FORM,
	HTTP_FAULT_LENGTH_FORM,
	HTTP_FAULT_LENGTH_REPEATED, /* even when both agree */
	HTTP_FAULT_LENGTH_AND_TE,
	HTTP_FAULT_TE_FORM,         /* chunked is not the last coding, or not there once */
	HTTP_FAULT_TE_UNKNOWN,      /* chunked over a coding that is not ours */
	HTTP_FAULT_TE_REPEATED,
	HTTP_FAULT_TE_VERSION,      /* Transfer-Encoding in HTTP/1.0 */
	HTTP_FAULT_CHUNK_FORM,      /* http_chunk's: framing of a chunked body */
	HTTP_FAULT_CHUNK_LONG,      /* http_chunk's: size, extensions or trailers */
	HTTP_FAULT_COUNT,
};

struct http_field {
	struct view name;  /* as sent; compare without regard to case */
	struct view value; /* no white space around it; may hold bytes above 0x7f */
};

/* One request. All views borrow from the bytes that were parsed. */
struct http_request {
	enum http_method method;
	struct view method_name;
	struct view target;      /* as sent */
	struct view path;        /* starts with '/', not decoded; empty for '*' and CONNECT */
	struct view query;       /* after the first '?', without it */
	struct view host;        /* of the target when absolute, else of Host; no port, brackets kept */
	uint16_t port;           /* 0: none given */
	uint8_t minor;           /* HTTP/1.minor, 0 or 1 */
	bool keep_alive;         /* the client's wish, defaults of its version applied */
	bool expect_continue;
	enum http_body body;
	uint64_t body_len;       /* HTTP_BODY_LENGTH only */
	size_t head_len;         /* bytes up to the first one after the head */
	size_t n_fields;
	struct http_field fields[HTTP_FIELDS_MAX];
};

/* How far a request has been looked at. All zero before its first byte. */
struct http_scan {
	uint32_t seen;   /* bytes looked at */
	uint32_t start;  /* where the request line begins */
	uint32_t line;   /* where the current line begins */
	uint32_t lines;  /* complete lines */
	uint32_t blanks; /* empty lines before the request line */
	bool cr;         /* the last byte was CR */
};

enum http_parse {
	HTTP_PARSE_BAD = 0,
	HTTP_PARSE_MORE,
	HTTP_PARSE_DONE,
};

void http_head_limits(struct http_limits *ret_limits);
/*
 * Looks on from where *scan stands; `in` must hold the bytes of earlier calls
 * unchanged at its start. DONE fills *ret_request; BAD names *ret_fault. Both
 * outputs are untouched otherwise.
 */
enum http_parse http_head_parse(struct http_scan *scan, struct view in, enum http_mode mode,
    const struct http_limits *limits, struct http_request *ret_request,
    enum http_fault *ret_fault);
/* True while nothing but empty lines has come: the connection still counts as idle. */
bool http_head_is_blank(const struct http_scan *scan);

/* "HTTP-LENGTH-REPEATED", ... */
const char *http_head_fault_id(enum http_fault fault);
/* 400, 414, 431, 501 or 505; 0 for none. */
unsigned http_head_fault_status(enum http_fault fault);

/*
 * The next field of that name at or after index *at, which moves behind it.
 * NULL when there is no further one.
 */
const struct http_field *http_head_next(const struct http_request *request, const char *name,
    size_t *at);
/* The only field of that name; NULL when absent or repeated. */
const struct http_field *http_head_only(const struct http_request *request, const char *name);
/* A character of a field name (RFC 9110 section 5.6.2, tchar). */
bool http_head_is_name(uint8_t c);
/* ASCII comparison without regard to case. */
bool http_head_is(struct view v, const char *word);
/*
 * Next element of a comma separated list, white space and empty elements
 * dropped; *rest moves on. False at the end. Quoted commas are not its business.
 */
bool http_head_element(struct view *rest, struct view *ret_element);
/* Decimal digits only, at least one; false on anything else or beyond 2^63-1. */
bool http_head_number(struct view v, uint64_t *ret_number);

#endif
