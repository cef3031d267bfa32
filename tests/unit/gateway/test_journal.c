/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/gateway/view_rig.h"

#include "gateway/view/journal.h"
#include "gateway/view/kinds.h"

#define DOC "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" /* of {} */

static void
expect(struct view_rig *v, const char *message, const char *event, const char *middle, const char *after)
{
	char before[1024], id[2 * KINDS_MESSAGE_ID_LEN + 1];
	uint8_t raw[KINDS_MESSAGE_ID_LEN];
	assert_int_equal(kinds_message_id(view_str(event), raw), 0);
	for (size_t i = 0; i < sizeof raw; i++)
		snprintf(id + 2 * i, 3, "%02x", raw[i]);
	snprintf(before, sizeof before, "MESSAGE=%s\nMESSAGE_ID=%s\nPRIORITY=%s\nSYSLOG_FACILITY=13\nSYSLOG_IDENTIFIER=fotagate\n"
		"FOTAGATE_EVENT=%s\nFOTAGATE_SEQ=%s\nFOTAGATE_LEAF=", message, id, middle, event, strchr(middle, 0) + 1);
	view_rig_expect(v, before, after);
}

static void
test_fields(void **state)
{
	struct view_rig v;
	(void)state;
	view_rig_start(&v, 41234, FRIENDLY);
	assert_int_equal(journal_put(&v.r, &v.w), 0);
	expect(&v, "tested on two boards", "approval.signed", "5\00041234",
	    "\nFOTAGATE_TIME=2026-01-01T00:00:00.000123Z\nFOTAGATE_CLOCK=ntp\nFOTAGATE_SOURCE=gw-7f3a/control\nFOTAGATE_OUTCOME=ok\n"
	    "FOTAGATE_ACTOR=alice@fleet.example\nFOTAGATE_OBJECT=R-12\nFOTAGATE_IMAGE=" IMAGE "\n"
	    "FOTAGATE_MODULE=ab010000000000000000000000000000\nFOTAGATE_DOCUMENT=" DOC "\n"
	    "FOTAGATE_REF_IMAGE=sha256:" IMAGE "\nFOTAGATE_REF_SIZE=12\n");
	view_rig_end(&v);
}

static void
test_hostile_content_stays_content(void **state)
{
	struct view_rig v;
	(void)state;
	view_rig_start(&v, 7, HOSTILE);
	assert_int_equal(journal_put(&v.r, &v.w), 0);
	expect(&v, BAD_TEXT, "new event|of=later] versions and far too long", "0\0007",
	    "\nFOTAGATE_TIME=2026-01-01T00:00:00.000123Z\nFOTAGATE_CLOCK=free\nFOTAGATE_SOURCE=gw 1]/r o\nFOTAGATE_OUTCOME=" BAD_TEXT
	    "\nFOTAGATE_ACTOR=" BAD_TEXT "\nFOTAGATE_OBJECT=" BAD_TEXT "\nFOTAGATE_REF_A_B=" BAD_TEXT "\n");
	view_rig_end(&v);
	view_rig_start(&v, 8, NOBODYS);
	assert_int_equal(journal_put(&v.r, &v.w), 0);
	expect(&v, "an entry that this version cannot read", "unknown", "5\0008", "\n");
	view_rig_end(&v);
}

static void
test_checkpoint(void **state)
{
	const struct checkpoint head = { .origin = "gw.example/log", .size = 5 };
	struct writer w;
	(void)state;
	writer_init(&w, 4096);
	assert_int_equal(journal_put_checkpoint(view_str("a\nb\n"), &head, &w), 0);
	assert_non_null(memmem(w.p, w.n, "\nFOTAGATE_EVENT=log.checkpoint\nFOTAGATE_SIZE=5\nFOTAGATE_ROOT=00", 63));
	assert_non_null(memmem(w.p, w.n, "\nFOTAGATE_CHECKPOINT=YQpiCg==\n", 30));
	writer_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_hostile_content_stays_content),
		cmocka_unit_test(test_checkpoint),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
