/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_peers - how many connections each source address has.
 * Role: net's cap per source. Keyed hash, since the addresses are the
 * attacker's to choose; memory is one small node a source with connections.
 * IPv6 is counted by /64: a host has all of one.
 */
#ifndef FG_NET_NET_PEERS_H
#define FG_NET_NET_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_PEERS_ADDR_LEN 16 /* IPv6, or IPv4 mapped into it */

struct net_peers;

/* Random key from the kernel; NULL: no memory or no randomness. */
struct net_peers *net_peers_new(void);
void net_peers_free(struct net_peers *peers);
/* Counts one more unless there are max already. 0, FG_ELIMIT or FG_ENOMEM. */
int net_peers_enter(struct net_peers *peers, const uint8_t addr[NET_PEERS_ADDR_LEN], uint32_t max);
/* Undoes one successful enter. */
void net_peers_leave(struct net_peers *peers, const uint8_t addr[NET_PEERS_ADDR_LEN]);
size_t net_peers_sources(const struct net_peers *peers);

#endif
