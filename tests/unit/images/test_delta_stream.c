/* SPDX-License-Identifier: Apache-2.0 */
/* Every packing through one applier of the test's own: what it reads, where it must end, and what it may take. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "crypto/err.h"
#include "unit/images/delta_rig.h"

#define PLAIN_LEN (300u << 10) /* several of the reader's buffers, packed or not */

static uint8_t plain[PLAIN_LEN];

/* What the applier does; it has no argument of its own. */
static struct {
	enum delta_packing packing;
	uint64_t at, length; /* of the stream */
	uint64_t n;          /* of the target: all of it is read from the stream */
	size_t step;
	uint64_t cut;        /* not 0: the stream goes on in a second piece from here on */
	bool drained;        /* it is not over at its end */
	unsigned many;       /* opened that often at once */
} plan;

#define MANY_MAX 16

static int
read_steps(struct delta *d, struct delta_stream *s, uint64_t n)
{
	static uint8_t buf[PLAIN_LEN];
	int err = 0;
	while (!err && n > 0) {
		size_t k = n < plan.step ? (size_t)n : plan.step;
		err = delta_stream_read(s, buf, k);
		if (!err)
			err = delta_put(d, buf, k);
		n -= k;
	}
	return err;
}

static int
apply(struct delta *d)
{
	struct delta_stream *s[MANY_MAX] = { NULL };
	delta_applier(d, "test/1");
	int err = delta_declare(d, plan.n);
	for (unsigned i = 1; i < plan.many && !err; i++) {
		uint8_t first;
		err = delta_stream_open(d, "beside", plan.packing, plan.at, plan.length, &s[i]);
		if (!err)
			err = delta_stream_read(s[i], &first, 1);
	}
	if (!err)
		err = delta_stream_open(d, "main", plan.packing, plan.at, plan.cut ? plan.cut : plan.length, &s[0]);
	if (!err)
		err = read_steps(d, s[0], plan.cut ? plan.n / 2 : plan.n);
	if (!err && plan.cut)
		err = delta_stream_continue(s[0], plan.at + plan.cut, plan.length - plan.cut);
	if (!err && plan.cut)
		err = read_steps(d, s[0], plan.n - plan.n / 2);
	if (!err)
		err = plan.drained ? delta_stream_drain(s[0]) : delta_stream_finish(s[0]);
	for (unsigned i = 0; i < MANY_MAX; i++)
		delta_stream_close(s[i]);
	if (delta_memory_left(d) != DELTA_MEMORY_MAX)
		abort();
	return err;
}

static struct delta_result
run(struct view patch)
{
	struct delta_result r;
	struct source p, b;
	source_memory(&p, patch);
	source_memory(&b, view_of(NULL, 0));
	assert_int_equal(delta_apply_by(apply, &p, &b, -1, &r), 0);
	return r;
}

static void
plan_for(enum delta_packing packing, struct view patch, size_t step)
{
	memset(&plan, 0, sizeof plan);
	plan.packing = packing;
	plan.length = patch.n;
	plan.n = PLAIN_LEN;
	plan.step = step;
}

/* ---- packers ---- */

static size_t
pack_lzma(lzma_ret made, lzma_stream *x, uint8_t *to, size_t cap)
{
	assert_int_equal(made, LZMA_OK);
	x->next_in = plain;
	x->avail_in = PLAIN_LEN;
	x->next_out = to;
	x->avail_out = cap;
	assert_int_equal(lzma_code(x, LZMA_FINISH), LZMA_STREAM_END);
	size_t n = cap - x->avail_out;
	lzma_end(x);
	return n;
}

