/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/gists.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/control/candidates.h"
#include "gateway/control/control_private.h"
#include "gateway/control/decisions.h"

/* What it was made from, as far as a look at the database tells. */
struct basis {
	uint64_t id; /* 0: the place is free */
	char state[DB_WORD_MAX];
	int64_t updated;
	bool have_report, have_scope;
	uint8_t report[DIGEST_SHA256_LEN];
	uint32_t statements;
};

struct place {
	struct basis basis;
	int64_t made;
	struct gist gist;
};

struct kept {
	struct report *report; /* NULL: the place is free */
	uint8_t digest[DIGEST_SHA256_LEN];
	uint64_t used;
};

struct gists {
	struct place place[GISTS_MAX];
	struct kept kept[GISTS_REPORTS];
	uint64_t uses;
};

struct gists *
gists_new(void)
{
	return calloc(1, sizeof(struct gists));
}

void
gists_free(struct gists *g)
{
	for (unsigned i = 0; g && i < GISTS_REPORTS; i++)
		report_free(g->kept[i].report);
	free(g);
}

const struct report *
gists_report(struct control *c, const uint8_t digest[DIGEST_SHA256_LEN])
{
	struct gists *g = c->gists;
	struct kept *oldest = &g->kept[0];
	struct report *r = NULL;
	for (unsigned i = 0; i < GISTS_REPORTS; i++) {
		struct kept *k = &g->kept[i];
		if (k->report && memcmp(k->digest, digest, sizeof k->digest) == 0) {
			k->used = ++g->uses;
			return k->report;
		}
		if (k->used < oldest->used)
			oldest = k;
	}
	if (decisions_report(c, digest, &r))
		return NULL;
	report_free(oldest->report);
	*oldest = (struct kept){ .report = r, .used = ++g->uses };
	memcpy(oldest->digest, digest, sizeof oldest->digest);
	return r;
}

void
gists_count(const struct report *r, struct gist *ret)
{
	ret->have_report = r != NULL;
	ret->verdict = r ? report_verdict(r) : REPORT_BLOCKED;
	memset(ret->findings, 0, sizeof ret->findings);
	for (unsigned i = 0; r && i < FINDING_LIMIT; i++)
		if (r->findings[i].count)
			ret->findings[r->findings[i].severity]++;
}

/* Cleared first: places are compared as bytes. */
static void
look(struct control *c, const struct db_candidate *cand, struct basis *ret)
{
	unsigned n = 0;
	memset(ret, 0, sizeof *ret);
	ret->id = cand->id;
	memcpy(ret->state, cand->state, strlen(cand->state));
	ret->updated = cand->updated;
	ret->have_report = cand->have_report;
	ret->have_scope = cand->have_scope;
	if (cand->have_report)
		memcpy(ret->report, cand->report, sizeof ret->report);
	if (candidates_is(cand, LIFECYCLE_REVIEW))
		(void)db_statement_count(c->db, cand->id, &n);
	ret->statements = n;
}

/* What was decided stays as it was. A clock that went back makes everything anew. */
static bool
holds(const struct control *c, const struct db_candidate *cand, const struct place *p, const struct basis *now)
{
	if (memcmp(&p->basis, now, sizeof *now) != 0)
		return false;
	int64_t age = control_now(c) - p->made;
	return !candidates_is(cand, LIFECYCLE_REVIEW) || (age >= 0 && age < GISTS_FRESH_S);
}

bool
gists_of(struct control *c, const struct db_candidate *cand, unsigned *left, struct gist *ret)
{
	struct place *p = &c->gists->place[cand->id % GISTS_MAX];
	struct basis now;
	if (!cand->have_report) {
		*ret = (struct gist){ 0 };
		return true;
	}
	look(c, cand, &now);
	if (holds(c, cand, p, &now)) {
		*ret = p->gist;
		return true;
	}
	if (!*left)
		return false;
	--*left;
	const struct report *r = gists_report(c, cand->report);
	if (r)
		memcpy(&p->basis, &now, sizeof now);
	else
		memset(&p->basis, 0, sizeof p->basis); /* it could not be read this time: not remembered as one without findings */
	p->made = control_now(c);
	gists_count(r, &p->gist);
	reviews_count_by(c, cand, r, &p->gist.have, &p->gist.need);
	*ret = p->gist;
	return true;
}
