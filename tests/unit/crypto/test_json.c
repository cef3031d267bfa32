/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/json.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof(a)[0])

static struct json *
parsed(struct view text)
{
	struct json *doc = NULL;
	struct json_error e = { 0 };
	/* An exact copy, so that ASan guards the end and nothing borrows from the input. */
	uint8_t *copy = malloc(text.n ? text.n : 1);
	assert_non_null(copy);
	if (text.n)
		memcpy(copy, text.p, text.n);
	int err = json_parse(view_of(copy, text.n), &doc, &e);
	free(copy);
	if (err)
		fail_msg("%.*s: %s at %zu", (int)text.n, (const char *)text.p, e.what, e.offset);
	return doc;
}

static void
refused(struct view text, int want, size_t offset, const char *what)
{
	struct json *doc = NULL;
	struct json_error e = { .offset = SIZE_MAX };
	uint8_t *copy = malloc(text.n ? text.n : 1);
	assert_non_null(copy);
	if (text.n)
		memcpy(copy, text.p, text.n);
	int err = json_parse(view_of(copy, text.n), &doc, &e);
	if (err != want || e.offset != offset || strcmp(e.what, what) != 0)
		fail_msg("%.40s: %d, %s at %zu instead of %s at %zu", (const char *)copy, err,
		    e.what ? e.what : "-", e.offset, what, offset);
	assert_null(doc);
	assert_int_equal(json_parse(view_of(copy, text.n), &doc, NULL), want);
	assert_null(doc);
	free(copy);
}

static void
canonical_is(struct view text, const char *want)
{
	struct json *doc = parsed(text);
	struct writer w;
	writer_init(&w, JSON_TEXT_MAX);
	json_canonical(json_root(doc), &w);
	assert_int_equal(writer_err(&w), 0);
	writer_u8(&w, 0);
	assert_string_equal((const char *)w.p, want);
	assert_int_equal(json_is_canonical(doc, text), view_is(text, want));
	assert_true(json_is_canonical(doc, view_str(want)));
	writer_free(&w);
	json_free(doc);
}

static void
test_accepted(void **state)
{
	(void)state;
	static const struct {
		const char *text, *canonical;
	} table[] = {
		{ "null", "null" },
		{ "true", "true" },
		{ "false", "false" },
		{ "0", "0" },
		{ "-1", "-1" },
		{ "10", "10" },
		{ "9007199254740991", "9007199254740991" },
		{ "-9007199254740991", "-9007199254740991" },
		{ "\"\"", "\"\"" },
		{ "[]", "[]" },
		{ "{}", "{}" },
		{ " \t\r\n[ 1 ,\t2 ] \n", "[1,2]" },
		{ "{ \"a\" : { } , \"b\" : [ ] }", "{\"a\":{},\"b\":[]}" },
		{ "{\"b\":1,\"a\":2}", "{\"a\":2,\"b\":1}" },
		{ "{\"a\":{\"a\":{\"a\":1}}}", "{\"a\":{\"a\":{\"a\":1}}}" }, /* same key, other objects */
		{ "{\"\":1}", "{\"\":1}" },
		{ "[[[],[]],{}]", "[[[],[]],{}]" },
		{ "\"\\u0041\\/\\b\\f\\n\\r\\t\\\"\\\\\"", "\"A/\\b\\f\\n\\r\\t\\\"\\\\\"" },
		{ "\"\\u0000\\u001F\\u007f\"", "\"\\u0000\\u001f\x7f\"" },
		{ "\"\\uD83D\\ude00\"", "\"\xf0\x9f\x98\x80\"" },
		{ "\"\\ud800\\udc00\\udbff\\udffd\"", "\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbd\"" },
		{ "\"caf\xc3\xa9 \xe2\x82\xac\"", "\"caf\xc3\xa9 \xe2\x82\xac\"" },
		{ "\"\\u2028\"", "\"\xe2\x80\xa8\"" },
	};
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		canonical_is(view_str(table[i].text), table[i].canonical);
}

struct bad {
	const char *text;
	size_t offset;
	const char *what;
};

