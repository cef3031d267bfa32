/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edge_recall - the way of a module's second and thirty thousandth range, on the
 * same connection or on one each: what the first one cost to route and decide is
 * not paid again. Nothing is kept that could outlive its reasons: a new table or
 * configuration, a lease that has run out, a window that closes, a sighting that
 * is due, all lead to the long way.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/edge/edge_private.h"

/*
 * Keyed, so that nobody can make another request's; all bytes of the head from
 * method to last field but the one Range. 0 when there are several: the long way.
 */
static uint64_t
print_of(const struct edge *e, const struct http_request *req)
{
	const struct http_field *range = NULL;
	if (!req->n_fields)
		return 0;
	for (size_t i = 0; i < req->n_fields; i++) {
		if (!http_head_is(req->fields[i].name, "range"))
			continue;
		if (range)
			return 0;
		range = &req->fields[i];
	}
	const uint8_t *start = req->method_name.p;
	const struct view last = req->fields[req->n_fields - 1].value;
	size_t n = (size_t)(last.p + last.n - start), before = n, after = n;
	if (range) {
		before = (size_t)(range->name.p - start);
		after = (size_t)(range->value.p + range->value.n - start);
	}
	const uint64_t parts[3] = { before, siphash_24(e->seed, view_of(start, before)),
		siphash_24(e->seed, view_of(start + after, n - after)) };
	uint64_t print = siphash_24(e->seed, view_of(parts, sizeof parts));
	return print ? print : 1;
}

/* Nothing that it was decided by has changed, and its repeat is counted. */
static bool
holds(struct edge *e, const struct recall *was, uint64_t print)
{
	if (was->epoch != e->epoch || !was->print || was->print != print)
		return false;
	int64_t wall = clock_wall_us(e->clock), mono = clock_mono_ms(e->clock);
	if (clockwatch_seconds(clockwatch_earliest(&e->watch, wall, mono * 1000)) < was->not_before ||
	    clockwatch_seconds(clockwatch_latest(&e->watch, wall, mono * 1000)) >= was->not_after ||
	    !leases_valid(e->leases, was->module, was->release, mono))
		return false;
	return !was->sighting || edge_sight_again(e, was->sighting);
}

const struct recall *
edge_recall(struct edge *e, const struct visit *v, const struct http_request *req)
{
	return v->recall && holds(e, v->recall, print_of(e, req)) ? v->recall : NULL;
}

void
edge_recall_keep(const struct edge *e, struct visit *v, const struct http_request *req, const struct recall *what)
{
	if (!v->recall && !(v->recall = malloc(sizeof *v->recall)))
		return;
	*v->recall = *what;
	v->recall->epoch = e->epoch;
	v->recall->print = print_of(e, req);
}

bool
edge_recall_init(struct edge *e)
{
	e->recent = calloc(EDGE_RECENT, sizeof e->recent[0]);
	return e->recent != NULL;
}

/* All that a plain connection adds to what is asked: where it comes from, and to which listener. 0: the long way. */
static uint64_t
print_from(const struct edge *e, const struct conn *conn, const struct http_request *req, uint8_t ip[NET_ADDR_LEN])
{
	struct {
		uint64_t print, tag;
		uint8_t ip[NET_ADDR_LEN];
	} all = { print_of(e, req), conn_tag(conn), { 0 } };
	uint16_t port;
	conn_peer(conn, ip, &port);
	memcpy(all.ip, ip, NET_ADDR_LEN);
	return all.print && !conn_is_tls(conn) ? siphash_24(e->seed, view_of(&all, sizeof all)) : 0;
}

const struct recent *
edge_recent(struct edge *e, const struct conn *conn, const struct http_request *req)
{
	uint8_t ip[NET_ADDR_LEN];
	uint64_t print = print_from(e, conn, req, ip);
	const struct recent *r = &e->recent[print % EDGE_RECENT];
	bool same = print && r->tag == conn_tag(conn) && !memcmp(r->ip, ip, sizeof ip);
	return same && holds(e, &r->what, print) ? r : NULL;
}

void
edge_recent_keep(struct edge *e, const struct conn *conn, const struct http_request *req, const struct recall *what,
    const char *group)
{
	uint8_t ip[NET_ADDR_LEN];
	uint64_t print = print_from(e, conn, req, ip);
	struct recent *r = &e->recent[print % EDGE_RECENT];
	if (!print || strlen(group) >= sizeof r->group)
		return;
	*r = (struct recent){ .what = *what, .tag = conn_tag(conn), .class = edge_crowd_class(e) };
	r->what.epoch = e->epoch;
	r->what.print = print;
	memcpy(r->ip, ip, sizeof r->ip);
	memcpy(r->group, group, strlen(group));
}
