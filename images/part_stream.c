/* SPDX-License-Identifier: Apache-2.0 */
#include "images/part_stream.h"

#include "crypto/err.h"
#include "crypto/reader.h"

#define GZIP_HEAD 10 /* bytes that every header has */
#define GZIP_EXTRA 4 /* flags: what else it has */
#define GZIP_NAME 8
#define GZIP_COMMENT 16

/* Streams of one kind, one behind the other, as one run of bytes: gzip(1) and xz(1) read them so. */
struct row {
	enum unpack_kind kind;
	const struct source *s;
	uint64_t at, end; /* of the stream at hand, of the bytes it may take */
	struct unpack *u; /* NULL: none is at hand */
	bool damaged;
	uint64_t whole;   /* where the last sound stream ended */
};

static const struct {
	enum unpack_kind kind;
	const char *magic;
	size_t n;
} magics[] = {
	{ UNPACK_GZIP, "\x1f\x8b\x08", 3 },
	{ UNPACK_XZ, "\xfd" "7zXZ\0", 6 },
	{ UNPACK_ZSTD_FRAME, "\x28\xb5\x2f\xfd", 4 },
	{ UNPACK_BZIP2, "BZh", 3 },
	{ UNPACK_LZ4, "\x04\x22\x4d\x18", 4 },
	{ UNPACK_LZ4_LEGACY, "\x02\x21\x4c\x18", 4 },
};

/*
 * The older lzma form has no magic: a byte of lc/lp/pb, a dictionary of 2^n or
 * 2^n + 2^(n-1) bytes as every packer writes it, and a size that is unknown or not beyond
 * what is looked at.
 */
static bool
is_lzma(struct view v)
{
	struct reader r;
	reader_init(&r, v);
	uint8_t props = reader_u8(&r);
	uint32_t dictionary = reader_u32le(&r), low = dictionary & (~dictionary + 1);
	uint64_t size = reader_u64le(&r);
	return !r.bad && props == 0x5d && dictionary >= 4096 &&
	       (dictionary == low || dictionary == 3 * low) && size > 0 &&
	       (size == UINT64_MAX || size <= PART_ONE_MAX);
}

enum unpack_kind
part_stream_kind(struct view start)
{
	for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++)
		if (start.n >= magics[i].n && memcmp(start.p, magics[i].magic, magics[i].n) == 0)
			return magics[i].kind;
	return is_lzma(start) ? UNPACK_LZMA : UNPACK_NONE;
}

const char *
part_stream_name(enum unpack_kind kind)
{
	switch (kind) {
	case UNPACK_GZIP:
		return "gzip";
	case UNPACK_DEFLATE:
		return "deflate";
	case UNPACK_XZ:
		return "xz";
	case UNPACK_ZSTD:
	case UNPACK_ZSTD_FRAME:
		return "zstd";
	case UNPACK_BZIP2:
		return "bzip2";
	case UNPACK_LZMA:
		return "lzma";
	case UNPACK_LZMA2:
	case UNPACK_LZMA2_THUMB:
		return "lzma2";
	case UNPACK_LZ4:
	case UNPACK_LZ4_LEGACY:
		return "lz4";
	case UNPACK_NONE:
		break;
	}
	return "none";
}

/*
 * Name, comment and extra field in a gzip header (RFC 1952, section 2.3): words
 * that never come out, so that they are shown as bytes. *ret is how many there
 * are behind the ten fixed ones, 0 where they do not end.
 */
static int
gzip_words(const struct source *s, uint64_t at, uint64_t *ret)
{
	uint8_t b[4096], flags;
	uint64_t off = at + GZIP_HEAD;
	*ret = 0;
	int err = source_read(s, at + 3, &flags, 1);
	if (!err && flags & GZIP_EXTRA) {
		err = source_read(s, off, b, 2);
		off += 2 + (err ? 0u : (uint64_t)b[0] | (uint64_t)b[1] << 8);
	}
	for (unsigned ends = !!(flags & GZIP_NAME) + !!(flags & GZIP_COMMENT); !err && ends > 0;) {
		long n = source_read_some(s, off, b, sizeof b);
		if (n <= 0)
			return n < 0 ? (int)n : 0;
		const uint8_t *nul = memchr(b, 0, (size_t)n);
		off += nul ? (uint64_t)(nul - b) + 1 : (uint64_t)n;
		ends -= nul != NULL;
	}
	if (err)
		return err == FG_ELIMIT ? 0 : err;
	*ret = off <= s->size ? off - at - GZIP_HEAD : 0;
	return 0;
}

