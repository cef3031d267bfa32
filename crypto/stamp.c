/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/stamp.h"

#include <inttypes.h>
#include <string.h>

#include "crypto/err.h"

#define DAY 86400
#define SECOND_US 1000000
#define YEAR_MIN 1970
/* "YYYY-MM-DDTHH:MM:SS" */
#define CLOCK_LEN 19
#define FRACTION_DIGITS_MAX 9 /* nanoseconds: what date(1) writes */

struct moment {
	int year, month, day;
	int hour, minute, second;
};

static bool
is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int
days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 0000-03-01 to the first of March of that year, which begins with its March. */
static int64_t
days_before_march(int64_t year)
{
	return year * 365 + year / 4 - year / 100 + year / 400;
}

/*
 * Counting years from March puts the leap day last, so that the months before
 * any given one have the same length every year: 153 days in five of them.
 */
static int64_t
days_from_date(int year, int month, int day)
{
	static const int64_t epoch = 719468; /* 1970-01-01, counted from 0000-03-01 */
	int64_t y = month > 2 ? year : year - 1;
	int m = month > 2 ? month - 3 : month + 9;
	return days_before_march(y) + (153 * m + 2) / 5 + day - 1 - epoch;
}

static struct moment
moment_of(int64_t seconds)
{
	int64_t days = seconds / DAY;
	int rest = (int)(seconds % DAY);
	struct moment m = {
		.hour = rest / 3600, .minute = rest / 60 % 60, .second = rest % 60, .month = 1
	};
	/* By the mean year of 146097/400 days; where leap days fall puts that off by at most one. */
	m.year = YEAR_MIN + (int)(days * 400 / 146097);
	if (days_from_date(m.year, 1, 1) > days)
		m.year--;
	else if (days_from_date(m.year + 1, 1, 1) <= days)
		m.year++;
	int day = (int)(days - days_from_date(m.year, 1, 1));
	while (day >= days_in_month(m.year, m.month))
		day -= days_in_month(m.year, m.month++);
	m.day = day + 1;
	return m;
}

/* n digits, leading zeros; by hand, because every entry of the log has a stamp. */
static void
put_digits(char *dst, unsigned n, unsigned v)
{
	for (; n > 0; v /= 10)
		dst[--n] = (char)('0' + v % 10);
}

int
stamp_format(int64_t seconds, char out[STAMP_CAP])
{
	if (seconds < 0 || seconds > STAMP_MAX)
		return FG_EINVAL;
	struct moment m = moment_of(seconds);
	memcpy(out, "0000-00-00T00:00:00Z", STAMP_CAP);
	put_digits(out, 4, (unsigned)m.year);
	put_digits(out + 5, 2, (unsigned)m.month);
	put_digits(out + 8, 2, (unsigned)m.day);
	put_digits(out + 11, 2, (unsigned)m.hour);
	put_digits(out + 14, 2, (unsigned)m.minute);
	put_digits(out + 17, 2, (unsigned)m.second);
	return 0;
}

int
stamp_format_us(int64_t us, char out[STAMP_US_CAP])
{
	char whole[STAMP_CAP];
	if (us < 0 || us > STAMP_US_MAX || stamp_format(us / SECOND_US, whole))
		return FG_EINVAL;
	memcpy(out, whole, CLOCK_LEN);
	memcpy(out + CLOCK_LEN, ".000000Z", sizeof ".000000Z");
	put_digits(out + CLOCK_LEN + 1, 6, (unsigned)(us % SECOND_US));
	return 0;
}

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* n digits at off as a number; false if one of them is none. */
static bool
digits(const uint8_t *p, size_t off, size_t n, int *ret)
{
	int v = 0;
	for (size_t i = off; i < off + n; i++) {
		if (!is_digit(p[i]))
			return false;
		v = v * 10 + (p[i] - '0');
	}
	*ret = v;
	return true;
}

