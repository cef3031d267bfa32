/* SPDX-License-Identifier: Apache-2.0 */
/* Patches of xdelta3 (tests/vectors/appliers.py), and others made here, byte by byte. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <lzma.h>
#include <zlib.h>

#include "crypto/writer.h"
#include "images/delta_vcdiff.h"
#include "images/vcdiff.h"
#include "unit/images/delta_rig.h"

static const char base_text[] = "the quick brown fox jumps over the lazy dog";
#define BASE_N (sizeof base_text - 1)
#define BASE view_of(base_text, BASE_N)

/* One window; what is not named is nothing. Lengths are told as they are, and lied about by what is added to them. */
struct win {
	unsigned indicator, delta;
	uint64_t segment_n, segment_at, size;
	struct view data, inst, addr;
	bool adler_wrong;
	const char *makes; /* what Adler-32 is over */
	int encoded_lie;
	uint64_t data_n; /* instead of the section's own length, when not 0 */
};

static void
put_int(struct writer *w, uint64_t v)
{
	uint8_t p[VCDIFF_INT_MAX];
	writer_bytes(w, view_of(p, vcdiff_int(v, p)));
}

static void
put_window(struct writer *w, const struct win *x)
{
	struct writer b;
	writer_init(&b, 1 << 20);
	put_int(&b, x->size);
	writer_u8(&b, (uint8_t)x->delta);
	put_int(&b, x->data_n ? x->data_n : x->data.n);
	put_int(&b, x->inst.n);
	put_int(&b, x->addr.n);
	if (x->indicator & VCDIFF_WIN_ADLER32) {
		uint32_t sum = (uint32_t)adler32_z(1, (const uint8_t *)x->makes, strlen(x->makes));
		writer_u32(&b, x->adler_wrong ? sum ^ 1 : sum);
	}
	writer_bytes(&b, x->data);
	writer_bytes(&b, x->inst);
	writer_bytes(&b, x->addr);
	writer_u8(w, (uint8_t)x->indicator);
	if (x->indicator & (VCDIFF_WIN_SOURCE | VCDIFF_WIN_TARGET)) {
		put_int(w, x->segment_n);
		put_int(w, x->segment_at);
	}
	put_int(w, b.n + (size_t)(int64_t)x->encoded_lie);
	writer_bytes(w, writer_view(&b));
	writer_free(&b);
}

static struct view
patch_of(struct view header, const struct win *x, size_t n)
{
	struct writer w;
	size_t made;
	writer_init(&w, 1 << 20);
	writer_bytes(&w, header);
	for (size_t i = 0; i < n; i++)
		put_window(&w, &x[i]);
	uint8_t *p = writer_take(&w, &made);
	return view_of(p, made);
}

#define HEADER view_of("\xd6\xc3\xc4\0\0", 5)
#define BYTES(s) view_of(s, sizeof(s) - 1)

static void
makes(const char *want, const struct win *x, size_t n, bool checked)
{
	struct view p = patch_of(HEADER, x, n);
	struct delta_result r = rig_makes(FORMAT_VCDIFF, p, BASE, view_str(want));
	assert_int_equal(r.checked, checked);
	assert_string_equal(r.applier, "vcdiff/1");
	rig_drop(p);
}

static void
refuses_with(struct view header, const struct win *x, size_t n, enum delta_outcome outcome, const char *words)
{
	struct view p = patch_of(header, x, n);
	rig_refuses(FORMAT_VCDIFF, p, BASE, outcome, words);
	rig_drop(p);
}

static void
refuses(struct win x, const char *words)
{
	refuses_with(HEADER, &x, 1, DELTA_MALFORMED, words);
}

/* ---- genuine ---- */

