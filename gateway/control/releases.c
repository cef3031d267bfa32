/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/releases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/control/control_private.h"
#include "gateway/control/lineage.h"
#include "gateway/control/standing.h"

#define META_RESTRICTED "restricted" /* the last restriction that the warden confirmed */
#define FORGOTTEN_NAMED_MAX 16 /* of one warden's life: a folder that was emptied, or a warden that lies, is said soon enough */
#define LOOK_S 60 /* a release that begins takes others' places so soon after */
#define UNANSWERED 64 /* restrictions sent whose row was written after; older ones are sent again at the next start */

struct revocation { /* waits for the edges' numbers */
	LIST_ENTRY(revocation) link;
	struct releases *all;
	struct call *call;
	uint8_t id[RELEASE_ID];
	unsigned edges;   /* still to answer */
	uint64_t reset;
	uint32_t granted, completed;
	bool warden;
	char instead[LINEAGE_TEXT_CAP]; /* what modules get now */
	struct event *deadline;
};

struct releases {
	struct control *c;
	struct tables_release list[RELEASES_MAX]; /* offered, or withheld; records owned */
	char why[RELEASES_MAX][STANDING_WHY_MAX]; /* of those withheld */
	size_t n;
	uint8_t told[RELEASES_MAX][RELEASE_ID]; /* of the warden's list under way */
	size_t told_n;
	LIST_HEAD(, revocation) revocations;
	uint64_t sent;                 /* token of the last restriction sent before it had a row */
	uint64_t row[UNANSWERED];      /* the row it then got, by token */
	uint64_t unwritten;            /* first row the warden could not write down; 0: none */
	int64_t look_at;               /* when releases take others' places next */
	unsigned forgotten;            /* restrictions this warden said it had forgotten, and that were named */
};

struct releases *
releases_new(struct control *c)
{
	struct releases *r = calloc(1, sizeof *r);
	if (r) {
		r->c = c;
		LIST_INIT(&r->revocations);
	}
	return r;
}

static void
revocation_free(struct revocation *v)
{
	LIST_REMOVE(v, link);
	if (v->deadline)
		event_free(v->deadline);
	free(v);
}

static void
drop_at(struct releases *r, size_t i)
{
	grants_release_drop(r->c->grants, r->list[i].id);
	rollouts_end(r->c->rollouts, r->list[i].id);
	free((void *)(uintptr_t)r->list[i].record);
	r->list[i] = r->list[--r->n];
	memmove(r->why[i], r->why[r->n], sizeof r->why[i]);
}

void
releases_free(struct releases *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++)
		free((void *)(uintptr_t)r->list[i].record);
	while (!LIST_EMPTY(&r->revocations))
		revocation_free(LIST_FIRST(&r->revocations));
	free(r);
}

/* Index, or n. */
static size_t
find(const struct releases *r, const uint8_t id[RELEASE_ID])
{
	size_t i = 0;
	while (i < r->n && memcmp(r->list[i].id, id, RELEASE_ID))
		i++;
	return i;
}

size_t
releases_count(const struct releases *r)
{
	return r->n;
}

const struct tables_release *
releases_all(const struct releases *r, size_t *ret_n)
{
	*ret_n = r->n;
	return r->list;
}

bool
releases_offers(const struct releases *r, const uint8_t id[RELEASE_ID])
{
	return find(r, id) < r->n;
}

const struct release *
releases_record(const struct releases *r, const uint8_t id[RELEASE_ID])
{
	size_t i = find(r, id);
	return i < r->n ? r->list[i].record : NULL;
}

void
releases_let_in(struct releases *r, const uint8_t id[RELEASE_ID], const struct rollout_open *open, bool now)
{
	size_t i = find(r, id);
	if (i == r->n)
		return; /* it is only just being taken in */
	r->list[i].open = *open;
	if (now)
		edges_table_now(r->c->edges);
	else
		edges_table_due(r->c->edges, false);
}

uint32_t
releases_modules_with(const struct releases *r, const uint8_t image[DIGEST_SHA256_LEN], const struct approval_delta *d,
    uint32_t own, bool among)
{
	const uint8_t *result = approval_result(image, d);
	uint64_t modules = among ? 0 : own;
	for (size_t i = 0; i < r->n; i++) {
		const struct approval_terms *t = &r->list[i].record->terms;
		if (!memcmp(t->image, image, sizeof t->image) ||
		    !memcmp(approval_result(t->image, &t->delta), result, DIGEST_SHA256_LEN))
			modules += t->max_devices;
	}
	if (modules < own)
		modules = own; /* it is not among those offered yet */
	if (own == 0)
		return 0;
	return modules < UINT32_MAX ? (uint32_t)modules : UINT32_MAX;
}