/* CLOCK_LEN bytes as seconds since 1970 were they UTC; a real date from 1970 on, no :60. */
static bool
clock_part(const uint8_t *p, int64_t *ret)
{
	struct moment m;
	if (!digits(p, 0, 4, &m.year) || p[4] != '-' || !digits(p, 5, 2, &m.month) ||
	    p[7] != '-' || !digits(p, 8, 2, &m.day) || (p[10] != 'T' && p[10] != 't') ||
	    !digits(p, 11, 2, &m.hour) || p[13] != ':' || !digits(p, 14, 2, &m.minute) ||
	    p[16] != ':' || !digits(p, 17, 2, &m.second))
		return false;
	if (m.year < YEAR_MIN - 1 || m.month < 1 || m.month > 12 || m.day < 1 ||
	    m.day > days_in_month(m.year, m.month) || m.hour > 23 || m.minute > 59 || m.second > 59)
		return false;
	*ret = days_from_date(m.year, m.month, m.day) * DAY + m.hour * 3600 + m.minute * 60 +
	       m.second;
	return true;
}

/*
 * Writes back what it has read and compares: nothing but the one spelling can
 * pass, whatever clock_part forgives.
 */
bool
stamp_parse(struct view text, int64_t *ret_seconds)
{
	char again[STAMP_CAP];
	int64_t seconds;
	if (text.n != STAMP_CAP - 1 || !clock_part(text.p, &seconds) ||
	    stamp_format(seconds, again) || !view_is(text, again))
		return false;
	*ret_seconds = seconds;
	return true;
}

/*
 * Logs are read by the million, so this one looks at each of the 27 characters
 * instead of writing them again.
 */
bool
stamp_parse_us(struct view text, int64_t *ret_us)
{
	int64_t seconds;
	int fraction;
	if (text.n != STAMP_US_CAP - 1 || text.p[10] != 'T' || text.p[CLOCK_LEN] != '.' ||
	    text.p[STAMP_US_CAP - 2] != 'Z' || !clock_part(text.p, &seconds) || seconds < 0 ||
	    !digits(text.p, CLOCK_LEN + 1, 6, &fraction))
		return false;
	*ret_us = seconds * SECOND_US + fraction;
	return true;
}

static bool
decimal(struct view text, int64_t *ret)
{
	int64_t v = 0;
	if (text.n == 0 || (text.n > 1 && text.p[0] == '0'))
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (!is_digit(text.p[i]))
			return false;
		v = v * 10 + (text.p[i] - '0');
		if (v > STAMP_MAX)
			return false;
	}
	*ret = v;
	return true;
}

/* "Z", "z" or "+hh:mm", "-hh:mm": seconds to take away for UTC. */
static bool
offset_part(struct view text, int *ret)
{
	int hours, minutes;
	if (text.n == 1 && (text.p[0] == 'Z' || text.p[0] == 'z')) {
		*ret = 0;
		return true;
	}
	if (text.n != 6 || (text.p[0] != '+' && text.p[0] != '-') ||
	    !digits(text.p, 1, 2, &hours) || text.p[3] != ':' || !digits(text.p, 4, 2, &minutes) ||
	    hours > 23 || minutes > 59)
		return false;
	*ret = (hours * 3600 + minutes * 60) * (text.p[0] == '-' ? -1 : 1);
	return true;
}

bool
stamp_parse_any(struct view text, int64_t *ret_seconds)
{
	int64_t seconds;
	int ahead;
	if (decimal(text, ret_seconds))
		return true;
	if (text.n <= CLOCK_LEN || !clock_part(text.p, &seconds))
		return false;
	size_t off = CLOCK_LEN;
	if (text.p[off] == '.') {
		size_t first = ++off;
		while (off < text.n && is_digit(text.p[off]))
			off++;
		if (off == first || off - first > FRACTION_DIGITS_MAX)
			return false;
	}
	if (!offset_part(view_of(text.p + off, text.n - off), &ahead))
		return false;
	seconds -= ahead;
	if (seconds < 0 || seconds > STAMP_MAX)
		return false;
	*ret_seconds = seconds;
	return true;
}
