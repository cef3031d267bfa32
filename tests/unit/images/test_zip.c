/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/images/zip_rig.h"

#include "crypto/hex.h"
#include "images/zip.h"

#define A { .name = "a.txt", .text = "first" }
#define B { .name = "dir/b.bin", .text = "second second second second", .deflate = true }

static struct report *
look(struct writer *w)
{
	struct report *r = rig_inspect(writer_view(w), NULL, false);
	assert_int_equal(r->format, FORMAT_ZIP);
	assert_true(r->contents.walked);
	return r;
}

/* The archive in w raises id; frees it. */
static void
raises(struct writer *w, enum finding_id id)
{
	struct report *r = look(w);
	rig_has(r, id);
	report_free(r);
	writer_free(w);
}

static void
same_bytes(const struct contents_member *m, const char *text)
{
	uint8_t sum[DIGEST_SHA256_LEN];
	digest_sha256(view_str(text), sum);
	assert_int_equal(m->size, strlen(text));
	assert_memory_equal(m->sha256, sum, sizeof sum);
}

static void
honest(void **state)
{
	(void)state;
	struct rig_entry e[] = { A, B, { .name = "empty", .text = "", .deflate = true },
		{ .name = "folder/", .text = "" }, { .name = "late", .text = "descriptor", .descriptor = true },
		{ .name = "bare", .text = "descriptor without its magic", .deflate = true, .descriptor = true,
		    .bare_descriptor = true } };
	struct writer w;
	rig_zip(&w, e, 6, "");
	struct report *r = look(&w);
	rig_clean(r);
	assert_false(report_has(r, FINDING_FMT_UNKNOWN_PART));
	assert_int_equal(r->contents.members_total, 6);
	same_bytes(rig_member(r, "a.txt"), "first");
	same_bytes(rig_member(r, "dir/b.bin"), e[1].text);
	same_bytes(rig_member(r, "late"), "descriptor");
	same_bytes(rig_member(r, "bare"), e[5].text);
	assert_true(rig_member(r, "a.txt")->have_offset);
	assert_false(rig_member(r, "dir/b.bin")->have_offset);
	/* Nothing of a plain zip is called structure: names and offsets are anybody's. */
	assert_int_equal(r->contents.structure_n, 0);
	rig_has(r, FINDING_COV_UNSIGNED_BYTES);
	rig_has(r, FINDING_SIG_ABSENT);
	report_free(r);
	writer_free(&w);
	rig_zip(&w, e, 0, "");
	r = rig_inspect(writer_view(&w), NULL, false);
	rig_clean(r);
	assert_int_equal(r->contents.members_total, 0);
	report_free(r);
	writer_free(&w);
}

/* ---- the confusion set: each archive reads differently from the front and from the back ---- */

static void
hidden_and_gap_bytes(void **state)
{
	(void)state;
	struct rig_entry e[] = { A, B }, evil = { .name = "a.txt", .text = "EVIL" };
	for (unsigned at = 0; at < 3; at++) { /* before, between, behind */
		struct writer w;
		writer_init(&w, RIG_MAX);
		for (unsigned i = 0; i < 3; i++) {
			if (i == at)
				rig_local(&w, &evil);
			if (i < 2)
				rig_local(&w, &e[i]);
		}
		uint64_t d = writer_view(&w).n;
		rig_central(&w, &e[0]);
		rig_central(&w, &e[1]);
		rig_end(&w, 2, d, writer_view(&w).n, "");
		struct report *r = look(&w);
		rig_has(r, FINDING_FMT_HIDDEN_BYTES);
		same_bytes(rig_member(r, "a.txt"), "first");
		report_free(r);
		writer_free(&w);
	}
	/* One byte between entries, one before the end record. */
	struct writer w;
	writer_init(&w, RIG_MAX);
	rig_local(&w, &e[0]);
	writer_u8(&w, 0);
	rig_local(&w, &e[1]);
	uint64_t d = writer_view(&w).n;
	rig_central(&w, &e[0]);
	rig_central(&w, &e[1]);
	rig_end(&w, 2, d, writer_view(&w).n, "");
	raises(&w, FINDING_FMT_HIDDEN_BYTES);
	writer_init(&w, RIG_MAX);
	rig_local(&w, &e[0]);
	d = writer_view(&w).n;
	rig_central(&w, &e[0]);
	uint64_t until = writer_view(&w).n;
	writer_u8(&w, 0);
	rig_end(&w, 1, d, until, "");
	raises(&w, FINDING_FMT_CONFLICT);
}

