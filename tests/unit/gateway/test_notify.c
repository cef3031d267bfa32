/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/supervisor/notify.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int
server(const char *name, bool abstract)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t n = strlen(name);
	memcpy(a.sun_path, name, n);
	if (abstract)
		a.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)),
			 0);
	return fd;
}

static void
round_trip(const char *name, bool abstract)
{
	struct notify n;
	char got[1024];
	int fd = server(name, abstract);
	setenv("NOTIFY_SOCKET", name, 1);
	notify_open(&n);
	assert_true(n.fd >= 0);
	assert_null(getenv("NOTIFY_SOCKET")); /* no role can speak for us */
	notify_send(&n, "READY=1\nSTATUS=%d roles", 5);
	ssize_t len = recv(fd, got, sizeof got - 1, MSG_DONTWAIT);
	assert_true(len > 0);
	got[len] = '\0';
	assert_string_equal(got, "READY=1\nSTATUS=5 roles");
	notify_close(&n);
	notify_close(&n);
	notify_send(&n, "READY=1");
	assert_int_equal(recv(fd, got, sizeof got, MSG_DONTWAIT), -1);
	close(fd);
}

static void
test_both_kinds_of_socket(void **state)
{
	char dir[] = "/tmp/fgnotifyXXXXXX", path[64], name[64];
	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/notify", dir);
	round_trip(path, false);
	unlink(path);
	rmdir(dir);
	snprintf(name, sizeof name, "@fotagate-test-%d", (int)getpid());
	round_trip(name, true);
}

static void
test_nobody_listens(void **state)
{
	struct notify n;
	static const char *const bad[] = {"", "/", "relative", "/nonexistent/fg/notify",
					  "vsock:1:2"};
	char longer[200];
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		setenv("NOTIFY_SOCKET", bad[i], 1);
		notify_open(&n);
		assert_int_equal(n.fd, -1);
		notify_send(&n, "READY=1");
	}
	memset(longer, 'x', sizeof longer);
	longer[0] = '/';
	longer[sizeof longer - 1] = '\0';
	setenv("NOTIFY_SOCKET", longer, 1);
	notify_open(&n);
	assert_int_equal(n.fd, -1);
	unsetenv("NOTIFY_SOCKET");
	notify_open(&n);
	assert_int_equal(n.fd, -1);
}

static int64_t
watchdog(const char *usec, const char *pid)
{
	struct notify n;
	char name[64];
	snprintf(name, sizeof name, "@fotagate-test-%d", (int)getpid());
	int fd = server(name, true);
	setenv("NOTIFY_SOCKET", name, 1);
	setenv("WATCHDOG_USEC", usec, 1);
	if (pid)
		setenv("WATCHDOG_PID", pid, 1);
	notify_open(&n);
	notify_close(&n);
	close(fd);
	assert_null(getenv("WATCHDOG_USEC"));
	assert_null(getenv("WATCHDOG_PID"));
	return n.watchdog_ms;
}

static void
test_watchdog(void **state)
{
	char pid[32];
	(void)state;
	snprintf(pid, sizeof pid, "%d", (int)getpid());
	assert_int_equal(watchdog("20000000", NULL), 10000);
	assert_int_equal(watchdog("20000000", pid), 10000);
	assert_int_equal(watchdog("20000000", "1"), 0);
	assert_int_equal(watchdog("soon", NULL), 0);
	assert_int_equal(watchdog("-5", NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_kinds_of_socket),
		cmocka_unit_test(test_nobody_listens),
		cmocka_unit_test(test_watchdog),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
