/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/suspensions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/control/requests_private.h"
#include "gateway/state/people.h"

/* ---- what is remembered ---- */

static int
hold_again(void *arg, const struct db_suspension *s)
{
	struct control *c = arg;
	if (signers_suspension_holds(people_set(c->people), s->number, s->at))
		(void)people_suspend(c->people, s->key, s->at);
	return 0;
}

void
suspensions_recall(struct control *c)
{
	if (db_suspension_list(c->db, 0, hold_again, c))
		oplog(OPLOG_ERR, "suspended keys could not be read: %s", db_why(c->db));
}

static void
tell_warden(struct control *c, const struct db_suspension *d, bool again)
{
	struct msg_suspend m = { .token = 1, .again = again, .number = d->number, .at = d->at };
	memcpy(m.key, d->key, sizeof m.key);
	(void)chan_send(c->warden, MSG_SUSPEND, &m, NULL, 0); /* away: it hears of it when it is back */
}

static int
say_again(void *arg, const struct db_suspension *d)
{
	struct control *c = arg;
	if (signers_suspension_holds(people_set(c->people), d->number, d->at))
		tell_warden(c, d, true);
	return 0;
}

void
suspensions_warden_up(struct control *c)
{
	(void)db_suspension_list(c->db, 0, say_again, c);
}

void
suspensions_on_suspended(struct control *c, const struct msg_suspended *m)
{
	struct db_suspension d = { .number = m->number, .at = m->at, .by = "warden", .reason = "the warden knows of it" };
	if (m->err && m->err != FG_EIO)
		return;
	/* What the warden knows holds whether or not we remember why. */
	memcpy(d.key, m->key, sizeof d.key);
	if (signers_suspension_holds(people_set(c->people), m->number, m->at))
		(void)people_suspend(c->people, m->key, m->at);
	if (db_suspension_note(c->db, &d))
		oplog(OPLOG_ERR, "a suspension could not be written down: %s", db_why(c->db));
}

/* The warden hears it first: shown, written and logged or not, it holds. */
static void
hold(struct control *c, const struct db_suspension *d, bool again)
{
	tell_warden(c, d, again);
	if (people_suspend(c->people, d->key, d->at))
		oplog(OPLOG_ERR, "a suspended key is still shown as one that counts");
	if (db_suspension_add(c->db, d))
		oplog(OPLOG_ERR, "a suspension is in force but could not be written down: %s", db_why(c->db));
}

void
suspensions_again(struct control *c, const uint8_t key[DIGEST_SHA256_LEN], uint32_t number, int64_t at)
{
	struct db_suspension d = { .number = number, .at = at, .by = "log", .reason = "as the log has it" };
	memcpy(d.key, key, sizeof d.key);
	hold(c, &d, true);
}

/* ---- people.suspend ---- */

static void
log_it(struct control *c, const struct db_suspension *d, const char *principal)
{
	char obj[2 * DIGEST_SHA256_LEN + 8], hex[2 * DIGEST_SHA256_LEN + 1];
	hex_encode(d->key, sizeof d->key, hex);
	snprintf(obj, sizeof obj, "key:%s", hex);
	struct msg_append *e = logbook_entry(ENTRY_AUTHZ_KEY_SUSPENDED, "ok", d->by, obj);
	logbook_ref(e, "principal", principal);
	logbook_ref_number(e, "set", d->number);
	logbook_ref_number(e, "at", d->at > 0 ? (uint64_t)d->at : 0); /* the entry may have waited for the log */
	logbook_say(e, "%s", d->reason);
	logbook_tell(c->logbook, e);
}

static int
suspend_one(struct control *c, const struct signer *s, const char *by, const char *reason)
{
	struct db_suspension d = { .number = people_set(c->people)->number, .at = control_now(c) };
	int err = sshkey_digest(&s->key, d.key);
	if (err)
		return err;
	snprintf(d.by, sizeof d.by, "%s", by);
	snprintf(d.reason, sizeof d.reason, "%s", reason);
	hold(c, &d, false);
	log_it(c, &d, s->principal);
	return FG_OK;
}

/* Persons who could still sign the next set if that word were suspended. */
static int
left_without(const struct control *c, const char *word, unsigned *ret_n)
{
	const struct signers *set = people_counting(c->people);
	struct signers *rest = calloc(1, sizeof *rest);
	if (!rest)
		return FG_ENOMEM;
	for (uint32_t i = 0; i < set->n; i++)
		if (!signers_named(&set->signer[i], view_str(word)))
			rest->signer[rest->n++] = set->signer[i];
	*ret_n = signers_persons_at(rest, control_now(c));
	free(rest);
	return FG_OK;
}

/*
 * Every key that the word names: one that is suspended already too, so that a set which people
 * are signing now, and which was to bring it back, does not. One that fails leaves the others suspended.
 */
static int
suspend_all(struct control *c, struct call *call, const char *word, unsigned *ret_n, unsigned *ret_again)
{
	const struct signers *set = people_set(c->people);
	char reason[DB_TEXT_MAX];
	int err = FG_OK;
	*ret_n = *ret_again = 0;
	(void)call_text(call, "reason", reason, sizeof reason);
	for (uint32_t i = 0; i < set->n; i++) {
		if (!signers_named(&set->signer[i], view_str(word)))
			continue;
		bool again = people_suspended_at(c->people, &set->signer[i].key) != 0;
		int one = suspend_one(c, &set->signer[i], requests_actor(c, call), reason);
		if (one)
			err = one;
		else
			++*(again ? ret_again : ret_n);
	}
	return err;
}

void
suspensions_order(struct control *c, struct call *call)
{
	const struct signers *set = people_set(c->people);
	char word[SIGNERS_PRINCIPAL_MAX + 64];
	unsigned named = 0, left = 0, keys, again;
	(void)call_text(call, "who", word, sizeof word);
	for (uint32_t i = 0; i < set->n; i++)
		named += signers_named(&set->signer[i], view_str(word));
	if (!named) {
		call_fail(call, CALL_REFUSED, "NOT-FOUND", "see fotagate people list",
		    "no key and nobody of the signer set in force has that name");
		return;
	}
	int err = left_without(c, word, &left);
	if (!err && left < set->threshold && !call_flag(call, "final")) {
		call_fail(call, CALL_REFUSED, "FINAL", "fotagate halt stops the gateway; --final suspends all the same",
		    "persons who would be left: %u; who have to sign the next set: %u; nobody could bring the key back", left,
		    set->threshold);
		return;
	}
	if (!err)
		err = suspend_all(c, call, word, &keys, &again);
	if (err) {
		call_fail_err(call, err);
		return;
	}
	struct call_doc d;
	call_doc_begin(&d);
	jsonw_kuint(&d.j, "again", again);
	jsonw_kuint(&d.j, "keys", keys);
	jsonw_kuint(&d.j, "left", left);
	jsonw_kcstr(&d.j, "text", keys ? "suspended: only a later signer set ends it" :
	    "suspended again: only a signer set written from now on ends it");
	jsonw_kuint(&d.j, "threshold", set->threshold);
	jsonw_kbool(&d.j, "warden", c->warden != NULL);
	call_doc_end(call, &d, CALL_DONE);
}
