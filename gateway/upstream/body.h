/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body - the file one fetch fills, over as many answers as it takes: what is
 * kept of it, its running SHA-256, and the comparison of a part that comes a
 * second time with what came the first time.
 * Called by fetch. Guarantees: bytes [0, size) of the file are those that were
 * hashed, in order and without holes; never more than the cap.
 */
#ifndef FG_GATEWAY_UPSTREAM_BODY_H
#define FG_GATEWAY_UPSTREAM_BODY_H

#include "crypto/digest.h"

/*
 * Bytes asked for again when a fetch goes on: a vendor that has other content
 * under the same validator is found out before old and new are mixed. Compressed
 * images differ everywhere behind their first difference.
 */
#define BODY_OVERLAP 16384

enum body_outcome {
	BODY_FAILED = 0, /* the file could not be written or read */
	BODY_TAKEN,
	BODY_FULL,       /* beyond the cap; nothing of this piece was taken */
	BODY_DIFFERS,    /* not what came the first time; nothing is lost */
};

struct body {
	int fd; /* borrowed; for reading and writing */
	uint64_t size, max;
	uint64_t at; /* where the next piece belongs; below size: it came before */
	struct digest *digest;
};

/* Empties the file. 0, FG_EIO, FG_ENOMEM. */
int body_begin(struct body *b, int fd, uint64_t max);
/* Empties it again: what came is worth nothing. 0, FG_EIO, FG_ENOMEM. */
int body_restart(struct body *b);
/*
 * Takes up what an earlier life left in fd: the first n bytes are hashed from the
 * start, and sha256 must come out. The rest is cut off. FG_EFORMAT: they are not
 * those, and b is not usable. FG_EIO, FG_ENOMEM.
 */
int body_adopt(struct body *b, int fd, uint64_t max, uint64_t n, const uint8_t sha256[DIGEST_SHA256_LEN]);
/* Where to go on: a little before the end. The next piece is expected there. */
uint64_t body_rewind(struct body *b);
enum body_outcome body_take(struct body *b, struct view piece);
/* Has what is kept on disk. 0 or FG_EIO. */
int body_sync(const struct body *b);
/* Of what is kept. 0 or FG_ECRYPTO. */
int body_sha256(const struct body *b, uint8_t out[DIGEST_SHA256_LEN]);
/* The file stays the caller's. */
void body_end(struct body *b);

#endif
