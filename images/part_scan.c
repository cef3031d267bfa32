/* SPDX-License-Identifier: Apache-2.0 */
#include "images/part_scan.h"

#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/reader.h"
#include "images/esp32_layout.h"
#include "images/part_archive.h"
#include "images/part_cramfs.h"
#include "images/part_disk.h"
#include "images/part_fat.h"
#include "images/part_fs.h"
#include "images/part_image.h"
#include "images/part_probe.h"
#include "images/part_stream.h"

#define WINDOW (256u << 10)      /* read at once */
#define OVERLAP PART_STREAM_HEAD /* the longest magic, or header of a stream, fits */
#define ERASED_MIN 4096          /* a run of FF or 00 that is a piece of its own: the smallest erase block */
/* Bytes that must come out of a stream that proves damaged, for it to have been one. */
#define STREAM_LEAST 4096
/* Pieces: none ends before PIECE_MIN; sixteen bits of a hash over the last bytes then end one in 64 KiB. */
#define PIECE_MIN (16u << 10)
#define PIECE_MAX (256u << 10) /* from here on a blank will do, at twice as much anything */
#define PIECE_MASK UINT64_C(0xffff000000000000)
/*
 * What is tried in vain, in all of the tree: hostile bytes can hold a magic number
 * everywhere, and be many files. A header costs a read, a stream the set-up of a
 * decoder, some things a look at all that is left. Noise has a header's magic once in
 * 16 KiB, a stream's once in 16 MiB: of 2 GiB that is a seventh of either. What is
 * found does not count: parts are bounded.
 */
#define HEADERS_MAX 1000000
#define STREAMS_MAX 1000
/*
 * Bytes gone through in vain, and expanded from streams that proved none: so often all
 * of the image and what came out of it, and never less than this. One attempt more may
 * go beyond: at most PART_ONE_MAX.
 */
#define VAIN_TIMES 8
#define VAIN_MIN ((uint64_t)64 << 20)
#define KNOWN_HEAD 4096 /* the four lines of a signature fit */
#define TINY 64 /* bytes in which nothing is looked for */

struct scan {
	struct part_ctx *c;
	uint32_t self;
	const struct source *s;
	uint64_t done;    /* up to where parts were made, or it was decided that there are none */
	unsigned found;   /* parts that are no pieces */
	struct part_tried *tried; /* the tree's */
	bool limited;
	uint8_t *window;  /* WINDOW + OVERLAP bytes, for the search */
	uint8_t *behind;  /* WINDOW bytes, for what the search has left behind */
	bool start[65536]; /* a magic number begins with these two bytes */
	uint64_t gear[256];
};

/* ---- pieces of what is unknown ---- */

static bool
printable(uint8_t b)
{
	return (b >= 0x20 && b < 0x7f) || b == '\t' || b >= 0x80; /* of UTF-8 too */
}

/* No text goes on over the border before b[0]: b[-1] and b[-2] are the last bytes of the piece. */
static bool
may_end(uint8_t before_last, uint8_t last)
{
	return last == '\n' || (!printable(before_last) && !printable(last));
}

static int
piece(struct scan *x, uint64_t from, uint64_t to, const char *name)
{
	if (from >= to || (from == 0 && to == x->s->size))
		return 0;
	int64_t i = part_region(x->c, x->self, PART_REGION, view_str(name), from, to - from);
	if (i < 0)
		return (int)i;
	part_edit(x->c, (uint32_t)i)->scanned = true;
	return 0;
}

/* Where a piece that begins at from ends, and whether it is erased. */
struct cut {
	uint64_t from;     /* of the piece */
	uint64_t run_from; /* of the run of one byte at the end of what was read */
	uint64_t hash;
	uint8_t before_last, last;
	bool due;          /* it is to end where it may */
};

