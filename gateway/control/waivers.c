/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/waivers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/stamp.h"
#include "gateway/control/control_private.h"
#include "gateway/control/requests_private.h"
#include "gateway/state/waiver.h"

#define DAY 86400

struct kept {
	struct waivers_one d;
	bool logged; /* until then it is a claim of the database */
	bool lifted; /* remembered to its end: the log may not have heard of it, and it is not made again */
};

struct adding { /* waits for its entry */
	LIST_ENTRY(adding) link;
	struct waivers *w;
	struct call *call;
	struct waivers_one d;
};

struct waivers {
	struct control *c;
	LIST_HEAD(, adding) addings;
	struct kept *one; /* in order of time */
	size_t n, cap;
};

struct waivers *
waivers_new(struct control *c)
{
	struct waivers *w = calloc(1, sizeof *w);
	if (w)
		w->c = c;
	return w;
}

void
waivers_free(struct waivers *w)
{
	if (!w)
		return;
	while (!LIST_EMPTY(&w->addings)) {
		struct adding *a = LIST_FIRST(&w->addings);
		LIST_REMOVE(a, link);
		free(a);
	}
	free(w->one);
	free(w);
}

/* ---- in memory ---- */

static struct kept *
find(struct waivers *w, const uint8_t id[WAIVER_ID])
{
	for (size_t i = 0; i < w->n; i++)
		if (!memcmp(w->one[i].d.id, id, WAIVER_ID))
			return &w->one[i];
	return NULL;
}

/* By the latest time it can be: a clock that is not sure keeps none alive. */
static bool
is_over(const struct waivers *w, const struct waivers_one *d)
{
	return control_now(w->c) >= d->w.until;
}

/* How many are lifted, or are not. */
static size_t
count(const struct waivers *w, bool lifted)
{
	size_t n = 0;
	for (size_t i = 0; i < w->n; i++)
		n += w->one[i].lifted == lifted;
	return n;
}

static void
drop(struct waivers *w, struct kept *k)
{
	size_t i = (size_t)(k - w->one);
	int err = db_waiver_drop(w->c->db, k->d.id);
	if (err && err != FG_ENOTFOUND)
		oplog(OPLOG_WARNING, "a waiver could not be taken out of the database: %s", db_why(w->c->db));
	memmove(k, k + 1, (w->n - i - 1) * sizeof *k);
	w->n--;
}

/* Room for one more: those that are over stay to be seen for as long as nobody needs their places. */
static bool
make_room(struct waivers *w, bool lifted)
{
	if (count(w, lifted) < WAIVERS_MAX)
		return true;
	for (size_t i = 0; i < w->n; i++)
		if (w->one[i].lifted == lifted && is_over(w, &w->one[i].d)) {
			drop(w, &w->one[i]);
			return true;
		}
	return false;
}

/* FG_ESTATE: it was lifted. What was found before in w->one may lie elsewhere after it. */
static int
hold(struct waivers *w, const struct kept *k)
{
	struct kept *there = find(w, k->d.id);
	if (there && there->lifted)
		return FG_ESTATE;
	if (there) {
		*there = *k;
		return FG_OK;
	}
	if (!make_room(w, k->lifted))
		return FG_ELIMIT;
	if (w->n == w->cap) {
		size_t cap = w->cap ? 2 * w->cap : 16;
		struct kept *more = reallocarray(w->one, cap, sizeof *more);
		if (!more)
			return FG_ENOMEM;
		w->one = more;
		w->cap = cap;
	}
	w->one[w->n++] = *k;
	return FG_OK;
}

_Static_assert(DB_WAIVER_FINDING_CAP == sizeof ((struct waiver *)0)->finding && DB_ID == WAIVER_ID &&
    DB_NAME_MAX == sizeof ((struct waiver *)0)->profile && DB_WAIVER_PART_CAP == sizeof ((struct waiver *)0)->part,
    "a row holds one");
/* The id is of all of it: what an entry cut would be none at the next start. */
_Static_assert(sizeof ((struct waiver *)0)->part <= sizeof ((struct msg_ref *)0)->text &&
    sizeof ((struct waiver *)0)->finding <= sizeof ((struct msg_ref *)0)->text &&
    sizeof ((struct waiver *)0)->profile <= sizeof ((struct msg_ref *)0)->text, "an entry holds one");

