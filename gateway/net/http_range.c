/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/net/http_range.h"

#include "gateway/net/http_date.h"

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

static struct http_range
part(uint64_t first, uint64_t last)
{
	return (struct http_range){ HTTP_RANGE_PART, first, last };
}

struct http_range
http_range_parse(struct view value, uint64_t size)
{
	const struct http_range none = { HTTP_RANGE_NONE, 0, 0 };
	const struct http_range unsatisfied = { HTTP_RANGE_UNSATISFIED, 0, 0 };
	const size_t unit = sizeof "bytes=" - 1;
	if (value.n <= unit || !http_head_is(view_of(value.p, unit), "bytes="))
		return none;
	struct view rest = view_of(value.p + unit, value.n - unit), spec, second;
	if (!http_head_element(&rest, &spec) || http_head_element(&rest, &second))
		return none;
	const uint8_t *dash = memchr(spec.p, '-', spec.n);
	if (!dash)
		return none;
	size_t at = (size_t)(dash - spec.p);
	struct view from = view_of(spec.p, at), to = view_of(dash + 1, spec.n - at - 1);
	uint64_t first = 0, last = UINT64_MAX;
	if (from.n == 0) { /* the last `last` bytes */
		if (!position(to, &last))
			return none;
		if (last == 0)
			return unsatisfied;
		if (size == 0) /* satisfied by nothing, which no Content-Range can say */
			return none;
		return part(last < size ? size - last : 0, size - 1);
	}
	if (!position(from, &first) || (to.n && !position(to, &last)) || last < first)
		return none;
	if (first >= size)
		return unsatisfied;
	return part(first, last < size ? last : size - 1);
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
	struct http_range range = { HTTP_RANGE_NONE, 0, 0 };
	if (f && request->method == HTTP_GET && range_applies(request, resource, now_s))
		range = http_range_parse(f->value, resource->size);
	if (range.kind == HTTP_RANGE_UNSATISFIED)
		return (struct http_answer){ .status = 416 };
	if (range.kind == HTTP_RANGE_PART)
		return (struct http_answer){ 206, range.first, range.last - range.first + 1 };
	return (struct http_answer){ 200, 0, resource->size };
}
