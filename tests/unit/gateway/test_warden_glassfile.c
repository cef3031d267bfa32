/* SPDX-License-Identifier: Apache-2.0 */
/* What the warden remembers of break-glass, and that it can always be read again. */
#include "gateway/warden/glass.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>

#include "crypto/err.h"
#include "crypto/writer.h"
#include "unit/gateway/scratch.h"

#define RECORD 61
enum { RELEASED = 1, USED, REVIEWED }; /* kinds of records, as they stand in the file */
#define LOG 100

static const uint8_t one[DIGEST_SHA256_LEN] = { 1 }, two[DIGEST_SHA256_LEN] = { 2 };
static const struct glass_use first = { { 7 }, { 1 }, 3, LOG }, second = { { 8 }, { 2 }, 0, LOG + 1 };

struct folder {
	struct scratch tmp;
	int dir;
	struct glass *g;
};

static int
setup(void **state)
{
	struct folder *f = calloc(1, sizeof *f);
	scratch_open(&f->tmp);
	f->dir = scratch_dir(&f->tmp, "d");
	assert_int_equal(glass_open(f->dir, &f->g), FG_OK);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct folder *f = *state;
	glass_close(f->g);
	close(f->dir);
	scratch_close(&f->tmp);
	free(f);
	return 0;
}

static void
again(struct folder *f)
{
	glass_close(f->g);
	f->g = NULL;
	assert_int_equal(glass_open(f->dir, &f->g), FG_OK);
}

static void
test_modules(void **state)
{
	struct folder *f = *state;
	assert_int_equal(glass_modules(NULL, one, 0), 0);
	assert_int_equal(glass_modules(f->g, one, 0), 0);
	glass_released(f->g, one, 50, LOG);
	glass_released(f->g, one, 20, LOG + 1);
	glass_released(f->g, two, 90, LOG);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(glass_modules(f->g, one, 0), 50);
		/* Of a log state above that of a restriction alone: that very state is none. */
		assert_int_equal(glass_modules(f->g, one, LOG - 1), 50);
		assert_int_equal(glass_modules(f->g, one, LOG), 20);
		assert_int_equal(glass_modules(f->g, one, LOG + 1), 0);
		assert_int_equal(glass_modules(f->g, two, 0), 90);
		again(f);
	}
}

static void
test_owed(void **state)
{
	struct folder *f = *state;
	struct glass_use owed;
	assert_false(glass_owed(NULL, &owed));
	assert_false(glass_owed(f->g, &owed));
	assert_int_equal(glass_used(f->g, &first), FG_OK);
	assert_int_equal(glass_used(f->g, &first), FG_OK);
	assert_int_equal(glass_reviewed(f->g, second.release), FG_OK); /* which is none */
	for (unsigned i = 0; i < 2; i++) {
		assert_true(glass_owed(f->g, &owed));
		assert_memory_equal(owed.release, first.release, RELEASE_ID);
		assert_memory_equal(owed.image, first.image, DIGEST_SHA256_LEN);
		assert_int_equal(owed.quorum, 3);
		assert_int_equal(owed.log_size, LOG);
		assert_int_equal(glass_modules(f->g, one, 0), 0); /* nobody's release in full number */
		again(f);
	}
	assert_int_equal(glass_reviewed(f->g, first.release), FG_OK);
	for (unsigned i = 0; i < 2; i++) {
		assert_false(glass_owed(f->g, &owed));
		/* Also when it is said again, as a start does of what is in force. */
		assert_int_equal(glass_used(f->g, &first), FG_OK);
		assert_false(glass_owed(f->g, &owed));
		again(f);
	}
	assert_int_equal(glass_used(f->g, &second), FG_OK);
	assert_true(glass_owed(f->g, &owed));
	assert_memory_equal(owed.release, second.release, RELEASE_ID);
}

/* A use that is in the file twice, as when a start could not write it anew, is one: looked at once it is not owed. */
static void
test_twice(void **state)
{
	struct folder *f = *state;
	struct glass_use owed;
	struct writer w;
	writer_init(&w, 4 * RECORD);
	for (unsigned i = 0; i < 3; i++) {
		writer_u8(&w, i < 2 ? USED : REVIEWED);
		writer_bytes(&w, view_of(one, sizeof one));
		writer_bytes(&w, view_of(first.release, RELEASE_ID));
		writer_u32(&w, 3);
		writer_u64(&w, LOG);
	}
	scratch_write(scratch_path(&f->tmp, "d/breakglass"), w.p, w.n);
	writer_free(&w);
	again(f);
	assert_false(glass_owed(f->g, &owed));
}

/* So many releases by people in full number, and half a record behind them. */
static void
fill(struct folder *f, unsigned n)
{
	struct writer w;
	writer_init(&w, (size_t)GLASS_MAX * RECORD + 8);
	for (unsigned i = 0; i < n; i++) {
		writer_u8(&w, RELEASED);
		writer_bytes(&w, view_of(two, sizeof two));
		writer_bytes(&w, view_of(second.release, RELEASE_ID));
		writer_u32(&w, 5);
		writer_u64(&w, LOG);
	}
	writer_bytes(&w, view_str("torn"));
	assert_int_equal(writer_err(&w), 0);
	scratch_write(scratch_path(&f->tmp, "d/breakglass"), w.p, w.n);
	writer_free(&w);
	again(f);
}

/* Full it takes nothing more that would keep the next start from reading it; and what is owed can still be looked at. */
static void
test_full(void **state)
{
	struct folder *f = *state;
	struct glass_use owed;
	fill(f, GLASS_MAX - 2);
	assert_int_equal(glass_used(f->g, &first), FG_OK);
	glass_released(f->g, one, 50, LOG); /* the last place is for the review of that */
	assert_int_equal(glass_modules(f->g, one, 0), 0);
	assert_int_equal(glass_used(f->g, &second), FG_ELIMIT);
	again(f);
	assert_true(glass_owed(f->g, &owed));
	assert_int_equal(glass_reviewed(f->g, first.release), FG_OK);
	glass_released(f->g, one, 50, LOG);
	assert_int_equal(glass_used(f->g, &second), FG_ELIMIT);
	again(f);
	assert_false(glass_owed(f->g, &owed));
	assert_int_equal(glass_modules(f->g, two, 0), 5);
}

/* One place that is left is not enough for a use and its review. */
static void
test_nearly_full(void **state)
{
	struct folder *f = *state;
	fill(f, GLASS_MAX - 1);
	assert_int_equal(glass_used(f->g, &first), FG_ELIMIT);
	glass_released(f->g, one, 50, LOG);
	again(f);
	assert_int_equal(glass_modules(f->g, one, 0), 50);
}

/* A kind that no warden writes: it may be anything. */
static void
test_unknown(void **state)
{
	struct folder *f = *state;
	uint8_t record[RECORD] = { 4 };
	glass_close(f->g);
	f->g = NULL;
	for (unsigned i = 0; i < 2; i++) {
		record[0] = i ? 0 : 4;
		scratch_write(scratch_path(&f->tmp, "d/breakglass"), record, sizeof record);
		assert_int_equal(glass_open(f->dir, &f->g), FG_EIO);
		assert_null(f->g);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_modules, setup, teardown),
		cmocka_unit_test_setup_teardown(test_owed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nearly_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
