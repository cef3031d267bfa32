/* SPDX-License-Identifier: Apache-2.0 */
/*
 * witness - the witness protocol (c2sp.org/tlog-witness@v1.0.0) without its
 * transport: what a witness must check before it cosigns, and what a log may
 * believe of an answer.
 * Role: fotagate-witness and the warden judge with it, the audit role asks
 * with it. Pure: no files, no clock. Guarantees: hostile input on both sides;
 * nothing is cosigned that is not signed by the log's key and proven to extend
 * what is remembered; nothing counts as a cosignature that does not verify
 * under the key that was asked for. What is to be cosigned must be made durable
 * by the caller before the line leaves it.
 */
#ifndef FG_CRYPTO_WITNESS_H
#define FG_CRYPTO_WITNESS_H

#include "crypto/checkpoint.h"

#define WITNESS_PROOF_MAX 63        /* lines, by the specification */
#define WITNESS_REQUEST_MAX 65536u  /* a proof (2.8 KiB) and a checkpoint with a dozen large signatures */
#define WITNESS_ANSWER_MAX 16384u   /* more lines than any witness has keys */
#define WITNESS_SIZE_TYPE "text/x.tlog.size" /* Content-Type of a conflict's answer */
#define WITNESS_PATH "/add-checkpoint"

/* ---- the witness ---- */

/* Views borrow from the body. */
struct witness_request {
	uint64_t old;
	struct merkle_proof proof;
	struct view checkpoint; /* the signed note, unjudged */
	struct view origin;     /* its first line: which log it claims to be */
};

/* What a witness remembers of one log. Zero value: nothing yet. */
struct witness_memory {
	uint64_t size;
	uint8_t root[MERKLE_HASH_LEN]; /* meaningless for size 0 */
};

enum witness_outcome {
	WITNESS_UNKNOWN = 0,    /* nobody judged */
	WITNESS_COSIGN,
	WITNESS_MALFORMED,      /* 400 */
	WITNESS_UNKNOWN_LOG,    /* 404 */
	WITNESS_BAD_SIGNATURE,  /* 403 */
	WITNESS_CONFLICT,       /* 409: the old size is not the remembered one */
	WITNESS_FORK,           /* 409: the remembered size with another root. Evidence */
	WITNESS_BAD_PROOF,      /* 422: signed, but not shown to extend what is remembered */
};

struct witness_verdict {
	enum witness_outcome outcome;
	struct checkpoint head;  /* WITNESS_COSIGN: what to remember. FORK, BAD_PROOF: what was claimed */
	struct view text;        /* WITNESS_COSIGN: what to cosign; borrowed from the checkpoint */
};

/* "cosign", "malformed", "unknown-log", ... */
const char *witness_outcome_name(enum witness_outcome outcome);
/* Its HTTP status; 500 for WITNESS_UNKNOWN. */
unsigned witness_outcome_status(enum witness_outcome outcome);

/*
 * The body of an add-checkpoint. 0, or FG_EFORMAT; *ret untouched then. Also
 * refused: more than WITNESS_REQUEST_MAX bytes, a proof hash that is not one.
 */
int witness_request_parse(struct view body, struct witness_request *ret);
/*
 * Judges in the specification's order. log is the key of the log that calls
 * itself r->origin, or NULL when there is no such log. 0 with *ret filled,
 * FG_ENOMEM, FG_ECRYPTO.
 */
int witness_judge(struct merkle *m, const struct witness_request *r, const struct note_key *log,
    const struct witness_memory *memory, struct witness_verdict *ret);

/* ---- the log ---- */

/* Appends a body. FG_EINVAL: more than WITNESS_PROOF_MAX hashes. */
int witness_request_write(uint64_t old, const struct merkle_proof *proof, struct view checkpoint,
    struct writer *w);

enum witness_answer {
	WITNESS_ANSWER_UNKNOWN = 0,
	WITNESS_ANSWER_COSIGNED,
	WITNESS_ANSWER_BEHIND,  /* it remembers `size`, not what was said: ask again from there */
	WITNESS_ANSWER_AHEAD,   /* it says it cosigned a larger size than this log has */
	WITNESS_ANSWER_FORK,    /* it does not accept that this log extends what it remembers */
	WITNESS_ANSWER_NOT_US,  /* it does not know this log, or this log's key */
	WITNESS_ANSWER_UNUSABLE /* anything else: no cosignature, nothing learnt */
};

struct witness_answered {
	enum witness_answer answer;
	uint64_t size; /* COSIGNED: of the checkpoint; BEHIND, AHEAD: what it remembers */
	uint64_t time; /* COSIGNED: epoch seconds, as the witness says */
};

/* "cosigned", "behind", ... */
const char *witness_answer_name(enum witness_answer answer);
/*
 * What status and body say to a request with that old size and checkpoint (our
 * own note). A cosignature by key is appended to line, with its "\n"; lines of
 * other keys are ignored. 0 with *ret filled, whatever the answer; FG_EFORMAT
 * when checkpoint is no checkpoint; FG_ENOMEM, FG_ECRYPTO.
 */
int witness_answer_judge(unsigned status, struct view body, uint64_t old, struct view checkpoint,
    const struct note_key *key, struct writer *line, struct witness_answered *ret);

#endif
