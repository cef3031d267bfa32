/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/egress.h"

#include <string.h>

#include "crypto/stamp.h"

#define FIELDS 4

/* The line without its end; false: there is none. */
static bool
take_line(struct egress_reader *r, struct view *ret)
{
	if (r->rest.n == 0)
		return false;
	const uint8_t *end = memchr(r->rest.p, '\n', r->rest.n);
	size_t n = end ? (size_t)(end - r->rest.p) : r->rest.n;
	*ret = view_of(r->rest.p, n);
	n += end != NULL;
	r->rest = view_of(r->rest.p + n, r->rest.n - n);
	r->line++;
	if (ret->n > 0 && ret->p[ret->n - 1] == '\r')
		ret->n--;
	return true;
}

bool
egress_begin(struct egress_reader *r, struct view csv)
{
	struct view line;
	/* Spreadsheets put a byte order mark in front. */
	size_t mark = csv.n >= 3 && memcmp(csv.p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	*r = (struct egress_reader){ .rest = view_of(csv.p + mark, csv.n - mark) };
	return take_line(r, &line) && view_is(line, EGRESS_HEADER);
}

/* None of the four can hold a comma, so nothing is quoted. */
static bool
split(struct view line, struct view field[FIELDS])
{
	size_t at = 0;
	for (unsigned i = 0; i < FIELDS; i++) {
		const uint8_t *comma = memchr(line.p + at, ',', line.n - at);
		size_t n = comma ? (size_t)(comma - line.p) - at : line.n - at;
		if ((comma != NULL) != (i + 1 < FIELDS))
			return false;
		field[i] = view_of(line.p + at, n);
		at += n + 1;
	}
	return true;
}

static bool
read_endpoint(struct view text, char dst[EGRESS_ENDPOINT_CAP])
{
	struct cidr_addr a;
	char host[EGRESS_ENDPOINT_CAP];
	if (!cidr_addr_parse(text, &a)) {
		if (!profile_host_normal(text, host))
			return false;
		size_t n = strlen(host);
		struct view bare = host[0] == '[' ? view_of((const uint8_t *)host + 1, n - 2) : view_str(host);
		if (!cidr_addr_parse(bare, &a)) {
			memcpy(dst, host, n + 1);
			return true;
		}
	}
	_Static_assert(CIDR_TEXT_MAX <= EGRESS_ENDPOINT_CAP, "an address fits where a name does");
	cidr_addr_text(&a, dst);
	return true;
}

static const char *
read_line(struct view line, struct egress_line *ret)
{
	struct view field[FIELDS];
	if (!split(line, field))
		return "a line is " EGRESS_HEADER ", with nothing quoted";
	ret->kind = identity_kind_parse(field[0]);
	if (ret->kind == IDENTITY_KIND_NONE)
		return "kind is none of imei, iccid, token, cert, address, serial";
	if (!identity_canonical(ret->kind, ret->kind == IDENTITY_IMEI ? IDENTITY_CHECK_LUHN : IDENTITY_CHECK_NONE, field[1],
	    ret->identity))
		return ret->kind == IDENTITY_IMEI ? "identity is no IMEI: 15 digits with the right check digit" :
		    "identity is not one of that kind";
	if (!read_endpoint(field[2], ret->endpoint))
		return "endpoint is neither a host name nor an address";
	return stamp_parse(field[3], &ret->at) ? NULL : "time is not of the form 2026-01-01T10:00:00Z";
}

bool
egress_next(struct egress_reader *r, struct egress_line *ret, const char **ret_why)
{
	struct view line;
	do {
		if (!take_line(r, &line))
			return false;
	} while (line.n == 0);
	*ret_why = read_line(line, ret);
	return true;
}

bool
egress_judge(const struct egress_sight *s, size_t n, uint32_t *ret, size_t cap, size_t *ret_n)
{
	bool any = false;
	*ret_n = 0;
	for (size_t i = 0, next; i < n; i = next) {
		bool before = false;
		for (next = i; next < n && s[next].endpoint == s[i].endpoint; next++)
			before |= !s[next].after;
		any |= before;
		if (before)
			continue;
		if (*ret_n < cap)
			ret[*ret_n] = s[i].endpoint;
		++*ret_n;
	}
	if (!any)
		*ret_n = 0;
	return any;
}
