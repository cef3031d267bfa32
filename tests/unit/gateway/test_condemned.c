/* SPDX-License-Identifier: Apache-2.0 */
/* The marker of a log that must not go on. */
#include "gateway/audit/condemned.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/err.h"
#include "unit/gateway/scratch.h"

struct fixture {
	struct scratch tmp;
	int dir;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	scratch_open(&f->tmp);
	f->dir = scratch_dir(&f->tmp, "audit");
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	close(f->dir);
	scratch_close(&f->tmp);
	free(f);
	return 0;
}

static void
test_there_and_back(void **state)
{
	static const enum msg_log_state states[] = { MSG_LOG_TAMPERED, MSG_LOG_ROLLED_BACK, MSG_LOG_CLONED };
	struct fixture *f = *state;
	struct condemned c, back;
	assert_int_equal(condemned_read(f->dir, &back), 0);
	assert_int_equal(back.state, MSG_LOG_UNKNOWN);
	for (size_t i = 0; i < 3; i++) {
		c = (struct condemned){ .state = states[i], .known = 1000 + i, .since = 1767225600 };
		snprintf(c.why, sizeof c.why, "reason %zu", i);
		assert_int_equal(condemned_write(f->dir, &c), 0);
		assert_int_equal(condemned_read(f->dir, &back), 0);
		assert_int_equal(back.state, c.state);
		assert_int_equal(back.known, c.known);
		assert_int_equal(back.since, c.since);
		assert_string_equal(back.why, c.why);
	}
	assert_int_equal(condemned_clear(f->dir), 0);
	assert_int_equal(condemned_clear(f->dir), 0);
	assert_int_equal(condemned_read(f->dir, &back), 0);
	assert_int_equal(back.state, MSG_LOG_UNKNOWN);
}

/* Whatever is there condemns: a damaged marker is no pardon. */
static void
test_unreadable_condemns(void **state)
{
	static const char *const rows[] = {
		"",
		"\n",
		"fotagate-condemned 2\nstate tampered\nknown 1\nsince 1\nwhy x\n",
		"fotagate-condemned 1\nstate ok\nknown 1\nsince 1\nwhy x\n",
		"fotagate-condemned 1\nstate unknown\nknown 1\nsince 1\nwhy x\n",
		"fotagate-condemned 1\nstate cloned\nknown -1\nsince 1\nwhy x\n",
		"fotagate-condemned 1\nstate cloned\nknown 99999999999999999999\nsince 1\nwhy x\n",
		"fotagate-condemned 1\nstate cloned\nknown 1\nsince 1\nwhy x",
		"fotagate-condemned 1\nstate cloned\nknown 1\nsince 1\nwhy x\nmore\n",
		"fotagate-condemned 1\nstate cloned\nknown \nsince 1\nwhy x\n",
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct condemned c;
		scratch_write(scratch_path(&f->tmp, "audit/condemned"), rows[i], strlen(rows[i]));
		assert_int_equal(condemned_read(f->dir, &c), 0);
		assert_int_equal(c.state, MSG_LOG_TAMPERED);
	}
	assert_int_equal(condemned_clear(f->dir), 0);
	assert_int_equal(symlinkat("/etc/passwd", f->dir, "condemned"), 0);
	struct condemned c;
	assert_int_equal(condemned_read(f->dir, &c), 0);
	assert_int_equal(c.state, MSG_LOG_TAMPERED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_there_and_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unreadable_condemns, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
