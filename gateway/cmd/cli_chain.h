/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_chain - what the mending of signer sets (cli_sets) and of policies (cli_policies) after a repair of the log
 * have in common. Offline; hostile input is the folder that somebody hands over.
 */
#ifndef FG_GATEWAY_CMD_CLI_CHAIN_H
#define FG_GATEWAY_CMD_CLI_CHAIN_H

#include "crypto/entry.h"
#include "crypto/succession.h"

/* What the log has in its first size entries; audit is the folder above it. Stops at what take returns but 0, and returns it. */
int cli_chain_entries(int audit, uint64_t size, int (*take)(void *ctx, const struct entry *e), void *ctx);

/* A statement with its signatures, as an export has them. */
struct cli_parcel {
	uint8_t *own[1 + SIGNERS_MAX]; /* what b borrows */
	struct succession_bundle b;
};
/*
 * folder/stem.json, of at most `most` bytes, and stem.sig.0 and on. FG_ENOTFOUND, FG_ELIMIT, FG_EIO, FG_ENOMEM. To be
 * freed also after an error.
 */
int cli_parcel_read(int folder, const char *stem, size_t most, struct cli_parcel *ret);
void cli_parcel_free(struct cli_parcel *p);

/*
 * Root writes as the folder's owner: whatever that one has put in the way is then only its own trouble. What write
 * returns, or FG_EIO.
 */
int cli_chain_as_owner(int folder, int (*write)(void *ctx), void *ctx);

#endif