static void
prefix_bytes(void **state)
{
	(void)state;
	struct rig_entry e[] = { A };
	struct writer w;
	writer_init(&w, RIG_MAX);
	rig_put(&w, "#!/bin/sh\n", 10); /* offsets count it */
	rig_local(&w, &e[0]);
	uint64_t d = writer_view(&w).n;
	rig_central(&w, &e[0]);
	rig_end(&w, 1, d, writer_view(&w).n, "");
	raises(&w, FINDING_FMT_HIDDEN_BYTES);
	writer_init(&w, RIG_MAX);
	rig_put(&w, "#!/bin/sh\n", 10); /* offsets do not */
	rig_local(&w, &e[0]);
	e[0].at = 0;
	d = writer_view(&w).n;
	rig_central(&w, &e[0]);
	rig_end(&w, 1, d - 10, writer_view(&w).n - 10, "");
	raises(&w, FINDING_FMT_CONFLICT);
}

static void
overlapping_entries(void **state)
{
	(void)state;
	struct rig_entry e[] = { A, B, A };
	struct writer w;
	writer_init(&w, RIG_MAX);
	rig_local(&w, &e[0]);
	rig_local(&w, &e[1]);
	e[2] = e[1]; /* two names for one run of bytes: how bombs multiply */
	uint64_t d = writer_view(&w).n;
	for (unsigned i = 0; i < 3; i++)
		rig_central(&w, &e[i]);
	rig_end(&w, 3, d, writer_view(&w).n, "");
	struct report *r = look(&w);
	rig_has(r, FINDING_FMT_CONFLICT);
	rig_has(r, FINDING_FMT_DUPLICATE);
	assert_int_equal(r->contents.members_total, 2); /* one of the two is not unpacked */
	report_free(r);
	writer_free(&w);
	/* Quoted: the second local header lies in the first entry's bytes. */
	struct rig_entry outer = { .name = "outer", .text = "12345678901234567890" };
	writer_init(&w, RIG_MAX);
	rig_local(&w, &outer);
	rig_local(&w, &e[0]);
	outer.packed = outer.size += 20;
	d = writer_view(&w).n;
	rig_central(&w, &outer);
	rig_central(&w, &e[0]);
	rig_end(&w, 2, d, writer_view(&w).n, "");
	raises(&w, FINDING_FMT_CONFLICT);
}

static bool
told(const struct report *r, enum finding_id id, const char *text)
{
	for (unsigned i = 0; i < r->findings[id].details_n; i++)
		if (strstr(r->findings[id].details[i].text, text))
			return true;
	return false;
}

/* Many entries, one local header: only the directory's first is read, or it is read again for each. */
static void
shared_header(void **state)
{
	(void)state;
	struct rig_entry e[] = { A, B };
	struct writer w;
	writer_init(&w, RIG_MAX);
	rig_local(&w, &e[0]);
	rig_local(&w, &e[1]);
	uint64_t d = writer_view(&w).n;
	for (unsigned i = 0; i < 4; i++)
		rig_central(&w, &e[i == 2]);
	rig_end(&w, 4, d, writer_view(&w).n, "");
	struct report *r = look(&w);
	assert_true(told(r, FINDING_FMT_CONFLICT, "a.txt: its local header is another entry's too"));
	assert_int_equal(r->findings[FINDING_FMT_CONFLICT].count, 2);
	assert_int_equal(r->contents.members_total, 2);
	same_bytes(rig_member(r, "a.txt"), "first");
	same_bytes(rig_member(r, "dir/b.bin"), e[1].text);
	report_free(r);
	writer_free(&w);
}

