/* SPDX-License-Identifier: Apache-2.0 */
/*
 * people - keys that were suspended, and proposed signer sets with the signatures
 * gathered for them. For showing and for saying it to the warden again: the set in
 * force, and what counts, are the warden's.
 */
#ifndef FG_GATEWAY_STATE_PEOPLE_H
#define FG_GATEWAY_STATE_PEOPLE_H

#include "crypto/signers.h"
#include "gateway/state/db.h"

#define DB_PROPOSALS_MAX 16 /* open at once: people talk to each other before they sign */

struct db_suspension {
	uint8_t key[DIGEST_SHA256_LEN];
	uint32_t number; /* set it was spoken under */
	int64_t at;
	char by[DB_WHO_MAX];
	char reason[DB_TEXT_MAX];
};

/* One key and set: the latest word is the one, an earlier one changes nothing. */
int db_suspension_add(struct db *db, const struct db_suspension *s);
/* Somebody knows of it: the same, but who spoke and why stay as they are known. */
int db_suspension_note(struct db *db, const struct db_suspension *s);
/* Those spoken under that set or a later one. */
int db_suspension_list(struct db *db, uint32_t number, int (*each)(void *arg, const struct db_suspension *s), void *arg);

struct db_proposal {
	uint8_t sha256[DIGEST_SHA256_LEN]; /* of the statement */
	uint32_t number;                   /* of the set it would be */
	int64_t time;                      /* its own */
	struct view text;                  /* borrowed while it is listed */
};
struct db_proposal_sig {
	uint8_t proposal[DIGEST_SHA256_LEN];
	uint8_t key[DIGEST_SHA256_LEN];
	char principal[DB_WHO_MAX];
	int64_t at;
	uint32_t uid; /* who handed it in */
	struct view armour;
};

/* Adds the signature, and the proposal if it is new. FG_ELIMIT: too many are open. The same key again: the later stays. */
int db_proposal_sign(struct db *db, const struct db_proposal *p, const struct db_proposal_sig *s);
int db_proposal_list(struct db *db, int (*each)(void *arg, const struct db_proposal *p), void *arg);
int db_proposal_sigs(struct db *db, const uint8_t proposal[DIGEST_SHA256_LEN],
    int (*each)(void *arg, const struct db_proposal_sig *s), void *arg);
/* Forgets those up to that number, and those of a time before. */
int db_proposal_forget(struct db *db, uint32_t number, int64_t before);

#endif
