/* SPDX-License-Identifier: Apache-2.0 */
/* yarascan_page - what rules say of the new image, held against what they say of the old one. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "images/analyse.h"
#include "images/yarascan.h"

#define PATH_CAP 1024
#define EXCERPT_MIN 24 /* bytes shown from where a rule fits */
#define EXCERPT_MAX 72

struct hit {
	unsigned rule;
	uint32_t part;
	bool have_where;
	uint64_t where, length;
};

struct side {
	struct hit *hit;
	size_t n, cap;
	uint64_t lost; /* beyond YARASCAN_HITS_MAX */
	unsigned slow, cut, many,
	    skipped; /* parts: too slow, a bound of libyara's, strings not counted, not scanned */
	char first[PAGE_PATH_MAX]; /* the first of them */
};

struct work {
	const struct pair *pair;
	struct page *page;
	struct yarascan *rules;
	struct side side[PAIR_SIDES];
	/* while one is scanned */
	enum pair_side now;
	uint32_t part;
};

static int
on_hit(void *arg, const struct yarascan_hit *hit)
{
	struct work *w = arg;
	struct side *s = &w->side[w->now];
	if (s->n == YARASCAN_HITS_MAX) {
		s->lost++;
		return 0;
	}
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 256;
		struct hit *more = realloc(s->hit, cap * sizeof *more);
		if (!more)
			return FG_ENOMEM;
		s->hit = more;
		s->cap = cap;
	}
	s->hit[s->n++] = (struct hit){hit->rule, w->part, hit->have_where, hit->where, hit->length};
	return 0;
}

static void
not_done(struct side *s, unsigned *which, const char *path)
{
	(*which)++;
	if (!s->first[0])
		snprintf(s->first, sizeof s->first, "%.*s", (int)sizeof s->first - 1,
			 path[0] ? path : "the image itself");
}

/* Of the new image what is new or changed; of the old one everything: it may have been elsewhere.
 */
static int
scan(struct work *w, enum pair_side side)
{
	const struct parts *t = pair_tree(w->pair, side);
	struct side *s = &w->side[side];
	char path[PATH_CAP];
	uint64_t bytes = 0;
	int err = 0;
	w->now = side;
	for (uint32_t i = 0; i < parts_count(t) && !err; i++) {
		const struct part *p = parts_get(t, i);
		enum yarascan_end end;
		if (!analyse_is_leaf(t, i) ||
		    (side == PAIR_NEW && pair_is_same(pair_of(w->pair, side, i).how)))
			continue;
		parts_path(t, i, path, sizeof path);
		if (s->slow >= YARASCAN_SLOW_MAX || p->bytes.size > YARASCAN_BYTES_MAX - bytes) {
			not_done(s, &s->skipped, path);
			continue;
		}
		bytes += p->bytes.size;
		w->part = i;
		err = yarascan_run(w->rules, path, &p->bytes, on_hit, w, &end);
		if (err || end == YARASCAN_DONE)
			continue;
		not_done(s,
			 end == YARASCAN_SLOW	? &s->slow
			 : end == YARASCAN_MANY ? &s->many
						: &s->cut,
			 path);
	}
	return err;
}

/* ---- lines ---- */

static int
by_rule(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;
	if (x->rule != y->rule)
		return x->rule < y->rule ? -1 : 1;
	return (x->part > y->part) - (x->part < y->part);
}

