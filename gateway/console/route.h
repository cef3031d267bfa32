/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route - the table of /api/v1: which method and path is which request of
 * control's (gateway/control/requests.h), and how path, query and body become
 * its arguments. A path that is not in the table does not exist; whether the
 * caller may ask is control's affair alone.
 * Role: the console's front, and the OpenAPI document. Pure, no allocation but
 * the body's parse.
 * Guarantees: what comes out is one canonical JSON object of valid UTF-8 without
 * doubled keys; whatever could be read in two ways (an encoded slash, a doubled
 * parameter, a dot segment, a wrong escape) is refused.
 */
#ifndef FG_GATEWAY_CONSOLE_ROUTE_H
#define FG_GATEWAY_CONSOLE_ROUTE_H

#include "crypto/json.h"

#define ROUTE_API "/api"
#define ROUTE_PREFIX ROUTE_API "/v1"
#define ROUTE_ARGS_MAX 11   /* the richest request of control's has as many */
#define ROUTE_PATH_ARGS_MAX 2
#define ROUTE_TEXT_MAX 1024 /* bytes of one decoded text of path or query: control's longest is an URL */
#define ROUTE_JSON_MAX 49152 /* MSG_JSON_MAX: what one message to control holds */

enum route_method { ROUTE_NONE = 0, ROUTE_GET, ROUTE_POST, ROUTE_DELETE };
enum route_type { ROUTE_TEXT = 1, ROUTE_NUMBER, ROUTE_FLAG, ROUTE_TEXTS };

struct route_arg {
	const char *key;
	enum route_type type;
	bool required;
};

/* What is special about a route; bits. */
enum route_kind {
	ROUTE_PLAIN = 0,
	ROUTE_SIGNED = 1, /* the body has statement and signature, which become the request's two files */
	ROUTE_FILE = 2,   /* the file that comes with the answer is the answer */
	ROUTE_OPENS = 4,  /* its answer may hold a session's secret, which becomes the cookie */
	ROUTE_CLOSES = 8, /* done, it takes the cookie back */
	ROUTE_GUEST = 16, /* is for somebody who is not signed in: whose secret comes along is not looked at */
	ROUTE_FRONT = 64, /* its arguments are what a front says of who is before the browser (front.h) */
	ROUTE_PAGED = 32, /* "next" of its answer is the "after" of the page behind it */
};

/*
 * path: "/reviews/{review}/report"; {#index} is a number, {+name} takes all that
 * is left of the path.
 */
struct route {
	enum route_method method;
	const char *path;
	const char *request;
	unsigned kind;
	const char *says;
	struct route_arg arg[ROUTE_ARGS_MAX]; /* of the query with GET, else of the body */
};

enum route_found {
	ROUTE_UNKNOWN = 0,
	ROUTE_METHOD,  /* the path is there, with other methods: see allow */
	ROUTE_BAD,     /* the path cannot be read in one way */
	ROUTE_FOUND,
};

struct route_match {
	const struct route *route;
	char allow[24]; /* ROUTE_METHOD: "GET, HEAD, POST" */
	unsigned args_n;
	struct {
		char key[32];
		bool number;
		size_t n;
		char text[ROUTE_TEXT_MAX];
	} arg[ROUTE_PATH_ARGS_MAX];
};

/* What a signed body brings beside the arguments. Borrowed from the parsed body. */
struct route_signed {
	struct view statement, signature;
};

size_t route_count(void);
const struct route *route_at(size_t i);
/* "GET", ... */
const char *route_method_name(enum route_method method);
/* Whether it is no page: /api and whatever lies below it. */
bool route_is_api(struct view path);
/*
 * path as it was sent, without its query. HEAD is GET. m is filled as far as the
 * result says.
 */
enum route_found route_find(struct view method, struct view path, struct route_match *m);
/*
 * Appends the arguments to w. body empty: no members. NULL, or what is wrong
 * with them (static text). doc, json_free's, holds what signed points into; it
 * may be set on failure too.
 */
const char *route_arguments(const struct route_match *m, struct view query, struct view body, struct writer *w,
    struct json **doc, struct route_signed *signed_);

#endif
