/* SPDX-License-Identifier: Apache-2.0 */
/* own_page - hashes of own identities in the new image that are not in the old one. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "images/analyse.h"
#include "images/own.h"

#define HEX (2 * OWN_PRINT)
#define SHOWN 48 /* bytes of evidence */

struct search {
	const struct own *own;
	uint8_t *known; /* of each print: the old image holds it */
	/* one part */
	uint64_t md5, sha256; /* found in it that are not known */
	uint64_t first;
	bool learn; /* it is of the old image: what is found is known from now on */
};

static void
found(struct search *s, long print, uint64_t at)
{
	size_t i = (size_t)print;
	if (s->learn) {
		s->known[i] = 1;
		return;
	}
	if (s->known[i] == 1)
		return;
	if (s->md5 + s->sha256 == 0)
		s->first = at;
	if (own_is_md5(s->own, i))
		s->md5++;
	else
		s->sha256++;
}

static int
value(uint8_t c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* The 2 * OWN_PRINT characters at p as the bytes that they spell; false where one is no hex digit. */
static bool
decode(const uint8_t *p, uint8_t dst[OWN_PRINT])
{
	for (size_t i = 0; i < OWN_PRINT; i++) {
		int high = value(p[2 * i]), low = value(p[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		dst[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* Looks at every place of chunk that as many bytes follow; the rest is read again. */
static void
look(struct search *s, const uint8_t *chunk, size_t n, size_t settle, uint64_t at)
{
	uint8_t bytes[OWN_PRINT];
	size_t run = 0; /* hex digits from here on */
	for (size_t i = 0; i < settle; i++) {
		long print = i + OWN_PRINT <= n ? own_find(s->own, chunk + i) : -1;
		if (print >= 0)
			found(s, print, at + i);
		if (run)
			run--;
		else
			while (i + run < n && value(chunk[i + run]) >= 0)
				run++;
		if (run >= HEX && decode(chunk + i, bytes) &&
		    (print = own_find(s->own, bytes)) >= 0)
			found(s, print, at + i);
	}
}

static int
search(struct search *s, const struct source *bytes)
{
	size_t cap = source_chunk(bytes->size) + HEX;
	uint8_t *chunk = malloc(cap);
	int err = chunk ? 0 : FG_ENOMEM;
	s->md5 = s->sha256 = 0;
	for (uint64_t at = 0; !err && at < bytes->size;) {
		long n = source_read_some(bytes, at, chunk, cap);
		if (n < 0) {
			err = (int)n;
			break;
		}
		size_t got = (size_t)n, settle = at + got == bytes->size ? got : got - (HEX - 1);
		look(s, chunk, got, settle, at);
		at += settle;
	}
	free(chunk);
	return err;
}

static int
line(const struct search *s, const struct parts *t, uint32_t i, struct page *page)
{
	struct page_line l = {.block = PAGE_IDENT,
			      .id = FINDING_CHG_IDENTIFIERS_OWN,
			      .sign = PAGE_ADDED,
			      .have_offset = true,
			      .offset = s->first,
			      .weight = s->md5 + s->sha256};
	uint8_t shown[SHOWN];
	long n = source_read_some(&parts_get(t, i)->bytes, s->first, shown, sizeof shown);
	if (n < 0)
		return (int)n;
	page_evidence(&l, view_of(shown, (size_t)n));
	page_text(&l,
		  "hashes of identities of modules of this fleet: %" PRIu64 " by SHA-256, %" PRIu64
		  " by MD5",
		  s->sha256, s->md5);
	parts_path(t, i, l.path, sizeof l.path);
	return page_add(page, &l);
}

/* Parts of the new image that are no part of the old one; tell: each that holds something gets its
 * line. */
static int
new_parts(struct search *s, const struct pair *pair, bool *ret_any, struct page *tell)
{
	const struct parts *t = pair_tree(pair, PAIR_NEW);
	int err = 0;
	for (uint32_t i = 0; i < parts_count(t) && !err; i++) {
		if (!analyse_is_leaf(t, i) || pair_is_same(pair_of(pair, PAIR_NEW, i).how))
			continue;
		err = search(s, &parts_get(t, i)->bytes);
		if (err || s->md5 + s->sha256 == 0)
			continue;
		*ret_any = true;
		if (!tell)
			return 0;
		err = line(s, t, i, tell);
	}
	return err;
}

int
own_page(const struct pair *pair, const struct own *o, struct page *page)
{
	const struct parts *old = pair_tree(pair, PAIR_OLD);
	struct search s = {.own = o, .known = calloc(own_prints(o) + 1, 1)};
	bool any = false;
	int err = !s.known ? FG_ENOMEM : own_prints(o) ? new_parts(&s, pair, &any, NULL) : 0;
	/* Only then the old image is asked. */
	s.learn = true;
	for (uint32_t i = 0; any && i < parts_count(old) && !err; i++)
		if (analyse_is_leaf(old, i))
			err = search(&s, &parts_get(old, i)->bytes);
	s.learn = false;
	if (!err && any)
		err = new_parts(&s, pair, &any, page);
	free(s.known);
	return err;
}
