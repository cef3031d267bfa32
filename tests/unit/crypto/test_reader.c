/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "crypto/reader.h"

#define ROUNDS 4000 /* of the model test: every getter some hundred times at every edge */

static const uint8_t count[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
	0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f };

static void
test_integers_have_their_byte_order(void **state)
{
	(void)state;
	struct reader r;
	reader_init(&r, view_of(count, sizeof count));
	assert_int_equal(reader_u8(&r), 0x01);
	assert_int_equal(reader_u16(&r), 0x0203);
	assert_int_equal(reader_u32(&r), 0x04050607);
	assert_true(reader_u64(&r) == UINT64_C(0x08090a0b0c0d0e0f));
	assert_true(reader_end(&r));

	reader_init(&r, view_of(count, 14));
	assert_int_equal(reader_u16le(&r), 0x0201);
	assert_int_equal(reader_u32le(&r), 0x06050403);
	assert_true(reader_u64le(&r) == UINT64_C(0x0e0d0c0b0a090807));
	assert_true(reader_end(&r));
}

static void
test_overrun_is_sticky_and_zero(void **state)
{
	(void)state;
	struct reader r;
	char text[8];
	uint8_t copy[3] = { 9, 9, 9 };
	reader_init(&r, view_of(count, 3));
	assert_int_equal(reader_u32(&r), 0);
	assert_int_equal(r.off, 0); /* the byte to name is where the field began */
	assert_int_equal(reader_u8(&r), 0);
	assert_int_equal(reader_take(&r, 0).n, 0);
	assert_null(reader_take(&r, 1).p);
	reader_copy(&r, copy, sizeof copy);
	assert_int_equal(copy[0] | copy[1] | copy[2], 0);
	reader_cstr(&r, text, sizeof text);
	assert_string_equal(text, "");
	assert_false(reader_bool(&r));
	assert_int_equal(reader_enum(&r, 5), 0);
	assert_int_equal(reader_left(&r), 0);
	assert_false(reader_end(&r));
}

static void
test_end_wants_every_byte(void **state)
{
	(void)state;
	struct reader r;
	reader_init(&r, view_of(count, 2));
	reader_u8(&r);
	assert_false(reader_end(&r));
	assert_int_equal(reader_left(&r), 1);
	reader_u8(&r);
	assert_true(reader_end(&r));
	reader_fail(&r);
	assert_false(reader_end(&r));
	reader_init(&r, view_of(NULL, 0));
	assert_true(reader_end(&r));
}

static void
test_blob_length_is_bounded(void **state)
{
	(void)state;
	static const uint8_t in[] = { 0, 0, 0, 2, 'a', 'b' };
	static const uint8_t huge[] = { 0xff, 0xff, 0xff, 0xff, 'a', 'b' };
	struct reader r;
	reader_init(&r, view_of(in, sizeof in));
	assert_true(view_is(reader_blob(&r, 2), "ab"));
	assert_true(reader_end(&r));
	reader_init(&r, view_of(in, sizeof in));
	assert_int_equal(reader_blob(&r, 1).n, 0); /* one above the caller's maximum */
	assert_false(reader_end(&r));
	reader_init(&r, view_of(in, sizeof in - 1));
	assert_int_equal(reader_blob(&r, 2).n, 0); /* one short of the input */
	assert_false(reader_end(&r));
	reader_init(&r, view_of(huge, sizeof huge));
	assert_int_equal(reader_blob(&r, SIZE_MAX).n, 0);
	assert_false(reader_end(&r));
}

static void
test_cstr_refuses_nul_and_overflow(void **state)
{
	(void)state;
	static const uint8_t in[] = { 0, 0, 0, 3, 'a', 'b', 'c' };
	static const uint8_t nul[] = { 0, 0, 0, 3, 'a', 0, 'c' };
	char dst[4];
	struct reader r;
	reader_init(&r, view_of(in, sizeof in));
	reader_cstr(&r, dst, 4);
	assert_string_equal(dst, "abc");
	assert_true(reader_end(&r));
	reader_init(&r, view_of(in, sizeof in));
	reader_cstr(&r, dst, 3);
	assert_string_equal(dst, "");
	assert_false(reader_end(&r));
	reader_init(&r, view_of(nul, sizeof nul));
	reader_cstr(&r, dst, 4);
	assert_string_equal(dst, "");
	assert_false(reader_end(&r));
}

