/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <zlib.h>

#include "unit/images/walk_rig.h"

#define OPEN "COV-UNSIGNED-BYTES "

static const char *const tools[] = { "gzip", "xz", "zstd", "bzip2", "lzma" };
#define TOOLS (sizeof tools / sizeof *tools)

static struct report *
inspect(const char *tool, const char *suffix)
{
	char name[32];
	snprintf(name, sizeof name, "%s%s", tool, suffix);
	struct view img = rig_made("packed", name);
	struct report *r = rig_verify(img, view_of(NULL, 0));
	rig_drop(img);
	return r;
}

static void
expect(const char *tool, const char *suffix, unsigned members, const char *findings)
{
	char text[RIG_TEXT_MAX];
	struct report *r = inspect(tool, suffix);
	rig_findings(r, text);
	if (strcmp(text, findings) != 0 || r->contents.members_n != members)
		fail_msg("%s%s: [%s] %u members", tool, suffix, text, r->contents.members_n);
	report_free(r);
}

static void
content_is_looked_into(void **state)
{
	(void)state;
	for (size_t i = 0; i < TOOLS; i++) {
		struct report *r = inspect(tools[i], "");
		assert_string_equal(format_name(r->format), tools[i]);
		assert_int_equal(r->contents.members_n, 1);
		assert_string_equal(r->contents.member[0].path, "content");
		assert_int_equal(r->contents.member[0].size, 25 * 4000);
		assert_int_equal(r->contents.member[0].vouch, CONTENTS_VOUCH_NONE);
		assert_false(r->contents.member[0].have_offset);
		report_free(r);
		r = inspect(tools[i], "-tar");
		assert_int_equal(r->contents.members_n, 3);
		assert_int_equal(r->contents.member[0].format, FORMAT_TAR);
		assert_string_equal(r->contents.member[1].path, "content/boot");
		report_free(r);
	}
	struct report *r = inspect("gzip", "-twofold");
	assert_int_equal(r->contents.member[0].format, FORMAT_XZ);
	assert_string_equal(r->contents.member[3].path, "content/content/root");
	report_free(r);
}

static void
what_follows_a_stream(void **state)
{
	(void)state;
	for (size_t i = 0; i < TOOLS; i++) {
		bool lone = strcmp(tools[i], "lzma") == 0;
		expect(tools[i], "-padded", 1, OPEN "SIG-ABSENT");
		expect(tools[i], "-trailing", 1, OPEN "FMT-TRAILING-BYTES! SIG-ABSENT");
		/* The tool unpacks both; a file of the lzma form has but one, and something behind it. */
		expect(tools[i], "-twice", 1,
		    lone ? OPEN "FMT-TRAILING-BYTES! SIG-ABSENT" : OPEN "FMT-AMBIGUOUS SIG-ABSENT");
		struct report *r = inspect(tools[i], "-twice");
		assert_int_equal(r->contents.member[0].size, 25 * 4000 + (lone ? 0 : 9));
		report_free(r);
	}
}

static void
streams_that_do_not_come_out_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < TOOLS; i++) {
		expect(tools[i], "-damaged", 0, OPEN "FMT-MALFORMED! SIG-ABSENT");
		expect(tools[i], "-cut", 0, OPEN "FMT-MALFORMED! SIG-ABSENT");
	}
	expect("bomb", "", 1, OPEN "FMT-WALK-LIMIT SIG-ABSENT");
}

static void
headers_of_gzip(void **state)
{
	(void)state;
	struct report *r = inspect("gzip", "-named");
	assert_string_equal(rig_value(r, CONTENTS_FACT_NOTE, 0), "gzip name rootfs.img");
	report_free(r);
	r = inspect("gzip", "-comment");
	assert_string_equal(rig_value(r, CONTENTS_FACT_NOTE, 0), "gzip comment made on a Monday");
	report_free(r);
	expect("gzip", "-comment", 1, OPEN "SIG-ABSENT");
	/* What begins like a signature of signify is taken for one, and this is none. */
	expect("gzip", "-signify", 0, "COV-UNSIGNED-BYTES FMT-MALFORMED! SIG-ABSENT");
	expect("gzip", "-extra", 1, OPEN "FMT-UNKNOWN-PART SIG-ABSENT");
}

/* Nothing is signed: whatever changes, nobody vouches for it, and nothing is read beyond a cut. */
static void
cut_or_changed(void **state)
{
	(void)state;
	for (size_t i = 0; i < TOOLS; i++) {
		struct view img = rig_made("packed", tools[i]);
		rig_flip_every_byte(img, view_of(NULL, 0), 7);
		rig_cut_everywhere(img, view_of(NULL, 0), 7);
		rig_drop(img);
	}
}

/* What only its end says, behind more than a head, and over the border of two streams. */
static void
the_end_of_what_is_not_kept(void **state)
{
	(void)state;
	static const size_t border[] = { 0, 700000, 1200000 };
	static uint8_t plain[1300000], packed[1400000];
	uint8_t sum[DIGEST_SHA256_LEN];
	uint32_t x = 1;
	for (size_t i = 0; i < sizeof plain; i++) {
		x = x * 1664525u + 1013904223u;
		plain[i] = (uint8_t)(x >> 24);
	}
	memcpy(plain + sizeof plain - 22, "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22);
	digest_sha256(view_of(plain, sizeof plain), sum);
	for (size_t i = 0; i < sizeof border / sizeof border[0]; i++) {
		size_t n = 0;
		for (unsigned k = border[i] == 0; k < 2; k++) {
			size_t from = k ? border[i] : 0, to = k ? sizeof plain : border[i];
			z_stream z = { .next_in = plain + from, .avail_in = (uInt)(to - from), .next_out = packed + n,
				.avail_out = (uInt)(sizeof packed - n) };
			assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
			assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
			n += z.total_out;
			deflateEnd(&z);
		}
		struct report *r = rig_verify(view_of(packed, n), view_of(NULL, 0));
		assert_int_equal(r->contents.members_n, 1);
		assert_int_equal(r->contents.member[0].format, FORMAT_ZIP);
		assert_true(r->contents.member[0].walked);
		assert_int_equal(r->contents.member[0].size, sizeof plain);
		assert_memory_equal(r->contents.member[0].sha256, sum, sizeof sum);
		assert_int_equal(report_has(r, FINDING_FMT_AMBIGUOUS), border[i] > 0);
		report_free(r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(content_is_looked_into),
		cmocka_unit_test(what_follows_a_stream),
		cmocka_unit_test(streams_that_do_not_come_out_whole),
		cmocka_unit_test(headers_of_gzip),
		cmocka_unit_test(the_end_of_what_is_not_kept),
		cmocka_unit_test(cut_or_changed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
