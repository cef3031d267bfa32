/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_limits - everything a module may make the engine spend, by name.
 * Role: configuration fills struct net_limits over the defaults; the engine
 * obeys it and counts which one was hit. One row a limit in one table, one
 * test a row.
 */
#ifndef FG_NET_NET_LIMITS_H
#define FG_NET_NET_LIMITS_H

#include "gateway/net/http_head.h"

struct net_limits {
	struct http_limits http;
	uint32_t conns_max;       /* connections in all; more wait in the kernel's backlog */
	uint32_t source_max;      /* connections of one IPv4 address or IPv6 /64 */
	uint32_t requests_max;    /* requests on one connection */
	uint32_t body_max;        /* bytes of a request body read and thrown away */
	uint32_t turn_bytes;      /* bytes sent to one connection before the others' turn */
	uint32_t turn_requests;   /* requests answered for one connection before the others' turn */
	uint32_t owed_max;        /* bytes of TLS records that sockets did not take, of all connections */
	uint32_t accept_batch;    /* connections accepted before the others' turn */
	uint32_t handshake_batch; /* steps of TLS handshakes before the others' turn */
	uint32_t handshake_ms;    /* whole TLS handshake */
	uint32_t head_ms;         /* from the first byte of a request, or accept, to its end */
	uint32_t body_ms;         /* whole request body */
	uint32_t idle_ms;         /* between requests */
	uint32_t answer_ms;       /* the owner's time to answer; then closed without a word */
	uint32_t stall_ms;        /* without any progress while sending */
	uint32_t reply_ms;        /* whole response, plus its length at reply_rate */
	uint32_t reply_rate;      /* bytes a second below which a reader is an attacker */
	uint32_t linger_ms;       /* waiting for the peer to read what was said last */
};

/* Rows of the table, and what struct conn_outcome and the counters name. */
enum net_limit {
	NET_LIMIT_NONE = 0,
	NET_LIMIT_LINE,
	NET_LIMIT_FIELD,
	NET_LIMIT_HEAD,
	NET_LIMIT_FIELDS,
	NET_LIMIT_BLANKS,
	NET_LIMIT_CONNS,
	NET_LIMIT_SOURCE,
	NET_LIMIT_REQUESTS,
	NET_LIMIT_BODY,
	NET_LIMIT_TURN_BYTES,
	NET_LIMIT_TURN_REQUESTS,
	NET_LIMIT_OWED,
	NET_LIMIT_ACCEPT_BATCH,
	NET_LIMIT_HANDSHAKE_BATCH,
	NET_LIMIT_HANDSHAKE_TIME,
	NET_LIMIT_HEAD_TIME,
	NET_LIMIT_BODY_TIME,
	NET_LIMIT_IDLE_TIME,
	NET_LIMIT_ANSWER_TIME,
	NET_LIMIT_STALL_TIME,
	NET_LIMIT_REPLY_TIME,
	NET_LIMIT_REPLY_RATE,
	NET_LIMIT_LINGER_TIME,
	NET_LIMIT_COUNT,
};

/* Defaults, in the table's order. */
void net_limits_default(struct net_limits *ret_limits);
/* FG_OK, or FG_EINVAL and the first row out of its range. */
int net_limits_check(const struct net_limits *limits, enum net_limit *ret_which);
/* "HTTP_LINE_MAX", "NET_IDLE_MS", ... */
const char *net_limits_name(enum net_limit limit);
/* One line of what it is for, for status and manual. */
const char *net_limits_reason(enum net_limit limit);
uint32_t net_limits_get(const struct net_limits *limits, enum net_limit limit);
/* For configuration; range is checked by net_limits_check. */
void net_limits_set(struct net_limits *limits, enum net_limit limit, uint32_t value);

#endif
