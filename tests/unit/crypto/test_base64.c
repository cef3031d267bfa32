/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "crypto/base64.h"
#include "crypto/err.h"

static int
decode(const char *text, struct writer *w)
{
	return base64_decode(view_str(text), w);
}

/* RFC 4648 section 10. */
static void
test_rfc4648_vectors(void **state)
{
	(void)state;
	static const struct {
		const char *plain, *text;
	} vector[] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" } };
	for (size_t i = 0; i < sizeof vector / sizeof vector[0]; i++) {
		struct writer w;
		writer_init(&w, 64);
		base64_encode(view_str(vector[i].plain), &w);
		assert_true(view_is(writer_view(&w), vector[i].text));
		writer_reset(&w);
		assert_int_equal(decode(vector[i].text, &w), 0);
		assert_true(view_is(writer_view(&w), vector[i].plain));
		writer_free(&w);
	}
}

static void
test_refused_without_a_trace(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"Z", "Zg", "Zg=", "Zm9vY", "Zm9v=", /* length */
		"====", "Z===", "=Zg=", "Zg=a", "Zg==Zm9v", "Zm8=Zm9v", "Zg==\n", /* padding */
		"Zh==", "Zi==", "Zo==", "Zm9=", "Zm+=", "Zm9vYh==",                /* unused bits */
		"Zm9\n", "Zm 9", "\nZm9", "Zm9v\r\nYm", /* white space */
		"Zm-v", "Zm_v", "Zm\x80v", "Zm.v",      /* other alphabets */
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct writer w;
		writer_init(&w, 64);
		writer_text(&w, "before");
		assert_int_equal(decode(bad[i], &w), FG_EFORMAT);
		assert_true(view_is(writer_view(&w), "before"));
		assert_int_equal(writer_err(&w), 0);
		writer_free(&w);
	}
	struct writer w;
	writer_init(&w, 64);
	assert_int_equal(base64_decode(view_of("Zm\0v", 4), &w), FG_EFORMAT);
	writer_free(&w);
}

/* Among all last digits before "==" and "=", only those with zero unused bits. */
static void
test_one_text_for_each_value(void **state)
{
	(void)state;
	unsigned two = 0, one = 0;
	for (unsigned c = 0; c < 256; c++) {
		const char short2[] = { 'A', (char)c, '=', '=' };
		const char short1[] = { 'A', 'A', (char)c, '=' };
		struct writer w;
		writer_init(&w, 64);
		two += base64_decode(view_of(short2, 4), &w) == 0;
		one += base64_decode(view_of(short1, 4), &w) == 0;
		writer_free(&w);
	}
	/* One of the latter is "AA==". */
	assert_int_equal(two, 4);
	assert_int_equal(one, 16 + 1);
}

/* Around the size of the gathering buffer, and whatever the bytes. */
static void
test_round_trip_of_all_lengths(void **state)
{
	(void)state;
	uint8_t in[600];
	srand(20260103);
	for (size_t n = 0; n <= sizeof in; n++) {
		struct writer text, back;
		for (size_t i = 0; i < n; i++)
			in[i] = (uint8_t)rand();
		writer_init(&text, 1000);
		writer_init(&back, n);
		base64_encode(view_of(in, n), &text);
		assert_int_equal(writer_view(&text).n, (n + 2) / 3 * 4);
		assert_int_equal(base64_decode(writer_view(&text), &back), 0);
		assert_true(view_equal(writer_view(&back), view_of(in, n)));
		writer_free(&text);
		writer_free(&back);
	}
}

static void
test_full_writer_says_so(void **state)
{
	(void)state;
	struct writer w;
	writer_init(&w, 2);
	assert_int_equal(decode("Zm9v", &w), FG_ELIMIT);
	writer_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc4648_vectors),
		cmocka_unit_test(test_refused_without_a_trace),
		cmocka_unit_test(test_one_text_for_each_value),
		cmocka_unit_test(test_round_trip_of_all_lengths),
		cmocka_unit_test(test_full_writer_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
