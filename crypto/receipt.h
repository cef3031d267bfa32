/* SPDX-License-Identifier: Apache-2.0 */
/*
 * receipt - an offline proof that an entry is in a log
 * (c2sp.org/tlog-proof@v1): index, inclusion proof, signed checkpoint, and
 * optionally the entry itself as the format's extra data.
 * Role: audit and the command line write them, fotagate-verify and auditors
 * check them. Guarantees: one receipt has one text; a file that parses holds
 * nothing but its parts; the extra data is believed only because its leaf hash
 * is proven, as the format demands.
 */
#ifndef FG_CRYPTO_RECEIPT_H
#define FG_CRYPTO_RECEIPT_H

#include "crypto/checkpoint.h"
#include "crypto/merkle.h"
#include "crypto/view.h"
#include "crypto/writer.h"

#define RECEIPT_EXTRA_MAX 65535u /* an entry, as long as a bundle can hold */
/* Base64 of that, 64 hash lines of 45 bytes, two short lines, the largest note. */
#define RECEIPT_SIZE_MAX (87384u + 64 * 45 + 128 + NOTE_SIZE_MAX)

/* Parsed or to be written. extra and note are borrowed when encoding. */
struct receipt {
	uint64_t index;
	struct merkle_proof proof;
	struct view extra; /* the entry's bytes, or empty */
	struct view note;  /* the checkpoint, verbatim */
};

enum receipt_outcome {
	RECEIPT_UNKNOWN = 0,
	RECEIPT_VERIFIED,
	RECEIPT_BAD_CHECKPOINT, /* see checkpoint.outcome */
	RECEIPT_NOT_INCLUDED,   /* the proof does not lead from this entry to that root */
};

struct receipt_checked {
	enum receipt_outcome outcome;
	struct checkpoint_opened checkpoint;
};

const char *receipt_outcome_name(enum receipt_outcome outcome);

/* Appends the file's text. FG_EINVAL for parts that do not fit the format. */
int receipt_encode(const struct receipt *r, struct writer *w);
/*
 * All of text. FG_EFORMAT or FG_ELIMIT. ret->note borrows from text, ret->extra
 * from store, which the caller initialised (writer_init, RECEIPT_EXTRA_MAX) and frees.
 */
int receipt_parse(struct view text, struct writer *store, struct receipt *ret);
/*
 * Is entry the index-th of the log whose key is given? entry may be r->extra.
 * Parameters from origin on as for checkpoint_open. 0 with *ret filled;
 * FG_EINVAL, FG_ENOMEM, FG_ECRYPTO.
 */
int receipt_verify(struct merkle *m, const struct receipt *r, struct view entry,
    const char *origin, const struct note_key *log, const struct note_key *witnesses, size_t n,
    struct receipt_checked *ret);

#endif
