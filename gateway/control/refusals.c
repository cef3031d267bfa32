/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/refusals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/stamp.h"
#include "gateway/control/decisions.h"
#include "gateway/control/requests_private.h"
#include "gateway/control/reviews_private.h"
#include "gateway/control/standing.h"

#define DAY 86400
#define SIGNERS_SEEN_MAX 64 /* as many signatures as a report has */
_Static_assert(REFUSALS_PIECE < sizeof((struct msg_ref *)0)->text, "a reference holds a piece");
const char *const refusals_piece_keys[REFUSALS_PIECES] = { "value", "value.2", "value.3", "value.4" };

#define WHO_SIGNED "A signer is refused, and who signed this cannot be read now."

struct lifting { /* waits for its entry */
	LIST_ENTRY(lifting) link;
	struct refusals *r;
	struct call *call;
	uint8_t id[REFUSAL_ID];
	bool again; /* refused once more since it was asked for: that word is the later one */
};

struct refusals {
	struct control *c;
	LIST_HEAD(, lifting) liftings;
	struct db_refusal *one; /* in order of time */
	size_t n, cap;
	bool unread; /* the database could not be read: everything is refused */
	bool due;    /* not all that may meet one could be looked at */
};

struct refusals *
refusals_new(struct control *c)
{
	struct refusals *r = calloc(1, sizeof *r);
	if (r)
		*r = (struct refusals){ .c = c, .unread = true };
	return r;
}

void
refusals_free(struct refusals *r)
{
	if (!r)
		return;
	while (!LIST_EMPTY(&r->liftings)) {
		struct lifting *l = LIST_FIRST(&r->liftings);
		LIST_REMOVE(l, link);
		free(l);
	}
	free(r->one);
	free(r);
}

/* ---- in memory ---- */

static struct db_refusal *
find(struct refusals *r, const uint8_t id[REFUSAL_ID])
{
	for (size_t i = 0; i < r->n; i++)
		if (!memcmp(r->one[i].id, id, REFUSAL_ID))
			return &r->one[i];
	return NULL;
}

static int
hold(struct refusals *r, const struct db_refusal *d)
{
	struct db_refusal *there = find(r, d->id);
	struct lifting *l;
	LIST_FOREACH(l, &r->liftings, link) {
		if (!memcmp(l->id, d->id, REFUSAL_ID))
			l->again = true;
	}
	if (there) {
		*there = *d;
		return FG_OK;
	}
	if (r->n == REFUSALS_MAX)
		return FG_ELIMIT;
	if (r->n == r->cap) {
		size_t cap = r->cap ? 2 * r->cap : 16;
		struct db_refusal *more = reallocarray(r->one, cap, sizeof *more);
		if (!more)
			return FG_ENOMEM;
		r->one = more;
		r->cap = cap;
	}
	r->one[r->n++] = *d;
	return FG_OK;
}

/* A row that was altered is none: the log has what it said, and puts it back (refusals_again()). */
static int
each(void *arg, const struct db_refusal *d)
{
	const char *why;
	uint8_t own[REFUSAL_ID];
	int err = refusal_id((enum refusal_kind)d->kind, view_str(d->value), own);
	if (err)
		return err;
	if (refusal_check((enum refusal_kind)d->kind, view_str(d->value), &why) && !memcmp(own, d->id, sizeof own))
		return hold(arg, d);
	oplog(OPLOG_ERR, "a refusal of the database is not what was written there, and is left out");
	return 0;
}

int
refusals_recall(struct refusals *r)
{
	r->n = 0;
	int err = db_refusal_list(r->c->db, each, r);
	r->unread = err != FG_OK;
	if (err)
		oplog(OPLOG_ERR, "refusals could not be read, everything is refused: %s", db_why(r->c->db));
	return err;
}

/* ---- does it meet one? ---- */

struct met { /* facts, and what they borrow from */
	struct refusal_facts facts;
	bool unsigned_for; /* there was a report, and who signed is not to be had from it any more */
	struct db_resource res;
	char subject[REFUSAL_VALUE_MAX * 4];
	uint8_t signer[SIGNERS_SEEN_MAX][DIGEST_SHA256_LEN];
};

