/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/profile_pattern.h"

#include <stdio.h>

static bool
is_alnum(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
one_of(uint8_t c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static bool
in_class(enum profile_pattern_class class, uint8_t c)
{
	switch (class) {
	case PROFILE_CLASS_DIGITS:
		return c >= '0' && c <= '9';
	case PROFILE_CLASS_HEX:
		return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
	case PROFILE_CLASS_WORD:
		return is_alnum(c) || one_of(c, "_-");
	case PROFILE_CLASS_VERSION:
		return is_alnum(c) || one_of(c, "._-+");
	case PROFILE_CLASS_FILE:
		return is_alnum(c) || one_of(c, "._-+~");
	case PROFILE_CLASS_TOKEN:
		return is_alnum(c) || one_of(c, "_-=");
	case PROFILE_CLASS_PATH:
		return is_alnum(c) || one_of(c, "._-+~/");
	case PROFILE_CLASS_NONE:
		break;
	}
	return false;
}

/* No segment is empty, hidden, "." or "..", and nothing holds "..". */
static bool
clean_segments(struct view v)
{
	for (size_t i = 0; i < v.n; i++) {
		bool start = i == 0 || v.p[i - 1] == '/';
		bool end = i + 1 == v.n;
		if (start && (v.p[i] == '.' || v.p[i] == '/'))
			return false;
		if (end && v.p[i] == '/')
			return false;
		if (v.p[i] == '.' && i > 0 && v.p[i - 1] == '.')
			return false;
	}
	return true;
}

bool
profile_pattern_fits(enum profile_pattern_class class, unsigned max, struct view value)
{
	if (value.n == 0 || value.n > max)
		return false;
	for (size_t i = 0; i < value.n; i++)
		if (!in_class(class, value.p[i]))
			return false;
	switch (class) {
	case PROFILE_CLASS_VERSION:
		return is_alnum(value.p[0]) && clean_segments(value);
	case PROFILE_CLASS_FILE:
	case PROFILE_CLASS_PATH:
		return clean_segments(value);
	default:
		return true;
	}
}

static int
slot_named(const struct profile_pattern_slot *slots, unsigned n, const char *name, size_t len)
{
	for (unsigned i = 0; i < n; i++)
		if (strlen(slots[i].name) == len && memcmp(slots[i].name, name, len) == 0)
			return (int)i;
	return -1;
}

static bool
used(const struct profile_pattern *p, int capture)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->token[i].capture == capture)
			return true;
	return false;
}

/* The token at text[*at], which is not the end; *at moves past it. */
static bool
next_token(const char *text, size_t *at, const struct profile_pattern_slot *slots, unsigned slots_n,
    struct profile_pattern_token *ret, char *why, size_t cap)
{
	const char *start = text + *at;
	if (*start != '{') {
		size_t len = strcspn(start, "{}");
		if (len == 0) {
			snprintf(why, cap, "has a \"}\" without \"{\" before it");
			return false;
		}
		*ret = (struct profile_pattern_token){ -1, (uint16_t)*at, (uint16_t)len };
		*at += len;
		return true;
	}
	size_t len = strcspn(start + 1, "{}");
	if (start[1 + len] != '}') {
		snprintf(why, cap, "has a \"{\" without its \"}\"");
		return false;
	}
	int slot = slot_named(slots, slots_n, start + 1, len);
	if (slot < 0) {
		snprintf(why, cap, "names {%.*s}, which is not declared; add it to captures",
		    (int)(len > 40 ? 40 : len), start + 1);
		return false;
	}
	*ret = (struct profile_pattern_token){ (int16_t)slot, (uint16_t)*at, (uint16_t)(len + 2) };
	*at += len + 2;
	return true;
}

bool
profile_pattern_compile(const char *text, const struct profile_pattern_slot *slots,
    unsigned slots_n, bool repeat, struct profile_pattern *ret, char *why, size_t cap)
{
	struct profile_pattern p = { .n = 0 };
	size_t at = 0;
	if (strlen(text) > PROFILE_PATTERN_INPUT_MAX) {
		snprintf(why, cap, "is longer than %d bytes", PROFILE_PATTERN_INPUT_MAX);
		return false;
	}
	while (text[at] != '\0') {
		struct profile_pattern_token t;
		if (p.n == PROFILE_PATTERN_TOKENS_MAX) {
			snprintf(why, cap, "has more than %d parts", PROFILE_PATTERN_TOKENS_MAX);
			return false;
		}
		if (!next_token(text, &at, slots, slots_n, &t, why, cap))
			return false;
		if (t.capture >= 0 && !repeat && used(&p, t.capture)) {
			snprintf(why, cap, "uses {%s} twice; give the second its own name",
			    slots[t.capture].name);
			return false;
		}
		if (t.capture >= 0 && p.n > 0 && p.token[p.n - 1].capture >= 0) {
			snprintf(why, cap, "has two captures side by side; put text between them");
			return false;
		}
		p.token[p.n++] = t;
	}
	*ret = p;
	return true;
}