/* Numbers of 64 bits that are no place and no size, in the directory as in the local header. */
static void
numbers_without_bounds(void **state)
{
	(void)state;
	static const char *const far[] = { "\1\0\10\0\xf0\xff\xff\xff\xff\xff\xff\xff",
		"\1\0\10\0\xff\xff\xff\xff\xff\xff\xff\xff", "\1\0\10\0\0\0\0\0\0\0\x20\0" };
	for (unsigned i = 0; i < 3; i++) {
		struct rig_entry e = A;
		struct writer w;
		writer_init(&w, RIG_MAX);
		rig_local(&w, &e);
		uint64_t d = writer_view(&w).n;
		e.at = 0xffffffff;
		e.extra = far[i];
		e.extra_n = 12;
		rig_central(&w, &e);
		rig_central(&w, &e); /* two of one name: that is told with a place as well */
		rig_end(&w, 2, d, writer_view(&w).n, "");
		struct report *r = look(&w);
		assert_true(told(r, FINDING_FMT_CONFLICT, "behind the entries"));
		rig_has(r, FINDING_FMT_DUPLICATE);
		assert_int_equal(r->contents.members_total, 0);
		report_free(r);
		writer_free(&w);
	}
	/* Whoever takes the largest number for "unknown" holds neither size nor CRC-32 against anything. */
	struct rig_entry e = { .name = "a", .text = "EVIL EVIL EVIL EVIL", .deflate = true,
		.extra = "\1\0\10\0\xff\xff\xff\xff\xff\xff\xff\xff", .extra_n = 12,
		.local_size = 0xffffffff, .local_crc = 0x12345678 };
	struct writer w;
	writer_init(&w, RIG_MAX);
	rig_local(&w, &e);
	uint64_t d = writer_view(&w).n;
	e.central_size = 0xffffffff;
	e.crc = 0x12345678;
	rig_central(&w, &e);
	rig_end(&w, 1, d, writer_view(&w).n, "");
	struct report *r = look(&w);
	assert_true(told(r, FINDING_FMT_CONFLICT, "a size that no file has"));
	assert_int_equal(r->contents.members_total, 0);
	report_free(r);
	writer_free(&w);
}

static void
headers_that_disagree(void **state)
{
	(void)state;
	struct rig_entry lies[] = {
		{ .name = "a.txt", .text = "first", .local_name = "b.txt" },
		{ .name = "a.txt", .text = "first", .local_name = "a.tx" },
		{ .name = "a.txt", .text = "first", .local_size = 4 },
		{ .name = "a.txt", .text = "first first first", .deflate = true, .local_size = 4 },
		{ .name = "a.txt", .text = "first", .central_size = 4 },
		{ .name = "a.txt", .text = "first", .local_crc = 1 },
		{ .name = "a.txt", .text = "first", .local_crc = 1, .descriptor = true },
		{ .name = "a/", .text = "first" },
	};
	for (unsigned i = 0; i < sizeof lies / sizeof lies[0]; i++) {
		struct writer w;
		rig_zip(&w, &lies[i], 1, "");
		raises(&w, FINDING_FMT_CONFLICT);
	}
	struct rig_entry e[] = { A, A };
	struct writer w;
	rig_zip(&w, e, 2, "");
	raises(&w, FINDING_FMT_DUPLICATE);
}

static void
two_end_records(void **state)
{
	(void)state;
	struct rig_entry e[] = { A }, evil = { .name = "a.txt", .text = "EVIL" };
	struct writer w;
	writer_init(&w, RIG_MAX);
	rig_local(&w, &e[0]);
	rig_local(&w, &evil);
	uint64_t d = writer_view(&w).n;
	rig_central(&w, &e[0]);
	uint64_t until = writer_view(&w).n;
	rig_central(&w, &evil);
	uint64_t evil_until = writer_view(&w).n;
	/* A second one as the comment of the first, and ending the file as well. */
	rig_put(&w, "PK\5\6\0\0\0\0\1\0\1\0", 12);
	rig_u32(&w, (uint32_t)(until - d));
	rig_u32(&w, (uint32_t)d);
	rig_u16(&w, 22);
	rig_end(&w, 1, until, evil_until, "");
	raises(&w, FINDING_FMT_CONFLICT);
	/* Half of one: AOSP's rule needs only the magic. */
	rig_zip(&w, e, 1, "comment PK\5\6 comment");
	raises(&w, FINDING_FMT_CONFLICT);
	rig_zip(&w, e, 1, "PK\5\6");
	raises(&w, FINDING_FMT_CONFLICT);
	/* Bytes behind the end. */
	rig_zip(&w, e, 1, "");
	rig_put(&w, "tail", 4);
	raises(&w, FINDING_FMT_TRAILING_BYTES);
	rig_zip(&w, e, 1, "a comment");
	raises(&w, FINDING_FMT_UNKNOWN_PART);
}

