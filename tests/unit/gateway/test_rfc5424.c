/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/gateway/view_rig.h"

#include "gateway/view/rfc5424.h"

static const struct record_frame frame = { .pen = 32473 };

#define DOC "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" /* of {} */
#define ESCAPED "a\\]b\\\\c\\\"d=e|f [x@1 y=\\\"z\\\"\\] k=v <13>1"

static void
test_a_message(void **state)
{
	struct view_rig v;
	(void)state;
	view_rig_start(&v, 41234, FRIENDLY);
	assert_int_equal(rfc5424_put(&v.r, &frame, &v.w), 0);
	view_rig_expect(&v, "<109>1 2026-01-01T00:00:00.000123Z gw-7f3a fotagate control approval.signed [fg@32473 seq=\"41234\" leaf=\"",
	    "\" clk=\"ntp\" out=\"ok\" act=\"alice@fleet.example\" obj=\"R-12\" dev=\"ab010000000000000000000000000000\" doc=\"" DOC
	    "\"][ref@32473 image=\"sha256:" IMAGE "\" size=\"12\"] tested on two boards");
	view_rig_end(&v);
}

static void
test_hostile_content_stays_content(void **state)
{
	struct view_rig v;
	(void)state;
	view_rig_start(&v, 7, HOSTILE);
	assert_true(v.r.known);
	assert_int_equal(rfc5424_put(&v.r, &frame, &v.w), 0);
	view_rig_expect(&v, "<104>1 2026-01-01T00:00:00.000123Z gw_1] fotagate r_o new_event|of=later]_versions_and "
		"[fg@32473 seq=\"7\" leaf=\"", "\" clk=\"free\" out=\"" ESCAPED "\" act=\"" ESCAPED "\" obj=\"" ESCAPED
		"\"][ref@32473 a.b=\"" ESCAPED "\"] " BAD_TEXT);
	view_rig_end(&v);
}

static void
test_a_line_of_nobodys_leaves_no_gap(void **state)
{
	struct view_rig v;
	(void)state;
	view_rig_start(&v, 8, NOBODYS);
	assert_int_equal(rfc5424_put(&v.r, &frame, &v.w), 0);
	view_rig_expect(&v, "<109>1 - - fotagate - unknown [fg@32473 seq=\"8\" leaf=\"", "\"] an entry that this version cannot read");
	view_rig_end(&v);
}

/* What is too long loses its references first, then all but its place. */
static void
test_too_long_says_so(void **state)
{
	static char big[ENTRY_MAX];
	struct view_rig v;
	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		view_rig_start(&v, 1, FRIENDLY);
		memset(big, ']', sizeof big);
		if (round)
			v.r.e.msg = view_of(big, RFC5424_MAX);
		else
			v.r.e.ref[0].text = view_of(big, RFC5424_MAX);
		assert_int_equal(rfc5424_put(&v.r, &frame, &v.w), 0);
		assert_true(v.w.n < 1024);
		assert_non_null(memmem(v.w.p, v.w.n, v.leaf, strlen(v.leaf)));
		assert_non_null(memmem(v.w.p, v.w.n, " cut=\"1\"", 8));
		assert_int_equal(memmem(v.w.p, v.w.n, "alice", 5) != NULL, !round);
		assert_int_equal(memmem(v.w.p, v.w.n, "tested on two boards", 20) != NULL, !round);
		assert_null(memmem(v.w.p, v.w.n, "[ref@", 5));
		view_rig_end(&v);
	}
}

static void
test_wrapped(void **state)
{
	struct view_rig v;
	(void)state;
	view_rig_start(&v, 41234, FRIENDLY);
	assert_int_equal(rfc5424_wrap(&v.r, view_str("CEF:0|x"), &v.w), 0);
	assert_true(view_is(writer_view(&v.w),
	    "<109>1 2026-01-01T00:00:00.000123Z gw-7f3a fotagate control approval.signed - CEF:0|x"));
	view_rig_end(&v);
}

static void
test_an_alarm_has_no_place(void **state)
{
	const struct record r = record_alarm(view_str("gw/forward"), "it [lies]", 1767225600000123);
	struct writer w;
	(void)state;
	writer_init(&w, 4096);
	assert_int_equal(rfc5424_put(&r, &frame, &w), 0);
	assert_true(view_is(writer_view(&w), "<105>1 2026-01-01T00:00:00.000123Z gw fotagate forward log.tamper "
		"[fg@32473 clk=\"unknown\" out=\"failed\"] it [lies]"));
	writer_free(&w);
}

static void
test_checkpoint(void **state)
{
	const struct checkpoint head = { .origin = "gw.example/log", .size = 70000 };
	struct writer w;
	(void)state;
	writer_init(&w, 4096);
	assert_int_equal(rfc5424_put_checkpoint(view_str("a\nb\n"), &head, 1767225600000123, &frame, &w), 0);
	assert_true(view_is(writer_view(&w), "<110>1 2026-01-01T00:00:00.000123Z gw.example fotagate audit log.checkpoint "
		"[fg@32473 size=\"70000\" root=\"0000000000000000000000000000000000000000000000000000000000000000\" "
		"origin=\"gw.example/log\" note=\"YQpiCg==\"] checkpoint of 70000 entries"));
	writer_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_message),
		cmocka_unit_test(test_hostile_content_stays_content),
		cmocka_unit_test(test_a_line_of_nobodys_leaves_no_gap),
		cmocka_unit_test(test_too_long_says_so),
		cmocka_unit_test(test_wrapped),
		cmocka_unit_test(test_an_alarm_has_no_place),
		cmocka_unit_test(test_checkpoint),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