static void
all_refused(const struct bad *table, size_t n)
{
	for (size_t i = 0; i < n; i++)
		refused(view_str(table[i].text), FG_EFORMAT, table[i].offset, table[i].what);
}

static void
test_refused_structure(void **state)
{
	(void)state;
	static const struct bad table[] = {
		{ "", 0, "unexpected end" },
		{ "  ", 2, "unexpected end" },
		{ "[", 1, "unexpected end" },
		{ "[1", 2, "unexpected end" },
		{ "[1,", 3, "unexpected end" },
		{ "{\"a\"", 4, "unexpected end" },
		{ "{\"a\":", 5, "unexpected end" },
		{ "{\"a\":1", 6, "unexpected end" },
		{ "{\"a\":1,", 7, "unexpected end" },
		{ "tru", 3, "unexpected end" },
		{ "1 2", 2, "trailing bytes" },
		{ "{}x", 2, "trailing bytes" },
		{ "[]]", 2, "trailing bytes" },
		{ "\"a\"\"b\"", 3, "trailing bytes" },
		{ "nullx", 4, "trailing bytes" },
		{ "[1,]", 3, "unexpected byte" },
		{ "[,1]", 1, "unexpected byte" },
		{ "[1 2]", 3, "expected ',' or ']'" },
		{ "[1}", 2, "expected ',' or ']'" },
		{ "{\"a\":1]", 6, "expected ',' or '}'" },
		{ "{\"a\":1 \"b\":2}", 7, "expected ',' or '}'" },
		{ "{\"a\":1,}", 7, "expected a key" },
		{ "{,}", 1, "expected a key" },
		{ "{1:2}", 1, "expected a key" },
		{ "{'a':1}", 1, "expected a key" },
		{ "{a:1}", 1, "expected a key" },
		{ "{\"a\" 1}", 5, "expected ':'" },
		{ "{\"a\",1}", 4, "expected ':'" },
		{ "True", 0, "unexpected byte" },
		{ "trUe", 2, "unexpected byte" },
		{ "nul1", 3, "unexpected byte" },
		{ "'a'", 0, "unexpected byte" },
		{ "NaN", 0, "unexpected byte" },
		{ "Infinity", 0, "unexpected byte" },
		{ "[1]//x", 3, "trailing bytes" },
		{ "/*x*/1", 0, "unexpected byte" },
		{ "\xef\xbb\xbf[]", 0, "unexpected byte" }, /* byte order mark */
		{ "\f[]", 0, "unexpected byte" },           /* white space of other languages */
		{ "\xc2\xa0[]", 0, "unexpected byte" },
	};
	all_refused(table, ARRAY_LEN(table));
	refused(view_of("[]\0", 3), FG_EFORMAT, 2, "trailing bytes");
	refused(view_of("[\0]", 3), FG_EFORMAT, 1, "unexpected byte");
}

static void
test_refused_numbers(void **state)
{
	(void)state;
	static const struct bad table[] = {
		{ "-", 1, "unexpected end" },
		{ "-x", 1, "expected a digit" },
		{ "--1", 1, "expected a digit" },
		{ "- 1", 1, "expected a digit" },
		{ "+1", 0, "unexpected byte" },
		{ ".5", 0, "unexpected byte" },
		{ "-0", 1, "negative zero" },
		{ "[-0]", 2, "negative zero" },
		{ "-0.0", 2, "number is not an integer" },
		{ "-0e0", 2, "number is not an integer" },
		{ "00", 1, "leading zero" },
		{ "01", 1, "leading zero" },
		{ "-01", 2, "leading zero" },
		{ "0x10", 1, "trailing bytes" },
		{ "1.0", 1, "number is not an integer" },
		{ "1.", 1, "number is not an integer" },
		{ "1e2", 1, "number is not an integer" },
		{ "1E2", 1, "number is not an integer" },
		{ "9007199254740992", 15, "number too large" },
		{ "-9007199254740992", 16, "number too large" },
		{ "90071992547409910", 16, "number too large" },
		{ "18446744073709551616", 16, "number too large" },
		{ "100000000000000000000000000000000000000000", 16, "number too large" },
	};
	all_refused(table, ARRAY_LEN(table));
}

