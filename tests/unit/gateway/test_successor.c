/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/successor.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/err.h"
#include "unit/gateway/scratch.h"

static struct succession_bundle
bundle(const char *text, unsigned n)
{
	struct succession_bundle b = { .text = view_str(text), .n = n };
	for (unsigned i = 0; i < n; i++)
		b.sig[i].armour = view_str(text);
	return b;
}

static void
is_there(const struct scratch *tmp, const char *name, const char *want)
{
	size_t n = 0;
	uint8_t *bytes = scratch_read(scratch_path(tmp, name), &n);
	if (want) {
		assert_non_null(bytes);
		assert_int_equal(n, strlen(want));
		assert_memory_equal(bytes, want, n);
	} else {
		assert_null(bytes);
	}
	free(bytes);
}

static void
test_what_was_written_down_gets_its_names(void **state)
{
	struct scratch tmp;
	struct successor s;
	const struct succession_bundle b = bundle("set", 2);
	(void)state;
	scratch_open(&tmp);
	int dir = scratch_dir(&tmp, "authority");
	assert_int_equal(successor_read(dir, SUCCESSOR_SIGNERS, 1, &s), FG_ENOTFOUND);
	assert_int_equal(successor_write(dir, SUCCESSOR_SIGNERS, 1, 7, &b), FG_OK);
	assert_int_equal(successor_read(dir, SUCCESSOR_SIGNERS, 1, &s), FG_OK);
	assert_int_equal(s.log_size, 7);
	assert_true(view_equal(s.bundle.text, b.text));
	for (unsigned i = 0; i < 2; i++) { /* safe to repeat */
		assert_int_equal(successor_settle(dir, SUCCESSOR_SIGNERS, 1, &s.bundle), FG_OK);
		is_there(&tmp, "authority/signers/1.json", "set");
		is_there(&tmp, "authority/signers/1.sig.0", "set");
		is_there(&tmp, "authority/signers/1.sig.1", "set");
		is_there(&tmp, "authority/signers/1.sig.2", NULL);
		is_there(&tmp, "authority/signers/1.pending", NULL);
	}
	successor_free(&s);
	close(dir);
	scratch_close(&tmp);
}

/* Another statement had the number, with more signatures: none of them stays beside this one. */
static void
test_no_signature_of_another_statement_stays(void **state)
{
	struct scratch tmp;
	const struct succession_bundle other = bundle("other", SIGNERS_MAX), b = bundle("set", 2);
	(void)state;
	scratch_open(&tmp);
	int dir = scratch_dir(&tmp, "authority");
	for (uint32_t number = 1; number <= 2; number++)
		assert_int_equal(successor_settle(dir, SUCCESSOR_SIGNERS, number, &other), FG_OK);
	is_there(&tmp, "authority/signers/1.sig.63", "other");
	/* A hole does not hide what lies behind it. */
	assert_int_equal(unlink(scratch_path(&tmp, "authority/signers/1.sig.2")), 0);
	assert_int_equal(successor_settle(dir, SUCCESSOR_SIGNERS, 1, &b), FG_OK);
	is_there(&tmp, "authority/signers/1.json", "set");
	is_there(&tmp, "authority/signers/1.sig.1", "set");
	for (unsigned i = 2; i < SIGNERS_MAX; i++) {
		char name[64];
		snprintf(name, sizeof name, "authority/signers/1.sig.%u", i);
		is_there(&tmp, name, NULL);
	}
	is_there(&tmp, "authority/signers/2.sig.2", "other");
	close(dir);
	scratch_close(&tmp);
}

/* What cannot be taken away keeps the statement from getting its name. */
static void
test_what_cannot_go_is_an_error(void **state)
{
	struct scratch tmp;
	const struct succession_bundle b = bundle("set", 1);
	(void)state;
	scratch_open(&tmp);
	int dir = scratch_dir(&tmp, "authority");
	close(scratch_dir(&tmp, "authority/signers"));
	close(scratch_dir(&tmp, "authority/signers/1.sig.1"));
	assert_int_equal(successor_settle(dir, SUCCESSOR_SIGNERS, 1, &b), FG_EIO);
	is_there(&tmp, "authority/signers/1.json", NULL);
	close(dir);
	scratch_close(&tmp);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_written_down_gets_its_names),
		cmocka_unit_test(test_no_signature_of_another_statement_stays),
		cmocka_unit_test(test_what_cannot_go_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
