/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/supervisor/sockets.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "crypto/err.h"

static void
set_env(const char *pid, const char *n, const char *names)
{
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", n, 1);
	if (names)
		setenv("LISTEN_FDNAMES", names, 1);
}

static int
listening(uint16_t *ret_port)
{
	char why[256];
	struct sockaddr_in a;
	socklen_t n = sizeof a;
	int fd;
	assert_int_equal(sockets_tcp("127.0.0.1", 0, &fd, 1, why, sizeof why), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	if (ret_port)
		*ret_port = ntohs(a.sin_port);
	return fd;
}

static void
test_tcp(void **state)
{
	char why[256] = "";
	uint16_t port;
	int none[2];
	(void)state;
	int fd = listening(&port);
	assert_true(port > 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(sockets_tcp("127.0.0.1", port, none, 1, why, sizeof why), FG_EIO);
	assert_non_null(strstr(why, "127.0.0.1 port"));
	static const char *const bad[] = { "", "localhost", "127.0.0.1:80", "1.2.3", "::g" };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(sockets_tcp(bad[i], 0, none, 2, why, sizeof why), FG_EINVAL);
	close(fd);
}

static void
test_connections_are_spread(void **state)
{
	enum { EDGES = 3, CLIENTS = 300 };
	char why[256] = "";
	struct sockaddr_in a;
	socklen_t n = sizeof a;
	int fds[EDGES], other[1], clients[CLIENTS];
	(void)state;
	assert_int_equal(sockets_tcp("127.0.0.1", 0, fds, EDGES, why, sizeof why), 0);
	assert_int_equal(getsockname(fds[0], (struct sockaddr *)&a, &n), 0);
	/* Ours share; another gateway's does not join them. */
	assert_int_equal(sockets_tcp("127.0.0.1", ntohs(a.sin_port), other, 1, why, sizeof why), FG_EIO);
	for (unsigned i = 0; i < CLIENTS; i++) {
		clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(clients[i], (struct sockaddr *)&a, sizeof a), 0);
	}
	unsigned all = 0;
	for (unsigned i = 0; i < EDGES; i++) {
		unsigned got = 0;
		for (int fd; (fd = accept(fds[i], NULL, NULL)) >= 0; got++)
			close(fd);
		assert_true(got > CLIENTS / EDGES / 2); /* six standard deviations below its share */
		all += got;
		close(fds[i]);
	}
	assert_int_equal(all, CLIENTS);
	for (unsigned i = 0; i < CLIENTS; i++)
		close(clients[i]);
}

static void
test_activation_by_name(void **state)
{
	struct sockets_activated a;
	char why[256], pid[32];
	(void)state;
	/* Three in a row, as a service manager lays them out. */
	int base = 100, one = listening(NULL), udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	dup2(one, base);
	dup2(udp, base + 1);
	dup2(one, base + 2);
	close(one);
	close(udp);
	snprintf(pid, sizeof pid, "%d", (int)getpid());
	set_env(pid, "3", "modules:datagrams");
	assert_int_equal(sockets_activation(&a, base, why, sizeof why), 0);
	assert_int_equal(a.n, 3);
	assert_null(getenv("LISTEN_FDS")); /* no role sees it */
	assert_null(getenv("LISTEN_PID"));
	assert_null(getenv("LISTEN_FDNAMES"));
	assert_true(fcntl(base + 2, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(sockets_take(&a, "other", why, sizeof why), -1);
	assert_int_equal(sockets_take(&a, "datagrams", why, sizeof why), FG_EINVAL);
	assert_int_equal(sockets_take(&a, "modules", why, sizeof why), base);
	assert_int_equal(sockets_take(&a, "modules", why, sizeof why), -1); /* once */
	sockets_close(&a);
	assert_int_equal(fcntl(base + 1, F_GETFD), -1);
	assert_int_equal(fcntl(base + 2, F_GETFD), -1);
	assert_int_equal(close(base), 0); /* the one taken is ours */
}

static void
test_activation_for_somebody_else_or_nonsense(void **state)
{
	struct sockets_activated a;
	char why[256], pid[32];
	(void)state;
	snprintf(pid, sizeof pid, "%d", (int)getpid());
	static const char *const numbers[] = { "", "0", "-1", "x", "3x", "99999999999999999999" };
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		set_env(pid, numbers[i], NULL);
		assert_int_equal(sockets_activation(&a, 100, why, sizeof why), 0);
		assert_int_equal(a.n, 0);
	}
	set_env("1", "1", "x");
	assert_int_equal(sockets_activation(&a, 100, why, sizeof why), 0);
	assert_int_equal(a.n, 0);
	set_env(pid, "33", NULL);
	assert_int_equal(sockets_activation(&a, 100, why, sizeof why), FG_EINVAL);
}

static int
connect_unix(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
		return fd;
	close(fd);
	return -1;
}

static void
test_unix(void **state)
{
	char dir[] = "/tmp/fgsockXXXXXX", path[64], why[256], longdir[200];
	struct stat st;
	struct sockets_peer peer;
	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/halt.sock", dir);
	int fd = sockets_unix(dir, "halt.sock", 0600, (gid_t)-1, why, sizeof why);
	assert_true(fd >= 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* A living one is not replaced. */
	assert_int_equal(sockets_unix(dir, "halt.sock", 0600, (gid_t)-1, why, sizeof why),
			 FG_EEXIST);
	assert_non_null(strstr(why, "another fotagated"));
	int client = connect_unix(path), first = accept(fd, NULL, NULL);
	assert_true(client >= 0 && first >= 0);
	close(client);
	close(first);
	client = connect_unix(path);
	int server = accept(fd, NULL, NULL);
	assert_int_equal(sockets_peer(client, getegid(), &peer), 0);
	assert_int_equal(peer.uid, geteuid());
	assert_true(peer.in_group);
	assert_int_equal(sockets_peer(client, 4242, &peer), 0);
	assert_false(peer.in_group);
	assert_int_equal(sockets_peer(client, (gid_t)-1, &peer), 0);
	assert_false(peer.in_group);
	close(client);
	if (server >= 0)
		close(server);
	/* One left behind is; its group and mode are set. */
	close(fd);
	fd = sockets_unix(dir, "halt.sock", 0660, getegid(), why, sizeof why);
	assert_true(fd >= 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	close(fd);
	unlink(path);
	/* Anything else in the way stays. */
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(sockets_unix(dir, "halt.sock", 0600, (gid_t)-1, why, sizeof why),
			 FG_EEXIST);
	assert_int_equal(access(path, F_OK), 0);
	unlink(path);
	/* One of streams likewise, and neither takes the place of the other. */
	fd = sockets_unix_stream(dir, "halt.sock", 0660, getegid(), why, sizeof why);
	assert_true(fd >= 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_int_equal(connect_unix(path), -1);
	assert_int_equal(sockets_unix(dir, "halt.sock", 0600, (gid_t)-1, why, sizeof why), FG_EEXIST);
	assert_int_equal(sockets_unix_stream(dir, "halt.sock", 0600, (gid_t)-1, why, sizeof why), FG_EEXIST);
	close(fd);
	unlink(path);
	memset(longdir, 'd', sizeof longdir);
	longdir[sizeof longdir - 1] = '\0';
	assert_int_equal(sockets_unix(longdir, "x", 0600, (gid_t)-1, why, sizeof why), FG_ELIMIT);
	rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_connections_are_spread),
		cmocka_unit_test(test_activation_by_name),
		cmocka_unit_test(test_activation_for_somebody_else_or_nonsense),
		cmocka_unit_test(test_unix),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
