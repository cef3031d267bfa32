/* SPDX-License-Identifier: Apache-2.0 */
/* requests_url - a short URL for one module and one release. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/wipe.h"
#include "gateway/control/links.h"
#include "gateway/control/requests_private.h"
#include "gateway/edge/link.h"

#define DAY 86400

struct making { /* waits for its entry in the log */
	struct control *c;
	struct call *call;
	struct db_link link;
	char path[LINK_PATH_CAP]; /* with the token: said once, to who asked */
};

static void
forget(struct making *m)
{
	if (m)
		wipe(m, sizeof *m);
	free(m);
}

static void
answer(const struct making *m)
{
	struct call_doc d;
	call_doc_begin(&d);
	jsonw_khex(&d.j, "module", m->link.module, sizeof m->link.module);
	requests_put_time(&d.j, "not_after", m->link.not_after);
	jsonw_kcstr(&d.j, "path", m->path);
	jsonw_khex(&d.j, "release", m->link.release, sizeof m->link.release);
	call_doc_end(m->call, &d, CALL_DONE);
}

static void
on_logged(void *ctx, int err, uint64_t index)
{
	struct making *m = ctx;
	struct control *c = m->c;
	(void)index;
	if (err) {
		call_fail(m->call, CALL_COULD_NOT, "LOG-AWAY", "try again", "the audit log did not take it: no URL was made");
		forget(m);
		return;
	}
	/* Its row has to be there for the link's to refer to. */
	err = inventory_flush(c->inventory);
	if (!err)
		err = links_add(c->links, &m->link);
	if (err == FG_ELIMIT) {
		call_fail(m->call, CALL_REFUSED, "TOO-MANY", "wait until some have ended",
		    "%u short URLs are out already", LINKS_MAX);
	} else if (err) {
		call_fail_err(m->call, err);
	} else {
		edges_table_due(c->edges, true);
		answer(m);
	}
	forget(m);
}

/* A fresh token; the link gets its digest, the path the token itself. */
static int
draw(struct making *m)
{
	uint8_t random[LINK_TOKEN_LEN];
	struct view token;
	if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
		return FG_EIO;
	link_path(random, m->path);
	wipe(random, sizeof random);
	if (!link_parse(view_str(m->path), &token))
		abort(); /* link_path makes what link_parse takes */
	return link_digest(token, m->link.digest);
}

static int
order(struct control *c, struct call *call, struct making *m)
{
	struct msg_append *e = logbook_entry(ENTRY_CONFIG_CHANGED, "ok", requests_actor(c, call), "url");
	char release[2 * MSG_ID + 1];
	if (!e)
		return FG_ENOMEM;
	hex_encode(m->link.release, sizeof m->link.release, release);
	logbook_dev(e, m->link.module);
	logbook_ref_sha256(e, "url", m->link.digest);
	logbook_ref(e, "release", release);
	logbook_ref_number(e, "not_after", (uint64_t)m->link.not_after);
	logbook_say(e, "a short URL was made");
	int err = logbook_append(c->logbook, e, on_logged, m);
	free(e);
	return err;
}

/* The release that is named, if a link to it may be made; NULL: the call is answered. */
static const struct release *
release_of(struct control *c, struct call *call, uint8_t id[RELEASE_ID])
{
	char hex[2 * RELEASE_ID + 1];
	(void)call_text(call, "release", hex, sizeof hex);
	if (!hex_decode(view_str(hex), id, RELEASE_ID)) {
		call_fail(call, CALL_USAGE, "USAGE", "see fotagate release list", "a release is named by 32 hex digits");
		return NULL;
	}
	const struct release *r = releases_record(c->releases, id);
	if (!r) {
		call_fail(call, CALL_REFUSED, "NOT-FOUND", "see fotagate release list", "there is no such release in force");
		return NULL;
	}
	const struct policy *p = policies_find(c->policies, r->terms.profile);
	if (!p || !p->profile->short_urls) {
		call_fail(call, CALL_REFUSED, "NO-URLS", "set short_urls in the profile",
		    "profile %s lets nobody make short URLs", r->terms.profile);
		return NULL;
	}
	return r;
}

void
requests_module_url(struct control *c, struct call *call)
{
	uint8_t id[RELEASE_ID];
	uint64_t days = call_number(call, "days", LINKS_DAYS_DEFAULT);
	const struct inventory_module *who = requests_module_of(c, call);
	const struct release *r = who ? release_of(c, call, id) : NULL;
	if (!r)
		return;
	if (days < 1 || days > LINKS_DAYS_MAX) {
		call_fail(call, CALL_USAGE, "USAGE", "", "days is 1 to %u", LINKS_DAYS_MAX);
		return;
	}
	struct making *m = calloc(1, sizeof *m);
	int err = m ? FG_OK : FG_ENOMEM;
	if (!err) {
		int64_t now = control_now(c), end = now + (int64_t)days * DAY;
		*m = (struct making){ .c = c, .call = call };
		memcpy(m->link.module, who->pseudonym, sizeof m->link.module);
		memcpy(m->link.release, id, sizeof m->link.release);
		snprintf(m->link.profile, sizeof m->link.profile, "%s", r->terms.profile);
		m->link.created = now;
		m->link.not_after = end < r->terms.not_after ? end : r->terms.not_after;
		err = draw(m);
	}
	if (!err)
		err = order(c, call, m);
	if (!err)
		return;
	forget(m);
	if (err == FG_EAGAIN || err == FG_ELIMIT)
		call_fail(call, CALL_COULD_NOT, "LOG-AWAY", "try again", "no URL was made: the audit log is %s",
		    logbook_state(c->logbook));
	else
		call_fail_err(call, err);
}
