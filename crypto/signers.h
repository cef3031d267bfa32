/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signers - numbered sets of people and keys, and the rule that leads from one
 * set to the next.
 * Role: the warden's authority, fotagate-verify's evidence, `fotagate init`.
 * Guarantees: only canonical JSON (RFC 8785) is accepted, byte for byte; every
 * later set names its predecessor's digest and is signed by the thresholds of
 * the old and of the new set; a person counts once however many keys they have.
 */
#ifndef FG_CRYPTO_SIGNERS_H
#define FG_CRYPTO_SIGNERS_H

#include "crypto/digest.h"
#include "crypto/jsonw.h"
#include "crypto/sshkey.h"
#include "crypto/sshsig.h"
#include "crypto/writer.h"

#define SIGNERS_MAX 64             /* keys in one set; a board of people, not a fleet */
#define SIGNERS_PRINCIPAL_MAX 96   /* one exact address-like name, no wildcard */
#define SIGNERS_SET_BYTES_MAX 32768
#define SIGNERS_CHAIN_MAX 1024     /* sets since genesis */
#define SIGNERS_ORIGIN_MAX 128
#define SIGNERS_CONSOLE_MAX 192    /* "https://", a host name as long as a key's application, a port */
#define SIGNERS_NAMESPACE "fotagate-signers@v1"

struct signer {
	char principal[SIGNERS_PRINCIPAL_MAX]; /* person; the same string on several keys is one person */
	char user[32];                         /* unix account, "" if none, never root: ties a requester to a person */
	struct sshkey key;
	int64_t valid_after, valid_before;     /* epoch seconds, both required */
	bool require_uv;                       /* sk- keys: user verification as well as presence */
};

struct signers {
	uint32_t number;                       /* 0 in the genesis */
	uint8_t previous[DIGEST_SHA256_LEN];   /* digest of the predecessor's statement; zero in the genesis */
	/*
	 * Where passkeys of this set may sign, as a browser spells the origin: "https://gate.example:8443". Their relying
	 * party is its host. "": nowhere, and no signature of a browser counts.
	 */
	char console[SIGNERS_CONSOLE_MAX];
	uint32_t threshold;                    /* distinct persons who must sign a successor */
	uint32_t n;
	struct signer signer[SIGNERS_MAX];
	int64_t time;
};

/* Canonical statement, predicateType urn:fotagate:signers:v1. */
/* FG_EINVAL with ret_why for a set nobody may use: threshold out of reach, wildcard principal, a key twice. */
int signers_check(const struct signers *s, char *ret_why, size_t cap);
/* The set's own members (console where there is one, number, previous, signers, threshold, time) as a JSON object, and back. */
void signers_put(struct jsonw *j, const struct signers *s);
bool signers_get(const struct json_value *v, struct signers *ret);
int signers_encode(const struct signers *s, const char *origin, struct writer *w);
int signers_parse(struct view text, const char *origin, struct signers *ret, char *ret_why, size_t cap);

/* A signature as handed in: armoured SSHSIG. */
struct signers_signature {
	struct view armour;
};
/* Distinct persons in the set; and those of them with a key that is valid at now. */
uint32_t signers_persons(const struct signers *s);
uint32_t signers_persons_at(const struct signers *s, int64_t now);
/* A key that counts for nothing although its set lists it; sshkey_digest() names it. */
struct signers_suspended {
	uint8_t key[DIGEST_SHA256_LEN];
	int64_t at; /* epoch seconds */
};
/*
 * Does a suspension, spoken at that time under the set of that number, hold under the set?
 * Under the one it was spoken under and every earlier one, and under whatever was written
 * before it: only people who could know of it have decided otherwise.
 */
bool signers_suspension_holds(const struct signers *set, uint32_t number, int64_t at);
/* The set as it counts while those keys are suspended: without them, all else the same. 0 or FG_ECRYPTO. */
int signers_without(const struct signers *set, const struct signers_suspended *gone, unsigned n, struct signers *ret);
/*
 * How many distinct persons of the set have a good signature over message in
 * namespace at time now: key in the set and valid then, UP (and UV where
 * required) present, a person and a key counted once. excluded principals
 * never count. ret_who (may be NULL) gets signer indices, ret_n their number.
 * A passkey's signature counts for approvals only, made at the set's console by a
 * person whom the authenticator knew (UV): who may sign is not decided in a browser.
 */
int signers_count(const struct signers *set, struct view message, const char *namespace_, int64_t now,
    const struct signers_signature *sigs, unsigned sigs_n, const char *const *excluded, unsigned excluded_n,
    unsigned *ret_persons, unsigned ret_who[SIGNERS_MAX], unsigned *ret_n);
/* Made by a browser. False also for what is no signature. Local failures of reading it are FG_ENOMEM. */
int signers_is_passkey(struct view armour, bool *ret);
/* An origin as a browser spells one, of https, with a host name a passkey can belong to. */
bool signers_console_ok(const char *origin);
/* The host of a set's console, which is the relying party of its passkeys. False: passkeys may sign nowhere. */
bool signers_console_host(const struct signers *s, char ret[SSHKEY_APPLICATION_MAX + 1]);
/* next follows old: number, previous digest, thresholds of both. 0, or FG_EPERM with ret_why. */
int signers_check_next(const struct signers *old, struct view old_text, const struct signers *next,
    struct view next_text, const struct signers_signature *sigs, unsigned n, int64_t now, char *ret_why, size_t cap);
/* OpenSSH allowed_signers lines of the set for a namespace (exports). */
int signers_allowed(const struct signers *set, const char *namespace_, struct writer *w);
/* Whether a word names it: its principal, its key's fingerprint, or the 64 hex digits of its key's digest. */
bool signers_named(const struct signer *s, struct view word);
/* The person a unix account belongs to, or NULL. */
const char *signers_principal_of_user(const struct signers *set, const char *user);

#endif
