/* SPDX-License-Identifier: Apache-2.0 */
/* The table of /api/v1: what it finds, what it refuses, and that control has each request with those arguments. */
#include "gateway/console/route.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/console/answers.h"
#include "gateway/console/openapi.h"
#include "gateway/control/requests.h"

static enum route_found
find(const char *method, const char *path, struct route_match *m)
{
	return route_find(view_str(method), view_str(path), m);
}

static void
finds(const char *method, const char *path, const char *request)
{
	struct route_match m;
	if (find(method, path, &m) != ROUTE_FOUND)
		fail_msg("%s %s was not found", method, path);
	assert_string_equal(m.route->request, request);
}

static void
test_finds(void **state)
{
	(void)state;
	finds("GET", "/api/v1/status", "status");
	finds("POST", "/api/v1/bases/drop", "base.drop");
	finds("HEAD", "/api/v1/reviews", "review.list");
	finds("GET", "/api/v1/reviews/R-1", "review.show");
	finds("GET", "/api/v1/reviews/R-1/report", "review.report");
	finds("POST", "/api/v1/reviews/R-1/submit", "review.submit");
	finds("POST", "/api/v1/people/submit", "people.submit");
	finds("POST", "/api/v1/policy/submit", "policy.submit");
	finds("POST", "/api/v1/session", "session.open");
	finds("DELETE", "/api/v1/session", "session.close");
	finds("GET", "/api/v1/profiles/unknown", "profile.unknown");
	finds("GET", "/api/v1/profiles/12/draft", "profile.draft");
	finds("GET", "/api/v1/audit/files/tile/entries/000.p/1", "audit.open");
	finds("GET", "/api/v1/audit/proof/0", "audit.proof");
}

static void
test_refuses(void **state)
{
	static const char *const unknown[] = {
		"/", "/api", "/api/v1", "/api/v1/", "/api/v1x/status", "/api/v2/status", "//api/v1/status", "/api/v1//status",
		"/api/v1/status/", "/api/v1/Status", "/api/v1/reviews/", "/api/v1/reviews/R-1/", "/api/v1/reviews/R-1/report/x",
		"/api/v1/audit/proof/x", "/api/v1/audit/proof/01", "/api/v1/audit/proof/-1",
		"/api/v1/audit/proof/99999999999999999", "/api/v1/audit/files", "/api/v1/st%61tus",
	};
	static const char *const bad[] = {
		"/api/v1/reviews/..", "/api/v1/reviews/.", "/api/v1/reviews/%2e%2e", "/api/v1/reviews/a%2fb", "/api/v1/reviews/%2F",
		"/api/v1/reviews/%", "/api/v1/reviews/%4", "/api/v1/reviews/%zz", "/api/v1/reviews/%00", "/api/v1/reviews/a%0ab",
		"/api/v1/reviews/%7f", "/api/v1/reviews/%ff", "/api/v1/reviews/%c0%af", "/api/v1/reviews/%ed%a0%80",
		"/api/v1/audit/files/../state.db", "/api/v1/audit/files/a/./b", "/api/v1/audit/files/a//b", "/api/v1/audit/files/a/",
		"/api/v1/audit/files/a%2f..%2fb", "/api/v1/audit/files/",
	};
	struct route_match m;
	char path[ROUTE_TEXT_MAX + 64] = "/api/v1/reviews/";
	(void)state;
	for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
		if (find("GET", unknown[i], &m) != ROUTE_UNKNOWN)
			fail_msg("%s is something", unknown[i]);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (find("GET", bad[i], &m) != ROUTE_BAD)
			fail_msg("%s was not refused", bad[i]);
	memset(path + strlen(path), 'a', ROUTE_TEXT_MAX);
	assert_int_equal(find("GET", path, &m), ROUTE_BAD);
	path[strlen(path) - 1] = '\0';
	path[sizeof "/api/v1/reviews/" - 1 + ROUTE_TEXT_MAX - 1] = '\0';
	assert_int_equal(find("GET", path, &m), ROUTE_FOUND);
}

