/* SPDX-License-Identifier: Apache-2.0 */
#include "images/changes.h"

#include <stdlib.h>

#include "crypto/err.h"

/* Bytes of a block's SHA-256 that stand for it; nothing is trusted because of them. */
#define KEY 16

struct block_key {
	uint8_t b[KEY];
};

struct comparison {
	const struct source *old, *new;
	struct changes out;
	uint8_t *a, *b; /* one window each of old and new */
	struct digest *sha_old, *sha_new;
	struct block_key *keys; /* of the old image, sorted */
	size_t keys_n;
	/* the changed range that is open, in the new image */
	bool open;
	uint64_t start, last; /* first and last differing byte */
	bool prefix_ended;
};

static int
key_order(const void *x, const void *y)
{
	return memcmp(x, y, sizeof(struct block_key));
}

static uint64_t
blocks_of(uint64_t size, uint64_t block)
{
	return size / block + (size % block != 0);
}

static int
fill(const struct source *s, uint64_t at, uint8_t *buf, struct view *ret)
{
	long n = source_read_some(s, at, buf, ENTROPY_WINDOW);
	if (n < 0)
		return (int)n;
	*ret = view_of(buf, (size_t)n);
	return 0;
}

/* ---- digests of blocks, which are one or more windows long ---- */

struct block_hash {
	struct digest *d;
	uint64_t size, filled;
};

/* Adds a window; *ret_done says that a block ended with it and its key is in ret. */
static int
block_add(struct block_hash *h, struct view window, bool at_end, struct block_key *ret,
    bool *ret_done)
{
	uint8_t sum[DIGEST_LEN_MAX];
	*ret_done = false;
	if (!h->d) {
		h->d = digest_new(DIGEST_SHA256);
		h->filled = 0;
		if (!h->d)
			return FG_ENOMEM;
	}
	int err = digest_update(h->d, window);
	h->filled += window.n;
	if (err || (h->filled < h->size && !at_end))
		return err;
	err = digest_final(h->d, sum);
	digest_free(h->d);
	h->d = NULL;
	if (err)
		return err;
	memcpy(ret->b, sum, KEY);
	*ret_done = true;
	return 0;
}

static int
read_old(struct comparison *c)
{
	struct block_hash h = { .size = c->out.block_size };
	int err = 0;
	source_sequential(c->old);
	for (uint64_t at = 0; !err && at < c->old->size; at += ENTROPY_WINDOW) {
		struct view w = { 0 };
		struct block_key key;
		bool done;
		if ((err = fill(c->old, at, c->a, &w)) != 0 ||
		    (err = digest_update(c->sha_old, w)) != 0)
			break;
		entropy_count(&c->out.old.entropy, w);
		err = block_add(&h, w, at + w.n == c->old->size, &key, &done);
		if (!err && done)
			c->keys[c->keys_n++] = key;
	}
	digest_free(h.d);
	if (c->keys_n)
		qsort(c->keys, c->keys_n, sizeof c->keys[0], key_order);
	return err;
}

/* ---- ranges ---- */

static void
range_end(struct comparison *c)
{
	if (!c->open)
		return;
	if (c->out.ranges_n < CHANGES_RANGES_MAX)
		c->out.ranges[c->out.ranges_n++] =
		    (struct sig_range){ c->start, c->last - c->start + 1 };
	c->out.ranges_total++;
	c->open = false;
}

/* The bytes [from, to) of the new image differ. */
static void
differs(struct comparison *c, uint64_t from, uint64_t to)
{
	if (c->open && from - c->last > CHANGES_BRIDGE)
		range_end(c);
	if (!c->open) {
		c->open = true;
		c->start = from;
	}
	c->last = to - 1;
}

/* Compares the windows at one offset; true when they hold the same bytes. */
static bool
compare(struct comparison *c, uint64_t at, struct view old, struct view new)
{
	size_t both = old.n < new.n ? old.n : new.n, i = 0;
	bool equal = both == 0 || memcmp(old.p, new.p, both) == 0;
	if (equal) { /* the common case, without looking at single bytes */
		c->out.same_offset += both;
		i = both;
		if (!c->prefix_ended)
			c->out.prefix += both;
	}
	for (; i < both; i++) {
		if (old.p[i] == new.p[i]) {
			c->out.same_offset++;
			if (!c->prefix_ended)
				c->out.prefix++;
			continue;
		}
		c->prefix_ended = true;
		differs(c, at + i, at + i + 1);
	}
	if (new.n > both) {
		c->prefix_ended = true;
		differs(c, at + both, at + new.n);
	}
	return equal && old.n == new.n;
}

