/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "crypto/digest.h"
#include "images/entropy.h"

static uint8_t buf[ENTROPY_WINDOW];

/* Bytes that no compressor can shorten: SHA-256 in counter mode. */
static void
fill_random(uint8_t *p, size_t n)
{
	for (size_t at = 0; at < n; at += DIGEST_SHA256_LEN) {
		uint8_t sum[DIGEST_SHA256_LEN];
		uint64_t counter = at;
		assert_int_equal(digest_sha256(view_of(&counter, sizeof counter), sum), 0);
		memcpy(p + at, sum, n - at < sizeof sum ? n - at : sizeof sum);
	}
}

static void
exact_where_arithmetic_is(void **state)
{
	(void)state;
	memset(buf, 0xff, sizeof buf);
	assert_int_equal(entropy_millibits(view_of(buf, sizeof buf)), 0);
	assert_int_equal(entropy_millibits(view_of(buf, 1)), 0);
	assert_int_equal(entropy_millibits(view_of(buf, 0)), 0);
	for (size_t i = 0; i < sizeof buf; i++)
		buf[i] = (uint8_t)(i & 1);
	assert_int_equal(entropy_millibits(view_of(buf, sizeof buf)), 1000);
	for (size_t i = 0; i < sizeof buf; i++)
		buf[i] = (uint8_t)(i & 15);
	assert_int_equal(entropy_millibits(view_of(buf, sizeof buf)), 4000);
	for (size_t i = 0; i < sizeof buf; i++)
		buf[i] = (uint8_t)i;
	assert_int_equal(entropy_millibits(view_of(buf, sizeof buf)), 8000);
	/* A quarter of one, three quarters of another: 0.811278 bits. */
	for (size_t i = 0; i < sizeof buf; i++)
		buf[i] = (i & 3) == 0;
	assert_in_range(entropy_millibits(view_of(buf, sizeof buf)), 811, 812);
}

static void
classes(void **state)
{
	(void)state;
	struct entropy_profile p = { 0 };
	memset(buf, 0, sizeof buf);
	entropy_count(&p, view_of(buf, sizeof buf));
	for (size_t i = 0; i < sizeof buf; i++)
		buf[i] = (uint8_t)("etaoin shrdlu"[i * i % 13]);
	entropy_count(&p, view_of(buf, sizeof buf));
	fill_random(buf, sizeof buf);
	entropy_count(&p, view_of(buf, sizeof buf));
	entropy_count(&p, view_of(buf, 4096)); /* short, and random all the same */
	for (size_t i = 0; i < sizeof buf; i += 50)
		buf[i] = 0; /* a little structure */
	entropy_count(&p, view_of(buf, sizeof buf));
	assert_int_equal(p.windows[ENTROPY_LOW], 1);
	assert_int_equal(p.windows[ENTROPY_TEXT_CODE], 1);
	assert_int_equal(p.windows[ENTROPY_RANDOM], 2);
	assert_int_equal(p.windows[ENTROPY_COMPRESSED], 1);
	assert_int_equal(p.total, 5);
	assert_true(p.sum <= 5 * 8000);
	assert_string_equal(entropy_class_name(ENTROPY_RANDOM), "random");
	assert_string_equal(entropy_class_name(ENTROPY_CLASSES), "none");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exact_where_arithmetic_is),
		cmocka_unit_test(classes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
