/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/console/openapi.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/jsonw.h"
#include "gateway/console/answers.h"
#include "gateway/console/guard.h"
#include "gateway/console/problem.h"
#include "gateway/console/route.h"

#define PATH_MAX_BYTES 128

/* Keys are written in the order of canonical JSON, so that the document has one form. */

static void
schema(struct jsonw *j, enum route_type type)
{
	jsonw_key(j, "schema");
	jsonw_object(j);
	switch (type) {
	case ROUTE_NUMBER:
		jsonw_kuint(j, "minimum", 0);
		jsonw_kcstr(j, "type", "integer");
		break;
	case ROUTE_FLAG:
		jsonw_kcstr(j, "type", "boolean");
		break;
	case ROUTE_TEXTS:
		jsonw_key(j, "items");
		jsonw_object(j);
		jsonw_kcstr(j, "type", "string");
		jsonw_object_end(j);
		jsonw_kcstr(j, "type", "array");
		break;
	case ROUTE_TEXT:
	default:
		jsonw_kcstr(j, "type", "string");
		break;
	}
	jsonw_object_end(j);
}

static void
parameter(struct jsonw *j, const char *in, const char *name, bool required, enum route_type type)
{
	jsonw_object(j);
	jsonw_kcstr(j, "in", in);
	jsonw_kcstr(j, "name", name);
	jsonw_kbool(j, "required", required);
	schema(j, type);
	jsonw_object_end(j);
}

static void
path_parameters(struct jsonw *j, const char *path)
{
	for (const char *at = strchr(path, '{'); at; at = strchr(at + 1, '{')) {
		char name[PATH_MAX_BYTES];
		bool number = at[1] == '#';
		const char *from = at + 1 + (at[1] == '#' || at[1] == '+');
		snprintf(name, sizeof name, "%.*s", (int)strcspn(from, "}"), from);
		parameter(j, "path", name, true, number ? ROUTE_NUMBER : ROUTE_TEXT);
	}
}

static void
parameters(struct jsonw *j, const struct route *r)
{
	jsonw_key(j, "parameters");
	jsonw_array(j);
	path_parameters(j, r->path);
	for (unsigned i = 0; r->method == ROUTE_GET && i < ROUTE_ARGS_MAX && r->arg[i].key; i++)
		parameter(j, "query", r->arg[i].key, r->arg[i].required, r->arg[i].type);
	if (r->method == ROUTE_GET)
		parameter(j, "header", "X-FG-Background", false, ROUTE_TEXT);
	if (r->method != ROUTE_GET) {
		parameter(j, "header", "Idempotency-Key", false, ROUTE_TEXT);
		parameter(j, "header", "X-FG-CSRF", false, ROUTE_TEXT); /* with a session's cookie it is */
	}
	jsonw_array_end(j);
}

/* ---- the body ---- */

struct body {
	unsigned n;
	struct route_arg arg[ROUTE_ARGS_MAX + 2];
};

static int
by_key(const void *a, const void *b)
{
	const struct route_arg *x = a, *y = b;
	return strcmp(x->key, y->key);
}

static void
request_body(struct jsonw *j, const struct route *r)
{
	struct body b = { 0 };
	for (unsigned i = 0; i < ROUTE_ARGS_MAX && r->arg[i].key; i++)
		b.arg[b.n++] = r->arg[i];
	if (r->kind & ROUTE_SIGNED) {
		b.arg[b.n++] = (struct route_arg){ "statement", ROUTE_TEXT, true };
		b.arg[b.n++] = (struct route_arg){ "signature", ROUTE_TEXT, true };
	}
	if (b.n)
		qsort(b.arg, b.n, sizeof b.arg[0], by_key);
	jsonw_key(j, "requestBody");
	jsonw_object(j);
	jsonw_key(j, "content");
	jsonw_object(j);
	jsonw_key(j, "application/json");
	jsonw_object(j);
	jsonw_key(j, "schema");
	jsonw_object(j);
	jsonw_kbool(j, "additionalProperties", false);
	jsonw_key(j, "properties");
	jsonw_object(j);
	for (unsigned i = 0; i < b.n; i++) {
		jsonw_key(j, b.arg[i].key);
		jsonw_object(j);
		if (b.arg[i].type == ROUTE_TEXTS) {
			jsonw_key(j, "items");
			jsonw_object(j);
			jsonw_kcstr(j, "type", "string");
			jsonw_object_end(j);
		}
		jsonw_kcstr(j, "type", b.arg[i].type == ROUTE_TEXT ? "string" :
		    b.arg[i].type == ROUTE_NUMBER ? "integer" :
		    b.arg[i].type == ROUTE_FLAG   ? "boolean" : "array");
		jsonw_object_end(j);
	}
	jsonw_object_end(j);
	jsonw_key(j, "required");
	jsonw_array(j);
	for (unsigned i = 0; i < b.n; i++)
		if (b.arg[i].required)
			jsonw_cstr(j, b.arg[i].key);
	jsonw_array_end(j);
	jsonw_kcstr(j, "type", "object");
	jsonw_object_end(j);
	jsonw_object_end(j);
	jsonw_object_end(j);
	jsonw_kbool(j, "required", b.n > 0);
	jsonw_object_end(j);
}

