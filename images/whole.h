/* SPDX-License-Identifier: Apache-2.0 */
/*
 * whole - the SHA-256 that names an image, read on as far as somebody asks.
 * Role: inspect.c and the frame of walkers. A format's signature is often over
 * all that stands before it; its digest is then this one on its way to the end,
 * and those bytes are read and hashed once for both. Who reads the image in order for
 * another digest offers what was read, and it is read once for both.
 */
#ifndef FG_IMAGES_WHOLE_H
#define FG_IMAGES_WHOLE_H

#include "crypto/digest.h"
#include "images/source.h"

struct whole {
	const struct source *image; /* borrowed */
	struct digest *digest;
	uint64_t at; /* bytes of it that are hashed */
};

/* FG_ECRYPTO when OpenSSL cannot; whole_close() is due either way. */
int whole_open(struct whole *h, const struct source *image);
void whole_close(struct whole *h);
/* It can still answer for the first n bytes: there are as many, and it went no further. */
bool whole_can(const struct whole *h, uint64_t n);
/*
 * bytes of the image from at on, which somebody has read: hashed, where they are those that come next.
 * FG_ECRYPTO.
 */
int whole_offer(struct whole *h, uint64_t at, struct view bytes);
/* SHA-256 of the first n bytes. FG_ELIMIT unless it can; FG_EIO, FG_ENOMEM, FG_ECRYPTO. */
int whole_upto(struct whole *h, uint64_t n, uint8_t ret[DIGEST_SHA256_LEN]);

#endif