static void
test_methods(void **state)
{
	struct route_match m;
	(void)state;
	assert_int_equal(find("PUT", "/api/v1/session", &m), ROUTE_METHOD);
	assert_string_equal(m.allow, "POST, GET, HEAD, DELETE");
	assert_int_equal(find("POST", "/api/v1/status", &m), ROUTE_METHOD);
	assert_string_equal(m.allow, "GET, HEAD");
	assert_int_equal(find("get", "/api/v1/status", &m), ROUTE_METHOD);
	assert_int_equal(find("", "/api/v1/status", &m), ROUTE_METHOD);
	/* A literal place is no {name}, whatever the method. */
	assert_int_equal(find("DELETE", "/api/v1/profiles/unknown", &m), ROUTE_METHOD);
	assert_string_equal(m.allow, "GET, HEAD");
}

/* What control is asked, or NULL and why not. */
static char said[ROUTE_JSON_MAX + 1];
static struct route_signed files;

static const char *
arguments(const char *method, const char *path, const char *query, const char *body)
{
	struct route_match m;
	struct json *doc = NULL;
	struct writer w;
	assert_int_equal(find(method, path, &m), ROUTE_FOUND);
	writer_init(&w, ROUTE_JSON_MAX);
	const char *why = route_arguments(&m, view_str(query), view_str(body), &w, &doc, &files);
	if (!why)
		snprintf(said, sizeof said, "%.*s", (int)writer_view(&w).n, (const char *)writer_view(&w).p);
	if (files.statement.n) /* they are borrowed from what goes now */
		assert_true(files.signature.n > 0 || why);
	writer_free(&w);
	json_free(doc);
	return why;
}

static void
asks(const char *method, const char *path, const char *query, const char *body, const char *want)
{
	const char *why = arguments(method, path, query, body);
	if (why)
		fail_msg("%s %s?%s %s: %s", method, path, query, body, why);
	assert_string_equal(said, want);
}

static void
test_arguments(void **state)
{
	(void)state;
	asks("GET", "/api/v1/status", "", "", "{}");
	asks("GET", "/api/v1/reviews", "state=held&profile=a+b&after=7", "", "{\"after\":7,\"profile\":\"a b\",\"state\":\"held\"}");
	asks("GET", "/api/v1/modules", "held=true&unlisted=false&after=00ff", "",
	    "{\"after\":\"00ff\",\"held\":true,\"unlisted\":false}");
	asks("GET", "/api/v1/modules/imei:%34%39+", "", "", "{\"module\":\"imei:49+\"}");
	asks("GET", "/api/v1/modules/%C3%BC%22", "", "", "{\"module\":\"\xc3\xbc\\\"\"}");
	asks("GET", "/api/v1/audit/proof/9007199254740991", "", "", "{\"index\":9007199254740991}");
	asks("GET", "/api/v1/audit/files/tile/0/x001/067", "", "", "{\"name\":\"tile/0/x001/067\"}");
	asks("POST", "/api/v1/reviews/R-1/reject", "", "{\"reason\":\"so\"}", "{\"reason\":\"so\",\"review\":\"R-1\"}");
	asks("POST", "/api/v1/reviews/R-1/reopen", "", "", "{\"review\":\"R-1\"}");
	asks("POST", "/api/v1/reviews/R-1/statement", "", " { \"groups\" : [\"a\",\"b\"], \"days\":3,\"reason\":\"\\u0041\" } ",
	    "{\"days\":3,\"groups\":[\"a\",\"b\"],\"reason\":\"A\",\"review\":\"R-1\"}");
	asks("POST", "/api/v1/reviews/R-1/submit", "", "{\"statement\":\"{}\",\"signature\":\"-----\"}", "{\"review\":\"R-1\"}");
	/* What is no argument of the request is control's to refuse. */
	asks("POST", "/api/v1/refusals", "", "{\"unheard\":[{}]}", "{\"unheard\":[{}]}");
}