/* ---- answers ---- */

/* Of files nothing is said but that they are: fotagate-report(5) and the log have their own descriptions. */
static void
content(struct jsonw *j, const struct route *r)
{
	bool file = r->kind & ROUTE_FILE;
	jsonw_key(j, "content");
	jsonw_object(j);
	jsonw_key(j, file ? "*/*" : "application/json");
	jsonw_object(j);
	if (!file) {
		jsonw_key(j, "schema");
		answers_put(j, r->request);
	}
	jsonw_object_end(j);
	jsonw_object_end(j);
}

static void
responses(struct jsonw *j, const struct route *r)
{
	jsonw_key(j, "responses");
	jsonw_object(j);
	jsonw_key(j, "200");
	jsonw_object(j);
	content(j, r);
	jsonw_kcstr(j, "description", "Done; the document is what fotagate --json prints.");
	jsonw_object_end(j);
	if (r->method == ROUTE_GET && !(r->kind & ROUTE_FILE)) {
		jsonw_key(j, "304");
		jsonw_object(j);
		jsonw_kcstr(j, "description", "As If-None-Match has it.");
		jsonw_object_end(j);
	}
	jsonw_key(j, "default");
	jsonw_object(j);
	jsonw_kcstr(j, "$ref", "#/components/responses/Problem");
	jsonw_object_end(j);
	jsonw_object_end(j);
}

