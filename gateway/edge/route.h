/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route - from a request to what it asks for and who asks: profile, captures,
 * identity, resource. Pure over policy/profile and policy/identity; used by
 * edges for requests and by control for imports, so that both name a resource
 * the same way.
 */
#ifndef FG_GATEWAY_EDGE_ROUTE_H
#define FG_GATEWAY_EDGE_ROUTE_H

#include "gateway/net/conn.h"
#include "gateway/wire/msg.h"
#include "policy/config.h"

struct route {
	struct profile_hit hit;
	bool identified;
	struct identity identity;    /* tokens already as the hex of their SHA-256 */
	char url[MSG_URL_MAX];       /* upstream URL, or "import:<product>/<target>" without a template */
	char signature_url[MSG_URL_MAX];
	bool fetchable;
	uint8_t resource[PROFILE_RESOURCE_LEN];
	/* Longer ones than messages carry are refused, never cut: two products must not become one. */
	char product[MSG_NAME_MAX];
	char target[MSG_VERSION_MAX];
	char current[MSG_VERSION_MAX]; /* "" when not said */
	char from[MSG_VERSION_MAX];    /* "" when the request names none */
};

/* What the connection knows besides the request; borrowed. */
struct route_peer {
	const uint8_t *cert_spki;    /* SHA-256 of a verified client certificate's key, or NULL */
	const char *psk_identity;    /* whose shared key was proved, or NULL */
	const char *tls_name;        /* server name asked for in TLS: the host of a request without one; or NULL */
	uint8_t ip[NET_ADDR_LEN];
};
/*
 * 0; FG_ENOTFOUND with *ret_miss when no profile fits; FG_EFORMAT, FG_ELIMIT when
 * the profile's templates cannot be filled from this request. *ret borrows from
 * request and configuration and holds nothing of use on failure.
 */
int route_request(const struct config *c, const char *listener, const struct http_request *req,
    const struct route_peer *peer, struct route *ret, enum profile_miss *ret_miss);
/* The name of what an image handed in by a person answers. FG_ELIMIT. */
int route_import_url(const char *product, const char *target, char *out, size_t cap);

#endif
