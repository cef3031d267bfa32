/* SPDX-License-Identifier: Apache-2.0 */
/* The warden's memory of the policy in force: whole as it was or as it was to be, or nobody can say. */
#include "gateway/file/inforce.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/err.h"
#include "unit/gateway/full_rig.h"
#include "unit/gateway/scratch.h"

#define LEN (4 + 2 * DIGEST_SHA256_LEN)

struct place {
	struct scratch s;
	int dir;
};

static int
setup(void **state)
{
	struct place *p = calloc(1, sizeof *p);
	scratch_open(&p->s);
	p->dir = scratch_dir(&p->s, "approved");
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct place *p = *state;
	close(p->dir);
	scratch_close(&p->s);
	free(p);
	return 0;
}

static struct inforce
sample(uint32_t number)
{
	struct inforce in = { .number = number };
	memset(in.statement, (int)number + 1, sizeof in.statement);
	memset(in.config, (int)number + 2, sizeof in.config);
	return in;
}

static void
is(const struct place *p, uint32_t number)
{
	struct inforce in, want = sample(number);
	assert_int_equal(inforce_read(p->dir, &in), FG_OK);
	assert_int_equal(in.number, number);
	assert_memory_equal(in.statement, want.statement, sizeof in.statement);
	assert_memory_equal(in.config, want.config, sizeof in.config);
}

static void
write_it(const struct place *p, uint32_t number)
{
	struct inforce in = sample(number);
	assert_int_equal(inforce_write(p->dir, &in), FG_OK);
	is(p, number);
}

static void
what_was_written_is_read(void **state)
{
	struct place *p = *state;
	struct inforce in;
	struct stat st;
	assert_int_equal(inforce_read(p->dir, &in), FG_ENOTFOUND);
	write_it(p, 0);
	write_it(p, 1);
	write_it(p, 0x01020304);
	/* The supervisor reads it, nobody but the warden writes. */
	assert_int_equal(fstatat(p->dir, INFORCE_FILE, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0440);
	assert_int_equal(st.st_size, LEN);
}

static void
cut_or_longer_it_is_none(void **state)
{
	struct place *p = *state;
	const char *path = scratch_path(&p->s, "approved/" INFORCE_FILE);
	struct inforce in;
	size_t n = 0;
	write_it(p, 7);
	uint8_t *whole = scratch_read(path, &n), longer[LEN + 1] = { 0 };
	assert_int_equal(n, LEN);
	memcpy(longer, whole, LEN);
	for (size_t len = 0; len <= LEN + 1; len++) {
		assert_int_equal(unlink(path), 0);
		scratch_write(path, longer, len);
		assert_int_equal(inforce_read(p->dir, &in), len == LEN ? FG_OK : FG_EFORMAT);
	}
	assert_int_equal(unlink(path), 0);
	scratch_write(path, whole, LEN);
	is(p, 7);
	free(whole);
}

static void
what_is_no_file_of_ours_is_not_read(void **state)
{
	struct place *p = *state;
	struct inforce in;
	write_it(p, 3);
	assert_int_equal(renameat(p->dir, INFORCE_FILE, p->dir, "other"), 0);
	assert_int_equal(symlinkat("other", p->dir, INFORCE_FILE), 0);
	assert_int_not_equal(inforce_read(p->dir, &in), FG_OK);
	assert_int_equal(unlinkat(p->dir, INFORCE_FILE, 0), 0);
	assert_int_equal(mkdirat(p->dir, INFORCE_FILE, 0755), 0);
	int err = inforce_read(p->dir, &in);
	assert_true(err != FG_OK && err != FG_ENOTFOUND); /* that would mean genesis' */
}

/* Without room what was in force stays, and so it does after a crash before the new one had its name. */
static void
without_room_the_old_one_stays(void **state)
{
	struct place *p = *state;
	struct inforce next = sample(2);
	write_it(p, 1);
	struct rlimit room = full_rig_begin();
	assert_int_equal(inforce_write(p->dir, &next), FG_EIO);
	full_rig_end(room);
	is(p, 1);
	scratch_write(scratch_path(&p->s, "approved/" INFORCE_FILE ".new"), "half", 4);
	is(p, 1);
	write_it(p, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_written_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(cut_or_longer_it_is_none, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_no_file_of_ours_is_not_read, setup, teardown),
		cmocka_unit_test_setup_teardown(without_room_the_old_one_stays, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
