/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/zone.h"

#define NAME_MIN 3
#define HOURS_MAX 24       /* of an offset */
#define RULE_HOURS_MAX 167 /* of a rule: RFC 9636 */

/* ---- calendar ---- */

static bool
is_leap(int64_t y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static int64_t
days_in(int64_t y, int64_t month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	return days[month - 1] + (month == 2 && is_leap(y));
}

/* Days from 0000-01-01 to the first of a year. */
static int64_t
before_year(int64_t y)
{
	int64_t last = y - 1;
	return y > 0 ? y * 365 + last / 4 - last / 100 + last / 400 + 1 : 0;
}

int64_t
zone_day(int64_t year, int64_t month, int64_t day)
{
	int64_t n = before_year(year) - before_year(1970) + day - 1;
	for (int64_t m = 1; m < month; m++)
		n += days_in(year, m);
	return n;
}

static int64_t
year_of(int64_t day)
{
	int64_t y = 1970 + day / 366;
	while (zone_day(y + 1, 1, 1) <= day)
		y++;
	return y;
}

/* 0: Sunday, as POSIX counts. 1970-01-01 was a Thursday. */
static int64_t
weekday(int64_t day)
{
	return (day + 4) % 7;
}

/* ---- text ---- */

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(uint8_t c)
{
	uint8_t low = c | 0x20;
	return low >= 'a' && low <= 'z';
}

static bool
take(struct view *v, char c)
{
	if (v->n == 0 || v->p[0] != (uint8_t)c)
		return false;
	*v = view_of(v->p + 1, v->n - 1);
	return true;
}

/* "CET" or "<+0330>" */
static bool
name(struct view *v)
{
	bool quoted = take(v, '<');
	size_t n = 0;
	while (n < v->n && (is_letter(v->p[n]) || (quoted && (is_digit(v->p[n]) || v->p[n] == '+' || v->p[n] == '-'))))
		n++;
	*v = view_of(v->p + n, v->n - n);
	return n >= NAME_MIN && (!quoted || take(v, '>'));
}

static bool
number(struct view *v, size_t digits_max, int32_t max, int32_t *ret)
{
	size_t n = 0;
	int32_t value = 0;
	for (; n < v->n && n < digits_max && is_digit(v->p[n]); n++)
		value = value * 10 + (v->p[n] - '0');
	if (n == 0 || value > max)
		return false;
	*v = view_of(v->p + n, v->n - n);
	*ret = value;
	return true;
}

/* [+-]hh[:mm[:ss]] */
static bool
seconds(struct view *v, int32_t hours_max, int32_t *ret)
{
	int32_t h, m = 0, s = 0;
	bool minus = take(v, '-');
	if (!minus)
		(void)take(v, '+');
	if (!number(v, 3, hours_max, &h))
		return false;
	if (take(v, ':') && (!number(v, 2, 59, &m) || (take(v, ':') && !number(v, 2, 59, &s))))
		return false;
	int32_t all = h * 3600 + m * 60 + s;
	*ret = minus ? -all : all;
	return true;
}

static bool
day_of_rule(struct view *v, struct zone_rule *r)
{
	if (take(v, 'M')) {
		r->kind = ZONE_RULE_WEEKDAY;
		return number(v, 2, 12, &r->month) && r->month > 0 && take(v, '.') && number(v, 1, 5, &r->week) &&
		    r->week > 0 && take(v, '.') && number(v, 1, 6, &r->day);
	}
	if (take(v, 'J')) {
		r->kind = ZONE_RULE_JULIAN;
		return number(v, 3, 365, &r->day) && r->day > 0;
	}
	r->kind = ZONE_RULE_DAY;
	return number(v, 3, 365, &r->day);
}

static bool
rule(struct view *v, struct zone_rule *r)
{
	r->seconds = 2 * 3600;
	return take(v, ',') && day_of_rule(v, r) && (!take(v, '/') || seconds(v, RULE_HOURS_MAX, &r->seconds));
}

bool
zone_parse(struct view text, struct zone *ret)
{
	struct zone z = { 0 };
	int32_t west;
	if (text.n > ZONE_TEXT_MAX || !name(&text) || !seconds(&text, HOURS_MAX, &west))
		return false;
	z.standard = -west; /* POSIX counts to the west */
	z.daylight = z.standard + 3600;
	if (text.n > 0) {
		if (!name(&text))
			return false;
		if (text.n > 0 && text.p[0] != ',') {
			if (!seconds(&text, HOURS_MAX, &west))
				return false;
			z.daylight = -west;
		}
		if (!rule(&text, &z.begin) || !rule(&text, &z.end) || text.n > 0)
			return false;
	}
	*ret = z;
	return true;
}

bool
zone_date_parse(struct view text, int64_t *ret_day)
{
	char stamp[STAMP_CAP] = "....-..-..T00:00:00Z";
	int64_t since;
	if (text.n != 10)
		return false;
	memcpy(stamp, text.p, text.n);
	if (!stamp_parse(view_str(stamp), &since))
		return false;
	*ret_day = since / ZONE_DAY;
	return true;
}

/* ---- instants ---- */

static int64_t
rule_day(const struct zone_rule *r, int64_t y)
{
	int64_t first = zone_day(y, 1, 1);
	if (r->kind == ZONE_RULE_JULIAN)
		return first + r->day - 1 + (is_leap(y) && r->day >= 60);
	if (r->kind == ZONE_RULE_DAY)
		return first + r->day;
	int64_t month = zone_day(y, r->month, 1);
	int64_t day = month + (r->day - weekday(month) + 7) % 7 + (r->week - 1) * 7;
	return day - month < days_in(y, r->month) ? day : day - 7;
}

/* The instants of a year; each in the time that ends there. */
static int64_t
begins(const struct zone *z, int64_t y)
{
	return rule_day(&z->begin, y) * ZONE_DAY + z->begin.seconds - z->standard;
}

static int64_t
ends(const struct zone *z, int64_t y)
{
	return rule_day(&z->end, y) * ZONE_DAY + z->end.seconds - z->daylight;
}

static int64_t
within(int64_t t)
{
	return t < 0 ? 0 : t > ZONE_TIME_MAX ? ZONE_TIME_MAX : t;
}

int32_t
zone_offset(const struct zone *z, int64_t t)
{
	if (z->begin.kind == ZONE_RULE_NONE)
		return z->standard;
	t = within(t);
	int64_t y = year_of(t / ZONE_DAY);
	/* The last that came; where one ends as the next begins (all the year round) the beginning counts. */
	int64_t last_begin = INT64_MIN, last_end = INT64_MIN;
	for (int64_t i = y - 1; i <= y + 1; i++) {
		if (begins(z, i) <= t)
			last_begin = begins(z, i);
		if (ends(z, i) <= t)
			last_end = ends(z, i);
	}
	return last_begin >= last_end ? z->daylight : z->standard;
}

int64_t
zone_change(const struct zone *z, int64_t t)
{
	int64_t next = ZONE_NEVER;
	if (z->begin.kind == ZONE_RULE_NONE || t >= ZONE_TIME_MAX)
		return ZONE_NEVER;
	t = within(t);
	int64_t y = year_of(t / ZONE_DAY);
	for (int64_t i = y - 1; i <= y + 2; i++) {
		int64_t b = begins(z, i), e = ends(z, i);
		if (b > t && b < next)
			next = b;
		if (e > t && e < next)
			next = e;
	}
	return next;
}