static void
object(const uint8_t id[RELEASE_ID], char dst[2 * RELEASE_ID + 16])
{
	char hex[2 * RELEASE_ID + 1];
	hex_encode(id, RELEASE_ID, hex);
	snprintf(dst, 2 * RELEASE_ID + 16, "release:%s", hex);
}

/* ---- offering ---- */

static int
offer_grants(struct releases *r, const struct tables_release *t)
{
	const struct policy *p = policies_find(r->c->policies, t->record->terms.profile);
	/* A release whose profile is gone is matched by no request; it is kept, for its profile may come back. */
	return grants_release_add(r->c->grants, t->id, t->record, p ? p->profile->default_group : "",
	    p && p->profile->unlisted == PROFILE_OFFER);
}

/* Puts it among those offered. */
static int
offer(struct releases *r, const uint8_t id[RELEASE_ID], struct view text)
{
	char why[160] = "";
	uint8_t own[RELEASE_ID];
	if (find(r, id) < r->n)
		return FG_OK;
	struct release *record = calloc(1, sizeof *record);
	if (!record || r->n == RELEASES_MAX) {
		free(record);
		return FG_ENOMEM;
	}
	int err = release_parse(text, record, why, sizeof why);
	if (!err)
		err = release_id(text, own);
	if (!err && (memcmp(own, id, sizeof own) || record->terms.not_after <= control_now(r->c)))
		err = FG_EPEER;
	struct tables_release t = { .record = record };
	memcpy(t.id, id, sizeof t.id);
	if (!err)
		t.withheld = !standing_may_offer(r->c, id, record, r->why[r->n]);
	if (!err && !t.withheld)
		err = offer_grants(r, &t);
	if (err) {
		free(record);
		return err;
	}
	rollouts_begin(r->c->rollouts, id, record, &t.open);
	r->list[r->n++] = t;
	return FG_OK;
}

void
releases_policy_changed(struct releases *r)
{
	standing_review(r->c);
	for (size_t i = 0; i < r->n; i++)
		if (!r->list[i].withheld)
			(void)offer_grants(r, &r->list[i]);
	edges_table_due(r->c->edges, true);
}

void
releases_withhold(struct releases *r, const uint8_t id_in[RELEASE_ID], const char *why)
{
	struct edges *edges = r->c->edges;
	uint8_t id[RELEASE_ID];
	memcpy(id, id_in, sizeof id);
	size_t i = find(r, id);
	if (i == r->n || (!why && !r->list[i].withheld))
		return;
	r->list[i].withheld = why != NULL;
	if (!why) {
		(void)offer_grants(r, &r->list[i]);
		edges_table_due(edges, false);
		return;
	}
	snprintf(r->why[i], sizeof r->why[i], "%s", why);
	grants_release_drop(r->c->grants, id);
	(void)edges_withhold(edges, id);
	edges_table_now(edges);
}

const char *
releases_withheld(const struct releases *r, const uint8_t id[RELEASE_ID])
{
	size_t i = find(r, id);
	return i < r->n && r->list[i].withheld ? r->why[i] : NULL;
}

/* Writes down what the warden issued: the release, and the candidate it stands for. */
static int
mirror(struct releases *r, const uint8_t id[RELEASE_ID], struct view text)
{
	struct control *c = r->c;
	struct release *record = calloc(1, sizeof *record);
	struct db_candidate *cand = calloc(1, sizeof *cand);
	struct db_release row = { .state = DB_RELEASE_ACTIVE, .record = text };
	char why[160] = "";
	uint64_t number = 0;
	int err = record && cand ? release_parse(text, record, why, sizeof why) : FG_ENOMEM;
	if (!err && !db_candidate_review_parse(view_str(record->terms.review), &number))
		err = FG_EFORMAT;
	if (!err)
		err = db_begin(c->db);
	if (!err) {
		memcpy(row.id, id, sizeof row.id);
		row.candidate = number;
		row.issued = record->issued;
		err = db_release_add(c->db, &row);
		if (!err)
			err = db_candidate_get(c->db, number, cand);
		if (!err && memcmp(cand->image, record->terms.image, sizeof cand->image))
			err = FG_EFORMAT;
		if (!err && candidates_can(cand, LIFECYCLE_APPROVE)) { /* else: it is approved already, or was taken back since */
			cand->have_release = true;
			memcpy(cand->release, id, sizeof cand->release);
			err = candidates_move(c, cand, LIFECYCLE_APPROVE, "released");
		}
		err = db_end(c->db, err);
	}
	free(cand);
	free(record);
	return err;
}