/* ZIP64 records that say the same, and one field of them that does not. */
static void
zip64(void **state)
{
	(void)state;
	for (unsigned lie = 0; lie < 8; lie++) {
		uint8_t extra[20] = { 1, 0, 16, 0 };
		struct rig_entry e = { .name = "big", .text = "not so big", .extra = (const char *)extra,
			.extra_n = sizeof extra };
		struct writer w;
		extra[4] = lie == 1 ? 9 : 10;  /* size */
		extra[12] = lie == 2 ? 9 : 10; /* packed */
		writer_init(&w, RIG_MAX);
		rig_local(&w, &e);
		uint8_t *local = w.p + e.at;
		memset(local + 18, 0xff, 8);
		e.packed = e.size = 0xffffffff;
		uint64_t d = writer_view(&w).n;
		rig_central(&w, &e);
		uint64_t until = writer_view(&w).n;
		rig_put(&w, "PK\6\6", 4);
		rig_u64(&w, lie == 3 ? 45 : 44);
		rig_u32(&w, 0x002d002d);
		rig_u64(&w, 0);
		rig_u64(&w, lie == 4 ? 2 : 1);
		rig_u64(&w, lie == 4 ? 2 : 1);
		rig_u64(&w, until - d);
		rig_u64(&w, lie == 5 ? d + 1 : d);
		rig_put(&w, "PK\6\7", 4);
		rig_u32(&w, 0);
		rig_u64(&w, lie == 6 ? until - 1 : until);
		rig_u32(&w, lie == 7 ? 2 : 1);
		rig_end(&w, 1, d, until, "");
		if (lie == 0) {
			struct report *r = look(&w);
			rig_clean(r);
			same_bytes(rig_member(r, "big"), e.text);
			report_free(r);
			writer_free(&w);
		} else {
			raises(&w, FINDING_FMT_CONFLICT);
		}
	}
	/* A ZIP64 field that nothing refers to: some readers take it all the same. */
	struct rig_entry e = { .name = "a", .text = "a", .extra = "\1\0\10\0\7\0\0\0\0\0\0\0", .extra_n = 12 };
	struct writer w;
	rig_zip(&w, &e, 1, "");
	raises(&w, FINDING_FMT_MALFORMED);
}

static void
extra_fields(void **state)
{
	(void)state;
	struct {
		const char *extra;
		size_t n;
		bool good;
	} cases[] = {
		{ "UT\5\0\3\0\0\0\0", 9, true },
		{ "\x35\xd9\3\0\4\0\0", 7, true },  /* alignment, as signapk adds it */
		{ "\0\0\0", 3, true },                /* zipalign */
		{ "UT\6\0\3\0\0\0\0", 9, false },   /* longer than its block */
		{ "UT", 2, false },
		{ "\x75\x70\7\0\1\0\0\0\0ab", 11, false }, /* another name */
		{ "\x75\x70\6\0\1\0\0\0\0a", 10, true },
		{ "\x75\x70\6\0\1\0\0\0\0a\x75\x70\6\0\1\0\0\0\0a", 20, false }, /* twice */
	};
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rig_entry e = { .name = "a", .text = "a", .extra = cases[i].extra, .extra_n = cases[i].n };
		struct writer w;
		rig_zip(&w, &e, 1, "");
		struct report *r = look(&w);
		if (cases[i].good)
			rig_clean(r);
		else
			rig_has(r, FINDING_FMT_MALFORMED);
		report_free(r);
		writer_free(&w);
	}
}

