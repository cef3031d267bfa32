/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/cidr.h"

#include <arpa/inet.h>
#include <stdio.h>

static const uint8_t v4_mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static bool
is_v4(const struct cidr_addr *a)
{
	return memcmp(a->b, v4_mapped, sizeof v4_mapped) == 0;
}

bool
cidr_addr_from(const void *bytes, size_t n, struct cidr_addr *ret)
{
	if (n == 16) {
		memcpy(ret->b, bytes, 16);
		return true;
	}
	if (n != 4)
		return false;
	memcpy(ret->b, v4_mapped, 12);
	memcpy(ret->b + 12, bytes, 4);
	return true;
}

bool
cidr_addr_parse(struct view text, struct cidr_addr *ret)
{
	char s[INET6_ADDRSTRLEN];
	uint8_t raw[16];
	if (text.n == 0 || text.n >= sizeof s || memchr(text.p, '\0', text.n))
		return false;
	memcpy(s, text.p, text.n);
	s[text.n] = '\0';
	if (inet_pton(AF_INET, s, raw) == 1)
		return cidr_addr_from(raw, 4, ret);
	return inet_pton(AF_INET6, s, raw) == 1 && cidr_addr_from(raw, 16, ret);
}

void
cidr_addr_text(const struct cidr_addr *a, char out[CIDR_TEXT_MAX])
{
	bool ok = is_v4(a) ? inet_ntop(AF_INET, a->b + 12, out, CIDR_TEXT_MAX) != NULL
			   : inet_ntop(AF_INET6, a->b, out, CIDR_TEXT_MAX) != NULL;
	if (!ok)
		out[0] = '\0';
}

/* One to three digits without a leading zero, at most max; -1 otherwise. */
static int
prefix_length(struct view text, int max)
{
	int bits = 0;
	if (text.n == 0 || text.n > 3 || (text.n > 1 && text.p[0] == '0'))
		return -1;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return -1;
		bits = bits * 10 + (text.p[i] - '0');
	}
	return bits <= max ? bits : -1;
}

/* The first `bits` bits of both are equal. */
static bool
same_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	if (memcmp(a, b, bits / 8) != 0)
		return false;
	if (bits % 8 == 0)
		return true;
	uint8_t mask = (uint8_t)(0xff << (8 - bits % 8));
	return ((a[bits / 8] ^ b[bits / 8]) & mask) == 0;
}

bool
cidr_parse(struct view text, struct cidr *ret)
{
	struct cidr c = { .bits = 128, .set = true };
	const uint8_t *slash = text.n ? memchr(text.p, '/', text.n) : NULL;
	size_t n = slash ? (size_t)(slash - text.p) : text.n;
	if (!cidr_addr_parse(view_of(text.p, n), &c.addr))
		return false;
	if (slash) {
		/* Family by spelling: "::ffff:1.2.3.4/104" counts all 128 bits. */
		bool v4 = memchr(text.p, ':', n) == NULL;
		int bits = prefix_length(view_of(slash + 1, text.n - n - 1), v4 ? 32 : 128);
		if (bits < 0)
			return false;
		c.bits = (uint8_t)(v4 ? bits + 96 : bits);
	}
	for (unsigned i = c.bits; i < 128; i++)
		if (c.addr.b[i / 8] & (0x80 >> i % 8))
			return false;
	*ret = c;
	return true;
}

void
cidr_text(const struct cidr *c, char out[CIDR_TEXT_MAX])
{
	bool v4 = is_v4(&c->addr) && c->bits >= 96;
	cidr_addr_text(&c->addr, out);
	size_t n = strlen(out);
	snprintf(out + n, CIDR_TEXT_MAX - n, "/%u", v4 ? c->bits - 96u : c->bits);
}

bool
cidr_match(const struct cidr *c, const struct cidr_addr *a)
{
	return c->set && same_prefix(c->addr.b, a->b, c->bits);
}

struct reserved {
	uint8_t addr[16];
	uint8_t bits;
};

static const struct reserved reserved_v4[] = {
	{ { 0 }, 8 },                /* "this network" */
	{ { 10 }, 8 },               /* RFC 1918 */
	{ { 100, 64 }, 10 },         /* RFC 6598 shared */
	{ { 127 }, 8 },              /* loopback */
	{ { 169, 254 }, 16 },        /* link-local, cloud metadata services */
	{ { 172, 16 }, 12 },         /* RFC 1918 */
	{ { 192, 0, 0 }, 24 },       /* IETF protocol assignments */
	{ { 192, 0, 2 }, 24 },       /* documentation */
	{ { 192, 88, 99 }, 24 },     /* former 6to4 relay */
	{ { 192, 168 }, 16 },        /* RFC 1918 */
	{ { 198, 18 }, 15 },         /* benchmarking */
	{ { 198, 51, 100 }, 24 },    /* documentation */
	{ { 203, 0, 113 }, 24 },     /* documentation */
	{ { 224 }, 3 },              /* multicast, class E, broadcast */
};

static bool
v4_private(const uint8_t b[4])
{
	for (size_t i = 0; i < sizeof reserved_v4 / sizeof *reserved_v4; i++)
		if (same_prefix(reserved_v4[i].addr, b, reserved_v4[i].bits))
			return true;
	return false;
}

bool
cidr_addr_is_private(const struct cidr_addr *a)
{
	static const uint8_t nat64[12] = { 0, 0x64, 0xff, 0x9b };
	static const uint8_t documentation[4] = { 0x20, 0x01, 0x0d, 0xb8 };
	static const uint8_t teredo[4] = { 0x20, 0x01, 0, 0 };
	if (is_v4(a) || memcmp(a->b, nat64, sizeof nat64) == 0)
		return v4_private(a->b + 12);
	if (a->b[0] == 0x20 && a->b[1] == 0x02) /* 6to4 carries an IPv4 address */
		return v4_private(a->b + 2);
	if (memcmp(a->b, documentation, 4) == 0 || memcmp(a->b, teredo, 4) == 0)
		return true;
	/* Only 2000::/3 is global unicast today; everything else is not the Internet. */
	return (a->b[0] & 0xe0) != 0x20;
}