static int
write_down(struct waivers *w, const struct waivers_one *d, bool lifted)
{
	struct db_waiver row = { .have_image = d->w.have_image, .until = lifted ? -d->w.until : d->w.until, .at = d->at };
	memcpy(row.id, d->id, sizeof row.id);
	memcpy(row.finding, d->w.finding, sizeof row.finding);
	memcpy(row.profile, d->w.profile, sizeof row.profile);
	memcpy(row.product, d->w.product, sizeof row.product);
	memcpy(row.image, d->w.image, sizeof row.image);
	memcpy(row.part, d->w.part, sizeof row.part);
	memcpy(row.owner, d->owner, sizeof row.owner);
	memcpy(row.reason, d->reason, sizeof row.reason);
	return db_waiver_put(w->c->db, &row);
}

static int
each_row(void *arg, const struct db_waiver *row)
{
	struct kept k = { .lifted = row->until < 0 };
	struct waivers_one *d = &k.d;
	if (row->until == INT64_MIN)
		return FG_OK; /* nobody wrote that here */
	*d = (struct waivers_one){ .at = row->at, .w = { .have_image = row->have_image,
	    .until = k.lifted ? -row->until : row->until } };
	memcpy(d->id, row->id, sizeof d->id);
	memcpy(d->w.finding, row->finding, sizeof d->w.finding);
	memcpy(d->w.profile, row->profile, sizeof d->w.profile);
	memcpy(d->w.product, row->product, sizeof d->w.product);
	memcpy(d->w.image, row->image, sizeof d->w.image);
	memcpy(d->w.part, row->part, sizeof d->w.part);
	memcpy(d->owner, row->owner, sizeof d->owner);
	memcpy(d->reason, row->reason, sizeof d->reason);
	int err = hold(arg, &k);
	return err == FG_ELIMIT ? FG_OK : err; /* more than there can be: the log says which */
}

int
waivers_recall(struct waivers *w)
{
	w->n = 0;
	int err = db_waiver_list(w->c->db, each_row, w);
	if (err)
		oplog(OPLOG_ERR, "waivers could not be read: %s", db_why(w->c->db));
	return err;
}

/* ---- the log, at start ---- */

static struct msg_append *entry_of(const struct waivers_one *d, enum entry_event ev, const char *who, const char *reason);

/* One that was made here, and is not over. */
static bool
is_one(const struct waivers *w, const struct waivers_one *d)
{
	uint8_t own[WAIVER_ID];
	const char *why;
	return !is_over(w, d) && waiver_check(&d->w, &why) && !waiver_id(&d->w, own) && !memcmp(own, d->id, sizeof own);
}

void
waivers_gone(struct waivers *w, const struct waivers_one *d)
{
	const struct kept k = { .d = *d, .lifted = true };
	if (is_one(w, d) && !find(w, d->id) && (hold(w, &k) || write_down(w, d, true)))
		oplog(OPLOG_WARNING, "that a waiver was lifted could not be written down");
}

bool
waivers_again(struct waivers *w, const struct waivers_one *d)
{
	uint8_t own[WAIVER_ID];
	if (!is_one(w, d))
		return false; /* none that was ever made here */
	struct kept *there = find(w, d->id);
	if (there && there->lifted) { /* and the log was away */
		logbook_tell(w->c->logbook, entry_of(d, ENTRY_WAIVER_LIFTED, "control",
		    "lifted before, and the log had not heard of it"));
		return false;
	}
	if (there && there->logged)
		return false; /* of this life */
	/* A row that has the same id, and is what that says; whoever altered the rest of it is overruled. */
	if (there && !waiver_id(&there->d.w, own) && !memcmp(own, d->id, sizeof own)) {
		*there = (struct kept){ .d = *d, .logged = true };
		return false;
	}
	const struct kept k = { .d = *d, .logged = true };
	if (hold(w, &k)) {
		oplog(OPLOG_ERR, "a waiver of the log finds no room, and counts for nothing");
		return false;
	}
	if (write_down(w, d, false))
		oplog(OPLOG_ERR, "a waiver of the log could not be written down: %s", db_why(w->c->db));
	return true;
}