/*
 * ways[t][i]: in how many ways the first t tokens read the first i bytes,
 * counted as 0, 1 or 2 ("more"). Row by row; a capture's row is a running sum
 * over the starts that can reach i, so a row costs one pass.
 */
#if defined(__has_attribute)
#if __has_attribute(uninitialized)
/* Against -ftrivial-auto-var-init: 33 KiB a request, of which a row is written before it is read. */
#define WRITTEN_BEFORE_READ __attribute__((uninitialized))
#endif
#endif
#ifndef WRITTEN_BEFORE_READ
#define WRITTEN_BEFORE_READ
#endif

struct reading {
	uint8_t ways[PROFILE_PATTERN_TOKENS_MAX + 1][PROFILE_PATTERN_INPUT_MAX + 1];
};

static uint8_t
cap_two(unsigned v)
{
	return (uint8_t)(v > 2 ? 2 : v);
}

static void
read_literal(const uint8_t *from, uint8_t *to, const char *literal, size_t len, struct view in)
{
	memset(to, 0, in.n + 1);
	for (size_t i = 0; i + len <= in.n; i++)
		if (from[i] && memcmp(in.p + i, literal, len) == 0)
			to[i + len] = from[i];
}

static void
read_capture(
    const uint8_t *from, uint8_t *to, const struct profile_pattern_slot *slot, struct view in)
{
	unsigned sum = 0; /* of from[s] over starts s in [low, i) whose run reaches i */
	size_t low = 0;
	to[0] = 0;
	for (size_t i = 1; i <= in.n; i++) {
		sum += from[i - 1];
		if (!in_class(slot->class, in.p[i - 1])) {
			sum = 0;
			low = i;
		}
		for (; i - low > slot->max; low++)
			sum -= from[low];
		to[i] = cap_two(sum);
	}
}

/* The single start of a capture that ends at `end`, given that there is one. */
static size_t
capture_start(
    const uint8_t *from, const struct profile_pattern_slot *slot, struct view in, size_t end)
{
	size_t i = end;
	while (i > 0 && in_class(slot->class, in.p[i - 1])) {
		i--;
		if (from[i])
			break;
	}
	return i;
}

/* Its table is only set up for inputs that the first literal lets through. */
__attribute__((noinline)) static bool
match_counted(const struct profile_pattern *p, const char *text,
    const struct profile_pattern_slot *slots, struct view input, struct view *found)
{
	struct reading r WRITTEN_BEFORE_READ;
	memset(r.ways[0], 0, input.n + 1);
	r.ways[0][0] = 1;
	for (unsigned t = 0; t < p->n; t++) {
		const struct profile_pattern_token *k = &p->token[t];
		if (k->capture < 0)
			read_literal(r.ways[t], r.ways[t + 1], text + k->off, k->len, input);
		else
			read_capture(r.ways[t], r.ways[t + 1], &slots[k->capture], input);
	}
	if (r.ways[p->n][input.n] != 1)
		return false;
	size_t end = input.n;
	for (unsigned t = p->n; t > 0; t--) {
		const struct profile_pattern_token *k = &p->token[t - 1];
		size_t start = end - k->len;
		if (k->capture >= 0)
			start = capture_start(r.ways[t - 1], &slots[k->capture], input, end);
		found[t - 1] = view_of(input.p + start, end - start);
		end = start;
	}
	return true;
}

bool
profile_pattern_match(const struct profile_pattern *p, const char *text,
    const struct profile_pattern_slot *slots, struct view input, struct view *values)
{
	struct view found[PROFILE_PATTERN_TOKENS_MAX];
	if (p->n == 0 || input.n == 0 || input.n > PROFILE_PATTERN_INPUT_MAX)
		return false;
	const struct profile_pattern_token *first = &p->token[0];
	if (first->capture < 0 &&
	    (input.n < first->len || memcmp(input.p, text + first->off, first->len) != 0))
		return false;
	if (!match_counted(p, text, slots, input, found))
		return false;
	for (unsigned t = 0; t < p->n; t++) {
		int c = p->token[t].capture;
		if (c >= 0 && !profile_pattern_fits(slots[c].class, slots[c].max, found[t]))
			return false;
	}
	for (unsigned t = 0; t < p->n; t++)
		if (p->token[t].capture >= 0)
			values[p->token[t].capture] = found[t];
	return true;
}
