/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net - the HTTP engine of one process: connections, their limits, one timer.
 * Role: an edge makes one on its event base, hands it listeners, answers what
 * on_request brings (net/conn.h) and hears how it went. One thread.
 * Guarantees: all callbacks come from the event loop, never from inside a call
 * into the engine; each connection gets exactly one on_close; each reply the
 * engine accepted gets exactly one on_sent, before that on_close. After
 * on_close the connection is gone and its id never comes back.
 */
#ifndef FG_NET_NET_H
#define FG_NET_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/net/net_limits.h"

#define NET_SWEEP_MS 250      /* how late a deadline may be noticed */
#define NET_ADDR_LEN 16       /* IPv6, or IPv4 mapped into it */

struct conn;
struct conn_outcome;
struct event_base;
struct net;
struct share_tree;
struct sockaddr;
struct tls;

struct net_clock {
	int64_t (*mono_ms)(void *ctx); /* for deadlines: never goes back */
	int64_t (*wall_s)(void *ctx);  /* for Date and certificates */
	void *ctx;
};

struct net_callbacks {
	/*
	 * A complete request. Answer now or later with conn_reply (net/conn.h),
	 * conn_reset or conn_close_silently; hold conn_id across waits. The
	 * request stays valid until one of them is called.
	 */
	void (*on_request)(void *ctx, struct conn *conn, const struct http_request *request);
	/*
	 * Bytes of a request's body as they come, decoded when it is chunked, all of
	 * them before its on_request, never more than body_max. A body that turns
	 * out malformed or too long has no on_request; the connection ends. To be taken
	 * note of, not to be answered. Optional: without it bodies are thrown away.
	 */
	void (*on_body)(void *ctx, struct conn *conn, struct view bytes);
	/* An accepted reply has ended, well or not. Optional. */
	void (*on_sent)(void *ctx, struct conn *conn, const struct conn_outcome *outcome);
	/* The last word about a connection. Optional. */
	void (*on_close)(void *ctx, struct conn *conn, const struct conn_outcome *outcome);
	/* After net_stop, when the last connection is gone. Optional. */
	void (*on_stopped)(void *ctx);
	void *ctx;
};

struct net_counters {
	uint64_t conns;            /* now */
	uint64_t accepted;
	uint64_t requests;
	uint64_t replies;          /* complete */
	uint64_t bytes;            /* of bodies, handed to the kernel */
	uint64_t resets;           /* by us */
	uint64_t handshake_faults;
	uint64_t owed;             /* bytes, now: TLS records that sockets did not take */
	uint64_t paced;            /* times that a connection waited for its turn */
	uint64_t accept_pauses;    /* descriptor or connection limit reached */
	uint64_t limits[NET_LIMIT_COUNT];
	uint64_t faults[HTTP_FAULT_COUNT];
};

/* How a connection came in. */
struct net_origin {
	struct tls *tls;      /* borrowed; NULL: plain */
	enum http_mode mode;
	uint32_t tag;         /* the owner's: which listener */
};

/*
 * base is borrowed, the rest copied. 0, FG_EINVAL (limits) or FG_ENOMEM.
 */
int net_new(struct event_base *base, const struct net_clock *clock, const struct net_limits *limits,
    const struct net_callbacks *callbacks, struct net **ret_net);
/*
 * Resets every connection (with its callbacks) and frees every listener. Not
 * from inside a callback, and before its event base.
 */
void net_free(struct net *net);
/*
 * Takes a connected, non-blocking TCP socket, also on failure: FG_ELIMIT (cap
 * reached), FG_ENOMEM. Listeners call it; tests do.
 */
int net_adopt(struct net *net, int fd, const struct sockaddr *peer, const struct net_origin *origin);
/*
 * Graceful end: listeners stop, idle connections close, running requests are
 * answered with Connection: close, whatever is left after grace_ms is reset.
 */
void net_stop(struct net *net, uint32_t grace_ms);
/* Acts on deadlines that have passed. The engine's timer calls it. */
void net_sweep(struct net *net);
/* Borrowed. */
const struct net_counters *net_counters(const struct net *net);
/* New limits for what happens from now on. 0 or FG_EINVAL. */
int net_set_limits(struct net *net, const struct net_limits *limits);
/* The tree that connections' shares are of. Borrowed until net_free; to be set once. */
void net_set_shares(struct net *net, struct share_tree *tree);
/*
 * Field lines (http_reply_extra_ok, else it aborts) that the engine's own refusals carry; borrowed
 * until net_free. Without: none.
 */
void net_set_extra(struct net *net, struct view lines);
/*
 * From now on what was read and written is wiped once it is done with: for requests with passwords and answers with
 * secrets, which otherwise lie about in spare buffers. Costs some microseconds for each.
 */
void net_set_wiping(struct net *net);
/* Calls fn for each live connection; it may reset or close any of them. */
void net_each(struct net *net, void (*fn)(void *ctx, struct conn *conn), void *ctx);

#endif