static void
test_arguments_refused(void **state)
{
	static const struct {
		const char *method, *path, *query, *body;
	} no[] = {
		{ "GET", "/api/v1/reviews", "state", "" }, { "GET", "/api/v1/reviews", "state=a&state=a", "" },
		{ "GET", "/api/v1/reviews", "unheard=1", "" }, { "GET", "/api/v1/reviews", "&state=a", "" },
		{ "GET", "/api/v1/reviews", "state=a&", "" }, { "GET", "/api/v1/reviews", "after=-1", "" },
		{ "GET", "/api/v1/reviews", "after=1e3", "" }, { "GET", "/api/v1/reviews", "after=", "" },
		{ "GET", "/api/v1/reviews", "after=9007199254740992", "" }, { "GET", "/api/v1/modules", "held=1", "" },
		{ "GET", "/api/v1/reviews", "state=%00", "" }, { "GET", "/api/v1/reviews", "state=%ff", "" },
		{ "GET", "/api/v1/reviews", "sta%te=a", "" }, { "GET", "/api/v1/reviews", "=a", "" },
		{ "GET", "/api/v1/reviews", "", "{}" },
		{ "POST", "/api/v1/refusals", "reason=a", "{}" }, { "POST", "/api/v1/refusals", "", "[]" },
		{ "POST", "/api/v1/refusals", "", "{" }, { "POST", "/api/v1/refusals", "", "{}{}" },
		{ "POST", "/api/v1/refusals", "", "{\"reason\":1,\"reason\":2}" }, { "POST", "/api/v1/refusals", "", "{\"Reason\":1}" },
		{ "POST", "/api/v1/refusals", "", "{\"\":1}" }, { "POST", "/api/v1/refusals", "", "{\"a\":1.5}" },
		{ "POST", "/api/v1/reviews/R-1/reject", "", "{\"review\":\"R-2\",\"reason\":\"x\"}" },
		{ "POST", "/api/v1/reviews/R-1/submit", "", "" }, { "POST", "/api/v1/reviews/R-1/submit", "", "{\"statement\":\"{}\"}" },
		{ "POST", "/api/v1/reviews/R-1/submit", "", "{\"statement\":\"\",\"signature\":\"x\"}" },
		{ "POST", "/api/v1/reviews/R-1/submit", "", "{\"statement\":{},\"signature\":\"x\"}" },
	};
	char body[512] = "{", query[2 * ROUTE_TEXT_MAX] = "state=";
	(void)state;
	for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
		if (!arguments(no[i].method, no[i].path, no[i].query, no[i].body))
			fail_msg("%s %s?%s %s was taken: %s", no[i].method, no[i].path, no[i].query, no[i].body, said);
	for (unsigned i = 0; i < 25; i++)
		snprintf(body + strlen(body), sizeof body - strlen(body), "%s\"a%c\":1", i ? "," : "", 'a' + i);
	snprintf(body + strlen(body), sizeof body - strlen(body), "}");
	assert_non_null(arguments("POST", "/api/v1/refusals", "", body));
	memset(query + 6, 'a', ROUTE_TEXT_MAX);
	assert_non_null(arguments("GET", "/api/v1/reviews", query, ""));
}

/* ---- the table against control's ---- */

static enum route_type
type_of(enum requests_type t)
{
	return t == REQUESTS_NUMBER ? ROUTE_NUMBER : t == REQUESTS_FLAG ? ROUTE_FLAG : t == REQUESTS_TEXT ? ROUTE_TEXT : ROUTE_TEXTS;
}

/* As an argument of the route: of its query or body, or of its path. */
static bool
has(const struct route *r, const struct requests_arg *a)
{
	char name[40];
	for (unsigned i = 0; i < ROUTE_ARGS_MAX && r->arg[i].key; i++)
		if (strcmp(r->arg[i].key, a->key) == 0)
			return r->arg[i].type == type_of(a->type) && r->arg[i].required == a->required;
	snprintf(name, sizeof name, "{%s%s}", a->type == REQUESTS_NUMBER ? "#" : "", a->key);
	if (strstr(r->path, name))
		return true;
	snprintf(name, sizeof name, "{+%s}", a->key);
	return strstr(r->path, name) != NULL;
}

static unsigned
args_of(const struct route *r)
{
	unsigned n = 0;
	while (n < ROUTE_ARGS_MAX && r->arg[n].key)
		n++;
	for (const char *p = r->path; (p = strchr(p, '{')); p++)
		n++;
	return n;
}

static void
test_each_request_is_controls(void **state)
{
	(void)state;
	for (size_t i = 0; i < route_count(); i++) {
		const struct route *r = route_at(i);
		const struct requests_row *row = requests_find(r->request);
		unsigned n = 0;
		assert_non_null(row);
		assert_int_equal(row->kind == REQUESTS_PERMIT, !!(r->kind & ROUTE_SIGNED));
		assert_int_equal(row->fds_min, r->kind & ROUTE_SIGNED ? 2 : 0);
		/* What changes something is not done by a link. */
		if (row->kind != REQUESTS_VIEW)
			assert_int_not_equal(r->method, ROUTE_GET);
		/* What a front says is nobody's to send. */
		if (r->kind & ROUTE_FRONT) {
			assert_int_equal(args_of(r), 0);
			continue;
		}
		for (; n < REQUESTS_ARGS_MAX && row->arg[n].key; n++)
			if (!has(r, &row->arg[n]) && strcmp(row->arg[n].key, "review") != 0)
				fail_msg("%s: %s is not as control has it", r->request, row->arg[n].key);
		assert_true(args_of(r) <= n);
	}
}

