/* SPDX-License-Identifier: Apache-2.0 */
#include "images/packed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/reader.h"
#include "crypto/visible.h"
#include "images/unpack.h"

#define GZIP_HEAD 10u
#define GZIP_TEXT_MAX 4096 /* of names and comments; what is longer is not looked at */

/* Flags of a gzip header (RFC 1952, section 2.3.1). */
enum { F_CRC = 2, F_EXTRA = 4, F_NAME = 8, F_COMMENT = 16 };

static const struct kind {
	enum format_id format;
	enum unpack_kind unpack;
	const char *magic; /* NULL: a stream of that kind is the only one in its file */
	size_t n;
} kinds[] = {
	{ FORMAT_GZIP, UNPACK_GZIP, "\x1f\x8b\x08", 3 },
	{ FORMAT_XZ, UNPACK_XZ, "\xfd" "7zXZ\0", 6 },
	{ FORMAT_ZSTD, UNPACK_ZSTD_FRAME, "\x28\xb5\x2f\xfd", 4 },
	{ FORMAT_BZIP2, UNPACK_BZIP2, "BZh", 3 },
	{ FORMAT_LZMA, UNPACK_LZMA, NULL, 0 },
};

/* Streams in a row as one run of bytes: so do the tools read them. */
struct row {
	struct walk *w;
	const struct kind *kind;
	struct unpack *u;  /* of the stream at hand; NULL: the last one ended at at */
	uint64_t at;
	unsigned streams;
};

/* Is there another stream at at? 1, 0 or FG_EIO. */
static int
another(struct row *r)
{
	uint8_t start[8];
	uint64_t left = r->w->image->size - r->at;
	if (r->streams == 0)
		return 1;
	if (!r->kind->magic || left < r->kind->n)
		return 0;
	int err = source_read(r->w->image, r->at, start, r->kind->n);
	return err ? err : memcmp(start, r->kind->magic, r->kind->n) == 0;
}

static long
row_read(void *arg, void *buf, size_t n)
{
	struct row *r = arg;
	for (;;) {
		if (!r->u) {
			int more = another(r);
			if (more <= 0)
				return more;
			if (r->streams == PACKED_STREAMS_MAX)
				return FG_ELIMIT;
			r->u = unpack_new(r->kind->unpack, r->w->image,
			    (struct sig_range){ r->at, r->w->image->size - r->at });
			if (!r->u)
				return FG_ENOMEM;
			r->streams++;
		}
		long got = unpack_read(r->u, buf, n);
		if (got != 0)
			return got;
		r->at = r->w->image->size - unpack_left(r->u);
		unpack_free(r->u);
		r->u = NULL;
	}
}

static int
row_again(void *arg)
{
	struct row *r = arg;
	unpack_free(r->u);
	*r = (struct row){ .w = r->w, .kind = r->kind };
	return 0;
}

/* ---- what stands in a gzip header beside the stream ---- */

static void
header_text(struct walk *w, struct reader *r, const char *what)
{
	struct view v = view_of(r->p + r->off, reader_left(r));
	const uint8_t *end = v.n ? memchr(v.p, 0, v.n) : NULL;
	char shown[64], line[CONTENTS_VALUE_MAX];
	uint64_t at = r->off;
	if (!end) {
		walk_raise(w, FINDING_FMT_WALK_LIMIT, &at, "a %s of more than %u bytes", what, GZIP_TEXT_MAX);
		reader_fail(r);
		return;
	}
	v.n = (size_t)(end - v.p);
	(void)reader_take(r, v.n + 1);
	if (v.n > 19 && memcmp(v.p, "untrusted comment: ", 19) == 0)
		walk_raise(w, FINDING_FMT_UNKNOWN_PART, &at, "a signature in a gzip comment (signify -z), which is not checked");
	visible_cstr(v, shown, sizeof shown);
	snprintf(line, sizeof line, "gzip %s %s", what, shown);
	walk_fact(w, CONTENTS_FACT_NOTE, (struct walk_signed){ 0 }, view_str(line));
}

static int
gzip_header(struct walk *w)
{
	uint8_t head[GZIP_HEAD + GZIP_TEXT_MAX];
	struct reader r;
	uint64_t at = GZIP_HEAD;
	long n = source_read_some(w->image, 0, head, sizeof head);
	if (n < 0)
		return (int)n;
	reader_init(&r, view_of(head, (size_t)n));
	(void)reader_take(&r, 3);
	uint8_t flags = reader_u8(&r);
	(void)reader_take(&r, GZIP_HEAD - 4);
	if (!r.bad && flags & F_EXTRA) {
		uint16_t length = reader_u16le(&r);
		(void)reader_take(&r, length);
		walk_raise(w, FINDING_FMT_UNKNOWN_PART, &at, "a gzip header with %u bytes of another program's", length);
	}
	if (!r.bad && flags & F_NAME)
		header_text(w, &r, "name");
	if (!r.bad && flags & F_COMMENT)
		header_text(w, &r, "comment");
	return 0;
}

/* ---- what follows ---- */

/* Flash and tapes are padded with zeros or with ones, in which nothing can be hidden. */
static int
rest(struct row *r)
{
	uint64_t at = r->at, size = r->w->image->size;
	uint8_t *chunk = malloc(source_chunk(size - at)), first = 0;
	bool padding = true;
	int err = chunk ? 0 : FG_ENOMEM;
	while (at < size && padding && !err) {
		size_t n = size - at < SOURCE_CHUNK ? (size_t)(size - at) : SOURCE_CHUNK;
		err = source_read(r->w->image, at, chunk, n);
		if (!err && at == r->at)
			first = chunk[0];
		for (size_t i = 0; i < n && padding && !err; i++)
			padding = chunk[i] == first && (first == 0 || first == 0xff);
		at += n;
	}
	free(chunk);
	if (!err && !padding)
		walk_raise(r->w, FINDING_FMT_TRAILING_BYTES, &r->at, "%" PRIu64 " bytes behind the stream", size - r->at);
	return err;
}

int
packed_walk(struct walk *w)
{
	struct row r = { .w = w };
	int err = 0;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (kinds[i].format == w->format)
			r.kind = &kinds[i];
	if (!r.kind)
		return FG_EINVAL;
	const struct walk_member content = { .name = view_str("content"),
		.at = { 0, w->image->size },
		.read = row_read,
		.again = row_again,
		.arg = &r,
		.size = UINT64_MAX };
	if (w->format == FORMAT_GZIP)
		err = gzip_header(w);
	if (!err)
		err = walk_member(w, &content, NULL);
	bool whole = !r.u && r.streams > 0;
	unpack_free(r.u);
	if (!err && r.streams > 1)
		walk_raise(w, FINDING_FMT_AMBIGUOUS, NULL,
		    "%u streams one behind the other: %s(1) unpacks all of them, a bootloader the first", r.streams,
		    format_name(w->format));
	if (!err && whole)
		err = rest(&r);
	return err;
}
