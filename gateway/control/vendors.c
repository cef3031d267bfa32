/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/vendors.h"

#include <stdio.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/visible.h"
#include "gateway/state/seen.h"

_Static_assert(DB_SEEN_TEXT_MAX == MSG_PLACE_MAX, "a row holds a place");

/* Hostile text: what a row and a person get of it. */
static struct db_seen
row_of(const struct flight *fl, const struct msg_shown *s)
{
	struct db_seen row = { .kind = s->kind, .candidate = fl->candidate, .first = control_now(fl->all->c) };
	row.last = row.first;
	snprintf(row.profile, sizeof row.profile, "%s", fl->resource.profile);
	visible_cstr(view_str(s->place), row.place, sizeof row.place);
	visible_cstr(view_str(s->value), row.value, sizeof row.value);
	return row;
}

/* Other than what is known of the place. */
static int
differs(struct control *c, const struct db_seen *row, bool *ret)
{
	struct db_seen had;
	int err = db_seen_get(c->db, row->profile, row->kind, row->place, row->value, &had);
	if (!err && had.known) {
		*ret = false;
		return FG_OK;
	}
	return err && err != FG_ENOTFOUND ? err : db_seen_any(c->db, row->profile, row->kind, row->place, ret);
}

static void
describe(const struct db_seen *row, char note[MSG_TEXT_MAX])
{
	if (row->kind == MSG_SHOWN_KEY)
		snprintf(note, MSG_TEXT_MAX, "%.150s shows another key than before: SHA-256 %.64s", row->place, row->value);
	else if (row->value[0])
		snprintf(note, MSG_TEXT_MAX, "%.150s leads elsewhere than before: to %.150s", row->place, row->value);
	else
		snprintf(note, MSG_TEXT_MAX, "%.150s leads nowhere else any more", row->place);
}

static int
remember(struct control *c, struct db_seen *row, bool known)
{
	struct db_seen had;
	int err = db_seen_get(c->db, row->profile, row->kind, row->place, row->value, &had);
	row->known = known;
	if (!err) {
		row->first = had.first;
		row->known = known || had.known;
	}
	return err && err != FG_ENOTFOUND ? err : db_seen_put(c->db, row);
}

static int
tell(const struct flight *fl, const char *note)
{
	struct control *c = fl->all->c;
	struct db_incident i = { .at = control_now(c), .kind = "vendor", .have_resource = true };
	memcpy(i.resource, fl->resource.id, sizeof i.resource);
	snprintf(i.detail, sizeof i.detail, "%s", note);
	int err = db_incident_add(c->db, &i);
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

int
vendors_compare(const struct flight *fl, char ret_note[MSG_TEXT_MAX])
{
	struct control *c = fl->all->c;
	bool any = false;
	int err = FG_OK;
	ret_note[0] = '\0';
	for (uint32_t i = 0; !err && !any && i < fl->done.shown_n; i++) {
		const struct db_seen row = row_of(fl, &fl->done.shown[i]);
		err = differs(c, &row, &any);
		if (!err && any)
			describe(&row, ret_note);
	}
	/* With one thing amiss, nothing else of this fetch is taken for the vendor's either. */
	for (uint32_t i = 0; !err && i < fl->done.shown_n; i++) {
		struct db_seen row = row_of(fl, &fl->done.shown[i]);
		err = remember(c, &row, !any);
	}
	return !err && any ? tell(fl, ret_note) : err;
}

void
vendors_refused(const struct flight *fl)
{
	struct control *c = fl->all->c;
	struct msg_shown none = { .kind = MSG_SHOWN_KEY };
	const struct msg_shown *last = &none;
	struct db_seen had;
	for (uint32_t i = 0; i < fl->done.shown_n; i++) {
		if (fl->done.shown[i].kind == MSG_SHOWN_KEY)
			last = &fl->done.shown[i]; /* the chain ended at that server */
	}
	struct db_seen row = row_of(fl, last);
	row.candidate = 0; /* nothing came that a person could let pass */
	int err = db_seen_get(c->db, row.profile, row.kind, row.place, row.value, &had);
	if (!err && !had.known)
		return; /* it was told of */
	char note[MSG_TEXT_MAX];
	snprintf(note, sizeof note, "the identity of %.150s does not hold: key %.64s", row.place[0] ? row.place : "the server",
	    row.value[0] ? row.value : "not shown");
	/* A key that was known (the pins changed, or the bundle) stays so, and is told of each time. */
	bool put = err == FG_ENOTFOUND;
	err = db_begin(c->db);
	if (!err) {
		err = put ? db_seen_put(c->db, &row) : FG_OK;
		if (!err)
			err = tell(fl, note);
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
