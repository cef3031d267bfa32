/* SPDX-License-Identifier: Apache-2.0 */
#include "images/explain_internal.h"

#include <stdlib.h>

#include "crypto/err.h"
#include "images/analyse.h"
#include "images/own.h"
#include "images/yarascan.h"

static int
take_apart(struct explain *e)
{
	const struct source *image[PAIR_SIDES] = { [PAIR_OLD] = e->job->old, [PAIR_NEW] = e->job->new };
	uint64_t scratch = 0;
	int err = 0;
	for (unsigned side = 0; side < PAIR_SIDES && !err; side++)
		err = parts_open(image[side], e->job->scratch, &scratch, &e->tree[side]);
	return err;
}

/*
 * What keeps the page from being the whole truth is on the page, and red. Before the
 * analysers, who count on what they put there.
 */
static int
limits(struct explain *e)
{
	struct page *page = e->story->page;
	int err = 0;
	for (unsigned side = 0; side < PAIR_SIDES && !err; side++) {
		unsigned n = parts_limits(e->tree[side]);
		struct page_line l = { .block = PAGE_RED, .id = FINDING_CHG_INCOMPLETE };
		page_text(&l, "analysis incomplete: %u parts of the %s image were not opened to their end because of a limit",
		    n, side == PAIR_OLD ? "old" : "new");
		if (n)
			err = page_add(page, &l);
	}
	if (!err && pair_unlooked(e->pair)) {
		struct page_line l = { .block = PAGE_UNSEEN, .id = FINDING_CHG_INCOMPLETE };
		page_text(&l, "%u parts were not searched for what they are like, they show as added or gone",
		    pair_unlooked(e->pair));
		err = page_add(page, &l);
	}
	return err;
}

static int
account(struct explain *e)
{
	struct story *s = e->story;
	int err = account_make(e->account, &s->holds);
	for (unsigned side = 0; side < PAIR_SIDES && !err; side++) {
		s->image[side] = account_image(e->account, (enum pair_side)side);
		s->expanded[side] = account_expanded(e->account, (enum pair_side)side);
	}
	struct page_line l = { .block = PAGE_RED, .id = FINDING_CHG_INCOMPLETE };
	page_text(&l, "the account of bytes does not add up: nothing it says can be relied on");
	return err || s->holds ? err : page_add(s->page, &l);
}

/* What of the mild blocks had no room is told by a line that has. */
static int
lost(struct explain *e)
{
	struct page_line l = { .block = PAGE_RED, .id = FINDING_CHG_INCOMPLETE };
	uint64_t n = 0;
	for (unsigned b = PAGE_NONE + 1; b < PAGE_BLOCK_LIMIT; b++)
		n += page_lost(e->story->page, (enum page_block)b);
	page_text(&l, "%llu lines of this page did not fit", (unsigned long long)n);
	return n ? page_add(e->story->page, &l) : 0;
}

int
explain_run(const struct explain_job *job, struct story **ret)
{
	struct explain e = { .job = job };
	int err = (e.story = story_new()) ? 0 : FG_ENOMEM;
	if (!err)
		err = take_apart(&e);
	if (!err)
		err = pair_make(e.tree[PAIR_OLD], e.tree[PAIR_NEW], &e.pair);
	if (!err && !(e.account = account_new(e.pair)))
		err = FG_ENOMEM;
	if (!err)
		err = explain_count(&e);
	if (!err)
		err = limits(&e);
	if (!err)
		err = analyse_run(e.pair, job->own ? own_tokens(job->own) : NULL, e.account, e.story->page);
	if (!err && job->own)
		err = own_page(e.pair, job->own, e.story->page);
	if (!err)
		err = yarascan_page(e.pair, job->rules, e.story->page);
	if (!err)
		err = account(&e);
	if (!err)
		err = explain_shift(&e);
	if (!err)
		err = explain_unseen(&e);
	if (!err)
		err = explain_map(&e);
	if (!err)
		err = lost(&e);
	account_free(e.account);
	pair_free(e.pair);
	for (unsigned side = 0; side < PAIR_SIDES; side++)
		parts_free(e.tree[side]);
	if (err)
		story_free(e.story);
	else
		*ret = e.story;
	return err;
}
