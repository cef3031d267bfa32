/* SPDX-License-Identifier: Apache-2.0 */
/*
 * suspensions - keys that one person's word has taken out of the count, in the
 * warden's own memory and file. One holds under the signer set it was spoken
 * under, every earlier one, and every set written before it; a set written
 * later, signed by a quorum, ends it by listing the key again or leaving it out.
 */
#ifndef FG_GATEWAY_WARDEN_SUSPENSIONS_H
#define FG_GATEWAY_WARDEN_SUSPENSIONS_H

#include "crypto/signers.h"

#define SUSPENSIONS_MAX (SIGNERS_MAX * SIGNERS_CHAIN_MAX) /* every key of every set there can be */

struct suspensions;

/* Reads the file "suspended" below dir, making it if it is missing. 0, FG_EIO, FG_ELIMIT, FG_ENOMEM. dir stays the caller's. */
int suspensions_open(int dir, struct suspensions **ret);
void suspensions_close(struct suspensions *s);
/*
 * Spoken again it is the same word, at a later time a later one, and nothing is added for an earlier one.
 * In force from the moment of the call, also with FG_EIO (not written down); not with FG_ELIMIT, FG_ENOMEM.
 */
int suspensions_add(struct suspensions *s, uint32_t number, const uint8_t key[DIGEST_SHA256_LEN], int64_t at);
/* Those in force that name keys of the set; returns how many. FG_ECRYPTO. */
int suspensions_of(const struct suspensions *s, const struct signers *set, struct signers_suspended ret[SIGNERS_MAX]);

#endif
