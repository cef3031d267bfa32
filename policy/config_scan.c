/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/config_scan.h"

#include <stdlib.h>

#include "crypto/err.h"

enum token {
	TOKEN_END = 0,
	TOKEN_NAME,
	TOKEN_STRING,
	TOKEN_NUMBER,
	TOKEN_BOOL,
	TOKEN_PUNCT, /* one of = : ; , { } ( ) [ ] */
	TOKEN_BAD,   /* a problem was added; nothing more is read */
};

struct scan {
	const char *file;
	char *text; /* the copy; NUL at n */
	size_t n, off;
	unsigned line;
	struct config_problems *problems;
	enum token token;
	size_t start; /* of token */
	unsigned token_line;
	size_t string_bytes; /* of the string being read */
	bool wide;	     /* the number ended in L */
};

static enum token
bad(struct scan *s, const char *what)
{
	config_problem_add(s->problems, s->file, s->line, "%s", what);
	return s->token = TOKEN_BAD;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); /* as libconfig: no "_" */
}

static bool
is_name(char c)
{
	return is_name_start(c) || is_digit(c) || c == '-' || c == '_';
}

/* Moves past blanks and comments. False after a problem. */
static bool
skip_blank(struct scan *s)
{
	while (s->off < s->n) {
		const char *p = s->text + s->off;
		if (*p == '\n') {
			s->line++;
			s->off++;
		} else if (*p == ' ' || *p == '\t' || *p == '\r') {
			s->off++;
		} else if (*p == '#' || (p[0] == '/' && p[1] == '/')) {
			s->off += strcspn(p, "\n");
		} else if (p[0] == '/' && p[1] == '*') {
			const char *end = strstr(p + 2, "*/");
			if (!end) {
				bad(s, "comment without end; close it with */");
				return false;
			}
			for (; p < end; p++)
				s->line += *p == '\n';
			s->off = (size_t)(end + 2 - s->text);
		} else {
			return true;
		}
	}
	return true;
}

static enum token
lex_string(struct scan *s)
{
	for (s->off++; s->off < s->n; s->off++) {
		char c = s->text[s->off];
		if (c == '"') {
			s->off++;
			return s->token = TOKEN_STRING;
		}
		if (++s->string_bytes > CONFIG_SCAN_STRING_MAX)
			return bad(s, "text longer than 4096 bytes");
		if (c == '\n')
			return bad(s, "text without end; close it with \" on the same line");
		if (c < 0x20 || c > 0x7e)
			return bad(s, "text holds a byte that is not printable ASCII");
		if (c != '\\')
			continue;
		c = s->text[++s->off];
		if (c == '\0' || !strchr("\"\\nrt", c))
			return bad(s, "escape other than \\\" \\\\ \\n \\r \\t in text");
	}
	return bad(s, "text without end; close it with \"");
}

/* Value of digits in base; false when beyond limit. */
static bool
fits(const char *digits, size_t n, unsigned base, uint64_t limit)
{
	uint64_t v = 0;
	for (size_t i = 0; i < n; i++) {
		char c = digits[i];
		unsigned d = is_digit(c) ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
		if (__builtin_mul_overflow(v, (uint64_t)base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)d, &v))
			return false;
	}
	return v <= limit;
}

/* An integer libconfig would wrap becomes 0, and its line is marked by the problem. */
static void
check_number(struct scan *s, bool negative, const char *digits, size_t n, unsigned base, bool wide)
{
	uint64_t limit = wide ? (uint64_t)INT64_MAX : (uint64_t)INT32_MAX;
	if (fits(digits, n, base, limit + (negative ? 1 : 0)))
		return;
	if (!wide && fits(digits, n, base, (uint64_t)INT64_MAX))
		config_problem_add(s->problems, s->file, s->line,
		    "integer beyond 32 bits; append L (4294967296L), or write a size as text (\"4 GiB\")");
	else
		config_problem_add(s->problems, s->file, s->line, "integer beyond 64 bits");
	memset(s->text + s->start, ' ', s->off - s->start);
	s->text[s->start] = '0';
}

