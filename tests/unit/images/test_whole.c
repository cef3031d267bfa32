/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypto/err.h"
#include "images/whole.h"

#define SIZE ((size_t)SOURCE_CHUNK * 2 + 12345)

static void
is_digest_of(const uint8_t *bytes, size_t n, const uint8_t *got)
{
	uint8_t want[DIGEST_SHA256_LEN];
	assert_int_equal(digest_sha256(view_of(bytes, n), want), 0);
	assert_memory_equal(got, want, sizeof want);
}

static void
prefixes_on_the_way_to_the_end(void **state)
{
	(void)state;
	static const size_t upto[] = { 0, 1, 1, 64, SOURCE_CHUNK - 1, SOURCE_CHUNK, SOURCE_CHUNK + 1, SIZE - 1, SIZE, SIZE };
	uint8_t *bytes = malloc(SIZE), got[DIGEST_SHA256_LEN];
	struct source s;
	struct whole h;
	assert_non_null(bytes);
	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	source_memory(&s, view_of(bytes, SIZE));
	assert_int_equal(whole_open(&h, &s), 0);
	for (size_t i = 0; i < sizeof upto / sizeof upto[0]; i++) {
		assert_true(whole_can(&h, upto[i]));
		assert_int_equal(whole_upto(&h, upto[i], got), 0);
		is_digest_of(bytes, upto[i], got);
	}
	whole_close(&h);
	free(bytes);
}

static void
never_back_and_never_beyond(void **state)
{
	(void)state;
	uint8_t bytes[1000] = { 7 }, got[DIGEST_SHA256_LEN] = { 1 }, before[DIGEST_SHA256_LEN] = { 1 };
	struct source s;
	struct whole h;
	source_memory(&s, view_of(bytes, sizeof bytes));
	assert_int_equal(whole_open(&h, &s), 0);
	assert_int_equal(whole_upto(&h, 1001, got), FG_ELIMIT);
	assert_int_equal(whole_upto(&h, UINT64_MAX, got), FG_ELIMIT);
	assert_memory_equal(got, before, sizeof got);
	assert_int_equal(whole_upto(&h, 500, got), 0);
	assert_false(whole_can(&h, 499));
	assert_int_equal(whole_upto(&h, 499, got), FG_ELIMIT);
	assert_int_equal(whole_upto(&h, 1000, got), 0); /* a refusal left no trace */
	is_digest_of(bytes, sizeof bytes, got);
	whole_close(&h);
}

/* What is offered counts where it comes next, and nowhere else. */
static void
what_was_read_is_offered(void **state)
{
	(void)state;
	uint8_t bytes[1000], got[DIGEST_SHA256_LEN];
	struct source s;
	struct whole h;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 11);
	source_memory(&s, view_of(bytes, sizeof bytes));
	assert_int_equal(whole_open(&h, &s), 0);
	assert_int_equal(whole_offer(&h, 0, view_of(bytes, 100)), 0);
	assert_int_equal(h.at, 100);
	assert_int_equal(whole_offer(&h, 99, view_of(bytes, 100)), 0);
	assert_int_equal(whole_offer(&h, 101, view_of(bytes, 100)), 0);
	assert_int_equal(whole_offer(&h, 100, view_of(bytes, 901)), 0); /* more than there is */
	assert_int_equal(h.at, 100);
	assert_int_equal(whole_offer(&h, 100, view_of(bytes + 100, 50)), 0);
	assert_int_equal(whole_upto(&h, 150, got), 0);
	is_digest_of(bytes, 150, got);
	assert_int_equal(whole_upto(&h, 1000, got), 0);
	is_digest_of(bytes, 1000, got);
	whole_close(&h);
}

static void
a_file_that_shrinks_is_an_error(void **state)
{
	(void)state;
	uint8_t got[DIGEST_SHA256_LEN];
	struct source s;
	struct whole h;
	int fd = memfd_create("image", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "0123456789", 10), 10);
	assert_int_equal(source_open(&s, fd), 0);
	assert_int_equal(whole_open(&h, &s), 0);
	assert_int_equal(whole_upto(&h, 4, got), 0);
	assert_int_equal(ftruncate(fd, 6), 0);
	assert_int_equal(whole_upto(&h, 10, got), FG_EIO);
	whole_close(&h);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_on_the_way_to_the_end),
		cmocka_unit_test(never_back_and_never_beyond),
		cmocka_unit_test(what_was_read_is_offered),
		cmocka_unit_test(a_file_that_shrinks_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