static void
signers_of(struct met *m, const struct report *report)
{
	struct refusal_facts *f = &m->facts;
	f->signer = (const void *)m->signer;
	for (unsigned i = 0; report && i < report->signatures.n && f->signers_n < SIGNERS_SEEN_MAX; i++)
		if (report->signatures.result[i].signer.have_spki)
			memcpy(m->signer[f->signers_n++], report->signatures.result[i].signer.spki_sha256, DIGEST_SHA256_LEN);
}

static int
facts_of(struct refusals *r, const struct db_candidate *cand, const struct report *report, struct met *m)
{
	int err = db_resource_get(r->c->db, cand->resource, &m->res);
	if (err)
		return err;
	reviews_subject(cand, &m->res, m->subject, sizeof m->subject);
	m->facts = (struct refusal_facts){ .image = cand->have_image ? cand->image : NULL, .product = view_str(m->res.product),
		.made = report && report->have_delta && report->delta.result.outcome == DELTA_APPLIED ?
		    report->delta.result.target_sha256 : NULL,
		.target = view_str(m->res.target), .subject = view_str(m->subject) };
	signers_of(m, report);
	return FG_OK;
}

/* What is lost or damaged stays so; another error is of this moment. */
static bool
is_for_good(int err)
{
	return err == FG_ENOTFOUND || err == FG_EFORMAT;
}

/* Who signed, read only where it is asked for: a report is long. */
static int
read_signers(struct refusals *r, const uint8_t digest[DIGEST_SHA256_LEN], struct met *m)
{
	struct report *report = NULL;
	int err = decisions_report(r->c, digest, &report);
	m->unsigned_for = is_for_good(err);
	signers_of(m, report);
	report_free(report);
	return m->unsigned_for ? FG_OK : err;
}

static bool
is_over(const struct refusals *r, const struct db_refusal *d)
{
	/* By the earliest time it can be: a clock that is not sure ends nothing. */
	return d->until && timekeep_earliest(r->c) >= d->until;
}

static bool
meets_one(const struct refusals *r, const struct db_refusal *d, const struct met *m)
{
	return !is_over(r, d) && (refusal_matches((enum refusal_kind)d->kind, view_str(d->value), &m->facts) ||
	    (d->kind == REFUSAL_SIGNER && m->unsigned_for));
}

/* How much of s stays: up to max bytes, and no part of a character, for half of one is no text. */
static int
cut(const char *s, size_t max)
{
	size_t n = strlen(s);
	if (n > max)
		for (n = max; n > 0 && ((uint8_t)s[n] & 0xc0) == 0x80; n--)
			;
	return (int)n;
}

static void
say(const struct db_refusal *d, char ret[REFUSALS_SENTENCE_MAX])
{
	snprintf(ret, REFUSALS_SENTENCE_MAX, "%.*s refuses %s %.80s: %.*s", cut(d->by, 60), d->by,
	    refusal_kind_name((enum refusal_kind)d->kind), d->value, cut(d->reason, 80), d->reason);
}

static bool
meets_any(const struct refusals *r, const struct met *m, char ret[REFUSALS_SENTENCE_MAX])
{
	for (size_t i = 0; i < r->n; i++)
		if (meets_one(r, &r->one[i], m)) {
			say(&r->one[i], ret);
			return true;
		}
	return false;
}

int
refusals_meets(struct refusals *r, const struct db_candidate *cand, const struct report *report, bool *ret_meets,
    char ret[REFUSALS_SENTENCE_MAX])
{
	struct met *m = calloc(1, sizeof *m);
	int err = m ? facts_of(r, cand, report, m) : FG_ENOMEM;
	bool unread = r->unread || is_for_good(err);
	snprintf(ret, REFUSALS_SENTENCE_MAX, "What is refused here could not be read, so everything is.");
	*ret_meets = unread || err || meets_any(r, m, ret);
	free(m);
	return unread ? FG_OK : err;
}

/* From what was signed for: a candidate's row may be gone, or say something else by now. */
static void
facts_of_terms(const struct approval_terms *t, struct met *m)
{
	m->facts = (struct refusal_facts){ .image = t->image,
		.made = t->delta.made >= APPROVAL_MADE_RECONSTRUCTED ? t->delta.target : NULL,
		.product = view_str(t->product), .target = view_str(t->target), .subject = view_str(t->subject) };
}