static void
genuine(void **state)
{
	static const struct {
		const char *name;
		bool checked;
	} of[] = { { "none", true }, { "n", false }, { "A", true }, { "windows", true }, { "lzma", true },
		{ "lzma-windows", true }, { "lzma-9", true } };
	struct view old = rig_made("appliers", "old"), new = rig_made("appliers", "new");
	(void)state;
	for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
		char name[64];
		snprintf(name, sizeof name, "vcdiff-%s", of[i].name);
		struct view p = rig_made("appliers", name);
		struct delta_result r = rig_makes(FORMAT_VCDIFF, p, old, new);
		assert_int_equal(r.checked, of[i].checked);
		assert_true(r.from_base > 150000 && r.from_patch > 1000);
		rig_drop(p);
	}
	struct view none = view_of(NULL, 0), p = rig_made("appliers", "vcdiff-from-empty");
	rig_makes(FORMAT_VCDIFF, p, none, new);
	rig_drop(p);
	p = rig_made("appliers", "vcdiff-empty");
	rig_makes(FORMAT_VCDIFF, p, old, none);
	rig_drop(p);
	rig_drop(old);
	rig_drop(new);
}

/* A base that is a file is read in blocks, which are kept: the same comes out. */
static void
base_in_a_file(void **state)
{
	struct view old = rig_made("appliers", "old"), new = rig_made("appliers", "new"), p = rig_made("appliers", "vcdiff-windows");
	struct source patch, base;
	struct delta_result r;
	uint8_t sum[DIGEST_SHA256_LEN];
	int fd = memfd_create("base", MFD_CLOEXEC);
	(void)state;
	assert_int_equal(write(fd, old.p, old.n), old.n);
	assert_int_equal(source_open(&base, fd), 0);
	source_memory(&patch, p);
	assert_int_equal(delta_apply(FORMAT_VCDIFF, &patch, &base, -1, &r), 0);
	digest_sha256(new, sum);
	assert_int_equal(r.outcome, DELTA_APPLIED);
	assert_memory_equal(r.target_sha256, sum, sizeof sum);
	/* It became shorter since it was opened: no outcome, and no zeros. */
	assert_int_equal(ftruncate(fd, 5000), 0);
	assert_int_equal(delta_apply(FORMAT_VCDIFF, &patch, &base, -1, &r), FG_EIO);
	close(fd);
	rig_drop(p);
	rig_drop(new);
	rig_drop(old);
}

static uint32_t
below(uint32_t *seed, uint32_t n)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed % n;
}

/*
 * One window that jumps about in the base as patches do: on along a shift, off it for a few bytes and back, to
 * another and to stay, past what was read ahead, to the base's very end; with bytes between, and copies of its own.
 */
static struct view
jumpy_window(struct view base, uint32_t *seed, struct win *x, struct writer *data, struct writer *inst, struct writer *addr)
{
	struct writer w;
	size_t n;
	uint32_t shift[3] = { 0 };
	writer_init(&w, 4 << 20);
	for (unsigned i = 0; i < 400; i++) {
		size_t length = 1 + (size_t)below(seed, below(seed, 12) == 0 ? 90000 : below(seed, 4) ? 300 : 9000);
		uint32_t kind = below(seed, 10);
		if (below(seed, 15) == 0)
			shift[below(seed, 3)] = below(seed, (uint32_t)base.n);
		size_t at = kind < 8 ? (shift[kind < 6 ? 0 : kind - 5] + w.n) % base.n : 0;
		if (kind < 8) { /* COPY, mode self */
			length = length < base.n - at ? length : base.n - at;
			writer_u8(inst, 19);
			put_int(inst, length);
			put_int(addr, at);
			writer_bytes(&w, view_of(base.p + at, length));
		} else if (kind == 8) { /* RUN */
			length = length % 500 + 1;
			writer_u8(inst, 0);
			put_int(inst, length);
			writer_u8(data, (uint8_t)i);
			for (size_t k = 0; k < length; k++)
				writer_u8(&w, (uint8_t)i);
		} else if (w.n > 0) { /* COPY of the window itself, of what it makes if need be */
			at = below(seed, (uint32_t)w.n);
			writer_u8(inst, 19);
			put_int(inst, length);
			put_int(addr, base.n + at);
			for (size_t k = 0; k < length; k++)
				writer_u8(&w, w.p[at + k]);
		}
		writer_u8(inst, 1 + 3); /* ADD of three */
		writer_bytes(data, view_of("new", 3));
		writer_bytes(&w, view_of("new", 3));
	}
	uint8_t *p = writer_take(&w, &n);
	*x = (struct win){ .indicator = VCDIFF_WIN_SOURCE, .segment_n = base.n, .size = n, .data = writer_view(data),
		.inst = writer_view(inst), .addr = writer_view(addr) };
	return view_of(p, n);
}

