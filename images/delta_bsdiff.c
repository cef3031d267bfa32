/* SPDX-License-Identifier: Apache-2.0 */
#include "images/delta_bsdiff.h"

#include <inttypes.h>

#include "crypto/err.h"
#include "crypto/reader.h"

#define HEADER_LEN 32         /* BSDIFF40 and BSDF2: magic, length of control, of diff, of the target */
#define ENDSLEY_HEADER_LEN 24 /* magic of 16, length of the target */
#define ENDSLEY_MAGIC "ENDSLEY/BSDIFF43"
#define TUPLE_LEN 24
#define CHUNK 32768
#define POSITION_MAX (INT64_C(1) << 62) /* either way */

/* Sign and magnitude, little-endian: bit 63 is the sign. */
static int64_t
offset_of(struct reader *r)
{
	uint64_t v = reader_u64le(r);
	int64_t magnitude = (int64_t)(v & INT64_MAX);
	return v >> 63 ? -magnitude : magnitude;
}

/* The three streams; interleaved, they are the same one. */
struct streams {
	struct delta_stream *control, *diff, *extra;
};

struct tuple {
	uint64_t add, copy;
	int64_t seek;
};

static int
read_tuple(struct delta *d, struct streams *s, struct tuple *ret)
{
	uint8_t b[TUPLE_LEN];
	struct reader r;
	int err = delta_stream_read(s->control, b, sizeof b);
	if (err)
		return err;
	reader_init(&r, view_of(b, sizeof b));
	int64_t add = offset_of(&r), copy = offset_of(&r);
	ret->seek = offset_of(&r);
	if (add < 0 || copy < 0 || ret->seek > POSITION_MAX || ret->seek < -POSITION_MAX)
		return delta_refuse(d, DELTA_MALFORMED,
		    "at byte %" PRIu64 " of the target: adds %" PRId64 ", copies %" PRId64 ", seeks %" PRId64,
		    delta_written(d), add, copy, ret->seek);
	ret->add = (uint64_t)add;
	ret->copy = (uint64_t)copy;
	uint64_t left = delta_declared(d) - delta_written(d);
	if (ret->add > left || ret->copy > left - ret->add)
		return delta_refuse(d, DELTA_MALFORMED,
		    "at byte %" PRIu64 " of a target of %" PRIu64 ": adds %" PRIu64 " and copies %" PRIu64,
		    delta_written(d), delta_declared(d), ret->add, ret->copy);
	return 0;
}

/* The part that is the base with something added: all of it must lie in the base. */
static int
add(struct delta *d, struct delta_stream *diff, int64_t pos, uint64_t n)
{
	uint64_t size = delta_base(d)->size;
	uint8_t buf[CHUNK];
	/* Before a byte of it is read: a position in front of the base is read by bspatch itself, in memory. */
	if (n > 0 && (pos < 0 || (uint64_t)pos > size || n > size - (uint64_t)pos))
		return delta_refuse(d, DELTA_MALFORMED,
		    "adds to %" PRIu64 " bytes at %" PRId64 " of a base of %" PRIu64 ": another base, or damaged", n,
		    pos, size);
	for (uint64_t done = 0; done < n;) {
		size_t k = n - done < CHUNK ? (size_t)(n - done) : CHUNK;
		int err = delta_stream_read(diff, buf, k);
		if (!err)
			err = delta_add(d, (uint64_t)pos + done, buf, k);
		if (err)
			return err;
		done += k;
	}
	return 0;
}

static int
copy(struct delta *d, struct delta_stream *extra, uint64_t n)
{
	uint8_t buf[CHUNK];
	while (n > 0) {
		size_t k = n < CHUNK ? (size_t)n : CHUNK;
		int err = delta_stream_read(extra, buf, k);
		if (!err)
			err = delta_put(d, buf, k);
		if (err)
			return err;
		n -= k;
	}
	return 0;
}

static int
run(struct delta *d, struct streams *s)
{
	int64_t pos = 0;
	unsigned idle = 0;
	while (delta_written(d) < delta_declared(d)) {
		struct tuple t = { 0 };
		int err = read_tuple(d, s, &t);
		if (!err && t.add + t.copy == 0 && ++idle > DELTA_BSDIFF_IDLE_MAX)
			err = delta_refuse(d, DELTA_LIMIT, "over %u control tuples that make nothing", DELTA_BSDIFF_IDLE_MAX);
		if (!err)
			err = add(d, s->diff, pos, t.add);
		if (!err)
			err = copy(d, s->extra, t.copy);
		if (err)
			return err;
		/* t.add is at most what a target has. */
		if (__builtin_add_overflow(pos, (int64_t)t.add, &pos) || __builtin_add_overflow(pos, t.seek, &pos) ||
		    pos > POSITION_MAX || pos < -POSITION_MAX)
			return delta_refuse(d, DELTA_MALFORMED, "at byte %" PRIu64 " of the target: seeks to %" PRId64,
			    delta_written(d), pos);
	}
	int err = delta_stream_finish(s->control);
	if (!err && s->diff != s->control)
		err = delta_stream_finish(s->diff);
	if (!err && s->extra != s->control)
		err = delta_stream_finish(s->extra);
	return err;
}

