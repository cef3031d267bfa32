/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delta_crau - what an Android payload makes of the old partitions: each operation's
 * bytes and each one's source held against their hashes, each old partition and
 * each new one against its own.
 * Role: an entry of delta_table.c. Guarantees: see images/delta.h. What is made
 * is made in the order of its blocks, whatever the order of the operations is; what an
 * operation makes is kept in memory, charged, from its first block to its last.
 *
 * Taken: REPLACE, REPLACE_BZ, REPLACE_XZ, ZERO, DISCARD, SOURCE_COPY, and SOURCE_BSDIFF and BROTLI_BSDIFF with
 * either form of bsdiff that update_engine reads. Refused by name: PUFFDIFF, ZUCCHINI and LZ4DIFF, which
 * no library of Debian's applies; MOVE and BSDIFF, which write what they read; blocks that the device
 * computes for itself (hash trees, FEC).
 *
 * Base and target. A payload of one partition: the partition as it is. Of several: a tar archive in which
 * each is NAME.img (or NAME; the base may hold more), and the target is one too, in the order of the manifest:
 * ustar, mode 0644, owner and time 0, so that the same partitions are the same bytes. A base of a
 * payload with one partition may be such an archive as well, where its size is not that of the old partition.
 * Partitions that no operation reads need not be there, so that a full payload is expanded against any base.
 */
#ifndef FG_IMAGES_DELTA_CRAU_H
#define FG_IMAGES_DELTA_CRAU_H

#include "images/crau.h"
#include "images/delta.h"

#define DELTA_CRAU_MANIFEST_MAX (8u << 20) /* a large delta has 5 MiB; what is read out of it is eight times as much */
#define DELTA_CRAU_MEMBERS_MAX 4096u       /* headers of a base's archive */
/*
 * What a partition's operations read of the old one, in times of what old and new have together: each block is read for
 * a few operations, and 2^18 of them that read all of it would never come to an end.
 */
#define DELTA_CRAU_READS_MAX 16u

/* A delta_fn. */
int delta_crau_apply(struct delta *d);

/* ---- for its own parts (delta_crau_base.c, delta_crau_op.c) ---- */

/* What one operation makes, where it has to be kept. */
struct delta_crau_made {
	uint8_t *bytes;     /* owned, and charged; NULL: not made yet, or used up */
	uint64_t from_base; /* bytes of it that are the base's, not yet accounted for */
	uint64_t left;      /* of it, to be put */
};

struct delta_crau {
	struct delta *d;
	struct crau_manifest m;
	struct sig_range blobs; /* in the patch */
	int refused;            /* the manifest was: what is returned then */
	size_t charged;         /* for the manifest */
	/* The partition being made. */
	const struct crau_partition *p;
	int name_n;             /* of p->name, for messages */
	bool have_old;
	struct source old;
	struct delta_crau_made *made; /* one an operation */
	struct digest *digest;
};

/* Where the old partition lies in the base; FG_EFORMAT (told) when it is not there or has another size or hash. */
int delta_crau_old(struct delta_crau *x, struct source *ret);
/* Everything about operation i that can be said without making it: told what is wrong. */
int delta_crau_check(struct delta_crau *x, uint32_t i);
/* Appends count blocks of what operation i makes, from its block `at` on, to the target and x->digest. */
int delta_crau_put(struct delta_crau *x, uint32_t i, uint64_t at, uint64_t count);

#endif
