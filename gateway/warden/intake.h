/* SPDX-License-Identifier: Apache-2.0 */
/*
 * intake - the warden's own copy of an image: out of a descriptor somebody else
 * may still write to, into an inode (and, while it fits, a sealed memfd) that
 * the warden alone ever had open for writing; only that copy is hashed.
 * Works in slices so that a revocation never waits for a large copy.
 */
#ifndef FG_GATEWAY_WARDEN_INTAKE_H
#define FG_GATEWAY_WARDEN_INTAKE_H

#include "crypto/digest.h"
#include "crypto/release.h"

#define INTAKE_IMAGE_MAX (64ull << 30) /* larger than any module's whole flash */
#define INTAKE_SLICE (8u << 20)        /* bytes between two looks at the channels */

struct intake;

struct intake_result {
	uint8_t sha256[DIGEST_SHA256_LEN];
	uint64_t size;
	uint64_t blocks;
	uint8_t blocks_sha256[DIGEST_SHA256_LEN];
	int image_fd;  /* sealed memfd if hot, else read-only descriptor of the file; owned */
	int blocks_fd; /* sealed memfd of block digests; owned */
	bool hot;
};

/*
 * Starts copying size bytes from source (stays the caller's; what it holds
 * beyond is not looked at) into a new file called name
 * in directory dirfd (-1: no file, only a memfd: used when loading what is
 * already there). hot asks for a memfd. NULL with *ret_err; FG_ELIMIT over INTAKE_IMAGE_MAX.
 */
struct intake *intake_new(int source, uint64_t size, int dirfd, const char *name, bool hot, int *ret_err);
/* Up to INTAKE_SLICE more. 0 done, FG_EAGAIN more to do, FG_EIO, FG_ELIMIT, FG_ECRYPTO. */
int intake_step(struct intake *in);
/*
 * Hands out the result and frees in; FG_ESTATE before intake_step said done,
 * FG_ELIMIT for an empty image.
 */
int intake_finish(struct intake *in, struct intake_result *ret);
/* Frees and removes the unfinished file. */
void intake_abort(struct intake *in);

#endif
