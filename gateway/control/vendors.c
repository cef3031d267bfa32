/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/vendors.h"

#include <stdio.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/visible.h"

#define FORGOTTEN (90 * 24 * 3600) /* seconds: known, not seen for so long, gives way when there are too many */

_Static_assert(DB_SEEN_TEXT_MAX == MSG_PLACE_MAX, "a row holds a place");

/* ---- one thing that was shown ---- */

struct sight {
	struct db_seen row; /* as the database has it, if it has */
	bool there;
	bool differs;       /* something else is known of the place */
};

/* Hostile text: what a row and a person get of it. */
static struct db_seen
row_of(const struct flight *fl, const struct msg_shown *s)
{
	struct db_seen row = { .kind = s->kind == MSG_SHOWN_REFUSED ? MSG_SHOWN_KEY : s->kind,
		.first = control_now(fl->all->c) };
	row.last = row.first;
	snprintf(row.profile, sizeof row.profile, "%s", fl->resource.profile);
	visible_cstr(view_str(s->place), row.place, sizeof row.place);
	visible_cstr(view_str(s->value), row.value, sizeof row.value);
	return row;
}

static int
look(const struct flight *fl, const struct msg_shown *s, struct sight *ret)
{
	struct control *c = fl->all->c;
	struct db_seen had;
	*ret = (struct sight){ .row = row_of(fl, s) };
	int err = db_seen_get(c->db, ret->row.profile, ret->row.kind, ret->row.place, ret->row.value, &had);
	if (!err) {
		ret->there = true;
		ret->row.known = had.known;
		ret->row.first = had.first;
	}
	if (ret->row.known || (err && err != FG_ENOTFOUND))
		return ret->row.known ? FG_OK : err;
	return db_seen_any(c->db, ret->row.profile, ret->row.kind, ret->row.place, &ret->differs);
}

void
vendors_describe(const struct db_seen *row, bool known, char note[MSG_TEXT_MAX])
{
	if (!known && row->kind == MSG_SHOWN_KEY)
		snprintf(note, MSG_TEXT_MAX, "%.150s is new: SHA-256 of its key %.64s", row->place, row->value);
	else if (!known)
		snprintf(note, MSG_TEXT_MAX, "%.150s is new: it leads %s%.150s", row->place, row->value[0] ? "to " : "nowhere else",
		    row->value);
	else if (row->kind == MSG_SHOWN_KEY)
		snprintf(note, MSG_TEXT_MAX, "%.150s shows another key than before: SHA-256 %.64s", row->place, row->value);
	else if (row->value[0])
		snprintf(note, MSG_TEXT_MAX, "%.150s leads elsewhere than before: to %.150s", row->place, row->value);
	else
		snprintf(note, MSG_TEXT_MAX, "%.150s leads nowhere else any more", row->place);
}

static int
tell(const struct flight *fl, bool first, const char *note)
{
	struct control *c = fl->all->c;
	struct db_incident i = { .at = control_now(c), .kind = "vendor", .have_resource = true };
	memcpy(i.resource, fl->resource.id, sizeof i.resource);
	snprintf(i.detail, sizeof i.detail, "%s", note);
	/* People see a thing once; the log has which reviews were held for it. */
	int err = first ? db_incident_add(c->db, &i) : FG_OK;
	if (err)
		return err;
	struct msg_append *e = fetches_entry(fl, ENTRY_VENDOR_INCIDENT, "failed");
	if (fl->have_provenance)
		logbook_ref_sha256(e, "provenance", fl->provenance);
	logbook_say(e, "%s", note);
	logbook_tell(c->logbook, e);
	oplog(OPLOG_ERR, "INCIDENT: profile %s: %s", fl->resource.profile, note);
	return FG_OK;
}

/* ---- all of a fetch ---- */

struct findings {
	unsigned differ, unseen; /* unseen: of places nobody knew */
	bool first;              /* one of those that differ was never told of */
	char note[MSG_TEXT_MAX]; /* the first difference */
};

static int
look_at_all(const struct flight *fl, struct findings *f)
{
	int err = FG_OK;
	for (uint32_t i = 0; !err && i < fl->done.shown_n; i++) {
		struct sight s;
		if (fl->done.shown[i].kind == MSG_SHOWN_REFUSED)
			continue; /* nothing came from there, and vendors_refused() tells of it */
		err = look(fl, &fl->done.shown[i], &s);
		f->unseen += !err && !s.row.known && !s.differs;
		if (err || !s.differs)
			continue;
		if (!f->differ++)
			vendors_describe(&s.row, true, f->note);
		f->first = f->first || !s.there;
	}
	return err;
}