static void
test_refused_strings(void **state)
{
	(void)state;
	static const struct bad table[] = {
		{ "\"", 1, "unexpected end" },
		{ "\"a", 2, "unexpected end" },
		{ "\"\\", 2, "unexpected end" },
		{ "\"\\u12", 5, "unexpected end" },
		{ "\"a\nb\"", 2, "control character in string" },
		{ "\"\t\"", 1, "control character in string" },
		{ "\"\x1f\"", 1, "control character in string" },
		{ "{\"\n\":1}", 2, "control character in string" },
		{ "\"\\x41\"", 2, "unknown escape" },
		{ "\"\\'\"", 2, "unknown escape" },
		{ "\"\\U0041\"", 2, "unknown escape" },
		{ "\"\\\n\"", 2, "unknown escape" },
		{ "\"\\u12g4\"", 5, "expected four hexadecimal digits" },
		{ "\"\\u+123\"", 3, "expected four hexadecimal digits" },
		{ "\"\\u 123\"", 3, "expected four hexadecimal digits" },
		{ "\"a\\ud800\"", 2, "lone surrogate" },
		{ "\"\\udc00\"", 1, "lone surrogate" },
		{ "\"\\udc00\\ud800\"", 1, "lone surrogate" },
		{ "\"\\udc00\\udc00\"", 1, "lone surrogate" },
		{ "\"\\ud800\\ud800\"", 1, "lone surrogate" },
		{ "\"\\ud800x\"", 1, "lone surrogate" },
		{ "\"\\ud800\\n\"", 1, "lone surrogate" },
		{ "\"\\ud800\\u0041\"", 1, "lone surrogate" },
		{ "\"\\udbff\\ue000\"", 1, "lone surrogate" },
		{ "{\"\\ud800\":1}", 2, "lone surrogate" },
		{ "\"\x80\"", 1, "invalid UTF-8" },
		{ "\"a\xc3\"", 2, "invalid UTF-8" },
		{ "\"\xc0\xa2\"", 1, "invalid UTF-8" }, /* an overlong quote */
		{ "\"\xe0\x80\xa2\"", 1, "invalid UTF-8" },
		{ "\"\xed\xa0\x80\"", 1, "invalid UTF-8" }, /* a surrogate in UTF-8 */
		{ "\"\xf4\x90\x80\x80\"", 1, "invalid UTF-8" },
		{ "\"\xff\"", 1, "invalid UTF-8" },
		{ "\"\xe2\x82", 1, "invalid UTF-8" },
		{ "\"x\xef\xbf\xbf\"", 2, "noncharacter" },
		{ "\"x\\uffff\"", 2, "noncharacter" },
		{ "\"\\ufdd0\"", 1, "noncharacter" },
		{ "\"\\ud83f\\udfff\"", 1, "noncharacter" }, /* U+1FFFF */
	};
	all_refused(table, ARRAY_LEN(table));
	refused(view_of("\"a\0b\"", 5), FG_EFORMAT, 2, "control character in string");
}

static void
test_duplicate_keys(void **state)
{
	(void)state;
	static const struct bad table[] = {
		{ "{\"a\":1,\"a\":1}", 7, "duplicate key" },
		{ "{\"b\":1,\"a\":2,\"b\":3}", 13, "duplicate key" },
		{ "{\"a\":1,\"\\u0061\":2}", 7, "duplicate key" }, /* spelt otherwise */
		{ "{\"/\":1,\"\\/\":2}", 7, "duplicate key" },
		{ "{\"\":1,\"\":2}", 6, "duplicate key" },
		{ "{\"\xf0\x9f\x98\x80\":1,\"\\ud83d\\ude00\":2}", 10, "duplicate key" },
		/* The first one that repeats is named, not the first of the sorted order. */
		{ "{\"b\":1,\"a\":1,\"b\":1,\"a\":1,\"b\":1}", 13, "duplicate key" },
		{ "{\"x\":{\"a\":1,\"a\":2}}", 12, "duplicate key" },
		{ "[{\"a\":1},{\"a\":1,\"c\":2,\"a\":3}]", 22, "duplicate key" },
	};
	all_refused(table, ARRAY_LEN(table));
	refused(view_of("{\"a\\u0000\":1,\"a\\u0000\":2}", 25), FG_EFORMAT, 13, "duplicate key");
	canonical_is(view_str("{\"a\\u0000\":1,\"a\":2}"), "{\"a\":2,\"a\\u0000\":1}");
}