static enum token
lex_number(struct scan *s)
{
	const char *p = s->text + s->off;
	bool negative = *p == '-';
	p += negative;
	bool hex = p[0] == '0' && (p[1] == 'x' || p[1] == 'X');
	p += hex ? 2 : 0;
	size_t n = strspn(p, hex ? "0123456789abcdefABCDEF" : "0123456789");
	if (n == 0 || (hex && negative))
		return bad(s, "not a number; write decimal digits");
	if (!hex && n > 1 && p[0] == '0')
		return bad(
		    s, "number with a leading zero; is it octal or decimal? write it without");
	const char *end = p + n;
	bool wide = *end == 'L';
	end += wide;
	if (*end == '.' || is_name(*end))
		return bad(s,
		    "not an integer; fractions and units are not numbers (write \"64 KiB\", \"15m\")");
	s->off = (size_t)(end - s->text);
	s->wide = wide;
	check_number(s, negative, p, n, hex ? 16 : 10, wide);
	return s->token = TOKEN_NUMBER;
}

static bool
is_word(const struct scan *s, const char *word)
{
	return s->off - s->start == strlen(word) &&
	    strncasecmp(s->text + s->start, word, strlen(word)) == 0;
}

static enum token
next(struct scan *s)
{
	if (s->token == TOKEN_BAD)
		return TOKEN_BAD;
	s->string_bytes = 0;
	if (!skip_blank(s))
		return TOKEN_BAD;
	s->start = s->off;
	s->token_line = s->line;
	if (s->off == s->n)
		return s->token = TOKEN_END;
	char c = s->text[s->off];
	if (c == '"')
		return lex_string(s);
	if (is_digit(c) || c == '-')
		return lex_number(s);
	if (is_name_start(c)) {
		while (is_name(s->text[s->off]))
			s->off++;
		return s->token =
			   is_word(s, "true") || is_word(s, "false") ? TOKEN_BOOL : TOKEN_NAME;
	}
	if (strchr("=:;,{}()[]", c)) {
		s->off++;
		return s->token = TOKEN_PUNCT;
	}
	return bad(s, "unexpected byte; a setting is written name = value;");
}

static bool
punct(const struct scan *s, char c)
{
	return s->token == TOKEN_PUNCT && s->text[s->start] == c;
}

static bool scan_group(struct scan *s, unsigned depth, char end);

/* Elements between ( and ) or [ and ]; arrays hold scalars only. */
static bool scan_elements(struct scan *s, unsigned depth, char end);

/* A value starts at the current token; leaves the token after it. */
static bool
scan_value(struct scan *s, unsigned depth, bool scalar_only)
{
	if (s->token == TOKEN_STRING) {
		size_t bytes = 0;
		while (s->token == TOKEN_STRING) { /* "a" "b" is one text */
			bytes += s->off - s->start;
			if (bytes > 2 * CONFIG_SCAN_STRING_MAX) {
				bad(s, "text longer than 4096 bytes");
				return false;
			}
			next(s);
		}
		return s->token != TOKEN_BAD;
	}
	if (s->token == TOKEN_NUMBER || s->token == TOKEN_BOOL)
		return next(s) != TOKEN_BAD;
	if (s->token == TOKEN_BAD)
		return false;
	bool open = punct(s, '{') || punct(s, '(') || punct(s, '[');
	if (!open || scalar_only) {
		bad(s,
		    scalar_only && open
			? "[ ] holds plain values only; use ( ) for groups"
			: "no value here; text stands in \"\", a list in ( ), a group in { }");
		return false;
	}
	if (depth == CONFIG_SCAN_DEPTH_MAX) {
		bad(s, "nested too deep");
		return false;
	}
	char c = s->text[s->start];
	next(s);
	if (c == '{')
		return scan_group(s, depth + 1, '}') && next(s) != TOKEN_BAD;
	return scan_elements(s, depth + 1, c == '(' ? ')' : ']') && next(s) != TOKEN_BAD;
}

static bool
scan_elements(struct scan *s, unsigned depth, char end)
{
	if (punct(s, end))
		return true;
	enum token first = s->token;
	bool first_wide = s->wide;
	for (;;) {
		/* libconfig's arrays are of one type, and it stops at the first that is not. */
		if (end == ']' &&
		    (s->token != first || (first == TOKEN_NUMBER && s->wide != first_wide)) &&
		    s->token != TOKEN_BAD) {
			bad(s, "values of different types in [ ]; write all of them alike");
			return false;
		}
		if (!scan_value(s, depth, end == ']'))
			return false;
		if (punct(s, end))
			return true;
		if (!punct(s, ',')) {
			bad(s,
			    end == ')' ? "expected , or ) in this list"
				       : "expected , or ] in this list");
			return false;
		}
		next(s);
	}
}

