/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "policy/config_check.h"
#include "unit/policy/sample.h"

static struct config_problems problems;

static void
listeners_and_suppliers_fit_each_other(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "", "listeners is missing" },
		{ "listeners = ( );", "listeners has 0 entries" },
		{ "listeners = [ ];", "listeners is an array" },
		{ "listeners = ( 1 );", "listeners[0] is no group" },
		{ "listeners = ( { } );", "listeners[0].port is missing" },
		{ "listeners = ( { name = \"a\"; address = \"::\"; port = 1; tls = true; } );", "give it cert and key" },
		{ "listeners = ( { name = \"a\"; address = \"::\"; port = 1; client_ca = \"x\"; } );", "does not speak TLS" },
		{ "listeners = ( { name = \"a\"; address = \"::\"; port = 1; suites = \"legacy\"; } );", "does not speak TLS" },
		{ "listeners = ( { name = \"a\"; address = \"::\"; port = 1; tls = true; cert = \"c\"; key = \"k\"; "
		  "second_cert = \"d\"; } );", "second_cert and second_key go together" },
		{ "listeners = ( { name = \"a\"; address = \"::\"; port = 1; tls = true; cert = \"c\"; key = \"k\"; "
		  "client_crl = \"r\"; } );", "give it client_ca" },
		{ "listeners = ( { name = \"a\"; address = \"::\"; port = 1; suites = \"export\"; } );", "suites" },
		{ "listeners = ( { name = \"a\"; address = \"::\"; port = 1; security_level = 0; } );", "out of range" },
		{ "listeners = ( { name = \"a\"; address = \"::\"; port = 1; send_fragment = 511; } );", "out of range" },
		{ "listeners = ( { name = \"a\"; address = \"::\"; port = 1; }, { name = \"a\"; address = \"::\"; port = 2; } );",
		    "has the name of listeners[0]" },
		{ "listeners = ( { name = \"a\"; address = \"::\"; port = 1; }, { name = \"b\"; address = \"::\"; port = 1; } );",
		    "has the address and port of listeners[0]" },
		{ "demo = true; listeners = ( { name = \"a\"; address = \"::\"; port = 1; } );", "loopback only" },
		{ "demo = true; listeners = ( { name = \"a\"; address = \"10.0.0.1\"; port = 1; } );", "loopback only" },
		{ "listeners = ( { name = \"a\"; address = \"host\"; port = 1; } );", "write an IP address" },
		{ "listeners = ( { name = \"a\"; address = \"::\"; port = 65536; } );", "port is out of range" },
		{ SAMPLE_MAIN "suppliers = ( );", "suppliers is set again" },
		{ "suppliers = ( { name = \"a\"; legal_entity = \"A\"; country = \"DE\"; }, { name = \"a\"; legal_entity = \"A\"; "
		  "country = \"DE\"; } );", "suppliers[1] has the name" },
		{ "suppliers = ( { name = \"a\"; legal_entity = \"A\"; country = \"Germany\"; } );", "or \"unknown\"" },
	};
	struct config *c = NULL;
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(sample_parse(cases[i].text, NULL, &c, &problems), FG_EFORMAT);
		assert_true(sample_says(&problems, "fotagate.conf", 0, cases[i].says));
	}
	/* Two of any port, and a demonstration on loopback, are fine. */
	assert_int_equal(sample_parse("demo = true; listeners = ( { name = \"a\"; address = \"127.0.0.1\"; port = 0; }, "
				      "{ name = \"b\"; address = \"127.0.0.1\"; port = 0; }, { name = \"c\"; address = \"::1\"; "
				      "port = 0; } );", NULL, &c, &problems), 0);
	config_free(c);
}

#define DAYS "days = [ \"mon\", \"sun\" ]; "

