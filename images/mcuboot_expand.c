/* SPDX-License-Identifier: Apache-2.0 */
#include "images/mcuboot_expand.h"

#include <inttypes.h>
#include <stdio.h>

#include "crypto/err.h"
#include "crypto/reader.h"
#include "images/unpack.h"

#define NAME "expanded"
/* Header, both areas: each length is a 16-bit number. */
#define AROUND_MAX (3u << 16)
#define SIZE_LEN 4
#define AT_GUARDED 10 /* of the header: bytes of the protected area, of the body, flags */
#define AT_BODY 12
#define AT_FLAGS 16

/* One image being made: three pieces in a row, the middle one out of the packed stream. */
struct expansion {
	struct walk *w;
	const struct mcuboot_image *m;
	const struct mcuboot_tlv *hash, *signature; /* of the other image; NULL: none */
	uint64_t size_at;   /* where the size of its body stands */
	uint32_t size;
	struct writer head; /* header, to its end */
	struct writer tail; /* both areas */
	struct unpack *stream;
	uint64_t given;     /* of the body */
	size_t head_at, tail_at;
	bool unpacked;      /* the stream is over and had what it should */
};

bool
mcuboot_expand_can(const struct mcuboot_image *m)
{
	return m->flags & MCUBOOT_F_LZMA2;
}

/* The only one of its kind; where there are several, that is told already. */
static const struct mcuboot_tlv *
guarded(const struct mcuboot_image *m, uint16_t type)
{
	for (unsigned i = 0; i < m->n; i++)
		if (m->tlv[i].type == type && m->tlv[i].guarded)
			return &m->tlv[i];
	return NULL;
}

static bool
is_signed(const struct mcuboot_image *m)
{
	for (unsigned i = 0; i < m->n; i++)
		if (mcuboot_tlv_is_signature(m->tlv[i].type))
			return true;
	return false;
}

/* Records without which no bootloader expands it; the first that is missing, or NULL. */
static const char *
missing(struct expansion *x)
{
	const struct mcuboot_tlv *size = guarded(x->m, MCUBOOT_DECOMP_SIZE);
	x->hash = guarded(x->m, MCUBOOT_DECOMP_SHA);
	x->signature = guarded(x->m, MCUBOOT_DECOMP_SIGNATURE);
	if (!size || size->length != SIZE_LEN)
		return "size";
	x->size_at = size->at;
	if (!x->hash)
		return "hash";
	return !x->signature && is_signed(x->m) ? "signature" : NULL;
}

static void
put16(struct writer *w, uint16_t v)
{
	writer_u8(w, (uint8_t)v);
	writer_u8(w, (uint8_t)(v >> 8));
}

