/* SPDX-License-Identifier: Apache-2.0 */
/*
 * casync_index - an index of casync (.caibx of a blob, .caidx of a tree): of which chunks something is put together.
 * Role: casync.c walks it, delta_casync.c puts together what it is of. Guarantees: reads a few lines at a time; chunks that
 * are told lie one behind the other, none is empty or larger than the index says, and only the last may be shorter.
 */
#ifndef FG_IMAGES_CASYNC_INDEX_H
#define FG_IMAGES_CASYNC_INDEX_H

#include "images/source.h"

#define CASYNC_CHUNKS_MAX 10000000                 /* of the 16 KiB that are the least: 152 GiB */
#define CASYNC_CHUNK_MOST ((uint64_t)128 << 20)    /* bytes: casync's own bound on a chunk */
#define CASYNC_ID_LEN 32

struct casync_index {
	uint64_t least, middle, most; /* bytes of a chunk, as it was cut */
	enum digest_alg alg;          /* that names chunks: SHA-512/256, or SHA-256 */
	bool tree;                    /* what it is of is an archive of a directory */
	uint64_t chunks;
	uint64_t size;                /* of what they make */
};

/* Both are called with arg; any but the first may be NULL. */
struct casync_teller {
	void (*malformed)(void *arg, uint64_t at, const char *why);
	/* The heads fit: how many chunks come is known, and what they make is not. 0, or what the reading ends with. */
	int (*begin)(void *arg, const struct casync_index *x);
	/* A chunk of n bytes, and the CASYNC_ID_LEN of its name. 0, or what the reading ends with. */
	int (*chunk)(void *arg, uint64_t i, uint64_t n, const uint8_t *id);
	void *arg;
};

/* 0; FG_EFORMAT, told; what the teller said; or a local failure. */
int casync_index_read(const struct source *s, const struct casync_teller *t, struct casync_index *ret);

#endif
