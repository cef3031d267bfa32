/* SPDX-License-Identifier: Apache-2.0 */
#include "images/casync.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/reader.h"

/*
 * All little-endian: head { size, type, flags, least, middle, most }, table head
 * { all ones, type }, a line { end of the chunk, digest } for each chunk, and a
 * last line { 0, 0, size of the head, size of the table, mark }.
 */
#define HEAD 48u
#define TABLE_HEAD 16u
#define LINE 40u
#define TYPE_INDEX UINT64_C(0x96824d9c7b129ff9)
#define TYPE_TABLE UINT64_C(0xe75b9e112f17417d)
#define TAIL_MARK UINT64_C(0x4b4f050e5549ecd1)
#define FLAG_SHA512_256 (UINT64_C(1) << 61) /* digests are of that kind, else SHA-256 */
#define CHUNK_MOST (UINT64_C(128) << 20)    /* casync's own bound on a chunk */
#define LINES 1024u                         /* read at once */

struct index {
	struct walk *w;
	uint64_t flags, least, most;
	uint64_t chunks;
	uint64_t end; /* of the chunk before */
};

static int
malformed(struct index *x, uint64_t at, const char *why)
{
	walk_raise(x->w, FINDING_FMT_MALFORMED, &at, "index of casync: %s", why);
	return FG_EFORMAT;
}

static int
head(struct index *x)
{
	uint8_t bytes[HEAD + TABLE_HEAD];
	struct reader r;
	uint64_t size = x->w->image->size;
	if (size < HEAD + TABLE_HEAD + LINE || (size - HEAD - TABLE_HEAD) % LINE != 0)
		return malformed(x, size, "it is cut, or something follows");
	int err = source_read(x->w->image, 0, bytes, sizeof bytes);
	if (err)
		return err;
	reader_init(&r, view_of(bytes, sizeof bytes));
	bool fits = reader_u64le(&r) == HEAD && reader_u64le(&r) == TYPE_INDEX;
	x->flags = reader_u64le(&r);
	x->least = reader_u64le(&r);
	uint64_t middle = reader_u64le(&r);
	x->most = reader_u64le(&r);
	fits = fits && reader_u64le(&r) == UINT64_MAX && reader_u64le(&r) == TYPE_TABLE;
	if (!fits)
		return malformed(x, 0, "the heads of index and table do not fit");
	if (x->least == 0 || x->least > middle || middle > x->most || x->most > CHUNK_MOST)
		return malformed(x, 24, "the sizes of chunks contradict each other");
	x->chunks = (size - HEAD - TABLE_HEAD) / LINE - 1;
	if (x->chunks > CASYNC_CHUNKS_MAX)
		return malformed(x, HEAD, "more chunks than are looked at");
	return 0;
}

/* One chunk: where it ends; only the last may be shorter than the least. */
static int
line(struct index *x, struct view bytes, uint64_t at, bool last)
{
	struct reader r;
	reader_init(&r, bytes);
	uint64_t end = reader_u64le(&r);
	uint64_t n = end > x->end ? end - x->end : 0;
	if (n == 0 || n > x->most || (!last && n < x->least))
		return malformed(x, at, "a chunk is shorter or longer than chunks are");
	x->end = end;
	return 0;
}

static int
lines(struct index *x)
{
	uint8_t *bytes = malloc(LINES * LINE);
	int err = bytes ? 0 : FG_ENOMEM;
	for (uint64_t i = 0; i < x->chunks && !err;) {
		size_t n = x->chunks - i < LINES ? (size_t)(x->chunks - i) : LINES;
		uint64_t at = HEAD + TABLE_HEAD + i * LINE;
		err = source_read(x->w->image, at, bytes, n * LINE);
		for (size_t k = 0; k < n && !err; k++)
			err = line(x, view_of(bytes + k * LINE, LINE), at + k * LINE, i + k + 1 == x->chunks);
		i += n;
	}
	free(bytes);
	return err;
}

static int
tail(struct index *x)
{
	uint8_t bytes[LINE];
	struct reader r;
	uint64_t at = HEAD + TABLE_HEAD + x->chunks * LINE;
	int err = source_read(x->w->image, at, bytes, sizeof bytes);
	if (err)
		return err;
	reader_init(&r, view_of(bytes, sizeof bytes));
	bool fits = reader_u64le(&r) == 0 && reader_u64le(&r) == 0 && reader_u64le(&r) == HEAD &&
	            reader_u64le(&r) == x->w->image->size - HEAD && reader_u64le(&r) == TAIL_MARK;
	return fits ? 0 : malformed(x, at, "the last line does not fit the table");
}

int
casync_walk(struct walk *w)
{
	struct index x = { .w = w };
	char text[CONTENTS_VALUE_MAX];
	int err = head(&x);
	if (!err)
		err = lines(&x);
	if (!err)
		err = tail(&x);
	if (err)
		return err == FG_EFORMAT ? 0 : err;
	snprintf(text, sizeof text, "%" PRIu64 " bytes in %" PRIu64 " chunks named by their %s", x.end, x.chunks,
	    x.flags & FLAG_SHA512_256 ? "SHA-512/256" : "SHA-256");
	walk_fact(w, CONTENTS_FACT_REQUIRES, (struct walk_signed){ 0 }, view_str(text));
	walk_raise(w, FINDING_FMT_WALK_LIMIT, NULL,
	    "index of casync: the %" PRIu64 " chunks of %" PRIu64 " bytes are kept elsewhere and were not seen",
	    x.chunks, x.end);
	return 0;
}
