/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_chain - what the mending of signer sets (cli_sets) and of policies (cli_policies) after a repair of the log
 * have in common. Offline; hostile input is the folder that somebody hands over.
 */
#ifndef FG_GATEWAY_CMD_CLI_CHAIN_H
#define FG_GATEWAY_CMD_CLI_CHAIN_H

#include "crypto/entry.h"
#include "crypto/succession.h"
#include "gateway/cmd/cli_opt.h"
#include "gateway/warden/authority.h"

/* A chain under repair: where it lies, what it is compared with, and why not. */
struct cli_chain {
	const struct cli_common *c;
	const char *noun, *nouns;             /* "signer set", "signer sets" */
	char authority_path[CLI_OPT_PATH_MAX];
	char there[CLI_OPT_PATH_MAX];         /* signers/ of the export, where policies are too */
	int authority, approved, audit, papers; /* folders: three of data_dir's, and there; -1 */
	struct authority *a;                  /* genesis and sets that are here, as far as they hold */
	char why_here[256], why_there[256];
};

/* Opens the folders. 0 or an exit status after saying why; to be closed in either case. */
int cli_chain_open(struct cli_chain *h, const struct cli_common *c, const char *noun, const char *nouns, const char *data,
    const char *from);
void cli_chain_close(struct cli_chain *h);
/* The exit status after saying that path could not be read or written. */
int cli_chain_local(const struct cli_chain *h, const char *path, int err);
/* a anew, with genesis and as many of its signatures as there are. FG_ENOMEM, FG_EIO, or what the warden's code says of it. */
int cli_chain_genesis(struct cli_chain *h);
/*
 * One is put in force when the log has it. If it is known here and not in the log, the log was longer once, and what
 * follows from here would be a fork: it is condemned again. The exit status.
 */
int cli_chain_refuse(const struct cli_chain *h, uint64_t size, uint32_t known);
/* The number behind prefix in an entry's object, 1 to max; 0: it is none. */
uint32_t cli_chain_number(const struct entry *e, const char *prefix, uint32_t max);

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
