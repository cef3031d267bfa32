/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/attests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/visible.h"
#include "gateway/control/requests_private.h"

#define KEPT_AT_ONCE 64 /* rows that room is made for */

struct attested {
	uint8_t image[DIGEST_SHA256_LEN];
	int64_t at;
	char who[DB_WHO_MAX], before[DB_VERSION_MAX], after[DB_VERSION_MAX];
	bool have_dump;
	uint8_t dump[DIGEST_SHA256_LEN]; /* of the module's flash afterwards */
};

struct waiting { /* for the log */
	struct attests *all;
	struct call *call;
	struct attested one;
	uint64_t candidate;
};

struct attests {
	struct control *c;
	struct attested *row;
	size_t n, cap;
	size_t waiting; /* for the log: there is room for them */
};

struct attests *
attests_new(struct control *c)
{
	struct attests *a = calloc(1, sizeof *a);
	if (a)
		a->c = c;
	return a;
}

void
attests_free(struct attests *a)
{
	if (!a)
		return;
	free(a->row);
	free(a);
}

/* For one more than there are and wait. What the log has must count here, or it counts at the next start only. */
static int
make_room(struct attests *a)
{
	if (a->n + a->waiting < a->cap)
		return FG_OK;
	struct attested *more = reallocarray(a->row, a->cap + KEPT_AT_ONCE, sizeof *more);
	if (!more)
		return FG_ENOMEM;
	a->row = more;
	a->cap += KEPT_AT_ONCE;
	return FG_OK;
}

static bool
has_said(const struct attests *a, const struct attested *one)
{
	for (size_t i = 0; i < a->n; i++)
		if (!memcmp(a->row[i].image, one->image, sizeof one->image) && !strcmp(a->row[i].who, one->who))
			return true;
	return false;
}

/*
 * What that person said of these bytes before: the same again takes its place, and who has said two things has taken
 * everybody's word away, which a third changes nothing about. So nobody alone fills the room that others need to warn.
 */
static bool
said_before(struct attests *a, const struct attested *one)
{
	unsigned other = 0;
	for (size_t i = 0; i < a->n; i++) {
		struct attested *row = &a->row[i];
		if (memcmp(row->image, one->image, sizeof row->image) != 0 || strcmp(row->who, one->who) != 0)
			continue;
		if (strcmp(row->after, one->after) == 0) {
			*row = *one;
			return true;
		}
		other++;
	}
	return other > 1;
}

/* FG_ELIMIT: it counts for nobody. */
static int
keep(struct attests *a, const struct attested *one)
{
	if (said_before(a, one))
		return FG_OK;
	if (a->n == ATTESTS_MAX)
		return FG_ELIMIT;
	int err = make_room(a);
	if (!err)
		a->row[a->n++] = *one;
	return err;
}

/* ---- as a fact ---- */

unsigned
attests_count(const struct attests *a, const uint8_t image[DIGEST_SHA256_LEN], const char *target)
{
	unsigned n = 0;
	for (size_t i = 0; a && i < a->n; i++) {
		const struct attested *one = &a->row[i];
		bool again = false;
		if (memcmp(one->image, image, sizeof one->image) != 0)
			continue;
		if (strcmp(one->after, target) != 0)
			return 0;
		for (size_t k = 0; k < i; k++)
			again |= !memcmp(a->row[k].image, image, sizeof one->image) && !strcmp(a->row[k].who, one->who);
		n += !again;
	}
	return n;
}

