/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view - a borrowed run of bytes. Whoever hands one out says how long it
 * lives; nobody frees one.
 */
#ifndef FG_CRYPTO_VIEW_H
#define FG_CRYPTO_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct view {
	const uint8_t *p;
	size_t n;
};

static inline struct view
view_of(const void *p, size_t n)
{
	return (struct view){ (const uint8_t *)p, n };
}

/* The bytes of a C string without its terminator; NULL is empty. */
static inline struct view
view_str(const char *s)
{
	return (struct view){ (const uint8_t *)s, s ? strlen(s) : 0 };
}

/* Equal in length and content. Not constant time: for secrets use wipe_equal. */
static inline bool
view_equal(struct view a, struct view b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool
view_is(struct view a, const char *s)
{
	return view_equal(a, view_str(s));
}

#endif
