/* SPDX-License-Identifier: Apache-2.0 */
/* The patches that AOSP tests its own recovery with (../shared/vectors/imgdiff), and small ones made here. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <zlib.h>

#include "crypto/writer.h"
#include "images/delta_imgdiff.h"
#include "unit/images/delta_rig.h"

static void
le(struct writer *w, uint64_t v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		writer_u8(w, (uint8_t)(v >> 8 * i));
}

/* ---- AOSP's ---- */

/* p is NULL when it was refused. */
static struct view
recovery(struct view patch, struct view boot, const struct source *bonus, struct delta_result *ret)
{
	struct source p, b, t;
	int fd = memfd_create("target", MFD_CLOEXEC);
	uint8_t *got = NULL;
	source_memory(&p, patch);
	source_memory(&b, boot);
	assert_int_equal(delta_apply_bonus(FORMAT_IMGDIFF, &p, &b, bonus, fd, ret), 0);
	if (ret->outcome == DELTA_APPLIED) {
		assert_int_equal(source_open(&t, fd), 0);
		assert_int_equal(ret->from_base + ret->from_patch, t.size);
		got = malloc(t.size);
		assert_int_equal(source_read(&t, 0, got, t.size), 0);
	}
	close(fd);
	return view_of(got, got ? t.size : 0);
}

/*
 * Two patches make the same recovery of the same boot image: one carries what it
 * needs, one takes it from the bonus file. Its ramdisk, expanded, is known, and
 * what the recompressed stream is in is an image that both agree on to the last byte.
 */