static size_t
pack_deflate(uint8_t *to, size_t cap, int bits)
{
	z_stream z = { .next_in = plain, .avail_in = PLAIN_LEN, .next_out = to, .avail_out = (uInt)cap };
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

static struct view
pack(enum delta_packing packing)
{
	size_t cap = PLAIN_LEN + PLAIN_LEN / 2, n = 0;
	unsigned bz = (unsigned)cap;
	uint8_t *p = malloc(cap);
	lzma_stream x = LZMA_STREAM_INIT;
	lzma_options_lzma opt;
	LZ4F_preferences_t lz4 = { .frameInfo = { .contentChecksumFlag = LZ4F_contentChecksumEnabled } };
	lzma_lzma_preset(&opt, 6);
	switch (packing) {
	case DELTA_BZ2:
		assert_int_equal(BZ2_bzBuffToBuffCompress((char *)p, &bz, (char *)plain, PLAIN_LEN, 9, 0, 0), BZ_OK);
		n = bz;
		break;
	case DELTA_LZMA_ALONE:
		n = pack_lzma(lzma_alone_encoder(&x, &opt), &x, p, cap);
		break;
	case DELTA_XZ:
		n = pack_lzma(lzma_easy_encoder(&x, 6, LZMA_CHECK_CRC32), &x, p, cap);
		break;
	case DELTA_ZLIB:
		n = pack_deflate(p, cap, 15);
		break;
	case DELTA_DEFLATE:
		n = pack_deflate(p, cap, -15);
		break;
	case DELTA_ZSTD:
		n = ZSTD_compress(p, cap, plain, PLAIN_LEN, 3);
		break;
	case DELTA_LZ4:
		n = LZ4F_compressFrame(p, cap, plain, PLAIN_LEN, &lz4);
		break;
	default:
		n = PLAIN_LEN;
		memcpy(p, plain, n);
	}
	assert_in_range(n, 1, cap);
	p = realloc(p, n + 1); /* one more, for trials of what lies behind */
	p[n] = 0;
	return view_of(p, n);
}

/* brotli is only read here; its patches are in test_delta_bsdiff. */
#define PACKINGS(p) enum delta_packing p = DELTA_PLAIN; p < DELTA_PACKING_LIMIT; p++

/* ---- tests ---- */

static int
setup(void **state)
{
	uint32_t x = 1;
	(void)state;
	for (size_t i = 0; i < PLAIN_LEN; i++) {
		x = x * 1664525u + 1013904223u;
		plain[i] = i % 1000 < 500 ? (uint8_t)(x >> 24) : 'a';
	}
	return 0;
}

static void
reads(void **state)
{
	static const size_t steps[] = { 7, 4096, DELTA_STREAM_BUFFER, DELTA_STREAM_BUFFER + 1, PLAIN_LEN };
	uint8_t sum[DIGEST_SHA256_LEN];
	(void)state;
	assert_int_equal(digest_sha256(view_of(plain, PLAIN_LEN), sum), 0);
	for (PACKINGS(p)) {
		if (p == DELTA_BROTLI)
			continue;
		struct view patch = pack(p);
		for (unsigned i = 0; i < sizeof steps / sizeof steps[0]; i++) {
			plan_for(p, patch, steps[i]);
			struct delta_result r = run(patch);
			if (r.outcome != DELTA_APPLIED)
				fail_msg("%s in steps of %zu: %s", delta_packing_name(p), steps[i], r.detail);
			assert_memory_equal(r.target_sha256, sum, sizeof sum);
		}
		rig_drop(patch);
	}
}

static void
refused(struct view patch, enum delta_outcome outcome, const char *words)
{
	struct delta_result r = run(patch);
	if (r.outcome != outcome || !strstr(r.detail, words))
		fail_msg("%s: %s: \"%s\" instead of \"%s\"", delta_packing_name(plan.packing),
		    delta_outcome_name(r.outcome), r.detail, words);
}

static void
ends(void **state)
{
	(void)state;
	for (PACKINGS(p)) {
		if (p == DELTA_BROTLI)
			continue;
		struct view patch = pack(p), more = view_of(patch.p, patch.n + 1);
		plan_for(p, patch, 4096);
		plan.n = PLAIN_LEN - 1;
		refused(patch, DELTA_MALFORMED, "holds more than is used");
		plan.n = PLAIN_LEN + 1;
		refused(patch, DELTA_MALFORMED, "1 bytes early");
		plan.n = PLAIN_LEN;
		plan.length = patch.n + 1;
		refused(more, DELTA_MALFORMED, p == DELTA_PLAIN ? "holds more" : "1 bytes behind");
		refused(patch, DELTA_MALFORMED, "of a patch of");
		plan.at = 1;
		plan.length = UINT64_MAX;
		refused(patch, DELTA_MALFORMED, "of a patch of");
		/* The last byte: of a checksum, or of what marks the end. */
		plan_for(p, patch, 4096);
		plan.length--;
		refused(patch, DELTA_MALFORMED, p == DELTA_PLAIN ? "1 bytes early" : "cut off");
		plan_for(p, patch, 4096);
		plan.length = 0;
		refused(patch, DELTA_MALFORMED, p == DELTA_PLAIN ? "ends" : "cut off");
		rig_drop(patch);
	}
}

static void
damage(void **state)
{
	(void)state;
	for (PACKINGS(p)) {
		if (p == DELTA_PLAIN || p == DELTA_BROTLI)
			continue;
		struct view patch = pack(p);
		memset(rig_bytes(patch), 0x55, 24);
		plan_for(p, patch, 4096);
		refused(patch, DELTA_MALFORMED, "damaged");
		rig_drop(patch);
	}
}

/* Cut anywhere, a stream of pieces is the same stream; and no piece may hold what is not used of it. */
static void
pieces(void **state)
{
	static uint8_t two[4 * PLAIN_LEN];
	lzma_stream x = LZMA_STREAM_INIT;
	(void)state;
	assert_int_equal(lzma_easy_encoder(&x, 6, LZMA_CHECK_NONE), LZMA_OK);
	x.next_in = plain;
	x.avail_in = PLAIN_LEN / 2;
	x.next_out = two;
	x.avail_out = sizeof two;
	assert_int_equal(lzma_code(&x, LZMA_SYNC_FLUSH), LZMA_STREAM_END);
	size_t first = sizeof two - x.avail_out;
	x.avail_in = PLAIN_LEN - PLAIN_LEN / 2;
	assert_int_equal(lzma_code(&x, LZMA_SYNC_FLUSH), LZMA_STREAM_END);
	struct view patch = view_of(two, sizeof two - x.avail_out);
	lzma_end(&x);
	plan_for(DELTA_XZ, patch, 4096);
	plan.cut = first;
	plan.drained = true;
	assert_int_equal(run(patch).outcome, DELTA_APPLIED);
	plan.drained = false;
	refused(patch, DELTA_MALFORMED, "cut off at its end");
	plan.drained = true;
	plan.cut = first - 1;
	refused(patch, DELTA_MALFORMED, "early");
	plan.cut = first + 20;
	refused(patch, DELTA_MALFORMED, "main");
	plan_for(DELTA_PLAIN, view_of(plain, PLAIN_LEN), 4096);
	plan.cut = PLAIN_LEN / 2;
	assert_int_equal(run(view_of(plain, PLAIN_LEN)).outcome, DELTA_APPLIED);
	/* A stream that is over does not go on. */
	struct view whole = pack(DELTA_ZLIB);
	plan_for(DELTA_ZLIB, whole, 4096);
	plan.cut = whole.n;
	plan.length = whole.n + 1;
	plan.n = 2 * PLAIN_LEN;
	refused(view_of(whole.p, whole.n + 1), DELTA_MALFORMED, "ended before its last piece");
	rig_drop(whole);
}

/* A window is the stream's own word: one that is too large is a limit, and so are many that are not. */
static void
memory(void **state)
{
	uint8_t *p = malloc(2 * PLAIN_LEN);
	lzma_options_lzma opt;
	lzma_stream x = LZMA_STREAM_INIT;
	ZSTD_CCtx *z = ZSTD_createCCtx();
	(void)state;
	struct view patch = pack(DELTA_LZMA_ALONE); /* its window is in bytes 1 to 4 */
	memcpy(rig_bytes(patch) + 1, "\0\0\0\x08", 4);
	plan_for(DELTA_LZMA_ALONE, patch, 4096);
	refused(patch, DELTA_LIMIT, "window");
	memcpy(rig_bytes(patch) + 1, "\0\0\0\x04", 4);
	assert_int_equal(run(patch).outcome, DELTA_APPLIED);
	plan.many = 2;
	refused(patch, DELTA_LIMIT, "window");
	rig_drop(patch);

	/* The name of one filter is forged in a block header: dictionaries are the xz container's word too. */
	lzma_lzma_preset(&opt, 0);
	opt.dict_size = 128u << 20;
	opt.nice_len = 8;
	opt.mf = LZMA_MF_HC3;
	opt.mode = LZMA_MODE_FAST;
	lzma_filter filters[] = { { LZMA_FILTER_LZMA2, &opt }, { LZMA_VLI_UNKNOWN, NULL } };
	patch = view_of(p, pack_lzma(lzma_stream_encoder(&x, filters, LZMA_CHECK_NONE), &x, p, 2 * PLAIN_LEN));
	plan_for(DELTA_XZ, patch, 4096);
	refused(patch, DELTA_LIMIT, "window");

	ZSTD_CCtx_setParameter(z, ZSTD_c_windowLog, 27);
	ZSTD_CCtx_setParameter(z, ZSTD_c_contentSizeFlag, 0);
	ZSTD_inBuffer in = { plain, PLAIN_LEN, 0 };
	ZSTD_outBuffer out = { p, 2 * PLAIN_LEN, 0 };
	/* In two parts, so that the window is not made as small as what there is. */
	in.size = 1000;
	ZSTD_compressStream2(z, &out, &in, ZSTD_e_flush);
	in.size = PLAIN_LEN;
	assert_int_equal(ZSTD_compressStream2(z, &out, &in, ZSTD_e_end), 0);
	patch = view_of(p, out.pos);
	plan_for(DELTA_ZSTD, patch, 4096);
	refused(patch, DELTA_LIMIT, "window");
	ZSTD_freeCCtx(z);
	free(p);

	patch = pack(DELTA_LZ4);
	plan_for(DELTA_LZ4, patch, 4096);
	plan.many = 11;
	refused(patch, DELTA_LIMIT, "bytes of memory");
	rig_drop(patch);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(ends),
		cmocka_unit_test(damage),
		cmocka_unit_test(pieces),
		cmocka_unit_test(memory),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
