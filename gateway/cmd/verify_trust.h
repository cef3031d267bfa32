/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_trust - what the auditor brought along: text files kept outside the
 * gateway. Lines: "genesis <64 hex>" and those of c2sp.org/tlog-policy (log,
 * witness, group, quorum). Without them nothing can be more than
 * self-consistent. Several files are read as one.
 */
#ifndef FG_GATEWAY_CMD_VERIFY_TRUST_H
#define FG_GATEWAY_CMD_VERIFY_TRUST_H

#include "crypto/checkpoint.h"
#include "crypto/digest.h"
#include "crypto/witness_policy.h"

#define VERIFY_TRUST_GENESES 32 /* gateways in one file */

struct verify_trust { /* about 60 KiB; zero trusts nothing */
	unsigned geneses;
	uint8_t genesis[VERIFY_TRUST_GENESES][DIGEST_SHA256_LEN];
	struct witness_policy policy;
};

/* Adds a file. 0, or an error after saying on stderr which line is unusable and why. */
int verify_trust_read(const char *path, struct verify_trust *t);
bool verify_trust_has_genesis(const struct verify_trust *t, const uint8_t digest[DIGEST_SHA256_LEN]);
/* The key of the log with that origin, or NULL. */
const struct note_key *verify_trust_log(const struct verify_trust *t, struct view origin);
/*
 * Whether enough witnesses have signed: the quorum the files ask for; without a
 * quorum line, every witness they name.
 */
bool verify_trust_witnessed(const struct verify_trust *t, const struct checkpoint_opened *opened);

#endif
