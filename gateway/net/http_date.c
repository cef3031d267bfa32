/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/net/http_date.h"


#define DAY_S 86400
#define ERA_DAYS 146097 /* 400 Gregorian years */

static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
	"Oct", "Nov", "Dec" };
static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char long_days[7][10] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday",
	"Friday", "Saturday" };

struct civil {
	int year, month, day; /* month and day from 1 */
	int hour, minute, second;
};

/*
 * Days since 1970-01-01. Years are counted from March, so that the leap day is
 * the last of its year and month lengths follow one formula.
 */
static int64_t
days_of(int year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t era = y / 400, in_era = y % 400;
	int64_t in_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	return era * ERA_DAYS + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

static struct civil
civil_of(int64_t epoch_s)
{
	int64_t d = epoch_s / DAY_S + 719468, s = epoch_s % DAY_S;
	int64_t era = d / ERA_DAYS, in_era = d % ERA_DAYS;
	int64_t y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	int64_t in_year = in_era - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * in_year + 2) / 153;
	struct civil c = {
		.month = (int)(m < 10 ? m + 3 : m - 9),
		.day = (int)(in_year - (153 * m + 2) / 5 + 1),
		.hour = (int)(s / 3600),
		.minute = (int)(s / 60 % 60),
		.second = (int)(s % 60),
	};
	c.year = (int)(y + era * 400 + (c.month <= 2));
	return c;
}

/* n decimal digits. No printf: two dates stand in every answer. */
static char *
put_digits(char *p, unsigned n, int value)
{
	for (unsigned i = n; i-- > 0; value /= 10)
		p[i] = (char)('0' + value % 10);
	return p + n;
}

static char *
put_text(char *p, const char *text)
{
	size_t n = strlen(text);
	memcpy(p, text, n);
	return p + n;
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
void
http_date_format(int64_t epoch_s, char out[HTTP_DATE_LEN + 1])
{
	if (epoch_s < 0)
		epoch_s = 0;
	if (epoch_s > HTTP_DATE_MAX)
		epoch_s = HTTP_DATE_MAX;
	struct civil c = civil_of(epoch_s);
	char *p = put_text(out, days[(epoch_s / DAY_S + 4) % 7]);
	p = put_digits(put_text(p, ", "), 2, c.day);
	p = put_text(put_text(p, " "), months[c.month - 1]);
	p = put_digits(put_text(p, " "), 4, c.year);
	p = put_digits(put_text(p, " "), 2, c.hour);
	p = put_digits(put_text(p, ":"), 2, c.minute);
	p = put_digits(put_text(p, ":"), 2, c.second);
	p = put_text(p, " GMT");
	*p = '\0';
}

/* A cursor that stays at its first failure. */
struct text {
	const uint8_t *p;
	size_t n;
	bool bad;
};

static void
expect(struct text *t, const char *s)
{
	size_t n = strlen(s);
	if (t->bad || t->n < n || memcmp(t->p, s, n) != 0) {
		t->bad = true;
		return;
	}
	t->p += n;
	t->n -= n;
}

static int
number(struct text *t, size_t digits)
{
	int v = 0;
	if (t->bad || t->n < digits)
		t->bad = true;
	for (size_t i = 0; i < digits && !t->bad; i++) {
		if (t->p[i] < '0' || t->p[i] > '9')
			t->bad = true;
		else
			v = v * 10 + (t->p[i] - '0');
	}
	if (t->bad)
		return 0;
	t->p += digits;
	t->n -= digits;
	return v;
}

static int
month(struct text *t)
{
	for (int i = 0; i < 12 && !t->bad; i++)
		if (t->n >= 3 && memcmp(t->p, months[i], 3) == 0) {
			t->p += 3;
			t->n -= 3;
			return i + 1;
		}
	t->bad = true;
	return 1;
}

static void
clock_time(struct text *t, struct civil *c)
{
	c->hour = number(t, 2);
	expect(t, ":");
	c->minute = number(t, 2);
	expect(t, ":");
	c->second = number(t, 2);
}

/* Steps over one of the seven names; the day it names is not checked (RFC: redundant). */
static bool
weekday(struct text *t, bool in_full)
{
	for (int i = 0; i < 7; i++) {
		const char *name = in_full ? long_days[i] : days[i];
		size_t n = strlen(name);
		if (t->n > n && memcmp(t->p, name, n) == 0 &&
		    (t->p[n] == ',' || t->p[n] == ' ')) {
			t->p += n;
			t->n -= n;
			return true;
		}
	}
	return false;
}

/* "Nov  6 08:49:37 1994", after the weekday */
static void
asctime_form(struct text *t, struct civil *c)
{
	c->month = month(t);
	expect(t, " ");
	if (!t->bad && t->n && t->p[0] == ' ') {
		expect(t, " ");
		c->day = number(t, 1);
	} else {
		c->day = number(t, 2);
	}
	expect(t, " ");
	clock_time(t, c);
	expect(t, " ");
	c->year = number(t, 4);
}

/* "06-Nov-94 08:49:37 GMT", after weekday and comma */
static void
rfc850_form(struct text *t, struct civil *c, int64_t now_s)
{
	c->day = number(t, 2);
	expect(t, "-");
	c->month = month(t);
	expect(t, "-");
	c->year = number(t, 2);
	expect(t, " ");
	clock_time(t, c);
	expect(t, " GMT");
	int this_year = civil_of(now_s < 0 ? 0 : now_s).year;
	c->year += this_year / 100 * 100;
	if (c->year > this_year + 50)
		c->year -= 100;
}

/* "06 Nov 1994 08:49:37 GMT", after weekday and comma */
static void
fixdate_form(struct text *t, struct civil *c)
{
	c->day = number(t, 2);
	expect(t, " ");
	c->month = month(t);
	expect(t, " ");
	c->year = number(t, 4);
	expect(t, " ");
	clock_time(t, c);
	expect(t, " GMT");
}

bool
http_date_parse(struct view v, int64_t now_s, int64_t *ret_epoch_s)
{
	struct text t = { v.p, v.n, false };
	struct civil c = { 0 };
	if (weekday(&t, true)) {
		expect(&t, ", ");
		rfc850_form(&t, &c, now_s);
	} else if (!weekday(&t, false)) {
		return false;
	} else if (t.p[0] == ',') {
		expect(&t, ", ");
		fixdate_form(&t, &c);
	} else {
		expect(&t, " ");
		asctime_form(&t, &c);
	}
	if (t.bad || t.n || c.year < 1970 || c.day < 1 || c.hour > 23 || c.minute > 59 ||
	    c.second > 60)
		return false;
	int64_t day = days_of(c.year, c.month, c.day);
	/* A day the month does not have would land in the next one. */
	if (civil_of(day * DAY_S).day != c.day)
		return false;
	*ret_epoch_s = day * DAY_S + c.hour * 3600 + c.minute * 60 + c.second;
	return true;
}