static int
read_new(struct comparison *c)
{
	struct block_hash h = { .size = c->out.block_size };
	bool same = true; /* so far in this block */
	int err = 0;
	source_sequential(c->new);
	for (uint64_t at = 0; !err && at < c->new->size; at += ENTROPY_WINDOW) {
		struct view old = { 0 }, new = { 0 };
		struct block_key key;
		bool done;
		if ((err = fill(c->old, at, c->a, &old)) != 0 ||
		    (err = fill(c->new, at, c->b, &new)) != 0 ||
		    (err = digest_update(c->sha_new, new)) != 0)
			break;
		entropy_count(&c->out.new.entropy, new);
		same = compare(c, at, old, new) && same;
		/* Nobody will ask for the digest of a block that is as it was. */
		if (same && c->out.block_size == ENTROPY_WINDOW) {
			c->out.blocks_same++;
			continue;
		}
		err = block_add(&h, new, at + new.n == c->new->size, &key, &done);
		if (err || !done)
			continue;
		if (same)
			c->out.blocks_same++;
		else if (c->keys_n && bsearch(&key, c->keys, c->keys_n, sizeof key, key_order))
			c->out.blocks_moved++;
		else
			c->out.blocks_changed++;
		same = true;
	}
	digest_free(h.d);
	range_end(c);
	return err;
}

/* Equal bytes at the end, leaving the common start alone. */
static int
read_suffix(struct comparison *c)
{
	uint64_t left = (c->old->size < c->new->size ? c->old->size : c->new->size) - c->out.prefix;
	while (left > 0) {
		size_t n = left < ENTROPY_WINDOW ? (size_t)left : ENTROPY_WINDOW;
		uint64_t done = c->out.suffix;
		int err = source_read(c->old, c->old->size - done - n, c->a, n);
		if (!err)
			err = source_read(c->new, c->new->size - done - n, c->b, n);
		if (err)
			return err;
		size_t equal = 0;
		while (equal < n && c->a[n - 1 - equal] == c->b[n - 1 - equal])
			equal++;
		c->out.suffix += equal;
		if (equal < n)
			break;
		left -= n;
	}
	return 0;
}

static int
prepare(struct comparison *c)
{
	struct format_result f;
	c->out.block_size = CHANGES_BLOCK_MIN;
	while (blocks_of(c->old->size, c->out.block_size) > CHANGES_BLOCKS_MAX)
		c->out.block_size *= 2;
	uint64_t blocks = blocks_of(c->old->size, c->out.block_size);
	c->a = malloc(ENTROPY_WINDOW);
	c->b = malloc(ENTROPY_WINDOW);
	c->keys = calloc(blocks ? (size_t)blocks : 1, sizeof c->keys[0]);
	c->sha_old = digest_new(DIGEST_SHA256);
	c->sha_new = digest_new(DIGEST_SHA256);
	if (!c->a || !c->b || !c->keys || !c->sha_old || !c->sha_new)
		return FG_ENOMEM;
	c->out.old.size = c->old->size;
	c->out.new.size = c->new->size;
	int err = format_recognise(c->old, &f);
	if (err)
		return err;
	c->out.old.format = f.format;
	err = format_recognise(c->new, &f);
	if (!err)
		c->out.new.format = f.format;
	return err;
}

int
changes_compare(const struct source *old, const struct source *new, struct changes *ret)
{
	struct comparison c = { .old = old, .new = new };
	int err = prepare(&c);
	if (!err)
		err = read_old(&c);
	if (!err)
		err = read_new(&c);
	if (!err)
		err = read_suffix(&c);
	if (!err)
		err = digest_final(c.sha_old, c.out.old.sha256);
	if (!err)
		err = digest_final(c.sha_new, c.out.new.sha256);
	free(c.a);
	free(c.b);
	free(c.keys);
	digest_free(c.sha_old);
	digest_free(c.sha_new);
	if (!err)
		*ret = c.out;
	return err;
}
