/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_signers - who may sign: the export's genesis and the chain of signer
 * sets that follows from it, every signature in the folder good.
 */
#ifndef FG_GATEWAY_CMD_VERIFY_SIGNERS_H
#define FG_GATEWAY_CMD_VERIFY_SIGNERS_H

#include "crypto/genesis.h"
#include "gateway/cmd/verify_log.h"

struct verify_signers {
	struct genesis genesis;
	uint8_t digest[DIGEST_SHA256_LEN]; /* of genesis.json */
	struct signers *later;             /* sets 1.., owned */
	uint8_t (*later_digest)[DIGEST_SHA256_LEN]; /* of their files, owned */
	unsigned *signatures;              /* files beside each set, 0..later_n, owned */
	uint32_t later_n;
};

/*
 * Reads signers/ of the export. FG_OK; FG_EFORMAT after counting in l why it does
 * not hold; local failure.
 */
int verify_signers_read(struct verify_log *l, struct verify_signers *ret);
void verify_signers_free(struct verify_signers *s);
/* The set of that number, or NULL. */
const struct signers *verify_signers_set(const struct verify_signers *s, uint32_t number);
/* SHA-256 of its file; number exists. */
const uint8_t *verify_signers_digest(const struct verify_signers *s, uint32_t number);
/*
 * Distinct persons of `by` whose signatures beside that set are good, at the set's own
 * time. Local failure only; files that are gone count for nothing.
 */
int verify_signers_count(const struct verify_log *l, const struct verify_signers *s, uint32_t number,
    const struct signers *by, unsigned *ret_persons);
/* How many signatures of it the export holds; number exists. */
unsigned verify_signers_signatures(const struct verify_signers *s, uint32_t number);
/*
 * Whether the bytes of an armoured signature are the ones ssh-keygen would write:
 * then no other bytes say the same, and none can be changed unseen.
 */
bool verify_signers_is_canonical(struct view armour);

#endif
