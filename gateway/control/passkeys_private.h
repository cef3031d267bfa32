/* SPDX-License-Identifier: Apache-2.0 */
/* Challenges under way, for passkeys.c and passkeys_keys.c alone. */
#ifndef FG_GATEWAY_CONTROL_PASSKEYS_PRIVATE_H
#define FG_GATEWAY_CONTROL_PASSKEYS_PRIVATE_H

#include "gateway/control/passkeys.h"
#include "gateway/control/requests_private.h"

#define PASSKEYS_STRANGERS 512  /* challenges of people who sign in; one more takes the oldest's place */
#define PASSKEYS_OF_SOURCE 16   /* of them of one address: whoever asks for many takes one's own places */
#define PASSKEYS_OWN 64         /* of people who are signed in, one each */
#define PASSKEYS_CODE_CAP 15

enum passkeys_use { PASSKEYS_NOTHING = 0, PASSKEYS_SIGN_IN, PASSKEYS_ADD, PASSKEYS_FRESH };

struct passkeys_challenge {
	enum passkeys_use use; /* PASSKEYS_NOTHING: free */
	int64_t at;
	uint8_t bytes[WEBAUTHN_CHALLENGE];
	uint8_t whose[CALLERS_ID]; /* the session; of a stranger the address */
	uint8_t handle[DB_ID];     /* PASSKEYS_ADD: what the new one is to be called */
};

struct passkeys_code {
	int64_t at; /* 0: free */
	uint8_t session[CALLERS_ID];
	char text[PASSKEYS_CODE_CAP];
};

struct passkeys {
	struct control *c;
	struct passkeys_challenge stranger[PASSKEYS_STRANGERS], own[PASSKEYS_OWN];
	struct passkeys_code code[PASSKEYS_OWN];
};

/* Where passkeys are good: of the signer set in force. */
struct passkeys_site {
	char rp_id[SSHKEY_APPLICATION_MAX + 1];
	const char *origin; /* borrowed from the set */
};

/* False: nowhere, and the call is answered. */
bool passkeys_site(struct passkeys *p, struct call *call, struct passkeys_site *ret);
/* A challenge for the caller. NULL: the call is answered. */
const struct passkeys_challenge *passkeys_issue(struct passkeys *p, struct call *call, enum passkeys_use use);
/* The one that the call brings, if it was given to that caller for that: used up by being asked for. */
bool passkeys_take(struct passkeys *p, const struct call *call, enum passkeys_use use, struct passkeys_challenge *ret);
/* Whose signature counts lets nobody in: what is touched to sign in is never what is touched to sign. */
bool passkeys_signs(const struct passkeys *p, const struct sshkey *key);
/* An argument's bytes, of base64, into w. 0; FG_EFORMAT, also when there are more than w takes; FG_ENOMEM. */
int passkeys_bytes(const struct call *call, const char *key, struct writer *w);
/* Ends whatever that account has open but `keep` (may be NULL), and does that to the passkey, in one. */
int passkeys_end(struct control *c, const struct db_passkey *k, int (*what)(struct db *db, const struct db_passkey *k, int64_t now),
    const uint8_t *keep, unsigned *ret_sessions);

#endif
