/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "crypto/err.h"
#include "gateway/net/net_peers.h"

static void
v4(uint8_t addr[NET_PEERS_ADDR_LEN], uint32_t n)
{
	memset(addr, 0, NET_PEERS_ADDR_LEN);
	addr[10] = addr[11] = 0xff;
	for (int i = 0; i < 4; i++)
		addr[12 + i] = (uint8_t)(n >> (24 - 8 * i));
}

static void
v6(uint8_t addr[NET_PEERS_ADDR_LEN], uint8_t net, uint8_t host)
{
	memset(addr, 0, NET_PEERS_ADDR_LEN);
	addr[0] = 0x20;
	addr[7] = net;
	addr[15] = host;
}

static void
counts_by_address(void **state)
{
	(void)state;
	struct net_peers *p = net_peers_new();
	uint8_t a[16], b[16];
	assert_non_null(p);
	v4(a, 0x0a000001);
	v4(b, 0x0a000002);
	assert_int_equal(net_peers_enter(p, a, 2), FG_OK);
	assert_int_equal(net_peers_enter(p, a, 2), FG_OK);
	assert_int_equal(net_peers_enter(p, a, 2), FG_ELIMIT);
	assert_int_equal(net_peers_enter(p, b, 2), FG_OK);
	assert_int_equal(net_peers_sources(p), 2);
	net_peers_leave(p, a);
	assert_int_equal(net_peers_enter(p, a, 2), FG_OK);
	net_peers_leave(p, a);
	net_peers_leave(p, a);
	net_peers_leave(p, b);
	assert_int_equal(net_peers_sources(p), 0);
	net_peers_free(p);
	net_peers_free(NULL);
}

static void
a_v6_host_is_its_network(void **state)
{
	(void)state;
	struct net_peers *p = net_peers_new();
	uint8_t a[16], b[16], c[16];
	assert_non_null(p);
	v6(a, 1, 1);
	v6(b, 1, 2);
	v6(c, 2, 1);
	assert_int_equal(net_peers_enter(p, a, 1), FG_OK);
	assert_int_equal(net_peers_enter(p, b, 1), FG_ELIMIT);
	assert_int_equal(net_peers_enter(p, c, 1), FG_OK);
	net_peers_leave(p, b); /* the same source as a */
	assert_int_equal(net_peers_enter(p, a, 1), FG_OK);
	net_peers_free(p);
}

static void
grows(void **state)
{
	(void)state;
	struct net_peers *p = net_peers_new();
	uint8_t a[16];
	assert_non_null(p);
	for (uint32_t i = 0; i < 20000; i++) {
		v4(a, i * 2654435761u);
		assert_int_equal(net_peers_enter(p, a, 1), FG_OK);
	}
	assert_int_equal(net_peers_sources(p), 20000);
	for (uint32_t i = 0; i < 20000; i++) {
		v4(a, i * 2654435761u);
		assert_int_equal(net_peers_enter(p, a, 1), FG_ELIMIT);
		net_peers_leave(p, a);
	}
	assert_int_equal(net_peers_sources(p), 0);
	net_peers_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_by_address),
		cmocka_unit_test(a_v6_host_is_its_network),
		cmocka_unit_test(grows),
	};
	return cmocka_run_group_tests_name("net_peers", tests, NULL, NULL);
}
