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
/* The set in force. */
const struct signers *people_set(const struct people *p);
/* A person of the set in force. */
bool people_knows(const struct people *p, const char *principal);

#endif