/* The base is a file, whose bytes are read ahead; what comes out is what the instructions say, in every order. */
static void
jumps(void **state)
{
	enum { N = 200000 };
	uint32_t seed = 7;
	uint8_t *bytes = malloc(N);
	int fd = memfd_create("base", MFD_CLOEXEC);
	(void)state;
	for (size_t i = 0; i < N; i++)
		bytes[i] = (uint8_t)below(&seed, 256);
	assert_int_equal(write(fd, bytes, N), N);
	for (unsigned round = 0; round < 40; round++) {
		struct writer part[2][3], target;
		struct win x[2];
		struct source patch, base;
		struct delta_result r;
		uint8_t sum[DIGEST_SHA256_LEN];
		writer_init(&target, 16 << 20);
		for (unsigned i = 0; i < 2; i++) {
			for (unsigned k = 0; k < 3; k++)
				writer_init(&part[i][k], 1 << 20);
			struct view made = jumpy_window(view_of(bytes, N), &seed, &x[i], &part[i][0], &part[i][1], &part[i][2]);
			writer_bytes(&target, made);
			rig_drop(made);
		}
		struct view p = patch_of(HEADER, x, 2);
		source_memory(&patch, p);
		assert_int_equal(source_open(&base, fd), 0);
		assert_int_equal(delta_apply(FORMAT_VCDIFF, &patch, &base, -1, &r), 0);
		assert_string_equal(r.detail, "");
		digest_sha256(writer_view(&target), sum);
		assert_memory_equal(r.target_sha256, sum, sizeof sum);
		rig_drop(p);
		for (unsigned i = 0; i < 6; i++)
			writer_free(&part[i / 3][i % 3]);
		writer_free(&target);
	}
	close(fd);
	free(bytes);
}

static void
refused_by_name(void **state)
{
	static const struct {
		const char *name, *words;
	} of[] = { { "djw", "secondary compression by djw" }, { "fgk", "secondary compression by fgk" },
		{ "unpacked", "xdelta3 unpacked the files" } };
	struct view old = rig_made("appliers", "old");
	(void)state;
	for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
		char name[64];
		snprintf(name, sizeof name, "vcdiff-%s", of[i].name);
		struct view p = rig_made("appliers", name);
		rig_refuses(FORMAT_VCDIFF, p, old, DELTA_UNSUPPORTED, of[i].words);
		rig_drop(p);
	}
	rig_drop(old);
}

/* Every window has an Adler-32: another base is seen, unless the patch was made without. */
static void
another_base(void **state)
{
	struct view old = rig_made("appliers", "old"), new = rig_made("appliers", "new");
	struct view p = rig_made("appliers", "vcdiff-none"), n = rig_made("appliers", "vcdiff-n");
	(void)state;
	rig_bytes(old)[50000] ^= 1;
	rig_refuses(FORMAT_VCDIFF, p, old, DELTA_WRONG_BASE, "does not have the Adler-32");
	struct delta_result r = rig_apply(FORMAT_VCDIFF, n, old, NULL);
	assert_int_equal(r.outcome, DELTA_APPLIED);
	assert_false(r.checked);
	rig_refuses(FORMAT_VCDIFF, p, view_of(old.p, old.n - 40000), DELTA_WRONG_BASE, "of the base, which has");
	r = rig_apply(FORMAT_VCDIFF, n, view_of(old.p, 100), NULL);
	assert_int_equal(r.outcome, DELTA_WRONG_BASE);
	assert_non_null(strstr(r.wants, "at least "));
	rig_drop(p);
	rig_drop(n);
	rig_drop(new);
	rig_drop(old);
}

/* ---- made here ---- */

