/* SPDX-License-Identifier: Apache-2.0 */
#include "images/casync_index.h"

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
/* What of files a tree keeps (owners, times, rights, ...); of a blob there is nothing to be kept. */
#define FLAGS_TREE ((UINT64_C(1) << 60) - 1)
#define LINES 1024u /* read at once */

struct reading {
	const struct source *s;
	const struct casync_teller *t;
	struct casync_index *x;
};

static int
malformed(const struct reading *k, uint64_t at, const char *why)
{
	k->t->malformed(k->t->arg, at, why);
	return FG_EFORMAT;
}

static int
head(struct reading *k)
{
	uint8_t bytes[HEAD + TABLE_HEAD];
	struct reader r;
	struct casync_index *x = k->x;
	uint64_t size = k->s->size;
	if (size < HEAD + TABLE_HEAD + LINE || (size - HEAD - TABLE_HEAD) % LINE != 0)
		return malformed(k, size, "it is cut, or something follows");
	int err = source_read(k->s, 0, bytes, sizeof bytes);
	if (err)
		return err;
	reader_init(&r, view_of(bytes, sizeof bytes));
	bool fits = reader_u64le(&r) == HEAD && reader_u64le(&r) == TYPE_INDEX;
	uint64_t flags = reader_u64le(&r);
	x->alg = flags & FLAG_SHA512_256 ? DIGEST_SHA512_256 : DIGEST_SHA256;
	x->tree = (flags & FLAGS_TREE) != 0;
	x->least = reader_u64le(&r);
	x->middle = reader_u64le(&r);
	x->most = reader_u64le(&r);
	fits = fits && reader_u64le(&r) == UINT64_MAX && reader_u64le(&r) == TYPE_TABLE;
	if (!fits)
		return malformed(k, 0, "the heads of index and table do not fit");
	if (x->least == 0 || x->least > x->middle || x->middle > x->most || x->most > CASYNC_CHUNK_MOST)
		return malformed(k, 24, "the sizes of chunks contradict each other");
	x->chunks = (size - HEAD - TABLE_HEAD) / LINE - 1;
	if (x->chunks > CASYNC_CHUNKS_MAX)
		return malformed(k, HEAD, "more chunks than are looked at");
	return k->t->begin ? k->t->begin(k->t->arg, x) : 0;
}

/* One chunk: where it ends; only the last may be shorter than the least. */
static int
line(struct reading *k, struct view bytes, uint64_t i)
{
	struct reader r;
	struct casync_index *x = k->x;
	reader_init(&r, bytes);
	uint64_t end = reader_u64le(&r);
	uint64_t n = end > x->size ? end - x->size : 0;
	if (n == 0 || n > x->most || (i + 1 < x->chunks && n < x->least))
		return malformed(k, HEAD + TABLE_HEAD + i * LINE, "a chunk is shorter or longer than chunks are");
	x->size = end;
	return k->t->chunk ? k->t->chunk(k->t->arg, i, n, bytes.p + 8) : 0;
}

static int
lines(struct reading *k)
{
	uint8_t *bytes = malloc(LINES * LINE);
	uint64_t chunks = k->x->chunks;
	int err = bytes ? 0 : FG_ENOMEM;
	for (uint64_t i = 0; i < chunks && !err;) {
		size_t n = chunks - i < LINES ? (size_t)(chunks - i) : LINES;
		err = source_read(k->s, HEAD + TABLE_HEAD + i * LINE, bytes, n * LINE);
		for (size_t at = 0; at < n && !err; at++)
			err = line(k, view_of(bytes + at * LINE, LINE), i + at);
		i += n;
	}
	free(bytes);
	return err;
}

static int
tail(struct reading *k)
{
	uint8_t bytes[LINE];
	struct reader r;
	uint64_t at = HEAD + TABLE_HEAD + k->x->chunks * LINE;
	int err = source_read(k->s, at, bytes, sizeof bytes);
	if (err)
		return err;
	reader_init(&r, view_of(bytes, sizeof bytes));
	bool fits = reader_u64le(&r) == 0 && reader_u64le(&r) == 0 && reader_u64le(&r) == HEAD &&
	            reader_u64le(&r) == k->s->size - HEAD && reader_u64le(&r) == TAIL_MARK;
	return fits ? 0 : malformed(k, at, "the last line does not fit the table");
}

int
casync_index_read(const struct source *s, const struct casync_teller *t, struct casync_index *ret)
{
	struct reading k = { s, t, ret };
	*ret = (struct casync_index){ 0 };
	int err = head(&k);
	if (!err)
		err = lines(&k);
	return err ? err : tail(&k);
}
