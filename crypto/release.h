/* SPDX-License-Identifier: Apache-2.0 */
/*
 * release - the warden's record of what may be served: bytes, scope and the
 * signatures it rests on. Canonical JSON; its SHA-256 names it (first 16 bytes
 * = release id). Read by edges (rows beyond it are refused), control, auditors.
 */
#ifndef FG_CRYPTO_RELEASE_H
#define FG_CRYPTO_RELEASE_H

#include "crypto/approval.h"

#define RELEASE_BLOCK 65536u       /* bytes of one checked block */
#define RELEASE_RECORD_MAX 32768
#define RELEASE_ID 16
#define RELEASE_STATEMENTS_MAX 16

struct release_statement {
	char approver[SIGNERS_PRINCIPAL_MAX];
	uint8_t statement[DIGEST_SHA256_LEN]; /* of the statement's bytes */
	uint8_t signature[DIGEST_SHA256_LEN]; /* of the armoured signature's bytes */
	uint8_t key[DIGEST_SHA256_LEN];       /* fingerprint of the key */
};

struct release {
	struct approval_terms terms;
	uint64_t size;
	uint32_t block_size;                  /* RELEASE_BLOCK */
	uint64_t blocks;                      /* ceil(size / block_size) */
	uint8_t blocks_sha256[DIGEST_SHA256_LEN]; /* over the concatenated block digests */
	uint32_t quorum;                      /* persons that were needed */
	uint32_t signers_number;              /* set they were judged against */
	uint64_t log_size;                    /* log state at issue */
	int64_t issued;
	/* Nobody signed for this one: the statements are those of a standing one that covers it; its approval_key(). */
	bool by_standing;
	uint8_t standing[DIGEST_SHA256_LEN];
	/*
	 * Of those: when the first of the statements was written. A module that came, or came into its group, later is
	 * none of those its signers meant. 0: a record of before, which is for no module.
	 */
	int64_t as_of;
	/* Break-glass: one person let it through alone. It begins so many seconds after it was issued; 0: it is none. */
	uint32_t glass;
	uint32_t statements_n;
	struct release_statement statement[RELEASE_STATEMENTS_MAX];
};

/* Canonical bytes; FG_EINVAL for times outside 1970..9999, FG_ELIMIT, FG_ENOMEM. */
int release_encode(const struct release *r, struct writer *w);
/* Canonical, complete, consistent; FG_EFORMAT with ret_why otherwise. */
int release_parse(struct view text, struct release *ret, char *ret_why, size_t cap);
/* What those who signed for it signed: its terms; of break-glass without when it begins. Not for by_standing. */
void release_signed_terms(const struct release *r, struct approval_terms *ret);
int release_id(struct view record, uint8_t out[RELEASE_ID]);

#endif
