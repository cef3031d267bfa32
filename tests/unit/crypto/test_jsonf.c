/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/jsonf.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "crypto/stamp.h"

static struct json *
doc(const char *text)
{
	struct json *d = NULL;
	assert_int_equal(json_parse(view_str(text), &d, NULL), 0);
	return d;
}

static void
test_hex(void **state)
{
	(void)state;
	uint8_t two[2] = { 9, 9 };
	struct json *d = doc("{\"a\":\"00ff\",\"b\":\"00FF\",\"c\":\"00ff00\",\"d\":1,\"e\":\"0g00\",\"f\":\"\"}");
	const struct json_value *v = json_root(d);
	assert_false(jsonf_hex(json_get(v, "b"), two, 2)); /* one spelling */
	assert_false(jsonf_hex(json_get(v, "c"), two, 2));
	assert_false(jsonf_hex(json_get(v, "d"), two, 2));
	assert_false(jsonf_hex(json_get(v, "e"), two, 2));
	assert_false(jsonf_hex(json_get(v, "f"), two, 2));
	assert_false(jsonf_hex(json_get(v, "nothing"), two, 2));
	assert_true(jsonf_hex(json_get(v, "a"), two, 2));
	assert_int_equal(two[0], 0);
	assert_int_equal(two[1], 0xff);
	json_free(d);
}

static void
test_time(void **state)
{
	(void)state;
	int64_t t = -1;
	struct json *d = doc("[\"2026-01-01T10:00:00Z\",\"2026-01-01T10:00:00+00:00\",\"2026-01-01 10:00:00Z\",1767261600,"
			     "\"2026-02-30T10:00:00Z\",\"2026-01-01T10:00:00.5Z\"]");
	const struct json_value *v = json_root(d);
	for (size_t i = 1; i < json_count(v); i++)
		assert_false(jsonf_time(json_at(v, i), &t));
	assert_int_equal(t, -1);
	assert_true(jsonf_time(json_at(v, 0), &t));
	assert_int_equal(t, 1767261600);
	assert_true(jsonf_is_time(0));
	assert_true(jsonf_is_time(STAMP_MAX));
	assert_false(jsonf_is_time(-1));
	assert_false(jsonf_is_time(STAMP_MAX + 1));
	assert_false(jsonf_is_time(INT64_MIN));
	json_free(d);
}

static void
test_u32(void **state)
{
	(void)state;
	uint32_t n = 5;
	struct json *d = doc("[4294967295,4294967296,-1,\"1\",true]");
	const struct json_value *v = json_root(d);
	for (size_t i = 1; i < json_count(v); i++)
		assert_false(jsonf_u32(json_at(v, i), &n));
	assert_false(jsonf_u32(NULL, &n));
	assert_int_equal(n, 5);
	assert_true(jsonf_u32(json_at(v, 0), &n));
	assert_int_equal(n, UINT32_MAX);
	json_free(d);
}

static void
test_put_time(void **state)
{
	(void)state;
	struct writer w;
	struct jsonw j;
	writer_init(&w, 64);
	jsonw_init(&j, &w);
	jsonw_object(&j);
	jsonf_put_time(&j, "t", 1767261600);
	jsonw_object_end(&j);
	assert_true(view_is(writer_view(&w), "{\"t\":\"2026-01-01T10:00:00Z\"}"));
	writer_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_u32),
		cmocka_unit_test(test_put_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
