/* SPDX-License-Identifier: Apache-2.0 */
/* requests_people - who may sign, who could, what is proposed. */
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/control/requests_private.h"
#include "gateway/state/people.h"

struct wanted {
	const uint8_t *key;
	struct db_suspension found;
};

static int
newest(void *arg, const struct db_suspension *s)
{
	struct wanted *w = arg;
	if (!memcmp(s->key, w->key, sizeof s->key))
		w->found = *s;
	return 0;
}

/* Since when, by whom and why; null for a key that counts. */
static void
put_suspended(struct control *c, struct jsonw *j, const struct signer *s, const uint8_t key[DIGEST_SHA256_LEN])
{
	int64_t at = people_suspended_at(c->people, &s->key);
	struct wanted w = { .key = key };
	if (!at) {
		jsonw_knull(j, "suspended");
		return;
	}
	(void)db_suspension_list(c->db, 0, newest, &w);
	jsonw_key(j, "suspended");
	jsonw_object(j);
	requests_put_time(j, "at", at);
	requests_put_text(j, "by", w.found.by);
	requests_put_text(j, "reason", w.found.reason);
	jsonw_object_end(j);
}

static const char *
standing(const struct control *c, const struct signer *s)
{
	int64_t now = control_now(c);
	if (people_suspended_at(c->people, &s->key))
		return "suspended";
	if (now < s->valid_after)
		return "not-yet";
	if (now >= s->valid_before)
		return "expired";
	return s->valid_before - now <= PROPOSALS_SOON * ZONE_DAY ? "expires-soon" : "counts";
}

/* As OpenSSH writes it: what a page needs to tell whose passkey has signed. */
static void
put_line(struct jsonw *j, const struct sshkey *key)
{
	struct writer w;
	writer_init(&w, SSHKEY_LINE_MAX);
	sshkey_write_line(key, &w);
	if (writer_err(&w))
		jsonw_knull(j, "line");
	else
		jsonw_kstring(j, "line", writer_view(&w));
	writer_free(&w);
}

static void
put_person(struct control *c, struct jsonw *j, uint32_t first)
{
	const struct signers *set = people_set(c->people);
	const struct signer *one = &set->signer[first];
	jsonw_object(j);
	jsonw_key(j, "keys");
	jsonw_array(j);
	for (uint32_t i = first; i < set->n; i++) {
		const struct signer *s = &set->signer[i];
		char print[SSHKEY_FINGERPRINT_CAP];
		uint8_t key[DIGEST_SHA256_LEN];
		if (strcmp(s->principal, one->principal) != 0 || sshkey_fingerprint(&s->key, print) || sshkey_digest(&s->key, key))
			continue;
		jsonw_object(j);
		jsonw_kcstr(j, "fingerprint", print);
		jsonw_khex(j, "key", key, sizeof key);
		put_line(j, &s->key);
		jsonw_kbool(j, "require_uv", s->require_uv);
		jsonw_kcstr(j, "state", standing(c, s));
		put_suspended(c, j, s, key);
		requests_put_time(j, "valid_after", s->valid_after);
		requests_put_time(j, "valid_before", s->valid_before);
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
	requests_put_text(j, "principal", one->principal);
	requests_put_text(j, "user", one->user);
	jsonw_object_end(j);
}

static void
put_sets(struct control *c, struct jsonw *j)
{
	size_t n;
	const struct people_past *past = people_history(c->people, &n);
	jsonw_key(j, "sets");
	jsonw_array(j);
	for (size_t i = 0; i < n; i++) {
		jsonw_object(j);
		jsonw_kuint(j, "keys", past[i].keys);
		jsonw_kuint(j, "number", past[i].number);
		jsonw_kuint(j, "persons", past[i].persons);
		jsonw_khex(j, "sha256", past[i].digest, sizeof past[i].digest);
		jsonw_kuint(j, "threshold", past[i].threshold);
		requests_put_time(j, "time", past[i].time);
		jsonw_object_end(j);
	}
	jsonw_array_end(j);
}

static void
put_warning(struct jsonw *j, const char *id, const char *text)
{
	jsonw_object(j);
	jsonw_kcstr(j, "id", id);
	requests_put_text(j, "text", text);
	jsonw_object_end(j);
}

void
requests_people(struct control *c, struct call *call)
{
	const struct genesis *g = people_genesis(c->people);
	const struct signers *set = people_set(c->people);
	struct call_doc d;
	struct jsonw *j = &d.j;
	call_doc_begin(&d);
	jsonw_kuint(j, "can_sign", signers_persons_at(people_counting(c->people), control_now(c)));
	jsonw_kcstr(j, "console", set->console);
	jsonw_key(j, "floors");
	jsonw_object(j);
	jsonw_kuint(j, "canary", g->floor_canary);
	jsonw_kuint(j, "canary_max", g->canary_max);
	jsonw_kuint(j, "production", g->floor_production);
	jsonw_object_end(j);
	jsonw_kuint(j, "number", set->number);
	jsonw_key(j, "people");
	jsonw_array(j);
	for (uint32_t i = 0; i < set->n; i++) {
		uint32_t k = 0;
		while (strcmp(set->signer[k].principal, set->signer[i].principal) != 0)
			k++;
		if (k == i)
			put_person(c, j, i);
	}
	jsonw_array_end(j);
	int err = proposals_put(c->proposals, j);
	put_sets(c, j);
	jsonw_kuint(j, "threshold", set->threshold);
	jsonw_key(j, "warnings");
	jsonw_array(j);
	proposals_alerts(c->proposals, put_warning, j);
	jsonw_array_end(j);
	if (!err) {
		call_doc_end(call, &d, CALL_DONE);
		return;
	}
	writer_free(&d.w);
	call_fail_err(call, err);
}
