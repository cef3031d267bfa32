/* SPDX-License-Identifier: Apache-2.0 */
/* suit_internal - what suit.c (the envelope) and suit_manifest.c (what the manifest says) share. */
#ifndef FG_IMAGES_SUIT_INTERNAL_H
#define FG_IMAGES_SUIT_INTERNAL_H

#include "crypto/cbor.h"
#include "images/suit.h"

enum { SUIT_KEY_AUTH = 2, SUIT_KEY_MANIFEST = 3 };

struct suit_digest {
	enum digest_alg alg; /* DIGEST_NONE: one that is not known here */
	struct view sum;
};

/* Array of an algorithm and bytes. False when it is none, or its length is wrong. */
bool suit_digest_read(struct reader *r, struct suit_digest *ret);

/* A part of the manifest that stands in the envelope, or may. */
struct suit_severed {
	int64_t key;
	struct suit_digest digest;
	bool found;
};

struct suit {
	struct walk *w;
	struct view all; /* the envelope */
	struct view manifest; /* inside its byte string */
	struct walk_signed by;
	unsigned severed_n, digests_n, uris_n;
	struct suit_severed severed[SUIT_PARTS_MAX];
	struct suit_digest digest[SUIT_DIGESTS_MAX]; /* of images */
	struct view uri[SUIT_DIGESTS_MAX];
	unsigned commands; /* read so far */
};

/* The manifest, its claims and commands. Findings are raised. */
void suit_manifest_read(struct suit *s);
/* A command sequence, of the manifest or severed from it. */
void suit_sequence_read(struct suit *s, struct view sequence, unsigned depth);

#endif
