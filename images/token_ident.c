/* SPDX-License-Identifier: Apache-2.0 */
#include "images/token.h"

#include <stdlib.h>

#include "crypto/err.h"

#define TABLE_MIN 4		    /* as many in equal distances are a table, not chance */
#define STRIDE_MAX 256		    /* bytes of one record of such a table */
#define RECENT (2 * TABLE_MIN * 16) /* candidates of one form remembered; those of a table follow each other */
#define PACKED_MAX 10		    /* bytes of the longest form */

/* ---- the numbers ---- */

bool
token_luhn(struct view digits)
{
	unsigned sum = 0;
	for (size_t i = 0; i < digits.n; i++) {
		unsigned v = (unsigned)(digits.p[digits.n - 1 - i] - '0');
		if (i % 2)
			v = v * 2 > 9 ? v * 2 - 9 : v * 2;
		sum += v;
	}
	return digits.n > 1 && sum % 10 == 0;
}

/* The reporting body's number that a type allocation code begins with (GSMA TS.06); 00 is for tests. */
static bool
is_reporting_body(struct view d)
{
	static const char bodies[] = "01 10 30 33 35 44 45 49 50 51 52 53 54 86 91 98 99 ";
	char two[4] = { (char)d.p[0], (char)d.p[1], ' ', '\0' };
	return strstr(bodies, two) != NULL;
}

/* A mobile country code: those assigned lie in these ranges (ITU-T E.212); 901 is for those of no country. */
static bool
is_country(struct view d)
{
	static const unsigned short range[][2] = { { 202, 297 }, { 302, 376 }, { 400, 470 }, { 502, 555 },
		{ 602, 659 }, { 702, 750 }, { 901, 901 } };
	unsigned code = (d.p[0] - '0') * 100u + (d.p[1] - '0') * 10u + (d.p[2] - '0');
	for (size_t i = 0; i < sizeof range / sizeof range[0]; i++)
		if (code >= range[i][0] && code <= range[i][1])
			return true;
	return false;
}

/*
 * Tables of small numbers are packed decimals by chance: a type allocation code has no
 * five equal digits in a row, and a whole identity five different ones at least.
 */
static bool
is_plausible(struct view d)
{
	unsigned seen = 0, equal = 1, most = 1;
	for (size_t i = 0; i < d.n; i++) {
		seen |= 1u << (d.p[i] - '0');
		equal = i && d.p[i] == d.p[i - 1] ? equal + 1 : 1;
		most = i < 8 && equal > most ? equal : most;
	}
	return most < 5 && __builtin_popcount(seen) >= 5;
}

static bool
is_varied(struct view d)
{
	for (size_t i = 3; i < d.n; i++)
		if (d.p[i] != d.p[2])
			return true;
	return false;
}

enum token_class
token_ident_class(struct view d)
{
	if (d.n < 15 || d.n > 20 || !is_varied(d))
		return TOKEN_NONE;
	if (d.n == 15 && is_reporting_body(d) && token_luhn(d))
		return TOKEN_IMEI;
	if (d.n == 15 && is_country(d))
		return TOKEN_IMSI;
	if (d.n >= 18 && memcmp(d.p, "89", 2) == 0 && token_luhn(d))
		return TOKEN_ICCID;
	return TOKEN_NONE;
}

/* ---- packed ---- */

enum form {
	FORM_PLAIN_FILLED,   /* 12 34 .. 5F */
	FORM_PLAIN_LED,	     /* 01 23 .. 45 */
	FORM_SWAPPED_FILLED, /* 21 43 .. F5 */
	FORM_MOBILE,	     /* 1A 32 54 ..: TS 24.008, 10.5.1.4; of an IMSI 19 */
	FORM_CARD,	     /* 98 ..: ten bytes of EF_ICCID, TS 102.221, 13.2 */
	FORMS,
};

/* 15 to 20 digits in the form; false when there are none. */
static bool
unpack(enum form form, const uint8_t *p, char *digit, size_t *ret_n)
{
	uint8_t nibble[2 * PACKED_MAX];
	size_t bytes = form == FORM_CARD ? PACKED_MAX : 8, n = 0, from = 0;
	bool printable = true;
	for (size_t i = 0; i < bytes; i++) {
		bool swapped = form >= FORM_SWAPPED_FILLED;
		nibble[2 * i] = swapped ? p[i] & 15 : p[i] >> 4;
		nibble[2 * i + 1] = swapped ? p[i] >> 4 : p[i] & 15;
		printable = printable && p[i] >= 0x20 && p[i] <= 0x7e;
	}
	n = 2 * bytes;
	if (printable) /* digits as text are packed decimals by their bytes, too */
		return false;
	switch (form) {
	case FORM_PLAIN_FILLED:
	case FORM_SWAPPED_FILLED:
		if (nibble[--n] != 15)
			return false;
		break;
	case FORM_PLAIN_LED:
		if (nibble[0] != 0)
			return false;
		from = 1;
		break;
	case FORM_MOBILE: /* the first octet's low half is type and parity, its high half the first digit */
		if (nibble[0] != 0xa && nibble[0] != 0x9)
			return false;
		from = 1;
		break;
	case FORM_CARD:
		n -= nibble[n - 1] == 15;
		break;
	case FORMS:
		return false;
	}
	for (size_t i = from; i < n; i++) {
		if (nibble[i] > 9)
			return false;
		digit[i - from] = (char)('0' + nibble[i]);
	}
	*ret_n = n - from;
	return true;
}

