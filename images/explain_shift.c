/* SPDX-License-Identifier: Apache-2.0 */
/* explain_shift - parts that could be read in the old image and look like noise in the new one. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "images/analyse.h"
#include "images/entropy.h"
#include "images/explain_internal.h"

#define SAMPLES 64     /* windows of a part that its entropy is the mean of */
#define MORE_WINDOWS 2 /* of 64 KiB, that look random more than before: a picture has less */

/* Mean of windows spread evenly over it, in thousandths of a bit. */
static int
measure(const struct source *s, uint8_t *window, unsigned *ret)
{
	uint64_t all = (s->size + ENTROPY_WINDOW - 1) / ENTROPY_WINDOW,
		 n = all < SAMPLES ? all : SAMPLES, sum = 0;
	*ret = 0;
	for (uint64_t k = 0; k < n; k++) {
		long got =
		    source_read_some(s, all * k / n * ENTROPY_WINDOW, window, ENTROPY_WINDOW);
		if (got < 0)
			return (int)got;
		sum += entropy_millibits(view_of(window, (size_t)got));
	}
	*ret = n ? (unsigned)(sum / n) : 0;
	return 0;
}

static int
random_windows(const struct source *s, uint8_t *window, uint64_t *ret)
{
	struct entropy_profile p = {0};
	for (uint64_t at = 0; at < s->size;) {
		long got = source_read_some(s, at, window, ENTROPY_WINDOW);
		if (got < 0)
			return (int)got;
		/* A short end is of few bytes, and they say little. */
		if (got == (long)ENTROPY_WINDOW)
			entropy_count(&p, view_of(window, (size_t)got));
		at += (uint64_t)got;
	}
	*ret = p.windows[ENTROPY_RANDOM];
	return 0;
}

/* What lay in the old image where i lies in its parent now: the largest piece of it.
 * PART_NONE_INDEX: nothing known. */
static uint32_t
in_its_place(const struct explain *e, uint32_t i)
{
	const struct parts *t = e->tree[PAIR_NEW], *o = e->tree[PAIR_OLD];
	const struct part *p = parts_get(t, i);
	uint32_t best = PART_NONE_INDEX;
	uint64_t most = p->bytes.size / 2;
	if (!p->placed || p->parent == PART_NONE_INDEX)
		return best;
	uint32_t parent = p->parent == 0 ? 0 : pair_of(e->pair, PAIR_NEW, p->parent).index;
	if (parent == PART_NONE_INDEX)
		return best;
	const struct part *was = parts_get(o, parent);
	for (uint32_t k = 0; k < was->children; k++) {
		const struct part *c = parts_get(o, was->first + k);
		uint64_t from = c->at > p->at ? c->at : p->at;
		uint64_t to = c->at + c->bytes.size < p->at + p->bytes.size ? c->at + c->bytes.size
									    : p->at + p->bytes.size;
		if (c->placed && to > from && to - from > most) {
			most = to - from;
			best = was->first + k;
		}
	}
	/* An image that was nothing but one piece lies in its own place. */
	return best == PART_NONE_INDEX && was->children == 0 && was->bytes.size > 0 ? parent : best;
}

static bool
could_be_read(const struct part *p)
{
	return p->bytes.size > 0 && (p->look == PART_LOOK_DATA || p->look == PART_LOOK_KNOWN ||
				     p->look == PART_LOOK_OPENED);
}

static int
add(struct explain *e, uint32_t i, struct page_line *l)
{
	l->block = PAGE_ENTROPY;
	l->id = FINDING_CHG_OPAQUE;
	l->weight = parts_get(e->tree[PAIR_NEW], i)->bytes.size;
	parts_path(e->tree[PAIR_NEW], i, l->path, sizeof l->path);
	return page_add(e->story->page, l);
}

