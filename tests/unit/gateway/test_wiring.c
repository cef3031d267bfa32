/* SPDX-License-Identifier: Apache-2.0 */
/* The security argument of the channels, said a second time and compared. */
#include "gateway/supervisor/wiring.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static void
test_channels(void **state)
{
	/* Row and column in the order of enum msg_role. */
	static const char *const want[MSG_ROLE_LIMIT] = {
		[MSG_ROLE_NONE] = "............",     [MSG_ROLE_SUPERVISOR] = "............",
		[MSG_ROLE_CONFIG] = "............",   [MSG_ROLE_EDGE] = "......xxx...",
		[MSG_ROLE_UPSTREAM] = "............", [MSG_ROLE_INSPECT] = "............",
		[MSG_ROLE_CONTROL] = "...x...xx.x.",  [MSG_ROLE_WARDEN] = "...x..x.x...",
		[MSG_ROLE_AUDIT] = "...x..xx....",    [MSG_ROLE_CLI] = "............",
		[MSG_ROLE_CONSOLE] = "......x.....", [MSG_ROLE_HOOK] = "............",
	};
	(void)state;
	for (unsigned a = 0; a < MSG_ROLE_LIMIT; a++) {
		assert_int_equal(strlen(want[a]), MSG_ROLE_LIMIT);
		for (unsigned b = 0; b < MSG_ROLE_LIMIT; b++)
			assert_int_equal(wiring_joined(a, b), want[a][b] == 'x');
	}
}

static unsigned
holders(enum msg_boot_kind kind)
{
	unsigned n = 0;
	for (unsigned role = 0; role < MSG_ROLE_LIMIT; role++)
		n += wiring_gets(role, kind);
	return n;
}

static void
test_each_secret_has_one_holder(void **state)
{
	static const struct {
		enum msg_boot_kind kind;
		enum msg_role role;
	} secrets[] = {
		{ MSG_FD_LOG_KEY, MSG_ROLE_AUDIT },     { MSG_FD_COSIGN_KEY, MSG_ROLE_WARDEN },
		{ MSG_FD_EPOCH_KEY, MSG_ROLE_CONTROL }, { MSG_FD_TLS_KEY, MSG_ROLE_EDGE },
		{ MSG_FD_TICKETS, MSG_ROLE_EDGE },      { MSG_FD_PSK, MSG_ROLE_EDGE },
		{ MSG_FD_LISTENER, MSG_ROLE_EDGE },     { MSG_FD_CONTROL_SOCK, MSG_ROLE_CONTROL },
		{ MSG_FD_WEB_KEY, MSG_ROLE_CONSOLE },   { MSG_FD_WEB_LISTENER, MSG_ROLE_CONSOLE },
		{ MSG_FD_WEB_CA, MSG_ROLE_CONSOLE },    { MSG_FD_WEB_FRONT, MSG_ROLE_CONSOLE },
	};
	(void)state;
	for (unsigned i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
		assert_true(wiring_gets(secrets[i].role, secrets[i].kind));
		assert_int_equal(holders(secrets[i].kind), 1);
	}
	for (unsigned kind = MSG_FD_NONE + 1; kind < MSG_FD_LIMIT; kind++)
		assert_true(holders(kind) >= 1); /* a kind nobody gets would be a mistake */
	assert_int_equal(holders(MSG_FD_NONE), 0);
	assert_int_equal(holders(MSG_FD_LIMIT), 0);
	assert_false(wiring_gets(MSG_ROLE_WARDEN, MSG_FD_BUNDLE)); /* no configuration parser there */
	assert_false(wiring_gets(MSG_ROLE_AUDIT, MSG_FD_BUNDLE));
	assert_false(wiring_gets(MSG_ROLE_CONSOLE, MSG_FD_BUNDLE));
	assert_false(wiring_gets(MSG_ROLE_LIMIT, MSG_FD_BUNDLE));
}

static void
test_orders_name_every_role_once(void **state)
{
	unsigned start = 0, stop = 0;
	(void)state;
	for (unsigned i = 0; i < WIRING_ROLES; i++) {
		start |= 1u << wiring_start_order[i];
		stop |= 1u << wiring_stop_order[i];
	}
	assert_int_equal(start, stop);
	assert_int_equal(__builtin_popcount(start), WIRING_ROLES);
	assert_int_equal(wiring_start_order[0], MSG_ROLE_AUDIT);
	assert_int_equal(wiring_stop_order[0], MSG_ROLE_CONSOLE);
	assert_int_equal(wiring_stop_order[1], MSG_ROLE_EDGE);
	assert_int_equal(wiring_stop_order[WIRING_ROLES - 1], MSG_ROLE_AUDIT);
}

static void
test_halt_reaches_every_edge_and_takes_nothing_from_the_warden(void **state)
{
	(void)state;
	assert_true(wiring_hears_halt(MSG_ROLE_EDGE));
	assert_true(wiring_hears_halt(MSG_ROLE_CONTROL));
	assert_true(wiring_hears_halt(MSG_ROLE_AUDIT));
	assert_false(wiring_hears_halt(MSG_ROLE_WARDEN));
	assert_false(wiring_hears_halt(MSG_ROLE_CONSOLE));
	assert_true(wiring_reloads(MSG_ROLE_EDGE) && wiring_reloads(MSG_ROLE_CONTROL) && wiring_reloads(MSG_ROLE_CONSOLE));
	assert_false(wiring_reloads(MSG_ROLE_WARDEN) || wiring_reloads(MSG_ROLE_AUDIT));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_channels),
		cmocka_unit_test(test_each_secret_has_one_holder),
		cmocka_unit_test(test_orders_name_every_role_once),
		cmocka_unit_test(test_halt_reaches_every_edge_and_takes_nothing_from_the_warden),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
