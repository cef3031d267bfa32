/* SPDX-License-Identifier: Apache-2.0 */
/* Quectel's texts, as AT+QGMR gives them; the grammar is in version.h. */
#include "policy/version_private.h"

#define PRODUCT_MIN 3 /* M66 */
#define TAIL_MAX 8    /* M4G, M2G, E1G, M08, BT */

struct quectel {
	struct view product, tail;
	uint64_t line, revision;  /* R06, A07 */
	bool has_edition;
	struct view branch[2];    /* 01, 30, A0: who it was made for */
	uint64_t edition[2];
	unsigned editions;
};

static bool
is_upper_or_digit(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
}

static bool
all_upper_or_digits(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (!is_upper_or_digit(v.p[i]))
			return false;
	return true;
}

static bool
take(struct view *v, char c)
{
	if (v->n == 0 || v->p[0] != (uint8_t)c)
		return false;
	*v = view_of(v->p + 1, v->n - 1);
	return true;
}

/* "R06A07", not followed by a digit. */
static bool
revision(struct view *v, uint64_t *ret_line, uint64_t *ret_revision)
{
	struct view at = *v;
	if (!take(&at, 'R') || !version_digits(&at, 2, ret_line) || !take(&at, 'A') ||
	    !version_digits(&at, 2, ret_revision) || (at.n > 0 && at.p[0] >= '0' && at.p[0] <= '9'))
		return false;
	*v = at;
	return true;
}

/* "01.002" or "01.002.01.002" */
static bool
edition(struct view v, struct quectel *ret)
{
	for (ret->editions = 0; ret->editions < 2; ret->editions++) {
		if (v.n < 2 || !all_upper_or_digits(view_of(v.p, 2)))
			return false;
		ret->branch[ret->editions] = view_of(v.p, 2);
		v = view_of(v.p + 2, v.n - 2);
		if (!take(&v, '.') || !version_digits(&v, 3, &ret->edition[ret->editions]))
			return false;
		if (v.n == 0) {
			ret->editions++;
			return true;
		}
		if (!take(&v, '.'))
			return false;
	}
	return false;
}

/* base is what stands before "_". Two places where the revision could be are none. */
static bool
split(struct view base, struct quectel *ret)
{
	unsigned found = 0;
	for (size_t i = PRODUCT_MIN; i < base.n; i++) {
		struct view rest = view_of(base.p + i, base.n - i);
		uint64_t line, rev;
		if (!revision(&rest, &line, &rev))
			continue;
		found++;
		ret->product = view_of(base.p, i);
		ret->tail = rest;
		ret->line = line;
		ret->revision = rev;
	}
	return found == 1 && ret->tail.n <= TAIL_MAX && ret->product.p[0] >= 'A' && all_upper_or_digits(base);
}

static bool
parse(struct view text, struct quectel *ret)
{
	const uint8_t *bar = text.n ? memchr(text.p, '_', text.n) : NULL;
	size_t n = bar ? (size_t)(bar - text.p) : text.n;
	*ret = (struct quectel){ .has_edition = bar != NULL };
	return split(view_of(text.p, n), ret) && (!bar || edition(view_of(text.p + n + 1, text.n - n - 1), ret));
}

enum version_relation
version_quectel(struct view a, struct view b)
{
	struct quectel x, y;
	if (!parse(a, &x) || !parse(b, &y) || !view_equal(x.product, y.product) || !view_equal(x.tail, y.tail) ||
	    x.line != y.line)
		return VERSION_UNKNOWN;
	if (x.revision != y.revision)
		return version_of_numbers(x.revision, y.revision);
	if (!x.has_edition || x.editions != y.editions)
		return VERSION_UNKNOWN; /* AT+GMR leaves the edition out: it may be the same firmware */
	for (unsigned i = 0; i < x.editions; i++)
		if (!view_equal(x.branch[i], y.branch[i]))
			return VERSION_UNKNOWN;
	for (unsigned i = 0; i < x.editions; i++)
		if (x.edition[i] != y.edition[i])
			return version_of_numbers(x.edition[i], y.edition[i]);
	return VERSION_UNKNOWN;
}
