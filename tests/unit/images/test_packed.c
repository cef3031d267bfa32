/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(content_is_looked_into),
		cmocka_unit_test(what_follows_a_stream),
		cmocka_unit_test(streams_that_do_not_come_out_whole),
		cmocka_unit_test(headers_of_gzip),
		cmocka_unit_test(cut_or_changed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