/* Nothing else of a fetch with one thing amiss is taken for the vendor's either. */
static int
remember_all(const struct flight *fl, uint64_t held, bool known)
{
	struct control *c = fl->all->c;
	int err = FG_OK;
	for (uint32_t i = 0; !err && i < fl->done.shown_n; i++) {
		struct sight s;
		if (fl->done.shown[i].kind == MSG_SHOWN_REFUSED)
			continue;
		err = look(fl, &fl->done.shown[i], &s);
		if (err)
			break;
		bool hold = !known && !s.row.known;
		s.row.known = s.row.known || known;
		err = db_seen_put(c->db, &s.row);
		if (!err && held && hold)
			err = db_seen_hold(c->db, held, &s.row);
	}
	return err;
}

/* What does not fit is a difference too: else many a place would hide one. */
static int
judge_number(const struct flight *fl, struct findings *f)
{
	struct control *c = fl->all->c;
	bool room = true;
	int err = FG_OK;
	if (!f->differ && f->unseen)
		err = db_seen_room(c->db, fl->resource.profile, control_now(c) - FORGOTTEN, &room);
	if (err || f->differ || (room && !fl->done.shown_more))
		return err;
	f->differ = 1;
	f->first = true;
	snprintf(f->note, sizeof f->note, "%s", fl->done.shown_more ? "one fetch led to more places than can be compared" :
	    "more keys and places than can be remembered: this one leads to new ones");
	return FG_OK;
}

int
vendors_compare(const struct flight *fl, uint64_t held, char ret_note[MSG_TEXT_MAX])
{
	struct findings f = { .differ = 0 };
	ret_note[0] = '\0';
	int err = look_at_all(fl, &f);
	if (!err)
		err = judge_number(fl, &f);
	if (!err)
		err = remember_all(fl, held, !f.differ);
	if (err || !f.differ)
		return err;
	unsigned more = f.differ - 1 + f.unseen;
	if (more)
		snprintf(ret_note, MSG_TEXT_MAX, "%.400s; and %u more that is new (fotagate review show)", f.note, more);
	else
		snprintf(ret_note, MSG_TEXT_MAX, "%s", f.note);
	return f.first || held ? tell(fl, f.first, ret_note) : FG_OK;
}

int
vendors_begin(const struct flight *fl, bool *ret_same)
{
	struct findings f = { .differ = 0 };
	int err = look_at_all(fl, &f);
	if (!err)
		err = judge_number(fl, &f);
	if (!err && !f.differ)
		err = remember_all(fl, 0, true);
	*ret_same = !err && !f.differ;
	return err;
}

void
vendors_refused(const struct flight *fl)
{
	struct control *c = fl->all->c;
	struct msg_shown none = { .kind = MSG_SHOWN_REFUSED };
	const struct msg_shown *last = &none;
	struct db_seen had;
	for (uint32_t i = 0; i < fl->done.shown_n; i++) {
		if (fl->done.shown[i].kind == MSG_SHOWN_REFUSED)
			last = &fl->done.shown[i];
	}
	struct db_seen row = row_of(fl, last);
	int err = db_seen_get(c->db, row.profile, row.kind, row.place, row.value, &had);
	if (!err && had.known) {
		/* The pins changed, or the bundle. The key stays known; that it was refused is remembered beside it. */
		int64_t good = had.last;
		row.kind = MSG_SHOWN_REFUSED;
		err = db_seen_get(c->db, row.profile, row.kind, row.place, row.value, &had);
		if (!err && had.last < good)
			err = FG_ENOTFOUND; /* and it was let in since then */
	}
	if (!err)
		return; /* it was told of */
	char note[MSG_TEXT_MAX];
	snprintf(note, sizeof note, "the identity of %.150s does not hold: key %.64s", row.place[0] ? row.place : "the server",
	    row.value[0] ? row.value : "not shown");
	bool put = err == FG_ENOTFOUND; /* else the database could not be asked: rather twice than not at all */
	err = db_begin(c->db);
	if (!err) {
		err = put ? db_seen_put(c->db, &row) : FG_OK;
		if (!err)
			err = tell(fl, true, note);
		err = db_end(c->db, err);
	}
	if (err)
		oplog(OPLOG_ERR, "an incident could not be written down: %s", db_why(c->db));
}

int
vendors_accept(struct control *c, uint64_t candidate)
{
	unsigned n = 0;
	return db_seen_accept(c->db, candidate, &n);
}