static void
security(struct jsonw *j, bool guest)
{
	jsonw_key(j, "security");
	jsonw_array(j);
	for (unsigned i = 0; !guest && i < 2; i++) {
		jsonw_object(j);
		jsonw_key(j, i ? "token" : "session");
		jsonw_array(j);
		jsonw_array_end(j);
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
}

static void
operation(struct jsonw *j, const struct route *r)
{
	jsonw_key(j, r->method == ROUTE_GET ? "get" : r->method == ROUTE_POST ? "post" : "delete");
	jsonw_object(j);
	jsonw_kcstr(j, "operationId", r->request);
	parameters(j, r);
	if (r->method == ROUTE_POST)
		request_body(j, r);
	responses(j, r);
	security(j, r->kind & ROUTE_GUEST);
	jsonw_kcstr(j, "summary", r->says);
	jsonw_object_end(j);
}

/* ---- paths ---- */

/* As the document has it: {name}, whatever kind of name that is. */
static void
plain(const char *path, char out[PATH_MAX_BYTES])
{
	size_t n = 0;
	for (; *path; path++)
		if (*path != '#' && *path != '+') {
			if (n + 1 == PATH_MAX_BYTES)
				abort();
			out[n++] = *path;
		}
	out[n] = '\0';
}

/* The next path behind `last` in the order of bytes; false: there is none. */
static bool
next_path(char last[PATH_MAX_BYTES])
{
	char best[PATH_MAX_BYTES] = "", one[PATH_MAX_BYTES];
	for (size_t i = 0; i < route_count(); i++) {
		plain(route_at(i)->path, one);
		if (strcmp(one, last) > 0 && (!best[0] || strcmp(one, best) < 0))
			memcpy(best, one, sizeof best);
	}
	memcpy(last, best, sizeof best);
	return best[0] != '\0';
}

static void
paths(struct jsonw *j)
{
	/* As "delete", "get" and "post" are written in a document. */
	static const enum route_method order[] = { ROUTE_DELETE, ROUTE_GET, ROUTE_POST };
	char path[PATH_MAX_BYTES] = "", one[PATH_MAX_BYTES];
	jsonw_key(j, "paths");
	jsonw_object(j);
	while (next_path(path)) {
		jsonw_key(j, path);
		jsonw_object(j);
		for (unsigned k = 0; k < sizeof order / sizeof order[0]; k++)
			for (size_t i = 0; i < route_count(); i++) {
				plain(route_at(i)->path, one);
				if (route_at(i)->method == order[k] && strcmp(one, path) == 0)
					operation(j, route_at(i));
			}
		jsonw_object_end(j);
	}
	jsonw_object_end(j);
}

/* ---- components ---- */

static void
typed(struct jsonw *j, const char *key, const char *type)
{
	jsonw_key(j, key);
	jsonw_object(j);
	jsonw_kcstr(j, "type", type);
	jsonw_object_end(j);
}

static void
problem_schema(struct jsonw *j)
{
	static const char *const members[] = { "cure", "detail", "id", "status", "title", "type" };
	jsonw_key(j, "Problem");
	jsonw_object(j);
	jsonw_key(j, "properties");
	jsonw_object(j);
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
		typed(j, members[i], strcmp(members[i], "status") == 0 ? "integer" : "string");
	jsonw_object_end(j);
	jsonw_key(j, "required");
	jsonw_array(j);
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
		jsonw_cstr(j, members[i]);
	jsonw_array_end(j);
	jsonw_kcstr(j, "type", "object");
	jsonw_object_end(j);
}

static void
components(struct jsonw *j)
{
	jsonw_key(j, "components");
	jsonw_object(j);
	jsonw_key(j, "responses");
	jsonw_object(j);
	jsonw_key(j, "Problem");
	jsonw_object(j);
	jsonw_key(j, "content");
	jsonw_object(j);
	jsonw_key(j, PROBLEM_TYPE);
	jsonw_object(j);
	jsonw_key(j, "schema");
	jsonw_object(j);
	jsonw_kcstr(j, "$ref", "#/components/schemas/Problem");
	jsonw_object_end(j);
	jsonw_object_end(j);
	jsonw_object_end(j);
	jsonw_kcstr(j, "description", "It was not done; id says why, for ever in the same word.");
	jsonw_object_end(j);
	jsonw_object_end(j);
	jsonw_key(j, "schemas");
	jsonw_object(j);
	answers_put_named(j, NULL, "Problem");
	problem_schema(j);
	answers_put_named(j, "Problem", NULL);
	jsonw_object_end(j);
	jsonw_key(j, "securitySchemes");
	jsonw_object(j);
	jsonw_key(j, "session");
	jsonw_object(j);
	jsonw_kcstr(j, "in", "cookie");
	jsonw_kcstr(j, "name", GUARD_COOKIE);
	jsonw_kcstr(j, "type", "apiKey");
	jsonw_object_end(j);
	jsonw_key(j, "token");
	jsonw_object(j);
	jsonw_kcstr(j, "scheme", "bearer");
	jsonw_kcstr(j, "type", "http");
	jsonw_object_end(j);
	jsonw_object_end(j);
	jsonw_object_end(j);
}

void
openapi_write(struct writer *w)
{
	struct jsonw j;
	jsonw_init(&j, w);
	jsonw_object(&j);
	components(&j);
	jsonw_key(&j, "info");
	jsonw_object(&j);
	jsonw_kcstr(&j, "description",
	    "What fotagate(1) can ask of the gateway. Tokens and sessions view, set in motion and restrict; "
	    "only signatures permit.");
	jsonw_kcstr(&j, "title", "fotagate");
	jsonw_kcstr(&j, "version", "1");
	jsonw_object_end(&j);
	jsonw_kcstr(&j, "openapi", "3.1.0");
	paths(&j);
	jsonw_key(&j, "servers");
	jsonw_array(&j);
	jsonw_object(&j);
	jsonw_kcstr(&j, "url", ROUTE_PREFIX);
	jsonw_object_end(&j);
	jsonw_array_end(&j);
	jsonw_object_end(&j);
}