/* Is there another stream behind the one that ended? 1, 0 or FG_EIO. */
static int
another(struct row *r)
{
	uint8_t start[PART_STREAM_HEAD];
	size_t n = r->end - r->at < sizeof start ? (size_t)(r->end - r->at) : sizeof start;
	int err = source_read(r->s, r->at, start, n);
	if (err)
		return err;
	/* A file of the older lzma form is one stream: what follows only looks like one. */
	if (r->kind == UNPACK_LZMA || (r->kind == UNPACK_GZIP && start[3] != 0)) /* words: a part of its own */
		return 0;
	return n > 3 && part_stream_kind(view_of(start, n)) == r->kind;
}

static long
row_read(void *arg, void *buf, size_t n)
{
	struct row *r = arg;
	for (;;) {
		if (!r->u) {
			int more = r->whole == r->at && r->whole > 0 ? another(r) : 1;
			if (more <= 0)
				return more;
			r->u = unpack_new(r->kind, r->s, (struct sig_range){ r->at, r->end - r->at });
			if (!r->u)
				return FG_ENOMEM;
		}
		long got = unpack_read(r->u, buf, n);
		r->damaged = got == FG_EFORMAT;
		if (got != 0)
			return got;
		r->at = r->end - unpack_left(r->u);
		r->whole = r->at;
		unpack_free(r->u);
		r->u = NULL;
	}
}

int
part_stream_take(struct part_ctx *c, uint32_t self, enum unpack_kind kind, uint64_t at,
    uint64_t length, uint64_t least, uint64_t *ret_used)
{
	struct row r = { .kind = kind, .s = part_bytes(c, self), .at = at, .end = at + length };
	int64_t i = part_expand(c, self, PART_STREAM, view_str(part_stream_name(kind)), row_read, &r, at, 0);
	*ret_used = 0;
	/* A stream that is cut off by damage is thought to reach as far as it was read. */
	uint64_t end = r.u ? r.end - unpack_left(r.u) : r.whole;
	unpack_free(r.u);
	if (i < 0)
		return (int)i;
	struct part *p = part_edit(c, (uint32_t)i);
	if (r.damaged && r.whole == 0 && p->bytes.size < least) {
		part_forget(c, (uint32_t)i);
		part_tried(c)->vain += end - at; /* what it was read from: a stream can be long and hold nothing */
		return 0;
	}
	p->packed_at = at;
	p->packed_length = end - at;
	*ret_used = end - at;
	uint64_t words = 0;
	int err = kind == UNPACK_GZIP ? gzip_words(part_bytes(c, self), at, &words) : 0;
	if (err || words == 0 || words > length - GZIP_HEAD)
		return err;
	return part_header(c, self, "gzip header", at + GZIP_HEAD, words, &end);
}

int
part_stream_open(struct part_ctx *c, uint32_t self)
{
	uint8_t start[PART_STREAM_HEAD];
	uint64_t used, end, size = part_bytes(c, self)->size;
	long n = source_read_some(part_bytes(c, self), 0, start, sizeof start);
	if (n < 0)
		return (int)n;
	enum unpack_kind kind = part_stream_kind(view_of(start, (size_t)n));
	if (kind == UNPACK_NONE)
		return 0;
	int err = part_stream_take(c, self, kind, 0, size, 1, &used);
	if (err)
		return err;
	if (used == 0) {
		part_untold(c, self, "its stream is damaged");
		return 0;
	}
	/* Tapes and flash are padded; whatever else follows becomes a part. */
	return part_padding(c, self, used, size - used, true, &end);
}
