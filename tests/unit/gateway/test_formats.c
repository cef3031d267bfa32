/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/gateway/view_rig.h"

#include "gateway/view/formats.h"

static void
test_names(void **state)
{
	(void)state;
	for (unsigned f = FORMATS_NONE + 1; f < FORMATS_LIMIT; f++)
		assert_int_equal(formats_parse(formats_name((enum formats)f)), f);
	assert_int_equal(formats_parse(""), FORMATS_NONE);
	assert_int_equal(formats_parse("json"), FORMATS_NONE);
	assert_string_equal(formats_name(FORMATS_LIMIT), "");
}

static void
test_json_lines_are_the_leaf(void **state)
{
	const struct record_frame frame = { .pen = 1 };
	static const char *const lines[] = { FRIENDLY, HOSTILE, NOBODYS };
	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		struct view_rig v;
		view_rig_start(&v, i, lines[i]);
		assert_int_equal(formats_put(FORMATS_JSONL, &v.r, view_str(lines[i]), &frame, &v.w), 0);
		assert_int_equal(v.w.n, strlen(lines[i]) + 1);
		assert_memory_equal(v.w.p, lines[i], strlen(lines[i]));
		assert_int_equal(v.w.p[v.w.n - 1], '\n');
		view_rig_end(&v);
	}
}

/* The longest line there can be, in every format. */
static void
test_the_longest_line_fits(void **state)
{
	static char line[ENTRY_MAX + 1];
	const struct record_frame frame = { .pen = UINT32_MAX };
	static const char start[] = "{\"v\":1,\"seq\":1,\"t\":\"2026-01-01T00:00:00.000123Z\",\"clk\":\"ntp\",\"src\":\"a/b\","
		"\"cat\":\"svc\",\"ev\":\"svc.start\",\"sev\":5,\"obj\":\"";
	(void)state;
	memset(line, ']', ENTRY_MAX);
	memcpy(line, start, sizeof start - 1);
	memcpy(line + ENTRY_MAX - 2, "\"}", 2);
	for (unsigned f = FORMATS_NONE + 1; f < FORMATS_LIMIT; f++) {
		struct view_rig v;
		struct writer w;
		view_rig_start(&v, 1, line);
		assert_true(v.r.known);
		writer_init(&w, FORMATS_TEXT_MAX);
		assert_int_equal(formats_put((enum formats)f, &v.r, view_str(line), &frame, &w), 0);
		writer_free(&w);
		view_rig_end(&v);
	}
}

static void
test_no_format_is_refused(void **state)
{
	const struct record_frame frame = { .pen = 1 };
	struct view_rig v;
	(void)state;
	view_rig_start(&v, 1, FRIENDLY);
	assert_int_equal(formats_put(FORMATS_NONE, &v.r, view_str(FRIENDLY), &frame, &v.w), FG_EINVAL);
	assert_int_equal(formats_put(FORMATS_LIMIT, &v.r, view_str(FRIENDLY), &frame, &v.w), FG_EINVAL);
	assert_int_equal(v.w.n, 0);
	view_rig_end(&v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_json_lines_are_the_leaf),
		cmocka_unit_test(test_the_longest_line_fits),
		cmocka_unit_test(test_no_format_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
