/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/supervisor/tickets.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "gateway/net/tls.h"
#include "gateway/wire/memfd.h"

_Static_assert(TICKETS_SECRET == TLS_TICKET_SECRET && TLS_TICKET_KEYS == 2, "edges read what the supervisor writes");
_Static_assert(TICKETS_PERIOD_MS >= TLS_TICKET_S * 1000, "a ticket of the period before is opened while it is good");

static void
the_first_becomes_the_second(void **state)
{
	struct tickets a, b;
	(void)state;
	assert_int_equal(tickets_make(&a), 0);
	assert_memory_not_equal(a.secret[0], a.secret[1], TICKETS_SECRET);
	b = a;
	assert_int_equal(tickets_roll(&b), 0);
	assert_memory_equal(b.secret[1], a.secret[0], TICKETS_SECRET);
	assert_memory_not_equal(b.secret[0], a.secret[0], TICKETS_SECRET);
	assert_memory_not_equal(b.secret[0], a.secret[1], TICKETS_SECRET);
	tickets_wipe(&b);
	static const struct tickets none;
	assert_memory_equal(&b, &none, sizeof b);
}

static void
the_file_is_sealed(void **state)
{
	struct tickets t;
	struct view v;
	(void)state;
	assert_int_equal(tickets_make(&t), 0);
	int fd = tickets_file(&t);
	assert_int_equal(memfd_map(fd, sizeof t.secret, &v), 0);
	assert_int_equal(v.n, sizeof t.secret);
	assert_memory_equal(v.p, t.secret, sizeof t.secret);
	memfd_unmap(v);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_becomes_the_second),
		cmocka_unit_test(the_file_is_sealed),
	};
	return cmocka_run_group_tests_name("tickets", tests, NULL, NULL);
}
