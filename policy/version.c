/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/version_private.h"

#define PART_DIGITS_MAX 18 /* 10^18 fits uint64_t with room */

struct parts {
	uint64_t v[VERSION_PARTS_MAX];
	unsigned n;
};

static bool
split(struct view text, struct parts *out)
{
	unsigned digits = 0;
	*out = (struct parts){ .n = 0 };
	uint64_t value = 0;
	for (size_t i = 0; i <= text.n; i++) {
		if (i == text.n || text.p[i] == '.') {
			if (digits == 0 || out->n == VERSION_PARTS_MAX)
				return false;
			out->v[out->n++] = value;
			value = 0;
			digits = 0;
			continue;
		}
		if (text.p[i] < '0' || text.p[i] > '9' || ++digits > PART_DIGITS_MAX)
			return false;
		value = value * 10 + (uint64_t)(text.p[i] - '0');
	}
	return true;
}

static enum version_relation
dotted(struct view a, struct view b)
{
	struct parts x, y;
	if (!split(a, &x) || !split(b, &y))
		return VERSION_UNKNOWN;
	unsigned common = x.n < y.n ? x.n : y.n;
	for (unsigned i = 0; i < common; i++)
		if (x.v[i] != y.v[i])
			return x.v[i] < y.v[i] ? VERSION_OLDER : VERSION_NEWER;
	/* One is a prefix of the other: a further part orders them unless all further parts are zero. */
	const struct parts *longer = x.n > y.n ? &x : &y;
	for (unsigned i = common; i < longer->n; i++)
		if (longer->v[i] != 0)
			return longer == &y ? VERSION_OLDER : VERSION_NEWER;
	return VERSION_UNKNOWN; /* equal numbers, different spelling */
}

enum version_relation
version_of_numbers(uint64_t a, uint64_t b)
{
	return a < b ? VERSION_OLDER : a > b ? VERSION_NEWER : VERSION_SAME;
}

bool
version_digits(struct view *v, size_t n, uint64_t *ret)
{
	uint64_t value = 0;
	if (v->n < n || n > PART_DIGITS_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (v->p[i] < '0' || v->p[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(v->p[i] - '0');
	}
	*v = view_of(v->p + n, v->n - n);
	*ret = value;
	return true;
}

/* A "v" in front means nothing, if both write it. */
static void
cut_letter(struct view *a, struct view *b)
{
	if ((a->p[0] != 'v' && a->p[0] != 'V') || a->p[0] != b->p[0])
		return;
	*a = view_of(a->p + 1, a->n - 1);
	*b = view_of(b->p + 1, b->n - 1);
}

enum version_relation
version_compare(enum version_order order, struct view a, struct view b)
{
	if (a.n == 0 || b.n == 0 || a.n > VERSION_TEXT_MAX || b.n > VERSION_TEXT_MAX)
		return VERSION_UNKNOWN;
	if (view_equal(a, b))
		return VERSION_SAME;
	switch (order) {
	case VERSION_ORDER_DOTTED:
		cut_letter(&a, &b);
		return dotted(a, b);
	case VERSION_ORDER_SEMVER:
		cut_letter(&a, &b);
		return version_semver(a, b);
	case VERSION_ORDER_QUECTEL:
		return version_quectel(a, b);
	case VERSION_ORDER_DATE:
		cut_letter(&a, &b);
		return version_date(a, b);
	case VERSION_ORDER_EXACT:
		break;
	}
	return VERSION_UNKNOWN;
}

const char *
version_relation_name(enum version_relation relation)
{
	switch (relation) {
	case VERSION_OLDER:
		return "older";
	case VERSION_SAME:
		return "same";
	case VERSION_NEWER:
		return "newer";
	case VERSION_UNKNOWN:
		break;
	}
	return "unknown";
}
