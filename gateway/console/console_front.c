/* SPDX-License-Identifier: Apache-2.0 */
/* console_front - by what a request came, and whom it names: passed on for control to judge, or refused here. */
#include <stdio.h>

#include "crypto/err.h"
#include "gateway/console/console_private.h"

/* Refused, not left out: it means that a front is set up wrongly, or that somebody tries what a front alone may. */
static void
stray(struct console *c, const struct web *w, struct conn *conn, const char *what)
{
	if (c->stray.count < UINT32_MAX)
		c->stray.count++;
	memcpy(c->stray.peer, w->from.peer, sizeof c->stray.peer);
	c->stray.what = what;
	console_refuse(conn, "FRONT", what, NULL);
}

static bool
note_connection(struct web *w, struct conn *conn)
{
	const uint8_t *key = conn_tls_peer(conn);
	uint16_t port;
	w->from = (struct web_from){ .via = MSG_VIA_NONE };
	conn_peer(conn, w->from.peer, &port);
	if (conn_tag(conn) == CONSOLE_TAG_FRONT) {
		w->from.via = MSG_VIA_SOCKET;
		return conn_unix_uid(conn, &w->from.uid) == FG_OK;
	}
	if (key) {
		w->from.via = MSG_VIA_KEY;
		memcpy(w->from.key, key, sizeof w->from.key);
	}
	return true;
}

bool
console_front_look(struct console *c, struct web *w, struct conn *conn, const struct http_request *r)
{
	struct front_person p;
	const char *why = NULL;
	if (!note_connection(w, conn)) {
		console_refuse(conn, "COULD-NOT", "the kernel does not say who is connected", NULL);
		return false;
	}
	enum front_said said = front_read(r, &p, &why);
	if (said == FRONT_NOTHING) {
		/* A browser may have a certificate of that CA: control hears of the keys of those who speak as a front does. */
		if (w->from.via == MSG_VIA_KEY) {
			w->from.via = MSG_VIA_NONE;
			memset(w->from.key, 0, sizeof w->from.key);
		}
		return true;
	}
	if (said != FRONT_MALFORMED && w->from.via == MSG_VIA_NONE) {
		said = FRONT_MALFORMED;
		why = "fields below " FRONT_PREFIX " are a front's alone";
	}
	if (said == FRONT_MALFORMED) {
		stray(c, w, conn, why);
		return false;
	}
	if (said == FRONT_PERSON && vouch_identity(p.issuer, p.subject, w->from.person)) {
		console_refuse(conn, "COULD-NOT", "no memory", NULL);
		return false;
	}
	memcpy(w->from.peer, p.address, sizeof w->from.peer);
	return true;
}

void
console_front_tick(struct console *c)
{
	struct chan *control = role_peer(c->role, MSG_ROLE_CONTROL, 0);
	struct msg_web_stray m = { .count = c->stray.count };
	if (!m.count || !control || chan_queued(control) >= CONSOLE_QUEUE)
		return;
	memcpy(m.peer, c->stray.peer, sizeof m.peer);
	snprintf(m.what, sizeof m.what, "%s", c->stray.what);
	if (chan_send(control, MSG_WEB_STRAY, &m, NULL, 0) == FG_OK)
		c->stray.count = 0;
}