static void
kinds_of_entries(void **state)
{
	(void)state;
	static const char *const unsafe[] = { "../a", "/a", "a/../../b", "a\\..\\b" };
	struct writer w;
	for (unsigned i = 0; i < 4; i++) {
		struct rig_entry e = { .name = unsafe[i], .text = "x" };
		rig_zip(&w, &e, 1, "");
		raises(&w, FINDING_MEMBER_UNSAFE_NAME);
	}
	struct rig_entry locked = { .name = "locked", .text = "????", .flags = 1 };
	rig_zip(&w, &locked, 1, "");
	raises(&w, FINDING_FMT_ENCRYPTED);
	struct rig_entry zstd = { .name = "zstd", .text = "????", .method = 93 };
	rig_zip(&w, &zstd, 1, "");
	raises(&w, FINDING_FMT_UNKNOWN_PART);
	struct rig_entry fifo = { .name = "fifo", .text = "", .mode = 0010644 };
	rig_zip(&w, &fifo, 1, "");
	raises(&w, FINDING_FMT_UNKNOWN_PART);
	struct rig_entry out = { .name = "link", .text = "../../etc", .mode = 0120777 };
	rig_zip(&w, &out, 1, "");
	raises(&w, FINDING_MEMBER_UNSAFE_NAME);
	struct rig_entry in = { .name = "link", .text = "a/..b", .mode = 0120777 };
	rig_zip(&w, &in, 1, "");
	struct report *r = look(&w);
	rig_clean(r);
	report_free(r);
	writer_free(&w);
}

static void
damaged_bytes(void **state)
{
	(void)state;
	struct writer w;
	struct rig_entry stored = { .name = "s", .text = "stored" };
	rig_zip(&w, &stored, 1, "");
	w.p[31] ^= 1;
	raises(&w, FINDING_FMT_INTEGRITY);
	/* The stream ends before its bytes do. */
	static char text[] = "packed packed packed";
	struct rig_entry e = { .name = "d", .text = text, .deflate = true };
	writer_init(&w, RIG_MAX);
	rig_local(&w, &e);
	writer_u8(&w, 0);
	e.packed++;
	w.p[18]++;
	uint64_t d = writer_view(&w).n;
	rig_central(&w, &e);
	rig_end(&w, 1, d, writer_view(&w).n, "");
	raises(&w, FINDING_FMT_MALFORMED);
	/* It says fewer bytes than come out. */
	writer_init(&w, RIG_MAX);
	rig_local(&w, &e);
	w.p[22] = 3;
	e.size = 3;
	d = writer_view(&w).n;
	rig_central(&w, &e);
	rig_end(&w, 1, d, writer_view(&w).n, "");
	raises(&w, FINDING_FMT_MALFORMED);
}

/* A zip in a zip in a zip is walked; how deep is the frame's to say. */
static void
nested(void **state)
{
	(void)state;
	struct rig_entry inner[] = { A, B };
	struct writer w, outer;
	rig_zip(&w, inner, 2, "");
	for (unsigned depth = 1; depth < WALK_DEPTH_MAX + 1; depth++) {
		struct rig_entry e = { .name = "in.zip", .text = (const char *)w.p, .text_n = w.n,
			.deflate = depth % 2 == 0 };
		rig_zip(&outer, &e, 1, "");
		writer_free(&w);
		w = outer;
		struct report *r = look(&w);
		rig_clean(r);
		if (depth == 1)
			same_bytes(rig_member(r, "in.zip/a.txt"), "first");
		assert_int_equal(report_has(r, FINDING_FMT_WALK_LIMIT), depth >= WALK_DEPTH_MAX);
		report_free(r);
	}
	writer_free(&w);
}

/* A zip behind much else in a zip: it is found in what is packed as in what is stored. */
static void
nested_at_an_end(void **state)
{
	(void)state;
	struct rig_entry inner[] = { A, B };
	struct writer in, all, out;
	unsigned members[2] = { 0 }, findings[2] = { 0 };
	rig_zip(&in, inner, 2, "");
	writer_init(&all, RIG_MAX);
	for (uint32_t i = 0, x = 1; i < 1300000; i++) {
		x = x * 1664525u + 1013904223u;
		writer_u8(&all, (uint8_t)(x >> 24));
	}
	rig_put(&all, in.p, in.n);
	for (unsigned packed = 0; packed < 2; packed++) {
		struct rig_entry e = { .name = "in", .text = (const char *)all.p, .text_n = all.n, .deflate = packed != 0 };
		rig_zip(&out, &e, 1, "");
		struct report *r = look(&out);
		assert_int_equal(rig_member(r, "in")->format, FORMAT_ZIP);
		members[packed] = r->contents.members_n;
		for (unsigned i = 0; i < FINDING_LIMIT; i++)
			findings[packed] = findings[packed] * 31 + r->findings[i].count;
		assert_false(report_has(r, FINDING_FMT_INTEGRITY)); /* its CRC is of one time, not of both */
		report_free(r);
		writer_free(&out);
	}
	assert_int_equal(members[0], members[1]);
	assert_int_equal(findings[0], findings[1]);
	writer_free(&all);
	writer_free(&in);
}

