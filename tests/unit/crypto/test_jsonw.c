/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/jsonw.h"

static void
test_writes_what_json_reads(void **state)
{
	(void)state;
	static const char want[] = "{\"array\":[1,-2,[],{},\"s\",\"00ff\",true,null],\"b\":false,"
	                           "\"hex\":\"dead\",\"n\":null,\"q\\\"\":\"\\\\\\\"\\u0001\\n\xc3\xa9\","
	                           "\"u\":9007199254740991,\"v\":\"\"}";
	struct writer w;
	struct jsonw j;
	writer_init(&w, 4096);
	jsonw_init(&j, &w);
	assert_false(jsonw_done(&j));
	jsonw_object(&j);
	jsonw_key(&j, "array");
	jsonw_array(&j);
	jsonw_int(&j, 1);
	jsonw_int(&j, -2);
	jsonw_array(&j);
	jsonw_array_end(&j);
	jsonw_object(&j);
	jsonw_object_end(&j);
	jsonw_cstr(&j, "s");
	jsonw_hex(&j, "\x00\xff", 2);
	jsonw_bool(&j, true);
	jsonw_null(&j);
	jsonw_array_end(&j);
	jsonw_kbool(&j, "b", false);
	jsonw_khex(&j, "hex", "\xde\xad", 2);
	jsonw_knull(&j, "n");
	jsonw_kstring(&j, "q\"", view_str("\\\"\x01\n\xc3\xa9"));
	jsonw_kuint(&j, "u", JSON_INT_MAX - 1);
	jsonw_kcstr(&j, "v", "");
	assert_false(jsonw_done(&j));
	jsonw_object_end(&j);
	assert_true(jsonw_done(&j));
	assert_true(view_is(writer_view(&w), want));

	struct json *doc;
	assert_int_equal(json_parse(writer_view(&w), &doc, NULL), 0);
	assert_true(json_is_canonical(doc, writer_view(&w)));
	json_free(doc);
	writer_free(&w);
}

static void
test_long_hex_and_no_hex(void **state)
{
	(void)state;
	uint8_t bytes[100];
	struct writer w;
	struct jsonw j;
	memset(bytes, 0xab, sizeof bytes);
	for (size_t n = 0; n <= sizeof bytes; n++) {
		writer_init(&w, 4096);
		jsonw_init(&j, &w);
		jsonw_hex(&j, bytes, n);
		struct view v = writer_view(&w);
		assert_int_equal(v.n, 2 * n + 2);
		assert_true(v.p[0] == '"' && v.p[v.n - 1] == '"');
		for (size_t i = 1; i + 1 < v.n; i++)
			assert_int_equal(v.p[i], i % 2 ? 'a' : 'b');
		writer_free(&w);
	}
}

static void
test_value_is_copied_in_canonical_form(void **state)
{
	(void)state;
	struct json *doc;
	struct writer w;
	struct jsonw j;
	assert_int_equal(json_parse(view_str("{ \"b\": [1, {}], \"a\": \"\\u0041\" }"), &doc, NULL), 0);
	writer_init(&w, 4096);
	jsonw_init(&j, &w);
	jsonw_array(&j);
	jsonw_value(&j, json_root(doc));
	jsonw_value(&j, json_get(json_root(doc), "a"));
	jsonw_array_end(&j);
	assert_true(view_is(writer_view(&w), "[{\"a\":\"A\",\"b\":[1,{}]},\"A\"]"));
	json_free(doc);
	writer_free(&w);
}

/* Its depth is the sender's choice: the writer fails, the program does not. */
static void
test_value_too_deep_to_read_back(void **state)
{
	(void)state;
	char text[2 * (JSON_DEPTH_MAX - 1) + 1];
	struct json *doc;
	memset(text, '[', JSON_DEPTH_MAX - 1);
	memset(text + JSON_DEPTH_MAX - 1, ']', JSON_DEPTH_MAX - 1);
	assert_int_equal(json_parse(view_of(text, sizeof text - 1), &doc, NULL), 0);
	for (unsigned around = 1; around <= 2; around++) {
		struct writer w;
		struct jsonw j;
		writer_init(&w, 4096);
		jsonw_init(&j, &w);
		for (unsigned i = 0; i < around; i++)
			jsonw_array(&j);
		jsonw_value(&j, json_root(doc));
		for (unsigned i = 0; i < around; i++)
			jsonw_array_end(&j);
		assert_true(jsonw_done(&j));
		assert_int_equal(writer_err(&w), around == 1 ? 0 : FG_ELIMIT);
		if (around == 1) {
			struct json *again;
			assert_int_equal(json_parse(writer_view(&w), &again, NULL), 0);
			json_free(again);
		}
		writer_free(&w);
	}
	json_free(doc);
}

