/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listener - accepts connections from a socket that somebody else has bound.
 * Role: the edge makes one a listening descriptor the supervisor handed over, the
 * console one of TCP and one of a unix socket.
 * Accepts in batches; at the descriptor limit it pauses and lets the kernel's
 * backlog hold, instead of spinning on a readable socket.
 */
#ifndef FG_NET_LISTENER_H
#define FG_NET_LISTENER_H

#include "gateway/net/net.h"

#define LISTENER_PAUSE_MS 100      /* after EMFILE and its kin */
#define LISTENER_MIND_MS 250       /* a module's first byte comes late by at most this when its edge is away */
#define LISTENER_LOWAT (16 * 1024) /* TCP_NOTSENT_LOWAT: unsent bytes the kernel holds a connection */

struct listener;

/*
 * Takes fd (listening TCP), also on failure; origin->tls gets a reference.
 * Owned by net, freed with it. 0, FG_EINVAL (not a listening TCP socket), FG_ENOMEM.
 */
int listener_new(struct net *net, int fd, const struct net_origin *origin,
    struct listener **ret_listener);
/* The same for a listening unix stream socket: all who come by it have the address zero. */
int listener_new_unix(struct net *net, int fd, const struct net_origin *origin, struct listener **ret_listener);
/*
 * As listener_new, for a socket that another process accepts from: looked at
 * every LISTENER_MIND_MS only, so that nobody waits in its queue while that
 * process is away, and so that it gets its connections while it is there.
 */
int listener_mind(struct net *net, int fd, const struct net_origin *origin, struct listener **ret_listener);
/* Stops and closes it before net goes. Its connections live on. */
void listener_free(struct listener *listener);
/* For connections from now on (certificate reload); tls borrowed as in net_origin. */
void listener_set_tls(struct listener *listener, struct tls *tls);
/* Not accepting just now, for want of descriptors or connections, or stopped. */
bool listener_is_paused(const struct listener *listener);

#endif
