/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/notesfetch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/visible.h"
#include "gateway/control/fetches_private.h"
#include "gateway/control/judging.h"
#include "gateway/control/vendornotes.h"

#define TRIES 2         /* more of them, after failures in a row */

struct asking { /* one text on its way */
	LIST_ENTRY(asking) link;
	struct notesfetch *all;
	uint64_t candidate; /* 0: that one waits no longer */
	uint64_t job;
	int64_t until_ms;
	uint8_t image[DIGEST_SHA256_LEN];
	char profile[DB_NAME_MAX], url[DB_URL_MAX], home[DB_URL_MAX]; /* home: where the image came from */
	struct files_part part[2]; /* a fetcher writes two files; the second stays empty */
	bool have_part[2];
};

struct notesfetch {
	struct control *c;
	LIST_HEAD(, asking) all;
	unsigned n;
};

struct notesfetch *
notesfetch_new(struct control *c)
{
	struct notesfetch *f = calloc(1, sizeof *f);
	if (f) {
		f->c = c;
		LIST_INIT(&f->all);
	}
	return f;
}

static void
forget(struct asking *a)
{
	for (unsigned i = 0; i < 2; i++) {
		if (a->have_part[i]) {
			close(a->part[i].fd);
			files_part_drop(a->all->c->files, a->part[i].name);
		}
	}
	LIST_REMOVE(a, link);
	a->all->n--;
	free(a);
}

void
notesfetch_free(struct notesfetch *f)
{
	if (!f)
		return;
	while (!LIST_EMPTY(&f->all))
		forget(LIST_FIRST(&f->all));
	free(f);
}

static int
on_ask(void *ctx, uint64_t job, struct chan *chan)
{
	struct asking *a = ctx;
	const struct policy *p = policies_find(a->all->c->policies, a->profile);
	struct msg_fetch *m = calloc(1, sizeof *m);
	int err = !p ? FG_ENOTFOUND : m ? FG_OK : FG_ENOMEM;
	if (!err) {
		m->job = job;
		m->max_bytes = NOTES_FILE_MAX;
		m->max_seconds = NOTESFETCH_SECONDS;
		m->tries = TRIES;
		snprintf(m->url, sizeof m->url, "%s", a->url);
		snprintf(m->home, sizeof m->home, "%s", a->home);
		snprintf(m->first_asked_by, sizeof m->first_asked_by, "control");
		err = fetches_ask(p, m, a->part, chan);
	}
	free(m);
	return err;
}

/* An incident is not made of it, whatever it was: notes prove nothing, and people see that there are none. */
static void
without(struct asking *a, const char *why)
{
	char seen[MSG_TEXT_MAX];
	visible_cstr(view_str(why), seen, sizeof seen);
	oplog(OPLOG_WARNING, "profile %s: the vendor's notes did not come: %s", a->profile, seen);
	uint64_t candidate = a->candidate;
	a->candidate = 0;
	judging_start(a->all->c->judging, candidate);
}

static void
on_ended(void *ctx, struct jobs_end *end)
{
	struct asking *a = ctx;
	if (end->end != REPORT_END_REPLIED) {
		without(a, end->detail);
	} else if (end->reply.fetched.outcome != MSG_FETCH_OK) {
		without(a, end->reply.fetched.detail);
	} else {
		uint64_t candidate = a->candidate;
		a->candidate = 0;
		vendornotes_came(a->all->c, candidate, a->image, a->part[0].fd, a->url);
	}
	forget(a);
}

static const struct jobs_ops ops = { on_ask, NULL, on_ended };

static bool
is_wanted(struct control *c, const struct db_candidate *cand, const struct db_resource *r, char *ret_url, size_t cap)
{
	const struct policy *p = policies_find(c->policies, r->profile);
	struct notes *there = p && p->profile->notes_url[0] && cand->have_image ? calloc(1, sizeof *there) : NULL;
	bool wanted = there && !vendornotes_of(c, cand->image, there) && !there->have &&
	    profile_notes_url(p->profile, view_str(r->product), view_str(r->target), ret_url, cap) == FG_OK;
	free(there);
	return wanted;
}

/* False: there is nothing to wait for. */
static bool
set_out(struct notesfetch *f, const struct db_candidate *cand, const struct db_resource *r, const char *url)
{
	struct control *c = f->c;
	struct asking *a = f->n < NOTESFETCH_MAX ? calloc(1, sizeof *a) : NULL;
	if (!a)
		return false;
	a->all = f;
	a->candidate = cand->id;
	a->until_ms = clock_mono_ms(c->clock) + NOTESFETCH_LONGEST_S * 1000;
	memcpy(a->image, cand->image, sizeof a->image);
	snprintf(a->profile, sizeof a->profile, "%s", r->profile);
	snprintf(a->url, sizeof a->url, "%s", url);
	snprintf(a->home, sizeof a->home, "%s", r->url);
	LIST_INSERT_HEAD(&f->all, a, link);
	f->n++;
	int err = FG_OK;
	for (unsigned i = 0; i < 2 && !err; i++) {
		err = files_part_new(c->files, &a->part[i]);
		a->have_part[i] = !err;
	}
	if (!err)
		err = jobs_start(c->jobs, MSG_JOB_UPSTREAM, NOTESFETCH_LONGEST_S * 1000u, &ops, a, &a->job);
	if (err) {
		oplog(OPLOG_WARNING, "profile %s: the vendor's notes could not be asked for: %s", a->profile, err_name(err));
		forget(a);
	}
	return !err;
}

void
notesfetch_judge(struct control *c, uint64_t candidate)
{
	struct db_candidate *cand = calloc(1, sizeof *cand);
	struct db_resource *r = calloc(1, sizeof *r);
	char url[DB_URL_MAX];
	bool waits = cand && r && !db_candidate_get(c->db, candidate, cand) && !db_resource_get(c->db, cand->resource, r) &&
	    is_wanted(c, cand, r, url, sizeof url) && set_out(c->notesfetch, cand, r, url);
	free(r);
	free(cand);
	if (!waits)
		judging_start(c->judging, candidate);
}

bool
notesfetch_awaits(const struct notesfetch *f, uint64_t candidate)
{
	const struct asking *a = f ? LIST_FIRST(&f->all) : NULL;
	while (a && a->candidate != candidate)
		a = LIST_NEXT(a, link);
	return a != NULL;
}

void
notesfetch_tick(struct notesfetch *f)
{
	int64_t now = clock_mono_ms(f->c->clock);
	struct asking *a, *next;
	for (a = LIST_FIRST(&f->all); a; a = next) {
		next = LIST_NEXT(a, link);
		if (now < a->until_ms)
			continue;
		jobs_cancel(f->c->jobs, a->job);
		without(a, "other fetches were before them");
		forget(a);
	}
}