void
waivers_settle(struct waivers *w, void (*each)(void *arg, const uint8_t id[WAIVER_ID]), void *arg)
{
	for (size_t i = w->n; i-- > 0;) {
		struct kept *k = &w->one[i];
		uint8_t id[WAIVER_ID];
		bool over = is_over(w, &k->d);
		if (k->logged || (k->lifted && !over))
			continue;
		bool lifted = k->lifted;
		memcpy(id, k->d.id, sizeof id);
		drop(w, k);
		if (!over && !lifted)
			each(arg, id);
	}
}

/* ---- what they are for ---- */

struct waivers_met {
	const struct report *report; /* borrowed */
	const struct waiver *list[WAIVERS_MAX];
	const struct kept *kept[WAIVERS_MAX];
	size_t n;
};

static bool
meets_any(const struct waiver *one, const struct report *r)
{
	for (enum finding_id id = 0; id < FINDING_LIMIT; id++)
		if (waiver_meets(one, id, r))
			return true;
	return false;
}

int
waivers_meet(struct waivers *w, const struct db_candidate *cand, const struct report *r, struct waivers_met **ret)
{
	struct db_resource *res = calloc(1, sizeof *res);
	struct waivers_met *m = calloc(1, sizeof *m);
	int err = res && m ? db_resource_get(w->c->db, cand->resource, res) : FG_ENOMEM;
	for (size_t i = 0; !err && i < w->n; i++) {
		const struct kept *k = &w->one[i];
		if (!k->logged || !waiver_is_for(&k->d.w, cand->profile, res->product, cand->image, control_now(w->c)) ||
		    !meets_any(&k->d.w, r))
			continue;
		m->kept[m->n] = k;
		m->list[m->n++] = &k->d.w;
	}
	free(res);
	if (err) {
		free(m);
		return err;
	}
	m->report = r;
	*ret = m;
	return FG_OK;
}

int
waivers_name(struct waivers *w, const struct db_candidate *cand, const struct report *r, struct approval_list *ret)
{
	struct waivers_met *m = NULL;
	int err = waivers_meet(w, cand, r, &m);
	for (size_t i = 0; !err && i < m->n; i++) {
		char word[WAIVER_WORD_CAP];
		waiver_word(m->list[i], m->kept[i]->d.id, word);
		err = approval_list_add(ret, word);
	}
	free(m);
	return err;
}

int64_t
waivers_end(const struct waivers_met *m)
{
	int64_t end = 0;
	for (size_t i = 0; i < m->n; i++)
		if (!end || m->list[i]->until < end)
			end = m->list[i]->until;
	return end;
}

bool
waivers_cover(const struct waivers_met *m, enum finding_id id)
{
	return waiver_cover(m->list, m->n, id, m->report);
}

const char *
waivers_missing(const struct waivers_met *m, enum finding_severity from)
{
	for (enum finding_id id = 0; id < FINDING_LIMIT; id++) {
		const struct report_finding *f = &m->report->findings[id];
		if (f->count && f->severity >= from && !waivers_cover(m, id))
			return finding_get(id)->id;
	}
	return NULL;
}

/* ---- showing ---- */

static void
put(struct jsonw *j, const struct waivers *w, const struct waivers_one *d)
{
	jsonw_object(j);
	requests_put_time(j, "at", d->at);
	jsonw_kcstr(j, "finding", d->w.finding);
	jsonw_khex(j, "id", d->id, WAIVER_ID);
	requests_put_digest(j, "image", d->w.have_image, d->w.image, sizeof d->w.image);
	jsonw_kbool(j, "over", is_over(w, d));
	jsonw_kcstr(j, "owner", d->owner);
	jsonw_kcstr(j, "part", d->w.part);
	jsonw_kcstr(j, "product", d->w.product);
	jsonw_kcstr(j, "profile", d->w.profile);
	requests_put_text(j, "reason", d->reason);
	requests_put_time(j, "until", d->w.until);
	jsonw_object_end(j);
}

