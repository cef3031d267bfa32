/* SPDX-License-Identifier: Apache-2.0 */
/*
 * people - who may sign, as control sees it: genesis and the numbered sets
 * after it. For showing, for refusing early and for writing statements; what
 * permits is the warden's own reading of the same files.
 */
#ifndef FG_GATEWAY_CONTROL_PEOPLE_H
#define FG_GATEWAY_CONTROL_PEOPLE_H

#include "crypto/genesis.h"

struct people;

/*
 * Reads genesis from genesis_fd and follows authority/signers/<n>.json below
 * data_dir. FG_ENOTFOUND without a genesis, FG_EFORMAT, FG_EPERM with ret_why.
 * genesis_fd stays the caller's.
 */
int people_load(int genesis_fd, const char *data_dir, struct people **ret, char *ret_why, size_t cap);
void people_free(struct people *p);
const struct genesis *people_genesis(const struct people *p);
const uint8_t *people_genesis_digest(const struct people *p);
/* Canonical bytes of genesis. */
struct view people_genesis_text(const struct people *p);
/* The set in force, and its statement. */
const struct signers *people_set(const struct people *p);
struct view people_set_text(const struct people *p);
/* The set in force as it counts: without suspended keys. */
const struct signers *people_counting(const struct people *p);
const struct signers_suspended *people_suspended(const struct people *p, unsigned *ret_n);
/* When that key was suspended; 0 if it is not. */
int64_t people_suspended_at(const struct people *p, const struct sshkey *key);
/* Under the set in force. A key it does not list changes nothing; the first word stays. 0 or FG_ECRYPTO. */
int people_suspend(struct people *p, const uint8_t key[DIGEST_SHA256_LEN], int64_t at);
/*
 * Follows the sets that came since. *ret_new says that there was one: what was
 * suspended is forgotten then, and to be said again where it still holds.
 */
int people_reload(struct people *p, bool *ret_new, char *ret_why, size_t cap);

struct people_past { /* one set that is or was in force */
	uint32_t number, keys, persons, threshold;
	int64_t time;
	uint8_t digest[DIGEST_SHA256_LEN]; /* of its statement */
};
/* Every set since genesis, in order. */
const struct people_past *people_history(const struct people *p, size_t *ret_n);
/* A person of the set in force. */
bool people_knows(const struct people *p, const char *principal);

#endif
