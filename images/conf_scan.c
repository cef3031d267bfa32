/* SPDX-License-Identifier: Apache-2.0 */
#include "images/conf_scan.h"

#include <stdio.h>

#include "crypto/err.h"

/* What libconfig's own scanner makes of the text; scalars of one kind are of one type to it. */
enum token {
	END = 0,
	NAME,
	PUNCTUATION,
	SCALARS, /* these and what follows */
	STRING = SCALARS,
	BOOL,
	INT,
	INT64,
	FRACTION,
};

struct scan {
	const uint8_t *p;
	size_t n, off;
	unsigned line, settings, values;
	enum token token; /* the one at hand, ... */
	uint8_t mark;     /* ... if it is punctuation */
	struct conf_fault *fault;
};

static int
refuse(struct scan *s, int err, const char *what)
{
	*s->fault = (struct conf_fault){ .line = s->line };
	snprintf(s->fault->what, sizeof s->fault->what, "%s", what);
	return err;
}

/* 0 behind the end: no rule below takes a NUL for anything. */
static uint8_t
peek(const struct scan *s, size_t ahead)
{
	return s->n - s->off > ahead ? s->p[s->off + ahead] : 0;
}

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool
is_hex(uint8_t c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static bool
is_letter(uint8_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* In libconfig a comment of one line ends with a line feed alone, and not with the text. */
static int
skip_comment(struct scan *s)
{
	bool block = peek(s, 1) == '*';
	s->off += block ? 2 : 1;
	for (; s->off < s->n; s->off++) {
		uint8_t c = peek(s, 0);
		if (block && c == '*' && peek(s, 1) == '/') {
			s->off += 2;
			return 0;
		}
		if (c == '\n' && !block)
			return 0;
		s->line += c == '\n';
	}
	return refuse(s, FG_EFORMAT, "a comment without end");
}

/* Escapes as libconfig 1.5 knows them; what it makes of others differs from version to version. */
static int
skip_string(struct scan *s)
{
	for (s->off++; s->off < s->n; s->off++) {
		uint8_t c = peek(s, 0);
		s->line += c == '\n';
		if (c == '"') {
			s->off++;
			return 0;
		}
		if (c != '\\')
			continue;
		c = peek(s, 1);
		if (c == 'x' && is_hex(peek(s, 2)) && is_hex(peek(s, 3))) {
			if (peek(s, 2) == '0' && peek(s, 3) == '0')
				return refuse(s, FG_EFORMAT, "a NUL in a string");
			s->off += 3;
		} else if (c == '\\' || c == '"' || c == 'n' || c == 'r' || c == 't' || c == 'f') {
			s->off++;
		} else {
			return refuse(s, FG_EFORMAT, "an escape that libconfig does not know");
		}
	}
	return refuse(s, FG_EFORMAT, "a string without end");
}

/* Digits from here on as a number; *ret_n of them. UINT64_MAX for what does not fit. */
static uint64_t
digits(struct scan *s, uint64_t base, size_t *ret_n)
{
	uint64_t v = 0;
	size_t from = s->off;
	bool over = false;
	for (; base == 16 ? is_hex(peek(s, 0)) : is_digit(peek(s, 0)); s->off++) {
		uint8_t c = peek(s, 0);
		uint64_t d = is_digit(c) ? (uint64_t)(c - '0') : (uint64_t)((c | 0x20) - 'a' + 10);
		over = over || __builtin_mul_overflow(v, base, &v) ||
		       __builtin_add_overflow(v, d, &v);
	}
	*ret_n = s->off - from;
	return over ? UINT64_MAX : v;
}

/* Point and exponent; false when there is neither. */
static bool
fraction(struct scan *s)
{
	size_t n, sign = peek(s, 1) == '-' || peek(s, 1) == '+';
	bool point = peek(s, 0) == '.';
	if (point) {
		s->off++;
		(void)digits(s, 10, &n);
		sign = peek(s, 1) == '-' || peek(s, 1) == '+';
	}
	bool exponent = (peek(s, 0) | 0x20) == 'e' && is_digit(peek(s, 1 + sign));
	if (exponent) {
		s->off += 1 + sign;
		(void)digits(s, 10, &n);
	}
	return point || exponent;
}

/* libconfig takes of an integer what fits into the lower bits; here it has to fit. */
static int
number(struct scan *s)
{
	bool negative = peek(s, 0) == '-', sign = negative || peek(s, 0) == '+';
	bool hex = !sign && peek(s, 0) == '0' && (peek(s, 1) | 0x20) == 'x';
	size_t n;
	s->off += sign ? 1 : hex ? 2 : 0;
	uint64_t v = digits(s, hex ? 16 : 10, &n);
	s->token = FRACTION;
	if (!hex && fraction(s))
		return 0; /* means nothing to swupdate */
	bool wide = peek(s, 0) == 'L';
	s->off += wide;
	s->off += wide && peek(s, 0) == 'L';
	s->token = wide ? INT64 : INT;
	if (n == 0)
		return refuse(s, FG_EFORMAT, "a number without digits");
	if (v > (wide ? (uint64_t)INT64_MAX : (uint64_t)INT32_MAX) + (negative ? 1 : 0))
		return refuse(s, FG_EFORMAT,
		    wide ? "an integer beyond 64 bits" : "an integer beyond 32 bits, which libconfig wraps");
	return 0;
}

static bool
is_word(const uint8_t *p, size_t n, const char *word)
{
	if (n != strlen(word))
		return false;
	for (size_t i = 0; i < n; i++)
		if ((p[i] | 0x20) != (uint8_t)word[i])
			return false;
	return true;
}

static void
name(struct scan *s)
{
	const uint8_t *p = s->p + s->off;
	size_t from = s->off;
	uint8_t c;
	while (is_letter(c = peek(s, 0)) || is_digit(c) || c == '-' || c == '_' || c == '*')
		s->off++;
	size_t n = s->off - from;
	s->token = is_word(p, n, "true") || is_word(p, n, "false") ? BOOL : NAME;
}

/* Moves on to the next token. */
static int
advance(struct scan *s)
{
	int err = 0;
	for (; s->off < s->n && !err;) {
		uint8_t c = peek(s, 0);
		if (c == '#' || (c == '/' && (peek(s, 1) == '/' || peek(s, 1) == '*'))) {
			err = skip_comment(s);
		} else if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\n') {
			s->line += c == '\n';
			s->off++;
		} else {
			break;
		}
	}
	if (err)
		return err;
	uint8_t c = peek(s, 0);
	s->token = END;
	if (s->off == s->n)
		return 0;
	if (c == '"') {
		s->token = STRING;
		return skip_string(s);
	}
	if (is_digit(c) || c == '-' || c == '+' || c == '.')
		return number(s);
	if (is_letter(c) || c == '*') {
		name(s);
		return 0;
	}
	if (c == '@')
		return refuse(s, FG_EFORMAT, "an @include, which would read files of the device");
	if (!strchr("{}()[]=:,;", c))
		return refuse(s, FG_EFORMAT, "a character that has no meaning there");
	s->token = PUNCTUATION;
	s->mark = c;
	s->off++;
	return 0;
}

static bool
at_mark(const struct scan *s, uint8_t mark)
{
	return s->token == PUNCTUATION && s->mark == mark;
}

static int settings(struct scan *s, unsigned depth);

/* One scalar; strings in a row are one. *ret_type is its token. */
static int
scalar(struct scan *s, enum token *ret_type)
{
	enum token type = s->token;
	if (type < SCALARS)
		return refuse(s, FG_EFORMAT, "no value where one is due");
	int err = advance(s);
	while (!err && type == STRING && s->token == STRING)
		err = advance(s);
	*ret_type = type;
	return err;
}

/* A scalar, or what stands in brackets, which lie in depth others. */
static int
value(struct scan *s, unsigned depth)
{
	enum token first = END, type = END;
	bool array = at_mark(s, '['), list = at_mark(s, '('), group = at_mark(s, '{');
	uint8_t close = array ? ']' : list ? ')' : '}';
	if (++s->values > CONF_NODES_MAX)
		return refuse(s, FG_ELIMIT, "more elements than are looked at");
	if (!array && !list && !group)
		return scalar(s, &type);
	if (depth == CONF_DEPTH_MAX)
		return refuse(s, FG_ELIMIT, "more brackets in brackets than are looked into");
	int err = advance(s);
	if (!err && group)
		err = settings(s, depth + 1);
	for (bool more = !group && !at_mark(s, close); more && !err;) {
		if (array && ++s->values > CONF_NODES_MAX)
			return refuse(s, FG_ELIMIT, "more elements than are looked at");
		err = array ? scalar(s, &type) : value(s, depth + 1);
		if (!err && array && first != END && type != first)
			err = refuse(s, FG_EFORMAT, "an array of elements of more than one type");
		first = type;
		more = at_mark(s, ',');
		if (more && !err)
			err = advance(s);
	}
	if (!err && !at_mark(s, close))
		err = refuse(s, FG_EFORMAT, "a bracket that is not closed where it should be");
	return err ? err : advance(s);
}

static int
settings(struct scan *s, unsigned depth)
{
	int err = 0;
	while (s->token == NAME && !err) {
		if (++s->settings > CONF_SETTINGS_MAX)
			return refuse(s, FG_ELIMIT, "more settings than are looked at");
		err = advance(s);
		if (!err && !at_mark(s, '=') && !at_mark(s, ':'))
			err = refuse(s, FG_EFORMAT, "a name without = behind it");
		if (!err)
			err = advance(s);
		if (!err)
			err = value(s, depth);
		if (!err && (at_mark(s, ';') || at_mark(s, ',')))
			err = advance(s);
	}
	return err;
}

int
conf_scan(struct view text, struct conf_fault *ret_fault)
{
	struct scan s = { .p = text.p, .n = text.n, .line = 1, .fault = ret_fault };
	if (text.n > CONF_TEXT_MAX)
		return refuse(&s, FG_ELIMIT, "longer than 1 MiB");
	if (text.n && memchr(text.p, '\0', text.n))
		return refuse(&s, FG_EFORMAT, "it holds a NUL");
	int err = advance(&s);
	if (!err)
		err = settings(&s, 0);
	if (!err && s.token != END)
		err = refuse(&s, FG_EFORMAT, "something else where a name is due");
	return err;
}
