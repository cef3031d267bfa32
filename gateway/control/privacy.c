/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/privacy.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/control/control_private.h"
#include "policy/identity.h"

#define DAY 86400
#define KEY_MARK 8 /* bytes: enough to tell keys apart */
#define SPELT_MAX 3 /* times that one thing may be percent-encoded over: proxies add one */
#define YEAR INT64_C(31556952) /* seconds of a Gregorian year, on average */
#define FORGET_MAX 10000       /* modules a day: what is not ours to decide by mistake is not gone at once */

/* ---- masking ---- */

static void
mask(const char *text, size_t n, char *dst)
{
	memset(dst, '*', n - PRIVACY_SHOWN);
	memcpy(dst + n - PRIVACY_SHOWN, text + n - PRIVACY_SHOWN, PRIVACY_SHOWN);
}

void
privacy_mask(unsigned kind, const char *text, char dst[PRIVACY_MASK_CAP])
{
	size_t n = strlen(text);
	if (n < PRIVACY_LONG || n >= PRIVACY_MASK_CAP || kind == IDENTITY_TOKEN || kind == IDENTITY_ADDRESS) {
		snprintf(dst, PRIVACY_MASK_CAP, "****");
		return;
	}
	mask(text, n, dst);
	dst[n] = '\0';
}

static bool
is_hex_digit(char c)
{
	return isxdigit((unsigned char)c);
}

/*
 * 20260101120000 is how vendors stamp a build. No body that allocates type codes has the number 20,
 * so an IMEI without its check digit does not begin so.
 */
static bool
is_build_stamp(const char *run, size_t n)
{
	return n == PRIVACY_DIGITS_MIN && strspn(run, "0123456789") >= n && run[0] == '2' && run[1] == '0';
}

void
privacy_mask_text(const char *text, bool hex, char *dst, size_t cap)
{
	size_t n = strlen(text), at = 0, long_enough = hex ? PRIVACY_HEX_MIN : SIZE_MAX;
	if (n >= cap)
		n = cap - 1;
	while (at < n) {
		size_t run = 0, digits = 0, decimal = 0, longest = 0;
		for (; at + run < n && is_hex_digit(text[at + run]); run++) {
			decimal = isdigit((unsigned char)text[at + run]) ? decimal + 1 : 0;
			digits += decimal > 0;
			longest = decimal > longest ? decimal : longest;
		}
		/* A word of letters a to f is no number. */
		if (((run >= long_enough && digits) || longest >= PRIVACY_DIGITS_MIN) && !is_build_stamp(text + at, run))
			mask(text + at, run, dst + at);
		else if (run)
			memcpy(dst + at, text + at, run);
		else
			dst[at] = text[at];
		at += run ? run : 1;
	}
	dst[n] = '\0';
}

/* Letters and digits only, in lower case: how people group an IMEI does not matter. */
static void
squeeze(const char *text, char *dst, size_t cap)
{
	size_t n = 0;
	for (; *text && n + 1 < cap; text++)
		if (isalnum((unsigned char)*text))
			dst[n++] = (char)tolower((unsigned char)*text);
	dst[n] = '\0';
}

/* What percent signs spell, as often as they were spelt over: in place. */
static void
spell_out(char *text)
{
	for (unsigned again = 0; again < SPELT_MAX && strchr(text, '%'); again++) {
		char *to = text;
		for (const char *p = text; *p; to++) {
			uint8_t byte;
			bool spelt = *p == '%' && is_hex_digit(p[1]) && is_hex_digit(p[2]);
			char pair[3] = "";
			if (spelt) {
				pair[0] = (char)tolower((unsigned char)p[1]);
				pair[1] = (char)tolower((unsigned char)p[2]);
			}
			if (spelt && hex_decode(view_of(pair, 2), &byte, 1) && byte) {
				*to = (char)byte;
				p += 3;
			} else {
				*to = *p++;
			}
		}
		*to = '\0';
	}
}

/* A text that a request brought, as privacy_names reads a sentence, with what it spells by percent signs. */
static void
plain(const char *text, char *dst, size_t cap)
{
	char spelt[DB_SHAPE_MAX];
	snprintf(spelt, sizeof spelt, "%s", text);
	spell_out(spelt);
	squeeze(spelt, dst, cap);
}

