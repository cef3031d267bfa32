/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/role/bundle.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/writer.h"
#include "gateway/wire/memfd.h"

static void
test_round_trip(void **state)
{
	const struct bundle_file files[] = {
		{ "fotagate.conf", view_str("demo = true;\n") },
		{ "profiles.d/acme.conf", view_of("\0binary\xff", 8) },
		{ "profiles.d/empty.conf", view_of(NULL, 0) },
	};
	struct bundle *b;
	unsigned n;
	(void)state;
	int fd = bundle_write(files, 3);
	assert_true(fd >= 0);
	assert_true(memfd_is_sealed(fd));
	assert_int_equal(bundle_open(fd, &b), 0);
	close(fd); /* the mapping stands by itself */
	const struct bundle_file *got = bundle_files(b, &n);
	assert_int_equal(n, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_string_equal(got[i].name, files[i].name);
		assert_true(view_equal(got[i].text, files[i].text));
	}
	bundle_free(b);
	bundle_free(NULL);
}

static void
test_write_limits(void **state)
{
	static uint8_t big[BUNDLE_FILE_MAX + 1];
	char name[BUNDLE_NAME_MAX + 2];
	struct bundle_file f = { "x", view_of(big, BUNDLE_FILE_MAX) };
	(void)state;
	int fd = bundle_write(&f, 1);
	assert_true(fd >= 0);
	close(fd);
	f.text.n++;
	assert_int_equal(bundle_write(&f, 1), FG_ELIMIT);
	memset(name, 'a', sizeof name);
	name[sizeof name - 1] = '\0';
	f = (struct bundle_file){ name, view_str("") };
	assert_int_equal(bundle_write(&f, 1), FG_ELIMIT);
	assert_int_equal(bundle_write(&f, 0), FG_ELIMIT);
	assert_int_equal(bundle_write(&f, BUNDLE_FILES_MAX + 1), FG_ELIMIT);
	struct bundle_file many[100];
	for (unsigned i = 0; i < 100; i++)
		many[i] = (struct bundle_file){ "x", view_of(big, BUNDLE_FILE_MAX) };
	assert_int_equal(bundle_write(many, 100), FG_ELIMIT);
}

static int
try_bytes(struct view v)
{
	struct bundle *b = NULL;
	int fd = memfd_sealed("test", v);
	assert_true(fd >= 0);
	int r = bundle_open(fd, &b);
	close(fd);
	bundle_free(b);
	return r;
}

static void
test_every_cut_and_a_trailing_byte_are_refused(void **state)
{
	const struct bundle_file files[] = { { "a", view_str("text") }, { "b", view_str("") } };
	struct view map;
	(void)state;
	int fd = bundle_write(files, 2);
	assert_int_equal(memfd_map(fd, 4096, &map), 0);
	uint8_t *copy = calloc(1, map.n + 1);
	memcpy(copy, map.p, map.n);
	assert_int_equal(try_bytes(view_of(copy, map.n)), 0);
	for (size_t n = 0; n < map.n; n++)
		assert_int_equal(try_bytes(view_of(copy, n)), FG_EPEER);
	assert_int_equal(try_bytes(view_of(copy, map.n + 1)), FG_EPEER);
	copy[0] ^= 1;
	assert_int_equal(try_bytes(view_of(copy, map.n)), FG_EPEER);
	copy[0] ^= 1;
	copy[12] = '\0'; /* a NUL inside the first name */
	assert_int_equal(try_bytes(view_of(copy, map.n)), FG_EPEER);
	memfd_unmap(map);
	close(fd);
	free(copy);
}

static void
test_counts(void **state)
{
	struct writer w;
	(void)state;
	static const uint32_t bad[] = { 0, BUNDLE_FILES_MAX + 1, UINT32_MAX };
	for (unsigned i = 0; i < 3; i++) {
		writer_init(&w, 64);
		writer_text(&w, "FGB1");
		writer_u32(&w, bad[i]);
		assert_int_equal(try_bytes(writer_view(&w)), FG_EPEER);
		writer_free(&w);
	}
}

static void
test_unsealed_is_refused(void **state)
{
	struct bundle *b;
	(void)state;
	int fd = memfd_open("test");
	assert_int_equal(write(fd, "FGB1", 4), 4);
	assert_int_equal(bundle_open(fd, &b), FG_EPEER);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_write_limits),
		cmocka_unit_test(test_every_cut_and_a_trailing_byte_are_refused),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_unsealed_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
