/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/bindings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "crypto/err.h"
#include "crypto/wipe.h"
#include "gateway/control/accounts_private.h"
#include "gateway/control/signins.h"
#include "gateway/state/binding.h"
#include "gateway/state/session.h"

struct change { /* waits for its entry */
	LIST_ENTRY(change) link;
	struct bindings *b;
	struct call *call;
	struct db_account account;
	struct db_binding row;
	bool again; /* it was unbound since: that word is the later one */
};

struct bindings {
	struct control *c;
	LIST_HEAD(, change) changes;
};

struct bindings *
bindings_new(struct control *c)
{
	struct bindings *b = calloc(1, sizeof *b);
	if (!b)
		return NULL;
	b->c = c;
	LIST_INIT(&b->changes);
	return b;
}

static void
end(struct change *ch)
{
	LIST_REMOVE(ch, link);
	wipe(&ch->account, sizeof ch->account);
	free(ch);
}

void
bindings_free(struct bindings *b)
{
	if (!b)
		return;
	while (!LIST_EMPTY(&b->changes))
		end(LIST_FIRST(&b->changes));
	free(b);
}

/* ---- documents ---- */

static int
put(void *arg, const struct db_binding *b)
{
	struct jsonw *j = arg;
	jsonw_object(j);
	requests_put_text(j, "by", b->by);
	requests_put_text(j, "issuer", b->issuer);
	requests_put_time(j, "made", b->made);
	requests_put_text(j, "subject", b->subject);
	jsonw_object_end(j);
	return 0;
}

void
bindings_put(struct control *c, struct jsonw *j, const char *account)
{
	jsonw_key(j, "sso");
	jsonw_array(j);
	if (db_binding_list(c->db, account, put, j))
		oplog(OPLOG_WARNING, "identities of %s could not be read: %s", account, db_why(c->db));
	jsonw_array_end(j);
}

static struct msg_append *
entry(struct control *c, const struct call *call, const struct db_account *a, const struct db_binding *row, const char *change)
{
	struct msg_append *e = accounts_entry(c, call, a, change);
	logbook_ref(e, "issuer", row->issuer);
	logbook_ref(e, "subject", row->subject);
	return e;
}

/* ---- arguments ---- */

/* Issuer and subject as they are called by. False: the call is answered. */
static bool
named(struct call *call, struct db_binding *row)
{
	(void)call_text(call, "issuer", row->issuer, sizeof row->issuer);
	(void)call_text(call, "subject", row->subject, sizeof row->subject);
	int err = vouch_identity(view_str(row->issuer), view_str(row->subject), row->identity);
	if (err == FG_EINVAL)
		call_fail(call, CALL_USAGE, "USAGE", "as the issuer's configuration and its tokens have them: iss and sub",
		    "an issuer is an URL of https, a subject one word; neither has blanks");
	else if (err)
		call_fail_err(call, err);
	return !err;
}

static int
count(void *arg, const struct db_binding *b)
{
	unsigned *n = arg;
	(void)b;
	++*n;
	return 0;
}

/* False: the call is answered. */
static bool
may_be_bound(struct control *c, struct call *call, const struct db_binding *row)
{
	struct db_binding there;
	unsigned n = 0;
	int err = db_binding_list(c->db, row->account, count, &n);
	if (!err)
		err = db_binding_find(c->db, row->identity, &there);
	if (!err)
		call_fail(call, CALL_REFUSED, "EXISTS", "account unbind takes it off", "that is %s already", there.account);
	else if (err != FG_ENOTFOUND)
		call_fail_err(call, err);
	else if (n >= BINDINGS_OF_ONE)
		call_fail(call, CALL_REFUSED, "LIMIT", "account unbind", "an account has %d identities at most", BINDINGS_OF_ONE);
	else
		return true;
	return false;
}

/* ---- account.bind ---- */

