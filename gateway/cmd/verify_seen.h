/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_seen - what somebody remembers of a log, held against this export: a
 * checkpoint, another export, a receipt, a statement that says what its signer saw.
 * Each must be a beginning of this log. Two of one size that differ, both
 * signed by the log's key, convict the gateway: nobody else has that key.
 */
#ifndef FG_GATEWAY_CMD_VERIFY_SEEN_H
#define FG_GATEWAY_CMD_VERIFY_SEEN_H

#include "gateway/cmd/verify_log.h"

struct verify_seen {
	const char *path;
	const char *kind;      /* "checkpoint", "receipt", "statement" */
	bool usable;           /* what follows was read */
	bool by_log;           /* signed by the log's key */
	uint64_t size;
	uint8_t root[MERKLE_HASH_LEN];
	struct view file;      /* owned */
	struct view note;      /* within file; empty for a statement */
	bool has_entry;        /* a receipt: of this entry */
	uint64_t entry;
};

struct verify_memory {
	const struct note_key *key; /* of the log */
	const char *evidence;       /* folder for proofs of a fork, or NULL */
	struct verify_seen *seen;   /* n, owned */
	size_t n;
	unsigned forks;
};

/*
 * Reads each file or folder (of an export) and compares it. Problems are counted in l;
 * a file that cannot be read is one. Returns local failure only. Ended with
 * verify_seen_free in any case.
 */
int verify_seen_check(struct verify_log *l, struct verify_memory *m, const char *const *paths, size_t n);
void verify_seen_free(struct verify_memory *m);

#endif
