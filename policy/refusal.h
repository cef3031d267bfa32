/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refusal - what is refused before anybody looks at it again: these bytes, this
 * version, whatever this key signs, or whatever is named like this.
 * Role: control asks when it decides about a candidate and when it counts signatures.
 * A review that was rejected keeps that one image away from that one URL; a
 * refusal stands against the same thing coming back by another way.
 * Guarantees: pure; each value has one spelling; a kind or value that cannot be
 * read matches everything of its facts (fail closed), so callers check first.
 */
#ifndef FG_POLICY_REFUSAL_H
#define FG_POLICY_REFUSAL_H

#include "crypto/digest.h"
#include "crypto/view.h"

#define REFUSAL_VALUE_MAX 512
#define REFUSAL_LITERAL_MIN 4 /* characters besides "*": to stop everything there is the halt */
#define REFUSAL_ID 16

/* Stored: values do not change. */
enum refusal_kind {
	REFUSAL_NONE = 0,
	REFUSAL_DIGEST,  /* SHA-256 of an image, 64 hex digits */
	REFUSAL_VERSION, /* "product/version" as a review names them */
	REFUSAL_SIGNER,  /* SHA-256 of a signer's SubjectPublicKeyInfo, 64 hex digits */
	REFUSAL_PATTERN, /* over "profile/product/from->to/file"; "*" is any run of characters */
	REFUSAL_KINDS
};

/* Of one candidate; borrowed. Empty and NULL are "not known", which matches nothing. */
struct refusal_facts {
	const uint8_t *image; /* DIGEST_SHA256_LEN bytes */
	const uint8_t *made;  /* of what it makes, where it is a delta */
	struct view product, target;
	struct view subject;
	const uint8_t (*signer)[DIGEST_SHA256_LEN];
	size_t signers_n;
};

/* False, ret_why a sentence, for a value that is none of that kind. */
bool refusal_check(enum refusal_kind kind, struct view value, const char **ret_why);
/*
 * Whether it names nothing, so that it would stop everything: a pattern that fits a subject whose fields are all
 * empty. Asked of new ones only: what stands against everything already is not to end by being read again.
 */
bool refusal_is_everything(enum refusal_kind kind, struct view value);
bool refusal_matches(enum refusal_kind kind, struct view value, const struct refusal_facts *f);
/* First 16 bytes of SHA-256(kind's name, 0x00, value). 0 or FG_ECRYPTO. */
int refusal_id(enum refusal_kind kind, struct view value, uint8_t out[REFUSAL_ID]);
/* "digest", "version", "signer", "pattern"; "none". */
const char *refusal_kind_name(enum refusal_kind kind);
enum refusal_kind refusal_kind_parse(struct view word);

#endif