static void
on_logged(void *ctx, int err, uint64_t index)
{
	struct change *ch = ctx;
	struct control *c = ch->b->c;
	(void)index;
	if (err)
		call_fail(ch->call, CALL_COULD_NOT, "LOG-AWAY", "try again", "the audit log did not take it: nothing was changed");
	else if (ch->again)
		call_fail(ch->call, CALL_REFUSED, "STATE", "see fotagate account list", "it was taken off meanwhile");
	else if ((err = db_binding_add(c->db, &ch->row)) == FG_EEXIST)
		call_fail(ch->call, CALL_REFUSED, "EXISTS", "", "that is somebody's already");
	else if (err)
		call_fail_err(ch->call, err);
	else
		accounts_answer(c, ch->call, &ch->account, 0, 0);
	end(ch);
}

static void
log_it(struct change *ch)
{
	struct control *c = ch->b->c;
	struct msg_append *e = entry(c, ch->call, &ch->account, &ch->row, "bound");
	int err = e ? logbook_append(c->logbook, e, on_logged, ch) : FG_ENOMEM;
	free(e);
	if (!err)
		return;
	if (err == FG_EAGAIN)
		call_fail(ch->call, CALL_COULD_NOT, "LOG-AWAY", "see fotagate status", "the audit log is %s",
		    logbook_state(c->logbook));
	else
		call_fail_err(ch->call, err);
	end(ch);
}

void
bindings_bind(struct bindings *b, struct call *call)
{
	struct control *c = b->c;
	struct change *ch = calloc(1, sizeof *ch);
	if (!ch) {
		call_fail_err(call, FG_ENOMEM);
		return;
	}
	ch->b = b;
	ch->call = call;
	ch->account.disabled = true;
	LIST_INSERT_HEAD(&b->changes, ch, link);
	if (!accounts_of(c->accounts, call, &ch->account) || !named(call, &ch->row)) {
		end(ch);
		return;
	}
	memcpy(ch->row.account, ch->account.name, sizeof ch->row.account);
	ch->row.made = control_now(c);
	snprintf(ch->row.by, sizeof ch->row.by, "%s", requests_actor(c, call));
	if (may_be_bound(c, call, &ch->row) && signins_fresh(c->signins, call))
		log_it(ch);
	else
		end(ch);
}

/* ---- account.unbind ---- */

/* With it all that came of it. */
static int
drop(struct control *c, const struct db_binding *row, unsigned *ret_ended)
{
	struct db_binding there = { 0 };
	int err = db_begin(c->db);
	if (err)
		return err;
	err = db_binding_find(c->db, row->identity, &there);
	if (!err && strcmp(there.account, row->account) != 0)
		err = FG_ENOTFOUND;
	if (!err)
		err = db_binding_drop(c->db, row->identity);
	if (!err)
		err = db_session_end_identity(c->db, row->identity, control_now(c), ret_ended);
	return db_end(c->db, err);
}

void
bindings_unbind(struct bindings *b, struct call *call)
{
	struct control *c = b->c;
	struct db_account a = { .disabled = true };
	struct db_binding row = { 0 };
	struct change *ch;
	char reason[DB_TEXT_MAX];
	unsigned ended = 0;
	(void)call_text(call, "reason", reason, sizeof reason);
	if (!accounts_of(c->accounts, call, &a) || !named(call, &row))
		return;
	memcpy(row.account, a.name, sizeof row.account);
	LIST_FOREACH(ch, &b->changes, link)
		ch->again |= memcmp(ch->row.identity, row.identity, sizeof row.identity) == 0;
	int err = drop(c, &row, &ended);
	if (!err) {
		struct msg_append *e = entry(c, call, &a, &row, "unbound");
		logbook_ref_number(e, "sessions", ended);
		logbook_say(e, "%s", reason);
		logbook_tell(c->logbook, e);
		accounts_answer(c, call, &a, ended, 0);
	} else if (err == FG_ENOTFOUND) {
		call_fail(call, CALL_REFUSED, "NOT-FOUND", "see fotagate account list", "%s is not bound to that", a.name);
	} else {
		call_fail_err(call, err);
	}
	wipe(&a, sizeof a);
}
