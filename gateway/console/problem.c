/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/console/problem.h"

#include "crypto/jsonw.h"
#include "crypto/utf8.h"

/* enum call_status of gateway/control, which is the exit status of fotagate(1): ARCHITECTURE.md section 5. */
enum { REFUSED = 1, USAGE = 2 };

static const struct {
	const char *id;
	unsigned http;
} statuses[] = {
	/* Not known here, or not well enough. */
	{ "CREDENTIALS", 401 }, { "SECOND-FACTOR", 401 }, { "SIGN-IN", 401 },
	{ "CODE", 403 }, { "CSRF", 403 }, { "DENIED", 403 }, { "FRONT", 403 }, { "NOT-BOUND", 403 }, { "SETUP-CODE", 403 },
	{ "NOT-FOUND", 404 }, { "UNKNOWN-REQUEST", 404 },
	{ "METHOD", 405 },
	{ "TOO-LONG", 413 },
	{ "MEDIA-TYPE", 415 },
	{ "HOST", 421 },
	{ "KEY-REUSED", 422 },
	{ "LIMIT", 429 }, { "THROTTLED", 429 },
	{ "PASSWORD", 400 }, { "USAGE", 400 },
};

static const struct {
	unsigned http;
	const char *title;
} titles[] = {
	{ 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" },
	{ 405, "Method Not Allowed" }, { 409, "Conflict" }, { 413, "Content Too Large" },
	{ 415, "Unsupported Media Type" }, { 421, "Misdirected Request" }, { 422, "Unprocessable Content" },
	{ 429, "Too Many Requests" }, { 503, "Service Unavailable" },
};

unsigned
problem_status(unsigned status, struct view id)
{
	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
		if (view_is(id, statuses[i].id))
			return statuses[i].http;
	if (status == REFUSED) /* it is in another state than that takes */
		return 409;
	return status == USAGE ? 400 : 503;
}

const char *
problem_title(unsigned http)
{
	for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
		if (titles[i].http == http)
			return titles[i].title;
	return "Error";
}

static struct view
text_of(const struct json_value *error, const char *key, const char *absent)
{
	struct view v;
	return json_string(json_get(error, key), &v) ? v : view_str(absent);
}

void
problem_read(unsigned status, const struct json_value *doc, struct problem *ret)
{
	const struct json_value *error = json_get(doc, "error");
	*ret = (struct problem){
		.id = text_of(error, "id", "COULD-NOT"),
		.detail = text_of(error, "text", "the gateway gave no reason"),
		.cure = text_of(error, "cure", ""),
	};
	ret->status = problem_status(status, ret->id);
}

void
problem_write(const struct problem *p, struct writer *w)
{
	struct jsonw j;
	jsonw_init(&j, w);
	jsonw_object(&j);
	jsonw_kstring(&j, "cure", utf8_is_text(p->cure) ? p->cure : view_str(""));
	jsonw_kstring(&j, "detail", utf8_is_text(p->detail) ? p->detail : view_str(""));
	jsonw_kstring(&j, "id", utf8_is_text(p->id) ? p->id : view_str("COULD-NOT"));
	jsonw_kuint(&j, "status", p->status);
	jsonw_kcstr(&j, "title", problem_title(p->status));
	jsonw_kcstr(&j, "type", "about:blank");
	jsonw_object_end(&j);
}