/* Of sorted hits the first that is of rule and of part or of one behind it. NULL: none. */
static const struct hit *
of_rule(const struct side *s, unsigned rule, uint32_t part)
{
	const struct hit key = {.rule = rule, .part = part};
	size_t low = 0, high = s->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (by_rule(&s->hit[mid], &key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < s->n && s->hit[low].rule == rule ? &s->hit[low] : NULL;
}

static int
excerpt(const struct source *s, const struct hit *h, struct page_line *l)
{
	uint8_t bytes[EXCERPT_MAX];
	uint64_t n = h->length < EXCERPT_MIN ? EXCERPT_MIN : h->length;
	if (!h->have_where)
		return 0;
	long got =
	    source_read_some(s, h->where, bytes, n < sizeof bytes ? (size_t)n : sizeof bytes);
	if (got < 0)
		return (int)got;
	l->have_offset = true;
	l->offset = h->where;
	page_evidence(l, view_of(bytes, (size_t)got));
	return 0;
}

/* Mild lines stand among the files: what is red is to stay short. */
static void
settle(struct page_line *l, bool mild)
{
	l->id = FINDING_CHG_YARA;
	l->block = mild ? PAGE_FILES : PAGE_RED;
	l->severity = mild ? FINDING_NOTICE : FINDING_WARNING;
}

static bool
fitted_before(const struct work *w, const struct hit *h)
{
	struct pair_mate mate = pair_of(w->pair, PAIR_NEW, h->part);
	const struct hit *was = of_rule(&w->side[PAIR_OLD], h->rule, mate.index);
	return mate.index != PART_NONE_INDEX && was && was->part == mate.index;
}

static int
line(struct work *w, const struct hit *h)
{
	const struct parts *t = pair_tree(w->pair, PAIR_NEW);
	const char *means = yarascan_means(w->rules, h->rule);
	bool before = fitted_before(w, h);
	const struct hit *elsewhere = before ? NULL : of_rule(&w->side[PAIR_OLD], h->rule, 0);
	struct page_line l = {.sign = before ? PAGE_CHANGED : PAGE_ADDED};
	settle(&l, before || yarascan_is_mild(w->rules, h->rule));
	page_text(&l, "YARA rule %s%s%s%s", yarascan_name(w->rules, h->rule),
		  before      ? ", as before"
		  : elsewhere ? ", which fits the old image elsewhere"
			      : "",
		  means[0] ? ": " : "", means);
	parts_path(t, h->part, l.path, sizeof l.path);
	int err = excerpt(&parts_get(t, h->part)->bytes, h, &l);
	return err ? err : page_add(w->page, &l);
}

/* n hits of one rule: new ones first, and those that are too many are counted. */
static int
rule(struct work *w, const struct hit *h, size_t n)
{
	size_t told = 0, more = 0;
	int err = 0;
	for (unsigned round = 0; round < 2; round++)
		for (size_t i = 0; i < n && !err; i++) {
			if (fitted_before(w, &h[i]) != (round == 1))
				continue;
			if (told++ < YARASCAN_TOLD_MAX)
				err = line(w, &h[i]);
			else if (round == 0)
				more++;
		}
	struct page_line l = {.sign = PAGE_ADDED};
	if (err || told <= YARASCAN_TOLD_MAX)
		return err;
	settle(&l, more == 0 || yarascan_is_mild(w->rules, h->rule));
	page_text(&l, "YARA rule %s fits %zu more parts", yarascan_name(w->rules, h->rule),
		  told - YARASCAN_TOLD_MAX);
	return page_add(w->page, &l);
}

static int
lines(struct work *w)
{
	struct side *new = &w->side[PAIR_NEW];
	int err = 0;
	for (unsigned side = 0; side < PAIR_SIDES; side++)
		if (w->side[side].n)
			qsort(w->side[side].hit, w->side[side].n, sizeof *new->hit, by_rule);
	for (size_t i = 0, k; i < new->n && !err; i = k) {
		for (k = i + 1; k < new->n &&new->hit[k].rule == new->hit[i].rule;)
			k++;
		err = rule(w, new->hit + i, k - i);
	}
	return err;
}

/* ---- what was not asked ---- */

static int
incomplete(struct work *w, enum pair_side side)
{
	const struct side *s = &w->side[side];
	struct page_line l = {.block = PAGE_RED, .id = FINDING_CHG_INCOMPLETE};
	if (s->slow + s->cut + s->many + s->skipped == 0 && s->lost == 0)
		return 0;
	page_text(&l,
		  "YARA rules were not run to their end over the %s image: %u parts too slow, %u "
		  "too much for them, %u not begun, %u with more "
		  "matches than are counted; %" PRIu64 " lost",
		  side == PAIR_OLD ? "old" : "new", s->slow, s->cut, s->skipped, s->many, s->lost);
	snprintf(l.evidence, sizeof l.evidence, "%.*s", (int)sizeof l.evidence - 1, s->first);
	return page_add(w->page, &l);
}

/* Rules that are none are no reason to look at nothing; that they were not used is. */
static int
open_rules(struct work *w, struct view own)
{
	struct yarascan_refusal why = {0};
	struct page_line l = {.block = PAGE_RED, .id = FINDING_CHG_INCOMPLETE};
	int err = yarascan_new(own, &w->rules, &why);
	if (err != FG_EFORMAT)
		return err;
	if (why.line)
		page_text(&l, "the operator's YARA rules were not used, line %u: %s", why.line,
			  why.text);
	else
		page_text(&l, "YARA rules were not used: %s", why.text);
	err = page_add(w->page, &l);
	if (!err && own.n)
		err = yarascan_new(view_of(NULL, 0), &w->rules, NULL);
	return err == FG_EFORMAT ? 0 : err;
}

/* The old image is asked only by rules that fit the new one. */
static int
scan_old(struct work *w)
{
	const struct side *new = &w->side[PAIR_NEW];
	bool *wanted = new->n ? calloc(yarascan_count(w->rules) + 1, sizeof *wanted) : NULL;
	if (new->n == 0)
		return 0;
	if (!wanted)
		return FG_ENOMEM;
	for (size_t i = 0; i < new->n; i++)
		wanted[new->hit[i].rule] = true;
	yarascan_only(w->rules, wanted);
	free(wanted);
	return scan(w, PAIR_OLD);
}

int
yarascan_page(const struct pair *pair, struct view own, struct page *page)
{
	struct work w = {.pair = pair, .page = page};
	int err = open_rules(&w, own);
	if (!err && w.rules)
		err = scan(&w, PAIR_NEW);
	if (!err && w.rules)
		err = scan_old(&w);
	if (!err)
		err = lines(&w);
	for (unsigned side = 0; side < PAIR_SIDES && !err; side++)
		err = incomplete(&w, (enum pair_side)side);
	yarascan_free(w.rules);
	free(w.side[PAIR_OLD].hit);
	free(w.side[PAIR_NEW].hit);
	return err;
}
