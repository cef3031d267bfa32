/* SPDX-License-Identifier: Apache-2.0 */
#include "images/coverage.h"

#include "crypto/err.h"

void
coverage_init(struct coverage *c, uint64_t size)
{
	*c = (struct coverage){ .size = size };
}

int
coverage_add(struct coverage *c, struct sig_range range)
{
	uint64_t end;
	if (__builtin_add_overflow(range.offset, range.length, &end) || end > c->size)
		return FG_EFORMAT;
	if (range.length == 0)
		return 0;

	/* [first, last) are the ranges that touch the new one and melt into it. */
	unsigned first = 0;
	while (first < c->n && c->range[first].offset + c->range[first].length < range.offset)
		first++;
	unsigned last = first;
	uint64_t start = range.offset;
	while (last < c->n && c->range[last].offset <= end) {
		uint64_t its_end = c->range[last].offset + c->range[last].length;
		if (c->range[last].offset < start)
			start = c->range[last].offset;
		if (its_end > end)
			end = its_end;
		c->covered -= c->range[last].length;
		last++;
	}
	if (first == last && c->n == COVERAGE_RANGES_MAX)
		return FG_ELIMIT;
	memmove(&c->range[first + 1], &c->range[last], (c->n - last) * sizeof c->range[0]);
	c->n = c->n - (last - first) + 1;
	c->range[first] = (struct sig_range){ start, end - start };
	c->covered += end - start;
	return 0;
}

uint64_t
coverage_signed(const struct coverage *c)
{
	return c->covered;
}

uint64_t
coverage_unsigned(const struct coverage *c)
{
	return c->size - c->covered;
}

unsigned
coverage_gaps(const struct coverage *c, struct sig_range *ret, unsigned cap)
{
	unsigned gaps = 0;
	uint64_t at = 0;
	for (unsigned i = 0; i <= c->n; i++) {
		uint64_t next = i < c->n ? c->range[i].offset : c->size;
		if (next > at) {
			if (gaps < cap)
				ret[gaps] = (struct sig_range){ at, next - at };
			gaps++;
		}
		if (i < c->n)
			at = next + c->range[i].length;
	}
	return gaps;
}
