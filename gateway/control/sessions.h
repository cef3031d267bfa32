/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sessions - who is at the other end when a call comes over the network: from the secret in
 * it to a caller with roles, at every call anew. Of secrets the SHA-256 is kept and
 * nothing else; roles are those that the account has now.
 * A session ends when it was idle, when it is old, when a person says so, when the account is
 * disabled or its password or second factor changes, or one of its passkeys is taken away or suspended; and with a
 * clock that went back behind it.
 */
#ifndef FG_GATEWAY_CONTROL_SESSIONS_H
#define FG_GATEWAY_CONTROL_SESSIONS_H

#include "gateway/control/call.h"
#include "gateway/state/session.h"

/* AUDIT_AND_APPROVAL.md section 3.5 */
#define SESSIONS_IDLE_S 900
#define SESSIONS_LIFE_S 28800
#define SESSIONS_SECRET 32
#define SESSIONS_OF_ONE 16 /* of an account; one more ends the oldest */
#define SESSIONS_PEER_CAP 46
#define SESSIONS_TOUCH_S 30 /* how often "heard of" is written down: idle time is that much shorter at worst */

struct control;
struct sessions;

/* By what a call came. */
struct sessions_from {
	uint8_t peer[CALLERS_ID];       /* address of the browser */
	uint8_t person[CALLERS_PERSON]; /* as struct caller has them */
	const char *front;
};

struct sessions *sessions_new(struct control *c);
void sessions_free(struct sessions *s);
/* Once a minute: forgets what ended long ago. */
void sessions_tidy(struct sessions *s);

/*
 * Who that secret names just now; touches the idle time. False: nobody (unknown, expired, ended, disabled).
 * ret->means, roles, user are set. A session that came by single sign-on is somebody only while the front still names
 * that person, and means CALLERS_MEANS_SSO. A guest brings no secret, and is always somebody. sessions_look is the same and
 * leaves the idle time alone: a page that renews itself is no sign that somebody sits before it.
 */
bool sessions_identify(struct sessions *s, enum callers_means means, const uint8_t secret[SESSIONS_SECRET],
    const struct sessions_from *from, struct caller *ret);
bool sessions_look(struct sessions *s, enum callers_means means, const uint8_t secret[SESSIONS_SECRET],
    const struct sessions_from *from, struct caller *ret);

/* What was shown for a session; values are stored. SSO: nothing here, a trusted front names the person. */
enum { SESSIONS_BY_SSO = 0, SESSIONS_BY_PASSWORD = 1, SESSIONS_BY_CODE = 2, SESSIONS_BY_PASSKEY = 3 };
/* "single sign-on", "password", "password and code", "passkey". */
const char *sessions_by(unsigned factors);
/*
 * Begins one; secret is the caller's to hand out once and to wipe. With SESSIONS_BY_SSO `person` is whom the front names,
 * else NULL. 0 or what the database says.
 */
int sessions_open(struct sessions *s, const struct db_account *a, unsigned factors, const uint8_t *person,
    const uint8_t peer[CALLERS_ID], struct db_session *ret, uint8_t secret[SESSIONS_SECRET]);
/* Answers session.open, session.passkey, session.sso and setup.open; wipes secret. */
void sessions_answer(struct sessions *s, struct call *call, const struct db_account *a, const struct db_session *n,
    uint8_t secret[SESSIONS_SECRET]);

/* An address as text. */
void sessions_peer(const uint8_t peer[CALLERS_ID], char dst[SESSIONS_PEER_CAP]);

/* session.show, .close, .list, .end */
void sessions_show(struct sessions *s, struct call *call);
void sessions_close(struct sessions *s, struct call *call);
void sessions_list(struct sessions *s, struct call *call);
void sessions_end(struct sessions *s, struct call *call);

#endif