void
attests_put(const struct attests *a, const uint8_t image[DIGEST_SHA256_LEN], struct jsonw *j, const char *key)
{
	jsonw_key(j, key);
	jsonw_array(j);
	for (size_t i = 0; a && i < a->n; i++) {
		const struct attested *one = &a->row[i];
		if (memcmp(one->image, image, sizeof one->image) != 0)
			continue;
		jsonw_object(j);
		requests_put_text(j, "after", one->after);
		requests_put_time(j, "at", one->at);
		requests_put_text(j, "before", one->before);
		requests_put_digest(j, "flash", one->have_dump, one->dump, sizeof one->dump);
		requests_put_text(j, "who", one->who);
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
}

/* ---- the log ---- */

static struct msg_append *
entry_of(const struct attested *one, const char *review, const char *reason)
{
	struct msg_append *e = logbook_entry(ENTRY_IMAGE_ATTESTED, "ok", one->who, review);
	logbook_ref(e, "after", one->after);
	logbook_ref(e, "before", one->before);
	if (one->have_dump)
		logbook_ref_sha256(e, "flash", one->dump);
	logbook_ref_sha256(e, "image", one->image);
	logbook_say(e, "%s", reason);
	return e;
}

/* The text of a reference; empty where there is none. */
static struct view
ref(const struct entry *e, const char *key)
{
	const struct entry_ref *r = entry_ref_get(e, key);
	return r && !r->is_number ? r->text : view_of(NULL, 0);
}

static bool
word(struct view text, char *dst, size_t cap)
{
	if (text.n == 0 || text.n >= cap)
		return false;
	memcpy(dst, text.p, text.n);
	dst[text.n] = '\0';
	return true;
}

int
attests_replay(struct attests *a, const struct entry *e)
{
	struct attested one = { .at = e->t_us / 1000000 };
	if (!entry_sha256(ref(e, "image"), one.image) || !word(e->act, one.who, sizeof one.who) ||
	    !word(ref(e, "before"), one.before, sizeof one.before) || !word(ref(e, "after"), one.after, sizeof one.after))
		return FG_OK;
	one.have_dump = entry_sha256(ref(e, "flash"), one.dump);
	int err = keep(a, &one);
	return err == FG_ELIMIT ? FG_OK : err;
}

/* ---- review.attest ---- */

/*
 * What waits for it is judged with it. What is open and was tried otherwise than it should have gone is judged again, and
 * then held where the profile asks for a trial; another review of these bytes is asked of policy when it is to be released.
 */
static void
judge(struct control *c, const struct waiting *w)
{
	struct db_candidate *cand = calloc(1, sizeof *cand);
	struct db_resource *r = calloc(1, sizeof *r);
	if (!cand || !r || db_candidate_get(c->db, w->candidate, cand) || db_resource_get(c->db, cand->resource, r))
		oplog(OPLOG_WARNING, "what was attested is a fact, but its review could not be looked up");
	else if (candidates_is(cand, LIFECYCLE_REVIEW) && strcmp(w->one.after, r->target) != 0)
		judging_again(c->judging, cand, "a trial on a module ended otherwise");
	else
		judging_look_again(c->judging, cand->profile);
	free(r);
	free(cand);
}

static void
on_logged(void *ctx, int err, uint64_t index)
{
	struct waiting *w = ctx;
	struct attests *a = w->all;
	(void)index;
	a->waiting--;
	bool logged = !err;
	if (logged)
		err = keep(a, &w->one);
	if (err == FG_EAGAIN) {
		call_fail(w->call, CALL_COULD_NOT, "LOG-AWAY", "try again", "the audit log did not take it");
	} else if (err) {
		call_fail_err(w->call, err);
	} else {
		struct call_doc d;
		call_doc_begin(&d);
		attests_put(a, w->one.image, &d.j, "attested");
		jsonw_khex(&d.j, "image", w->one.image, sizeof w->one.image);
		call_doc_end(w->call, &d, CALL_DONE);
	}
	if (logged)
		judge(a->c, w);
	free(w);
}

/* NULL, or what is wrong with what was given. */
static const char *
describe(struct attests *a, struct call *call, struct waiting *w, char review[DB_REVIEW_CAP])
{
	char hex[DIGEST_HEX_LEN + 1];
	uint64_t id = 0;
	struct db_candidate *cand = calloc(1, sizeof *cand);
	(void)call_text(call, "review", review, DB_REVIEW_CAP);
	(void)call_text(call, "before", w->one.before, sizeof w->one.before);
	(void)call_text(call, "after", w->one.after, sizeof w->one.after);
	(void)call_text(call, "flash", hex, sizeof hex);
	snprintf(w->one.who, sizeof w->one.who, "%s", requests_actor(a->c, call));
	w->one.at = control_now(a->c);
	bool there = cand && db_candidate_review_parse(view_str(review), &id) && db_candidate_get(a->c->db, id, cand) == FG_OK &&
	    cand->have_image;
	if (there) {
		memcpy(w->one.image, cand->image, sizeof w->one.image);
		w->candidate = cand->id;
	}
	free(cand);
	if (!there)
		return "there is no such review, or no bytes of it";
	if (!w->one.before[0] || !w->one.after[0] || !visible_is_plain(view_str(w->one.before)) ||
	    !visible_is_plain(view_str(w->one.after)))
		return "the versions before and after must be printable words";
	w->one.have_dump = hex[0] != '\0';
	if (w->one.have_dump && !hex_decode(view_str(hex), w->one.dump, sizeof w->one.dump))
		return "flash is no SHA-256";
	/* Who has said something of these bytes takes no new place, or one of the two that a person has. */
	return a->n + a->waiting >= ATTESTS_MAX && !has_said(a, &w->one) ? "there are as many attestations as are kept" : NULL;
}

void
attests_add(struct attests *a, struct call *call)
{
	char review[DB_REVIEW_CAP], reason[DB_TEXT_MAX];
	struct waiting *w = calloc(1, sizeof *w);
	(void)call_text(call, "reason", reason, sizeof reason);
	if (!w) {
		call_fail_err(call, FG_ENOMEM);
		return;
	}
	*w = (struct waiting){ .all = a, .call = call };
	const char *no = describe(a, call, w, review);
	if (no) {
		call_fail(call, CALL_REFUSED, "REFUSED", "see fotagate review attest --help", "%s", no);
		free(w);
		return;
	}
	struct msg_append *e = entry_of(&w->one, review, reason);
	int err = e ? make_room(a) : FG_ENOMEM;
	if (!err)
		err = logbook_append(a->c->logbook, e, on_logged, w);
	free(e);
	if (!err) {
		a->waiting++;
		return;
	}
	free(w);
	if (err == FG_EAGAIN)
		call_fail(call, CALL_COULD_NOT, "LOG-AWAY", "see fotagate status", "the audit log is %s",
		    logbook_state(a->c->logbook));
	else
		call_fail_err(call, err);
}
