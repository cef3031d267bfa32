/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zchunk_index - the lead and the header of a zchunk file: which chunks it is of, and where they lie.
 * Role: zchunk.c walks such a file, delta_zchunk.c puts one together from the chunks that another one has.
 * Guarantees: the header, up to ZCHUNK_HEADER_MAX, is in memory and its checksum fits; chunks lie one behind the
 * other, within the file or, of a header alone, behind its end.
 */
#ifndef FG_IMAGES_ZCHUNK_INDEX_H
#define FG_IMAGES_ZCHUNK_INDEX_H

#include "images/finding.h"
#include "images/source.h"

#define ZCHUNK_HEADER_MAX (16u << 20) /* bytes; a chunk takes about twenty of them */
#define ZCHUNK_CHUNK_MAX (64u << 20)  /* bytes of one chunk, packed or not: it is unpacked whole; zck's most is 10 MB */

/* How chunks are packed. */
#define ZCHUNK_PLAIN 0u
#define ZCHUNK_ZSTD 2u
/* Flags of the header. */
#define ZCHUNK_F_STREAMS 1u
#define ZCHUNK_F_OPTIONAL 2u
#define ZCHUNK_F_UNPACKED 4u /* each chunk has a checksum of its plain bytes too */

/* A kind of checksums. */
struct zchunk_kind {
	enum digest_alg alg;
	size_t n; /* bytes of it that are kept */
	const char *name;
};

struct zchunk_chunk {
	uint64_t at, packed, plain;
	const uint8_t *sum, *plain_sum; /* in the header's bytes; plain_sum NULL: there is none */
};

struct zchunk_index {
	uint8_t *header;         /* owned: its bytes, behind the lead */
	uint64_t base, header_n; /* where it begins */
	const struct zchunk_kind *whole, *each;
	const uint8_t *data_sum;
	uint64_t flags, packing;
	struct zchunk_chunk *chunk; /* owned; the first is the dictionary */
	size_t chunks;
	uint64_t end; /* where the last one does */
};

/* Who is told what is wrong, or cannot be judged. */
struct zchunk_teller {
	void (*raise)(void *arg, enum finding_id id, const uint64_t *at, const char *text);
	void (*signature)(void *arg, uint64_t type); /* one of a kind that was never defined; NULL: nobody */
	void *arg;
};

/*
 * Reads lead and header of s into *ret, to be freed whatever comes back. A file that ends with its header is
 * taken only as `alone`, if asked for. 0; FG_EFORMAT, told; or a local failure.
 */
int zchunk_index_read(const struct source *s, const struct zchunk_teller *t, bool alone, struct zchunk_index *ret);
void zchunk_index_free(struct zchunk_index *x);
/* Are these bytes the ones of said? A failure of the digest goes to *err, and then they are not. */
bool zchunk_index_fits(const struct zchunk_kind *k, struct view bytes, const uint8_t *said, int *err);
/* All zeros: there is no such checksum. */
bool zchunk_index_no_sum(const struct zchunk_kind *k, const uint8_t *said);
/* A dictionary that is not there: it has no checksum either. */
bool zchunk_index_absent(const struct zchunk_index *x, size_t i);

#endif
