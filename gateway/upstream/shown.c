/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream/shown.h"

#include <stdio.h>
#include <string.h>

#include <curl/curl.h>

#include "crypto/hex.h"
#include "policy/transport.h"

bool
shown_place(const char *url, char out[MSG_PLACE_MAX])
{
	CURLU *u = curl_url();
	char *scheme = NULL, *host = NULL, *port = NULL;
	int n = -1;
	size_t at;
	unsigned usual = transport_port(transport_of(view_str(url), &at));
	/* libcurl's own idea of a port is for what a redirect may name beside what is fetched. */
	if (u && curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
		if (curl_url_get(u, CURLUPART_PORT, &port, usual ? 0 : CURLU_DEFAULT_PORT) == CURLUE_OK)
			n = snprintf(out, MSG_PLACE_MAX, "%s://%s:%s", scheme, host, port);
		else if (usual)
			n = snprintf(out, MSG_PLACE_MAX, "%s://%s:%u", scheme, host, usual);
	}
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(u);
	for (char *p = out; n > 0 && *p; p++) {
		/* A host's letters have no case (RFC 3986 6.2.2.1). */
		*p = (char)(*p >= 'A' && *p <= 'Z' ? *p | 0x20 : *p);
	}
	return n > 0 && n < MSG_PLACE_MAX;
}

static bool
add(struct msg_shown *list, uint32_t *n, enum msg_shown_kind kind, const char *place, const char *value)
{
	for (uint32_t i = 0; i < *n; i++) {
		const struct msg_shown *s = &list[i];
		if (s->kind == kind && !strcmp(s->place, place) && !strcmp(s->value, value))
			return true;
	}
	if (*n == MSG_SHOWN_MAX)
		return false;
	struct msg_shown *s = &list[(*n)++];
	*s = (struct msg_shown){ .kind = (uint8_t)kind };
	snprintf(s->place, sizeof s->place, "%s", place);
	snprintf(s->value, sizeof s->value, "%s", value);
	return true;
}

static bool
add_hop(const struct provenance_hop *h, struct msg_shown *list, uint32_t *n)
{
	char place[MSG_PLACE_MAX], to[MSG_PLACE_MAX], key[2 * DIGEST_SHA256_LEN + 1];
	bool all = true;
	if (!shown_place(h->url, place))
		return true;
	if (h->have_key) {
		hex_encode(h->key, DIGEST_SHA256_LEN, key);
		all = add(list, n, h->refused ? MSG_SHOWN_REFUSED : MSG_SHOWN_KEY, place, key);
	}
	bool led = h->to[0] && shown_place(h->to, to) && strcmp(to, place);
	/* Images often lie on a CDN where signatures do not. */
	char what[MSG_PLACE_MAX];
	if (snprintf(what, sizeof what, "%s%s", place, h->signature ? SHOWN_SIGNATURES : "") >= (int)sizeof what)
		return all;
	if (led)
		return add(list, n, MSG_SHOWN_REDIRECT, what, to) && all;
	/* FTP leads nowhere; its file came with 226 or 250 (RFC 959 4.2.1). */
	if (h->status == 200 || h->status == 206 || h->status == 226 || h->status == 250)
		return add(list, n, MSG_SHOWN_REDIRECT, what, "") && all;
	return all;
}

bool
shown_fill(const struct provenance *p, struct msg_shown *list, uint32_t *ret_n)
{
	bool all = !p->shown_more;
	memcpy(list, p->shown, sizeof p->shown);
	*ret_n = p->shown_n;
	for (unsigned i = 0; i < p->hops_n; i++)
		all = add_hop(&p->hop[i], list, ret_n) && all;
	return all;
}

void
shown_note(struct provenance *p)
{
	/* The first hop stays; it is said first all the same. */
	for (unsigned i = 0; i < 2; i++) {
		if (!add_hop(&p->hop[i], p->shown, &p->shown_n))
			p->shown_more = true;
	}
}
