/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/entry.h"
#include "crypto/err.h"

#define T0 1767225600000123 /* 2026-01-01T00:00:00.000123Z */

static struct entry
least(void)
{
	return (struct entry){ .seq = 0, .t_us = T0, .src = view_str("gw/audit"), .ev = ENTRY_LOG_OPENED, .sev = 5 };
}

static void
expect(const struct entry *e, const char *line)
{
	struct writer w;
	const char *why = "";
	writer_init(&w, ENTRY_MAX);
	if (entry_encode(e, &w, &why) != 0)
		fail_msg("%s", why);
	if (!view_is(writer_view(&w), line))
		fail_msg("%.*s", (int)w.n, (const char *)w.p);
	writer_free(&w);
}

static void
test_fixed_order(void **state)
{
	(void)state;
	struct entry e = least();
	expect(&e, "{\"v\":1,\"seq\":0,\"t\":\"2026-01-01T00:00:00.000123Z\",\"clk\":\"unknown\",\"src\":\"gw/audit\","
		"\"cat\":\"log\",\"ev\":\"log.opened\",\"sev\":5}");
	e = (struct entry){
		.seq = 41234, .t_us = T0, .clk = ENTRY_CLK_NTP, .src = view_str("gw-7f3a/fotagated"),
		.ev = ENTRY_APPROVAL_SIGNED, .sev = 5, .out = view_str("ok"), .act = view_str("alice@fleet.example"),
		.obj = view_str("sha256:00"), .have_dev = true, .dev = { 0xab, 1 }, .refs = 3,
		.ref = {
			{ .key = view_str("size"), .is_number = true, .number = 9007199254740991 },
			{ .key = view_str("review"), .text = view_str("R-12") },
			{ .key = view_str("review.x"), .text = view_str("") },
		},
		.doc = view_str("{\"a\":\"b\\\\c\"}"), .msg = view_str("said \"yes\""),
	};
	expect(&e, "{\"v\":1,\"seq\":41234,\"t\":\"2026-01-01T00:00:00.000123Z\",\"clk\":\"ntp\",\"src\":\"gw-7f3a/fotagated\","
		"\"cat\":\"approval\",\"ev\":\"approval.signed\",\"sev\":5,\"out\":\"ok\",\"act\":\"alice@fleet.example\","
		"\"obj\":\"sha256:00\",\"dev\":\"ab010000000000000000000000000000\","
		"\"ref\":{\"review\":\"R-12\",\"review.x\":\"\",\"size\":9007199254740991},"
		"\"doc\":\"{\\\"a\\\":\\\"b\\\\\\\\c\\\"}\",\"msg\":\"said \\\"yes\\\"\"}");
}

/* What was encoded parses to the same facts, and encodes to the same bytes again. */
static void
test_round_trip(void **state)
{
	(void)state;
	char all[0x7f - 0x20];
	for (size_t i = 0; i < sizeof all; i++)
		all[i] = (char)(0x20 + i);
	for (unsigned ev = 1; ev < ENTRY_EV_LIMIT; ev++) {
		struct entry e = least(), back;
		struct json *doc;
		struct writer w, again;
		e.ev = (enum entry_event)ev;
		e.seq = ev * 7919u;
		e.clk = (enum entry_clk)(ev % ENTRY_CLK_LIMIT);
		e.sev = ev % 8;
		e.msg = e.act = e.obj = view_of(all, sizeof all);
		e.refs = ev % (ENTRY_REFS_MAX + 1);
		char keys[ENTRY_REFS_MAX][4];
		for (unsigned i = 0; i < e.refs; i++) {
			snprintf(keys[i], sizeof keys[i], "k%02u", (i * 5 + ev) % 64);
			e.ref[i] = (struct entry_ref){ .key = view_str(keys[i]), .is_number = i % 2, .number = i,
				.text = i % 2 ? view_str("") : view_of(all, sizeof all) };
		}
		writer_init(&w, ENTRY_MAX);
		writer_init(&again, ENTRY_MAX);
		assert_int_equal(entry_encode(&e, &w, NULL), 0);
		assert_int_equal(entry_parse(writer_view(&w), &doc, &back, NULL), 0);
		assert_int_equal(back.ev, ev);
		assert_true(view_is(back.ev_text, entry_event_name(e.ev)));
		assert_true(back.cat.n < back.ev_text.n && memcmp(back.cat.p, back.ev_text.p, back.cat.n) == 0);
		assert_true(back.seq == e.seq && back.t_us == e.t_us && back.clk == e.clk && back.sev == e.sev);
		assert_true(view_equal(back.msg, e.msg) && view_equal(back.act, e.act) && !back.have_dev);
		assert_int_equal(back.refs, e.refs);
		assert_int_equal(entry_encode(&back, &again, NULL), 0);
		assert_true(view_equal(writer_view(&w), writer_view(&again)));
		json_free(doc);
		writer_free(&w);
		writer_free(&again);
	}
}

