/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/net/net_limits.h"

#include <stdlib.h>

#include "crypto/err.h"

#define MINUTE_MS 60000u
#define DAY_MS (24 * 60 * MINUTE_MS)

struct row {
	const char *name;
	size_t offset;
	uint32_t value, min, max;
	const char *reason;
};

#define AT(member) offsetof(struct net_limits, member)

static const struct row rows[NET_LIMIT_COUNT] = {
	[NET_LIMIT_LINE] = { "HTTP_LINE_MAX", AT(http.line_max), HTTP_LINE_MAX, 256,
	    HTTP_HEAD_CEILING, "request line; known clients build at most 2 KiB" },
	[NET_LIMIT_FIELD] = { "HTTP_FIELD_MAX", AT(http.field_max), HTTP_FIELD_MAX, 256,
	    HTTP_HEAD_CEILING, "one header line; a bearer token is about 1.5 KiB" },
	[NET_LIMIT_HEAD] = { "HTTP_HEAD_MAX", AT(http.head_max), HTTP_HEAD_MAX, 512,
	    HTTP_HEAD_CEILING, "whole request head; memory while a request is read" },
	[NET_LIMIT_FIELDS] = { "HTTP_FIELDS_MAX", AT(http.fields_max), HTTP_FIELDS_MAX, 16,
	    HTTP_FIELDS_MAX, "header lines" },
	[NET_LIMIT_BLANKS] = { "HTTP_BLANKS_MAX", AT(http.blanks_max), HTTP_BLANKS_MAX, 1, 64,
	    "empty lines before a request" },
	[NET_LIMIT_CONNS] = { "NET_CONNS_MAX", AT(conns_max), 16384, 1, 1u << 20,
	    "connections in all; more wait in the backlog" },
	[NET_LIMIT_SOURCE] = { "NET_SOURCE_MAX", AT(source_max), 4096, 1, 1u << 20,
	    "connections of one address; a carrier's NAT shows thousands of modules as one" },
	[NET_LIMIT_REQUESTS] = { "NET_REQUESTS_MAX", AT(requests_max), 100000, 1, UINT32_MAX,
	    "requests on one connection; 2 KiB ranges need 32,768 for 64 MiB" },
	[NET_LIMIT_BODY] = { "NET_BODY_MAX", AT(body_max), 65536, 0, 16u << 20,
	    "request body read to keep a connection; status reports are up to 7 KiB" },
	[NET_LIMIT_TURN_BYTES] = { "NET_TURN_BYTES", AT(turn_bytes), 2u << 20, 4096, 64u << 20,
	    "bytes for one fast reader before the others' turn" },
	[NET_LIMIT_TURN_REQUESTS] = { "NET_TURN_REQUESTS", AT(turn_requests), 16, 1, 1u << 16,
	    "pipelined requests before the others' turn" },
	[NET_LIMIT_OWED] = { "NET_OWED_MAX", AT(owed_max), 32u << 20, 65536, 1u << 30,
	    "TLS records that sockets did not take; beyond, they are made only where the kernel has room" },
	[NET_LIMIT_ACCEPT_BATCH] = { "NET_ACCEPT_BATCH", AT(accept_batch), 64, 1, 4096,
	    "new connections before the others' turn" },
	[NET_LIMIT_HANDSHAKE_BATCH] = { "NET_HANDSHAKE_BATCH", AT(handshake_batch), 16, 1, 4096,
	    "steps of TLS handshakes before the others' turn; 16 signatures of RSA-2048 are 5 ms" },
	[NET_LIMIT_HANDSHAKE_TIME] = { "NET_HANDSHAKE_MS", AT(handshake_ms), MINUTE_MS, 100, DAY_MS,
	    "TLS handshake; four flights over a 2G link" },
	[NET_LIMIT_HEAD_TIME] = { "NET_HEAD_MS", AT(head_ms), MINUTE_MS, 100, DAY_MS,
	    "request head, however it is dribbled" },
	[NET_LIMIT_BODY_TIME] = { "NET_BODY_MS", AT(body_ms), 2 * MINUTE_MS, 100, DAY_MS,
	    "request body" },
	[NET_LIMIT_IDLE_TIME] = { "NET_IDLE_MS", AT(idle_ms), 2 * MINUTE_MS, 100, DAY_MS,
	    "between requests; modules erase flash between two ranges" },
	[NET_LIMIT_ANSWER_TIME] = { "NET_ANSWER_MS", AT(answer_ms), MINUTE_MS / 2, 100, DAY_MS,
	    "a grant that does not come; modules give up after 4 to 30 s themselves" },
	[NET_LIMIT_STALL_TIME] = { "NET_STALL_MS", AT(stall_ms), 5 * MINUTE_MS, 100, DAY_MS,
	    "reader that takes nothing; modules pause for minutes out of coverage" },
	[NET_LIMIT_REPLY_TIME] = { "NET_REPLY_MS", AT(reply_ms), 15 * MINUTE_MS, 100, DAY_MS,
	    "whole response, on top of its length at NET_REPLY_RATE" },
	[NET_LIMIT_REPLY_RATE] = { "NET_REPLY_RATE", AT(reply_rate), 64, 1, 1u << 20,
	    "bytes a second; a 20 kbit/s link does 2,500" },
	[NET_LIMIT_LINGER_TIME] = { "NET_LINGER_MS", AT(linger_ms), 5000, 100, MINUTE_MS,
	    "letting the peer read the last answer before its unread bytes turn closing into a reset" },
};

static const struct row *
row_of(enum net_limit limit)
{
	if (limit <= NET_LIMIT_NONE || limit >= NET_LIMIT_COUNT)
		abort();
	return &rows[limit];
}

uint32_t
net_limits_get(const struct net_limits *limits, enum net_limit limit)
{
	uint32_t value;
	memcpy(&value, (const uint8_t *)limits + row_of(limit)->offset, sizeof value);
	return value;
}

void
net_limits_set(struct net_limits *limits, enum net_limit limit, uint32_t value)
{
	memcpy((uint8_t *)limits + row_of(limit)->offset, &value, sizeof value);
}

void
net_limits_default(struct net_limits *ret_limits)
{
	*ret_limits = (struct net_limits){ 0 };
	for (enum net_limit i = NET_LIMIT_NONE + 1; i < NET_LIMIT_COUNT; i++)
		net_limits_set(ret_limits, i, rows[i].value);
}

int
net_limits_check(const struct net_limits *limits, enum net_limit *ret_which)
{
	for (enum net_limit i = NET_LIMIT_NONE + 1; i < NET_LIMIT_COUNT; i++) {
		uint32_t value = net_limits_get(limits, i);
		if (value < rows[i].min || value > rows[i].max) {
			*ret_which = i;
			return FG_EINVAL;
		}
	}
	return FG_OK;
}

const char *
net_limits_name(enum net_limit limit)
{
	return limit == NET_LIMIT_NONE ? "none" : row_of(limit)->name;
}

const char *
net_limits_reason(enum net_limit limit)
{
	return limit == NET_LIMIT_NONE ? "" : row_of(limit)->reason;
}
