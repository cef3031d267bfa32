/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper - what a witness remembers: one file a log, which holds the last
 * checkpoint it cosigned, with its own line.
 * Role: the whole of fotagate-witness but its HTTP. Guarantees: a cosignature
 * leaves only after the file that remembers it is durable (written aside,
 * synced, renamed, its directory synced), and only when it extends what the
 * file remembered; one process at a time holds the directory. What a restored
 * or lost directory has forgotten, nobody here can know.
 */
#ifndef FG_GATEWAY_WITNESS_KEEPER_H
#define FG_GATEWAY_WITNESS_KEEPER_H

#include "crypto/witness.h"
#include "crypto/witness_policy.h"

#define KEEPER_WHY_MAX 512
#define KEEPER_NAME_LEN 64 /* SHA-256 of the origin in hex: the file's name */

struct keeper;

struct keeper_log { /* borrowed; lives until the next submission */
	const char *origin;
	char name[KEEPER_NAME_LEN + 1];
	struct witness_memory memory;
	struct view note; /* the cosigned checkpoint; empty before the first */
};

/*
 * Takes dirfd (a directory), also on failure, and locks it. logs and signer are
 * copied. 0; FG_ESTATE: another process has it; FG_EFORMAT: a file of it is not
 * what a witness wrote, or is by a key that the list of logs no longer names.
 * why says which.
 */
int keeper_open(int dirfd, const struct witness_policy *logs, const struct note_signer *signer, struct keeper **ret,
    char why[KEEPER_WHY_MAX]);
void keeper_close(struct keeper *k);

struct keeper_answer {
	unsigned status;              /* HTTP */
	const char *type;             /* of the body; NULL: none */
	enum witness_outcome outcome; /* WITNESS_UNKNOWN: it could not be judged or not be kept */
	const char *origin;           /* NULL unless the log is known; borrowed from the keeper */
	uint64_t size;                /* of the checkpoint, once its log signed it */
	int err;                      /* why, when the status is 500 */
};

/*
 * One request, judged, kept and answered; the body of the answer is appended to
 * w (WITNESS_ANSWER_MAX). Whatever happens there is a status. A fork is kept in
 * a file of its own, NAME.fork, the first time: the two checkpoints convict the log.
 */
void keeper_submit(struct keeper *k, struct view body, uint64_t now_s, struct writer *w, struct keeper_answer *ret);
/* The i-th log; false at the end. */
bool keeper_get(const struct keeper *k, size_t i, struct keeper_log *ret);

#endif