/* Pieces in a row that lie where one part lay before: noise is cut at random, and is one thing. */
struct noise {
	uint32_t first, before; /* PART_NONE_INDEX: none */
	uint64_t bytes;
};

static int
noise_end(struct explain *e, struct noise *n, uint8_t *window)
{
	struct page_line l = {.sign = PAGE_CHANGED};
	unsigned is, had;
	if (n->first == PART_NONE_INDEX)
		return 0;
	const struct part *was = parts_get(e->tree[PAIR_OLD], n->before);
	int err = measure(&parts_get(e->tree[PAIR_NEW], n->first)->bytes, window, &is);
	if (!err)
		err = measure(&was->bytes, window, &had);
	if (err)
		return err;
	page_text(&l,
		  "looks like noise now: %" PRIu64 " bytes of %u.%02u bits; before, %s of %" PRIu64
		  " bytes that could be read, %u.%02u bits",
		  n->bytes, is / 1000, is % 1000 / 10, part_form(was), was->bytes.size, had / 1000,
		  had % 1000 / 10);
	err = add(e, n->first, &l);
	n->first = PART_NONE_INDEX;
	return err;
}

static int
became_noise(struct explain *e, uint32_t i, struct noise *n, uint8_t *window)
{
	const struct parts *t = e->tree[PAIR_NEW];
	const struct part *p = parts_get(t, i);
	struct pair_mate mate = pair_of(e->pair, PAIR_NEW, i);
	uint32_t before = mate.index != PART_NONE_INDEX ? mate.index : in_its_place(e, i);
	if (before == PART_NONE_INDEX || !could_be_read(parts_get(e->tree[PAIR_OLD], before)))
		return 0;
	if (n->first != PART_NONE_INDEX && n->before == before &&
	    parts_get(t, n->first)->parent == p->parent) {
		n->bytes += p->bytes.size;
		return 0;
	}
	int err = noise_end(e, n, window);
	*n = (struct noise){i, before, p->bytes.size};
	return err;
}

/* Something that stayed readable on the whole took in noise. */
static int
took_noise_in(struct explain *e, uint32_t i, uint8_t *window)
{
	const struct part *p = parts_get(e->tree[PAIR_NEW], i);
	struct pair_mate mate = pair_of(e->pair, PAIR_NEW, i);
	struct page_line l = {.sign = PAGE_CHANGED, .severity = FINDING_NOTICE};
	uint64_t is = 0, had = 0;
	if (mate.index == PART_NONE_INDEX)
		return 0;
	int err = random_windows(&p->bytes, window, &is);
	if (!err && is >= MORE_WINDOWS)
		err =
		    random_windows(&parts_get(e->tree[PAIR_OLD], mate.index)->bytes, window, &had);
	if (err || is < had + MORE_WINDOWS)
		return err;
	page_text(&l,
		  "%" PRIu64 " stretches of 64 KiB in it look like noise, %" PRIu64 " did before",
		  is, had);
	return add(e, i, &l);
}

int
explain_shift(struct explain *e)
{
	const struct parts *t = e->tree[PAIR_NEW];
	uint8_t *window = malloc(ENTROPY_WINDOW);
	struct noise n = {.first = PART_NONE_INDEX};
	int err = window ? 0 : FG_ENOMEM;
	for (uint32_t i = 0; i < parts_count(t) && !err; i++) {
		const struct part *p = parts_get(t, i);
		if (p->bytes.size == 0 || p->again ||
		    pair_is_same(pair_of(e->pair, PAIR_NEW, i).how))
			continue;
		if (p->look == PART_LOOK_OPAQUE)
			err = became_noise(e, i, &n, window);
		/* What is known to be packed looks like noise and is none. */
		else if (analyse_is_leaf(t, i) &&
			 (p->look == PART_LOOK_DATA || p->format == FORMAT_ELF))
			err = took_noise_in(e, i, window);
	}
	if (!err)
		err = noise_end(e, &n, window);
	free(window);
	return err;
}
