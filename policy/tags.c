/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/tags.h"

#include <string.h>

#define WORDS_MAX (TAGS_MAX / 2) /* of one letter each */

static bool
is_gap(uint8_t c)
{
	return c == ' ' || c == ';';
}

static bool
is_tag(struct view word)
{
	if (word.n == 0 || word.n > TAGS_WORD_MAX || word.p[0] == '-')
		return false;
	for (size_t i = 0; i < word.n; i++) {
		uint8_t c = word.p[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
			return false;
	}
	return true;
}

/* As strcmp() has them. */
static int
compare(struct view a, struct view b)
{
	int r = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
	return r ? r : (a.n > b.n) - (a.n < b.n);
}

/* Puts it where it belongs; one that is there already changes nothing. False: there are too many. */
static bool
insert(struct view *words, unsigned *n, struct view word)
{
	unsigned at = 0;
	while (at < *n && compare(words[at], word) < 0)
		at++;
	if (at < *n && compare(words[at], word) == 0)
		return true;
	if (*n == WORDS_MAX)
		return false;
	memmove(words + at + 1, words + at, (*n - at) * sizeof *words);
	words[at] = word;
	++*n;
	return true;
}

bool
tags_canonical(struct view text, char dst[TAGS_MAX])
{
	struct view words[WORDS_MAX];
	unsigned n = 0;
	size_t used = 0;
	dst[0] = '\0';
	if (view_is(text, "-"))
		return true;
	for (size_t i = 0; i < text.n;) {
		size_t end = i;
		while (end < text.n && !is_gap(text.p[end]))
			end++;
		struct view word = view_of(text.p + i, end - i);
		if (word.n > 0 && (!is_tag(word) || !insert(words, &n, word)))
			return false;
		i = end + 1;
	}
	for (unsigned k = 0; k < n; k++) {
		if (used + (k > 0) + words[k].n >= TAGS_MAX) {
			dst[0] = '\0';
			return false;
		}
		if (k > 0)
			dst[used++] = ' ';
		memcpy(dst + used, words[k].p, words[k].n);
		used += words[k].n;
		dst[used] = '\0';
	}
	return true;
}

bool
tags_has(const char *tags, const char *tag)
{
	size_t n = strlen(tag);
	for (const char *p = tags; n > 0 && *p != '\0';) {
		size_t word = strcspn(p, " ");
		if (word == n && memcmp(p, tag, n) == 0)
			return true;
		p += word;
		p += *p == ' ';
	}
	return false;
}
