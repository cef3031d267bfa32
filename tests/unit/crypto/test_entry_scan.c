/* SPDX-License-Identifier: Apache-2.0 */
/* The fast reader of log entries: what it takes, the strict one takes with the same fields; what is odd it leaves alone. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "crypto/entry_scan.h"

#define HEAD "{\"v\":1,\"seq\":7,\"t\":\"2026-01-01T00:00:00.007000Z\",\"clk\":\"ntp\",\"src\":\"gw/edge0\",\"cat\":\"device\","
#define GRANT HEAD "\"ev\":\"device.grant\",\"sev\":5"
#define DEV ",\"dev\":\"07000000000000000000000000000000\""

static bool
scans(const char *text)
{
	struct entry e;
	size_t n = strlen(text);
	char *exact = malloc(n); /* so that a sanitizer sees a read past the end */
	memcpy(exact, text, n);
	bool taken = entry_scan(view_of(exact, n), &e);
	if (taken) {
		struct json *doc;
		struct entry strict;
		assert_int_equal(entry_parse(view_of(exact, n), &doc, &strict, NULL), 0);
		assert_int_equal(strict.ev, e.ev);
		assert_int_equal(strict.t_us, e.t_us);
		assert_int_equal(strict.refs, e.refs);
		json_free(doc);
	}
	free(exact);
	return taken;
}

static void
test_own_form(void **state)
{
	(void)state;
	assert_true(scans(GRANT "}"));
	assert_true(scans(GRANT ",\"out\":\"ok\",\"act\":\"a\",\"obj\":\"b\"" DEV ",\"ref\":{\"a\":1,\"ab\":\"\",\"b\":\"x\"},\"doc\":\"d\",\"msg\":\"m\"}"));
	assert_true(scans(HEAD "\"ev\":\"device.of.tomorrow\",\"sev\":0}"));
}

static void
test_left_to_the_strict_reader(void **state)
{
	static const char *const odd[] = {
		"", "{", "{}", GRANT, GRANT "}}", GRANT "} ", " " GRANT "}", GRANT ",}",
		GRANT ",\"new\":1}",                                 /* a key of a later version */
		GRANT ",\"msg\":\"m\",\"out\":\"ok\"}",              /* another order */
		GRANT ",\"out\":\"ok\",\"out\":\"ok\"}", GRANT DEV DEV "}",
		GRANT ",\"msg\":\"a \\\"word\\\"\"}",                /* an escape */
		GRANT ",\"msg\":\"\x01\"}", GRANT ",\"msg\":\"\xc3\xa9\"}", GRANT ",\"msg\":\"\"}", GRANT ",\"msg\":\"m}",
		GRANT ",\"ref\":{}}", GRANT ",\"ref\":{\"b\":1,\"a\":2}}", GRANT ",\"ref\":{\"a\":1,\"a\":2}}",
		GRANT ",\"ref\":{\"A\":1}}", GRANT ",\"ref\":{\"a\":-1}}", GRANT ",\"ref\":{\"a\":01}}",
		GRANT ",\"ref\":{\"a\":1,}}", GRANT ",\"ref\":{\"a\":9007199254740992}}", GRANT ",\"ref\":{\"a\":1.0}}",
		GRANT ",\"dev\":\"07\"}", GRANT ",\"dev\":\"0700000000000000000000000000000G\"}",
		HEAD "\"ev\":\"device.grant\",\"sev\":8}", HEAD "\"ev\":\"device\",\"sev\":5}", HEAD "\"ev\":\"other.grant\",\"sev\":5}",
		"{\"v\":2,\"seq\":7,\"t\":\"2026-01-01T00:00:00.007000Z\",\"clk\":\"ntp\",\"src\":\"g\",\"cat\":\"device\",\"ev\":\"device.grant\",\"sev\":5}",
		"{\"v\":1,\"seq\":07,\"t\":\"2026-01-01T00:00:00.007000Z\",\"clk\":\"ntp\",\"src\":\"g\",\"cat\":\"device\",\"ev\":\"device.grant\",\"sev\":5}",
		"{\"v\":1,\"seq\":7,\"t\":\"2026-02-30T00:00:00.007000Z\",\"clk\":\"ntp\",\"src\":\"g\",\"cat\":\"device\",\"ev\":\"device.grant\",\"sev\":5}",
		"{\"v\":1,\"seq\":7,\"t\":\"2026-01-01t00:00:00.007000Z\",\"clk\":\"ntp\",\"src\":\"g\",\"cat\":\"device\",\"ev\":\"device.grant\",\"sev\":5}",
		"{\"v\":1,\"seq\":7,\"t\":\"2026-01-01T00:00:00.007000Z\",\"clk\":\"sun\",\"src\":\"g\",\"cat\":\"device\",\"ev\":\"device.grant\",\"sev\":5}",
	};
	(void)state;
	for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
		if (scans(odd[i]))
			fail_msg("taken: %s", odd[i]);
	}
}

/* Every cut and every changed byte of a full entry: taken or not, the two never disagree. */
static void
test_never_more_than_the_strict_reader(void **state)
{
	char text[] = GRANT ",\"out\":\"ok\",\"obj\":\"b\"" DEV ",\"ref\":{\"a\":1,\"b\":\"x\"},\"msg\":\"m\"}";
	(void)state;
	for (size_t i = 0; i + 1 < sizeof text; i++) {
		char was = text[i];
		for (int c = 1; c < 256; c++) {
			text[i] = (char)c;
			scans(text);
		}
		text[i] = '\0';
		assert_false(scans(text));
		text[i] = was;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_form),
		cmocka_unit_test(test_left_to_the_strict_reader),
		cmocka_unit_test(test_never_more_than_the_strict_reader),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
