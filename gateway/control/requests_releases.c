/* SPDX-License-Identifier: Apache-2.0 */
/* requests_releases - what is released, and taking it back. */
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/jsonf.h"
#include "gateway/control/requests_private.h"

/*
 * Rows of one answer. A row has no more words than its record, and who signed once or twice beside them. A caller who
 * asks for more rows goes on after these.
 */
#define PAGE_MAX 200
#define ROW_MAX (RELEASE_RECORD_MAX + 8192)
_Static_assert(PAGE_MAX * ROW_MAX <= CALL_DOC_MAX, "a page of the largest releases is no answer");

struct listing {
	struct control *c;
	struct jsonw *j;
	struct release *record; /* scratch */
	unsigned n;
	uint8_t last[MSG_ID];
};

static const char *
state_word(const struct listing *l, const struct db_release *r)
{
	switch (r->state) {
	case DB_RELEASE_REVOKED:
		return "revoked";
	case DB_RELEASE_EXPIRED:
		return "expired";
	default:
		if (releases_withheld(l->c->releases, r->id))
			return "withheld";
		/* In the database as active, but the warden does not have it: it is not offered. */
		return releases_offers(l->c->releases, r->id) ? "in-force" : "missing";
	}
}

/* Persons who signed with a key that no longer counts. The release stays; somebody may want to look at it. */
static void
put_gone(const struct listing *l)
{
	const struct signers *set = people_counting(l->c->people);
	jsonw_key(l->j, "signers_gone");
	jsonw_array(l->j);
	for (uint32_t i = 0; i < l->record->statements_n; i++) {
		const struct release_statement *s = &l->record->statement[i];
		bool there = false;
		for (uint32_t k = 0; k < set->n && !there; k++) {
			uint8_t key[DIGEST_SHA256_LEN];
			there = !sshkey_digest(&set->signer[k].key, key) && !memcmp(key, s->key, sizeof key);
		}
		if (!there)
			jsonw_cstr(l->j, s->approver);
	}
	jsonw_array_end(l->j);
}

static int
put_release(void *arg, const struct db_release *r)
{
	struct listing *l = arg;
	struct jsonw *j = l->j;
	char why[160];
	uint32_t granted = 0, completed = 0;
	const char *withheld = releases_withheld(l->c->releases, r->id);
	if (release_parse(r->record, l->record, why, sizeof why))
		return 0;
	const struct approval_terms *t = &l->record->terms;
	grants_count(l->c->grants, r->id, &granted, &completed);
	jsonw_object(j);
	jsonw_kbool(j, "breakglass", l->record->glass != 0);
	approval_list_put(j, "from", &t->from_versions);
	jsonw_kuint(j, "granted", granted);
	approval_list_put(j, "groups", &t->groups);
	jsonw_khex(j, "id", r->id, sizeof r->id);
	jsonw_khex(j, "image", t->image, sizeof t->image);
	jsonw_kbool(j, "in_force", releases_offers(l->c->releases, r->id) && !withheld);
	requests_put_time(j, "issued", r->issued);
	jsonw_kuint(j, "max_devices", t->max_devices);
	requests_put_time(j, "not_after", t->not_after);
	requests_put_time(j, "not_before", t->not_before);
	requests_put_text(j, "product", t->product);
	requests_put_text(j, "profile", t->profile);
	jsonw_kcstr(j, "review", t->review);
	jsonw_kuint(j, "served", completed);
	jsonw_key(j, "signed_by");
	jsonw_array(j);
	for (uint32_t i = 0; i < l->record->statements_n; i++)
		jsonw_cstr(j, l->record->statement[i].approver);
	jsonw_array_end(j);
	put_gone(l);
	jsonw_kuint(j, "size", l->record->size);
	jsonw_kcstr(j, "state", state_word(l, r));
	requests_put_text(j, "target", t->target);
	requests_put_text(j, "withheld", withheld ? withheld : "");
	jsonw_object_end(j);
	return 0;
}

static bool
is_there(struct control *c, const uint8_t id[MSG_ID])
{
	struct db_release r;
	struct writer w;
	writer_init(&w, RELEASE_RECORD_MAX);
	int err = db_release_get(c->db, id, &r, &w);
	writer_free(&w);
	return err != FG_ENOTFOUND;
}

/* Where a page ends stands before its rows in the document. */
static int
see_last(void *arg, const struct db_release *r)
{
	struct listing *l = arg;
	l->n++;
	memcpy(l->last, r->id, sizeof l->last);
	return 0;
}

void
requests_release_list(struct control *c, struct call *call)
{
	struct call_doc d;
	struct listing l = { .c = c };
	uint8_t after[MSG_ID];
	bool have;
	unsigned limit = requests_page(call, REQUESTS_PAGE_MAX);
	if (!limit || !requests_after(call, after, &have))
		return;
	if (limit > PAGE_MAX)
		limit = PAGE_MAX;
	if (have && !is_there(c, after)) {
		requests_lost(call);
		return;
	}
	l.record = calloc(1, sizeof *l.record);
	if (!l.record) {
		call_fail_err(call, FG_ENOMEM);
		return;
	}
	call_doc_begin(&d);
	l.j = &d.j;
	int err = db_release_page(c->db, have ? after : NULL, limit, see_last, &l);
	requests_put_digest(&d.j, "next", l.n == limit, l.last, sizeof l.last);
	jsonw_key(&d.j, "releases");
	jsonw_array(&d.j);
	if (!err)
		err = db_release_page(c->db, have ? after : NULL, limit, put_release, &l);
	jsonw_array_end(&d.j);
	free(l.record);
	requests_finish(call, &d, err);
}

bool
requests_release_of(struct control *c, struct call *call, uint8_t id[MSG_ID])
{
	char hex[2 * MSG_ID + 1];
	(void)call_text(call, "release", hex, sizeof hex);
	if (!call_arg(call, "release") == !call_arg(call, "review")) {
		call_fail(call, CALL_USAGE, "USAGE", "", "name either a release or a review");
		return false;
	}
	if (call_arg(call, "release")) {
		if (hex_decode(view_str(hex), id, MSG_ID))
			return true;
		call_fail(call, CALL_USAGE, "USAGE", "", "a release is named by 32 hex digits");
		return false;
	}
	struct db_candidate *cand = reviews_of_call(c, call);
	if (!cand)
		return false;
	bool have = cand->have_release;
	memcpy(id, cand->release, MSG_ID);
	if (!have)
		call_fail(call, CALL_REFUSED, "STATE", "reject it with fotagate review reject",
		    "the review is %s: nothing was released", cand->state);
	free(cand);
	return have;
}

void
requests_release_revoke(struct control *c, struct call *call)
{
	char reason[DB_TEXT_MAX];
	uint8_t id[MSG_ID];
	(void)call_text(call, "reason", reason, sizeof reason);
	if (requests_release_of(c, call, id))
		releases_revoke(c->releases, id, requests_actor(c, call), reason, call);
}