/* What the database says of it; DB_RELEASE_NONE when it knows nothing. */
static enum db_release_state
known_state(struct control *c, const uint8_t id[RELEASE_ID])
{
	struct db_release row;
	struct writer w;
	writer_init(&w, RELEASE_RECORD_MAX);
	int err = db_release_get(c->db, id, &row, &w);
	writer_free(&w);
	return err ? DB_RELEASE_NONE : row.state;
}

int
releases_take(struct releases *r, const uint8_t id[RELEASE_ID], struct view record)
{
	int err = mirror(r, id, record);
	if (err) /* the warden has it, so it stands: its list says so again at the next start */
		oplog(OPLOG_ERR, "a release could not be written down: %s (%s)", err_name(err), db_why(r->c->db));
	err = offer(r, id, record);
	r->look_at = 0; /* it may take another one's place */
	if (!err && releases_withheld(r, id))
		standing_review(r->c); /* another policy came into force while the warden worked on it */
	else if (!err)
		edges_table_due(r->c->edges, false);
	return err;
}

/* ---- the warden's list ---- */

static void
note_missing(struct releases *r)
{
	for (size_t i = r->n; i-- > 0;) {
		size_t k = 0;
		while (k < r->told_n && memcmp(r->told[k], r->list[i].id, RELEASE_ID))
			k++;
		if (k == r->told_n) {
			oplog(OPLOG_WARNING, "a release is not among the warden's any more and is not offered");
			drop_at(r, i);
		}
	}
}

/* Ended here while it was away: once more, and it is not offered. What merely ran out it sees for itself. */
static void
end_again(struct releases *r, const struct msg_warden_state *m)
{
	struct release *record = calloc(1, sizeof *record);
	char why[160];
	if (record && release_parse(m->record, record, why, sizeof why) == FG_OK &&
	    record->terms.not_after > control_now(r->c))
		releases_restrict(r, MSG_RESTRICT_REVOKE, record->terms.image, m->release, "control",
		    "taken back before; the warden had it still", logbook_size(r->c->logbook));
	free(record);
}

/* Issued while somebody refused it, and neither control nor the warden lived to see both. */
static void
revoke_refused(struct releases *r, const uint8_t id[RELEASE_ID])
{
	char why[REFUSALS_SENTENCE_MAX];
	bool meets;
	if (refusals_meets_release(r->c->refusals, &releases_record(r, id)->terms, &meets, why))
		standing_withhold(r->c, id, why);
	else if (meets)
		releases_revoke(r, id, "control", why, NULL);
}

void
releases_on_listed(struct releases *r, const struct msg_warden_state *m)
{
	struct control *c = r->c;
	if (m->last) {
		note_missing(r);
		r->told_n = 0;
		c->warden_listed = true;
		standing_review(c);
		edges_table_due(c->edges, false);
		reviews_resume(c->reviews);
		if (c->proposals)
			proposals_resume(c->proposals);
		return;
	}
	if (r->told_n == RELEASES_MAX)
		return;
	enum db_release_state state = known_state(c, m->release);
	if (state == DB_RELEASE_REVOKED || state == DB_RELEASE_EXPIRED) {
		end_again(r, m);
		return;
	}
	memcpy(r->told[r->told_n++], m->release, RELEASE_ID);
	if (state == DB_RELEASE_NONE) {
		int err = mirror(r, m->release, m->record);
		if (err)
			oplog(OPLOG_WARNING, "the warden has a release that the database does not know: %s", err_name(err));
	}
	int err = offer(r, m->release, m->record);
	if (err)
		oplog(OPLOG_WARNING, "a release of the warden's is not offered: %s", err_name(err));
	else
		revoke_refused(r, m->release);
}

/* ---- restrictions ---- */

/* Tokens of this life are marked, so that none looks like a row's number. */
#define TOKEN_MARK (UINT64_C(1) << 63)

static void
send_restriction(struct control *c, const struct db_restriction *d, uint64_t token, bool again)
{
	struct msg_restrict m = { .token = token, .kind = d->kind, .log_size = d->log_size, .again = again };
	memcpy(m.image, d->image, sizeof m.image);
	if (d->have_release)
		memcpy(m.release, d->release, sizeof m.release);
	chan_send(c->warden, MSG_RESTRICT, &m, NULL, 0);
}

