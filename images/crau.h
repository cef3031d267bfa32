/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crau - Android's payload.bin ("CrAU", major version 2; update_engine): a
 * manifest of operations on partitions, signed, and the bytes they use.
 * Role: walker of FORMAT_ANDROID_PAYLOAD. Both signatures are judged as
 * update_engine does; operations are checked against the signed manifest; a
 * full payload is expanded, so that partitions are hashed, compared and walked.
 * Of a delta it is told what the old and the new partitions hash to; delta_crau.c
 * applies it where the old ones are at hand.
 *
 * Guarantees: one pass over the manifest, which is held in memory (up to
 * CRAU_MANIFEST_MAX); operations, extents and partitions are counted and capped;
 * partitions are expanded through the frame, block by block.
 */
#ifndef FG_IMAGES_CRAU_H
#define FG_IMAGES_CRAU_H

#include "images/walk.h"

#define CRAU_HEADER_LEN 24u
#define CRAU_MANIFEST_MAX (32u << 20)  /* a large delta has 5 MiB */
#define CRAU_SIGNATURES_MAX 8u         /* key rotation has two */
#define CRAU_PARTITIONS_MAX 128u       /* a phone has 40 */
#define CRAU_OPERATIONS_MAX (1u << 18) /* 2 MiB each: half a TiB */
#define CRAU_EXTENTS_MAX (1u << 20)
#define CRAU_XZ_MEMORY ((uint64_t)128 << 20) /* xz -9 needs 65 MiB to unpack */

int crau_walk(struct walk *w);

/* ---- for the walker's own parts (crau_manifest.c, crau_expand.c) ---- */

enum crau_type {
	CRAU_REPLACE = 0,
	CRAU_REPLACE_BZ = 1,
	CRAU_MOVE = 2,
	CRAU_BSDIFF = 3,
	CRAU_SOURCE_COPY = 4,
	CRAU_SOURCE_BSDIFF = 5,
	CRAU_ZERO = 6,
	CRAU_DISCARD = 7,
	CRAU_REPLACE_XZ = 8,
	CRAU_PUFFDIFF = 9,
	CRAU_BROTLI_BSDIFF = 10,
	CRAU_ZUCCHINI = 11,
	CRAU_LZ4DIFF_BSDIFF = 12,
	CRAU_LZ4DIFF_PUFFDIFF = 13,
	CRAU_TYPE_LIMIT,
};

/* Blocks that an operation writes, in the order of its output; or reads, in that of its input. */
struct crau_extent {
	uint64_t start, count; /* blocks; start + count does not overflow, but for what is read */
	uint32_t operation;    /* index into the manifest's */
	uint32_t index;        /* its own: one operation's extents follow each other */
	uint64_t before;       /* blocks of its operation's extents in front of it */
};

struct crau_operation {
	enum crau_type type;
	uint64_t data_offset, data_length; /* from the start of the blobs, and within them */
	bool have_hash, have_source_hash, reads_source;
	uint8_t sha256[DIGEST_SHA256_LEN], source_sha256[DIGEST_SHA256_LEN];
	uint64_t blocks, source_blocks; /* that it writes; that it reads of the old partition */
	uint32_t source, sources;       /* these blocks: first of the manifest's, and how many */
};

struct crau_partition {
	struct view name; /* hostile; borrowed */
	bool have_old, have_new, runs;
	uint64_t old_size, new_size;
	uint8_t old_sha256[DIGEST_SHA256_LEN], new_sha256[DIGEST_SHA256_LEN];
	uint32_t operation, operations; /* first, and how many; the partition's lie together */
	uint32_t extent, extents;
	bool delta;  /* an operation needs the old partition */
	bool broken; /* told; not to be expanded */
};

struct crau_manifest {
	uint8_t *bytes; /* owned */
	uint64_t block_size, minor;
	bool have_timestamp, have_signatures, partial;
	uint64_t timestamp;
	uint64_t signatures_offset, signatures_size; /* of the payload's signature, from the blobs on */
	struct view patch_level;
	struct crau_partition partition[CRAU_PARTITIONS_MAX];
	unsigned partitions;
	struct crau_operation *operation; /* owned */
	size_t operations, operations_cap;
	struct crau_extent *extent; /* owned */
	size_t extents, extents_cap;
	struct crau_extent *source; /* owned; blocks that are read */
	size_t sources, sources_cap;
	unsigned unknown; /* fields that nobody here knows */
};

struct crau_header {
	uint64_t manifest, signature; /* lengths */
	uint64_t blobs;               /* where they begin */
};

/* What it says, in a file of size bytes. NULL, or what is wrong. */
const char *crau_header_read(const uint8_t bytes[CRAU_HEADER_LEN], uint64_t size, struct crau_header *ret);

/* Who is told what is wrong with a manifest: the walker, or whoever applies it. text may hold hostile bytes. */
struct crau_teller {
	void (*raise)(void *arg, enum finding_id id, const uint64_t *offset, const char *text);
	void *arg;
};

/*
 * Parses and checks the manifest of n bytes, which m takes over; whatever is
 * wrong is raised. *ret_usable: operations may be looked at. 0 or local failure.
 */
int crau_manifest_read(const struct crau_teller *t, uint8_t *bytes, size_t n, struct crau_manifest *m,
    bool *ret_usable);
void crau_manifest_free(struct crau_manifest *m);

/* Where the blobs are not one operation's after the other's: nobody's bytes, or bytes of two. */
struct crau_seam {
	uint64_t at;     /* in the blobs */
	uint64_t unused; /* bytes from there on that no operation uses; 0: these share some */
	const struct crau_operation *one, *other;
};
/*
 * update_engine reads the blobs, of that length, once and forward: every byte of them is one operation's. fn is
 * told of each place where that is not so, in their order; operations that leave the blobs are left out, and
 * for the caller to tell of. 0, FG_ENOMEM, or what fn returned, which ends it.
 */
int crau_seams(const struct crau_manifest *m, uint64_t length, int (*fn)(void *arg, const struct crau_seam *seam), void *arg);
/* "REPLACE_BZ"; "of an unknown kind" for anything else. */
const char *crau_type_name(enum crau_type type);

/*
 * Holds every operation's bytes against its hash, and each full partition, once
 * expanded, against its own; lists partitions as members. blobs is where the
 * operations' bytes lie in w->image. Where operations share bytes that is told,
 * and nothing hashed or listed. 0 or local failure.
 */
int crau_expand(struct walk *w, struct crau_manifest *m, struct sig_range blobs, struct walk_signed by);

#endif
