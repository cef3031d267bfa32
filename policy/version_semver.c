/* SPDX-License-Identifier: Apache-2.0 */
/* Semantic Versioning 2.0.0, clauses 2 (numbers), 9 (pre-release), 10 (build) and 11 (precedence). */
#include "policy/version_private.h"

struct semver {
	struct view number[3];
	struct view pre; /* without "-"; empty: none, and that is newer than any */
};

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool
is_number(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (!is_digit(v.p[i]))
			return false;
	return v.n > 0;
}

/* Clauses 2 and 9: no leading zeros in a number. */
static bool
is_plain_number(struct view v)
{
	return is_number(v) && (v.n == 1 || v.p[0] != '0');
}

static bool
is_identifier(struct view v, bool zeros)
{
	for (size_t i = 0; i < v.n; i++) {
		uint8_t c = v.p[i], low = c | 0x20;
		if (!is_digit(c) && (low < 'a' || low > 'z') && c != '-')
			return false;
	}
	return v.n > 0 && (zeros || !is_number(v) || is_plain_number(v));
}

/* Takes what stands before the first c, and c itself; all of it when there is none. */
static struct view
cut(struct view *v, char c)
{
	const uint8_t *at = v->n ? memchr(v->p, c, v->n) : NULL;
	size_t n = at ? (size_t)(at - v->p) : v->n, used = n + (at != NULL);
	struct view head = view_of(v->p, n);
	*v = view_of(v->p + used, v->n - used);
	return head;
}

/* A dot at the end leaves an empty identifier. */
static bool
are_identifiers(struct view v, bool zeros)
{
	if (v.n == 0 || v.p[v.n - 1] == '.')
		return false;
	while (v.n > 0)
		if (!is_identifier(cut(&v, '.'), zeros))
			return false;
	return true;
}

static bool
has(struct view v, char c)
{
	return v.n > 0 && memchr(v.p, c, v.n) != NULL;
}

static bool
parse(struct view text, struct semver *ret)
{
	bool has_build = has(text, '+');
	struct view core = cut(&text, '+');
	if (has_build && !are_identifiers(text, true))
		return false;
	bool has_pre = has(core, '-');
	struct view numbers = cut(&core, '-');
	if (has_pre && !are_identifiers(core, false))
		return false;
	ret->pre = core;
	for (unsigned i = 0; i < 3; i++) {
		if (i < 2 && !has(numbers, '.'))
			return false;
		ret->number[i] = i < 2 ? cut(&numbers, '.') : numbers;
		if (!is_plain_number(ret->number[i]))
			return false;
	}
	return true;
}

/* Without leading zeros the longer number is the greater one, however long. */
static enum version_relation
numbers(struct view a, struct view b)
{
	if (a.n != b.n)
		return version_of_numbers(a.n, b.n);
	int c = memcmp(a.p, b.p, a.n);
	return c < 0 ? VERSION_OLDER : c > 0 ? VERSION_NEWER : VERSION_SAME;
}

static enum version_relation
texts(struct view a, struct view b)
{
	size_t common = a.n < b.n ? a.n : b.n;
	int c = memcmp(a.p, b.p, common);
	return c < 0 ? VERSION_OLDER : c > 0 ? VERSION_NEWER : version_of_numbers(a.n, b.n);
}

/* Clause 11.4: numbers by value and below texts, texts by ASCII, a longer list above its beginning. */
static enum version_relation
pre_releases(struct view a, struct view b)
{
	while (a.n > 0 && b.n > 0) {
		struct view x = cut(&a, '.'), y = cut(&b, '.');
		bool n = is_number(x), m = is_number(y);
		enum version_relation is = n != m ? (n ? VERSION_OLDER : VERSION_NEWER) : n ? numbers(x, y) : texts(x, y);
		if (is != VERSION_SAME)
			return is;
	}
	return version_of_numbers(a.n > 0, b.n > 0);
}

enum version_relation
version_semver(struct view a, struct view b)
{
	struct semver x, y;
	enum version_relation is = VERSION_SAME;
	if (!parse(a, &x) || !parse(b, &y))
		return VERSION_UNKNOWN;
	for (unsigned i = 0; i < 3 && is == VERSION_SAME; i++)
		is = numbers(x.number[i], y.number[i]);
	if (is == VERSION_SAME && (x.pre.n > 0) != (y.pre.n > 0))
		is = x.pre.n > 0 ? VERSION_OLDER : VERSION_NEWER;
	else if (is == VERSION_SAME)
		is = pre_releases(x.pre, y.pre);
	/* They differ in build metadata, which has no precedence: not the same bytes, and no order. */
	return is == VERSION_SAME ? VERSION_UNKNOWN : is;
}
