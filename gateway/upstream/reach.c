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
reach_forbids(const struct msg_fetch *job, const char *url, char text[CIDR_TEXT_MAX])
{
	CURLU *u = curl_url();
	char *host = NULL;
	struct cidr_addr a;
	bool forbidden = false;
	/* Whatever the scheme: the host is what counts. */
	if (u && curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
		struct view v = view_str(host);
		if (v.n > 2 && v.p[0] == '[' && v.p[v.n - 1] == ']')
			v = view_of(v.p + 1, v.n - 2);
		forbidden = cidr_addr_parse(v, &a) && !reach_allowed(job, &a);
	}
	if (forbidden)
		cidr_addr_text(&a, text);
	curl_free(host);
	curl_url_cleanup(u);
	return forbidden;
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
