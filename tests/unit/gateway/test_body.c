/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream/body.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/err.h"

#define MAX (1u << 20)

struct fixture {
	struct body b;
	int fd;
	uint8_t bytes[MAX + 1];
	uint8_t sha256[DIGEST_SHA256_LEN];
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	f->fd = memfd_create("body", MFD_CLOEXEC);
	for (size_t i = 0; i < sizeof f->bytes; i++)
		f->bytes[i] = (uint8_t)(i * i >> 7 ^ i);
	assert_int_equal(body_begin(&f->b, f->fd, MAX), 0);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	body_end(&f->b);
	close(f->fd);
	free(f);
	return 0;
}

static void
take(struct fixture *f, size_t at, size_t n, enum body_outcome want)
{
	assert_int_equal(body_take(&f->b, view_of(f->bytes + at, n)), want);
}

/* The file, its size and its digest are those of the first n bytes. */
static void
holds(struct fixture *f, size_t n)
{
	uint8_t want[DIGEST_SHA256_LEN], *had = malloc(n + 1);
	assert_int_equal(f->b.size, n);
	assert_int_equal(pread(f->fd, had, n + 1, 0), n);
	assert_memory_equal(had, f->bytes, n);
	assert_int_equal(digest_sha256(view_of(f->bytes, n), want), 0);
	assert_int_equal(body_sha256(&f->b, f->sha256), 0);
	assert_memory_equal(want, f->sha256, sizeof want);
	free(had);
}

static void
test_pieces(void **state)
{
	struct fixture *f = *state;
	take(f, 0, 1, BODY_TAKEN);
	take(f, 1, 0, BODY_TAKEN);
	take(f, 1, 99999, BODY_TAKEN);
	holds(f, 100000);
}

static void
test_the_cap_is_exact(void **state)
{
	struct fixture *f = *state;
	take(f, 0, MAX + 1, BODY_FULL);
	holds(f, 0);
	take(f, 0, MAX, BODY_TAKEN);
	take(f, 0, 1, BODY_FULL);
	holds(f, MAX);
}

/* However the overlap is cut into pieces. */
static void
test_it_goes_on_where_it_was(void **state)
{
	struct fixture *f = *state;
	static const size_t piece[] = { 1, 97, BODY_OVERLAP - 1, BODY_OVERLAP, BODY_OVERLAP + 1, 70000 };
	for (size_t i = 0; i < sizeof piece / sizeof piece[0]; i++) {
		size_t n = 200000, at;
		assert_int_equal(body_restart(&f->b), 0);
		take(f, 0, 100000, BODY_TAKEN);
		at = (size_t)body_rewind(&f->b);
		assert_int_equal(at, 100000 - BODY_OVERLAP);
		for (; at < n; at += piece[i])
			take(f, at, n - at < piece[i] ? n - at : piece[i], BODY_TAKEN);
		holds(f, n);
	}
	assert_int_equal(body_restart(&f->b), 0);
	assert_int_equal(body_rewind(&f->b), 0);
	take(f, 0, 5, BODY_TAKEN);
	assert_int_equal(body_rewind(&f->b), 0);
	take(f, 0, 3, BODY_TAKEN);
	take(f, 3, 5, BODY_TAKEN);
	holds(f, 8);
}

static void
test_other_bytes_are_found_out(void **state)
{
	struct fixture *f = *state;
	take(f, 0, 100000, BODY_TAKEN);
	for (size_t i = 0; i < 3; i++) {
		size_t at = (size_t)body_rewind(&f->b), wrong[] = { at, at + 5000, 99999 };
		f->bytes[wrong[i]] ^= 1;
		take(f, at, 110000 - at, BODY_DIFFERS);
		f->bytes[wrong[i]] ^= 1;
		holds(f, 100000);
	}
	size_t at = (size_t)body_rewind(&f->b);
	take(f, at, 110000 - at, BODY_TAKEN);
	holds(f, 110000);
}

static void
test_what_an_earlier_life_left(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	take(f, 0, 100000, BODY_TAKEN);
	holds(f, 100000);
	uint8_t at_100000[DIGEST_SHA256_LEN];
	memcpy(at_100000, f->sha256, sizeof at_100000);
	take(f, 100000, 50000, BODY_TAKEN); /* written, but nobody was told */
	body_end(&f->b);
	assert_int_equal(body_adopt(&f->b, f->fd, MAX, 100000, at_100000), 0);
	assert_int_equal(fstat(f->fd, &st), 0);
	assert_int_equal(st.st_size, 100000);
	holds(f, 100000);
	size_t at = (size_t)body_rewind(&f->b);
	take(f, at, 120000 - at, BODY_TAKEN);
	holds(f, 120000);
	body_end(&f->b);

	assert_int_equal(body_adopt(&f->b, f->fd, MAX, 120001, f->sha256), FG_EFORMAT); /* shorter than said */
	assert_int_equal(body_adopt(&f->b, f->fd, 119999, 120000, f->sha256), FG_EFORMAT);
	assert_int_equal(pwrite(f->fd, "x", 1, 60000), 1);
	assert_int_equal(body_adopt(&f->b, f->fd, MAX, 120000, f->sha256), FG_EFORMAT);
	assert_int_equal(body_begin(&f->b, f->fd, MAX), 0);
	holds(f, 0);
}

static void
test_a_file_that_cannot_be_written(void **state)
{
	struct fixture *f = *state;
	struct body b;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	take(f, 0, 10, BODY_TAKEN);
	assert_int_equal(body_begin(&b, fd, MAX), FG_EIO);
	body_end(&b);
	f->b.fd = fd;
	take(f, 10, 10, BODY_FAILED);
	(void)body_rewind(&f->b);
	take(f, 0, 10, BODY_FAILED); /* and not read again either */
	f->b.fd = f->fd;
	close(fd);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_pieces),
		T(test_the_cap_is_exact),
		T(test_it_goes_on_where_it_was),
		T(test_other_bytes_are_found_out),
		T(test_what_an_earlier_life_left),
		T(test_a_file_that_cannot_be_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
