/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peers - the warden's channels without an event loop: non-blocking sockets, a
 * bounded outbox each, one poll(2) for all. A peer that reads slower than its
 * outbox allows is dropped; the supervisor wires it again.
 */
#ifndef FG_GATEWAY_WARDEN_PEERS_H
#define FG_GATEWAY_WARDEN_PEERS_H

#include "gateway/wire/msg.h"

#define PEERS_MAX 68        /* 64 edges, control, audit, supervisor, one spare */
#define PEERS_OUTBOX_MAX 1024 /* frames; every release to one edge, and withdrawals */

struct peers;

struct peers_event {
	enum msg_role role;
	unsigned index;
	bool closed;             /* the peer is gone; frame is empty */
	struct wire_frame frame; /* else one frame; body lives until the next call */
};

struct peers *peers_new(void);
void peers_free(struct peers *p);
/* Takes fd; replaces an older channel to the same peer. 0, FG_ELIMIT or FG_ENOMEM. */
int peers_add(struct peers *p, enum msg_role role, unsigned index, int fd);
bool peers_up(const struct peers *p, enum msg_role role, unsigned index);
/* Ends a peer that broke the contract; reported once as closed. */
void peers_drop(struct peers *p, enum msg_role role, unsigned index);
/* Sends or queues; descriptors stay the caller's. FG_EAGAIN when the peer is away or was dropped. */
int peers_send(struct peers *p, enum msg_role role, unsigned index, unsigned type, const void *msg, const int *fds,
    unsigned fds_n);
/* To every edge that is up. */
void peers_send_edges(struct peers *p, unsigned type, const void *msg, const int *fds, unsigned fds_n);
/*
 * Waits up to timeout_ms (-1 for ever) and returns 1 with the next event, 0 on
 * timeout, or FG_EIO. The caller owns descriptors in the frame.
 */
int peers_wait(struct peers *p, int timeout_ms, struct peers_event *ret);

#endif
