/* SPDX-License-Identifier: Apache-2.0 */
/*
 * note - C2SP signed notes (c2sp.org/signed-note@v1.0.0): text and signature
 * lines that name their keys.
 * Role: the log's checkpoints and the co-signatures of witnesses and warden
 * (c2sp.org/tlog-cosignature@v1.0.1). Guarantees: input is untrusted; text
 * comes out of note_open only when at least one known key signed it and no
 * known key's signature is bad. Two signature types exist here, Ed25519 over
 * the text (0x01) and timestamped Ed25519 co-signatures (0x04); lines of other
 * keys and types are ignored, as the specification demands.
 */
#ifndef FG_CRYPTO_NOTE_H
#define FG_CRYPTO_NOTE_H

#include "crypto/ed25519.h"
#include "crypto/view.h"
#include "crypto/writer.h"

#define NOTE_NAME_MAX 127      /* origin or host name; a domain name has at most 253, ours 60 */
#define NOTE_SIZE_MAX 262144u  /* 32 post-quantum signatures of 5 KiB each, and the text */
#define NOTE_SIGS_MAX 64       /* a log, 32 witnesses, and as many that nobody here knows */
#define NOTE_KEYS_MAX 33       /* keys one verifier is given: a log and 32 witnesses */
#define NOTE_VKEY_MAX 256      /* name, 8 digits, 44 of base64, two '+' */

/* Signature types as they are hashed into key ids. */
enum note_type {
	NOTE_TYPE_NONE = 0,
	NOTE_TYPE_ED25519 = 0x01,
	NOTE_TYPE_COSIGNATURE = 0x04, /* "cosignature/v1", carries the time */
};

/* A verifier key. Plain data, copied by assignment. */
struct note_key {
	char name[NOTE_NAME_MAX + 1];
	enum note_type type;
	uint32_t id;
	uint8_t key[ED25519_KEY_LEN];
};

/* A signer. Holds a secret: note_signer_wipe when done. */
struct note_signer {
	struct note_key key;
	uint8_t seed[ED25519_SEED_LEN];
};

enum note_outcome {
	NOTE_UNKNOWN = 0,   /* nobody looked */
	NOTE_VERIFIED,
	NOTE_MALFORMED,
	NOTE_NO_KNOWN_KEY,  /* well-formed, but none of the given keys signed it */
	NOTE_BAD_SIGNATURE, /* a known key's line does not verify: the note is refused whole */
};

struct note_opened {
	enum note_outcome outcome;
	struct view text;     /* with its last "\n"; borrowed from the note; empty unless verified */
	unsigned unknown;     /* lines of keys that were not given */
	bool signed_by[NOTE_KEYS_MAX];     /* by index into keys */
	uint64_t signed_at[NOTE_KEYS_MAX]; /* co-signatures: the latest time, epoch seconds */
};

/* "verified", "malformed", ... */
const char *note_outcome_name(enum note_outcome outcome);
/* Not empty, at most NOTE_NAME_MAX bytes, UTF-8, no '+', no Unicode space, no control character. */
bool note_name_is_valid(struct view name);

/*
 * Fills a key from its parts and computes its id. FG_EINVAL for a bad name,
 * type or a key that ed25519_key_is_safe refuses; FG_ECRYPTO.
 */
int note_key_make(const char *name, enum note_type type, const uint8_t key[ED25519_KEY_LEN],
    struct note_key *ret);
/* vkey text, `name+hash+base64`, all of text; FG_EFORMAT, also when hash and key disagree. */
int note_key_parse(struct view text, struct note_key *ret);
void note_key_write(const struct note_key *key, struct writer *w);
bool note_key_equal(const struct note_key *a, const struct note_key *b);

/* A fresh key pair / one from a seed. FG_EINVAL for a bad name or type; FG_ECRYPTO. */
int note_signer_generate(const char *name, enum note_type type, struct note_signer *ret);
int note_signer_make(const char *name, enum note_type type, const uint8_t seed[ED25519_SEED_LEN],
    struct note_signer *ret);
/* skey text, `PRIVATE+KEY+name+hash+base64`; one "\n" may follow. FG_EFORMAT. */
int note_signer_parse(struct view text, struct note_signer *ret);
/* Without a line end. The writer holds a secret afterwards; writer_free wipes. */
void note_signer_write(const struct note_signer *signer, struct writer *w);
void note_signer_wipe(struct note_signer *signer);

/*
 * Appends text, the empty line and one signature line. FG_EINVAL for text a
 * note cannot hold (not ending in "\n", control characters, not UTF-8) or a
 * signer of type co-signature.
 */
int note_sign(struct view text, const struct note_signer *signer, struct writer *w);
/*
 * Appends only a co-signature line over a note's text (the body of a
 * checkpoint, its last "\n" included) at a time in epoch seconds: to be put
 * after the note's own lines. The caller has checked what it vouches for.
 */
int note_cosign(struct view text, const struct note_signer *signer, uint64_t time,
    struct writer *w);
/* The bytes a co-signature signs: "cosignature/v1\ntime <t>\n" and the text. */
void note_cosignature_message(struct view text, uint64_t time, struct writer *w);

/*
 * Appends the note with only those lines that name one of the keys (at most
 * NOTE_KEYS_MAX), judged or not, the first of each: what is worth storing of a
 * note that strangers may have added to. FG_EFORMAT when it is no note.
 */
int note_keep(struct view note, const struct note_key *keys, size_t n, struct writer *w);

/*
 * Judges a note by a set of keys (signed-note, "Signatures"). 0 with *ret
 * filled, whatever the outcome; FG_EINVAL when two keys share name and id (a
 * line would not say which) or there are more than NOTE_KEYS_MAX; FG_ENOMEM,
 * FG_ECRYPTO.
 */
int note_open(struct view note, const struct note_key *keys, size_t n, struct note_opened *ret);

#endif