void
waivers_put(struct waivers *w, const struct waivers_met *m, struct jsonw *j, const char *key)
{
	jsonw_key(j, key);
	jsonw_array(j);
	for (size_t i = 0; m && i < m->n; i++)
		put(j, w, &m->kept[i]->d);
	jsonw_array_end(j);
}

static void
answer(struct waivers *w, struct call *call, const struct waivers_one *d)
{
	struct call_doc doc;
	call_doc_begin(&doc);
	jsonw_key(&doc.j, "waiver");
	put(&doc.j, w, d);
	call_doc_end(call, &doc, CALL_DONE);
}

void
waivers_list(struct waivers *w, struct call *call)
{
	struct call_doc d;
	call_doc_begin(&d);
	jsonw_key(&d.j, "waivers");
	jsonw_array(&d.j);
	for (size_t i = 0; i < w->n; i++)
		if (w->one[i].logged)
			put(&d.j, w, &w->one[i].d);
	jsonw_array_end(&d.j);
	call_doc_end(call, &d, CALL_DONE);
}

/* ---- adding ---- */

static struct msg_append *
entry_of(const struct waivers_one *d, enum entry_event ev, const char *who, const char *reason)
{
	char hex[2 * WAIVER_ID + 1], obj[sizeof hex + 8], until[STAMP_CAP];
	hex_encode(d->id, WAIVER_ID, hex);
	snprintf(obj, sizeof obj, "waiver:%s", hex);
	struct msg_append *e = logbook_entry(ev, "ok", who, obj);
	logbook_ref(e, "finding", d->w.finding);
	if (d->w.have_image)
		logbook_ref_sha256(e, "image", d->w.image);
	if (d->w.part[0])
		logbook_ref(e, "part", d->w.part);
	if (d->w.product[0])
		logbook_ref(e, "product", d->w.product);
	logbook_ref(e, "profile", d->w.profile);
	if (stamp_format(d->w.until, until) == FG_OK)
		logbook_ref(e, "until", until);
	logbook_say(e, "%s", reason);
	return e;
}

/* What people signed for with one that was lifted shall not count again because one of them makes it again. */
static bool
is_new(struct waivers *w, struct call *call, struct waivers_one *d)
{
	int err = waiver_id(&d->w, d->id);
	const struct kept *there = err ? NULL : find(w, d->id);
	if (err)
		call_fail_err(call, err);
	else if (there && there->lifted)
		call_fail(call, CALL_REFUSED, "STATE", "let it end at another time, and have people sign anew",
		    "that waiver was lifted");
	else if (there && there->logged)
		call_fail(call, CALL_REFUSED, "EXISTS", "see fotagate waiver list", "there is that waiver");
	else
		return true;
	return false;
}

static size_t
in_force(const struct waivers *w)
{
	size_t n = 0;
	for (size_t i = 0; i < w->n; i++)
		n += !w->one[i].lifted && !is_over(w, &w->one[i].d);
	return n;
}

static bool
wanted(struct waivers *w, struct call *call, struct waivers_one *d)
{
	char image[DIGEST_HEX_LEN + 1] = "";
	const char *why = NULL;
	uint64_t days = call_number(call, "days", 0);
	(void)call_text(call, "finding", d->w.finding, sizeof d->w.finding);
	(void)call_text(call, "image", image, sizeof image);
	(void)call_text(call, "part", d->w.part, sizeof d->w.part);
	(void)call_text(call, "product", d->w.product, sizeof d->w.product);
	(void)call_text(call, "profile", d->w.profile, sizeof d->w.profile);
	(void)call_text(call, "reason", d->reason, sizeof d->reason);
	snprintf(d->owner, sizeof d->owner, "%s", requests_actor(w->c, call));
	d->w.have_image = image[0] != '\0';
	d->at = control_now(w->c);
	if (!days || days > WAIVER_DAYS_MAX) {
		call_fail(call, CALL_USAGE, "USAGE", "", "days must be 1 to %d: a waiver ends", WAIVER_DAYS_MAX);
		return false;
	}
	d->w.until = d->at + (int64_t)days * DAY;
	if (d->w.have_image && !hex_decode(view_str(image), d->w.image, sizeof d->w.image))
		why = "names an image by something else than 64 hex digits";
	if (why || !waiver_check(&d->w, &why)) {
		call_fail(call, CALL_USAGE, "USAGE", "", "it %s", why);
		return false;
	}
	if (strlen(d->reason) < APPROVAL_REASON_MIN) {
		call_fail(call, CALL_USAGE, "USAGE", "", "say in at least %d characters why", APPROVAL_REASON_MIN);
		return false;
	}
	if (!policies_find(w->c->policies, d->w.profile)) {
		call_fail(call, CALL_REFUSED, "NOT-FOUND", "see fotagate profile list", "there is no profile %s", d->w.profile);
		return false;
	}
	if (in_force(w) >= WAIVERS_MAX) {
		call_fail(call, CALL_REFUSED, "LIMIT", "lift some", "there are %d waivers already", WAIVERS_MAX);
		return false;
	}
	return is_new(w, call, d);
}

