/* SPDX-License-Identifier: Apache-2.0 */
#include "images/keyfile.h"

#include "crypto/err.h"
#include "crypto/utf8.h"

void
keyfile_begin(struct keyfile *kf, struct view text)
{
	*kf = (struct keyfile){ .text = text, .why = "" };
}

static bool
is_space(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r'); /* g_ascii_isspace() */
}

static int
refuse(struct keyfile *kf, const char *why)
{
	kf->why = why;
	return FG_EFORMAT;
}

/* The next line without its end (LF, or CR LF). */
static struct view
take_line(struct keyfile *kf)
{
	const uint8_t *from = kf->text.p + kf->at;
	size_t left = kf->text.n - kf->at;
	const uint8_t *end = memchr(from, '\n', left);
	size_t n = end ? (size_t)(end - from) : left;
	kf->at += end ? n + 1 : n;
	kf->line++;
	return view_of(from, n > 0 && end && from[n - 1] == '\r' ? n - 1 : n);
}

static struct view
without_leading(struct view v)
{
	size_t i = 0;
	while (i < v.n && is_space(v.p[i]))
		i++;
	return view_of(v.p + i, v.n - i);
}

/* "[name]" and blanks. */
static int
group_line(struct keyfile *kf, struct view line, struct keyfile_line *ret)
{
	size_t n = 1;
	while (n < line.n && line.p[n] != ']' && line.p[n] != '[' && line.p[n] >= 0x20 && line.p[n] != 0x7f)
		n++;
	if (n == line.n || line.p[n] != ']' || n == 1)
		return refuse(kf, "the name of a group is empty, open, or holds what no name may");
	for (size_t i = n + 1; i < line.n; i++)
		if (line.p[i] != ' ' && line.p[i] != '\t')
			return refuse(kf, "something stands behind the name of a group");
	*ret = (struct keyfile_line){ .opens_group = true, .group = view_of(line.p + 1, n - 1) };
	kf->in_group = true;
	return 1;
}

static int
pair_line(struct keyfile *kf, struct view line, struct keyfile_line *ret)
{
	const uint8_t *equals = memchr(line.p, '=', line.n);
	if (!equals)
		return refuse(kf, "neither a group, nor a key with its value, nor a comment");
	size_t n = (size_t)(equals - line.p), after = n + 1;
	while (n > 0 && is_space(line.p[n - 1]))
		n--;
	if (n == 0)
		return refuse(kf, "a value without a key");
	for (size_t i = 0; i < n; i++)
		if (line.p[i] == '[' || line.p[i] == ']')
			return refuse(kf, "a key with brackets: as a translation it would be dropped silently");
	if (!kf->in_group)
		return refuse(kf, "a key before the first group");
	ret->opens_group = false;
	ret->key = view_of(line.p, n);
	ret->value = without_leading(view_of(line.p + after, line.n - after));
	return 1;
}

int
keyfile_next(struct keyfile *kf, struct keyfile_line *ret)
{
	while (kf->at < kf->text.n) {
		struct view line = take_line(kf);
		if (memchr(line.p, '\0', line.n))
			return refuse(kf, "a NUL byte: what stands behind it is read by some and not by others");
		line = without_leading(line);
		if (line.n == 0 || line.p[0] == '#')
			continue;
		return line.p[0] == '[' ? group_line(kf, line, ret) : pair_line(kf, line, ret);
	}
	return 0;
}

static bool
is_utf8(struct view v)
{
	uint32_t code;
	while (v.n > 0) {
		size_t n = utf8_next(v, &code);
		if (n == 0)
			return false;
		v = view_of(v.p + n, v.n - n);
	}
	return true;
}

long
keyfile_string(struct view value, uint8_t *dst)
{
	size_t n = 0;
	for (size_t i = 0; i < value.n; i++) {
		static const char from[] = "sntr\\", to[] = " \n\t\r\\";
		uint8_t c = value.p[i];
		if (c == '\\') {
			const char *known = i + 1 < value.n ? strchr(from, value.p[i + 1]) : NULL;
			if (!known || !*known)
				return FG_EFORMAT;
			c = (uint8_t)to[known - from];
			i++;
		}
		dst[n++] = c;
	}
	return is_utf8(view_of(dst, n)) ? (long)n : FG_EFORMAT;
}

bool
keyfile_uint(struct view value, uint64_t *ret)
{
	uint64_t n = 0;
	if (value.n == 0)
		return false;
	for (size_t i = 0; i < value.n; i++) {
		unsigned digit = value.p[i] - (unsigned)'0';
		if (digit > 9 || __builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, digit, &n))
			return false;
	}
	*ret = n;
	return true;
}

bool
keyfile_element(struct view *rest, struct view *ret)
{
	if (rest->n == 0)
		return false;
	const uint8_t *end = memchr(rest->p, ';', rest->n);
	size_t n = end ? (size_t)(end - rest->p) : rest->n, used = end ? n + 1 : n;
	*ret = view_of(rest->p, n);
	*rest = view_of(rest->p + used, rest->n - used);
	return true;
}