static void
instructions(void **state)
{
	(void)state;
	/* ADD of 3, RUN of 4. */
	makes("abczzzz", &(struct win){ .size = 7, .data = BYTES("abcz"), .inst = BYTES("\x04\x00\x04") }, 1, false);
	/* ADD with its size behind it. */
	makes("abc", &(struct win){ .size = 3, .data = BYTES("abc"), .inst = BYTES("\x01\x03") }, 1, false);
	/* From the base: "quick", by its address in the segment; then by the distance from here. */
	makes("quick", &(struct win){ .indicator = 1, .segment_n = BASE_N, .size = 5, .inst = BYTES("\x15"),
	                   .addr = BYTES("\x04") }, 1, false);
	makes("dog!", &(struct win){ .indicator = 1, .segment_n = BASE_N, .size = 4, .data = BYTES("!"),
	                  .inst = BYTES("\x23\x03\x02"), .addr = BYTES("\x03") }, 1, false);
	/* A segment in the middle: addresses are relative to it. */
	makes("brown", &(struct win){ .indicator = 1, .segment_n = 9, .segment_at = 10, .size = 5, .inst = BYTES("\x15"),
	                   .addr = BYTES("\0") }, 1, false);
	/* One byte, then a copy of what it makes itself. */
	makes("aaaaaaa", &(struct win){ .size = 7, .data = BYTES("a"), .inst = BYTES("\x02\x16"), .addr = BYTES("\0") }, 1, false);
	makes("ababababab", &(struct win){ .size = 10, .data = BYTES("ab"), .inst = BYTES("\x03\x18"), .addr = BYTES("\0") }, 1, false);
	/* Two instructions in one code: ADD 1 and COPY 4 (163); COPY 4 and ADD 1 (247). */
	makes("-the quick", &(struct win){ .indicator = 1, .segment_n = BASE_N, .size = 10, .data = BYTES("-k"),
	                        .inst = BYTES("\xa3\xf7"), .addr = BYTES("\0\x04") }, 1, false);
	/* The same address again: near (slot 0, distance 0), and the byte of a same mode. */
	makes("the the the ", &(struct win){ .indicator = 1, .segment_n = BASE_N, .size = 12,
	                          .inst = BYTES("\x14\x34\x74"), .addr = BYTES("\0\0\0") }, 1, false);
}

static void
windows(void **state)
{
	const struct win two[] = { { .indicator = 5, .segment_n = BASE_N, .size = 4, .inst = BYTES("\x14"), .addr = BYTES("\0"),
		                           .makes = "the " },
		{ .indicator = 4, .size = 3, .data = BYTES("dog"), .inst = BYTES("\x04"), .makes = "dog" } };
	struct win bad[2] = { two[0], two[1] };
	(void)state;
	makes("the dog", two, 2, true);
	bad[1].indicator = 0;
	makes("the dog", bad, 2, false);
	bad[1] = two[1];
	bad[1].adler_wrong = true;
	refuses_with(HEADER, bad, 2, DELTA_WRONG_BASE, "window 1 does not have the Adler-32");
	/* Of the target made so far: the first window's "quick", taken in the second. */
	const struct win back[] = { { .indicator = 1, .segment_n = BASE_N, .size = 9, .inst = BYTES("\x19"), .addr = BYTES("\0") },
		{ .indicator = 2, .segment_n = 9, .segment_at = 0, .size = 5, .inst = BYTES("\x15"), .addr = BYTES("\x04") } };
	refuses_with(HEADER, back, 2, DELTA_UNSUPPORTED, "window 1: a segment of the target");
	/* Addresses start anew in each window: what the first one remembered is gone. */
	const struct win anew[] = { { .indicator = 1, .segment_n = BASE_N, .size = 5, .inst = BYTES("\x15"), .addr = BYTES("\x04") },
		{ .indicator = 1, .segment_n = BASE_N, .size = 4, .inst = BYTES("\x34"), .addr = BYTES("\0") } };
	makes("quickthe ", anew, 2, false);
}

