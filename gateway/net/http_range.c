/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/net/http_range.h"

#include "gateway/net/http_date.h"
#include "gateway/net/http_parts.h"

/*
 * Decimal digits with saturation: an end of 10^30 means "to the end", not
 * "malformed". False unless at least one digit and nothing else.
 */
static bool
position(struct view v, uint64_t *ret)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
	if (v.n && !http_head_number(v, ret))
		*ret = UINT64_MAX;
	return v.n > 0;
}

/* One element of the list: HTTP_RANGE_NONE when malformed. */
static enum http_range_kind
span_of(struct view spec, uint64_t size, struct http_span *ret)
{
	const uint8_t *dash = memchr(spec.p, '-', spec.n);
	if (!dash)
		return HTTP_RANGE_NONE;
	size_t at = (size_t)(dash - spec.p);
	struct view from = view_of(spec.p, at), to = view_of(dash + 1, spec.n - at - 1);
	uint64_t first = 0, last = UINT64_MAX;
	if (from.n == 0) { /* the last `last` bytes */
		if (!position(to, &last))
			return HTTP_RANGE_NONE;
		if (last == 0)
			return HTTP_RANGE_UNSATISFIED;
		if (size == 0) /* satisfied by nothing, which no Content-Range can say */
			return HTTP_RANGE_NONE;
		*ret = (struct http_span){ last < size ? size - last : 0, size - 1 };
		return HTTP_RANGE_SOME;
	}
	if (!position(from, &first) || (to.n && !position(to, &last)) || last < first)
		return HTTP_RANGE_NONE;
	if (first >= size)
		return HTTP_RANGE_UNSATISFIED;
	*ret = (struct http_span){ first, last < size ? last : size - 1 };
	return HTTP_RANGE_SOME;
}

/* Overlapping, or without a byte between them. Ends are below size, so + 1 is safe. */
static bool
touch(struct http_span a, struct http_span b)
{
	return a.first <= b.last + 1 && b.first <= a.last + 1;
}

/* Adds a span; whatever it touches melts into the one that was asked for first. */
static void
add_span(struct http_range *r, struct http_span s)
{
	unsigned i = 0;
	while (i < r->n && !touch(r->span[i], s))
		i++;
	if (i == r->n) {
		r->span[r->n++] = s;
		return;
	}
	/* The grown one may now touch others: take it out, and them, until none is left. */
	for (unsigned j = i; j < r->n;) {
		if (!touch(r->span[j], s)) {
			j++;
			continue;
		}
		s.first = r->span[j].first < s.first ? r->span[j].first : s.first;
		s.last = r->span[j].last > s.last ? r->span[j].last : s.last;
		r->n--;
		memmove(&r->span[j], &r->span[j + 1], (r->n - j) * sizeof s);
		j = i;
	}
	memmove(&r->span[i + 1], &r->span[i], (r->n - i) * sizeof s);
	r->span[i] = s;
	r->n++;
}

struct http_range
http_range_parse(struct view value, uint64_t size)
{
	const struct http_range none = { .kind = HTTP_RANGE_NONE };
	struct http_range r = { .kind = HTTP_RANGE_UNSATISFIED };
	const size_t unit = sizeof "bytes=" - 1;
	unsigned asked = 0;
	if (value.n <= unit || !http_head_is(view_of(value.p, unit), "bytes="))
		return none;
	struct view rest = view_of(value.p + unit, value.n - unit), spec;
	while (http_head_element(&rest, &spec)) {
		struct http_span span;
		enum http_range_kind kind = span_of(spec, size, &span);
		if (kind == HTTP_RANGE_NONE || ++asked > HTTP_SPANS_MAX)
			return none;
		if (kind == HTTP_RANGE_SOME)
			add_span(&r, span);
	}
	if (r.n)
		r.kind = HTTP_RANGE_SOME;
	return asked ? r : none;
}

