/* SPDX-License-Identifier: Apache-2.0 */
#include "images/delta_detools.h"

#include <inttypes.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "images/delta_hdiff.h"
#include "images/detools_pack.h"

#define CHUNK 4096u
#define SIZES_MAX 5u
#define PARTS_EMPTY_MAX 16u /* more than bytes are made */

enum type { SEQUENTIAL = 0, IN_PLACE, HDIFFPATCH };

struct header {
	unsigned type;
	enum detools_packing packing;
	uint64_t size[SIZES_MAX]; /* as the type has them */
	uint64_t end;             /* of the header in the patch */
};

/* Where base bytes may be read, and what they are: [low, high) of the base, the next at `at`. */
struct reach {
	int64_t at;
	uint64_t low, high;
};

/* ---- the header ---- */

static int
header_size(struct delta *d, const uint8_t *p, size_t n, size_t *i, uint64_t *ret)
{
	uint64_t value = 0;
	unsigned shift = 0;
	uint8_t b;
	do {
		if (*i == n)
			return delta_refuse(d, DELTA_MALFORMED, "the header is cut short");
		b = p[(*i)++];
		if (shift == 0 && b & 0x40)
			return delta_refuse(d, DELTA_MALFORMED, "a negative size in the header");
		if (shift > 55)
			return delta_refuse(d, DELTA_MALFORMED, "a size in the header that no file can have");
		value |= (uint64_t)(b & (shift == 0 ? 0x3f : 0x7f)) << shift;
		shift += shift == 0 ? 6 : 7;
	} while (b & 0x80);
	*ret = value;
	return 0;
}

static int
read_header(struct delta *d, struct header *h)
{
	static const unsigned sizes[] = { [SEQUENTIAL] = 1, [IN_PLACE] = 5, [HDIFFPATCH] = 2 };
	uint8_t p[DELTA_DETOOLS_HEADER_MAX];
	uint64_t length = delta_patch(d)->size;
	size_t n = length < sizeof p ? (size_t)length : sizeof p, i = 1;
	int err = delta_patch_read(d, 0, p, n);
	if (err)
		return err;
	memset(h, 0, sizeof *h);
	if (n == 0)
		return delta_refuse(d, DELTA_MALFORMED, "the patch is empty");
	h->type = p[0] >> 4; /* with the reserved bit on top */
	if (h->type > HDIFFPATCH)
		return delta_refuse(d, DELTA_MALFORMED, "patch type %u", h->type);
	if ((p[0] & 0xf) >= DETOOLS_PACKING_LIMIT)
		return delta_refuse(d, DELTA_MALFORMED, "compression %u", p[0] & 0xfu);
	h->packing = (enum detools_packing)(p[0] & 0xf);
	for (unsigned k = 0; k < sizes[h->type]; k++) {
		err = header_size(d, p, n, &i, &h->size[k]);
		if (err)
			return err;
	}
	h->end = i;
	return 0;
}

/* ---- the common part of sequential and in-place ---- */

static int
read_size(struct detools_pack *p, struct delta *d, uint64_t most, uint64_t *ret)
{
	int64_t v = 0;
	int err = detools_pack_number(p, &v);
	if (err)
		return err;
	if (v < 0 || (uint64_t)v > most)
		return delta_refuse(d, DELTA_MALFORMED,
		    "at byte %" PRIu64 " of the target: a part of %" PRId64 " bytes where %" PRIu64 " are left",
		    delta_written(d), v, most);
	*ret = (uint64_t)v;
	return 0;
}

/* Base bytes with something added to each. */
static int
add(struct delta *d, struct detools_pack *p, struct reach *r, uint64_t n)
{
	uint8_t buf[CHUNK];
	if (n > 0 && (r->at < 0 || (uint64_t)r->at < r->low || (uint64_t)r->at > r->high ||
	                 n > r->high - (uint64_t)r->at))
		return delta_refuse(d, DELTA_MALFORMED,
		    "at byte %" PRIu64 " of the target: wants %" PRIu64 " bytes at %" PRId64
		    " of the base, where those from %" PRIu64 " up to %" PRIu64
		    " are to be had: another base, or damaged",
		    delta_written(d), n, r->at, r->low, r->high);
	r->at += (int64_t)n;
	for (uint64_t at = (uint64_t)(r->at - (int64_t)n); n > 0;) {
		size_t k = n < CHUNK ? (size_t)n : CHUNK;
		int err = detools_pack_read(p, buf, k);
		if (!err)
			err = delta_add(d, at, buf, k);
		if (err)
			return err;
		at += k;
		n -= k;
	}
	return 0;
}

static int
put(struct delta *d, struct detools_pack *p, uint64_t n)
{
	uint8_t buf[CHUNK];
	while (n > 0) {
		size_t k = n < CHUNK ? (size_t)n : CHUNK;
		int err = detools_pack_read(p, buf, k);
		if (!err)
			err = delta_put(d, buf, k);
		if (err)
			return err;
		n -= k;
	}
	return 0;
}

