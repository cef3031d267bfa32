/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/gateway/view_rig.h"

#include "gateway/view/kinds.h"

/* An event without a row would reach a collector as nothing in particular. */
static void
test_every_event_has_a_row(void **state)
{
	const struct kinds *none = kinds_of(ENTRY_EV_UNKNOWN);
	(void)state;
	for (unsigned ev = ENTRY_EV_UNKNOWN + 1; ev < ENTRY_EV_LIMIT; ev++) {
		const struct kinds *k = kinds_of((enum entry_event)ev);
		if (k == none)
			fail_msg("%s has no row in gateway/view/kinds.c", entry_event_name((enum entry_event)ev));
		assert_true(k->title[0] >= 'A' && k->title[0] <= 'Z' && strlen(k->title) < 40);
		assert_true(k->activity > 0 && k->activity <= KINDS_OTHER);
		assert_true(k->name[0] >= 'A' && k->name[0] <= 'Z');
		assert_true(k->cls == KINDS_BASE || strcmp(kinds_class_name(k->cls), kinds_class_name(KINDS_BASE)) != 0);
		for (unsigned other = 1; other < ev; other++)
			assert_string_not_equal(k->title, kinds_of((enum entry_event)other)->title);
	}
	assert_ptr_equal(kinds_of(ENTRY_EV_LIMIT), none);
	assert_ptr_equal(kinds_of((enum entry_event)9999), none);
}

static void
test_message_ids_are_fixed(void **state)
{
	/* printf 'fotagate:device.grant' | sha256sum, version and variant set */
	static const uint8_t grant[KINDS_MESSAGE_ID_LEN] = { 0xe1, 0x34, 0xfa, 0xd7, 0xce, 0xbf, 0x89, 0x9a, 0x9b, 0xb4, 0xfa, 0xb7, 0x22, 0x10, 0xa1, 0x59 };
	uint8_t id[KINDS_MESSAGE_ID_LEN], other[KINDS_MESSAGE_ID_LEN];
	(void)state;
	assert_int_equal(kinds_message_id(view_str("device.grant"), id), 0);
	assert_memory_equal(id, grant, sizeof id);
	assert_int_equal(id[6] >> 4, 8);
	assert_int_equal(id[8] >> 6, 2);
	for (unsigned ev = 1; ev < ENTRY_EV_LIMIT; ev++) {
		const char *name = entry_event_name((enum entry_event)ev);
		assert_int_equal(kinds_message_id(view_str(name), other), 0);
		assert_true((memcmp(id, other, sizeof id) == 0) == (ev == ENTRY_DEVICE_GRANT));
	}
	assert_int_equal(kinds_message_id(view_of(NULL, 0), other), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_event_has_a_row),
		cmocka_unit_test(test_message_ids_are_fixed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
