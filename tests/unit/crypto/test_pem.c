/* SPDX-License-Identifier: Apache-2.0 */
/* The PEM walk: what is an object, what is comment, what is damage. */
#include "unit/crypto/pki.h"

#include "crypto/err.h"
#include "crypto/pem.h"

/* Objects of text, or the error. */
static int
count(const char *text, size_t max)
{
	struct pem it;
	struct pem_object object;
	const char *why = "";
	int n = 0, err;
	pem_begin(&it, view_str(text), max);
	while ((err = pem_next(&it, &object, &why)) == 1) {
		free(object.der);
		n++;
	}
	if (err == FG_EFORMAT)
		assert_true(why[0] != '\0');
	return err ? err : n;
}

static void
objects_are_found_between_comments(void **state)
{
	(void)state;
	struct pem it;
	struct pem_object object;
	const char *why = "";
	pem_begin(&it,
	    view_str("one\ntwo\n-----BEGIN A B2-----\nYWJj\r\nZA==  \n-----END A B2-----\nthree"),
	    100);
	assert_int_equal(pem_next(&it, &object, &why), 1);
	assert_string_equal(object.label, "A B2");
	assert_int_equal(object.line, 3);
	assert_int_equal(object.n, 4);
	assert_memory_equal(object.der, "abcd", 4);
	free(object.der);
	assert_int_equal(pem_next(&it, &object, &why), 0);
	assert_int_equal(pem_next(&it, &object, &why), 0);
}

static void
objects_are_counted_and_bounded(void **state)
{
	(void)state;
	static const char two[] =
	    "-----BEGIN X-----\nYWJj\n-----END X-----\n-----BEGIN Y-----\nYWJj\n-----END Y-----";
	assert_int_equal(count(two, 3), 2);
	assert_int_equal(count(two, 2), FG_EFORMAT);
	assert_int_equal(count("", 3), 0);
	assert_int_equal(count("----\n", 3), 0);
}

static void
damage_is_no_comment(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"-----BEGIN X-----",
		"-----BEGIN X-----\nYWJj\n",
		"-----BEGIN X-----\nYWJj\n-----END Y-----\n",
		"-----BEGIN X-----\nYWJj\n-----END X----\n-----END X-----\n",
		"-----BEGIN X-----\nYWJj\n-----BEGIN X-----\n",
		"-----BEGIN X-----\nYWJ\n-----END X-----\n",
		"-----BEGIN X-----\nYW Jj\n-----END X-----\n",
		"-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\n\nYWJj\n-----END X-----\n",
		"-----BEGIN X-----\n-----END X-----\n",
		"-----BEGIN x-----\nYWJj\n-----END x-----\n",
		"-----BEGIN -----\nYWJj\n-----END -----\n",
		"-----BEGINX-----\nYWJj\n-----ENDX-----\n",
		" -----BEGIN X-----\nYWJj\n-----END X-----\n",
		"-----END X-----\n",
		"comment with -----\n",
		"-----BEGIN XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX-----\nYWJj\n"
		"-----END XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX-----\n",
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (count(rows[i], 100) != FG_EFORMAT)
			fail_msg("taken: %s", rows[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_are_found_between_comments),
		cmocka_unit_test(objects_are_counted_and_bounded),
		cmocka_unit_test(damage_is_no_comment),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
