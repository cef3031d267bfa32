/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/history.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "gateway/control/bases.h"
#include "gateway/control/control_private.h"
#include "gateway/control/decisions.h"

struct earlier {
	uint64_t id;
	uint8_t report[DIGEST_SHA256_LEN];
};

/* The youngest of one product, in order of their numbers, the highest first. */
struct gathering {
	uint64_t but;
	unsigned n;
	struct earlier one[CONTINUITY_PAST_MAX];
};

static int
look(void *arg, const struct db_candidate *cand)
{
	struct gathering *g = arg;
	if (cand->id == g->but || !cand->have_release || !cand->have_report)
		return 0;
	unsigned at = g->n;
	while (at > 0 && g->one[at - 1].id < cand->id)
		at--;
	if (at == CONTINUITY_PAST_MAX)
		return 0;
	unsigned keep = g->n < CONTINUITY_PAST_MAX ? g->n : CONTINUITY_PAST_MAX - 1;
	memmove(&g->one[at + 1], &g->one[at], (keep - at) * sizeof g->one[0]);
	g->n = keep + 1;
	struct earlier *e = &g->one[at];
	e->id = cand->id;
	memcpy(e->report, cand->report, sizeof e->report);
	return 0;
}

/* In force, or run out in the meantime. */
static int
gather(struct control *c, const struct db_candidate *cand, bool in_force, struct gathering *ret)
{
	static const enum lifecycle_state states[] = { LIFECYCLE_APPROVED, LIFECYCLE_EXPIRED };
	struct db_resource r;
	int err = db_resource_get(c->db, cand->resource, &r);
	*ret = (struct gathering){ .but = cand->id };
	for (unsigned i = 0; i < (in_force ? 1u : 2u) && !err; i++) {
		const struct db_candidate_filter filter = { .state = lifecycle_state_name(states[i]),
			.profile = cand->profile,
			.product = r.product,
			.released = true,
			.youngest_first = true,
			.limit = CONTINUITY_PAST_MAX + 1 };
		err = db_candidate_list(c->db, &filter, look, ret);
	}
	return err;
}

/* One release's mark. FG_ENOTFOUND: it has none of that kind. */
static int
mark(struct control *c, const struct earlier *e, enum history_of of, struct continuity_mark *ret)
{
	struct report *r = NULL, *target = NULL;
	int err = decisions_report(c, e->report, &r);
	if (err == FG_ENOTFOUND)
		return FG_EFORMAT; /* lost is as bad as damaged */
	bool delta = !err && report_is_delta(r);
	if (!err && !delta && of == HISTORY_RESULTS) {
		continuity_mark(r, e->report, ret);
	} else if (delta && of == HISTORY_DELTAS) {
		continuity_mark(r, e->report, ret);
		ret->numbers_n = 0;
	} else if (delta && r->delta.have_target) {
		err = decisions_report(c, r->delta.target_report, &target);
		if (!err)
			continuity_mark(target, r->delta.target_report, ret);
	} else if (!err) {
		err = FG_ENOTFOUND;
	}
	report_free(target);
	report_free(r);
	return err;
}

int
history_marks(struct control *c, const struct db_candidate *cand, enum history_of of,
    struct continuity_mark past[CONTINUITY_PAST_MAX], unsigned *ret_n)
{
	struct gathering *g = calloc(1, sizeof *g);
	int err = g ? gather(c, cand, false, g) : FG_ENOMEM;
	unsigned n = 0;
	for (unsigned i = 0; !err && i < g->n; i++) {
		err = mark(c, &g->one[i], of, &past[n]);
		n += !err;
		if (err == FG_EFORMAT)
			oplog(OPLOG_WARNING, "the report of R-%llu cannot be compared with: %s",
			    (unsigned long long)g->one[i].id, err_name(err));
		if (err == FG_ENOTFOUND || err == FG_EFORMAT)
			err = 0;
	}
	free(g);
	if (!err)
		*ret_n = n;
	return err;
}

/* What one release left modules with. Nothing, lost or damaged: -1, the one before it is compared with. */
static int
open_result(struct control *c, uint64_t id, struct db_candidate *was, int *ret_fd)
{
	struct bases_one b;
	int err = db_candidate_get(c->db, id, was);
	if (!err)
		err = bases_result(c, was, &b);
	int fd = err ? err : files_image_open(c->files, FILES_IMAGE, b.image);
	*ret_fd = fd < 0 ? -1 : fd;
	return fd >= 0 || fd == FG_ENOTFOUND || fd == FG_EFORMAT ? FG_OK : fd;
}

int
history_image(struct control *c, const struct db_candidate *cand, int *ret_fd)
{
	struct gathering *g = calloc(1, sizeof *g);
	struct db_candidate *was = calloc(1, sizeof *was);
	int err = g && was ? gather(c, cand, true, g) : FG_ENOMEM;
	*ret_fd = -1;
	for (unsigned i = 0; !err && i < g->n && *ret_fd < 0; i++)
		err = open_result(c, g->one[i].id, was, ret_fd);
	free(was);
	free(g);
	return err;
}