static bool
has_kind(const struct refusals *r, enum refusal_kind kind)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->one[i].kind == kind && !is_over(r, &r->one[i]))
			return true;
	return false;
}

int
refusals_meets_release(struct refusals *r, const struct approval_terms *t, bool *ret_meets,
    char ret[REFUSALS_SENTENCE_MAX])
{
	struct met *m = calloc(1, sizeof *m);
	int err = m ? FG_OK : FG_ENOMEM;
	*ret_meets = false;
	snprintf(ret, REFUSALS_SENTENCE_MAX, WHO_SIGNED);
	if (!err) {
		facts_of_terms(t, m);
		if (has_kind(r, REFUSAL_SIGNER))
			err = read_signers(r, t->report, m);
		*ret_meets = meets_any(r, m, ret); /* for its bytes or its version, whoever signed */
	}
	free(m);
	if (!*ret_meets && !err && r->unread) {
		snprintf(ret, REFUSALS_SENTENCE_MAX, "What is refused here could not be read.");
		err = FG_EIO;
	}
	return *ret_meets ? FG_OK : err;
}

/* ---- it takes effect ---- */

/* What is offered, by the records that the warden made: those need no row of a candidate. */
static void
sweep_offered(struct refusals *r, const struct db_refusal *d, struct met *m, const char *why)
{
	size_t n;
	const struct tables_release *list = releases_all(r->c->releases, &n);
	while (n-- > 0) { /* the last takes the place of one that is dropped */
		const struct approval_terms *t = &list[n].record->terms;
		memset(m, 0, sizeof *m);
		facts_of_terms(t, m);
		int err = d->kind == REFUSAL_SIGNER ? read_signers(r, t->report, m) : FG_OK;
		if (meets_one(r, d, m))
			releases_revoke(r->c->releases, list[n].id, d->by, why, NULL);
		else if (err)
			standing_withhold(r->c, list[n].id, WHO_SIGNED); /* and is looked at again from there */
	}
}

static void
stop(struct refusals *r, const struct db_refusal *d, struct db_candidate *cand, const char *why)
{
	struct control *c = r->c;
	if (!candidates_is(cand, LIFECYCLE_APPROVED))
		judging_again(c->judging, cand, "it is refused by now");
	else if (cand->have_release)
		releases_revoke(c->releases, cand->release, d->by, why, NULL);
}

/* Not 0: it may meet the refusal, or not; nothing was done about it. */
static int
sweep_one(struct refusals *r, const struct db_refusal *d, struct met *m, struct db_candidate *cand, const char *why)
{
	memset(m, 0, sizeof *m);
	int err = facts_of(r, cand, NULL, m);
	bool met = is_for_good(err);
	if (met)
		err = FG_OK;
	if (!err && !met && d->kind == REFUSAL_SIGNER && cand->have_report)
		err = read_signers(r, cand->report, m);
	if (met || meets_one(r, d, m)) {
		stop(r, d, cand, why);
		return FG_OK;
	}
	return err;
}

static void
sweep_state(struct refusals *r, const struct db_refusal *d, struct met *m, enum lifecycle_state state, const char *why)
{
	struct candidates_ids *l = candidates_in(r->c, state);
	struct db_candidate *cand = calloc(1, sizeof *cand);
	r->due |= !l || !cand;
	for (size_t i = 0; l && cand && i < l->n; i++) {
		int err = db_candidate_get(r->c->db, l->id[i], cand);
		if (!err)
			err = sweep_one(r, d, m, cand, why);
		r->due |= err != FG_OK;
	}
	free(cand);
	free(l);
}

/* Whatever is offered or under review and meets it. */
static void
sweep(struct refusals *r, const struct db_refusal *d)
{
	char why[REFUSALS_SENTENCE_MAX];
	struct met *m = calloc(1, sizeof *m);
	if (!m) {
		oplog(OPLOG_ERR, "what meets a refusal could not be looked for, and will be: no memory");
		r->due = true;
		return;
	}
	say(d, why);
	sweep_offered(r, d, m, why);
	sweep_state(r, d, m, LIFECYCLE_APPROVED, why); /* what the warden has not listed yet */
	sweep_state(r, d, m, LIFECYCLE_REVIEW, why);
	free(m);
}