static void
windows_have_one_meaning(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "windows = ( { name = \"w\"; from = \"01:00\"; to = \"02:00\"; } );", "windows[0].days is missing" },
		{ "windows = ( { name = \"w\"; days = [ ]; from = \"01:00\"; to = \"02:00\"; } );", "windows[0].days has 0 entries" },
		{ "windows = ( { name = \"w\"; days = [ \"Mon\" ]; from = \"01:00\"; to = \"02:00\"; } );", "write mon, tue" },
		{ "windows = ( { name = \"w\"; days = [ \"tues\" ]; from = \"01:00\"; to = \"02:00\"; } );", "longer than 3 bytes" },
		{ "windows = ( { name = \"w\"; " DAYS "from = \"1:00\"; to = \"02:00\"; } );", "write \"00:00\" to \"24:00\"" },
		{ "windows = ( { name = \"w\"; " DAYS "from = \"24:00\"; to = \"02:00\"; } );", "ends as it begins" },
		{ "windows = ( { name = \"w\"; " DAYS "from = \"02:00\"; to = \"02:00\"; } );", "ends as it begins" },
		{ "windows = ( { name = \"w\"; " DAYS "from = \"01:00\"; to = \"02:00\"; zone = \"Europe/Berlin\"; } );",
		    "last line of its file" },
		{ "windows = ( { name = \"w\"; " DAYS "from = \"01:00\"; to = \"02:00\"; }, "
		  "{ name = \"w\"; " DAYS "from = \"01:00\"; to = \"02:00\"; } );", "windows[1] has the name of another" },
		{ "blackouts = ( { name = \"b\"; first = \"2026-02-29\"; last = \"2026-03-01\"; } );", "write a day as" },
		{ "blackouts = ( { name = \"b\"; first = \"2026-03-02\"; last = \"2026-03-01\"; } );", "over before it begins" },
		{ "blackouts = ( { name = \"b\"; first = \"2026-03-01\"; last = \"2026-03-01\"; }, "
		  "{ name = \"b\"; first = \"2026-03-01\"; last = \"2026-03-01\"; } );", "blackouts[1] has the name" },
	};
	char text[2048];
	struct config *c = NULL;
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(text, sizeof text, "%s%s\n", SAMPLE_MAIN, cases[i].text);
		assert_int_equal(sample_parse(text, NULL, &c, &problems), FG_EFORMAT);
		if (problems.n != 1 || !sample_says(&problems, "fotagate.conf", 6, cases[i].says))
			fail_msg("%s: %s", cases[i].text, problems.at[0].text);
	}
	snprintf(text, sizeof text, "%s%s\n", SAMPLE_MAIN, "windows = ( { name = \"w\"; " DAYS "from = \"22:00\"; to = \"02:00\"; } );"
	    " blackouts = ( { name = \"b\"; first = \"2026-03-01\"; last = \"2026-03-01\"; groups = [ \"lab\" ]; } );");
	char *one = sample_profile_with("maintenance", "maintenance = [ \"w\" ]; blackouts = [ \"b\" ];");
	assert_int_equal(sample_parse(text, one, &c, &problems), 0);
	const struct window_list *l = &c->profiles[0].windows;
	assert_int_equal(l->n, 1);
	assert_ptr_equal(l->window[0], &c->windows[0]);
	assert_int_equal(l->window[0]->to - l->window[0]->from, 4 * 3600);
	assert_int_equal(l->window[0]->days, 0x3);
	assert_ptr_equal(l->blackout[0], &c->blackouts[0]);
	config_free(c);
	free(one);
}

/* HTTPS or nothing, somewhere, and there alone. */
static void
console_is_whole(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "console = { address = \"127.0.0.1\"; };", "console speaks TLS only" },
		{ "console = { address = \"127.0.0.1\"; cert = \"c\"; };", "console speaks TLS only" },
		{ "console = { cert = \"c\"; key = \"k\"; };", "nowhere to listen" },
		{ "console = { address = \"127.0.0.1\"; port = 8444; cert = \"c\"; key = \"k\"; };", "port of listeners[1]" },
		{ "demo = true; console = { address = \"::\"; cert = \"c\"; key = \"k\"; };", "loopback only" },
	};
	char text[2048];
	struct config *c = NULL;
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(text, sizeof text, "%s%s\n", SAMPLE_MAIN, cases[i].text);
		assert_int_equal(sample_parse(text, NULL, &c, &problems), FG_EFORMAT);
		if (problems.n != 1 || !sample_says(&problems, "fotagate.conf", 6, cases[i].says))
			fail_msg("%s: %s", cases[i].text, problems.at[0].text);
	}
	assert_int_equal(sample_parse(SAMPLE_MAIN, NULL, &c, &problems), 0);
	assert_string_equal(c->console.address, "");
	config_free(c);
	assert_int_equal(sample_parse(SAMPLE_MAIN "console = { address = \"::1\"; cert = \"c\"; key = \"k\"; };\n", NULL, &c,
	    &problems), 0);
	assert_int_equal(c->console.port, 8443);
	config_free(c);
}