static void
set32(uint8_t *p, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

/* n bytes of the image as they are. */
static int
copy(struct expansion *x, struct writer *w, uint64_t at, size_t n)
{
	uint8_t b[512];
	int err = 0;
	while (n > 0 && !err) {
		size_t k = n < sizeof b ? n : sizeof b;
		err = source_read(x->w->image, at, b, k);
		if (!err)
			writer_bytes(w, view_of(b, k));
		at += k;
		n -= k;
	}
	return err;
}

static int
record(struct expansion *x, struct writer *w, uint16_t type, const struct mcuboot_tlv *of)
{
	put16(w, type);
	put16(w, of->length);
	return copy(x, w, of->at, of->length);
}

/* What is left of one area; the protected one is left out when nothing is. */
static int
area(struct expansion *x, bool of_guarded)
{
	struct writer w;
	const struct mcuboot_image *m = x->m;
	int err = 0;
	writer_init(&w, AROUND_MAX);
	for (unsigned i = 0; i < m->n && !err; i++) {
		const struct mcuboot_tlv *t = &m->tlv[i], *of = t;
		if (t->guarded != of_guarded || (of_guarded && mcuboot_tlv_is_of_expansion(t->type)))
			continue;
		if (!of_guarded && mcuboot_tlv_hash(t->type) != DIGEST_NONE)
			of = x->hash;
		else if (!of_guarded && mcuboot_tlv_is_signature(t->type))
			of = x->signature;
		err = record(x, &w, t->type, of);
	}
	struct view records = writer_view(&w);
	if (!err)
		err = writer_err(&w);
	/* Records of another length in the place of others may be more than a length can say. */
	if (!err && records.n > UINT16_MAX - MCUBOOT_TLV_HEAD)
		err = FG_ELIMIT;
	if (!err && (records.n || !of_guarded)) {
		put16(&x->tail, of_guarded ? MCUBOOT_GUARDED_MAGIC : MCUBOOT_AREA_MAGIC);
		put16(&x->tail, (uint16_t)(records.n + MCUBOOT_TLV_HEAD));
		writer_bytes(&x->tail, records);
	}
	writer_free(&w);
	return err;
}

/*
 * The header, filled up with what flash holds when erased. That is the device's
 * to know: ones, but for a few chips, whose images the tool fills up with zeros.
 */
static int
head(struct expansion *x, uint16_t guarded_n)
{
	uint8_t b[MCUBOOT_HEADER_LEN], fill = 0xff;
	uint32_t flags = x->m->flags & ~MCUBOOT_F_COMPRESSED;
	int err = source_read(x->w->image, 0, b, sizeof b);
	if (!err && x->m->header > sizeof b)
		err = source_read(x->w->image, sizeof b, &fill, 1);
	if (err)
		return err;
	b[AT_GUARDED] = (uint8_t)guarded_n;
	b[AT_GUARDED + 1] = (uint8_t)(guarded_n >> 8);
	set32(b + AT_BODY, x->size);
	set32(b + AT_FLAGS, flags);
	writer_bytes(&x->head, view_of(b, sizeof b));
	for (size_t i = sizeof b; i < x->m->header; i++)
		writer_u8(&x->head, fill == 0 ? 0 : 0xff);
	return writer_err(&x->head);
}

/* All but the body. FG_ELIMIT where it cannot be written. */
static int
around(struct expansion *x)
{
	uint8_t b[SIZE_LEN];
	struct reader r;
	int err = source_read(x->w->image, x->size_at, b, sizeof b);
	reader_init(&r, view_of(b, sizeof b));
	if (err)
		return err;
	x->size = reader_u32le(&r);
	err = area(x, true);
	size_t guarded_n = writer_view(&x->tail).n;
	if (!err)
		err = area(x, false);
	if (!err)
		err = writer_err(&x->tail);
	return err ? err : head(x, (uint16_t)guarded_n);
}

static long
give(struct view piece, size_t *at, void *buf, size_t n)
{
	size_t left = piece.n - *at;
	n = n < left ? n : left;
	memcpy(buf, piece.p + *at, n);
	*at += n;
	return (long)n;
}

/* walk_member.read: header, body, areas. Another length than the records say is damage. */
static long
next(void *arg, void *buf, size_t n)
{
	struct expansion *x = arg;
	struct view before = writer_view(&x->head);
	if (x->head_at < before.n)
		return give(before, &x->head_at, buf, n);
	if (!x->unpacked) {
		long got = unpack_read(x->stream, buf, n);
		if (got > 0 && (uint64_t)got > x->size - x->given)
			return FG_EFORMAT;
		x->given += got > 0 ? (uint64_t)got : 0;
		if (got == 0 && x->given != x->size)
			return FG_EFORMAT;
		if (got != 0)
			return got;
		x->unpacked = true;
	}
	return give(writer_view(&x->tail), &x->tail_at, buf, n);
}

static int
walk(struct expansion *x, struct walk_signed by)
{
	const struct mcuboot_image *m = x->m;
	struct walk_member member = { .name = view_str(NAME),
		.at = { m->header, m->body },
		.by = by,
		.inside = true,
		.read = next,
		.arg = x,
		.size = UINT64_MAX };
	struct walk_seen seen = { .verified = false };
	uint64_t at = m->header;
	x->stream = unpack_new(m->flags & MCUBOOT_F_ARM_THUMB ? UNPACK_LZMA2_THUMB : UNPACK_LZMA2,
	    x->w->image, member.at);
	int err = x->stream ? walk_member(x->w, &member, &seen) : FG_ENOMEM;
	if (err)
		return err;
	if (x->unpacked && unpack_left(x->stream) > 0)
		walk_raise(x->w, FINDING_FMT_HIDDEN_BYTES, &at, "%" PRIu64 " bytes of the body behind its stream",
		    unpack_left(x->stream));
	/* The old image is gone by the time that a device sees this one. */
	if (walk_verified(x->w, by) && (seen.format != x->w->format || !seen.verified))
		walk_raise(x->w, FINDING_FMT_INTEGRITY, &at,
		    "what a bootloader would unpack and start has no verified signature of its own");
	return 0;
}

int
mcuboot_expand(struct walk *w, const struct mcuboot_image *m, struct walk_signed by)
{
	struct expansion x = { .w = w, .m = m };
	const char *what = missing(&x);
	if (what) {
		walk_raise(w, FINDING_FMT_MALFORMED, NULL,
		    "compressed, without the expanded image's %s: no bootloader takes it", what);
		return 0;
	}
	writer_init(&x.head, AROUND_MAX);
	writer_init(&x.tail, AROUND_MAX);
	int err = around(&x);
	if (err == FG_ELIMIT) {
		walk_raise(w, FINDING_FMT_MALFORMED, NULL, "its records are too long for the expanded image");
		err = 0;
	} else if (!err) {
		err = walk(&x, by);
	}
	unpack_free(x.stream);
	writer_free(&x.head);
	writer_free(&x.tail);
	return err;
}