struct unconfirmed {
	struct control *c;
	uint64_t after, last; /* up to after the warden has confirmed them: it should know */
	bool send;
};

static int
each_restriction(void *arg, const struct db_restriction *d)
{
	struct unconfirmed *u = arg;
	if (u->send)
		send_restriction(u->c, d, d->id, d->id <= u->after);
	if (d->id > u->last)
		u->last = d->id;
	return 0;
}

void
releases_warden_up(struct releases *r)
{
	struct unconfirmed u = { .c = r->c, .send = true };
	r->told_n = 0;
	r->unwritten = 0;
	r->forgotten = 0;
	(void)db_meta_get_u64(r->c->db, META_RESTRICTED, &u.after);
	(void)db_restriction_list(r->c->db, NULL, each_restriction, &u);
}

struct forgotten {
	uint64_t row;
	char obj[DIGEST_HEX_LEN + 16];
};

static int
look_for_row(void *arg, const struct db_restriction *d)
{
	struct forgotten *f = arg;
	if (d->id != f->row)
		return 0;
	snprintf(f->obj, sizeof f->obj, "image:");
	hex_encode(d->image, sizeof d->image, f->obj + strlen(f->obj));
	return 1;
}

/* Somebody has changed the warden's folder: it is whole again, and people are to know. */
static void
tell_forgotten(struct releases *r, uint64_t row)
{
	struct control *c = r->c;
	if (r->forgotten == FORGOTTEN_NAMED_MAX)
		return;
	const char *text = ++r->forgotten < FORGOTTEN_NAMED_MAX ?
	    "the warden had forgotten this restriction; it holds again" :
	    "the warden had forgotten this restriction; it holds again; more of them are not named";
	struct forgotten f = { .row = row, .obj = "image" };
	struct db_incident i = { .at = control_now(c), .kind = "state" };
	(void)db_restriction_list(c->db, NULL, look_for_row, &f);
	snprintf(i.detail, sizeof i.detail, "%s: %s", f.obj, text);
	oplog(OPLOG_ERR, "INCIDENT: %s", i.detail);
	(void)db_incident_add(c->db, &i);
	struct msg_append *e = logbook_entry(ENTRY_STATE_DIFFERS, "failed", "control", f.obj);
	logbook_say(e, "%s", text);
	logbook_tell(c->logbook, e);
}

void
releases_on_restricted(struct releases *r, const struct msg_restricted *m)
{
	uint64_t confirmed = 0, row = m->token;
	if (row & TOKEN_MARK)
		row = r->row[row % UNANSWERED];
	if (m->lost)
		tell_forgotten(r, row);
	/* It holds, but only as long as this warden lives: the next one hears of it again. */
	if (m->err && row && !r->unwritten)
		r->unwritten = row;
	if (m->err)
		return;
	(void)db_meta_get_u64(r->c->db, META_RESTRICTED, &confirmed);
	/* Sent and answered in order, so the largest stands for all before it that were written down. */
	if (r->unwritten && row >= r->unwritten)
		row = r->unwritten - 1;
	if (row > confirmed)
		(void)db_meta_set_u64(r->c->db, META_RESTRICTED, row);
}

void
releases_restrict(struct releases *r, enum msg_restrict_kind kind, const uint8_t image[DIGEST_SHA256_LEN],
    const uint8_t *id, const char *by, const char *reason, uint64_t log_size)
{
	struct control *c = r->c;
	struct db_restriction d = { .kind = (uint8_t)kind, .have_release = id != NULL, .log_size = log_size,
		.at = control_now(c) };
	struct unconfirmed u = { .c = c };
	memcpy(d.image, image, sizeof d.image);
	if (id)
		memcpy(d.release, id, sizeof d.release);
	snprintf(d.by, sizeof d.by, "%s", by);
	snprintf(d.reason, sizeof d.reason, "%s", reason);
	/* The warden hears it first: written or not, it holds. */
	uint64_t token = ++r->sent | TOKEN_MARK;
	r->row[token % UNANSWERED] = 0;
	send_restriction(c, &d, token, false);
	if (db_restriction_add(c->db, &d))
		oplog(OPLOG_ERR, "a restriction is in force but could not be written down: %s", db_why(c->db));
	else if (c->warden && db_restriction_list(c->db, image, each_restriction, &u) == FG_OK)
		r->row[token % UNANSWERED] = u.last;
}

/* ---- revoking ---- */

