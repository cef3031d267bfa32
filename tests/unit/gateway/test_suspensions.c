/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/suspensions.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/err.h"
#include "unit/gateway/scratch.h"

#define RECORD 48

struct fixture {
	struct scratch tmp;
	int dir;
	struct suspensions *s;
	struct signers set; /* of three keys */
	uint8_t key[3][DIGEST_SHA256_LEN];
};

static void
reopen(struct fixture *f)
{
	suspensions_close(f->s);
	f->s = NULL;
	assert_int_equal(suspensions_open(f->dir, &f->s), FG_OK);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	scratch_open(&f->tmp);
	f->dir = scratch_dir(&f->tmp, "d");
	f->set.number = 4;
	f->set.time = 1000;
	f->set.n = 3;
	for (unsigned i = 0; i < 3; i++) {
		f->set.signer[i].key = (struct sshkey){ .type = SSHKEY_ED25519, .point = { (uint8_t)(i + 1) } };
		assert_int_equal(sshkey_digest(&f->set.signer[i].key, f->key[i]), FG_OK);
	}
	reopen(f);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	suspensions_close(f->s);
	close(f->dir);
	scratch_close(&f->tmp);
	free(f);
	return 0;
}

static off_t
file_size(const struct fixture *f)
{
	struct stat st;
	assert_int_equal(fstatat(f->dir, "suspended", &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_size;
}

static bool
is_suspended(const struct fixture *f, unsigned key, int64_t at)
{
	struct signers_suspended gone[SIGNERS_MAX];
	int n = suspensions_of(f->s, &f->set, gone);
	assert_true(n >= 0);
	for (int i = 0; i < n; i++) {
		if (!memcmp(gone[i].key, f->key[key], DIGEST_SHA256_LEN))
			return gone[i].at == at;
	}
	return false;
}

static void
test_holds(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(suspensions_add(f->s, 4, f->key[0], 2000), FG_OK);
	assert_int_equal(suspensions_add(f->s, 3, f->key[1], 999), FG_OK);  /* the set was written since */
	assert_int_equal(suspensions_add(f->s, 3, f->key[2], 1000), FG_OK); /* and was not */
	for (int again = 0; again < 2; again++) {
		assert_true(is_suspended(f, 0, 2000));
		assert_false(is_suspended(f, 1, 999));
		assert_true(is_suspended(f, 2, 1000));
		reopen(f);
	}
}

/* The same word again, in this life or the next, takes no room, nor does an earlier one. */
static void
test_again(void **state)
{
	struct fixture *f = *state;
	for (int life = 0; life < 5; life++) {
		for (int i = 0; i < 5; i++)
			assert_int_equal(suspensions_add(f->s, 4, f->key[0], 2000 - i), FG_OK);
		assert_int_equal(file_size(f), RECORD);
		assert_true(is_suspended(f, 0, 2000));
		reopen(f);
	}
}

/* A later word stands against sets that would have ended the first, and is one record after the next start. */
static void
test_later(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(suspensions_add(f->s, 3, f->key[0], 999), FG_OK);
	assert_false(is_suspended(f, 0, 999)); /* the set was written since */
	assert_int_equal(suspensions_add(f->s, 3, f->key[0], 1001), FG_OK);
	assert_int_equal(file_size(f), 2 * RECORD);
	for (int life = 0; life < 2; life++) {
		assert_true(is_suspended(f, 0, 1001));
		reopen(f);
		assert_int_equal(file_size(f), RECORD);
	}
}

/* It cannot be written anew: what was read counts, and is appended when it is spoken again. */
static void
test_no_room(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(suspensions_add(f->s, 4, f->key[0], 2000), FG_OK);
	assert_int_equal(mkdirat(f->dir, "suspended.new", 0755), 0);
	reopen(f);
	assert_true(is_suspended(f, 0, 2000));
	assert_int_equal(suspensions_add(f->s, 4, f->key[0], 2000), FG_OK);
	assert_int_equal(suspensions_add(f->s, 4, f->key[0], 2000), FG_OK);
	assert_int_equal(file_size(f), 2 * RECORD);
	assert_int_equal(unlinkat(f->dir, "suspended.new", AT_REMOVEDIR), 0);
	reopen(f);
	assert_true(is_suspended(f, 0, 2000));
	assert_int_equal(file_size(f), RECORD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_holds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_later, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_room, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
