/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pgpcert - what a file of OpenPGP public keys (RFC 4880 section 11.1) comes
 * to: which of its keys may sign files, from when, until when, and whether
 * their owner took them back.
 * Role: enrolment of anchors (trust_enrol.c). Guarantees: nothing in it counts
 * that its primary key has not signed with a digest of the SHA-2 family; a
 * subkey counts only when it was made for signing and has signed its primary
 * key in turn; the owner's last word holds; what is revoked stays so, whatever
 * date the revocation bears. Other people's signatures are not looked at.
 */
#ifndef FG_CRYPTO_PGPCERT_H
#define FG_CRYPTO_PGPCERT_H

#include "crypto/pgpkey.h"

#define PGPCERT_SUBKEYS_MAX 64
#define PGPCERT_OWN_SIGS_MAX 512 /* of the primary key, each costs a verification */

struct pgpcert_key {
	EVP_PKEY *pkey; /* owned by whoever has the struct */
	uint8_t fpr[PGPKEY_FPR_LEN];
	int64_t created;
	int64_t expires; /* 0: never */
	int64_t stated;  /* when its owner last said so */
	bool revoked;
};

/* Begins like one: armoured, or a key packet of a known version. */
bool pgpcert_recognise(struct view file);
/*
 * Reads packets (no armour) and hands every key that may sign to add(), which
 * takes its pkey, or leaves it where it returns an error. FG_EFORMAT with a
 * sentence in ret_why (cap bytes), what add() returned, FG_ENOMEM, FG_ECRYPTO.
 */
int pgpcert_read(struct view packets, int (*add)(void *arg, struct pgpcert_key *key), void *arg,
    char *ret_why, size_t cap);

#endif
