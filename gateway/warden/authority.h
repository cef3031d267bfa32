/* SPDX-License-Identifier: Apache-2.0 */
/*
 * authority - the warden's own chain of signer sets: genesis, then every
 * numbered set in data_dir/authority/signers, each checked against its
 * predecessor. Nothing control says can add to it.
 */
#ifndef FG_GATEWAY_WARDEN_AUTHORITY_H
#define FG_GATEWAY_WARDEN_AUTHORITY_H

#include "crypto/genesis.h"

#define AUTHORITY_SIGS_MAX SIGNERS_MAX /* signatures looked at per statement */

struct authority;

struct authority *authority_new(void);
void authority_free(struct authority *a);
/* One file of the boot dialogue, all of fd (which stays the caller's): genesis.json or one signature. */
int authority_genesis(struct authority *a, int fd);
int authority_genesis_sig(struct authority *a, int fd);
/*
 * Checks genesis against its signatures at the time it was made, then follows
 * signers/<n>.json with signers/<n>.sig.<i> below dirfd until one is missing.
 * FG_EPERM or FG_EFORMAT with ret_why for anything that does not hold: there is
 * no gateway without its authority.
 */
int authority_load(struct authority *a, int dirfd, char *ret_why, size_t cap);
const struct genesis *authority_genesis_get(const struct authority *a);
/* Its bytes. Borrowed. */
struct view authority_genesis_text(const struct authority *a);
/* The set in force. */
const struct signers *authority_current(const struct authority *a);
/* Its statement; borrowed until the next set is taken. */
struct view authority_text(const struct authority *a);
/* Takes the next set, which the caller has judged (crypto/succession.h). 0, FG_ENOMEM; FG_ESTATE when it is not the next. */
int authority_adopt(struct authority *a, const struct signers *next, struct view text);
/*
 * The set in force as it counts now: without those keys. Replaces what was said before; to
 * be said again after authority_adopt(), which forgets it. 0 or FG_ECRYPTO, and then nobody counts.
 */
int authority_suspend(struct authority *a, const struct signers_suspended *gone, unsigned n);
const struct signers *authority_counting(const struct authority *a);
/* The set of that number, NULL if there is none. */
const struct signers *authority_set(const struct authority *a, uint32_t number);

#endif