/* A run of run_to - run_from equal bytes has come to its end. */
static int
end_run(struct scan *x, struct cut *k, uint64_t run_to)
{
	if ((k->last != 0xff && k->last != 0) || run_to - k->run_from < ERASED_MIN)
		return 0;
	int err = piece(x, k->from, k->run_from, "data");
	if (!err)
		err = piece(x, k->run_from, run_to, "erased");
	k->from = run_to;
	k->hash = 0;
	k->due = false;
	return err;
}

static int
step(struct scan *x, struct cut *k, uint64_t at, uint8_t b)
{
	int err = 0;
	if (at > k->from && at > k->run_from && b != k->last) {
		err = end_run(x, k, at);
		k->run_from = at;
	}
	uint64_t n = at - k->from;
	bool may = may_end(k->before_last, k->last) || (n >= PIECE_MAX && k->last == ' ');
	if (!err && n > 0 && ((k->due && may) || n >= 2 * PIECE_MAX) &&
	    at - k->run_from < ERASED_MIN / 2) { /* not into what becomes an erased piece */
		err = piece(x, k->from, at, "data");
		k->from = at;
		k->hash = 0;
		k->due = false;
	}
	k->hash = (k->hash << 1) + x->gear[b];
	n = at - k->from;
	k->due = k->due || n >= PIECE_MAX || (n >= PIECE_MIN && (k->hash & PIECE_MASK) == 0);
	k->before_last = k->last;
	k->last = b;
	return err;
}

/* Cuts [from, to), of which nothing is known. */
static int
unknown(struct scan *x, uint64_t from, uint64_t to)
{
	struct cut k = { .from = from, .run_from = from };
	if (x->found == 0 && from == 0 && to == x->s->size && to <= PART_SCAN_WHOLE)
		return 0;
	for (uint64_t at = from; at < to;) {
		size_t want = to - at < WINDOW ? (size_t)(to - at) : WINDOW;
		int err = source_read(x->s, at, x->behind, want);
		for (size_t i = 0; i < want && !err; i++)
			err = step(x, &k, at + i, x->behind[i]);
		if (err)
			return err;
		at += want;
	}
	int err = end_run(x, &k, to);
	return err ? err : piece(x, k.from, to, "data");
}

/* ---- what is known ---- */

/* A thing of length bytes at at. 1: taken. */
static int
take(struct scan *x, const struct part_probe *probe, uint64_t at, uint64_t length)
{
	if (at == 0 && length == x->s->size) {
		/* All there is: it is this part. Nobody opens it, or this would not be asked. */
		part_edit(x->c, x->self)->form = probe->name;
		return 0;
	}
	int64_t i = part_region(x->c, x->self, PART_REGION, view_str(probe->name), at, length);
	if (i < 0)
		return (int)i;
	struct part *p = part_edit(x->c, (uint32_t)i);
	p->form = probe->name;
	p->scanned = probe->inside == PART_PROBE_NOTHING;
	x->found++;
	int err = unknown(x, x->done, at);
	x->done = at + length;
	return err ? err : 1;
}

static int
take_stream(struct scan *x, enum unpack_kind kind, uint64_t at)
{
	uint64_t used;
	/* Only a stream that comes to its end is one where the header has no magic. */
	uint64_t least = kind == UNPACK_LZMA ? UINT64_MAX : STREAM_LEAST;
	int err = part_stream_take(x->c, x->self, kind, at, x->s->size - at, least, &used);
	if (err || used == 0)
		return err;
	x->found++;
	err = unknown(x, x->done, at);
	x->done = at + used;
	return err ? err : 1;
}

/* More than the magic: what a header of a stream cannot be. */
static enum unpack_kind
stream_at(struct view start)
{
	enum unpack_kind kind = part_stream_kind(start);
	if (kind == UNPACK_GZIP && (start.n < 10 || start.p[3] & 0xe0))
		return UNPACK_NONE;
	if (kind == UNPACK_BZIP2 && (start.n < 10 || memcmp(start.p + 4, "1AY&SY", 6) != 0))
		return UNPACK_NONE;
	return kind;
}

