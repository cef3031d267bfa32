/* SPDX-License-Identifier: Apache-2.0 */
/* Firmware named by its day; the grammar is in version.h. */
#include "policy/version_private.h"

#define YEAR_MIN 1970
#define YEAR_MAX 2199 /* beyond it eight digits are a number, not a day */
#define COUNTER_DIGITS_MAX 9

struct day {
	uint64_t number;  /* YYYYMMDD */
	char mark;        /* between its parts; 0: none */
	char before;      /* the counter; 0: no counter */
	uint64_t counter;
};

static bool
is_day(uint64_t y, uint64_t m, uint64_t d)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
	return y >= YEAR_MIN && y <= YEAR_MAX && m >= 1 && m <= 12 && d >= 1 &&
	    d <= (uint64_t)days[m - 1] + (leap && m == 2);
}

static bool
mark(struct view *v, char c)
{
	if (c == '\0')
		return true;
	if (v->n == 0 || v->p[0] != (uint8_t)c)
		return false;
	*v = view_of(v->p + 1, v->n - 1);
	return true;
}

static bool
parse(struct view v, struct day *ret)
{
	uint64_t y, m, d;
	*ret = (struct day){ 0 };
	if (!version_digits(&v, 4, &y))
		return false;
	if (v.n > 0 && (v.p[0] == '-' || v.p[0] == '.'))
		ret->mark = (char)v.p[0];
	if (!mark(&v, ret->mark) || !version_digits(&v, 2, &m) || !mark(&v, ret->mark) || !version_digits(&v, 2, &d) ||
	    !is_day(y, m, d))
		return false;
	ret->number = y * 10000 + m * 100 + d;
	if (v.n == 0)
		return true;
	if (!strchr("-._r", v.p[0]))
		return false;
	ret->before = (char)v.p[0];
	v = view_of(v.p + 1, v.n - 1);
	return v.n > 0 && v.n <= COUNTER_DIGITS_MAX && version_digits(&v, v.n, &ret->counter);
}

enum version_relation
version_date(struct view a, struct view b)
{
	struct day x, y;
	if (!parse(a, &x) || !parse(b, &y) || x.mark != y.mark)
		return VERSION_UNKNOWN;
	if (x.number != y.number)
		return version_of_numbers(x.number, y.number);
	/* 2 and 02 are two spellings of one counter. */
	if (x.before != y.before || x.before == '\0' || x.counter == y.counter)
		return VERSION_UNKNOWN;
	return version_of_numbers(x.counter, y.counter);
}
