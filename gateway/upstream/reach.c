/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream/reach.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

static bool
listed(const struct msg_fetch *job, const struct cidr_addr *a)
{
	for (uint32_t i = 0; i < job->private_n; i++) {
		struct cidr c = { .bits = job->private_ok[i].bits, .set = true };
		memcpy(c.addr.b, job->private_ok[i].addr, sizeof c.addr.b);
		if (c.bits <= 128 && cidr_match(&c, a))
			return true;
	}
	return false;
}

bool
reach_allowed(const struct msg_fetch *job, const struct cidr_addr *a)
{
	return !cidr_addr_is_private(a) || listed(job, a);
}

bool
reach_address(const struct curl_sockaddr *to, struct cidr_addr *ret, uint16_t *ret_port)
{
	if (to->family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, &to->addr, sizeof in);
		*ret_port = ntohs(in.sin_port);
		return cidr_addr_from(&in.sin_addr, 4, ret);
	}
	struct sockaddr_in6 in;
	if (to->family != AF_INET6 || to->addrlen < sizeof in)
		return false;
	/* struct curl_sockaddr ends in a sockaddr that libcurl allocates long enough for IPv6. */
	memcpy(&in, (const char *)to + offsetof(struct curl_sockaddr, addr), sizeof in);
	*ret_port = ntohs(in.sin6_port);
	return cidr_addr_from(&in.sin6_addr, 16, ret);
}