/* Small on the wire, large when unpacked: said, whatever else is right with it. */
static void
bomb(void **state)
{
	(void)state;
	static char zeros[17u << 20];
	memset(zeros, '0', sizeof zeros);
	struct rig_entry e = { .name = "zeros", .text = zeros, .text_n = sizeof zeros, .deflate = true };
	struct writer w;
	rig_zip(&w, &e, 1, "");
	struct report *r = look(&w);
	rig_clean(r);
	rig_has(r, FINDING_FMT_WALK_LIMIT);
	assert_int_equal(rig_member(r, "zeros")->size, sizeof zeros);
	report_free(r);
	writer_free(&w);
}

/* A signature beside the archive and over all of it stands behind its members, theirs too; one over a part does not. */
static void
signed_beside(void **state)
{
	(void)state;
	struct rig_entry inner[] = { A, B };
	struct writer w, outer;
	struct source s;
	struct trust *t = trust_new();
	static const struct trust_policy policy = { .purpose = TRUST_PURPOSE_FIRMWARE };
	rig_zip(&w, inner, 2, "");
	struct rig_entry e = { .name = "in.zip", .text = (const char *)w.p, .text_n = w.n, .deflate = true };
	rig_zip(&outer, &e, 1, "");
	for (unsigned whole = 0; whole < 2; whole++) {
		struct report *r = report_new(REPORT_VERIFY);
		source_memory(&s, writer_view(&outer));
		r->signatures.n = 1;
		r->signatures.result[0] = (struct sig_result){ .outcome = SIG_VERIFIED,
			.covers = { { 0, s.size - !whole } },
			.covers_n = 1 };
		assert_int_equal(walk_image(&s, FORMAT_ZIP, t, &policy, RIG_NOW, r), 0);
		enum contents_vouch want = whole ? CONTENTS_VOUCH_INSIDE : CONTENTS_VOUCH_NONE;
		assert_int_equal(rig_member(r, "in.zip")->vouch, want);
		assert_int_equal(rig_member(r, "in.zip/dir/b.bin")->vouch, want);
		report_free(r);
	}
	trust_free(t);
	writer_free(&w);
	writer_free(&outer);
}

/* Cut anywhere, and with any byte of its structure changed, it is judged without a fault. */
static void
cut_and_changed(void **state)
{
	(void)state;
	struct rig_entry e[] = { A, B, { .name = "late", .text = "descriptor", .descriptor = true } };
	struct writer w;
	rig_zip(&w, e, 3, "");
	for (size_t n = 4; n < w.n; n++) {
		struct report *r = rig_inspect(view_of(w.p, n), NULL, false);
		rig_has(r, FINDING_FMT_MALFORMED);
		report_free(r);
	}
	for (size_t i = 0; i < w.n; i++) {
		w.p[i] ^= 0x41;
		report_free(rig_inspect(writer_view(&w), NULL, false));
		w.p[i] ^= 0x41;
	}
	writer_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(honest),
		cmocka_unit_test(hidden_and_gap_bytes),
		cmocka_unit_test(prefix_bytes),
		cmocka_unit_test(overlapping_entries),
		cmocka_unit_test(shared_header),
		cmocka_unit_test(numbers_without_bounds),
		cmocka_unit_test(headers_that_disagree),
		cmocka_unit_test(two_end_records),
		cmocka_unit_test(zip64),
		cmocka_unit_test(extra_fields),
		cmocka_unit_test(kinds_of_entries),
		cmocka_unit_test(damaged_bytes),
		cmocka_unit_test(nested),
		cmocka_unit_test(nested_at_an_end),
		cmocka_unit_test(bomb),
		cmocka_unit_test(signed_beside),
		cmocka_unit_test(cut_and_changed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