void
refusals_tick(struct refusals *r)
{
	if (!r->due)
		return;
	r->due = false;
	for (size_t i = 0; i < r->n; i++)
		if (!is_over(r, &r->one[i]))
			sweep(r, &r->one[i]);
}

static struct msg_append *
entry_of(const struct db_refusal *d, enum entry_event ev, const char *who, const char *reason)
{
	char hex[2 * REFUSAL_ID + 1], obj[sizeof hex + 8], until[STAMP_CAP];
	hex_encode(d->id, REFUSAL_ID, hex);
	snprintf(obj, sizeof obj, "refusal:%s", hex);
	struct msg_append *e = logbook_entry(ev, "ok", who, obj);
	logbook_ref(e, "kind", refusal_kind_name((enum refusal_kind)d->kind));
	size_t n = strlen(d->value);
	for (size_t i = 0; i < REFUSALS_PIECES && i * REFUSALS_PIECE < n; i++) {
		char piece[REFUSALS_PIECE + 1];
		snprintf(piece, sizeof piece, "%.*s", REFUSALS_PIECE, d->value + i * REFUSALS_PIECE);
		logbook_ref(e, refusals_piece_keys[i], piece);
	}
	if (d->until && stamp_format(d->until, until) == FG_OK)
		logbook_ref(e, "until", until);
	logbook_say(e, "%s", reason);
	return e;
}

int
refusals_begin(struct refusals *r, const struct db_refusal *d)
{
	int err = hold(r, d);
	if (err)
		return err;
	sweep(r, d);
	err = db_refusal_put(r->c->db, d);
	logbook_tell(r->c->logbook, entry_of(d, ENTRY_REFUSAL_ADDED, d->by, d->reason));
	return err;
}

bool
refusals_again(struct refusals *r, const uint8_t id[REFUSAL_ID], enum refusal_kind kind, struct view value,
    int64_t until, int64_t at)
{
	struct db_refusal d = { .kind = (uint8_t)kind, .until = until, .at = at, .by = "log", .reason = "as the log has it" };
	const char *why;
	if (!refusal_check(kind, value, &why) || refusal_id(kind, value, d.id))
		return false;
	if (memcmp(d.id, id, sizeof d.id) != 0) {
		oplog(OPLOG_ERR, "the log has a refusal with another value than it was made of: it stands as it is here");
		return false;
	}
	snprintf(d.value, sizeof d.value, "%.*s", (int)value.n, (const char *)value.p);
	struct db_refusal *there = find(r, d.id);
	if (is_over(r, &d) || (there && (!there->until || (d.until && there->until >= d.until))))
		return false;
	if (hold(r, &d)) {
		/* No room, or no memory: then it is not to be forgotten in silence. */
		r->unread = true;
		oplog(OPLOG_ERR, "a refusal of the log finds no room, everything is refused: lift some and start again");
		return false;
	}
	sweep(r, &d);
	if (db_refusal_put(r->c->db, &d))
		oplog(OPLOG_ERR, "a refusal of the log could not be written down: %s", db_why(r->c->db));
	return true;
}

/* ---- requests ---- */

static void
put(struct jsonw *j, const struct db_refusal *d, bool over)
{
	jsonw_object(j);
	requests_put_time(j, "at", d->at);
	jsonw_kcstr(j, "by", d->by);
	jsonw_khex(j, "id", d->id, REFUSAL_ID);
	jsonw_kcstr(j, "kind", refusal_kind_name((enum refusal_kind)d->kind));
	jsonw_kbool(j, "over", over);
	jsonw_kcstr(j, "reason", d->reason);
	requests_put_time(j, "until", d->until);
	jsonw_kcstr(j, "value", d->value);
	jsonw_object_end(j);
}

static void
answer(struct refusals *r, struct call *call, const struct db_refusal *d)
{
	struct call_doc doc;
	call_doc_begin(&doc);
	jsonw_key(&doc.j, "refusal");
	put(&doc.j, d, is_over(r, d));
	call_doc_end(call, &doc, CALL_DONE);
}