static void
recovery_from_boot(void **state)
{
	struct view whole = rig_genuine("imgdiff/recovery-from-boot-with-bonus.p"),
	            lean = rig_genuine("imgdiff/recovery-from-boot.p"), boot = rig_genuine("imgdiff/boot.img"),
	            body = rig_genuine("imgdiff/recovery_body"), extra = rig_genuine("imgdiff/bonus.file");
	struct delta_result r;
	struct source bonus, wrong;
	(void)state;
	if (!body.p)
		skip();
	struct view made = recovery(whole, boot, NULL, &r);
	if (!made.p)
		fail_msg("%s", r.detail);
	assert_int_equal(strncmp(r.applier, "imgdiff2/1 zlib-", 16), 0);
	source_memory(&bonus, extra);
	struct view again = recovery(lean, boot, &bonus, &r);
	assert_true(view_equal(made, again));
	/* The ramdisk begins where the first chunk's target ends, as that one's bsdiff patch says. */
	size_t at = whole.p[132 + 24] | (size_t)whole.p[132 + 25] << 8 | (size_t)whole.p[132 + 26] << 16;
	uint8_t *expanded = malloc(body.n);
	z_stream z = { .next_in = rig_bytes(made) + at, .avail_in = (uInt)(made.n - at), .next_out = expanded,
		.avail_out = (uInt)body.n };
	assert_int_equal(inflateInit2(&z, -15), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(inflateEnd(&z), Z_OK);
	assert_int_equal(z.total_out, body.n);
	assert_memory_equal(expanded, body.p, body.n);
	/* Without it, and with another of another length. */
	assert_null(recovery(lean, boot, NULL, &r).p);
	assert_int_equal(r.outcome, DELTA_UNSUPPORTED);
	assert_non_null(strstr(r.detail, "557334 bytes of bonus data"));
	source_memory(&wrong, view_of(extra.p, extra.n - 1));
	assert_null(recovery(lean, boot, &wrong, &r).p);
	assert_int_equal(r.outcome, DELTA_MALFORMED);
	free(expanded);
	rig_drop(made);
	rig_drop(again);
	rig_drop(whole);
	rig_drop(lean);
	rig_drop(boot);
	rig_drop(body);
	rig_drop(extra);
}

/* ---- made here ---- */

#define OLD_N 4000

static uint8_t old_bytes[OLD_N], plain[3000];
static size_t packed_at, packed_n; /* deflate stream in the base */

static size_t
pack(const uint8_t *from, size_t n, uint8_t *to, size_t cap, int level)
{
	z_stream z = { .next_in = (uint8_t *)(uintptr_t)from, .avail_in = (uInt)n, .next_out = to, .avail_out = (uInt)cap };
	assert_int_equal(deflateInit2(&z, level, Z_DEFLATED, -15, 8, 0), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(deflateEnd(&z), Z_OK);
	return z.total_out;
}

static int
setup(void **state)
{
	(void)state;
	for (size_t i = 0; i < OLD_N; i++)
		old_bytes[i] = (uint8_t)(i * i >> 3);
	for (size_t i = 0; i < sizeof plain; i++)
		plain[i] = (uint8_t)(i % 97 * (i % 13));
	packed_at = 1000;
	packed_n = pack(plain, sizeof plain, old_bytes + packed_at, OLD_N - packed_at, 6);
	return 0;
}

/* A plain BSDF2 that adds 1 to the first of n bytes. */
static void
put_bsdiff(struct writer *w, size_t n)
{
	writer_bytes(w, view_of("BSDF2\0\0\0", 8));
	le(w, 24, 8);
	le(w, n, 8);
	le(w, n, 8);
	le(w, n, 8);
	le(w, 0, 8);
	le(w, 0, 8);
	for (size_t i = 0; i < n; i++)
		writer_u8(w, i == 0);
}

#define BSDIFF_LEN(n) (32 + 24 + (n))

/* What of a patch may be wrong; zero: nothing. */
struct lie {
	int64_t chunks, type, start, length, at, source_n, target_n, level, method, window, mem, strategy, raw_n;
	size_t behind, gap;
};

/* Three chunks: 500 bytes as they are but one, the deflate stream, and five raw bytes. */
static struct view
make(const struct lie *l)
{
	struct writer w;
	uint64_t headers = 12 + 28 + 64 + 8 + 5;
	size_t n;
	writer_init(&w, 1 << 20);
	writer_text(&w, "IMGDIFF2");
	le(&w, (uint64_t)(3 + l->chunks), 4);
	le(&w, (uint64_t)l->type, 4);
	le(&w, 100, 8);
	le(&w, 500, 8);
	le(&w, headers, 8);
	le(&w, 2, 4);
	le(&w, packed_at + (uint64_t)l->start, 8);
	le(&w, packed_n + (uint64_t)l->length, 8);
	le(&w, headers + BSDIFF_LEN(500) + (uint64_t)l->at, 8);
	le(&w, sizeof plain + (uint64_t)l->source_n, 8);
	le(&w, sizeof plain + (uint64_t)l->target_n, 8);
	le(&w, (uint64_t)(9 + l->level), 4);
	le(&w, (uint64_t)(8 + l->method), 4);
	le(&w, (uint64_t)(-15 + l->window), 4);
	le(&w, (uint64_t)(8 + l->mem), 4);
	le(&w, (uint64_t)l->strategy, 4);
	le(&w, 3, 4);
	le(&w, (uint64_t)(5 + l->raw_n), 4);
	writer_text(&w, "hello");
	put_bsdiff(&w, 500);
	for (size_t i = 0; i < l->gap; i++)
		writer_u8(&w, 0);
	put_bsdiff(&w, sizeof plain);
	for (size_t i = 0; i < l->behind; i++)
		writer_u8(&w, 0);
	assert_int_equal(writer_err(&w), 0);
	uint8_t *p = writer_take(&w, &n);
	return view_of(p, n);
}

static void
small(void **state)
{
	static const struct lie none;
	struct view patch = make(&none), base = view_of(old_bytes, OLD_N);
	uint8_t want[5000], changed[sizeof plain];
	(void)state;
	memcpy(want, old_bytes + 100, 500);
	want[0]++;
	memcpy(changed, plain, sizeof plain);
	changed[0]++;
	size_t n = 500 + pack(changed, sizeof changed, want + 500, sizeof want - 500, 9);
	memcpy(want + n, "hello", 5);
	struct delta_result r = rig_makes(FORMAT_IMGDIFF, patch, base, view_of(want, n + 5));
	assert_int_equal(r.from_base, 499);
	/* Nobody reads the seek at the end of a tuple, nor strategies and levels that come to the same. */
	assert_in_range(rig_tries(FORMAT_IMGDIFF, patch, base, view_of(want, n + 5), 1), 1, 64);
	rig_drop(patch);
	/* Nothing of nothing. */
	rig_makes(FORMAT_IMGDIFF, view_of("IMGDIFF2\0\0\0\0", 12), base, view_of("", 0));
	/* Whoever gives less room than it takes. */
	patch = make(&none);
	struct source p, b;
	source_memory(&p, patch);
	source_memory(&b, base);
	for (size_t room = 0; room < n + 5; room += 100) {
		assert_int_equal(delta_apply_memory(FORMAT_IMGDIFF, &p, &b, want, room, &r), 0);
		assert_int_equal(r.outcome, DELTA_LIMIT);
	}
	rig_drop(patch);
}

static void
refused(const struct lie *l, enum delta_outcome outcome, const char *words)
{
	struct view patch = make(l);
	rig_refuses(FORMAT_IMGDIFF, patch, view_of(old_bytes, OLD_N), outcome, words);
	rig_drop(patch);
}

static void
lies(void **state)
{
	(void)state;
	refused(&(struct lie){ .chunks = 1 }, DELTA_MALFORMED, "type");
	refused(&(struct lie){ .chunks = -1 }, DELTA_MALFORMED, "patch");
	refused(&(struct lie){ .chunks = DELTA_IMGDIFF_CHUNKS_MAX }, DELTA_LIMIT, "chunks");
	refused(&(struct lie){ .type = 1 }, DELTA_UNSUPPORTED, "type 1");
	refused(&(struct lie){ .type = 4 }, DELTA_MALFORMED, "type 4");
	refused(&(struct lie){ .start = 1 }, DELTA_MALFORMED, "deflate stream");
	refused(&(struct lie){ .start = INT64_MIN }, DELTA_MALFORMED, "of a base of");
	refused(&(struct lie){ .start = INT64_MAX - 1000 }, DELTA_MALFORMED, "of a base of");
	refused(&(struct lie){ .length = 1 }, DELTA_MALFORMED, "deflate stream");
	refused(&(struct lie){ .length = -1 }, DELTA_MALFORMED, "deflate stream");
	refused(&(struct lie){ .length = INT64_MAX - 1000 }, DELTA_MALFORMED, "of a base of");
	refused(&(struct lie){ .at = 1 }, DELTA_MALFORMED, "a part by");
	refused(&(struct lie){ .at = -1 }, DELTA_MALFORMED, "a part by");
	refused(&(struct lie){ .at = 1 << 20 }, DELTA_MALFORMED, "should");
	refused(&(struct lie){ .at = INT64_MIN }, DELTA_MALFORMED, "should");
	refused(&(struct lie){ .source_n = 1 }, DELTA_UNSUPPORTED, "wants 1 bytes of bonus");
	refused(&(struct lie){ .source_n = -1 }, DELTA_MALFORMED, "deflate stream");
	refused(&(struct lie){ .source_n = 1 << 30 }, DELTA_LIMIT, "expands to");
	refused(&(struct lie){ .source_n = 96 << 20 }, DELTA_LIMIT, "expand");
	refused(&(struct lie){ .source_n = INT64_MIN }, DELTA_LIMIT, "expands to");
	refused(&(struct lie){ .target_n = 1 }, DELTA_MALFORMED, "makes 3000 bytes and should make 3001");
	refused(&(struct lie){ .target_n = -1 }, DELTA_LIMIT, "3000 bytes");
	refused(&(struct lie){ .target_n = INT64_MAX - 5000 }, DELTA_LIMIT, "expands to");
	refused(&(struct lie){ .level = 1 }, DELTA_MALFORMED, "parameters");
	refused(&(struct lie){ .method = 1 }, DELTA_MALFORMED, "parameters");
	refused(&(struct lie){ .window = 30 }, DELTA_MALFORMED, "raw deflate");
	refused(&(struct lie){ .window = -1 }, DELTA_MALFORMED, "raw deflate");
	refused(&(struct lie){ .mem = 2 }, DELTA_MALFORMED, "parameters");
	refused(&(struct lie){ .strategy = 5 }, DELTA_MALFORMED, "parameters");
	refused(&(struct lie){ .raw_n = 1 }, DELTA_MALFORMED, "should");
	refused(&(struct lie){ .raw_n = 1 << 20 }, DELTA_MALFORMED, "beyond the patch");
	refused(&(struct lie){ .gap = 1 }, DELTA_MALFORMED, "a part by");
	refused(&(struct lie){ .behind = 1 }, DELTA_MALFORMED, "a part by");
	rig_refuses(FORMAT_IMGDIFF, view_of("IMGDIFF2\0\0\0\0x", 13), view_of("", 0), DELTA_MALFORMED, "behind");
	rig_refuses(FORMAT_IMGDIFF, view_of("IMGDIFF1\0\0\0\0", 12), view_of("", 0), DELTA_MALFORMED, "not IMGDIFF2");
	rig_refuses(FORMAT_IMGDIFF, view_of("IMGDIFF2", 8), view_of("", 0), DELTA_MALFORMED, "ends at 8");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recovery_from_boot),
		cmocka_unit_test(small),
		cmocka_unit_test(lies),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
