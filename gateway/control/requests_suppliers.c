/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of suppliers: the sheet of the configuration, and what imported lists say of them. */
#include <stdio.h>
#include <string.h>

#include "crypto/json.h"
#include "gateway/control/requests_private.h"
#include "policy/supplier.h"

static void
put_list(struct jsonw *j, struct control *c, const struct config_supplier *s, const struct config_list *l)
{
	const struct config *f = policies_config(c->policies);
	const struct config_list_entity *by = NULL;
	enum supplier_listed says = supplier_listed(s, l, &by);
	int64_t now = control_now(c);
	jsonw_object(j);
	jsonw_kuint(j, "age_days", now > l->dated ? (uint64_t)((now - l->dated) / ZONE_DAY) : 0);
	jsonw_kcstr(j, "by", by ? (by->legal_entity[0] ? by->legal_entity : by->supplier[0] ? by->supplier : by->country) : "");
	jsonw_kbool(j, "complete", l->complete);
	jsonw_kcstr(j, "date", l->date);
	jsonw_kcstr(j, "name", l->name);
	jsonw_kcstr(j, "note", by ? by->note : "");
	jsonw_kbool(j, "old", supplier_list_is_old(l, f->listings_max_age, now));
	jsonw_kcstr(j, "says", supplier_listed_name(says));
	jsonw_khex(j, "sha256", l->sha256, sizeof l->sha256);
	jsonw_kcstr(j, "source", l->source);
	jsonw_kcstr(j, "title", l->title);
	jsonw_object_end(j);
}

static void
put_keys(struct jsonw *j, const struct config_supplier *s)
{
	jsonw_key(j, "keys");
	jsonw_array(j);
	for (unsigned i = 0; i < s->keys_n; i++) {
		const struct config_supplier_key *k = &s->keys[i];
		jsonw_object(j);
		jsonw_kcstr(j, "anchor", k->anchor);
		jsonw_kcstr(j, "note", k->note);
		jsonw_kcstr(j, "since", k->since[0] ? k->since : "unknown");
		jsonw_kcstr(j, "until", k->until);
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
}

/* Profiles of the supplier with the anchors they name; what the files hold is in the policy people sign. */
static void
put_profiles(struct jsonw *j, struct control *c, const struct config_supplier *s)
{
	jsonw_key(j, "profiles");
	jsonw_array(j);
	for (size_t i = 0; i < policies_count(c->policies); i++) {
		const struct policy *p = policies_at(c->policies, i);
		if (strcmp(p->profile->supplier, s->name) != 0)
			continue;
		jsonw_object(j);
		jsonw_key(j, "anchors");
		jsonw_array(j);
		for (unsigned k = 0; k < p->profile->signature.anchors_n; k++)
			jsonw_cstr(j, p->profile->signature.anchors[k]);
		jsonw_array_end(j);
		jsonw_kcstr(j, "name", p->profile->name);
		jsonw_khex(j, "policy", p->digest, sizeof p->digest);
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
}

static void
put_words(struct jsonw *j, struct control *c, const struct config_supplier *s)
{
	struct supplier_words w;
	supplier_words(policies_config(c->policies), s, control_now(c), &w);
	jsonw_key(j, "words");
	jsonw_array(j);
	for (unsigned i = 0; i < w.n; i++)
		jsonw_cstr(j, w.word[i]);
	jsonw_array_end(j);
}

/* The members of an open object: all, or for a list the short ones. */
static void
put_supplier(struct jsonw *j, struct control *c, const struct config_supplier *s, bool whole)
{
	const struct config *f = policies_config(c->policies);
	jsonw_kcstr(j, "country", s->country);
	jsonw_key(j, "hosting");
	jsonw_array(j);
	for (unsigned i = 0; i < s->hosting_n; i++)
		jsonw_cstr(j, s->hosting[i]);
	if (s->hosting_n == 0)
		jsonw_cstr(j, "unknown");
	jsonw_array_end(j);
	if (whole)
		put_keys(j, s);
	jsonw_kcstr(j, "legal_entity", s->legal_entity);
	if (whole) {
		jsonw_key(j, "lists");
		jsonw_array(j);
		for (size_t i = 0; i < f->lists_n; i++)
			put_list(j, c, s, &f->lists[i]);
		jsonw_array_end(j);
	}
	jsonw_kcstr(j, "name", s->name);
	if (whole)
		put_profiles(j, c, s);
	jsonw_kcstr(j, "support", supplier_support_name(supplier_support(s, control_now(c))));
	jsonw_kcstr(j, "support_until", s->support_until[0] ? s->support_until : "unknown");
	put_words(j, c, s);
}

void
requests_supplier_list(struct control *c, struct call *call)
{
	const struct config *f = policies_config(c->policies);
	struct call_doc d;
	call_doc_begin(&d);
	jsonw_key(&d.j, "suppliers");
	jsonw_array(&d.j);
	for (unsigned i = 0; i < f->suppliers_n; i++) {
		jsonw_object(&d.j);
		put_supplier(&d.j, c, &f->suppliers[i], false);
		jsonw_object_end(&d.j);
	}
	jsonw_array_end(&d.j);
	call_doc_end(call, &d, CALL_DONE);
}

void
requests_supplier_show(struct control *c, struct call *call)
{
	char name[PROFILE_WORD_MAX + 1] = "";
	json_cstr(json_get(call_args(call), "supplier"), name, sizeof name);
	const struct config_supplier *s = config_supplier(policies_config(c->policies), view_str(name));
	struct call_doc d;
	if (!s) {
		call_fail(call, CALL_REFUSED, "NOT-FOUND", "fotagate supplier list", "there is no supplier of that name");
		return;
	}
	call_doc_begin(&d);
	put_supplier(&d.j, c, s, true);
	call_doc_end(call, &d, CALL_DONE);
}

void
requests_supplier_alerts(struct control *c, requests_alert alert, struct jsonw *j)
{
	const struct config *f = policies_config(c->policies);
	char text[PROFILE_WORD_MAX + 128];
	for (size_t i = 0; i < f->lists_n; i++) {
		if (!supplier_list_is_old(&f->lists[i], f->listings_max_age, control_now(c)))
			continue;
		snprintf(text, sizeof text, "list %s is as of %s: import what its source says now", f->lists[i].name,
		    f->lists[i].date);
		alert(j, "LIST-OLD", text);
	}
}
