/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/json_text.h"

#include <inttypes.h>

/* Letter of the two-character escape, or 0 when c has none. */
static char
short_escape(uint8_t c)
{
	switch (c) {
	case '"':
	case '\\':
		return (char)c;
	case '\b':
		return 'b';
	case '\t':
		return 't';
	case '\n':
		return 'n';
	case '\f':
		return 'f';
	case '\r':
		return 'r';
	default:
		return 0;
	}
}

void
json_text_string(struct writer *w, struct view s)
{
	size_t from = 0;
	writer_u8(w, '"');
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];
		char letter = short_escape(c);
		if (c >= 0x20 && !letter)
			continue;
		writer_bytes(w, view_of(s.p + from, i - from));
		from = i + 1;
		if (letter)
			writer_bytes(w, view_of((const char[]){ '\\', letter }, 2));
		else
			writer_textf(w, "\\u%04x", c);
	}
	if (from < s.n)
		writer_bytes(w, view_of(s.p + from, s.n - from));
	writer_u8(w, '"');
}

void
json_text_int(struct writer *w, int64_t v)
{
	writer_textf(w, "%" PRId64, v);
}

void
json_text_bool(struct writer *w, bool v)
{
	writer_text(w, v ? "true" : "false");
}

void
json_text_null(struct writer *w)
{
	writer_text(w, "null");
}

/*
 * Where two well-formed texts first differ, both bytes lead a sequence or both
 * continue one, and byte order is code point order. UTF-16 differs from that in
 * one place: surrogates (for what UTF-8 begins with 0xf0 and above) sort below
 * U+E000..U+FFFF (begun with 0xee and 0xef), so those two are lifted.
 */
static int
rank(uint8_t c)
{
	return c == 0xee || c == 0xef ? c + 0x10 : c;
}

int
json_text_order(struct view a, struct view b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	for (size_t i = 0; i < n; i++)
		if (a.p[i] != b.p[i])
			return rank(a.p[i]) - rank(b.p[i]);
	return (a.n > b.n) - (a.n < b.n);
}
