/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint - a log's signed tree head (c2sp.org/tlog-checkpoint@v1.0.0): a
 * note whose text is origin, size and root.
 * Role: the audit role signs them; warden, fotagate-verify, witnesses and
 * auditors open them. Guarantees: one tree head has one text; sizes have no
 * leading zero and fit int64_t; a checkpoint counts only when the log's own key
 * signed it, whoever else did.
 *
 * Extension lines: we never write one (nobody could audit it) and
 * checkpoint_open refuses them unless the caller allows a number, which only
 * makes sense for other people's logs.
 */
#ifndef FG_CRYPTO_CHECKPOINT_H
#define FG_CRYPTO_CHECKPOINT_H

#include "crypto/merkle.h"
#include "crypto/note.h"
#include "crypto/view.h"
#include "crypto/writer.h"

#define CHECKPOINT_ORIGIN_MAX NOTE_NAME_MAX
#define CHECKPOINT_TEXT_MAX 4096    /* three lines (at most 194 bytes) and foreign extensions */
#define CHECKPOINT_EXTENSIONS_MAX 16 /* the most a caller may allow */

struct checkpoint {
	char origin[CHECKPOINT_ORIGIN_MAX + 1];
	uint64_t size;
	uint8_t root[MERKLE_HASH_LEN];
	unsigned extensions; /* lines seen and otherwise ignored */
};

enum checkpoint_outcome {
	CHECKPOINT_UNKNOWN = 0,
	CHECKPOINT_VERIFIED,
	CHECKPOINT_MALFORMED,    /* the note, or its text */
	CHECKPOINT_NOT_BY_LOG,   /* no line of the log's key */
	CHECKPOINT_BAD_SIGNATURE, /* of the log or a given witness */
	CHECKPOINT_WRONG_ORIGIN, /* genuinely signed, but by that key for another log */
};

struct checkpoint_opened {
	enum checkpoint_outcome outcome;
	struct checkpoint head; /* all zero unless verified */
	unsigned witnesses;     /* distinct given witnesses whose line verified */
	bool witnessed[NOTE_KEYS_MAX - 1];     /* by index into witnesses */
	uint64_t witnessed_at[NOTE_KEYS_MAX - 1]; /* their time, epoch seconds */
};

const char *checkpoint_outcome_name(enum checkpoint_outcome outcome);

/* Appends the three lines. FG_EINVAL: origin no valid key name, size over MERKLE_SIZE_MAX. */
int checkpoint_encode(const struct checkpoint *c, struct writer *w);
/*
 * A note's text: three lines and at most `extensions` more, each not empty.
 * FG_EFORMAT otherwise, and for a size of zero whose root is not the empty
 * tree's.
 */
int checkpoint_parse(struct view text, unsigned extensions, struct checkpoint *ret);
/*
 * Appends the signed note. FG_EINVAL also when the signer's name is not the
 * origin: one log, one name. The caller has made the entries durable first.
 */
int checkpoint_sign(const struct checkpoint *c, const struct note_signer *log, struct writer *w);
/*
 * Opens a checkpoint of one log: log's key must have signed it, and origin
 * (NULL = the log key's name) must be its first line. Witness keys may be of
 * either type; theirs are counted, their bad signatures refuse the note. 0 with
 * *ret filled; FG_EINVAL for clashing keys or too many; FG_ENOMEM, FG_ECRYPTO.
 */
int checkpoint_open(struct view note, const char *origin, const struct note_key *log,
    const struct note_key *witnesses, size_t n, unsigned extensions,
    struct checkpoint_opened *ret);

#endif
