/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cidr - network addresses and prefixes as text and as bits.
 * Role: class C identities, `networks` and `allow_private` of a profile; asked
 * by edges (source address), by upstream (resolved vendor address) and by the
 * configuration check. Guarantees: one 16-byte form for both families (IPv4 is
 * ::ffff:a.b.c.d, RFC 4291 2.5.5.2), so that a v4 client on a v6 socket is the
 * same client; no allocation, no resolver.
 */
#ifndef FG_POLICY_CIDR_H
#define FG_POLICY_CIDR_H

#include "crypto/view.h"

#define CIDR_TEXT_MAX 64 /* "xxxx:...:xxxx/128" and its NUL, rounded up */

struct cidr_addr {
	uint8_t b[16];
};

struct cidr {
	struct cidr_addr addr;
	uint8_t bits; /* 0..128 over the 16-byte form: an IPv4 /24 is 120 */
	bool set;     /* false matches nothing: a zeroed prefix is not ::/0 */
};

/* From network-order bytes of a socket address: n is 4 or 16; anything else is false. */
bool cidr_addr_from(const void *bytes, size_t n, struct cidr_addr *ret);
/* Dotted quad or RFC 4291 text; no port, no brackets, no zone. */
bool cidr_addr_parse(struct view text, struct cidr_addr *ret);
/* Canonical text (dotted quad, or RFC 5952); always terminated. */
void cidr_addr_text(const struct cidr_addr *a, char out[CIDR_TEXT_MAX]);
/*
 * "192.0.2.0/24", "2001:db8::/32", or a bare address (then one host). Bits
 * beyond the prefix must be zero: 10.0.0.1/8 is more likely a slip than a wish.
 */
bool cidr_parse(struct view text, struct cidr *ret);
void cidr_text(const struct cidr *c, char out[CIDR_TEXT_MAX]);
bool cidr_match(const struct cidr *c, const struct cidr_addr *a);
/*
 * Not an address of the public unicast Internet: private, shared, loopback,
 * link-local, multicast, documentation, translation prefixes whose inside is
 * any of these (RFC 6890, 6598, 6052, 3056). The upstream fetcher refuses such
 * targets unless the profile lists them.
 */
bool cidr_addr_is_private(const struct cidr_addr *a);

#endif
