/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of an edge: as configured, and as the process may. The rest of edge_boot.c is in test_edge_role.c. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/resource.h>

#include "gateway/edge/edge_private.h"
#include "unit/policy/sample.h"

static void
times_are_the_configuration_s(void **state)
{
	struct config c = { .limits.connections = 7 };
	struct net_limits l;
	(void)state;
	c.limits.header_seconds = 3;
	c.limits.body_seconds = 4;
	c.limits.idle_seconds = 5;
	c.limits.stall_seconds = 6;
	edge_limits_of(&c, &l);
	assert_int_equal(l.conns_max, 7);
	assert_int_equal(l.handshake_ms, 3000);
	assert_int_equal(l.head_ms, 3000);
	assert_int_equal(l.body_ms, 4000);
	assert_int_equal(l.idle_ms, 5000);
	assert_int_equal(l.stall_ms, 6000);
}

/* The engine's table says why each is what it is; a configuration that says nothing means the same. */
static void
a_configuration_that_says_nothing_means_the_engine_s(void **state)
{
	static struct config_problems problems;
	struct config *c;
	struct net_limits l, engine;
	(void)state;
	assert_int_equal(sample_parse(SAMPLE_MAIN, NULL, &c, &problems), 0);
	edge_limits_of(c, &l);
	net_limits_default(&engine);
	for (enum net_limit i = NET_LIMIT_NONE + 1; i < NET_LIMIT_COUNT; i++) {
		uint32_t have = net_limits_get(&l, i), want = net_limits_get(&engine, i);
		/* Descriptors may be short here. */
		if (i == NET_LIMIT_CONNS ? have > want : have != want)
			fail_msg("%s is %u, and %u by configuration", net_limits_name(i), want, have);
	}
	config_free(c);
}

static void
connections_leave_descriptors_for_the_rest(void **state)
{
	static const struct {
		rlim_t fds;
		uint32_t wanted, conns;
	} cases[] = {
		{ 4096, 4096 - EDGE_FDS_KEPT, 4096 - EDGE_FDS_KEPT },
		{ 4096, 4096 - EDGE_FDS_KEPT + 1, 4096 - EDGE_FDS_KEPT },
		{ 4096, 1000000, 4096 - EDGE_FDS_KEPT },
		{ 256, 16384, 128 },
	};
	struct rlimit was;
	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rlimit now = { cases[i].fds, was.rlim_max };
		struct config c = { .limits = { .connections = (int64_t)cases[i].wanted } };
		struct net_limits l;
		if (was.rlim_max < cases[i].fds)
			continue;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
		edge_limits_of(&c, &l);
		assert_int_equal(l.conns_max, cases[i].conns);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_the_configuration_s),
		cmocka_unit_test(a_configuration_that_says_nothing_means_the_engine_s),
		cmocka_unit_test(connections_leave_descriptors_for_the_rest),
	};
	return cmocka_run_group_tests_name("edge_boot", tests, NULL, NULL);
}
