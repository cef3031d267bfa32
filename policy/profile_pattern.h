/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile_pattern - text with {captures}: matching a path and filling a template.
 * Guarantees: no regular expressions, no recursion, time bounded by tokens times
 * length. A path matches only if there is exactly one way to read it: where
 * "{from}-{to}.bin" could be cut in two places nothing matches, because the two
 * readings would name two different images.
 */
#ifndef FG_POLICY_PROFILE_PATTERN_H
#define FG_POLICY_PROFILE_PATTERN_H

#include "crypto/view.h"

#define PROFILE_PATTERN_TOKENS_MAX 32
#define PROFILE_PATTERN_INPUT_MAX 1024 /* nRF's configurable 2048 apart, every client stays below 512 */

/* What a capture may hold. Zero holds nothing. */
enum profile_pattern_class {
	PROFILE_CLASS_NONE = 0,
	PROFILE_CLASS_DIGITS,  /* 0-9 */
	PROFILE_CLASS_HEX,     /* 0-9 a-f A-F */
	PROFILE_CLASS_WORD,    /* letters, digits, "_", "-" */
	PROFILE_CLASS_VERSION, /* letters, digits, ".", "_", "-", "+"; starts with a letter or digit, no ".." */
	PROFILE_CLASS_FILE,    /* as version, and "~"; starts with no "." */
	PROFILE_CLASS_TOKEN,   /* base64url: letters, digits, "_", "-", "=" */
	PROFILE_CLASS_PATH,    /* file segments joined by single "/" */
};

struct profile_pattern_token {
	int16_t capture; /* index into the profile's captures, or -1: literal text[off, off+len) */
	uint16_t off, len;
};

struct profile_pattern {
	unsigned n;
	struct profile_pattern_token token[PROFILE_PATTERN_TOKENS_MAX];
};

/* How the pattern sees the captures of a profile. */
struct profile_pattern_slot {
	const char *name;
	enum profile_pattern_class class;
	unsigned max; /* bytes */
};

/*
 * Compiles text. False with a sentence that names the cure in why. Two captures
 * without a literal between them, the same capture twice (unless repeat: a
 * template may) and names not in slots are refused.
 */
bool profile_pattern_compile(const char *text, const struct profile_pattern_slot *slots, unsigned slots_n,
    bool repeat, struct profile_pattern *ret, char *why, size_t cap);
/*
 * Matches all of input. On true, values[i] of every capture in the pattern is
 * set (borrowed from input) and the others are left alone.
 */
bool profile_pattern_match(const struct profile_pattern *p, const char *text,
    const struct profile_pattern_slot *slots, struct view input, struct view *values);
/* True when value is a whole, non-empty member of the class of at most max bytes. */
bool profile_pattern_fits(enum profile_pattern_class class, unsigned max, struct view value);

#endif
