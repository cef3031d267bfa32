/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/candidates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "gateway/control/control_private.h"

bool
candidates_is(const struct db_candidate *cand, enum lifecycle_state state)
{
	return strcmp(cand->state, lifecycle_state_name(state)) == 0;
}

const struct lifecycle_move *
candidates_can(const struct db_candidate *cand, enum lifecycle_verb verb)
{
	return lifecycle_move(lifecycle_state_parse(view_str(cand->state)), verb);
}

int
candidates_move(struct control *c, struct db_candidate *cand, enum lifecycle_verb verb, const char *note)
{
	const struct lifecycle_move *m = candidates_can(cand, verb);
	char from[DB_WORD_MAX];
	if (!m)
		return FG_ESTATE;
	memcpy(from, cand->state, sizeof from);
	snprintf(cand->state, sizeof cand->state, "%s", lifecycle_state_name(m->to));
	if (note)
		snprintf(cand->note, sizeof cand->note, "%s", note);
	cand->updated = control_now(c);
	int err = db_candidate_update(c->db, cand, from);
	if (err)
		oplog(OPLOG_ERR, "a candidate could not be moved from %s to %s: %s", from, cand->state, db_why(c->db));
	return err;
}

int
candidates_outdate(struct control *c, struct db_candidate *cand, enum lifecycle_verb verb, const char *note,
    unsigned *ret_n)
{
	unsigned n = 0;
	int err = candidates_can(cand, verb) ? db_begin(c->db) : FG_ESTATE;
	if (err)
		return err;
	cand->have_scope = false;
	err = candidates_move(c, cand, verb, note);
	if (!err)
		err = db_statement_outdate(c->db, cand->id, NULL, &n);
	err = db_end(c->db, err);
	if (!err && ret_n)
		*ret_n = n;
	return err;
}

struct msg_append *
candidates_entry(const struct db_candidate *cand, enum entry_event event, const char *out)
{
	char review[DB_REVIEW_CAP];
	db_candidate_review(cand->id, review);
	struct msg_append *e = logbook_entry(event, out, "control", review);
	logbook_ref(e, "profile", cand->profile);
	logbook_ref_sha256(e, "image", cand->image);
	if (cand->have_report)
		logbook_ref_sha256(e, "report", cand->report);
	if (cand->have_policy)
		logbook_ref_sha256(e, "policy", cand->policy);
	return e;
}

static int
gather(void *arg, const struct db_candidate *cand)
{
	struct candidates_ids **at = arg, *l = *at;
	if (l->n == l->cap) {
		size_t cap = l->cap + DB_PAGE_MAX;
		l = realloc(l, sizeof *l + cap * sizeof l->id[0]);
		if (!l)
			return FG_ENOMEM;
		l->cap = cap;
		*at = l;
	}
	l->id[l->n++] = cand->id;
	return 0;
}

struct candidates_ids *
candidates_in(struct control *c, enum lifecycle_state state)
{
	struct db_candidate_filter filter = { .state = lifecycle_state_name(state) };
	struct candidates_ids *l = calloc(1, sizeof *l);
	size_t before = 0;
	int err = l ? FG_OK : FG_ENOMEM;
	while (!err) {
		err = db_candidate_list(c->db, &filter, gather, &l);
		if (err || l->n == before)
			break;
		before = l->n;
		filter.after = l->id[l->n - 1];
	}
	if (!err)
		return l;
	free(l);
	return NULL;
}