bool
privacy_names(const struct inventory_module *m, const char *sentence)
{
	char said[DB_TEXT_MAX + 1], name[DB_IDENT_MAX + 1];
	squeeze(sentence, said, sizeof said);
	for (unsigned i = 0; i < m->idents_n; i++) {
		squeeze(m->ident[i].text, name, sizeof name);
		if (name[0] && strstr(said, name))
			return true;
	}
	return false;
}

/* ---- forgetting ---- */

struct forgetting { /* waits for its entry */
	struct control *c;
	struct call *call;
	uint8_t (*ids)[MSG_ID];
	size_t n;
};

static void
answer(struct call *call, size_t n, bool lingers)
{
	struct call_doc d;
	call_doc_begin(&d);
	jsonw_kuint(&d.j, "erased", n);
	if (lingers)
		jsonw_kstring(&d.j, "note", view_str("a reader keeps the database's write-ahead log, and with it the old rows; "
		    "it is emptied as soon as that is done, tried every minute"));
	call_doc_end(call, &d, CALL_DONE);
}

struct request { /* of no profile, as it could be read by somebody who looks for an identity */
	uint64_t id;
	char path[DB_SHAPE_MAX], host[256], agent[128];
};

struct requests {
	struct request *one;
	unsigned n;
};

static int
on_request(void *ctx, const struct db_unknown *u)
{
	struct requests *all = ctx;
	struct request *r = &all->one[all->n++];
	r->id = u->id;
	plain(u->path, r->path, sizeof r->path);
	plain(u->host, r->host, sizeof r->host);
	plain(u->agent, r->agent, sizeof r->agent);
	return all->n == DB_UNKNOWNS_MAX;
}

/* Requests of no profile are kept as they came: those that name this module go as well, however they spell it. */
static int
forget_requests(struct control *c, struct requests *all, const struct inventory_module *m)
{
	char name[DB_IDENT_MAX + 1];
	int err = 0;
	for (unsigned i = 0; m && i < m->idents_n; i++) {
		squeeze(m->ident[i].text, name, sizeof name);
		if (strlen(name) < PRIVACY_LONG)
			continue;
		for (unsigned k = 0; !err && k < all->n;) {
			const struct request *r = &all->one[k];
			if (!strstr(r->path, name) && !strstr(r->host, name) && !strstr(r->agent, name)) {
				k++;
				continue;
			}
			err = db_unknown_forget(c->db, r->id);
			all->one[k] = all->one[--all->n];
		}
	}
	return err;
}

static int
forget_now(struct control *c, uint8_t (*ids)[MSG_ID], size_t n)
{
	struct requests all = { .one = calloc(DB_UNKNOWNS_MAX, sizeof *all.one) };
	int err = all.one ? db_unknown_list(c->db, DB_UNKNOWNS_MAX, on_request, &all) : FG_ENOMEM;
	err = err > 0 ? 0 : err; /* no more were asked for */
	for (size_t i = 0; !err && i < n; i++)
		err = forget_requests(c, &all, inventory_by_pseudonym(c->inventory, ids[i]));
	free(all.one);
	if (!err)
		err = inventory_erase_all(c->inventory, ids, n);
	/* Before one of them is heard of again, under the same pseudonym. */
	if (!err)
		links_prune(c->links, c->inventory, timekeep_earliest(c));
	return err;
}

static void
forgetting_free(struct forgetting *f)
{
	free(f->ids);
	free(f);
}

static void
on_logged(void *ctx, int err, uint64_t index)
{
	struct forgetting *f = ctx;
	(void)index;
	if (!err) {
		err = forget_now(f->c, f->ids, f->n);
		edges_table_due(f->c->edges, true);
		if (err)
			logbook_tell(f->c->logbook, logbook_entry(ENTRY_DEVICE_ERASED, "failed", "control", "modules"));
		if (f->call && err)
			call_fail_err(f->call, err);
		else if (f->call)
			answer(f->call, f->n, db_lingers(f->c->db));
	} else if (f->call) {
		call_fail(f->call, CALL_COULD_NOT, "LOG-AWAY", "try again", "the audit log did not take it: nothing was erased");
	}
	forgetting_free(f);
}