struct seen {
	struct view name;
	unsigned line;
};

/* A second setting of that name is reported and blanked, line breaks kept. */
static void
check_duplicate(
    struct scan *s, struct seen *seen, unsigned n, struct seen now, size_t start, size_t end)
{
	for (unsigned i = 0; i < n; i++) {
		if (!view_equal(seen[i].name, now.name))
			continue;
		config_problem_add(s->problems, s->file, now.line,
		    "%.*s is set again; it is already set in line %u, remove one of them",
		    (int)(now.name.n > 64 ? 64 : now.name.n), (const char *)now.name.p,
		    seen[i].line);
		for (size_t k = start; k < end; k++)
			if (s->text[k] != '\n')
				s->text[k] = ' ';
		return;
	}
}

/* name = value ; name = value ; ... up to the byte `end` ('\0': end of text), which is left as the token. */
static bool
scan_group(struct scan *s, unsigned depth, char end)
{
	/* On the heap for no reason but the stack of eight nested groups. */
	struct seen *seen = calloc(CONFIG_SCAN_NAMES_MAX, sizeof *seen);
	unsigned n = 0;
	bool ok = false;
	if (!seen) {
		bad(s, "no memory");
		return false;
	}
	for (;;) {
		if (end == '\0' ? s->token == TOKEN_END : punct(s, end)) {
			ok = true;
			break;
		}
		if (s->token != TOKEN_NAME) {
			if (s->token != TOKEN_BAD)
				bad(s, "expected a name; a setting is written name = value;");
			break;
		}
		if (n == CONFIG_SCAN_NAMES_MAX) {
			bad(s, "more than 256 settings in one group");
			break;
		}
		struct seen now = { view_of(s->text + s->start, s->off - s->start), s->line };
		size_t start = s->start;
		next(s);
		if (!punct(s, '=') && !punct(s, ':')) {
			if (s->token != TOKEN_BAD)
				bad(s, "expected = after the name");
			break;
		}
		next(s);
		if (!scan_value(s, depth, false))
			break;
		/* The separator libconfig makes optional; a lone blanked one would be a syntax error. */
		size_t stop = s->start;
		if (punct(s, ';') || punct(s, ',')) {
			stop = s->off;
			next(s);
		}
		check_duplicate(s, seen, n, now, start, stop);
		seen[n++] = now;
	}
	free(seen);
	return ok;
}

/* A line that starts with "@": libconfig would act on it even where we would see a comment. */
static bool
has_directive(const char *text, unsigned *ret_line)
{
	bool start = true;
	*ret_line = 1;
	for (; *text != '\0'; text++) {
		if (start && *text == '@')
			return true;
		if (*text == '\n')
			++*ret_line;
		start = *text == '\n' || *text == '\r' || *text == '\f' ||
		    (start && (*text == ' ' || *text == '\t'));
	}
	return false;
}

static bool
readable(struct scan *s)
{
	unsigned line = 1;
	for (size_t i = 0; i < s->n; i++) {
		line += s->text[i] == '\n';
		if (s->text[i] == '\0') {
			config_problem_add(s->problems, s->file, line, "holds a NUL byte");
			return false;
		}
	}
	if (line > CONFIG_SCAN_LINES_MAX) {
		config_problem_add(
		    s->problems, s->file, 0, "more than %d lines", CONFIG_SCAN_LINES_MAX);
		return false;
	}
	if (has_directive(s->text, &line)) {
		config_problem_add(s->problems, s->file, line,
		    "@include is not allowed; every file that counts lies in profiles.d");
		return false;
	}
	return true;
}

int
config_scan(const char *file, struct view text, struct config_problems *problems, char **ret_text)
{
	struct scan s = {
		.file = file, .n = text.n, .line = 1, .problems = problems, .token = TOKEN_PUNCT
	};
	*ret_text = NULL;
	s.text = malloc(text.n + 2);
	if (!s.text)
		return FG_ENOMEM;
	if (text.n)
		memcpy(s.text, text.p, text.n);
	s.text[text.n] = '\0';
	if (!readable(&s) || next(&s) == TOKEN_BAD || !scan_group(&s, 0, '\0')) {
		free(s.text);
		return 0;
	}
	/* libconfig takes a comment in the last line for an error when no line break ends it. */
	memcpy(s.text + text.n, "\n", 2);
	*ret_text = s.text;
	return 0;
}
