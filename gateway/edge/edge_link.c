/* SPDX-License-Identifier: Apache-2.0 */
/* edge_link - requests by a short URL: what they ask for stands in the table, not in the request. */
#include <stdio.h>
#include <string.h>

#include "crypto/err.h"
#include "gateway/edge/edge_private.h"

static bool
allowed_at(const struct profile *p, const char *listener)
{
	for (unsigned i = 0; p->short_urls && i < p->listeners_n; i++)
		if (!strcmp(p->listeners[i], listener))
			return true;
	return false;
}

/* What the release is about and what the inventory says of the module stand in for the request's own words. */
static void
fill(struct edge *e, const struct profile *profile)
{
	const struct table_link *l = &e->by_link.link;
	const struct stock_item *item = stock_find(e->stock, l->release);
	struct route *r = &e->route;
	*r = (struct route){ .identified = true, .hit.profile = profile };
	/* Without its release nothing is offered; the profile's "not now" is the answer to that too. */
	if (!item)
		return;
	const struct approval_terms *t = &stock_record(item)->terms;
	const char *product = e->by_link.module.product[0] ? e->by_link.module.product : t->product;
	memcpy(r->resource, t->resource, sizeof r->resource);
	/* One that does not fit is no product of any release: held, never cut. */
	if ((size_t)snprintf(r->product, sizeof r->product, "%s", product) >= sizeof r->product)
		r->product[0] = '\0';
}

int
edge_link_route(struct edge *e, const char *listener, const struct http_request *req)
{
	struct view token;
	uint8_t digest[DIGEST_SHA256_LEN];
	e->by_link.is = false;
	if (!e->table || req->query.n || !link_parse(req->path, &token))
		return FG_ENOTFOUND;
	int err = link_digest(token, digest);
	if (err)
		return err;
	if (!table_find_link(e->table, digest, &e->by_link.link, &e->by_link.module))
		return FG_ENOTFOUND;
	const struct profile *profile = config_profile(e->config, view_str(e->by_link.link.profile));
	if (!profile || !allowed_at(profile, listener))
		return FG_ENOTFOUND;
	e->by_link.is = true;
	fill(e, profile);
	return FG_OK;
}

bool
edge_link_expired(const struct edge *e)
{
	int64_t wall = clock_wall_us(e->clock), boot = clock_mono_ms(e->clock) * 1000;
	return clockwatch_seconds(clockwatch_latest(&e->watch, wall, boot)) >= e->by_link.link.not_after;
}