/* May there be one more attempt of a kind, of which so many were in vain? */
static bool
may_try(struct scan *x, unsigned count, unsigned most)
{
	bool enough = count >= most ||
	              (x->tried->vain > VAIN_MIN && x->tried->vain / VAIN_TIMES > part_all(x->c));
	x->limited = x->limited || enough;
	return !enough;
}

/* What begins at at, or whose magic number stands there. 1 when something was taken. */
static int
probe(struct scan *x, uint64_t at, struct view start)
{
	enum unpack_kind kind = stream_at(start);
	if (kind != UNPACK_NONE && may_try(x, x->tried->streams, STREAMS_MAX)) {
		int r = take_stream(x, kind, at);
		if (r)
			return r;
		x->tried->streams++;
	}
	const struct part_probe *p;
	for (unsigned i = 0; (p = part_probe(i)); i++) {
		uint64_t length = 0;
		if (start.n < p->n || memcmp(start.p, p->magic, p->n) != 0 || at < x->done + p->from ||
		    (at - p->from) % p->align != 0)
			continue;
		const char *form = part_edit(x->c, x->self)->form;
		if (p->inside == PART_PROBE_ROW && form && strcmp(form, p->name) == 0)
			continue;
		if (!may_try(x, x->tried->headers, HEADERS_MAX))
			continue;
		int r = p->fits(x->s, at - p->from, &length);
		if (r == 0) {
			x->tried->headers++;
			x->tried->vain += length;
		}
		if (r > 0)
			r = take(x, p, at - p->from, length);
		if (r)
			return r;
	}
	return 0;
}

/* Looks at every place from x->done on. */
static int
search(struct scan *x)
{
	uint64_t at = 0;
	while (at < x->s->size) {
		long n = source_read_some(x->s, at, x->window, WINDOW + OVERLAP);
		if (n <= 0)
			return n < 0 ? (int)n : FG_EIO;
		uint64_t next = at + WINDOW;
		for (long i = 0; i < n && i < (long)WINDOW; i++) {
			unsigned two = x->window[i] | (i + 1 < n ? (unsigned)x->window[i + 1] << 8 : 0);
			if (!x->start[two] && (x->window[i] != 0xe9 || (at + (uint64_t)i) % ESP32_LAYOUT_SECTOR))
				continue;
			int r = probe(x, at + (uint64_t)i, view_of(x->window + i, (size_t)(n - i)));
			if (r < 0)
				return r;
			if (r > 0) {
				next = x->done;
				break;
			}
		}
		at = next;
	}
	return 0;
}

static void
begins(struct scan *x, const char *magic)
{
	x->start[(uint8_t)magic[0] | (unsigned)(uint8_t)magic[1] << 8] = true;
}

static void
prepare(struct scan *x)
{
	static const char *const streams[] = { "\x1f\x8b", "\xfd\x37", "\x28\xb5", "BZ", "\x5d\0", "\x04\x22",
		"\x02\x21" };
	uint64_t mixed = 0x9e3779b97f4a7c15u;
	for (unsigned i = 0; i < 256; i++) {
		/* xorshift64*: any table with bits all over does. */
		mixed ^= mixed >> 12;
		mixed ^= mixed << 25;
		mixed ^= mixed >> 27;
		x->gear[i] = mixed * 0x2545f4914f6cdd1du;
	}
	for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++)
		begins(x, streams[i]);
	const struct part_probe *p;
	for (unsigned i = 0; (p = part_probe(i)); i++)
		if (p->n > 1) /* the other one is asked for by its place */
			begins(x, p->magic);
}

/* Formats without a place in the recogniser. 1: opened. */
static int
known_whole(struct part_ctx *c, uint32_t self)
{
	uint8_t start[PART_STREAM_HEAD];
	int r = part_disk_try(c, self);
	if (!r)
		r = part_jffs2_try(c, self);
	if (!r)
		r = part_ubifs_try(c, self);
	if (!r)
		r = part_vendor_boot_try(c, self);
	if (!r)
		r = part_fat_try(c, self);
	if (!r)
		r = part_cramfs_try(c, self);
	if (r)
		return r;
	long n = source_read_some(part_bytes(c, self), 0, start, sizeof start);
	if (n < 0)
		return (int)n;
	struct view v = view_of(start, (size_t)n);
	if (part_ar_begins(v)) {
		part_edit(c, self)->form = "ar";
		r = part_ar_open(c, self);
		return r ? r : 1;
	}
	return 0;
}

