/* SPDX-License-Identifier: Apache-2.0 */
/*
 * issue_standing - a release that nobody signed for: what of its way is other than
 * that of issue_release. Its statements are standing ones, judged anew each time, by
 * the keys that count now; the release has to lie within them, and be one of so many.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/warden/issue_private.h"

/* What the first of the statements says; the others must say the same. False: nothing of that kind. */
static bool
first_of(const struct warden *w, struct approval_terms *ret)
{
	struct approval *a = calloc(1, sizeof *a);
	char why[128];
	bool ok = a && w->job.bundle.n && approval_parse(w->job.bundle.pair[0].statement, a, why, sizeof why) == FG_OK &&
	    a->terms.decision == APPROVAL_STANDING;
	if (ok)
		*ret = a->terms;
	free(a);
	return ok;
}

/*
 * What is regenerated here is the release, out of our own facts as for any other; that the standing statement covers
 * it is for judge.c to say.
 */
void
issue_standing_terms(const struct warden *w, struct judge_case *c, const char **requesters)
{
	const struct msg_issue *m = &w->job.request.issue;
	uint8_t key[DIGEST_SHA256_LEN];
	snprintf(c->covers.gateway, sizeof c->covers.gateway, "%s", c->genesis->origin);
	issue_release_terms(m, &c->covers);
	c->covers.have_signer = m->have_signer;
	if (m->have_signer)
		memcpy(c->covers.signer, m->signer, sizeof c->covers.signer);
	issue_release_requesters(m, c, requesters);
	c->quorum = m->quorum > m->terms_quorum ? m->quorum : m->terms_quorum;
	c->others = issue_modules_of(w, &c->covers, NULL);
	c->used = UINT32_MAX;
	if (!first_of(w, &c->terms) || approval_key(&c->terms, key)) {
		c->terms.decision = APPROVAL_NONE; /* which no statement says */
		return;
	}
	c->used = spent_count(w->spent, key);
	/* Revoked, or the image restricted, after what its signers had seen: it does not speak of that. */
	uint64_t image = vault_restricted(w->vault, m->image, NULL), standing = vault_restricted(w->vault, key, NULL);
	c->newer_than = image > standing ? image : standing;
	if (m->opened_at > c->newer_than)
		c->newer_than = m->opened_at; /* a restriction that control knows of */
}

const char *
issue_standing_take(struct warden *w)
{
	const struct job *j = &w->job;
	const struct release *r = j->made.record;
	uint64_t revoked = vault_restricted(w->vault, r->standing, NULL);
	for (unsigned i = 0; revoked && i < j->bundle.n; i++)
		if (j->sizes[i] <= revoked)
			return "the standing statement was revoked meanwhile";
	switch (spent_add(w->spent, r->standing, j->made.id)) {
	case FG_OK:
		return NULL;
	case FG_ELIMIT:
		return "more was released under standing statements than the warden remembers: people have to sign";
	default:
		return "that one more was released under the standing statement could not be written down: is the disk full?";
	}
}

int64_t
issue_standing_as_of(const struct warden *w)
{
	const struct judge_bundle *b = &w->job.bundle;
	struct approval *a = calloc(1, sizeof *a);
	int64_t first = 0;
	char why[128];
	for (unsigned i = 0; a && i < b->n; i++) {
		if (approval_parse(b->pair[i].statement, a, why, sizeof why)) {
			first = 0;
			break;
		}
		if (!i || a->time < first)
			first = a->time;
	}
	free(a);
	return first;
}

void
issue_standing_name(const struct warden *w, struct msg_append *m)
{
	struct approval_terms *t = calloc(1, sizeof *t);
	char digits[DIGEST_HEX_LEN + 1];
	if (t && first_of(w, t) && m->refs_n < MSG_REFS_MAX) {
		struct msg_ref *name = &m->refs[m->refs_n++];
		snprintf(name->key, sizeof name->key, "standing");
		snprintf(name->text, sizeof name->text, "%s", t->review);
		snprintf(m->msg, sizeof m->msg, "released by the gate itself, under standing statement %s that %u persons signed",
		    t->review, w->job.answer.counted);
	}
	hex_encode(w->job.made.record->standing, DIGEST_SHA256_LEN, digits);
	if (m->refs_n < MSG_REFS_MAX) {
		struct msg_ref *key = &m->refs[m->refs_n++];
		snprintf(key->key, sizeof key->key, "standing.key");
		snprintf(key->text, sizeof key->text, "sha256:%s", digits);
	}
	free(t);
}