/* The opaque part of a quoted entity tag; false when malformed. */
static bool
tag(struct view v, bool *ret_weak, struct view *ret_opaque)
{
	*ret_weak = v.n >= 2 && v.p[0] == 'W' && v.p[1] == '/';
	if (*ret_weak)
		v = view_of(v.p + 2, v.n - 2);
	if (v.n < 2 || v.p[0] != '"' || v.p[v.n - 1] != '"')
		return false;
	*ret_opaque = view_of(v.p + 1, v.n - 2);
	return memchr(ret_opaque->p, '"', ret_opaque->n) == NULL;
}

/*
 * Any element of If-Match or If-None-Match, over all fields of that name. Our
 * own tags hold no comma, so a foreign one that does is cut into pieces that
 * cannot match, which is what it should come to.
 */
static bool
list_matches(const struct http_request *request, const char *name, struct view etag, bool strong)
{
	const struct http_field *f;
	for (size_t at = 0; (f = http_head_next(request, name, &at));) {
		struct view rest = f->value, element, opaque;
		bool weak;
		while (http_head_element(&rest, &element)) {
			if (view_is(element, "*"))
				return true;
			if (etag.n && tag(element, &weak, &opaque) && !(weak && strong) &&
			    view_equal(opaque, etag))
				return true;
		}
	}
	return false;
}

static bool
has(const struct http_request *request, const char *name)
{
	size_t at = 0;
	return http_head_next(request, name, &at) != NULL;
}

/* The date of a field; false when it, or the image's own, is absent or unreadable. */
static bool
date_of(const struct http_request *request, const char *name, const struct http_resource *resource,
    int64_t now_s, int64_t *ret)
{
	const struct http_field *f = http_head_only(request, name);
	return f && resource->modified_s > 0 && http_date_parse(f->value, now_s, ret);
}

/* Section 13.1.5: strong comparison of a tag, exact equality of a date. */
static bool
range_applies(const struct http_request *request, const struct http_resource *resource,
    int64_t now_s)
{
	if (!has(request, "if-range"))
		return true;
	const struct http_field *f = http_head_only(request, "if-range");
	struct view opaque;
	bool weak;
	int64_t date;
	if (!f)
		return false;
	if (tag(f->value, &weak, &opaque))
		return !weak && resource->etag.n && view_equal(opaque, resource->etag);
	return date_of(request, "if-range", resource, now_s, &date) &&
	    date == resource->modified_s;
}

/* 412, 304, or 0 to go on. */
static unsigned
conditions(const struct http_request *request, const struct http_resource *resource, int64_t now_s)
{
	int64_t date;
	if (has(request, "if-match")) {
		if (!list_matches(request, "if-match", resource->etag, true))
			return 412;
	} else if (date_of(request, "if-unmodified-since", resource, now_s, &date)) {
		if (resource->modified_s > date)
			return 412;
	}
	if (has(request, "if-none-match")) {
		if (list_matches(request, "if-none-match", resource->etag, false))
			return 304;
	} else if (date_of(request, "if-modified-since", resource, now_s, &date)) {
		if (resource->modified_s <= date)
			return 304;
	}
	return 0;
}

struct http_answer
http_range_decide(const struct http_request *request, const struct http_resource *resource,
    int64_t now_s)
{
	unsigned status = conditions(request, resource, now_s);
	if (status)
		return (struct http_answer){ .status = status };
	const struct http_field *f = http_head_only(request, "range");
	struct http_range range = { .kind = HTTP_RANGE_NONE };
	if (f && request->method == HTTP_GET && range_applies(request, resource, now_s))
		range = http_range_parse(f->value, resource->size);
	if (range.kind == HTTP_RANGE_UNSATISFIED)
		return (struct http_answer){ .status = 416 };
	struct http_answer a = { .status = 206, .n = range.n };
	if (range.kind == HTTP_RANGE_NONE || (range.n > 1 && !http_parts_can(resource)))
		return (struct http_answer){ .status = 200, .length = resource->size, .n = 1,
			.span[0].last = resource->size ? resource->size - 1 : 0 };
	memcpy(a.span, range.span, sizeof a.span);
	for (unsigned i = 0; i < a.n; i++)
		a.length += a.span[i].last - a.span[i].first + 1;
	return a;
}