/* Cuts self into what is found in it and what is left. */
static int
search_all(struct part_ctx *c, uint32_t self)
{
	if (part_bytes(c, self)->size < TINY)
		return 0;
	struct scan *x = calloc(1, sizeof *x);
	if (!x)
		return FG_ENOMEM;
	x->c = c;
	x->self = self;
	x->s = part_bytes(c, self);
	x->tried = part_tried(c);
	x->window = malloc(WINDOW + OVERLAP);
	x->behind = malloc(WINDOW);
	prepare(x);
	int err = x->window && x->behind ? search(x) : FG_ENOMEM;
	bool cut = part_kind(c, self) == PART_REGION || part_kind(c, self) == PART_STREAM;
	if (!err && (x->found > 0 || cut))
		err = unknown(x, x->done, x->s->size);
	if (!err && x->limited)
		part_limit(c, self, "more places look like a header than are tried");
	free(x->window);
	free(x->behind);
	free(x);
	return err;
}

int
part_scan_open(struct part_ctx *c, uint32_t self)
{
	bool raw = part_format(c, self) == FORMAT_RAW;
	if (!raw)
		part_untold(c, self, "nothing here opens this format");
	int r = raw && part_bytes(c, self)->size >= TINY ? known_whole(c, self) : 0;
	if (r)
		return r > 0 ? 0 : r;
	return search_all(c, self);
}

/* ---- what ends where it says, wherever its bytes go on ---- */

/* Of a DER value; 0 where its length is not said. */
static uint64_t
der_length(struct reader *r)
{
	(void)reader_u8(r);
	unsigned n = reader_u8(r);
	if (n < 0x80)
		return r->bad ? 0 : 2 + (uint64_t)n;
	uint64_t length = 0, head = 2 + (n & 0x7f);
	if (n == 0x80 || head > 2 + 4)
		return 0;
	while (n-- > 0x80)
		length = length << 8 | reader_u8(r);
	return r->bad ? 0 : head + length;
}

/* Of a signature: comment and base64, with minisign's a comment and base64 that are trusted; 0 where they do not end. */
static uint64_t
signature_length(struct view v)
{
	static const char trusted[] = "trusted comment: ";
	size_t at = 0;
	for (unsigned lines = 0; lines < 4; lines++) {
		if (lines == 2 && (v.n - at < sizeof trusted - 1 || memcmp(v.p + at, trusted, sizeof trusted - 1) != 0))
			break;
		const uint8_t *end = memchr(v.p + at, '\n', v.n - at);
		if (!end)
			return 0;
		at = (size_t)(end - v.p) + 1;
	}
	return at;
}

int
part_known_open(struct part_ctx *c, uint32_t self)
{
	uint8_t start[KNOWN_HEAD];
	struct reader r;
	uint64_t own = 0, size = part_bytes(c, self)->size;
	long n = source_read_some(part_bytes(c, self), 0, start, sizeof start);
	if (n < 0)
		return (int)n;
	struct view v = view_of(start, (size_t)n);
	reader_init(&r, v);
	if (part_format(c, self) == FORMAT_FDT) {
		(void)reader_u32(&r);
		own = reader_u32(&r);
	} else if (part_format(c, self) == FORMAT_CMS) {
		own = der_length(&r);
	} else {
		own = signature_length(v);
	}
	if (own == 0 || own >= size)
		return search_all(c, self);
	/* What follows is a gap: padding, or a part that is searched. */
	int64_t i = part_region(c, self, PART_REGION, view_str(format_name(part_format(c, self))), 0, own);
	return i < 0 ? (int)i : 0;
}