static bool
wanted(struct refusals *r, struct call *call, struct db_refusal *d)
{
	char kind[16];
	const char *why = NULL;
	(void)call_text(call, "kind", kind, sizeof kind);
	(void)call_text(call, "value", d->value, sizeof d->value);
	(void)call_text(call, "reason", d->reason, sizeof d->reason);
	d->kind = (uint8_t)refusal_kind_parse(view_str(kind));
	d->at = control_now(r->c);
	uint64_t days = call_number(call, "days", 0);
	if (!refusal_check((enum refusal_kind)d->kind, view_str(d->value), &why)) {
		call_fail(call, CALL_USAGE, "USAGE", "", "%s %s", d->kind ? "the value" : "the kind", why);
		return false;
	}
	if (refusal_is_everything((enum refusal_kind)d->kind, view_str(d->value))) {
		call_fail(call, CALL_USAGE, "USAGE", "what stops everything is fotagate halt",
		    "the value fits every candidate: name a profile, product, version or file in it");
		return false;
	}
	if (days > REFUSALS_DAYS_MAX) {
		call_fail(call, CALL_USAGE, "USAGE", "leave it out for a refusal without end", "days must be 1 to %d",
		    REFUSALS_DAYS_MAX);
		return false;
	}
	d->until = days ? d->at + (int64_t)days * DAY : 0;
	snprintf(d->by, sizeof d->by, "%s", requests_actor(r->c, call));
	int err = refusal_id((enum refusal_kind)d->kind, view_str(d->value), d->id);
	if (err)
		call_fail_err(call, err);
	return !err;
}

/* One that ends sooner than the one there is would be a way to lift it unlogged. */
static bool
is_shorter(struct refusals *r, const struct db_refusal *d)
{
	const struct db_refusal *there = find(r, d->id);
	return there && !is_over(r, there) && d->until && (!there->until || there->until > d->until);
}

void
refusals_add(struct refusals *r, struct call *call)
{
	struct db_refusal d = { .kind = REFUSAL_NONE };
	if (!wanted(r, call, &d))
		return;
	if (is_shorter(r, &d)) {
		call_fail(call, CALL_REFUSED, "STATE", "see fotagate refusal list", "it is refused already, and for longer");
		return;
	}
	int err = refusals_begin(r, &d);
	if (err == FG_ELIMIT)
		call_fail(call, CALL_REFUSED, "LIMIT", "lift some, or say it as a pattern", "there are %d refusals already",
		    REFUSALS_MAX);
	else if (err)
		call_fail_err(call, err);
	else
		answer(r, call, &d);
}

void
refusals_list(struct refusals *r, struct call *call)
{
	struct call_doc d;
	call_doc_begin(&d);
	jsonw_key(&d.j, "refusals");
	jsonw_array(&d.j);
	for (size_t i = 0; i < r->n; i++)
		put(&d.j, &r->one[i], is_over(r, &r->one[i]));
	jsonw_array_end(&d.j);
	call_doc_end(call, &d, CALL_DONE);
}

static void
drop(struct refusals *r, const uint8_t id[REFUSAL_ID])
{
	struct db_refusal *d = find(r, id);
	if (!d)
		return;
	size_t i = (size_t)(d - r->one);
	memmove(d, d + 1, (r->n - i - 1) * sizeof *d);
	r->n--;
}

static void
on_lift_logged(void *ctx, int err, uint64_t index)
{
	struct lifting *l = ctx;
	struct db_refusal *d = find(l->r, l->id);
	(void)index;
	if (err) {
		call_fail(l->call, CALL_COULD_NOT, "LOG-AWAY", "try again", "the audit log did not take it");
	} else if (l->again) {
		call_fail(l->call, CALL_REFUSED, "STATE", "see fotagate refusal list", "it was refused again meanwhile");
	} else if (!d) {
		call_fail(l->call, CALL_REFUSED, "NOT-FOUND", "", "somebody else has lifted it meanwhile");
	} else {
		struct db_refusal was = *d;
		err = db_refusal_drop(l->r->c->db, l->id);
		if (!err)
			drop(l->r, l->id);
		if (err)
			call_fail_err(l->call, err);
		else
			answer(l->r, l->call, &was);
	}
	LIST_REMOVE(l, link);
	free(l);
}