struct hit {
	uint64_t offset;
	enum token_class class;
	char digit[20];
	size_t n;
};

struct idents {
	token_ident_fn *sure, *maybe;
	void *arg;
	struct hit recent[FORMS][RECENT]; /* rings */
	size_t seen[FORMS];
};

static const struct hit *
at_offset(const struct idents *t, enum form form, uint64_t offset)
{
	size_t n = t->seen[form] < RECENT ? t->seen[form] : RECENT;
	for (size_t i = 0; i < n; i++)
		if (t->recent[form][i].offset == offset)
			return &t->recent[form][i];
	return NULL;
}

static bool
same(const struct hit *a, const struct hit *b)
{
	return a->n == b->n && memcmp(a->digit, b->digit, a->n) == 0;
}

/* The newest of a form: is it the end of a row in equal distances? Then the whole row is told. */
static int
row(struct idents *t, enum form form, const struct hit *new)
{
	size_t n = t->seen[form] < RECENT ? t->seen[form] : RECENT;
	for (size_t i = 0; i < n; i++) {
		const struct hit *line[TABLE_MIN] = { new, &t->recent[form][i] };
		uint64_t stride = new->offset - line[1]->offset;
		if (stride == 0 || stride > STRIDE_MAX || stride < 8)
			continue;
		unsigned k = 1;
		while (k + 1 < TABLE_MIN && new->offset >= (k + 1) * stride &&
		       (line[k + 1] = at_offset(t, form, new->offset - (k + 1) * stride)) != NULL)
			k++;
		bool distinct = k + 1 == TABLE_MIN;
		for (unsigned a = 0; distinct && a < TABLE_MIN; a++)
			for (unsigned b = 0; b < a; b++)
				distinct = distinct && !same(line[a], line[b]);
		for (unsigned a = 0; distinct && a < TABLE_MIN; a++) {
			int err = t->sure(
			    t->arg, line[a]->class, view_of(line[a]->digit, line[a]->n), line[a]->offset);
			if (err)
				return err;
		}
		if (distinct)
			return 0;
	}
	return 0;
}

static int
look(struct idents *t, const uint8_t *p, size_t left, uint64_t offset, uint8_t before)
{
	if (memcmp(p + 1, p + 2, 5) == 0) /* one byte throughout: erased or padding */
		return 0;
	for (unsigned form = 0; form < FORMS; form++) {
		struct hit hit = { .offset = offset };
		if (left < (form == FORM_CARD ? PACKED_MAX : 8u) ||
		    !unpack((enum form)form, p, hit.digit, &hit.n))
			continue;
		hit.class = token_ident_class(view_of(hit.digit, hit.n));
		/* An IMSI has no check digit: only with its type and the length before it, as cards and messages have them. */
		bool imsi = form == FORM_MOBILE && (p[0] & 15) == 9 && before == 8;
		if (hit.class == TOKEN_NONE || !is_plausible(view_of(hit.digit, hit.n)) ||
		    imsi != (hit.class == TOKEN_IMSI) || (form == FORM_CARD) != (hit.class == TOKEN_ICCID))
			continue;
		int err = t->maybe ? t->maybe(t->arg, hit.class, view_of(hit.digit, hit.n), offset) : 0;
		if (!err)
			err = row(t, (enum form)form, &hit);
		if (err)
			return err;
		t->recent[form][t->seen[form]++ % RECENT] = hit;
	}
	return 0;
}

/* Six decimal bytes in a row are in every form: cheap to ask first. */
static bool
is_decimal(uint8_t c)
{
	return (c & 15) <= 9 && c >> 4 <= 9;
}

int
token_idents(const struct source *s, token_ident_fn *sure, token_ident_fn *maybe, void *arg)
{
	size_t chunk_n = source_chunk(s->size) + PACKED_MAX;
	uint8_t *chunk = malloc(chunk_n);
	struct idents *t = calloc(1, sizeof *t);
	int err = chunk && t ? 0 : FG_ENOMEM;
	if (!err) {
		t->sure = sure;
		t->maybe = maybe;
		t->arg = arg;
	}
	uint8_t last = 0; /* the byte before this round's */
	for (uint64_t at = 0; !err && at < s->size;) {
		/* Each round reads so much more than it settles that every form lies in one round. */
		long n = source_read_some(s, at, chunk, chunk_n);
		if (n < 0) {
			err = (int)n;
			break;
		}
		size_t got = (size_t)n, settle = at + got == s->size ? got : got - (PACKED_MAX - 1);
		unsigned run = 0; /* decimal bytes up to here */
		for (size_t i = 1; i < got && !err; i++) {
			run = is_decimal(chunk[i]) ? run + 1 : 0;
			/* Bytes 1 to 6 of what begins six before. */
			if (run >= 6 && i - 6 < settle)
				err = look(
				    t, chunk + i - 6, got - (i - 6), at + i - 6, i > 6 ? chunk[i - 7] : last);
		}
		last = chunk[settle - 1];
		at += settle;
	}
	free(chunk);
	free(t);
	return err;
}