static void
test_bool_and_enum_take_only_their_range(void **state)
{
	(void)state;
	for (unsigned v = 0; v < 256; v++) {
		uint8_t byte = (uint8_t)v;
		struct reader r;
		reader_init(&r, view_of(&byte, 1));
		assert_int_equal(reader_bool(&r), v == 1);
		assert_int_equal(reader_end(&r), v < 2);
		reader_init(&r, view_of(&byte, 1));
		assert_int_equal(reader_enum(&r, 7), v < 7 ? v : 0);
		assert_int_equal(reader_end(&r), v < 7);
	}
}

/* What a reader should answer, computed byte by byte from a plain array. */
struct model {
	const uint8_t *p;
	size_t n, off;
	bool bad;
};

static uint64_t
model_int(struct model *m, size_t n, bool little)
{
	uint64_t v = 0;
	if (m->bad || m->n - m->off < n) {
		m->bad = true;
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)m->p[m->off + i] << 8 * (little ? i : n - 1 - i);
	m->off += n;
	return v;
}

static bool
model_take(struct model *m, size_t n, size_t *ret_at)
{
	*ret_at = m->off;
	if (m->bad || m->n - m->off < n) {
		m->bad = true;
		return false;
	}
	m->off += n;
	return true;
}

static void
step(struct reader *r, struct model *m)
{
	static const uint8_t zero[16];
	uint8_t copy[16];
	size_t at, n = (size_t)rand() % 6;
	switch (rand() % 10) {
	case 0:
		assert_true(reader_u8(r) == model_int(m, 1, false));
		break;
	case 1:
		assert_true(reader_u16(r) == model_int(m, 2, false));
		break;
	case 2:
		assert_true(reader_u32(r) == model_int(m, 4, false));
		break;
	case 3:
		assert_true(reader_u64(r) == model_int(m, 8, false));
		break;
	case 4:
		assert_true(reader_u16le(r) == model_int(m, 2, true));
		break;
	case 5:
		assert_true(reader_u32le(r) == model_int(m, 4, true));
		break;
	case 6:
		assert_true(reader_u64le(r) == model_int(m, 8, true));
		break;
	case 7: {
		struct view v = reader_take(r, n);
		if (model_take(m, n, &at))
			assert_true(v.n == n && v.p == m->p + at);
		else
			assert_true(v.n == 0 && !v.p);
		break;
	}
	case 8:
		reader_copy(r, copy, n);
		assert_memory_equal(copy, model_take(m, n, &at) ? m->p + at : zero, n);
		break;
	default: {
		/* Byte-sized length digits, so that blobs of all fits come up. */
		struct view v = reader_blob(r, 4);
		uint64_t len = model_int(m, 4, false);
		if (len > 4)
			m->bad = true;
		if (model_take(m, len, &at))
			assert_true(v.n == len && v.p == m->p + at);
		else
			assert_int_equal(v.n, 0);
	}
	}
	assert_int_equal(reader_left(r), m->bad ? 0 : m->n - m->off);
	assert_int_equal(reader_end(r), !m->bad && m->n == m->off);
}

static void
test_model(void **state)
{
	(void)state;
	srand(20260101);
	for (int round = 0; round < ROUNDS; round++) {
		size_t n = (size_t)rand() % 48;
		uint8_t *in = malloc(n ? n : 1); /* exact, so that ASan guards the end */
		assert_non_null(in);
		for (size_t i = 0; i < n; i++)
			in[i] = (uint8_t)(rand() % 4 ? 0 : rand() % 8);
		struct model m = { .p = in, .n = n };
		struct reader r;
		reader_init(&r, view_of(in, n));
		for (int i = 0; i < 16; i++)
			step(&r, &m);
		free(in);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers_have_their_byte_order),
		cmocka_unit_test(test_overrun_is_sticky_and_zero),
		cmocka_unit_test(test_end_wants_every_byte),
		cmocka_unit_test(test_blob_length_is_bounded),
		cmocka_unit_test(test_cstr_refuses_nul_and_overflow),
		cmocka_unit_test(test_bool_and_enum_take_only_their_range),
		cmocka_unit_test(test_model),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
