/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/undecided.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/stamp.h"
#include "gateway/control/control_private.h"

struct telling {
	struct control *c;
	struct jsonw *j;
	void (*alert)(struct jsonw *j, const char *id, const char *text);
	unsigned told;
};

static bool
is_near(struct control *c, const struct db_candidate *cand, char when[STAMP_CAP])
{
	int64_t deadline = reviews_deadline(c, cand), now = control_now(c);
	return deadline && deadline - now <= (deadline - cand->updated) / UNDECIDED_PARTS && stamp_format(deadline, when) == FG_OK;
}

static void
tell_open(struct telling *t, const struct db_candidate *cand)
{
	char review[DB_REVIEW_CAP], when[STAMP_CAP], text[160];
	uint32_t have, need;
	if (!is_near(t->c, cand, when))
		return;
	reviews_count(t->c, cand, &have, &need);
	db_candidate_review(cand->id, review);
	snprintf(text, sizeof text, "%s runs out at %s, and is then held back: signed by %u so far", review, when, have);
	t->alert(t->j, "UNDECIDED", text);
	t->told++;
}

/* What was never released ran out undecided. */
static void
tell_over(struct telling *t, const struct db_candidate *cand)
{
	char review[DB_REVIEW_CAP], text[160];
	if (cand->have_release || !cand->have_report || control_now(t->c) - cand->updated > UNDECIDED_AFTER)
		return;
	db_candidate_review(cand->id, review);
	snprintf(text, sizeof text, "%s ran out, and nobody had decided: reopen or reject it", review);
	t->alert(t->j, "UNDECIDED", text);
	t->told++;
}

static void
each(struct telling *t, enum lifecycle_state state, void (*tell)(struct telling *t, const struct db_candidate *cand))
{
	struct candidates_ids *l = candidates_in(t->c, state);
	struct db_candidate *cand = calloc(1, sizeof *cand);
	t->told = 0;
	/* The youngest first: those of them that are over are the ones somebody may still know of. */
	for (size_t i = l ? l->n : 0; cand && i-- > 0 && t->told < UNDECIDED_MAX;)
		if (db_candidate_get(t->c->db, l->id[i], cand) == FG_OK)
			tell(t, cand);
	free(cand);
	free(l);
}

void
undecided_alerts(struct control *c, void (*alert)(struct jsonw *j, const char *id, const char *text), struct jsonw *j)
{
	struct telling t = { .c = c, .j = j, .alert = alert };
	each(&t, LIFECYCLE_REVIEW, tell_open);
	each(&t, LIFECYCLE_EXPIRED, tell_over);
}
