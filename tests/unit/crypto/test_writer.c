/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/reader.h"
#include "crypto/writer.h"

#define MODEL_MAX 700 /* past the first allocation and one doubling */

static void
test_integers_are_big_endian(void **state)
{
	(void)state;
	static const uint8_t want[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	struct writer w;
	writer_init(&w, 64);
	writer_u8(&w, 0x01);
	writer_u16(&w, 0x0203);
	writer_u32(&w, 0x04050607);
	writer_u64(&w, UINT64_C(0x08090a0b0c0d0e0f));
	assert_true(view_equal(writer_view(&w), view_of(want, sizeof want)));
	writer_free(&w);
}

static void
test_what_is_written_is_read(void **state)
{
	(void)state;
	char text[16];
	struct writer w;
	struct reader r;
	writer_init(&w, 64);
	writer_blob(&w, view_of("a\0b", 3));
	writer_cstr(&w, "name");
	writer_cstr(&w, NULL);
	writer_textf(&w, "%s-%d", "x", 7);
	assert_int_equal(writer_err(&w), 0);
	reader_init(&r, writer_view(&w));
	assert_true(view_equal(reader_blob(&r, 3), view_of("a\0b", 3)));
	reader_cstr(&r, text, sizeof text);
	assert_string_equal(text, "name");
	reader_cstr(&r, text, sizeof text);
	assert_string_equal(text, "");
	assert_true(view_is(reader_take(&r, 3), "x-7"));
	assert_true(reader_end(&r));
	writer_free(&w);
}

static void
test_maximum_is_exact_and_error_sticky(void **state)
{
	(void)state;
	struct writer w;
	writer_init(&w, 4);
	writer_u32(&w, 1);
	assert_int_equal(writer_err(&w), 0);
	writer_bytes(&w, view_of(NULL, 0));
	assert_int_equal(writer_err(&w), 0);
	writer_u8(&w, 1);
	assert_int_equal(writer_err(&w), FG_ELIMIT);
	assert_int_equal(writer_view(&w).n, 0); /* half a message is none */
	size_t n = 77;
	assert_null(writer_take(&w, &n));
	assert_int_equal(n, 77);
	writer_reset(&w);
	writer_text(&w, "four");
	assert_true(view_is(writer_view(&w), "four"));
	writer_textf(&w, "%d", 5);
	assert_int_equal(writer_err(&w), FG_ELIMIT);
	writer_free(&w);

	writer_init(&w, 5);
	writer_blob(&w, view_of("ab", 2)); /* the length fits, the bytes do not */
	assert_int_equal(writer_err(&w), FG_ELIMIT);
	writer_free(&w);
	writer_free(&w); /* twice is fine */
}

static void
test_decimal(void **state)
{
	(void)state;
	const uint64_t v[] = { 0, 1, 9, 10, 99, 100, 1234567890, INT64_MAX, UINT64_MAX };
	struct writer w;
	char want[32];
	writer_init(&w, 20);
	for (unsigned i = 0; i < sizeof v / sizeof v[0]; i++) {
		writer_reset(&w);
		writer_decimal(&w, v[i]);
		snprintf(want, sizeof want, "%" PRIu64, v[i]);
		assert_true(view_is(writer_view(&w), want));
	}
	writer_decimal(&w, 1);
	assert_int_equal(writer_err(&w), FG_ELIMIT);
	writer_free(&w);
}

static void
test_take_hands_over_and_ends_in_nul(void **state)
{
	(void)state;
	struct writer w;
	size_t n;
	writer_init(&w, 3);
	writer_text(&w, "abc");
	uint8_t *p = writer_take(&w, &n);
	assert_int_equal(n, 3);
	assert_string_equal((char *)p, "abc");
	free(p);
	assert_int_equal(writer_view(&w).n, 0);
	p = writer_take(&w, &n); /* an empty one too */
	assert_non_null(p);
	assert_int_equal(n, 0);
	assert_int_equal(p[0], 0);
	free(p);
	writer_free(&w);
}

/* Appends n bytes to a plain array with the same maximum. */
static void
model_put(uint8_t *model, size_t *n, bool *bad, const void *p, size_t add)
{
	if (*bad || add > MODEL_MAX - *n) {
		*bad = true;
		return;
	}
	memcpy(model + *n, p, add);
	*n += add;
}

static void
step(struct writer *w, uint8_t *model, size_t *n, bool *bad)
{
	uint8_t b[40];
	size_t len = (size_t)rand() % sizeof b;
	for (size_t i = 0; i < sizeof b; i++)
		b[i] = (uint8_t)rand();
	uint16_t v16 = (uint16_t)(b[0] << 8 | b[1]);
	switch (rand() % 5) {
	case 0:
		writer_u8(w, b[0]);
		model_put(model, n, bad, b, 1);
		break;
	case 1:
		writer_u16(w, v16);
		model_put(model, n, bad, b, 2);
		break;
	case 2:
		writer_u32(w, (uint32_t)v16 << 16 | (uint32_t)b[2] << 8 | b[3]);
		model_put(model, n, bad, b, 4);
		break;
	case 3:
		writer_bytes(w, view_of(b, len));
		model_put(model, n, bad, b, len);
		break;
	default: {
		uint8_t head[4] = { 0, 0, 0, (uint8_t)len };
		writer_blob(w, view_of(b, len));
		model_put(model, n, bad, head, 4);
		model_put(model, n, bad, b, len);
	}
	}
}

static void
test_model(void **state)
{
	(void)state;
	srand(20260102);
	for (int round = 0; round < 500; round++) {
		uint8_t model[MODEL_MAX];
		size_t n = 0;
		bool bad = false;
		struct writer w;
		writer_init(&w, MODEL_MAX);
		for (int i = rand() % 60; i > 0; i--) {
			step(&w, model, &n, &bad);
			assert_int_equal(writer_err(&w), bad ? FG_ELIMIT : 0);
			struct view v = writer_view(&w);
			assert_int_equal(v.n, bad ? 0 : n);
			assert_true(view_equal(v, view_of(model, bad ? 0 : n)));
		}
		writer_free(&w);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers_are_big_endian),
		cmocka_unit_test(test_what_is_written_is_read),
		cmocka_unit_test(test_maximum_is_exact_and_error_sticky),
		cmocka_unit_test(test_decimal),
		cmocka_unit_test(test_take_hands_over_and_ends_in_nul),
		cmocka_unit_test(test_model),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