static void
test_full_writer_is_the_writers_matter(void **state)
{
	(void)state;
	struct writer w;
	struct jsonw j;
	writer_init(&w, 5);
	jsonw_init(&j, &w);
	jsonw_object(&j);
	jsonw_kcstr(&j, "key", "value");
	jsonw_object_end(&j);
	assert_true(jsonw_done(&j));
	assert_int_equal(writer_err(&w), FG_ELIMIT);
	writer_free(&w);
}

/* Misuse, one function each; every one must end the process. */
static void
key_twice(struct jsonw *j)
{
	jsonw_object(j);
	jsonw_knull(j, "a");
	jsonw_knull(j, "a");
}

static void
keys_descend(struct jsonw *j)
{
	jsonw_object(j);
	jsonw_knull(j, "b");
	jsonw_knull(j, "a");
}

static void
longer_key_before_its_prefix(struct jsonw *j)
{
	jsonw_object(j);
	jsonw_knull(j, "ab");
	jsonw_knull(j, "a");
}

static void
key_after_key(struct jsonw *j)
{
	jsonw_object(j);
	jsonw_key(j, "a");
	jsonw_key(j, "b");
}

static void
key_in_array(struct jsonw *j)
{
	jsonw_array(j);
	jsonw_key(j, "a");
}

static void
key_at_the_top(struct jsonw *j)
{
	jsonw_key(j, "a");
}

static void
value_without_key(struct jsonw *j)
{
	jsonw_object(j);
	jsonw_null(j);
}

static void
object_ends_behind_a_key(struct jsonw *j)
{
	jsonw_object(j);
	jsonw_key(j, "a");
	jsonw_object_end(j);
}

static void
object_ends_as_array(struct jsonw *j)
{
	jsonw_object(j);
	jsonw_array_end(j);
}

static void
array_ends_as_object(struct jsonw *j)
{
	jsonw_array(j);
	jsonw_object_end(j);
}

static void
end_without_begin(struct jsonw *j)
{
	jsonw_array_end(j);
}

static void
two_values(struct jsonw *j)
{
	jsonw_null(j);
	jsonw_null(j);
}

static void
long_key(struct jsonw *j)
{
	char key[65];
	memset(key, 'k', sizeof key - 1);
	key[sizeof key - 1] = '\0';
	jsonw_object(j);
	jsonw_key(j, key);
}

static void
key_beyond_ascii(struct jsonw *j)
{
	jsonw_object(j);
	jsonw_key(j, "\xc3\xa9");
}

static void
int_too_large(struct jsonw *j)
{
	jsonw_int(j, JSON_INT_MAX);
}

static void
int_too_small(struct jsonw *j)
{
	jsonw_int(j, -JSON_INT_MAX);
}

static void
uint_too_large(struct jsonw *j)
{
	jsonw_uint(j, UINT64_MAX);
}

static void
string_is_no_utf8(struct jsonw *j)
{
	jsonw_string(j, view_str("a\xff"));
}

static void
string_json_would_refuse(struct jsonw *j)
{
	jsonw_string(j, view_str("\xef\xbf\xbf"));
}

static void
string_is_null(struct jsonw *j)
{
	jsonw_cstr(j, NULL);
}

static void
value_is_null(struct jsonw *j)
{
	jsonw_value(j, NULL);
}

static void
too_deep(struct jsonw *j)
{
	for (int i = 0; i <= JSON_DEPTH_MAX; i++)
		jsonw_array(j);
}

static void
as_deep_as_allowed(struct jsonw *j)
{
	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		jsonw_array(j);
}

/* Signal that ended a child doing this, 0 if it came back. */
static int
ended_by(void (*misuse)(struct jsonw *))
{
	int status;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct writer w;
		struct jsonw j;
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		signal(SIGABRT, SIG_DFL);
		writer_init(&w, 4096);
		jsonw_init(&j, &w);
		misuse(&j);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void
test_misuse_aborts(void **state)
{
	(void)state;
	static void (*const misuses[])(struct jsonw *) = { key_twice, keys_descend,
		longer_key_before_its_prefix, key_after_key, key_in_array, key_at_the_top,
		value_without_key, object_ends_behind_a_key, object_ends_as_array,
		array_ends_as_object, end_without_begin, two_values, long_key, key_beyond_ascii,
		int_too_large, int_too_small, uint_too_large, string_is_no_utf8,
		string_json_would_refuse, string_is_null, value_is_null, too_deep };
	for (size_t i = 0; i < sizeof misuses / sizeof misuses[0]; i++)
		if (ended_by(misuses[i]) != SIGABRT)
			fail_msg("misuse %zu went through", i);
	assert_int_equal(ended_by(as_deep_as_allowed), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writes_what_json_reads),
		cmocka_unit_test(test_long_hex_and_no_hex),
		cmocka_unit_test(test_value_is_copied_in_canonical_form),
		cmocka_unit_test(test_value_too_deep_to_read_back),
		cmocka_unit_test(test_full_writer_is_the_writers_matter),
		cmocka_unit_test(test_misuse_aborts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
