/* SPDX-License-Identifier: Apache-2.0 */
/* What may be offered at once. */
#include "gateway/control/standing.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/hex.h"
#include "gateway/state/db_private.h"
#include "unit/gateway/control_rig.h"

/* Of a profile that is not configured: no policy has anything against it. */
static void
what_the_database_cannot_tell_is_not_offered_at_once(void **state)
{
	struct control_rig *r = control_rig_new();
	struct release *record = calloc(1, sizeof *record);
	const uint8_t id[RELEASE_ID] = { 5 };
	char why[STANDING_WHY_MAX], key[16 + 2 * RELEASE_ID] = "withheld:";
	(void)state;
	snprintf(record->terms.profile, sizeof record->terms.profile, "nobody");
	hex_encode(id, RELEASE_ID, key + strlen(key));
	assert_true(standing_may_offer(&r->c, id, record, why));
	assert_int_equal(db_meta_set(r->c.db, key, "1"), 0);
	assert_false(standing_may_offer(&r->c, id, record, why));
	assert_int_equal(db_meta_set(r->c.db, key, ""), 0);
	assert_true(standing_may_offer(&r->c, id, record, why));
	assert_int_equal(db_exec(r->c.db, "DROP TABLE meta"), 0);
	assert_false(standing_may_offer(&r->c, id, record, why));
	free(record);
	control_rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_database_cannot_tell_is_not_offered_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
