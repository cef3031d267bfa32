/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/err.h"
#include "images/protobuf.h"

static int
next(struct view v, struct protobuf_field *f)
{
	struct protobuf it;
	protobuf_begin(&it, v);
	return protobuf_next(&it, f);
}
#define NEXT(literal, f) next(view_of(literal, sizeof(literal) - 1), f)

/* Each field as protoc's own encoding guide gives it. */
static void
fields(void **state)
{
	(void)state;
	static const char m[] = "\x08\x96\x01\x12\x07testing\x1d\x01\0\0\0\x21\x02\0\0\0\0\0\0\0";
	struct protobuf it;
	struct protobuf_field f = { 0 };
	protobuf_begin(&it, view_of(m, sizeof m - 1));
	assert_int_equal(protobuf_next(&it, &f), 1);
	assert_true(f.number == 1 && f.wire == PROTOBUF_VARINT && f.value == 150);
	assert_int_equal(protobuf_next(&it, &f), 1);
	assert_true(f.number == 2 && f.wire == PROTOBUF_BYTES && view_is(f.bytes, "testing"));
	assert_int_equal(protobuf_next(&it, &f), 1);
	assert_true(f.number == 3 && f.wire == PROTOBUF_FIXED32 && f.value == 1);
	assert_int_equal(protobuf_next(&it, &f), 1);
	assert_true(f.number == 4 && f.wire == PROTOBUF_FIXED64 && f.value == 2);
	assert_int_equal(protobuf_next(&it, &f), 0);
	assert_int_equal(protobuf_next(&it, &f), 0);
	/* Cut anywhere but between fields, it is no message. */
	for (size_t n = 1; n < sizeof m - 1; n++) {
		int rc;
		protobuf_begin(&it, view_of(m, n));
		do
			rc = protobuf_next(&it, &f);
		while (rc == 1);
		assert_int_equal(rc, n == 3 || n == 12 || n == 17 ? 0 : FG_EFORMAT);
	}
}

static void
numbers(void **state)
{
	(void)state;
	struct protobuf_field f = { 0 };
	assert_int_equal(NEXT("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", &f), 1);
	assert_true(f.value == UINT64_MAX);
	assert_int_equal(NEXT("\xf8\xff\xff\xff\x0f\x01", &f), 1); /* the largest field number */
	assert_int_equal(f.number, (1u << 29) - 1);
}

static void
what_is_no_message(void **state)
{
	(void)state;
	struct protobuf_field f = { .number = 77 };
	assert_int_equal(NEXT("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", &f), FG_EFORMAT); /* 65 bits */
	assert_int_equal(NEXT("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", &f), FG_EFORMAT);
	assert_int_equal(NEXT("\x00\x01", &f), FG_EFORMAT);                 /* field 0 */
	assert_int_equal(NEXT("\xf8\xff\xff\xff\x1f\x01", &f), FG_EFORMAT); /* field number of 30 bits */
	assert_int_equal(NEXT("\x0b\x0c", &f), FG_EFORMAT);                 /* a group */
	assert_int_equal(NEXT("\x0e", &f), FG_EFORMAT);                     /* wire type 6 */
	assert_int_equal(NEXT("\x12\x05testing", &f), 1);
	f.number = 77;
	assert_int_equal(NEXT("\x12\x08testing", &f), FG_EFORMAT);
	assert_int_equal(NEXT("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", &f), FG_EFORMAT);
	assert_int_equal(f.number, 77);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields),
		cmocka_unit_test(numbers),
		cmocka_unit_test(what_is_no_message),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