/* fotagated(8) says that what needs no file can be asked here, and names what cannot. */
static void
test_each_request_without_files_has_a_route(void **state)
{
	/* Parts of commands that fetch from a witness or write a database; and a code that is for a terminal alone. */
	static const char *const none[] = { "audit.cosigned", "backup.state", "setup.code" };
	unsigned left = 0;
	(void)state;
	for (size_t i = 0; i < requests_count(); i++) {
		const struct requests_row *row = requests_at(i);
		bool here = false, named = false;
		for (size_t k = 0; k < route_count(); k++)
			here = here || strcmp(route_at(k)->request, row->name) == 0;
		for (size_t k = 0; k < sizeof none / sizeof none[0]; k++)
			named = named || strcmp(none[k], row->name) == 0;
		if (row->fds_max == 0 && here == named)
			fail_msg("%s %s", row->name, here ? "has a route, and is said to have none" : "has no route");
		left += named;
	}
	assert_int_equal(left, sizeof none / sizeof none[0]);
}

static void
test_table_is_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < route_count(); i++) {
		const struct route *r = route_at(i);
		assert_true(r->path[0] == '/' && r->says[0] && r->says[strlen(r->says) - 1] == '.');
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(r->request, route_at(k)->request);
			assert_false(r->method == route_at(k)->method && strcmp(r->path, route_at(k)->path) == 0);
		}
	}
}

static void
test_openapi_has_every_route(void **state)
{
	struct json *doc = NULL;
	struct writer w;
	size_t operations = 0;
	(void)state;
	writer_init(&w, OPENAPI_MAX);
	openapi_write(&w);
	assert_int_equal(writer_err(&w), 0);
	assert_int_equal(json_parse(writer_view(&w), &doc, NULL), 0);
	assert_true(json_is_canonical(doc, writer_view(&w)));
	const struct json_value *paths = json_get(json_root(doc), "paths");
	for (size_t i = 0; i < json_count(paths); i++)
		operations += json_count(json_at(paths, i));
	assert_int_equal(operations, route_count());
	json_free(doc);
	writer_free(&w);
}

/* The document of each view is told, and whatever a schema points to is there. */
static void
test_documents_are_told(void **state)
{
	struct json *doc = NULL;
	struct writer w;
	char text[OPENAPI_MAX];
	unsigned views = 0;
	(void)state;
	for (size_t i = 0; i < route_count(); i++) {
		const struct route *r = route_at(i);
		if (r->method != ROUTE_GET || r->kind & ROUTE_FILE)
			continue;
		views++;
		if (!answers_has(r->request))
			fail_msg("what %s answers is not told", r->request);
	}
	assert_true(views > 20);
	assert_false(answers_has("review.report"));
	writer_init(&w, OPENAPI_MAX);
	openapi_write(&w);
	assert_int_equal(json_parse(writer_view(&w), &doc, NULL), 0);
	const struct json_value *schemas = json_get(json_get(json_root(doc), "components"), "schemas");
	assert_true(json_count(schemas) > 10);
	snprintf(text, sizeof text, "%.*s", (int)writer_view(&w).n, (const char *)writer_view(&w).p);
	static const char to[] = "#/components/schemas/";
	for (const char *at = strstr(text, to); at; at = strstr(at, to)) {
		char name[32];
		at += sizeof to - 1;
		snprintf(name, sizeof name, "%.*s", (int)strcspn(at, "\""), at);
		if (!json_get(schemas, name))
			fail_msg("%s is named and not there", name);
	}
	json_free(doc);
	writer_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_arguments_refused),
		cmocka_unit_test(test_each_request_is_controls),
		cmocka_unit_test(test_each_request_without_files_has_a_route),
		cmocka_unit_test(test_table_is_whole),
		cmocka_unit_test(test_openapi_has_every_route),
		cmocka_unit_test(test_documents_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