/* The next n bytes of the target: parts that are added, that are put, and a move within the base, in turn. */
static int
make(struct delta *d, struct detools_pack *p, struct reach *r, uint64_t n)
{
	static const char *const formats[] = { "arm-cortex-m4", "aarch64", "xtensa-lx106" };
	uint64_t end = delta_written(d) + n, size = 0, empty = n + PARTS_EMPTY_MAX;
	int64_t number = 0;
	int err = detools_pack_number(p, &number);
	if (!err && number < 0)
		return delta_refuse(d, DELTA_MALFORMED, "a data-format part of a negative size");
	if (!err && number > 0) {
		err = detools_pack_number(p, &number);
		if (err)
			return err;
		return delta_refuse(d, DELTA_UNSUPPORTED, "data-format segments (%s)",
		    number >= 0 && number < 3 ? formats[number] : "of no known processor");
	}
	while (!err && delta_written(d) < end) {
		uint64_t before = delta_written(d);
		err = read_size(p, d, end - delta_written(d), &size);
		if (!err)
			err = add(d, p, r, size);
		if (!err)
			err = read_size(p, d, end - delta_written(d), &size);
		if (!err)
			err = put(d, p, size);
		if (!err)
			err = detools_pack_number(p, &number);
		/* bsdiff makes one now and then, to move only. Packed well, a patch could hold billions. */
		if (!err && delta_written(d) == before && empty-- == 0)
			err = delta_refuse(d, DELTA_MALFORMED, "at byte %" PRIu64 " of the target: parts about no bytes", before);
		if (!err && __builtin_add_overflow(r->at, number, &r->at))
			err = delta_refuse(d, DELTA_MALFORMED, "a move out of any file");
	}
	return err;
}

/* ---- the types ---- */

static int
sequential(struct delta *d, const struct header *h)
{
	struct detools_pack *p;
	struct reach all = { 0, 0, delta_base(d)->size };
	int err = delta_declare(d, h->size[0]);
	if (!err)
		err = detools_pack_open(d, h->packing, h->end, &p);
	if (err)
		return err;
	err = make(d, p, &all, h->size[0]);
	if (!err)
		err = detools_pack_finish(p);
	detools_pack_close(p);
	return err;
}

static int
in_place(struct delta *d, const struct header *h)
{
	uint64_t memory = h->size[0], segment = h->size[1], shift = h->size[2], from = h->size[3], to = h->size[4];
	struct detools_pack *p;
	delta_wants(d, "%" PRIu64 " bytes", from);
	if (segment == 0 || shift > memory || to > memory)
		return delta_refuse(d, DELTA_MALFORMED,
		    "%" PRIu64 " bytes moved by %" PRIu64 " and made in segments of %" PRIu64 ", in a memory of %" PRIu64, to,
		    shift, segment, memory);
	if (from != delta_base(d)->size)
		return delta_refuse(d, DELTA_WRONG_BASE, "is for a base of %" PRIu64 " bytes, not %" PRIu64, from,
		    delta_base(d)->size);
	int err = delta_declare(d, to);
	if (!err)
		err = detools_pack_open(d, h->packing, h->end, &p);
	if (err)
		return err;
	/* What does not fit above the move is lost. */
	uint64_t high = from < memory - shift ? from : memory - shift;
	for (uint64_t at = 0; !err && at < to; at += segment) {
		/* Everything below the end of this segment is erased or new by now. */
		uint64_t end = segment < to - at ? at + segment : to, low = at + segment > shift ? at + segment - shift : 0;
		struct reach r = { (int64_t)low, low, low < high ? high : low };
		err = make(d, p, &r, end - at);
	}
	if (!err)
		err = detools_pack_finish(p);
	detools_pack_close(p);
	return err;
}

/* The inner patch is read here and there: packed, it has to be unpacked into memory. */
static int
hdiffpatch(struct delta *d, const struct header *h)
{
	uint64_t n = h->size[1];
	struct source inner;
	struct detools_pack *p;
	if (h->packing == DETOOLS_NONE) {
		if (n != delta_patch(d)->size - h->end)
			return delta_refuse(d, DELTA_MALFORMED,
			    "%" PRIu64 " bytes behind the header, which says %" PRIu64, delta_patch(d)->size - h->end, n);
		return delta_hdiff_apply_at(d, NULL, h->end, h->size[0]);
	}
	if (n > SIZE_MAX)
		return delta_refuse(d, DELTA_LIMIT, "an inner patch of %" PRIu64 " bytes", n);
	int err = delta_charge(d, (size_t)n, "the inner patch");
	uint8_t *bytes = err ? NULL : malloc(n ? (size_t)n : 1);
	if (!bytes)
		return err ? err : FG_ENOMEM;
	err = detools_pack_open(d, h->packing, h->end, &p);
	if (!err)
		err = detools_pack_read(p, bytes, (size_t)n);
	if (!err)
		err = detools_pack_finish(p);
	if (!err) {
		detools_pack_close(p);
		source_memory(&inner, view_of(bytes, (size_t)n));
		err = delta_hdiff_apply_at(d, &inner, 0, h->size[0]);
	} else {
		detools_pack_close(p);
	}
	free(bytes);
	return err;
}

int
delta_detools_apply(struct delta *d)
{
	struct header h;
	delta_applier(d, "detools/1");
	int err = read_header(d, &h);
	if (err)
		return err;
	/* An empty target has nothing behind the header. */
	uint64_t to = h.size[h.type == IN_PLACE ? 4 : 0];
	if (to == 0 && h.end != delta_patch(d)->size)
		return delta_refuse(d, DELTA_MALFORMED, "an empty target, and %" PRIu64 " bytes behind the header",
		    delta_patch(d)->size - h.end);
	if (to == 0)
		return delta_declare(d, 0);
	return h.type == SEQUENTIAL ? sequential(d, &h) : h.type == IN_PLACE ? in_place(d, &h) : hdiffpatch(d, &h);
}
