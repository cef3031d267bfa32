/* SPDX-License-Identifier: Apache-2.0 */
#include "images/notes.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "crypto/err.h"
#include "crypto/visible.h"

/* ---- taking them in ---- */

/* Tabs are blanks and a CR in front of the line's end is part of that: changelogs have both, and they mean nothing. */
static void
show(struct view line, char out[NOTES_LINE_MAX + 1])
{
	uint8_t plain[4 * NOTES_LINE_MAX]; /* no more than that is shown, whatever it holds */
	size_t n = line.n < sizeof plain ? line.n : sizeof plain;
	bool whole = n == line.n;
	memcpy(plain, line.p, n);
	if (whole && n > 0 && plain[n - 1] == '\r')
		n--;
	while (whole && n > 0 && (plain[n - 1] == ' ' || plain[n - 1] == '\t'))
		n--;
	for (size_t i = 0; i < n; i++)
		plain[i] = plain[i] == '\t' ? ' ' : plain[i];
	visible_cstr(view_of(plain, n), out, NOTES_LINE_MAX + 1);
}

bool
notes_put(struct notes *n, const char *line)
{
	size_t len = strlen(line);
	if (n->lines_n == NOTES_LINES_MAX || len > NOTES_LINE_MAX || len + 1 > sizeof n->text - n->text_n)
		return false;
	memcpy(n->text + n->text_n, line, len + 1);
	n->text_n += len + 1;
	n->lines_n++;
	return true;
}

static size_t
without_empty_end(struct view text)
{
	size_t n = text.n;
	while (n > 0 && (text.p[n - 1] == '\n' || text.p[n - 1] == '\r' || text.p[n - 1] == ' ' || text.p[n - 1] == '\t'))
		n--;
	return n;
}

int
notes_take(struct view text, struct notes *ret)
{
	char line[NOTES_LINE_MAX + 1];
	bool room = true;
	if (text.n > NOTES_FILE_MAX)
		return FG_ELIMIT;
	size_t n = without_empty_end(text);
	if (n == 0)
		return FG_EINVAL;
	uint8_t sum[DIGEST_SHA256_LEN];
	int err = digest_sha256(text, sum);
	if (err)
		return err;
	*ret = (struct notes){ .have = true, .size = text.n };
	memcpy(ret->sha256, sum, sizeof sum);
	for (size_t at = 0; at <= n; ret->lines_total++) {
		const uint8_t *end = at < n ? memchr(text.p + at, '\n', n - at) : NULL;
		size_t len = end ? (size_t)(end - (text.p + at)) : n - at;
		/* What is kept is the beginning: a line after one that was left out would look as if it followed. */
		show(view_of(text.p + at, len), line);
		room = room && notes_put(ret, line);
		at += len + 1;
	}
	return 0;
}

/* ---- reading them ---- */

const char *
notes_next(const struct notes *n, size_t *at)
{
	if (*at >= n->text_n)
		abort();
	const char *line = n->text + *at;
	*at += strlen(line) + 1;
	return line;
}

bool
notes_ought(const struct page_line *l)
{
	return l->block >= PAGE_RED && l->block <= PAGE_IDENT && l->sign != PAGE_GONE;
}

static bool
holds(const struct notes *n, const char *word)
{
	size_t len = strlen(word), at = 0;
	if (len < NOTES_WORD_MIN)
		return false;
	for (unsigned i = 0; i < n->lines_n; i++) {
		const char *line = notes_next(n, &at);
		for (size_t left = strlen(line); left >= len; left--, line++)
			if (strncasecmp(line, word, len) == 0)
				return true;
	}
	return false;
}

/* The name of a file, without the parts that it was unpacked from. */
static const char *
last(const char *path)
{
	for (const char *s = path; *s; s++)
		if (*s == '/' && s[1])
			path = s + 1;
	return path;
}

bool
notes_name(const struct notes *n, const struct page_line *l)
{
	return holds(n, l->evidence) || holds(n, last(l->path));
}
