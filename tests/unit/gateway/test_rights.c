/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/audit/rights.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static unsigned
sources_of(enum entry_event ev)
{
	unsigned n = 0;
	for (unsigned role = 0; role < MSG_ROLE_LIMIT + 2; role++)
		n += rights_may_append((enum msg_role)role, ev);
	return n;
}

/* What permits is told by the one who judged it; a taken-over control cannot. */
static void
test_one_source_each(void **state)
{
	(void)state;
	assert_true(rights_may_append(MSG_ROLE_WARDEN, ENTRY_RELEASE_ISSUED));
	assert_int_equal(sources_of(ENTRY_RELEASE_ISSUED), 1);
	assert_true(rights_may_append(MSG_ROLE_WARDEN, ENTRY_RESTRICT_RESUME));
	assert_int_equal(sources_of(ENTRY_RESTRICT_RESUME), 1);
	assert_true(rights_may_append(MSG_ROLE_WARDEN, ENTRY_AUTHORITY_SIGNERS));
	assert_int_equal(sources_of(ENTRY_AUTHORITY_SIGNERS), 1);
	assert_true(rights_may_append(MSG_ROLE_SUPERVISOR, ENTRY_RESTRICT_HALT));
	assert_int_equal(sources_of(ENTRY_RESTRICT_HALT), 1);
	assert_true(rights_may_append(MSG_ROLE_EDGE, ENTRY_DEVICE_SERVED));
	assert_int_equal(sources_of(ENTRY_DEVICE_SERVED), 1);
}

/* Grants have a message of their own; the log's own events and genesis are audit's alone. */
static void
test_nobody(void **state)
{
	(void)state;
	static const enum entry_event none[] = { ENTRY_EV_UNKNOWN, ENTRY_DEVICE_GRANT, ENTRY_AUTHORITY_GENESIS,
		ENTRY_LOG_OPENED, ENTRY_LOG_RECOVERED, ENTRY_LOG_CHECKPOINT, ENTRY_LOG_TAMPER, ENTRY_LOG_FLOOD, ENTRY_EV_LIMIT };
	for (unsigned i = 0; i < sizeof none / sizeof none[0]; i++)
		assert_int_equal(sources_of(none[i]), 0);
	assert_false(rights_may_append(MSG_ROLE_CONTROL, (enum entry_event)60000));
	assert_false(rights_may_append((enum msg_role)31, ENTRY_SVC_START));
	assert_false(rights_may_append((enum msg_role)64, ENTRY_SVC_START));
	for (unsigned ev = 0; ev < ENTRY_EV_LIMIT; ev++) {
		assert_false(rights_may_append(MSG_ROLE_NONE, (enum entry_event)ev));
		assert_false(rights_may_append(MSG_ROLE_INSPECT, (enum entry_event)ev));
		assert_false(rights_may_append(MSG_ROLE_UPSTREAM, (enum entry_event)ev));
		assert_false(rights_may_append(MSG_ROLE_CONFIG, (enum entry_event)ev));
		assert_false(rights_may_append(MSG_ROLE_CLI, (enum entry_event)ev));
	}
}

/* An edge tells of what it served, of bytes that rotted and of certificates it refused, and of nothing else. */
static void
test_edge(void **state)
{
	(void)state;
	unsigned n = 0;
	for (unsigned ev = 0; ev < ENTRY_EV_LIMIT; ev++)
		n += rights_may_append(MSG_ROLE_EDGE, (enum entry_event)ev);
	assert_int_equal(n, 4);
	assert_true(rights_may_append(MSG_ROLE_EDGE, ENTRY_AUTH_FAILED));
	assert_true(rights_may_append(MSG_ROLE_EDGE, ENTRY_DEVICE_FAILED));
	assert_true(rights_may_append(MSG_ROLE_EDGE, ENTRY_IMAGE_CORRUPT));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_source_each),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_edge),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
