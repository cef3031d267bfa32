/* SPDX-License-Identifier: Apache-2.0 */
/*
 * front - whom a proxy before the console has signed in, as the fields X-FG-SSO-Issuer, -Subject, -Acr, -Amr and
 * -Address of a request say. Reading believes nothing: only control knows whether the connection is that of the front.
 * Role: the console's front. Pure.
 * Guarantees: a request either has none of those fields, or all five, each once; "-" is what the front does not know.
 * All five, because a field that a front leaves alone is one that the browser may send: then nobody gets through it, and
 * whoever set it up notices. A field that merely looks like one (with '_' for '-', or another name below X-FG-SSO-), is
 * empty or too long or holds anything but printable ASCII makes the whole malformed: some proxies drop such a field,
 * join it or read it as the other one.
 */
#ifndef FG_GATEWAY_CONSOLE_FRONT_H
#define FG_GATEWAY_CONSOLE_FRONT_H

#include "crypto/jsonw.h"
#include "crypto/vouch.h"
#include "gateway/net/http_head.h"
#include "gateway/net/net.h"

#define FRONT_PREFIX "X-FG-SSO-"

enum front_said {
	FRONT_MALFORMED = 0,
	FRONT_NOTHING, /* none of the fields */
	FRONT_NOBODY,  /* the front has nobody signed in, and says from where they come */
	FRONT_PERSON,
};

/* Borrowed from the request. */
struct front_person {
	struct view issuer, subject;   /* FRONT_PERSON */
	struct view acr, amr;          /* empty: not said */
	uint8_t address[NET_ADDR_LEN]; /* of the browser, as the front saw it */
};

/* ret is filled for FRONT_PERSON and FRONT_NOBODY; *ret_why (static text) for FRONT_MALFORMED. */
enum front_said front_read(const struct http_request *r, struct front_person *ret, const char **ret_why);
/* The arguments of session.sso, as one object. */
void front_arguments(const struct front_person *p, struct writer *w);

#endif