int
privacy_forget(struct control *c, struct call *call, uint8_t (*ids)[MSG_ID], size_t n, const char *who,
    const char *reason)
{
	struct forgetting *f = calloc(1, sizeof *f);
	struct msg_append *e = f ? logbook_entry(ENTRY_DEVICE_ERASED, "ok", who, n == 1 ? "module" : "modules") : NULL;
	int err = e ? 0 : FG_ENOMEM;
	if (!err) {
		*f = (struct forgetting){ .c = c, .call = call, .ids = ids, .n = n };
		if (n == 1)
			logbook_dev(e, ids[0]);
		else
			logbook_ref_number(e, "count", n);
		logbook_say(e, "%s", reason);
		err = logbook_append(c->logbook, e, on_logged, f);
	}
	free(e);
	if (err) {
		free(f);
		free(ids);
	}
	return err;
}

int
privacy_silent(const struct inventory *inv, int64_t before, size_t max, uint8_t (**ret)[MSG_ID], size_t *ret_n)
{
	const struct inventory_module *m;
	uint8_t(*ids)[MSG_ID] = NULL;
	size_t n = 0, cap = 0;
	for (size_t i = 0; n < max && (m = inventory_at(inv, i)); i++) {
		int64_t last = m->last_seen > m->first_seen ? m->last_seen : m->first_seen;
		if (m->held || last <= 0 || last >= before)
			continue;
		if (n == cap) {
			cap = cap ? 2 * cap : 64;
			uint8_t(*more)[MSG_ID] = reallocarray(ids, cap, sizeof *ids);
			if (!more) {
				free(ids);
				return FG_ENOMEM;
			}
			ids = more;
		}
		memcpy(ids[n++], m->pseudonym, MSG_ID);
	}
	*ret = ids;
	*ret_n = n;
	return 0;
}

/* ---- the key ---- */

int
privacy_key(struct control *c, struct view key)
{
	uint8_t mac[DIGEST_SHA256_LEN];
	char was[DB_META_VALUE_MAX];
	int err = digest_hmac_sha256(key, view_str("fotagate epoch key mark"), mac);
	if (err)
		return err;
	hex_encode(mac, KEY_MARK, c->key_mark);
	err = db_meta_get(c->db, DB_META_EPOCH, was, sizeof was);
	if (err == FG_ENOTFOUND)
		return db_meta_set(c->db, DB_META_EPOCH, c->key_mark);
	c->key_changed = !err && strcmp(was, c->key_mark) != 0;
	return err;
}

static void
tell_key(struct control *c)
{
	struct msg_append *e = logbook_entry(ENTRY_CONFIG_CHANGED, "ok", "control", "epoch-key");
	if (!e || db_meta_set(c->db, DB_META_EPOCH, c->key_mark)) {
		free(e);
		return;
	}
	logbook_say(e, "the pseudonym key is a new one: who was erased before can no longer be found by trying");
	logbook_tell(c->logbook, e);
	c->key_changed = false;
}

/* ---- retention ---- */

/* The newest that any module was heard of. */
static int64_t
newest(const struct inventory *inv)
{
	const struct inventory_module *m;
	int64_t t = 0;
	for (size_t i = 0; (m = inventory_at(inv, i)); i++)
		t = m->last_seen > t ? m->last_seen : t;
	return t;
}

void
privacy_tick(struct control *c)
{
	int64_t now = control_now(c), years = policies_config(c->policies)->privacy_keep_years;
	uint8_t(*ids)[MSG_ID] = NULL;
	size_t n = 0;
	if (c->key_changed)
		tell_key(c);
	if (db_lingers(c->db) && db_settle(c->db))
		oplog(OPLOG_WARNING, "what was erased may still be in the database's write-ahead log: %s", db_why(c->db));
	bool today = now >= c->forgot_at && now - c->forgot_at < DAY;
	if (!years || today || !timekeep_is_sure(c) || !logbook_permits(c->logbook))
		return;
	c->forgot_at = now;
	/* Nobody heard of for a year, all at once, is a clock that is wrong, not a fleet that is gone. */
	int64_t heard = newest(c->inventory);
	if (heard < now - YEAR || heard > now + DAY)
		return;
	if (privacy_silent(c->inventory, now - years * YEAR, FORGET_MAX, &ids, &n) || !n)
		return;
	int err = privacy_forget(c, NULL, ids, n, "control", "not heard of for privacy.keep_years");
	if (err)
		oplog(OPLOG_WARNING, "modules that are due to be forgotten were not: %s", err_name(err));
}