/* RFC 8785 section 3.2.2, less the numbers we do not take, and 3.2.3. */
static void
test_rfc8785_examples(void **state)
{
	(void)state;
	canonical_is(view_str("{\n  \"string\": \"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\",\n"
	                      "  \"literals\": [null, true, false]\n}"),
	    "{\"literals\":[null,true,false],\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
	canonical_is(view_str("{\"\\u20ac\":\"Euro Sign\",\"\\r\":\"Carriage Return\","
	                      "\"\\ufb33\":\"Hebrew Letter Dalet With Dagesh\",\"1\":\"One\","
	                      "\"\\ud83d\\ude00\":\"Emoji: Grinning Face\",\"\\u0080\":\"Control\","
	                      "\"\\u00f6\":\"Latin Small Letter O With Diaeresis\"}"),
	    "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xc2\x80\":\"Control\","
	    "\"\xc3\xb6\":\"Latin Small Letter O With Diaeresis\",\"\xe2\x82\xac\":\"Euro Sign\","
	    "\"\xf0\x9f\x98\x80\":\"Emoji: Grinning Face\","
	    "\"\xef\xac\xb3\":\"Hebrew Letter Dalet With Dagesh\"}");
}

/* By UTF-16 code units: U+D7FF, U+10000, U+10FFFD, U+E000, U+FFFD. Byte order differs. */
static void
test_key_order_beyond_the_basic_plane(void **state)
{
	(void)state;
	canonical_is(view_str("{\"\\ufffd\":5,\"\\udbff\\udffd\":3,\"\\ue000\":4,\"\\ud7ff\":1,\"\\ud800\\udc00\":2}"),
	    "{\"\xed\x9f\xbf\":1,\"\xf0\x90\x80\x80\":2,\"\xf4\x8f\xbf\xbd\":3,\"\xee\x80\x80\":4,"
	    "\"\xef\xbf\xbd\":5}");
	/* The same behind a common beginning, and as a longer key. */
	canonical_is(view_str("{\"k\\ue000\":2,\"k\\ud800\\udc00z\":1,\"k\":0}"),
	    "{\"k\":0,\"k\xf0\x90\x80\x80z\":1,\"k\xee\x80\x80\":2}");
}

static void
test_is_canonical_sees_every_difference(void **state)
{
	(void)state;
	static const char good[] = "{\"a\":[1,\"\xc3\xa9\\n\"],\"b\":{}}";
	struct json *doc = parsed(view_str(good));
	assert_true(json_is_canonical(doc, view_str(good)));
	char text[sizeof good];
	for (size_t i = 0; i + 1 < sizeof good; i++) {
		memcpy(text, good, sizeof good);
		text[i] ^= 1;
		assert_false(json_is_canonical(doc, view_of(text, sizeof good - 1)));
		assert_false(json_is_canonical(doc, view_of(good, i)));
	}
	json_free(doc);

	static const char *const same_value[] = { " 1", "1 ", "\"\\u0041\"", "\"\\/\"", "\"\\u000a\"",
		"\"\\u001F\"", "[1, 2]", "{\"b\":1,\"a\":2}", "{\"a\" :1}" };
	for (size_t i = 0; i < ARRAY_LEN(same_value); i++) {
		doc = parsed(view_str(same_value[i]));
		assert_false(json_is_canonical(doc, view_str(same_value[i])));
		json_free(doc);
	}
}

static void
test_accessors(void **state)
{
	(void)state;
	struct json *doc = parsed(view_str(
	    "{\"z\":[true,-5,\"x\\u0000y\",null],\"n\":7,\"s\":\"text\",\"o\":{\"k\":{}},\"f\":false}"));
	const struct json_value *root = json_root(doc), *z = json_get(root, "z");
	struct view s;
	int64_t i = 99;
	uint64_t u = 99;
	bool b = false;
	char text[5] = "?";
	assert_int_equal(json_type(root), JSON_OBJECT);
	assert_int_equal(json_count(root), 5);
	assert_true(view_is(json_key_at(root, 0), "z")); /* as read, not as sorted */
	assert_true(view_is(json_key_at(root, 4), "f"));
	assert_ptr_equal(json_at(root, 0), z);
	assert_int_equal(json_type(json_at(root, 3)), JSON_OBJECT);
	assert_int_equal(json_count(json_get(json_at(root, 3), "k")), 0);

	assert_int_equal(json_count(z), 4);
	assert_true(json_bool(json_at(z, 0), &b) && b);
	assert_true(json_bool(json_get(root, "f"), &b) && !b);
	assert_true(json_int(json_at(z, 1), &i) && i == -5);
	assert_false(json_uint(json_at(z, 1), &u));
	assert_true(u == 99);
	assert_true(json_string(json_at(z, 2), &s) && view_equal(s, view_of("x\0y", 3)));
	assert_false(json_cstr(json_at(z, 2), text, sizeof text)); /* would be cut at the NUL */
	assert_int_equal(json_type(json_at(z, 3)), JSON_NULL);
	assert_true(json_uint(json_get(root, "n"), &u) && u == 7);
	assert_false(json_cstr(json_get(root, "s"), text, 4));
	assert_string_equal(text, "?");
	assert_true(json_cstr(json_get(root, "s"), text, 5));
	assert_string_equal(text, "text");
	json_free(doc);
}

static void
test_wrong_type_and_absence_answer_the_same(void **state)
{
	(void)state;
	struct json *doc = parsed(view_str("{\"a\":[1],\"s\":\"1\",\"n\":null,\"t\":true}"));
	const struct json_value *root = json_root(doc);
	const struct json_value *const none[] = { NULL, json_get(root, "b"), json_get(root, ""),
		json_at(root, 4), json_at(root, SIZE_MAX), json_get(json_get(root, "a"), "0"),
		json_at(json_get(root, "s"), 0), json_get(json_at(json_get(root, "b"), 3), "x") };
	for (size_t i = 0; i < ARRAY_LEN(none); i++) {
		assert_null(none[i]);
		assert_int_equal(json_type(none[i]), JSON_NONE);
	}
	const struct json_value *const wrong[] = { NULL, json_get(root, "a"), json_get(root, "s"),
		json_get(root, "n"), json_get(root, "t") };
	struct view s = view_str("kept");
	int64_t i = 5;
	uint64_t u = 6;
	bool b = true;
	char text[8] = "kept";
	for (size_t k = 0; k < ARRAY_LEN(wrong); k++) {
		assert_false(json_int(wrong[k], &i));
		assert_false(json_uint(wrong[k], &u));
		if (k != 2) {
			assert_false(json_string(wrong[k], &s));
			assert_false(json_cstr(wrong[k], text, sizeof text));
		}
		if (k != 4)
			assert_false(json_bool(wrong[k], &b));
		if (k != 1)
			assert_int_equal(json_count(wrong[k]), 0);
		assert_int_equal(json_key_at(wrong[k], 0).n, 0);
	}
	assert_true(view_is(s, "kept") && i == 5 && u == 6 && b);
	assert_string_equal(text, "kept");
	json_free(doc);
	json_free(NULL);
	assert_null(json_root(NULL));
}

/* open repeated n times, then middle, then close as often; freed by the caller. */
static char *
nested(const char *open, const char *middle, const char *close, size_t n)
{
	size_t lo = strlen(open), lc = strlen(close), lm = strlen(middle);
	char *text = malloc(n * (lo + lc) + lm + 1), *p = text;
	assert_non_null(text);
	for (size_t i = 0; i < n; i++, p += lo)
		memcpy(p, open, lo);
	memcpy(p, middle, lm);
	p += lm;
	for (size_t i = 0; i < n; i++, p += lc)
		memcpy(p, close, lc);
	*p = '\0';
	return text;
}

static void
test_depth_limit(void **state)
{
	(void)state;
	char *fits = nested("[", "", "]", JSON_DEPTH_MAX);
	canonical_is(view_str(fits), fits);
	free(fits);
	fits = nested("{\"a\":", "1", "}", JSON_DEPTH_MAX);
	canonical_is(view_str(fits), fits);
	free(fits);
	char *deep = nested("[", "", "]", JSON_DEPTH_MAX + 1);
	refused(view_str(deep), FG_ELIMIT, JSON_DEPTH_MAX, "nested too deeply");
	free(deep);
	deep = nested("{\"a\":", "1", "}", JSON_DEPTH_MAX + 1);
	refused(view_str(deep), FG_ELIMIT, 5 * JSON_DEPTH_MAX, "nested too deeply");
	free(deep);
	deep = nested("[", "", "", 1000000); /* must not eat the stack on the way */
	refused(view_str(deep), FG_ELIMIT, JSON_DEPTH_MAX, "nested too deeply");
	free(deep);
}

static void
test_value_count_limit(void **state)
{
	(void)state;
	/* The array itself is one value, so one element less fits. */
	char *many = nested("0,", "0]", "", JSON_NODES_MAX - 2);
	char *text = malloc(strlen(many) + 4);
	assert_non_null(text);
	sprintf(text, "[%s", many);
	struct json *doc = parsed(view_str(text));
	assert_int_equal(json_count(json_root(doc)), JSON_NODES_MAX - 1);
	json_free(doc);
	sprintf(text, "[0,%s", many);
	refused(view_str(text), FG_ELIMIT, 2 * (size_t)JSON_NODES_MAX - 1, "too many values");
	free(many);
	free(text);
}

static void
test_text_length_limit(void **state)
{
	(void)state;
	char *text = malloc(JSON_TEXT_MAX + 1);
	assert_non_null(text);
	memset(text, 'x', JSON_TEXT_MAX + 1);
	text[0] = '"';
	text[JSON_TEXT_MAX - 1] = '"';
	struct json *doc = parsed(view_of(text, JSON_TEXT_MAX));
	json_free(doc);
	refused(view_of(text, JSON_TEXT_MAX + 1), FG_ELIMIT, JSON_TEXT_MAX, "text too long");
	/* Commas in a string must not count as values beyond what is there. */
	memset(text + 1, ',', JSON_TEXT_MAX - 2);
	doc = parsed(view_of(text, JSON_TEXT_MAX));
	json_free(doc);
	free(text);
}

/*
 * As many members as fit, in an order that is worst for comparing each with
 * each; the one repeated key stands at the very end. Quadratic work here would
 * run into the test's time limit.
 */
static void
test_large_hostile_object(void **state)
{
	(void)state;
	enum { MEMBERS = 200000, EACH = 16 };
	char *text = malloc((size_t)MEMBERS * EACH + 64), *p = text;
	assert_non_null(text);
	*p++ = '{';
	for (int i = 0; i < MEMBERS; i++)
		p += sprintf(p, "\"%08x\":%d,", MEMBERS - i, i % 10);
	size_t end = (size_t)(p - text);
	strcpy(p, "\"last\":1}");
	struct json *doc = parsed(view_str(text));
	const struct json_value *root = json_root(doc);
	uint64_t v;
	assert_int_equal(json_count(root), MEMBERS + 1);
	for (int i = 0; i < MEMBERS; i += 777) {
		char key[9];
		snprintf(key, sizeof key, "%08x", MEMBERS - i);
		assert_true(json_uint(json_get(root, key), &v) && v == (uint64_t)i % 10);
		assert_ptr_equal(json_get(root, key), json_at(root, (size_t)i));
	}
	assert_null(json_get(root, "00000000"));
	assert_null(json_get(root, "zz"));
	json_free(doc);
	sprintf(p, "\"%08x\":1}", MEMBERS / 2);
	refused(view_str(text), FG_EFORMAT, end, "duplicate key");
	free(text);
}

/* One random value: to *noisy with white space, escapes and members in any order. */
static void
grow(struct writer *noisy, unsigned depth)
{
	static const char *const scalar[] = { "null", "true", "false", "0", "-17", "9007199254740991",
		"\"\"", "\"\\u0041\\ud83d\\ude00\"", "\"\xe2\x82\xac\\/\\n\\u0000\"" };
	static const char *const key[] = { "\"a\"", "\"\\u0062\"", "\"\xc3\xb6\"", "\"\\ud83d\\ude00\"",
		"\"\\ufb33\"", "\"\"", "\"\\n\"", "\"aa\"" };
	static const char *const space[] = { "", "", " ", "\n\t", "\r\n  " };
	int what = rand() % (depth > 5 ? 3 : 6);
	writer_text(noisy, space[rand() % 5]);
	if (what < 3) {
		writer_text(noisy, scalar[rand() % (int)ARRAY_LEN(scalar)]);
	} else {
		bool object = what > 3;
		int n = rand() % 5, first = rand() % 8;
		writer_u8(noisy, object ? '{' : '[');
		for (int i = 0; i < n; i++) {
			writer_text(noisy, i ? "," : "");
			writer_text(noisy, space[rand() % 5]);
			if (object) {
				writer_text(noisy, key[(first + 3 * i) % 8]);
				writer_text(noisy, space[rand() % 5]);
				writer_u8(noisy, ':');
			}
			grow(noisy, depth + 1);
		}
		writer_u8(noisy, object ? '}' : ']');
	}
	writer_text(noisy, space[rand() % 5]);
}

/* Every member of a is in b with the same value, and as many; likewise elements, by position. */
static bool
same(const struct json_value *a, const struct json_value *b)
{
	struct view sa, sb;
	int64_t ia, ib;
	bool ba, bb;
	if (json_type(a) != json_type(b) || json_count(a) != json_count(b))
		return false;
	if (json_string(a, &sa))
		return json_string(b, &sb) && view_equal(sa, sb);
	if (json_int(a, &ia))
		return json_int(b, &ib) && ia == ib;
	if (json_bool(a, &ba))
		return json_bool(b, &bb) && ba == bb;
	for (size_t i = 0; i < json_count(a); i++) {
		const struct json_value *mate = json_at(b, i);
		for (size_t k = 0; json_type(a) == JSON_OBJECT && k < json_count(b); k++)
			if (view_equal(json_key_at(a, i), json_key_at(b, k)))
				mate = json_at(b, k);
		if (!same(json_at(a, i), mate))
			return false;
	}
	return true;
}

static void
test_canonical_form_keeps_the_value(void **state)
{
	(void)state;
	srand(20260105);
	for (int round = 0; round < 3000; round++) {
		struct writer noisy, once, twice;
		writer_init(&noisy, JSON_TEXT_MAX);
		writer_init(&once, JSON_TEXT_MAX);
		writer_init(&twice, JSON_TEXT_MAX);
		grow(&noisy, 0);
		assert_int_equal(writer_err(&noisy), 0);
		struct json *doc = parsed(writer_view(&noisy));
		json_canonical(json_root(doc), &once);
		struct json *again = parsed(writer_view(&once));
		assert_true(same(json_root(doc), json_root(again)));
		assert_true(json_is_canonical(again, writer_view(&once)));
		json_canonical(json_root(again), &twice);
		assert_true(view_equal(writer_view(&once), writer_view(&twice)));
		json_free(doc);
		json_free(again);
		writer_free(&noisy);
		writer_free(&once);
		writer_free(&twice);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused_structure),
		cmocka_unit_test(test_refused_numbers),
		cmocka_unit_test(test_refused_strings),
		cmocka_unit_test(test_duplicate_keys),
		cmocka_unit_test(test_rfc8785_examples),
		cmocka_unit_test(test_key_order_beyond_the_basic_plane),
		cmocka_unit_test(test_is_canonical_sees_every_difference),
		cmocka_unit_test(test_accessors),
		cmocka_unit_test(test_wrong_type_and_absence_answer_the_same),
		cmocka_unit_test(test_depth_limit),
		cmocka_unit_test(test_value_count_limit),
		cmocka_unit_test(test_text_length_limit),
		cmocka_unit_test(test_large_hostile_object),
		cmocka_unit_test(test_canonical_form_keeps_the_value),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
