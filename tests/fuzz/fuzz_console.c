/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a stranger's request becomes: method, path, query and body, by lines of
 * the input, to arguments of control's. Whatever is taken is one canonical JSON
 * object, and a session's secret or a token has one spelling.
 */
#include <stdlib.h>

#include "gateway/console/asset.h"
#include "gateway/console/guard.h"
#include "gateway/console/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct view
line(const uint8_t **data, size_t *size)
{
	const uint8_t *end = *size ? memchr(*data, '\n', *size) : NULL;
	struct view v = view_of(*data, end ? (size_t)(end - *data) : *size);
	*size -= end ? v.n + 1 : v.n;
	*data += end ? v.n + 1 : v.n;
	return v;
}

static void
head(const uint8_t *data, size_t size)
{
	struct http_scan scan = { 0 };
	struct http_limits limits;
	struct http_request r;
	enum http_fault fault;
	struct guard_id id;
	const char *why = NULL;
	char host[64];
	http_head_limits(&limits);
	if (http_head_parse(&scan, view_of(data, size), HTTP_STRICT, &limits, &r, &fault) != HTTP_PARSE_DONE)
		return;
	const char *no = guard_identify(&r, &id, &why);
	if (!no != !why)
		abort();
	(void)guard_origin(&r, id.who, &why);
	(void)guard_host(&r, host, sizeof host);
	(void)guard_unchanged(&r, view_str("abc"));
	(void)asset_find(r.path);
}

static void
arguments(const struct route_match *m, struct view query, struct view body)
{
	struct json *doc = NULL, *again = NULL;
	struct route_signed s;
	struct writer w;
	writer_init(&w, ROUTE_JSON_MAX);
	if (!route_arguments(m, query, body, &w, &doc, &s)) {
		if (json_parse(writer_view(&w), &again, NULL) || json_type(json_root(again)) != JSON_OBJECT ||
		    !json_is_canonical(again, writer_view(&w)))
			abort();
		if ((s.statement.n && s.signature.n) != !!(m->route->kind & ROUTE_SIGNED))
			abort();
	}
	writer_free(&w);
	json_free(again);
	json_free(doc);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct route_match m;
	head(data, size);
	struct view method = line(&data, &size), path = line(&data, &size), query = line(&data, &size);
	if (route_find(method, path, &m) == ROUTE_FOUND)
		arguments(&m, query, view_of(data, size));
	return 0;
}