void
refusals_lift(struct refusals *r, struct call *call)
{
	char text[2 * REFUSAL_ID + 1], reason[DB_TEXT_MAX];
	uint8_t id[REFUSAL_ID];
	(void)call_text(call, "refusal", text, sizeof text);
	(void)call_text(call, "reason", reason, sizeof reason);
	const struct db_refusal *d = hex_decode(view_str(text), id, sizeof id) ? find(r, id) : NULL;
	if (!d) {
		call_fail(call, CALL_REFUSED, "NOT-FOUND", "see fotagate refusal list", "there is no refusal %s", text);
		return;
	}
	struct lifting *l = calloc(1, sizeof *l);
	struct msg_append *e = entry_of(d, ENTRY_REFUSAL_LIFTED, requests_actor(r->c, call), reason);
	int err = l && e ? FG_OK : FG_ENOMEM;
	if (!err) {
		*l = (struct lifting){ .r = r, .call = call };
		memcpy(l->id, id, sizeof l->id);
		LIST_INSERT_HEAD(&r->liftings, l, link);
		err = logbook_append(r->c->logbook, e, on_lift_logged, l);
	}
	free(e);
	if (!err)
		return;
	if (l && l->r)
		LIST_REMOVE(l, link);
	free(l);
	if (err == FG_EAGAIN)
		call_fail(call, CALL_COULD_NOT, "LOG-AWAY", "see fotagate status", "the audit log is %s",
		    logbook_state(r->c->logbook));
	else
		call_fail_err(call, err);
}

/* ---- with a review ---- */

static const struct sig_result *
best_signer(const struct report *report)
{
	for (unsigned i = 0; report && i < report->signatures.n; i++) {
		const struct sig_result *s = &report->signatures.result[i];
		if (s->outcome == SIG_VERIFIED && !s->where[0] && s->signer.have_spki)
			return s;
	}
	return NULL;
}

/* *ret_why: the review has no such thing. An error: that cannot be told now. */
static int
signer_of(struct refusals *r, const struct db_candidate *cand, struct db_refusal *d, const char **ret_why)
{
	struct report *report = NULL;
	int err = cand->have_report ? decisions_report(r->c, cand->report, &report) : FG_ENOTFOUND;
	const struct sig_result *s = best_signer(report);
	if (s)
		hex_encode(s->signer.spki_sha256, DIGEST_SHA256_LEN, d->value);
	else if (is_for_good(err))
		*ret_why = "it has no report, so its signer is not known";
	else if (!err)
		*ret_why = "no signature of it is verified, so its signer is not known";
	report_free(report);
	return *ret_why ? FG_OK : err;
}

static int
value_of(struct refusals *r, const struct db_candidate *cand, struct db_refusal *d, const char **ret_why)
{
	struct db_resource res;
	int err;
	switch ((enum refusal_kind)d->kind) {
	case REFUSAL_DIGEST:
		if (cand->have_image)
			hex_encode(cand->image, sizeof cand->image, d->value);
		else
			*ret_why = "there are no bytes of it to refuse";
		return FG_OK;
	case REFUSAL_VERSION:
		err = db_resource_get(r->c->db, cand->resource, &res);
		if (!err)
			snprintf(d->value, sizeof d->value, "%s/%s", res.product, res.target);
		return err;
	case REFUSAL_SIGNER:
		return signer_of(r, cand, d, ret_why);
	default:
		*ret_why = "a review is refused by digest, version or signer";
		return FG_OK;
	}
}

int
refusals_draft(struct refusals *r, const struct db_candidate *cand, struct view kind, const char *who, const char *reason,
    struct db_refusal *ret, const char **ret_why)
{
	struct db_refusal d = { .kind = (uint8_t)refusal_kind_parse(kind), .at = control_now(r->c) };
	*ret_why = NULL;
	int err = value_of(r, cand, &d, ret_why);
	if (err)
		return err;
	if (!*ret_why)
		(void)refusal_check((enum refusal_kind)d.kind, view_str(d.value), ret_why);
	if (*ret_why)
		return FG_EINVAL;
	snprintf(d.by, sizeof d.by, "%s", who);
	snprintf(d.reason, sizeof d.reason, "%s", reason);
	err = refusal_id((enum refusal_kind)d.kind, view_str(d.value), d.id);
	if (!err)
		*ret = d;
	return err;
}