static void
answer(struct revocation *v)
{
	struct call_doc d;
	if (!v->call)
		return;
	call_doc_begin(&d);
	jsonw_kuint(&d.j, "granted", v->granted);
	jsonw_kcstr(&d.j, "instead", v->instead);
	jsonw_key(&d.j, "releases");
	jsonw_array(&d.j);
	jsonw_hex(&d.j, v->id, RELEASE_ID);
	jsonw_array_end(&d.j);
	jsonw_kuint(&d.j, "reset", v->reset);
	jsonw_kuint(&d.j, "served", v->completed);
	jsonw_kbool(&d.j, "warden", v->warden);
	call_doc_end(v->call, &d, CALL_DONE);
	v->call = NULL;
}

static void
on_deadline(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	answer(ctx);
	revocation_free(ctx);
}

void
releases_on_revoked(struct releases *r, const struct msg_revoked *m)
{
	struct revocation *v, *next;
	for (v = LIST_FIRST(&r->revocations); v; v = next) {
		next = LIST_NEXT(v, link);
		if (memcmp(v->id, m->release, RELEASE_ID))
			continue;
		v->reset += m->reset;
		if (v->edges)
			v->edges--;
		if (!v->edges)
			event_active(v->deadline, EV_TIMEOUT, 0);
	}
}

/* The database's side of an end. */
static void
write_end(struct control *c, const uint8_t id[RELEASE_ID], enum db_release_state state, enum lifecycle_verb verb,
    const char *by, const char *reason)
{
	struct db_candidate *cand = calloc(1, sizeof *cand);
	int err = cand ? db_begin(c->db) : FG_ENOMEM;
	if (!err) {
		err = db_release_end(c->db, id, state, control_now(c), by, reason);
		if (!err || err == FG_ESTATE)
			err = db_candidate_by_release(c->db, id, cand);
		if (!err && candidates_can(cand, verb))
			err = candidates_move(c, cand, verb, reason);
		err = db_end(c->db, err);
	}
	if (err)
		oplog(OPLOG_ERR, "the end of a release is in force but could not be written down: %s", db_why(c->db));
	free(cand);
}

struct dated { /* a restriction that learns its own place in the log */
	struct control *c;
	enum msg_restrict_kind kind;
	bool have_release;
	uint8_t image[DIGEST_SHA256_LEN], id[RELEASE_ID];
	char by[DB_WHO_MAX];
};

static void
on_dated(void *ctx, int err, uint64_t index)
{
	struct dated *d = ctx;
	/* Others may have written between what we knew of the log and this entry: statements of that time end too. */
	if (!err)
		releases_restrict(d->c->releases, d->kind, d->image, d->have_release ? d->id : NULL, d->by,
		    "dated by its entry", index);
	free(d);
}

void
releases_tell_restriction(struct releases *r, enum msg_restrict_kind kind, const uint8_t image[DIGEST_SHA256_LEN],
    const uint8_t *id, const char *by, struct msg_append *e)
{
	struct control *c = r->c;
	struct dated *d = calloc(1, sizeof *d);
	if (d) {
		*d = (struct dated){ .c = c, .kind = kind, .have_release = id != NULL };
		memcpy(d->image, image, sizeof d->image);
		if (id)
			memcpy(d->id, id, sizeof d->id);
		snprintf(d->by, sizeof d->by, "%s", by);
	}
	if (d && e && logbook_append(c->logbook, e, on_dated, d) == FG_OK) {
		free(e);
		return;
	}
	free(d);
	logbook_tell(c->logbook, e); /* away: it is told when it is back */
}

static void
log_end(struct releases *r, const uint8_t id[RELEASE_ID], const uint8_t image[DIGEST_SHA256_LEN], enum entry_event event,
    const char *by, const char *reason, uint32_t granted, uint32_t completed)
{
	char obj[2 * RELEASE_ID + 16];
	object(id, obj);
	struct msg_append *e = logbook_entry(event, "ok", by, obj);
	if (!e)
		return;
	logbook_ref_sha256(e, "image", image);
	logbook_ref_number(e, "granted", granted);
	logbook_ref_number(e, "completed", completed);
	logbook_say(e, "%s", reason);
	releases_tell_restriction(r, MSG_RESTRICT_REVOKE, image, id, by, e);
}

