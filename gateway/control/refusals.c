/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/refusals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/stamp.h"
#include "crypto/visible.h"
#include "gateway/control/decisions.h"
#include "gateway/control/requests_private.h"
#include "gateway/control/reviews_private.h"

#define DAY 86400
#define SIGNERS_SEEN_MAX 64 /* as many signatures as a report has */

struct refusals {
	struct control *c;
	struct db_refusal *one; /* in order of time */
	size_t n, cap;
	bool unread; /* the database could not be read: everything is refused */
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

static int
each(void *arg, const struct db_refusal *d)
{
	return hold(arg, d);
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
	struct db_resource res;
	char subject[REFUSAL_VALUE_MAX * 4];
	uint8_t signer[SIGNERS_SEEN_MAX][DIGEST_SHA256_LEN];
};

static int
facts_of(struct refusals *r, const struct db_candidate *cand, const struct report *report, struct met *m)
{
	struct refusal_facts *f = &m->facts;
	int err = db_resource_get(r->c->db, cand->resource, &m->res);
	if (err)
		return err;
	reviews_subject(cand, &m->res, m->subject, sizeof m->subject);
	*f = (struct refusal_facts){ .image = cand->have_image ? cand->image : NULL, .product = view_str(m->res.product),
		.made = report && report->have_delta && report->delta.result.outcome == DELTA_APPLIED ?
		    report->delta.result.target_sha256 : NULL,
		.target = view_str(m->res.target), .subject = view_str(m->subject), .signer = (const void *)m->signer };
	for (unsigned i = 0; report && i < report->signatures.n && f->signers_n < SIGNERS_SEEN_MAX; i++)
		if (report->signatures.result[i].signer.have_spki)
			memcpy(m->signer[f->signers_n++], report->signatures.result[i].signer.spki_sha256, DIGEST_SHA256_LEN);
	return FG_OK;
}

static bool
is_over(const struct refusals *r, const struct db_refusal *d)
{
	/* By the earliest time it can be: a clock that is not sure ends nothing. */
	return d->until && timekeep_earliest(r->c) >= d->until;
}

bool
refusals_meets(struct refusals *r, const struct db_candidate *cand, const struct report *report,
    char ret[REFUSALS_SENTENCE_MAX])
{
	struct met *m = calloc(1, sizeof *m);
	bool meets = !m || r->unread || facts_of(r, cand, report, m) != FG_OK;
	if (meets)
		snprintf(ret, REFUSALS_SENTENCE_MAX, "What is refused here could not be read, so everything is.");
	for (size_t i = 0; !meets && i < r->n; i++) {
		const struct db_refusal *d = &r->one[i];
		if (is_over(r, d) || !refusal_matches((enum refusal_kind)d->kind, view_str(d->value), &m->facts))
			continue;
		meets = true;
		snprintf(ret, REFUSALS_SENTENCE_MAX, "%.60s refuses %s %.80s: %.80s", d->by,
		    refusal_kind_name((enum refusal_kind)d->kind), d->value, d->reason);
	}
	free(m);
	return meets;
}

/* ---- it takes effect ---- */

static void
revoke_met(struct refusals *r, const struct db_candidate *cand, const struct report *report, const char *who)
{
	char why[REFUSALS_SENTENCE_MAX];
	if (cand->have_release && refusals_meets(r, cand, report, why))
		releases_revoke(r->c->releases, cand->release, who, why, NULL);
}

/* Reviews in that state, with the signers of their reports. */
static void
sweep(struct refusals *r, enum lifecycle_state state, const char *who)
{
	struct control *c = r->c;
	char why[REFUSALS_SENTENCE_MAX];
	struct candidates_ids *l = candidates_in(c, state);
	struct db_candidate *cand = calloc(1, sizeof *cand);
	for (size_t i = 0; l && cand && i < l->n; i++) {
		struct report *report = NULL;
		if (db_candidate_get(c->db, l->id[i], cand))
			continue;
		if (cand->have_report)
			(void)decisions_report(c, cand->report, &report);
		if (state == LIFECYCLE_APPROVED)
			revoke_met(r, cand, report, who);
		else if (refusals_meets(r, cand, report, why) &&
		    !candidates_outdate(c, cand, LIFECYCLE_REJUDGE, "it is refused by now: it is judged again", NULL))
			judging_start(c->judging, cand->id);
		report_free(report);
	}
	free(cand);
	free(l);
}

static struct msg_append *
entry_of(const struct db_refusal *d, enum entry_event ev, const char *who, const char *reason)
{
	char hex[2 * REFUSAL_ID + 1], obj[sizeof hex + 8], until[STAMP_CAP];
	hex_encode(d->id, REFUSAL_ID, hex);
	snprintf(obj, sizeof obj, "refusal:%s", hex);
	struct msg_append *e = logbook_entry(ev, "ok", who, obj);
	logbook_ref(e, "kind", refusal_kind_name((enum refusal_kind)d->kind));
	/* A reference holds 255 characters: a longer pattern is logged in two. */
	char half[256];
	snprintf(half, sizeof half, "%.255s", d->value);
	logbook_ref(e, "value", half);
	if (strlen(d->value) > 255) {
		snprintf(half, sizeof half, "%.255s", d->value + 255);
		logbook_ref(e, "value.more", half);
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
	sweep(r, LIFECYCLE_APPROVED, d->by);
	sweep(r, LIFECYCLE_REVIEW, d->by);
	err = db_refusal_put(r->c->db, d);
	logbook_tell(r->c->logbook, entry_of(d, ENTRY_REFUSAL_ADDED, d->by, d->reason));
	return err;
}

bool
refusals_again(struct refusals *r, enum refusal_kind kind, struct view value, int64_t until, int64_t at)
{
	struct db_refusal d = { .kind = (uint8_t)kind, .until = until, .at = at, .by = "log", .reason = "as the log has it" };
	const char *why;
	if (!refusal_check(kind, value, &why) || refusal_id(kind, value, d.id))
		return false;
	snprintf(d.value, sizeof d.value, "%.*s", (int)value.n, (const char *)value.p);
	struct db_refusal *there = find(r, d.id);
	if (is_over(r, &d) || (there && (!there->until || (d.until && there->until >= d.until))))
		return false;
	if (hold(r, &d))
		return false;
	sweep(r, LIFECYCLE_APPROVED, d.by);
	sweep(r, LIFECYCLE_REVIEW, d.by);
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
	if (days > 3650) {
		call_fail(call, CALL_USAGE, "USAGE", "leave it out for a refusal without end", "days must be 1 to 3650");
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

struct lifting { /* waits for its entry */
	struct refusals *r;
	struct call *call;
	uint8_t id[REFUSAL_ID];
};

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
		err = logbook_append(r->c->logbook, e, on_lift_logged, l);
	}
	free(e);
	if (!err)
		return;
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

static const char *
value_of(struct refusals *r, const struct db_candidate *cand, struct db_refusal *d)
{
	struct db_resource res;
	struct report *report = NULL;
	const char *why = NULL;
	switch ((enum refusal_kind)d->kind) {
	case REFUSAL_DIGEST:
		if (cand->have_image)
			hex_encode(cand->image, sizeof cand->image, d->value);
		return cand->have_image ? NULL : "there are no bytes of it to refuse";
	case REFUSAL_VERSION:
		if (db_resource_get(r->c->db, cand->resource, &res))
			return "what it is for could not be read";
		snprintf(d->value, sizeof d->value, "%s/%s", res.product, res.target);
		return NULL;
	case REFUSAL_SIGNER:
		if (!cand->have_report || decisions_report(r->c, cand->report, &report))
			return "it has no report, so its signer is not known";
		const struct sig_result *s = best_signer(report);
		if (s)
			hex_encode(s->signer.spki_sha256, DIGEST_SHA256_LEN, d->value);
		else
			why = "no signature of it is verified, so its signer is not known";
		report_free(report);
		return why;
	default:
		return "a review is refused by digest, version or signer";
	}
}

int
refusals_draft(struct refusals *r, const struct db_candidate *cand, struct view kind, const char *who, const char *reason,
    struct db_refusal *ret, const char **ret_why)
{
	struct db_refusal d = { .kind = (uint8_t)refusal_kind_parse(kind), .at = control_now(r->c) };
	*ret_why = value_of(r, cand, &d);
	if (!*ret_why)
		(void)refusal_check((enum refusal_kind)d.kind, view_str(d.value), ret_why);
	if (*ret_why)
		return FG_EINVAL;
	snprintf(d.by, sizeof d.by, "%s", who);
	snprintf(d.reason, sizeof d.reason, "%s", reason);
	int err = refusal_id((enum refusal_kind)d.kind, view_str(d.value), d.id);
	if (!err)
		*ret = d;
	return err;
}
