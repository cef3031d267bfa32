/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/gateway/view_rig.h"

#include "gateway/view/cef.h"

#define HEAD "CEF:0|fotagate|fotagate|" FG_VERSION "|"
#define DOC "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" /* of {} */
#define ESCAPED "a]b\\\\c\"d\\=e|f [x@1 y\\=\"z\"] k\\=v <13>1"

static void
test_a_line(void **state)
{
	struct view_rig v;
	(void)state;
	view_rig_start(&v, 41234, FRIENDLY);
	assert_int_equal(cef_put(&v.r, &v.w), 0);
	view_rig_expect(&v, HEAD "approval.signed|Approval signed|3|cn1Label=seq cn1=41234 cs1Label=leaf cs1=",
	    " rt=1767225600000 cat=approval dvchost=gw-7f3a deviceProcessName=control outcome=ok suser=alice@fleet.example"
	    " fileHash=" IMAGE " cs2Label=object cs2=R-12 cs3Label=module cs3=ab010000000000000000000000000000"
	    " cs4Label=references cs4=image\\=sha256:" IMAGE " size\\=12 cs5Label=document cs5=" DOC " msg=tested on two boards");
	view_rig_end(&v);
}

static void
test_hostile_content_stays_content(void **state)
{
	struct view_rig v;
	(void)state;
	view_rig_start(&v, 7, HOSTILE);
	assert_int_equal(cef_put(&v.r, &v.w), 0);
	view_rig_expect(&v, HEAD "new event\\|of=later] versions and far too long|Event|10|cn1Label=seq cn1=7 cs1Label=leaf cs1=",
	    " rt=1767225600000 cat=x y dvchost=gw 1] deviceProcessName=r o outcome=" ESCAPED " suser=" ESCAPED
	    " cs2Label=object cs2=" ESCAPED " cs4Label=references cs4=a.b\\=" ESCAPED " msg=" ESCAPED);
	view_rig_end(&v);
}

static void
test_a_line_of_nobodys(void **state)
{
	struct view_rig v;
	(void)state;
	view_rig_start(&v, 8, NOBODYS);
	assert_int_equal(cef_put(&v.r, &v.w), 0);
	view_rig_expect(&v, HEAD "unknown|Event|3|cn1Label=seq cn1=8 cs1Label=leaf cs1=", "");
	view_rig_end(&v);
}

static void
test_checkpoint(void **state)
{
	const struct checkpoint head = { .origin = "gw.example/log", .size = 5 };
	struct writer w;
	(void)state;
	writer_init(&w, 4096);
	assert_int_equal(cef_put_checkpoint(view_str("a\nb\n"), &head, 1767225600000123, &w), 0);
	assert_true(view_is(writer_view(&w), HEAD "log.checkpoint|Checkpoint signed|2|cn1Label=size cn1=5 cs1Label=root cs1="
		"0000000000000000000000000000000000000000000000000000000000000000 rt=1767225600000 dvchost=gw.example "
		"cs2Label=note cs2=YQpiCg\\=\\="));
	writer_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_line),
		cmocka_unit_test(test_hostile_content_stays_content),
		cmocka_unit_test(test_a_line_of_nobodys),
		cmocka_unit_test(test_checkpoint),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
