/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream/retry.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

static void
test_waits(void **state)
{
	uint32_t whole = RETRY_FIRST_MS;
	(void)state;
	for (unsigned n = 1; n < 200; n++) {
		uint32_t least = UINT32_MAX, most = 0;
		for (uint32_t random = 0; random <= whole / 2; random++) {
			uint32_t wait = retry_wait_ms(n, random);
			least = wait < least ? wait : least;
			most = wait > most ? wait : most;
		}
		assert_int_equal(least, whole / 2);
		assert_int_equal(most, whole);
		assert_in_range(retry_wait_ms(n, UINT32_MAX), whole / 2, whole);
		whole = whole * 2 < RETRY_MOST_MS ? whole * 2 : RETRY_MOST_MS;
	}
}

static void
test_what_another_try_can_help(void **state)
{
	(void)state;
	assert_true(retry_helps(CURLE_COULDNT_CONNECT) && retry_helps(CURLE_PARTIAL_FILE) && retry_helps(CURLE_RECV_ERROR));
	assert_false(retry_helps(CURLE_OK) || retry_helps(CURLE_WRITE_ERROR) || retry_helps(CURLE_PEER_FAILED_VERIFICATION));
	assert_false(retry_helps(CURLE_SSL_PINNEDPUBKEYNOTMATCH) || retry_helps(CURLE_UNSUPPORTED_PROTOCOL));
	assert_true(retry_status(429) && retry_status(503) && retry_status(408));
	assert_false(retry_status(200) || retry_status(404) || retry_status(403) || retry_status(501) || retry_status(0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waits),
		cmocka_unit_test(test_what_another_try_can_help),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