/* A release that is revoked is so for good; the image of one that was only ended may be reviewed again. */
static void
take_back(struct releases *r, const uint8_t id_in[RELEASE_ID], bool for_good, const char *by, const char *reason,
    struct call *call)
{
	struct control *c = r->c;
	uint8_t id[RELEASE_ID], image[DIGEST_SHA256_LEN];
	memcpy(id, id_in, sizeof id); /* the caller's may lie in what goes away below */
	size_t i = find(r, id);
	if (i < r->n) {
		memcpy(image, r->list[i].record->terms.image, sizeof image);
	} else {
		struct db_candidate *cand = calloc(1, sizeof *cand);
		int err = cand ? db_candidate_by_release(c->db, id, cand) : FG_ENOMEM;
		if (!err)
			memcpy(image, cand->image, sizeof image);
		free(cand);
		if (err) {
			if (call)
				call_fail_err(call, err);
			return;
		}
	}
	struct revocation *v = calloc(1, sizeof *v);
	struct revocation now = { .all = r, .call = call, .warden = c->warden != NULL };
	if (i < r->n)
		lineage_instead(c, id, &r->list[i].record->terms, now.instead);
	memcpy(now.id, id, sizeof now.id);
	now.edges = edges_revoke(c->edges, id);
	releases_restrict(r, MSG_RESTRICT_REVOKE, image, id, by, reason, logbook_size(c->logbook));
	if (i < r->n)
		drop_at(r, i);
	grants_count(c->grants, id, &now.granted, &now.completed);
	edges_table_now(c->edges);
	write_end(c, id, for_good ? DB_RELEASE_REVOKED : DB_RELEASE_EXPIRED, for_good ? LIFECYCLE_REVOKE : LIFECYCLE_EXPIRE, by,
	    reason);
	log_end(r, id, image, for_good ? ENTRY_APPROVAL_REVOKED : ENTRY_IMAGE_RETIRED, by, reason, now.granted, now.completed);
	if (!v) {
		answer(&now);
		return;
	}
	*v = now;
	v->deadline = evtimer_new(c->base, on_deadline, v);
	LIST_INSERT_HEAD(&r->revocations, v, link);
	const struct timeval tv = { RELEASES_ANSWER_MS / 1000, RELEASES_ANSWER_MS % 1000 * 1000 };
	if (!v->deadline || !v->edges || evtimer_add(v->deadline, &tv)) {
		answer(v);
		revocation_free(v);
	}
}

void
releases_revoke(struct releases *r, const uint8_t id[RELEASE_ID], const char *by, const char *reason, struct call *call)
{
	take_back(r, id, true, by, reason, call);
}

void
releases_retire(struct releases *r, const uint8_t id[RELEASE_ID], const char *by, const char *reason, struct call *call)
{
	take_back(r, id, false, by, reason, call);
}

void
releases_gone(struct releases *r, const uint8_t id[RELEASE_ID], bool for_good, uint64_t log_size)
{
	struct control *c = r->c;
	size_t i = find(r, id);
	if (i < r->n) {
		(void)edges_revoke(c->edges, id);
		releases_restrict(r, MSG_RESTRICT_REVOKE, r->list[i].record->terms.image, id, "log", "as the log has it", log_size);
		drop_at(r, i);
		edges_table_now(c->edges);
	}
	write_end(c, id, for_good ? DB_RELEASE_REVOKED : DB_RELEASE_EXPIRED, for_good ? LIFECYCLE_REVOKE : LIFECYCLE_EXPIRE,
	    "log", "as the log has it");
}

void
releases_expire(struct releases *r)
{
	struct control *c = r->c;
	bool any = false;
	int64_t latest = timekeep_latest(c);
	/* An end for ever is not given on the word of a clock that may come back; grants are shut meanwhile. */
	if (!timekeep_is_sure(c))
		return;
	if (latest >= r->look_at && replay_done(c->replay) && !halts_now(c->halts)) {
		r->look_at = latest + LOOK_S;
		lineage_supersede(c);
	}
	for (size_t i = r->n; i-- > 0;) {
		uint8_t id[RELEASE_ID];
		char obj[2 * RELEASE_ID + 16];
		if (r->list[i].record->terms.not_after > latest)
			continue;
		memcpy(id, r->list[i].id, sizeof id);
		drop_at(r, i);
		write_end(c, id, DB_RELEASE_EXPIRED, LIFECYCLE_EXPIRE, "control", "the release has run out");
		object(id, obj);
		struct msg_append *e = logbook_entry(ENTRY_IMAGE_RETIRED, "ok", "control", obj);
		logbook_say(e, "the release has run out");
		logbook_tell(c->logbook, e);
		any = true;
	}
	if (any)
		edges_table_now(c->edges);
}
