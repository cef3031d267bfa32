/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan - one channel to another role on the event loop: bounded out-queue,
 * typed dispatch, and the table of what may arrive now.
 * Guarantees: a message outside the table, in the wrong phase or malformed
 * closes the channel (the peer is broken or taken over) and is reported once
 * through on_close; handlers get decoded structs; descriptors a handler does
 * not take are closed.
 */
#ifndef FG_GATEWAY_ROLE_CHAN_H
#define FG_GATEWAY_ROLE_CHAN_H

#include <event2/event.h>

#include "gateway/wire/msg.h"

#define CHAN_QUEUE_MAX 4096          /* frames waiting for a slow peer; more closes the channel */
#define CHAN_QUEUE_BYTES_MAX (8u << 20)

struct chan;

/* Phases are bits a role gives a meaning of its own; most have one. */
#define CHAN_ALWAYS (~0u)

struct chan_rule {
	uint16_t type;
	unsigned phases; /* bits in which it may arrive */
	/* msg is the struct of that type; its views and frame live until return. */
	void (*handle)(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame);
};

struct chan_ops {
	const struct chan_rule *rules; /* const table, outlives the channel */
	unsigned rules_n;
	/*
	 * The channel is dead: FG_ENOTFOUND peer closed, FG_EPEER contract broken,
	 * FG_EIO, FG_ELIMIT queue full. Called once, from the loop; the owner may
	 * chan_free() inside.
	 */
	void (*on_close)(void *ctx, struct chan *c, int why);
};

/* Takes fd. NULL on no memory (fd closed). */
struct chan *chan_new(struct event_base *base, int fd, const struct chan_ops *ops, void *ctx);
void chan_free(struct chan *c);
/*
 * Gives the end of the channel to on_close(owner, ...) instead of the table's
 * on_close(ctx, ...): for one table over many channels, each with an owner.
 */
void chan_set_close(struct chan *c, void (*on_close)(void *owner, struct chan *c, int why),
    void *owner);
/* Who is at the other end, as set by the owner; for logs and dispatch. */
void chan_set_peer(struct chan *c, enum msg_role role, unsigned index);
enum msg_role chan_peer_role(const struct chan *c);
unsigned chan_peer_index(const struct chan *c);
void chan_set_phase(struct chan *c, unsigned phase_bits);
/*
 * Encodes and sends or queues. fds stay the caller's (duplicated when queued).
 * 0; FG_ELIMIT when the queue is full (the channel then dies from the loop);
 * FG_ESTATE when it is already dead, or the peer reads no more (what it sent
 * before is still handled, then on_close). Aborts on a wrong number of fds. NULL c gives FG_EAGAIN: the peer is away.
 */
int chan_send(struct chan *c, unsigned type, const void *msg, const int *fds, unsigned fds_n);
/* Whether frames are left unread for now: the peer's own queue fills. What is being handled is handled. */
void chan_pause(struct chan *c, bool paused);
/* Frames waiting. */
unsigned chan_queued(const struct chan *c);

#endif