/* Who the front is, all of it, and how well it must have looked. */
static void
a_front_is_whole(void **state)
{
#define WITH(sso) "console = { address = \"127.0.0.1\"; cert = \"c\"; key = \"k\"; sso = { " sso " }; };"
#define SOCKET "socket = \"f.sock\"; user = \"www\"; group = \"www\"; "
#define PIN "client_keys = [\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"]; "
#define MFA "amr = [\"mfa\"];"
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ WITH(SOCKET), "acr or amr" },
		{ WITH(MFA), "socket or client_ca" },
		{ WITH("socket = \"f.sock\"; user = \"www\"; " MFA), "go together" },
		{ WITH("socket = \"f.sock\"; group = \"www\"; " MFA), "go together" },
		{ WITH("client_ca = \"ca.pem\"; group = \"www\"; " PIN MFA), "go together" },
		{ WITH("client_ca = \"ca.pem\"; " MFA), "client_ca and client_keys" },
		{ WITH(SOCKET PIN MFA), "client_ca and client_keys" },
		{ WITH("socket = \"halt.sock\"; user = \"www\"; group = \"www\"; " MFA), "the gateway's own socket" },
		{ "console = { sso = { " SOCKET MFA " }; };", "there is no console" },
	};
	char text[2048];
	struct config *c = NULL;
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(text, sizeof text, "%s%s\n", SAMPLE_MAIN, cases[i].text);
		assert_int_equal(sample_parse(text, NULL, &c, &problems), FG_EFORMAT);
		if (problems.n != 1 || !sample_says(&problems, "fotagate.conf", 6, cases[i].says))
			fail_msg("%s: %s", cases[i].text, problems.at[0].text);
	}
	assert_int_equal(sample_parse(SAMPLE_MAIN WITH(SOCKET "client_ca = \"ca.pem\"; " PIN MFA) "\n", NULL, &c, &problems), 0);
	assert_string_equal(c->console.sso.socket, "f.sock");
	assert_int_equal(c->console.sso.client_keys_n, 1);
	assert_int_equal(c->console.sso.amr_n, 1);
	config_free(c);
}

/* Of three, the second has the first's name, and the third that of both; of windows and blackouts one says it all. */
static void
a_name_is_had_once(void **state)
{
	static const struct {
		const char *list, *rest, *others[2];
	} cases[] = {
		{ "listeners", "address = \"127.0.0.1\"; port = 0;", { "[0]", "[1]" } },
		{ "suppliers", "legal_entity = \"A\"; country = \"DE\";", { "[0]", "[1]" } },
		{ "rollout_plans", "rings = ( { name = \"r\"; soak = \"1s\"; reports = 1; success = 1; failed = 1; silent = 1; } );", { "[0]", "[1]" } },
		{ "windows", DAYS "from = \"01:00\"; to = \"02:00\";", { "another one" } },
		{ "blackouts", "first = \"2026-03-01\"; last = \"2026-03-01\";", { "another one" } },
	};
	char text[2048], says[128];
	struct config *c = NULL;
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *list = cases[i].list, *rest = cases[i].rest;
		bool pairs = cases[i].others[1] != NULL;
		snprintf(text, sizeof text, "%s%s = ( { name = \"a\"; %s },\n{ name = \"a\"; %s },\n{ name = \"a\"; %s },\n"
		    "{ name = \"b\"; %s } );", i == 0 ? "" : "listeners = ( { name = \"a\"; address = \"::1\"; port = 0; } ); ",
		    list, rest, rest, rest, rest);
		assert_int_equal(sample_parse(text, NULL, &c, &problems), FG_EFORMAT);
		assert_int_equal(problems.n, pairs ? 3 : 2);
		for (unsigned line = 2; line <= 3; line++)
			for (unsigned j = 0; j < (pairs ? line - 1 : 1); j++) {
				snprintf(says, sizeof says, "%s[%u] has the name of %s%s", list, line - 1, pairs ? list : "",
				    cases[i].others[j]);
				assert_true(sample_says(&problems, "fotagate.conf", line, says));
			}
	}
	/* Names that were refused are no names: nothing is said of them but that. */
	assert_int_equal(sample_parse("listeners = ( { name = \"A\"; address = \"::1\"; port = 0; },\n"
				      "{ name = \"B\"; address = \"::1\"; port = 0; } );", NULL, &c, &problems), FG_EFORMAT);
	assert_int_equal(problems.n, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(listeners_and_suppliers_fit_each_other),
		cmocka_unit_test(windows_have_one_meaning),
		cmocka_unit_test(console_is_whole),
		cmocka_unit_test(a_front_is_whole),
		cmocka_unit_test(a_name_is_had_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
