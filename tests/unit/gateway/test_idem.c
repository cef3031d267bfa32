/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/idem.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static struct idem_key
key(uint8_t who, unsigned n, uint8_t asked)
{
	struct idem_key k = { .who = { who }, .asked = { asked } };
	memcpy(k.key, &n, sizeof n);
	return k;
}

static enum idem_found
begin(struct idem *i, struct idem_key k, int64_t now)
{
	uint8_t status;
	struct view doc;
	return idem_begin(i, &k, now, &status, &doc);
}

static int
setup(void **state)
{
	*state = idem_new();
	return *state ? 0 : -1;
}

static int
teardown(void **state)
{
	idem_free(*state);
	return 0;
}

static void
test_done_once(void **state)
{
	struct idem *i = *state;
	struct idem_key k = key(1, 1, 1);
	struct view answer = view_str("{\"a\":1}"), doc;
	uint8_t status = 9;
	assert_int_equal(begin(i, k, 0), IDEM_NEW);
	assert_int_equal(begin(i, k, 1), IDEM_BUSY);
	idem_done(i, &k, 0, &answer);
	assert_int_equal(idem_begin(i, &k, 2, &status, &doc), IDEM_AGAIN);
	assert_int_equal(status, 0);
	assert_true(view_equal(doc, answer));
	assert_int_equal(begin(i, key(1, 1, 2), 2), IDEM_OTHER);
	assert_int_equal(begin(i, key(2, 1, 1), 2), IDEM_NEW); /* another caller's key of that name is his own */
	idem_done(i, &k, 1, NULL); /* said twice: the first holds */
	assert_int_equal(begin(i, k, IDEM_SECONDS - 1), IDEM_AGAIN);
	assert_int_equal(begin(i, k, IDEM_SECONDS), IDEM_NEW);
}

static void
test_not_done(void **state)
{
	struct idem *i = *state;
	struct idem_key k = key(1, 1, 1);
	assert_int_equal(begin(i, k, 0), IDEM_NEW);
	idem_drop(i, &k);
	assert_int_equal(begin(i, k, 0), IDEM_NEW);
	idem_done(i, &k, 0, NULL);
	assert_int_equal(begin(i, k, 0), IDEM_GIVEN);
	idem_drop(i, &k); /* it was done: nothing makes it undone */
	assert_int_equal(begin(i, k, 0), IDEM_GIVEN);
}

static void
test_too_long(void **state)
{
	struct idem *i = *state;
	struct idem_key k = key(1, 1, 1);
	uint8_t *big = calloc(1, IDEM_ANSWER_MAX + 1);
	struct view doc = view_of(big, IDEM_ANSWER_MAX + 1);
	assert_int_equal(begin(i, k, 0), IDEM_NEW);
	idem_done(i, &k, 0, &doc);
	assert_int_equal(begin(i, k, 0), IDEM_GIVEN);
	free(big);
}

static void
test_nobody_fills_it(void **state)
{
	struct idem *i = *state;
	struct view doc = view_str("{}");
	/* All under way: he has his share, others have theirs. */
	for (unsigned n = 0; n < IDEM_OF_ONE; n++)
		assert_int_equal(begin(i, key(1, n, 1), 0), IDEM_NEW);
	assert_int_equal(begin(i, key(1, IDEM_OF_ONE, 1), 0), IDEM_FULL);
	assert_int_equal(begin(i, key(2, 0, 1), 0), IDEM_NEW);
	/* Answered: his oldest makes room. */
	for (unsigned n = 0; n < IDEM_OF_ONE; n++)
		idem_done(i, &(struct idem_key){ 0 }, 0, &doc); /* nobody's */
	struct idem_key first = key(1, 0, 1), second = key(1, 1, 1);
	idem_done(i, &first, 0, &doc);
	idem_done(i, &second, 0, &doc);
	assert_int_equal(begin(i, key(1, IDEM_OF_ONE, 1), 0), IDEM_NEW);
	assert_int_equal(begin(i, second, 0), IDEM_AGAIN);
	/* Everybody: the oldest answer goes, what is under way stays. */
	for (unsigned n = IDEM_OF_ONE + 1; n < IDEM_MAX; n++)
		assert_int_equal(begin(i, key((uint8_t)(3 + n / IDEM_OF_ONE), n, 1), 0), IDEM_NEW);
	assert_int_equal(begin(i, key(200, 0, 1), 0), IDEM_NEW);
	assert_int_equal(begin(i, key(201, 0, 1), 0), IDEM_FULL);
	assert_int_equal(begin(i, key(2, 0, 1), 0), IDEM_BUSY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_done_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_done, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_fills_it, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
