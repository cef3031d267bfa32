/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edge_recall - the way of a module's second and thirty thousandth range: what
 * the first one cost to route and decide is not paid again. Nothing is kept that
 * could outlive its reasons: a new table or configuration, a lease that has run
 * out, a window that closes, a sighting that is due, all lead to the long way.
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

const struct recall *
edge_recall(struct edge *e, const struct visit *v, const struct http_request *req)
{
	const struct recall *was = v->recall;
	if (!was || was->epoch != e->epoch || !was->print || was->print != print_of(e, req))
		return NULL;
	int64_t wall = clock_wall_us(e->clock), mono = clock_mono_ms(e->clock);
	if (clockwatch_seconds(clockwatch_earliest(&e->watch, wall, mono * 1000)) < was->not_before ||
	    clockwatch_seconds(clockwatch_latest(&e->watch, wall, mono * 1000)) >= was->not_after ||
	    !leases_valid(e->leases, was->module, was->release, mono))
		return NULL;
	return !was->sighting || edge_sight_again(e, was->sighting) ? was : NULL;
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