static void
hostile_windows(void **state)
{
	const struct win good = { .indicator = 1, .segment_n = BASE_N, .size = 5, .inst = BYTES("\x15"), .addr = BYTES("\x04") };
	struct win x = good;
	(void)state;
	makes("quick", &good, 1, false);
	x.indicator = 8 | 1, refuses(x, "bits that have no meaning"), x = good;
	x.indicator = 3, refuses(x, "bits that have no meaning"), x = good;
	x.delta = 1, refuses(x, "bits that have no meaning"), x = good;
	x.delta = 0x80, refuses(x, "bits that have no meaning"), x = good;
	x.encoded_lie = 1, refuses(x, "not that of its parts"), x = good;
	x.encoded_lie = -1, refuses(x, "not that of its parts"), x = good;
	x.data_n = UINT64_MAX, refuses(x, "longer than the patch"), x = good;
	x.data_n = 1000, refuses(x, "longer than the patch"), x = good;
	x.size = 6, refuses(x, "makes less than it says"), x = good;
	x.size = 4, refuses(x, "writes past its end"), x = good;
	x.segment_at = UINT64_MAX - 3, refuses(x, "no file can have"), x = good;
	x.addr = BYTES("\x2a"), refuses(x, "over the end of its segment"), x = good;
	x.addr = BYTES("\x2b"), refuses(x, "where nothing is yet"), x = good;
	x.addr = BYTES("\xff\x7f"), refuses(x, "where nothing is yet"), x = good;
	x.addr = BYTES(""), refuses(x, "more of the address section"), x = good;
	x.addr = BYTES("\x04\0"), refuses(x, "bytes of the address section that nothing uses"), x = good;
	x.data = BYTES("x"), refuses(x, "bytes of the data section that nothing uses"), x = good;
	x.inst = BYTES("\x15\x02"), refuses(x, "writes past its end"), x = good;
	x.inst = BYTES(""), x.addr = BYTES(""), refuses(x, "makes less than it says"), x = good;
	x.inst = BYTES("\x13"), refuses(x, "more of the instruction section"), x = good;
	x.inst = BYTES("\x13\0"), refuses(x, "about no bytes"), x = good;
	x.inst = BYTES("\x13\x80\x05"), refuses(x, "leading zero"), x = good;
	x.inst = BYTES("\x13\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), refuses(x, "more than 64 bits"), x = good;
	x.inst = BYTES("\x13\x81\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), refuses(x, "writes past its end"), x = good;
	/* Distance from here: 48 of 43, and what would wrap below the start. */
	x.inst = BYTES("\x25"), x.addr = BYTES("\x30"), refuses(x, "where nothing is yet"), x = good;
	x.inst = BYTES("\x25"), x.addr = BYTES("\0"), refuses(x, "where nothing is yet"), x = good;
	/* Near: a number that wraps around to a place that is there. */
	x.size = 10, x.inst = BYTES("\x15\x35"), x.addr = BYTES("\x04\x81\xff\xff\xff\xff\xff\xff\xff\xff\x7f");
	refuses(x, "where nothing is yet"), x = good;
	/* ADD and RUN without data. */
	x.inst = BYTES("\x06"), x.addr = BYTES(""), refuses(x, "more of the data section"), x = good;
	x.inst = BYTES("\0\x05"), x.addr = BYTES(""), refuses(x, "more of the data section"), x = good;
	/* Sizes: one window, and all of them. */
	x.size = DELTA_VCDIFF_WINDOW_MAX + 1;
	refuses_with(HEADER, &x, 1, DELTA_LIMIT, "window 0 has"), x = good;
	x.size = DELTA_TARGET_MAX + 1;
	refuses_with(HEADER, &x, 1, DELTA_LIMIT, "the target would have"), x = good;
	struct win both[2] = { good, good };
	both[1].size = UINT64_MAX;
	refuses_with(HEADER, both, 2, DELTA_MALFORMED, "no file can be");
	refuses_with(HEADER, NULL, 0, DELTA_MALFORMED, "no window");
}

static void
hostile_headers(void **state)
{
	const struct win good = { .indicator = 1, .segment_n = BASE_N, .size = 5, .inst = BYTES("\x15"), .addr = BYTES("\x04") };
	static const struct {
		struct view header;
		enum delta_outcome outcome;
		const char *words;
	} of[] = {
		{ { (const uint8_t *)"\xd6\xc3\xc5\0\0", 5 }, DELTA_MALFORMED, "does not start as VCDIFF does" },
		{ { (const uint8_t *)"\xd6\xc3\xc4S\0", 5 }, DELTA_UNSUPPORTED, "SDCH" },
		{ { (const uint8_t *)"\xd6\xc3\xc4\1\0", 5 }, DELTA_UNSUPPORTED, "version 1" },
		{ { (const uint8_t *)"\xd6\xc3\xc4\0\x08", 5 }, DELTA_MALFORMED, "bits that have no meaning" },
		{ { (const uint8_t *)"\xd6\xc3\xc4\0\2\3\4\3x", 9 }, DELTA_UNSUPPORTED, "a code table of its own" },
		{ { (const uint8_t *)"\xd6\xc3\xc4\0\1\7", 6 }, DELTA_UNSUPPORTED, "secondary compressor 7" },
		{ { (const uint8_t *)"\xd6\xc3\xc4\0\1\0", 6 }, DELTA_UNSUPPORTED, "secondary compressor 0" },
		{ { (const uint8_t *)"\xd6\xc3\xc4\0\4\xff\x7f", 7 }, DELTA_MALFORMED, "longer than the patch" },
		{ { (const uint8_t *)"\xd6\xc3\xc4\0\4\6a/G/b/", 12 }, DELTA_UNSUPPORTED, "unpacked the files" },
		{ { (const uint8_t *)"\xd6\xc3\xc4\0\4\3a/G", 9 }, DELTA_UNSUPPORTED, "unpacked the files" },
		/* xdelta3 3.0.11 packs the output of these too: it splits three times, and ends at a NUL. */
		{ { (const uint8_t *)"\xd6\xc3\xc4\0\4\10x/G/y//z", 14 }, DELTA_UNSUPPORTED, "unpacked the files" },
		{ { (const uint8_t *)"\xd6\xc3\xc4\0\4\6a/G\0//", 12 }, DELTA_UNSUPPORTED, "unpacked the files" },
		{ { (const uint8_t *)"\xd6\xc3\xc4\0\4\6a//b/G", 12 }, DELTA_UNSUPPORTED, "unpacked the files" },
		{ { (const uint8_t *)"\xd6\xc3\xc4\0\4\6a//b//", 12 }, DELTA_UNSUPPORTED, "unpacked the files" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof of / sizeof of[0]; i++)
		refuses_with(of[i].header, &good, 1, of[i].outcome, of[i].words);
	/* Names alone, and a compressor that no window uses. */
	struct view p = patch_of(BYTES("\xd6\xc3\xc4\0\5\1\5a//b/"), &good, 1);
	rig_makes(FORMAT_VCDIFF, p, BASE, view_str("quick"));
	rig_drop(p);
}

/* ---- lzma ---- */

/* A section of xdelta3: its length unpacked, and an .xz stream up to a flush. */
static struct view
packed(const char *bytes, size_t n, uint64_t says, const char *behind)
{
	lzma_stream z = LZMA_STREAM_INIT;
	lzma_options_lzma o;
	static uint8_t out[16][4096];
	static unsigned next;
	uint8_t *p = out[next++ % 16];
	assert_false(lzma_lzma_preset(&o, 0));
	const lzma_filter f[] = { { LZMA_FILTER_LZMA2, &o }, { LZMA_VLI_UNKNOWN, NULL } };
	assert_int_equal(lzma_stream_encoder(&z, f, LZMA_CHECK_NONE), LZMA_OK);
	unsigned head = vcdiff_int(says, p);
	z.next_in = (const uint8_t *)bytes;
	z.avail_in = n;
	z.next_out = p + head;
	z.avail_out = sizeof out[0] - head;
	assert_int_equal(lzma_code(&z, LZMA_SYNC_FLUSH), LZMA_STREAM_END);
	size_t made = sizeof out[0] - z.avail_out;
	lzma_end(&z);
	memcpy(p + made, behind, strlen(behind));
	return view_of(p, made + strlen(behind));
}

static void
lzma_sections(void **state)
{
	const struct view header = BYTES("\xd6\xc3\xc4\0\1\2");
	static const char many[] = "abcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabc";
	const size_t n = sizeof many - 1;
	struct win x = { .delta = 1, .size = n, .inst = BYTES("\x01\x30") }, good;
	(void)state;
	x.data = packed(many, n, n, "");
	good = x;
	struct view p = patch_of(header, &x, 1);
	rig_makes(FORMAT_VCDIFF, p, BASE, view_of(many, n));
	rig_drop(p);
	x.data = packed(many, n, n + 1, "");
	refuses_with(header, &x, 1, DELTA_MALFORMED, "bytes of the data section that nothing uses");
	x.size = n + 1, x.inst = BYTES("\x01\x31");
	refuses_with(header, &x, 1, DELTA_MALFORMED, "ends before what it says");
	x.size = n, x.inst = good.inst;
	x.data = packed(many, n, n - 1, "");
	refuses_with(header, &x, 1, DELTA_MALFORMED, "");
	x.data = packed(many, n, n, "x");
	refuses_with(header, &x, 1, DELTA_MALFORMED, "");
	x.data = packed(many, n, 0, "");
	refuses_with(header, &x, 1, DELTA_MALFORMED, "unpacks to nothing");
	x.data = BYTES("\x30no xz here at all");
	refuses_with(header, &x, 1, DELTA_MALFORMED, "damaged");
	x.data = BYTES("\x80");
	refuses_with(header, &x, 1, DELTA_MALFORMED, "");
	/* The stream goes on in the next window: a second head there is not what xdelta3 writes. */
	const struct win two[] = { good, good };
	refuses_with(header, two, 2, DELTA_MALFORMED, "window 1: ");
}

/* ---- every byte ---- */

static void
every_byte(void **state)
{
	struct view old = rig_made("appliers", "old"), new = rig_made("appliers", "new"), p;
	(void)state;
	p = rig_made("appliers", "vcdiff-none");
	/* The names in the application header are nobody's but xdelta3's, and differ: three changes in each of its bytes. */
	unsigned same = rig_tries(FORMAT_VCDIFF, p, old, new, 7);
	assert_true(same <= 6);
	rig_drop(p);
	p = rig_made("appliers", "vcdiff-lzma");
	assert_true(rig_tries(FORMAT_VCDIFF, p, old, new, 13) <= 6);
	rig_drop(p);
	rig_drop(old);
	rig_drop(new);
	/* Small enough for all of it. */
	const struct win one = { .indicator = 5, .segment_n = BASE_N, .size = 7, .data = BYTES("dog"), .inst = BYTES("\x14\x04"),
		.addr = BYTES("\0"), .makes = "the dog" };
	p = patch_of(HEADER, &one, 1);
	/* A segment of 42 bytes will do, and what is the same in no memory yet is address 0 as well. */
	assert_int_equal(rig_tries(FORMAT_VCDIFF, p, BASE, view_str("the dog"), 1), 2);
	rig_drop(p);
}

/* Nothing in the format says how many windows there are: what is cut between two makes less, and says so. */
static void
cut_between_windows(void **state)
{
	const struct win two[] = { { .indicator = 5, .segment_n = BASE_N, .size = 4, .inst = BYTES("\x14"), .addr = BYTES("\0"),
		                           .makes = "the " },
		{ .indicator = 4, .size = 3, .data = BYTES("dog"), .inst = BYTES("\x04"), .makes = "dog" } };
	struct view p = patch_of(HEADER, two, 2), first = patch_of(HEADER, two, 1);
	(void)state;
	for (size_t n = 0; n < p.n; n++) {
		struct delta_result r = rig_apply(FORMAT_VCDIFF, view_of(p.p, n), BASE, NULL);
		assert_int_equal(r.outcome == DELTA_APPLIED, n == first.n);
		assert_int_equal(r.target_size, n == first.n ? 4 : 0);
	}
	rig_drop(first);
	rig_drop(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(genuine),
		cmocka_unit_test(base_in_a_file),
		cmocka_unit_test(jumps),
		cmocka_unit_test(refused_by_name),
		cmocka_unit_test(another_base),
		cmocka_unit_test(instructions),
		cmocka_unit_test(windows),
		cmocka_unit_test(hostile_windows),
		cmocka_unit_test(hostile_headers),
		cmocka_unit_test(lzma_sections),
		cmocka_unit_test(every_byte),
		cmocka_unit_test(cut_between_windows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