static void
on_added(void *ctx, int err, uint64_t index)
{
	struct adding *a = ctx;
	struct waivers *w = a->w;
	(void)index;
	if (err) {
		call_fail(a->call, CALL_COULD_NOT, "LOG-AWAY", "try again", "the audit log did not take it");
	} else {
		const struct kept k = { .d = a->d, .logged = true };
		err = hold(w, &k);
		/* The log has it: what the database does not keep it is given at the next start. */
		if (!err && write_down(w, &a->d, false))
			oplog(OPLOG_ERR, "a waiver could not be written down: %s", db_why(w->c->db));
		if (err)
			call_fail_err(a->call, err);
		else
			answer(w, a->call, &a->d);
	}
	LIST_REMOVE(a, link);
	free(a);
}

void
waivers_add(struct waivers *w, struct call *call)
{
	struct adding *a = calloc(1, sizeof *a);
	if (!a) {
		call_fail_err(call, FG_ENOMEM);
		return;
	}
	*a = (struct adding){ .w = w, .call = call };
	if (!wanted(w, call, &a->d)) {
		free(a);
		return;
	}
	LIST_INSERT_HEAD(&w->addings, a, link);
	struct msg_append *e = entry_of(&a->d, ENTRY_WAIVER_ADDED, a->d.owner, a->d.reason);
	int err = e ? logbook_append(w->c->logbook, e, on_added, a) : FG_ENOMEM;
	free(e);
	if (!err)
		return;
	LIST_REMOVE(a, link);
	free(a);
	if (err == FG_EAGAIN)
		call_fail(call, CALL_COULD_NOT, "LOG-AWAY", "see fotagate status", "the audit log is %s",
		    logbook_state(w->c->logbook));
	else
		call_fail_err(call, err);
}

/* It counts no more, and is remembered to its end; of too many those are forgotten that end first. */
static void
bury(struct waivers *w, struct kept *k)
{
	struct kept *first = NULL;
	k->logged = false;
	k->lifted = true;
	if (write_down(w, &k->d, true))
		oplog(OPLOG_ERR, "that a waiver was lifted could not be written down: %s", db_why(w->c->db));
	for (size_t i = 0; i < w->n; i++)
		if (w->one[i].lifted && (!first || w->one[i].d.w.until < first->d.w.until))
			first = &w->one[i];
	if (count(w, true) > WAIVERS_MAX)
		drop(w, first);
}

void
waivers_lift(struct waivers *w, struct call *call)
{
	char text[2 * WAIVER_ID + 1], reason[DB_TEXT_MAX];
	uint8_t id[WAIVER_ID];
	(void)call_text(call, "waiver", text, sizeof text);
	(void)call_text(call, "reason", reason, sizeof reason);
	struct kept *k = hex_decode(view_str(text), id, sizeof id) ? find(w, id) : NULL;
	if (!k || !k->logged) {
		call_fail(call, CALL_REFUSED, "NOT-FOUND", "see fotagate waiver list", "there is no waiver %s", text);
		return;
	}
	struct waivers_one was = k->d;
	bury(w, k);
	logbook_tell(w->c->logbook, entry_of(&was, ENTRY_WAIVER_LIFTED, requests_actor(w->c, call), reason));
	answer(w, call, &was);
}