/* One stream behind a header of 24 bytes. */
static int
apply_interleaved(struct delta *d)
{
	uint8_t b[8];
	struct reader r;
	delta_applier(d, "endsley-bsdiff43/1");
	int err = delta_patch_read(d, sizeof ENDSLEY_MAGIC - 1, b, sizeof b);
	if (err)
		return err;
	reader_init(&r, view_of(b, sizeof b));
	int64_t size = offset_of(&r);
	if (size < 0)
		return delta_refuse(d, DELTA_MALFORMED, "declares a target of %" PRId64 " bytes", size);
	struct streams s = { 0 };
	err = delta_declare(d, (uint64_t)size);
	if (!err)
		err = delta_stream_open(d, "patch", DELTA_BZ2, ENDSLEY_HEADER_LEN,
		    delta_patch(d)->size - ENDSLEY_HEADER_LEN, &s.control);
	s.diff = s.extra = s.control;
	if (!err)
		err = run(d, &s);
	delta_stream_close(s.control);
	return err;
}

/* By BSDF2's algorithm byte. */
static int
packing_of(struct delta *d, uint8_t algorithm, enum delta_packing *ret)
{
	static const enum delta_packing of[] = { DELTA_PLAIN, DELTA_BZ2, DELTA_BROTLI };
	if (algorithm >= sizeof of / sizeof of[0])
		return delta_refuse(d, DELTA_UNSUPPORTED, "compression %u of BSDF2 (known: none, bz2, brotli)", algorithm);
	*ret = of[algorithm];
	return 0;
}

/* Three streams one behind the other, the last up to the end of the patch. */
static int
apply_three(struct delta *d, const uint8_t *header, const enum delta_packing packing[3])
{
	uint64_t size = delta_patch(d)->size - HEADER_LEN;
	struct reader r;
	reader_init(&r, view_of(header + 8, HEADER_LEN - 8));
	int64_t control = offset_of(&r), diff = offset_of(&r), target = offset_of(&r);
	if (control < 0 || diff < 0 || target < 0 || (uint64_t)control > size ||
	    (uint64_t)diff > size - (uint64_t)control)
		return delta_refuse(d, DELTA_MALFORMED,
		    "declares %" PRId64 " bytes of control and %" PRId64 " of diff in %" PRIu64 ", a target of %" PRId64,
		    control, diff, size, target);
	uint64_t at = HEADER_LEN, end = at + size;
	struct streams s = { 0 };
	int err = delta_declare(d, (uint64_t)target);
	if (!err)
		err = delta_stream_open(d, "control", packing[0], at, (uint64_t)control, &s.control);
	at += (uint64_t)control;
	if (!err)
		err = delta_stream_open(d, "diff", packing[1], at, (uint64_t)diff, &s.diff);
	at += (uint64_t)diff;
	if (!err)
		err = delta_stream_open(d, "extra", packing[2], at, end - at, &s.extra);
	if (!err)
		err = run(d, &s);
	delta_stream_close(s.control);
	delta_stream_close(s.diff);
	delta_stream_close(s.extra);
	return err;
}

int
delta_bsdiff_apply(struct delta *d)
{
	enum delta_packing packing[3] = { DELTA_BZ2, DELTA_BZ2, DELTA_BZ2 };
	uint8_t header[HEADER_LEN] = { 0 };
	size_t n = delta_patch(d)->size < HEADER_LEN ? (size_t)delta_patch(d)->size : HEADER_LEN;
	delta_applier(d, "bsdiff/1");
	int err = delta_patch_read(d, 0, header, n);
	if (err)
		return err;
	if (memcmp(header, ENDSLEY_MAGIC, sizeof ENDSLEY_MAGIC - 1) == 0)
		return apply_interleaved(d);
	if (memcmp(header, "BSDIFF40", 8) == 0) {
		delta_applier(d, "bsdiff40/1");
	} else if (memcmp(header, "BSDF2", 5) == 0) {
		delta_applier(d, "bsdf2/1");
		for (unsigned i = 0; i < 3 && !err; i++)
			err = packing_of(d, header[5 + i], &packing[i]);
	} else {
		err = delta_refuse(d, DELTA_MALFORMED, "neither BSDIFF40 nor ENDSLEY/BSDIFF43 nor BSDF2");
	}
	if (!err && n < HEADER_LEN)
		err = delta_refuse(d, DELTA_MALFORMED, "%zu bytes are no bsdiff patch", n);
	return err ? err : apply_three(d, header, packing);
}
