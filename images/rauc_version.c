/* SPDX-License-Identifier: Apache-2.0 */
#include "images/rauc_version.h"

#define CORE 3 /* major, minor, patch */

struct version {
	uint64_t core[CORE];
	bool have_pre;
	struct view pre;
};

/* g_ascii_string_to_unsigned() with base 10: digits, and no other byte. */
static bool
number(struct view v, uint64_t *ret)
{
	uint64_t n = 0;
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < '0' || v.p[i] > '9' || __builtin_mul_overflow(n, 10u, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(v.p[i] - '0'), &n))
			return false;
	*ret = n;
	return v.n > 0;
}

/* What stands behind the last c, which then ends *io. */
static bool
cut_last(struct view *io, char c, struct view *ret)
{
	for (size_t i = io->n; i-- > 0;)
		if (io->p[i] == (uint8_t)c) {
			*ret = view_of(io->p + i + 1, io->n - i - 1);
			*io = view_of(io->p, i);
			return true;
		}
	return false;
}

/* Up to the next dot; false: there was no field left. */
static bool
field(struct view *rest, bool *io_more, struct view *ret)
{
	if (!*io_more)
		return false;
	const uint8_t *dot = rest->n ? memchr(rest->p, '.', rest->n) : NULL;
	size_t n = dot ? (size_t)(dot - rest->p) : rest->n;
	*ret = view_of(rest->p, n);
	*io_more = dot != NULL;
	*rest = dot ? view_of(dot + 1, rest->n - n - 1) : view_of(NULL, 0);
	return true;
}

static bool
parse(struct view text, struct version *ret)
{
	struct view build, part;
	bool more = true;
	*ret = (struct version){ .have_pre = false };
	(void)cut_last(&text, '+', &build);
	ret->have_pre = cut_last(&text, '-', &ret->pre);
	for (unsigned i = 0; i < CORE && field(&text, &more, &part); i++)
		if (!number(part, &ret->core[i]))
			return false;
	return !more; /* a fourth number is part of the third, and so none */
}

/* Below 0, 0, above 0. */
static int
compare_fields(struct view a, struct view b)
{
	uint64_t x, y;
	bool is_x = number(a, &x), is_y = number(b, &y);
	if (is_x && is_y)
		return (x > y) - (x < y);
	if (is_x != is_y)
		return is_x ? -1 : 1;
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n ? memcmp(a.p, b.p, n) : 0;
	return order ? order : (a.n > b.n) - (a.n < b.n);
}

static int
compare_pre(struct view a, struct view b)
{
	/* An empty text has no field, for g_strsplit(). */
	bool more_a = a.n > 0, more_b = b.n > 0;
	struct view x, y;
	for (;;) {
		bool is_a = field(&a, &more_a, &x), is_b = field(&b, &more_b, &y);
		if (!is_a || !is_b)
			return (int)is_a - (int)is_b;
		int order = compare_fields(x, y);
		if (order)
			return order;
	}
}

bool
rauc_version_is(struct view text)
{
	struct version v;
	return parse(text, &v);
}

bool
rauc_version_less(struct view a, struct view b)
{
	struct version x, y;
	if (!parse(a, &x) || !parse(b, &y))
		return false;
	for (unsigned i = 0; i < CORE; i++)
		if (x.core[i] != y.core[i])
			return x.core[i] < y.core[i];
	if (!x.have_pre || !y.have_pre)
		return x.have_pre && !y.have_pre;
	return compare_pre(x.pre, y.pre) < 0;
}
