/* SPDX-License-Identifier: Apache-2.0 */
#include "fault/campaign.h"

#include <inttypes.h>
#include <stdlib.h>

struct telling {
	const struct campaign *c;
	struct disk *d;
	unsigned lots;
	bool always;
	unsigned every;
	uint64_t turn;
};

bool
campaign_alive(void)
{
	return !disk_watched() || !disk_is_gone(disk_watched());
}

static void
after(void *ctx, enum disk_op op)
{
	struct telling *t = ctx;
	const char *image = fault_path("image");
	(void)op;
	if (++t->turn % t->every)
		return;
	unsigned always = t->always ? DISK_CUT_RANDOM : 0, lots = disk_unsafe(t->d) ? t->lots : 0;
	for (unsigned i = 0; i < always + lots; i++) {
		unsigned kind = i < always ? i : DISK_CUT_RANDOM + fault_mix(t->turn, i) % 100000;
		disk_image(t->d, kind, image);
		fault_case();
		t->c->judge(t->c->ctx, image);
		fault_remove(image);
	}
}

static struct disk *
prepare(const struct campaign *c, const char *dir)
{
	c->begin(c->ctx);
	fault_copy(fault_path("base"), dir);
	return disk_new(dir);
}

static void
cut_everywhere(const struct campaign *c)
{
	const char *dir = fault_path("live");
	struct disk *d = prepare(c, dir);
	struct telling t = { .c = c, .d = d, .lots = c->lots * fault_deep(), .always = true,
		.every = c->sparse && fault_deep() == 1 ? c->sparse : 1 };
	fault_where("%s, power cut", c->name);
	disk_set_hook(d, after, &t);
	disk_watch(d);
	int err = c->tell(c->ctx, dir, 1);
	disk_watch(NULL);
	fault_check(err == 0, "the story itself fails: %d", err);
	disk_free(d);
	fault_remove(dir);
}

static bool
strike(const struct campaign *c, const struct fault_kind *k, uint64_t at)
{
	const char *dir = fault_path("live");
	struct disk *d = prepare(c, dir);
	struct telling t = { .c = c, .d = d, .lots = 2, .always = true, .every = 1, .turn = at };
	struct disk_plan plan = k->plan;
	plan.at = at;
	fault_where("%s, %s number %" PRIu64, c->name, k->name, at);
	disk_set_plan(d, &plan);
	disk_watch(d);
	c->tell(c->ctx, dir, 1);
	bool struck = disk_struck(d);
	if (struck) {
		disk_set_plan(d, &(struct disk_plan){ 0 });
		after(&t, DISK_SYNC); /* the power goes at once */
		t.always = fault_deep() > 1;
		t.lots = 1;
		t.every = c->every && fault_deep() == 1 ? c->every : 1;
		disk_set_hook(d, after, &t);
		fault_where("%s, %s number %" PRIu64 ", restart", c->name, k->name, at);
		int err = c->tell(c->ctx, dir, 2);
		fault_check(err == 0, "the story cannot be told again: %d", err);
		disk_watch(NULL);
		fault_case();
		c->judge(c->ctx, dir);
	}
	disk_watch(NULL);
	disk_free(d);
	fault_remove(dir);
	return struck;
}

void
campaign_run(const struct campaign *c)
{
	const char *base = fault_path("base");
	fault_where("%s", c->name);
	c->base(c->ctx, base);
	cut_everywhere(c);
	for (size_t k = 0; k < fault_kinds_n; k++) {
		unsigned step = c->step && fault_deep() == 1 ? c->step : 1;
		for (uint64_t at = 1 + k % step; strike(c, &fault_kinds[k], at); at += step)
			;
	}
	fault_remove(base);
}