static void
test_table(void **state)
{
	(void)state;
	for (unsigned i = 1; i < ENTRY_EV_LIMIT; i++) {
		const char *name = entry_event_name((enum entry_event)i);
		assert_true(strlen(name) > 3 && strlen(name) <= 32); /* RFC 5424 MSGID */
		assert_non_null(strchr(name, '.'));
		assert_int_equal(entry_event_parse(view_str(name)), i);
		assert_in_range(entry_event_severity((enum entry_event)i), 1, 6);
	}
	assert_string_equal(entry_event_name(ENTRY_EV_UNKNOWN), "");
	assert_string_equal(entry_event_name(ENTRY_EV_LIMIT), "");
	assert_int_equal(entry_event_parse(view_str("")), ENTRY_EV_UNKNOWN);
	assert_int_equal(entry_event_parse(view_str("log.opened ")), ENTRY_EV_UNKNOWN);
	assert_string_equal(entry_clk_name((enum entry_clk)77), "unknown");
}

static void
refused(const struct entry *e, int want)
{
	struct writer w;
	const char *why = NULL;
	writer_init(&w, 2 * ENTRY_MAX);
	writer_text(&w, "before");
	assert_int_equal(entry_encode(e, &w, &why), want);
	assert_non_null(why);
	assert_true(view_is(writer_view(&w), "before"));
	assert_int_equal(writer_err(&w), 0);
	writer_free(&w);
}

static void
test_encoder_refuses(void **state)
{
	(void)state;
	static char big[ENTRY_MAX];
	struct entry e = least();
	static const char *const hostile[] = { "a\nb", "a\tb", "a\x1b[31m", "caf\xc3\xa9", "\x7f", "\xff" };
	for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
		e = least(), e.msg = view_str(hostile[i]), refused(&e, FG_EINVAL);
		e = least(), e.src = view_str(hostile[i]), refused(&e, FG_EINVAL);
		e = least(), e.doc = view_str(hostile[i]), refused(&e, FG_EINVAL);
		e = least(), e.refs = 1, e.ref[0].key = view_str("k"), e.ref[0].text = view_str(hostile[i]);
		refused(&e, FG_EINVAL);
		e.ref[0].key = view_str(hostile[i]), e.ref[0].text = view_str("");
		refused(&e, FG_EINVAL);
	}
	e = least(), e.msg = view_of("a\0b", 3), refused(&e, FG_EINVAL);
	e = least(), e.ev = ENTRY_EV_UNKNOWN, refused(&e, FG_EINVAL);
	e = least(), e.ev = ENTRY_EV_LIMIT, refused(&e, FG_EINVAL);
	e = least(), e.clk = ENTRY_CLK_LIMIT, refused(&e, FG_EINVAL);
	e = least(), e.sev = 8, refused(&e, FG_EINVAL);
	e = least(), e.src.n = 0, refused(&e, FG_EINVAL);
	e = least(), e.seq = UINT64_C(1) << 53, refused(&e, FG_EINVAL);
	e = least(), e.t_us = -1, refused(&e, FG_EINVAL);
	e = least(), e.t_us = INT64_MAX, refused(&e, FG_EINVAL);
	e = least(), e.refs = ENTRY_REFS_MAX + 1, refused(&e, FG_ELIMIT);
	e = least(), e.refs = 1, e.ref[0].key = view_str(""), refused(&e, FG_EINVAL);
	e.ref[0].key = view_str("Upper"), refused(&e, FG_EINVAL);
	e.ref[0].key = view_str("a b"), refused(&e, FG_EINVAL);
	e.ref[0].key = view_str("n"), e.ref[0].is_number = true, e.ref[0].number = UINT64_C(1) << 53;
	refused(&e, FG_EINVAL);
	e = least(), e.refs = 2, e.ref[0].key = e.ref[1].key = view_str("k"), refused(&e, FG_EINVAL);

	memset(big, '"', sizeof big);
	e = least(), e.doc = view_of(big, ENTRY_DOC_MAX + 1), refused(&e, FG_ELIMIT);
	e.doc.n = ENTRY_DOC_MAX, refused(&e, FG_ELIMIT); /* escaping doubles it */
	e = least(), e.msg = view_of(big, ENTRY_MSG_MAX + 1), refused(&e, FG_ELIMIT);
	e = least(), e.act = view_of(big, ENTRY_NAME_MAX + 1), refused(&e, FG_ELIMIT);
	e = least(), e.out = view_of(big, ENTRY_WORD_MAX + 1), refused(&e, FG_ELIMIT);
	memset(big, 'x', sizeof big);
	e = least(), e.doc = view_of(big, ENTRY_DOC_MAX);
	struct writer w;
	writer_init(&w, ENTRY_MAX);
	assert_int_equal(entry_encode(&e, &w, NULL), 0);
	writer_free(&w);
}

