/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/net/net_peers.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "crypto/err.h"

#define BUCKETS_MIN 256u /* doubled whenever there are as many sources as buckets */
#define BUCKETS_MAX (1u << 20)

struct node {
	struct node *next;
	uint64_t hi, lo;
	uint32_t count;
};

struct net_peers {
	uint64_t k0, k1;
	struct node **buckets;
	size_t n_buckets; /* power of two */
	size_t n_nodes;
};

static uint64_t
rotl(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] = rotl(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] = rotl(v[2], 32);
}

/* SipHash-1-3 of the 16 bytes hi, lo. */
static size_t
bucket_of(const struct net_peers *p, uint64_t hi, uint64_t lo)
{
	uint64_t v[4] = { p->k0 ^ 0x736f6d6570736575, p->k1 ^ 0x646f72616e646f6d,
		p->k0 ^ 0x6c7967656e657261, p->k1 ^ 0x7465646279746573 };
	const uint64_t words[3] = { hi, lo, UINT64_C(16) << 56 };
	for (size_t i = 0; i < 3; i++) {
		v[3] ^= words[i];
		sip_round(v);
		v[0] ^= words[i];
	}
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return (size_t)(v[0] ^ v[1] ^ v[2] ^ v[3]) & (p->n_buckets - 1);
}

/* What is counted: the IPv4 address, or the first 64 bits of an IPv6 one. */
static void
key_of(const uint8_t addr[NET_PEERS_ADDR_LEN], uint64_t *hi, uint64_t *lo)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	memcpy(hi, addr, sizeof *hi);
	*lo = 0;
	if (memcmp(addr, mapped, sizeof mapped) == 0)
		memcpy(lo, addr + 8, sizeof *lo);
}

struct net_peers *
net_peers_new(void)
{
	struct net_peers *p = calloc(1, sizeof *p);
	uint64_t key[2];
	if (!p)
		return NULL;
	p->n_buckets = BUCKETS_MIN;
	p->buckets = calloc(p->n_buckets, sizeof *p->buckets);
	if (!p->buckets || getrandom(key, sizeof key, 0) != (ssize_t)sizeof key) {
		net_peers_free(p);
		return NULL;
	}
	p->k0 = key[0];
	p->k1 = key[1];
	return p;
}

void
net_peers_free(struct net_peers *p)
{
	if (!p)
		return;
	for (size_t i = 0; p->buckets && i < p->n_buckets; i++) {
		while (p->buckets[i]) {
			struct node *node = p->buckets[i];
			p->buckets[i] = node->next;
			free(node);
		}
	}
	free(p->buckets);
	free(p);
}

/* Where the node of that key hangs, or the NULL at the end of its chain. */
static struct node **
find(struct net_peers *p, uint64_t hi, uint64_t lo)
{
	struct node **at = &p->buckets[bucket_of(p, hi, lo)];
	while (*at && ((*at)->hi != hi || (*at)->lo != lo))
		at = &(*at)->next;
	return at;
}

/* Longer chains are slower, not wrong: no memory for growth is no failure. */
static void
grow(struct net_peers *p)
{
	size_t old_n = p->n_buckets;
	struct node **old = p->buckets, **fresh;
	if (p->n_nodes < old_n || old_n >= BUCKETS_MAX)
		return;
	fresh = calloc(old_n * 2, sizeof *fresh);
	if (!fresh)
		return;
	p->buckets = fresh;
	p->n_buckets = old_n * 2;
	for (size_t i = 0; i < old_n; i++) {
		while (old[i]) {
			struct node *node = old[i];
			old[i] = node->next;
			struct node **at = &fresh[bucket_of(p, node->hi, node->lo)];
			node->next = *at;
			*at = node;
		}
	}
	free(old);
}

int
net_peers_enter(struct net_peers *p, const uint8_t addr[NET_PEERS_ADDR_LEN], uint32_t max)
{
	uint64_t hi, lo;
	key_of(addr, &hi, &lo);
	struct node **at = find(p, hi, lo);
	if (*at) {
		if ((*at)->count >= max)
			return FG_ELIMIT;
		(*at)->count++;
		return FG_OK;
	}
	if (max == 0)
		return FG_ELIMIT;
	struct node *node = calloc(1, sizeof *node);
	if (!node)
		return FG_ENOMEM;
	*node = (struct node){ .hi = hi, .lo = lo, .count = 1 };
	*at = node;
	p->n_nodes++;
	grow(p);
	return FG_OK;
}

void
net_peers_leave(struct net_peers *p, const uint8_t addr[NET_PEERS_ADDR_LEN])
{
	uint64_t hi, lo;
	key_of(addr, &hi, &lo);
	struct node **at = find(p, hi, lo);
	if (!*at)
		abort(); /* never entered */
	if (--(*at)->count > 0)
		return;
	struct node *node = *at;
	*at = node->next;
	free(node);
	p->n_nodes--;
}

size_t
net_peers_sources(const struct net_peers *p)
{
	return p->n_nodes;
}
