/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/visible.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/utf8.h"

#define ESCAPE_MAX 10 /* "<U+10FFFF>" */
#define CUT "<...>"
#define CUT_LEN (sizeof CUT - 1)

static bool
is_plain_byte(uint8_t c)
{
	return c >= 0x20 && c <= 0x7e;
}

static size_t
hex_digits(struct view s, size_t off, size_t max)
{
	size_t n = 0;
	for (; n < max && off + n < s.n; n++) {
		uint8_t c = s.p[off + n];
		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f')))
			break;
	}
	return n;
}

/*
 * s begins with '<'. Would a reader take it for one of our escapes or for the
 * cut mark? Wider than what we write (either case, any number of digits after
 * U+), because the reader may be a person. Everything such a look-alike is made
 * of passes through unchanged, so looking at the input alone is enough.
 */
static bool
looks_escaped(struct view s)
{
	if (s.n >= CUT_LEN && memcmp(s.p, CUT, CUT_LEN) == 0)
		return true;
	size_t digits = hex_digits(s, 1, 3);
	if (digits == 2 && s.n > 3 && s.p[3] == '>')
		return true;
	if (s.n < 3 || (s.p[1] != 'U' && s.p[1] != 'u') || s.p[2] != '+')
		return false;
	digits = hex_digits(s, 3, 7);
	return digits >= 1 && digits <= 6 && s.n > 3 + digits && s.p[3 + digits] == '>';
}

/* Shows what s (not empty) begins with: bytes eaten in *ret_used, text in out, its length. */
static size_t
unit(struct view s, size_t *ret_used, char out[ESCAPE_MAX + 1])
{
	*ret_used = 1;
	uint32_t code = 0;
	size_t n = 0;
	if (is_plain_byte(s.p[0]) && !(s.p[0] == '<' && looks_escaped(s))) {
		out[0] = (char)s.p[0];
		return 1;
	}
	if (s.p[0] >= 0x80)
		n = utf8_next(s, &code);
	if (n == 0)
		return (size_t)snprintf(out, ESCAPE_MAX + 1, "<%02X>", s.p[0]);
	*ret_used = n;
	return (size_t)snprintf(out, ESCAPE_MAX + 1, "<U+%04X>", (unsigned)code);
}

void
visible_append(struct writer *w, struct view hostile, size_t max)
{
	char out[ESCAPE_MAX + 1];
	size_t used;
	for (size_t off = 0; off < hostile.n; off += used) {
		size_t n = unit(view_of(hostile.p + off, hostile.n - off), &used, out);
		if (used > max - off) {
			writer_text(w, CUT);
			return;
		}
		writer_bytes(w, view_of(out, n));
	}
}

void
visible_cstr(struct view hostile, char *dst, size_t cap)
{
	char out[ESCAPE_MAX + 1];
	size_t n = 0, used;
	size_t keep = 0; /* how much may stay when the cut mark has to follow */
	if (cap == 0)
		abort();
	for (size_t off = 0; off < hostile.n; off += used) {
		size_t add = unit(view_of(hostile.p + off, hostile.n - off), &used, out);
		if (add > cap - 1 - n) {
			/* Too small even for the mark: nothing is better than a silent cut. */
			n = keep;
			if (cap - 1 - n >= CUT_LEN) {
				memcpy(dst + n, CUT, CUT_LEN);
				n += CUT_LEN;
			}
			break;
		}
		memcpy(dst + n, out, add);
		n += add;
		if (n + CUT_LEN <= cap - 1)
			keep = n;
	}
	dst[n] = '\0';
}

bool
visible_is_plain(struct view s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!is_plain_byte(s.p[i]))
			return false;
		if (s.p[i] == '<' && looks_escaped(view_of(s.p + i, s.n - i)))
			return false;
	}
	return true;
}
