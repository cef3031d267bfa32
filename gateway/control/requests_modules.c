/* SPDX-License-Identifier: Apache-2.0 */
/* requests_modules - the inventory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/control/privacy.h"
#include "gateway/control/requests_private.h"
#include "policy/tags.h"

#define LIST_DEFAULT 100
#define LIST_MAX 500

/* Who may ask which pseudonym an identity has. Others could find out by trying who is behind a line of the log. */
#define MAY_NAME (CALLERS_OPERATOR | CALLERS_APPROVER | CALLERS_ADMIN)

struct listing {
	struct control *c;
	struct jsonw *j;
	char group[DB_NAME_MAX], profile[DB_NAME_MAX], product[DB_NAME_MAX], version[DB_VERSION_MAX]; /* "" : all */
	char tag[TAGS_WORD_MAX + 1];
	bool absent, held, unlisted; /* only such */
	unsigned n;
	uint8_t last[MSG_ID];
};

/* The group that it is in now: its own, a rule's, or the default one of its profile. */
static const char *
group_of(const struct control *c, const struct inventory_module *m)
{
	const char *own = inventory_group(m);
	const struct policy *p = own[0] ? NULL : policies_find(c->policies, m->profile);
	return p ? p->profile->default_group : own;
}

static void
put_identities(struct jsonw *j, const struct inventory_module *m, bool clear)
{
	char masked[PRIVACY_MASK_CAP];
	jsonw_key(j, "identities");
	jsonw_array(j);
	for (unsigned i = 0; i < m->idents_n; i++) {
		jsonw_object(j);
		jsonw_kcstr(j, "class", identity_class_name(m->ident[i].cls));
		jsonw_kcstr(j, "kind", identity_kind_name(m->ident[i].kind));
		privacy_mask(m->ident[i].kind, m->ident[i].text, masked);
		requests_put_text(j, "text", clear ? m->ident[i].text : masked);
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
}

void
requests_put_said(struct jsonw *j, const char *key, const char *text, bool clear)
{
	char masked[DB_VERSION_MAX];
	privacy_mask_text(text, false, masked, sizeof masked);
	requests_put_text(j, key, clear ? text : masked);
}

/* In a list; one that is somebody's number is shown as any other text. */
static void
put_tags(struct jsonw *j, const struct inventory_module *m, bool clear)
{
	char masked[TAGS_MAX];
	privacy_mask_text(m->tags, false, masked, sizeof masked);
	jsonw_key(j, "tags");
	jsonw_array(j);
	for (const char *p = clear ? m->tags : masked; *p;) {
		size_t n = strcspn(p, " ");
		jsonw_string(j, view_of(p, n));
		p += n + (p[n] == ' ');
	}
	jsonw_array_end(j);
}

/* Each release it was granted: when, how far it got, what it said since. */
static void
put_grants(struct control *c, struct jsonw *j, const struct inventory_module *m)
{
	size_t n;
	const struct tables_release *all = releases_all(c->releases, &n);
	jsonw_key(j, "grants");
	jsonw_array(j);
	for (size_t i = 0; i < n; i++) {
		struct rollouts_fate f;
		if (!rollouts_fate_of(c->rollouts, all[i].id, m, &f))
			continue;
		jsonw_object(j);
		jsonw_kuint(j, "again", f.again);
		jsonw_kuint(j, "bytes", f.grant.bytes);
		requests_put_time(j, "completed", f.grant.completed);
		requests_put_time(j, "granted", f.grant.at);
		jsonw_kcstr(j, "outcome", f.outcome);
		jsonw_khex(j, "release", all[i].id, RELEASE_ID);
		requests_put_said(j, "target", all[i].record->terms.target, false);
		jsonw_kcstr(j, "word", f.word);
		requests_put_time(j, "word_at", f.word_at);
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
}

static void
put_module(struct control *c, struct jsonw *j, const struct inventory_module *m, bool clear, bool grants)
{
	jsonw_object(j);
	requests_put_time(j, "first_seen", m->first_seen);
	if (grants)
		put_grants(c, j, m);
	requests_put_text(j, "group", group_of(c, m));
	jsonw_kbool(j, "held", m->held);
	jsonw_khex(j, "id", m->pseudonym, sizeof m->pseudonym);
	put_identities(j, m, clear);
	requests_put_time(j, "last_seen", m->last_seen);
	jsonw_kbool(j, "listed", m->listed);
	requests_put_said(j, "product", m->product, clear);
	requests_put_text(j, "profile", m->profile);
	put_tags(j, m, clear);
	requests_put_said(j, "version", m->version, clear);
	jsonw_object_end(j);
}

void
requests_answer_module(struct control *c, struct call *call, const struct inventory_module *m, bool clear)
{
	struct writer w;
	struct jsonw j;
	writer_init(&w, CALL_DOC_MAX);
	jsonw_init(&j, &w);
	put_module(c, &j, m, clear, true);
	call_answer(call, CALL_DONE, &w);
}

/* As it is shown: a filter must not find out what is masked. */
static bool
says(const char *wanted, const char *text)
{
	char masked[DB_VERSION_MAX];
	privacy_mask_text(text, false, masked, sizeof masked);
	return !wanted[0] || strcmp(wanted, masked) == 0;
}

static bool
has_tag(const char *wanted, const struct inventory_module *m)
{
	char masked[TAGS_MAX];
	if (!wanted[0])
		return true;
	privacy_mask_text(m->tags, false, masked, sizeof masked);
	return tags_has(masked, wanted);
}

static bool
is_wanted(const struct listing *l, const struct inventory_module *m)
{
	return (!l->group[0] || strcmp(l->group, group_of(l->c, m)) == 0) &&
	    (!l->profile[0] || strcmp(l->profile, m->profile) == 0) && says(l->product, m->product) &&
	    says(l->version, m->version) && has_tag(l->tag, m) && (!l->held || m->held) && (!l->unlisted || !m->listed) &&
	    (!l->absent || (m->listed && rollout_is_absent(m->last_seen, m->usual, timekeep_earliest(l->c))));
}

static int
put_listed(void *arg, const struct inventory_module *m)
{
	struct listing *l = arg;
	memcpy(l->last, m->pseudonym, sizeof l->last);
	l->n++;
	if (is_wanted(l, m))
		put_module(l->c, l->j, m, false, false);
	return 0;
}

void
requests_module_list(struct control *c, struct call *call)
{
	char hex[2 * MSG_ID + 1];
	uint8_t after[MSG_ID];
	struct call_doc d;
	struct listing l = { .c = c, .j = &d.j };
	uint64_t limit = call_number(call, "limit", LIST_DEFAULT);
	(void)call_text(call, "group", l.group, sizeof l.group);
	(void)call_text(call, "profile", l.profile, sizeof l.profile);
	(void)call_text(call, "product", l.product, sizeof l.product);
	(void)call_text(call, "version", l.version, sizeof l.version);
	(void)call_text(call, "tag", l.tag, sizeof l.tag);
	l.absent = call_flag(call, "absent");
	l.held = call_flag(call, "held");
	l.unlisted = call_flag(call, "unlisted");
	(void)call_text(call, "after", hex, sizeof hex);
	if (!limit || limit > LIST_MAX || (hex[0] && !hex_decode(view_str(hex), after, sizeof after))) {
		call_fail(call, CALL_USAGE, "USAGE", "", "limit is 1 to %d, after a module of 32 hex digits", LIST_MAX);
		return;
	}
	call_doc_begin(&d);
	jsonw_key(&d.j, "modules");
	jsonw_array(&d.j);
	(void)inventory_list(c->inventory, hex[0] ? after : NULL, (unsigned)limit, put_listed, &l);
	jsonw_array_end(&d.j);
	requests_put_digest(&d.j, "next", l.n == limit, l.last, sizeof l.last);
	call_doc_end(call, &d, CALL_DONE);
}

const struct inventory_module *
requests_module_of(struct control *c, struct call *call)
{
	char text[161], canonical[IDENTITY_TEXT_MAX + 1];
	uint8_t id[MSG_ID];
	const struct inventory_module *m = NULL;
	(void)call_text(call, "module", text, sizeof text);
	char *colon = strchr(text, ':');
	if (colon && !(call_who(call)->roles & MAY_NAME)) {
		call_fail(call, CALL_REFUSED, "DENIED", "name it by its pseudonym",
		    "who a module is is for those who work with it");
		return NULL;
	}
	if (colon) {
		enum identity_kind kind = identity_kind_parse(view_of(text, (size_t)(colon - text)));
		if (kind && identity_canonical(kind, IDENTITY_CHECK_NONE, view_str(colon + 1), canonical))
			m = inventory_by_identity(c->inventory, kind, view_str(canonical));
	} else if (hex_decode(view_str(text), id, sizeof id)) {
		m = inventory_by_pseudonym(c->inventory, id);
	} else {
		call_fail(call, CALL_USAGE, "USAGE", "", "a module is named by 32 hex digits, or like imei:490154203237518");
		return NULL;
	}
	if (!m)
		call_fail(call, CALL_REFUSED, "NOT-FOUND", "see fotagate module list", "there is no such module");
	return m;
}

void
requests_module_show(struct control *c, struct call *call)
{
	const struct inventory_module *m = requests_module_of(c, call);
	if (m)
		requests_answer_module(c, call, m, false);
}

static struct msg_append *
hold_entry(struct control *c, struct call *call, const uint8_t module[MSG_ID], const char *what)
{
	char reason[DB_TEXT_MAX];
	struct msg_append *e = logbook_entry(ENTRY_CONFIG_CHANGED, "ok", requests_actor(c, call), what);
	(void)call_text(call, "reason", reason, sizeof reason);
	logbook_dev(e, module);
	logbook_say(e, "%s", reason);
	return e;
}

static int
set_hold(struct control *c, const uint8_t module[MSG_ID], bool hold)
{
	int err = inventory_hold(c->inventory, module, hold);
	if (err)
		return err;
	edges_table_due(c->edges, true);
	return inventory_flush(c->inventory);
}

/* What a person writes stays in the log for years; false: the call is answered. */
static bool
keeps_the_secret(struct call *call, const struct inventory_module *m)
{
	char reason[DB_TEXT_MAX];
	(void)call_text(call, "reason", reason, sizeof reason);
	if (!privacy_names(m, reason))
		return true;
	call_fail(call, CALL_USAGE, "USAGE", "name it by its pseudonym",
	    "the reason holds the module's identity, and the log is kept for years");
	return false;
}

void
requests_module_hold(struct control *c, struct call *call)
{
	const struct inventory_module *m = requests_module_of(c, call);
	if (!m || !keeps_the_secret(call, m))
		return;
	int err = set_hold(c, m->pseudonym, true);
	logbook_tell(c->logbook, hold_entry(c, call, m->pseudonym, "hold"));
	if (err)
		call_fail_err(call, err);
	else
		requests_answer_module(c, call, m, false);
}

struct unholding { /* waits for its entry */
	struct control *c;
	struct call *call;
	uint8_t module[MSG_ID];
};

static void
on_unhold_logged(void *ctx, int err, uint64_t index)
{
	struct unholding *u = ctx;
	const struct inventory_module *m = err ? NULL : inventory_by_pseudonym(u->c->inventory, u->module);
	(void)index;
	if (err)
		call_fail(u->call, CALL_COULD_NOT, "LOG-AWAY", "try again", "the audit log did not take it: the module stays held");
	else if (!m)
		call_fail_err(u->call, FG_ENOTFOUND);
	else if ((err = set_hold(u->c, u->module, false)))
		call_fail_err(u->call, err);
	else
		requests_answer_module(u->c, u->call, m, false);
	free(u);
}

/* Undoing a restriction permits: the log has it first. */
void
requests_module_unhold(struct control *c, struct call *call)
{
	const struct inventory_module *m = requests_module_of(c, call);
	if (!m || !keeps_the_secret(call, m))
		return;
	struct unholding *u = calloc(1, sizeof *u);
	struct msg_append *e = u ? hold_entry(c, call, m->pseudonym, "unhold") : NULL;
	int err = e ? FG_OK : FG_ENOMEM;
	if (!err) {
		*u = (struct unholding){ .c = c, .call = call };
		memcpy(u->module, m->pseudonym, sizeof u->module);
		err = logbook_append(c->logbook, e, on_unhold_logged, u);
	}
	free(e);
	if (!err)
		return;
	free(u);
	if (err == FG_ENOMEM)
		call_fail_err(call, err);
	else
		call_fail(call, CALL_COULD_NOT, "LOG-AWAY", "see fotagate status",
		    "the module stays held: the audit log is %s", logbook_state(c->logbook));
}

/* ---- import ---- */

/* Edges and log hear of what took effect, also where an error ended it half-way. */
static void
tell_import(struct control *c, struct call *call, const struct inventory_import *r, int err)
{
	if (!r->taken || !(r->created || r->changed))
		return;
	edges_table_due(c->edges, true);
	struct msg_append *e = logbook_entry(ENTRY_CONFIG_CHANGED, err ? "failed" : "ok", requests_actor(c, call), "inventory");
	logbook_ref_number(e, "added", r->created);
	logbook_ref_number(e, "changed", r->changed);
	if (err)
		logbook_say(e, "ended after %u of %u rows: %s", r->taken, r->rows, err_name(err));
	logbook_tell(c->logbook, e);
}

static void
answer_import(struct call *call, const struct inventory_import *r, bool dry_run)
{
	struct call_doc d;
	unsigned shown = r->problems_n < INVENTORY_PROBLEMS_MAX ? r->problems_n : INVENTORY_PROBLEMS_MAX;
	call_doc_begin(&d);
	jsonw_kuint(&d.j, "added", r->created);
	jsonw_kuint(&d.j, "changed", r->changed);
	jsonw_kbool(&d.j, "dry_run", dry_run);
	jsonw_key(&d.j, "errors");
	jsonw_array(&d.j);
	for (unsigned i = 0; i < shown; i++) {
		jsonw_object(&d.j);
		jsonw_kuint(&d.j, "line", r->problem[i].line);
		requests_put_text(&d.j, "text", r->problem[i].text);
		jsonw_object_end(&d.j);
	}
	jsonw_array_end(&d.j);
	jsonw_kuint(&d.j, "unchanged", r->same);
	call_doc_end(call, &d, r->problems_n ? CALL_REFUSED : CALL_DONE);
}

void
requests_module_import(struct control *c, struct call *call)
{
	char profile[PROFILE_WORD_MAX + 1];
	struct stat st;
	struct writer csv;
	struct inventory_import *r = calloc(1, sizeof *r);
	bool dry_run = call_flag(call, "dry_run");
	(void)call_text(call, "profile", profile, sizeof profile);
	writer_init(&csv, INVENTORY_IMPORT_MAX);
	int err = r ? FG_OK : FG_ENOMEM;
	if (!err && (fstat(call_fd(call, 0), &st) || !S_ISREG(st.st_mode)))
		err = FG_EINVAL;
	if (!err)
		err = files_read(call_fd(call, 0), INVENTORY_IMPORT_MAX, &csv);
	if (!err)
		err = inventory_import(c->inventory, writer_view(&csv), profile, dry_run, r);
	inventory_place(c->inventory, control_now(c));
	if (!err)
		err = inventory_flush(c->inventory);
	writer_free(&csv);
	if (r)
		tell_import(c, call, r, err);
	if (!err)
		answer_import(call, r, dry_run);
	else if (err == FG_EINVAL || err == FG_ELIMIT)
		call_fail(call, CALL_USAGE, "USAGE", "hand in a file of CSV or JSON lines", "it is no regular file, or too large");
	else
		call_fail_err(call, err);
	free(r);
}
