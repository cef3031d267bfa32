/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/version.h"

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
	if ((a.p[0] == 'v' || a.p[0] == 'V') && a.p[0] == b.p[0]) {
		a = view_of(a.p + 1, a.n - 1);
		b = view_of(b.p + 1, b.n - 1);
	}
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
version_compare(enum version_order order, struct view a, struct view b)
{
	if (a.n == 0 || b.n == 0 || a.n > VERSION_TEXT_MAX || b.n > VERSION_TEXT_MAX)
		return VERSION_UNKNOWN;
	if (view_equal(a, b))
		return VERSION_SAME;
	return order == VERSION_ORDER_DOTTED ? dotted(a, b) : VERSION_UNKNOWN;
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
