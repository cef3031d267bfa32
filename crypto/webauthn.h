/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webauthn - what a browser's authenticator says when it makes a key, and when somebody signs in with it (WebAuthn
 * level 2, sections 7.1 and 7.2). Signatures under statements are sshsig's: they are over "SSHSIG" and a
 * digest, and these here over a challenge of exactly WEBAUTHN_CHALLENGE bytes, so that none of one kind is one
 * of the other.
 * Role: control, for people who sign in. Guarantees: input is untrusted and bounded; only WEBAUTHN_GOOD means yes; no
 * attestation is believed: who may make a key is decided by who asks for it.
 */
#ifndef FG_CRYPTO_WEBAUTHN_H
#define FG_CRYPTO_WEBAUTHN_H

#include "crypto/sshkey.h"

#define WEBAUTHN_CHALLENGE 32        /* random bytes; what an approval's challenge can never be: that has 100 and more */
#define WEBAUTHN_CREDENTIAL_MAX 1023 /* section 4 */
#define WEBAUTHN_CLIENT_MAX 1024     /* type, challenge, origin, a few members: 250 in the field */
#define WEBAUTHN_AUTH_MAX 2048       /* the longest credential id, a key, a few extensions */
#define WEBAUTHN_OBJECT_MAX 8192     /* that, and certificates that nobody asked for */
#define WEBAUTHN_SIGNATURE_MAX 72    /* the longest DER of P-256; Ed25519 has 64 */

enum webauthn_outcome {
	WEBAUTHN_UNKNOWN = 0,
	WEBAUTHN_GOOD,
	WEBAUTHN_MALFORMED,       /* cut, oversized, or flags that contradict what follows */
	WEBAUTHN_BAD_CLIENT_DATA, /* another act, challenge or origin, or in a frame of another site */
	WEBAUTHN_WRONG_RP,
	WEBAUTHN_NO_PRESENCE,
	WEBAUTHN_NO_VERIFICATION, /* nobody showed the authenticator who they are: it would be one factor */
	WEBAUTHN_BAD_KEY,         /* neither P-256 nor Ed25519, or a point nobody should trust */
	WEBAUTHN_BAD_SIGNATURE,
};

/* What it must be about. Borrowed for the call; none may be NULL. */
struct webauthn_rules {
	const char *rp_id, *origin;
	const uint8_t *challenge; /* WEBAUTHN_CHALLENGE bytes */
};

/* An authenticator's answer. credential and key only of one that was made; the view borrows from the input. */
struct webauthn {
	enum webauthn_outcome outcome;
	uint8_t flags;     /* SSHSIG_FLAG_BE and _BS say whether the key can be, and is, on other devices */
	uint32_t counter;
	struct view credential;
	struct sshkey key; /* its application is the relying party */
};

/* "good", "bad-signature", ... for the log. */
const char *webauthn_outcome_name(enum webauthn_outcome outcome);
/* A key was made: client data and attestation object. 0 whatever the outcome, or FG_ENOMEM, FG_ECRYPTO. */
int webauthn_made(struct view client_data, struct view object, const struct webauthn_rules *rules, struct webauthn *ret);
/* Somebody signs in: an assertion by key, whose application must be the relying party. As above. */
int webauthn_asserted(const struct sshkey *key, struct view client_data, struct view auth_data, struct view signature,
    const struct webauthn_rules *rules, struct webauthn *ret);
/*
 * Is that the client data of this act ("webauthn.get", "webauthn.create") for that challenge, made at origin and in no
 * frame of another site? Section 5.8.1.2: browsers write it in one order, so that a prefix says it all. 0 or FG_ENOMEM.
 */
int webauthn_client_data(struct view client_data, const char *type, struct view challenge, const char *origin,
    bool *ret_good);

#endif