/* A line of exactly the maximum passes, one byte more does not. */
static void
test_longest_line(void **state)
{
	(void)state;
	static char text[ENTRY_DOC_MAX];
	struct entry e = least();
	struct writer w;
	writer_init(&w, 2 * ENTRY_MAX);
	assert_int_equal(entry_encode(&e, &w, NULL), 0);
	size_t rest = ENTRY_MAX - w.n - strlen(",\"doc\":\"\""); /* q quotes cost two bytes each */
	size_t quotes = rest - ENTRY_DOC_MAX;
	memset(text, 'x', sizeof text);
	memset(text, '"', quotes);
	e.doc = view_of(text, sizeof text);
	writer_reset(&w);
	assert_int_equal(entry_encode(&e, &w, NULL), 0);
	assert_int_equal(w.n, ENTRY_MAX);
	struct json *doc;
	struct entry back;
	assert_int_equal(entry_parse(writer_view(&w), &doc, &back, NULL), 0);
	assert_true(view_equal(back.doc, e.doc));
	json_free(doc);
	text[quotes] = '"';
	refused(&e, FG_ELIMIT);
	writer_free(&w);
}

#define HEAD "{\"v\":1,\"seq\":3,\"t\":\"2026-01-01T00:00:00.000123Z\",\"clk\":\"ntp\",\"src\":\"s\"," \
	"\"cat\":\"log\",\"ev\":\"log.opened\",\"sev\":5"

static void
test_parser_allows(void **state)
{
	(void)state;
	struct json *doc;
	struct entry e;
	/* Later versions may add keys, events, clocks; what they add is not ours to read. */
	assert_int_equal(entry_parse(view_str(HEAD ",\"new\":{\"deep\":[1]},\"msg\":\"m\"}"), &doc, &e, NULL), 0);
	assert_true(view_is(e.msg, "m"));
	json_free(doc);
	const char *later = "{\"v\":1,\"seq\":3,\"t\":\"2026-01-01T00:00:00.000123Z\",\"clk\":\"ptp\",\"src\":\"s\","
		"\"cat\":\"moon\",\"ev\":\"moon.full\",\"sev\":5}";
	assert_int_equal(entry_parse(view_str(later), &doc, &e, NULL), 0);
	assert_int_equal(e.ev, ENTRY_EV_UNKNOWN);
	assert_true(view_is(e.ev_text, "moon.full"));
	assert_int_equal(e.clk, ENTRY_CLK_UNKNOWN);
	json_free(doc);
}

static void
test_parser_refuses(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", "{}", "[]", "null", "x", HEAD, HEAD "}x", HEAD "}\n", "\n" HEAD "}",
		HEAD ",\"sev\":5}", HEAD ",\"msg\":1}", HEAD ",\"msg\":null}", HEAD ",\"msg\":\"\\u001b\"}",
		HEAD ",\"msg\":\"\\u00e9\"}", HEAD ",\"msg\":\"caf\xc3\xa9\"}", HEAD ",\"msg\":\"\\n\"}",
		HEAD ",\"dev\":\"ab\"}", HEAD ",\"dev\":\"AB010000000000000000000000000000\"}", HEAD ",\"dev\":7}",
		HEAD ",\"ref\":[]}", HEAD ",\"ref\":{\"a\":true}}", HEAD ",\"ref\":{\"a\":-1}}",
		HEAD ",\"ref\":{\"a\":{}}}", HEAD ",\"ref\":{\"\":1}}", HEAD ",\"ref\":{\"A\":1}}",
		HEAD ",\"ref\":{\"a\":1,\"a\":2}}", HEAD ",\"ref\":{\"a\":9007199254740992}}",
		"{\"v\":2,\"seq\":3,\"t\":\"2026-01-01T00:00:00.000123Z\",\"clk\":\"ntp\",\"src\":\"s\",\"cat\":\"l\",\"ev\":\"e\",\"sev\":5}",
		"{\"v\":1,\"seq\":-3,\"t\":\"2026-01-01T00:00:00.000123Z\",\"clk\":\"ntp\",\"src\":\"s\",\"cat\":\"l\",\"ev\":\"e\",\"sev\":5}",
		"{\"v\":1,\"seq\":3,\"t\":\"2026-01-01T00:00:00Z\",\"clk\":\"ntp\",\"src\":\"s\",\"cat\":\"l\",\"ev\":\"e\",\"sev\":5}",
		"{\"v\":1,\"seq\":3,\"t\":\"2026-01-01T00:00:00.000123Z\",\"clk\":\"ntp\",\"src\":\"\",\"cat\":\"l\",\"ev\":\"e\",\"sev\":5}",
		"{\"v\":1,\"seq\":3,\"t\":\"2026-01-01T00:00:00.000123Z\",\"clk\":\"ntp\",\"src\":\"s\",\"cat\":\"l\",\"ev\":\"e\",\"sev\":8}",
		"{\"v\":1,\"seq\":3,\"t\":\"2026-01-01T00:00:00.000123Z\",\"clk\":\"ntp\",\"src\":\"s\",\"cat\":\"l\",\"sev\":5}",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct json *doc = NULL;
		struct entry e = { .seq = 99 };
		const char *why = NULL;
		if (entry_parse(view_str(bad[i]), &doc, &e, &why) != FG_EFORMAT)
			fail_msg("accepted: %s", bad[i]);
		assert_non_null(why);
		assert_null(doc);
		assert_int_equal(e.seq, 99);
	}
	/* Seventeen references; a line over the maximum. */
	struct writer w;
	struct json *doc;
	struct entry e;
	writer_init(&w, 2 * ENTRY_MAX);
	writer_text(&w, HEAD ",\"ref\":{");
	for (unsigned i = 0; i < 17; i++)
		writer_textf(&w, "%s\"k%u\":1", i ? "," : "", i);
	writer_text(&w, "}}");
	assert_int_equal(entry_parse(writer_view(&w), &doc, &e, NULL), FG_EFORMAT);
	writer_reset(&w);
	writer_text(&w, HEAD ",\"msg\":\"");
	while (w.n < ENTRY_MAX - 1)
		writer_u8(&w, 'x');
	writer_text(&w, "\"}");
	assert_int_equal(w.n, ENTRY_MAX + 1);
	assert_int_equal(entry_parse(writer_view(&w), &doc, &e, NULL), FG_ELIMIT);
	writer_free(&w);
}

/* What a full log still takes: restrictions and bad news; never what permits. */
static void
test_vital(void **state)
{
	static const enum entry_event yes[] = { ENTRY_RESTRICT_HALT, ENTRY_AUTHZ_KEY_SUSPENDED, ENTRY_APPROVAL_REVOKED,
		ENTRY_APPROVAL_REJECTED, ENTRY_REFUSAL_ADDED, ENTRY_WAIVER_LIFTED, ENTRY_STANDING_REVOKED,
		ENTRY_RELEASE_REFUSED, ENTRY_DISK_FULL, ENTRY_SVC_EXIT };
	static const enum entry_event no[] = { ENTRY_EV_UNKNOWN, ENTRY_RELEASE_ISSUED, ENTRY_APPROVAL_SIGNED,
		ENTRY_APPROVAL_EFFECTIVE, ENTRY_REFUSAL_LIFTED, ENTRY_WAIVER_ADDED, ENTRY_DEVICE_GRANT, ENTRY_RESTRICT_RESUME, ENTRY_AUTHORITY_SIGNERS,
		ENTRY_AUTHORITY_GENESIS, ENTRY_MODULE_SIGHTING, ENTRY_EV_LIMIT };
	(void)state;
	for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
		assert_true(entry_event_is_vital(yes[i]));
	for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
		assert_false(entry_event_is_vital(no[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vital),
		cmocka_unit_test(test_fixed_order),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_encoder_refuses),
		cmocka_unit_test(test_longest_line),
		cmocka_unit_test(test_parser_allows),
		cmocka_unit_test(test_parser_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
