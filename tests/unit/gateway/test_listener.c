/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/gateway/net_pki.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/un.h>

#include "gateway/net/net_private.h"

#define RANGE "GET /f/a HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1\r\n\r\n"

static void
look(void *ctx, struct conn *conn)
{
	*(int *)ctx = conn->stream.fd;
}

struct who {
	int err;
	uid_t uid;
	uint32_t tag;
};

static void
ask_who(void *ctx, struct conn *conn)
{
	struct who *w = ctx;
	w->err = conn_unix_uid(conn, &w->uid);
	w->tag = conn_tag(conn);
}

static void
only_a_listening_tcp_socket_will_do(void **state)
{
	(void)state;
	struct rig *r = rig_new(NULL, NULL, HTTP_LENIENT);
	const struct net_origin origin = { NULL, HTTP_LENIENT, 0 };
	struct listener *l = NULL;
	int pair[2];
	assert_int_equal(listener_new(r->net, socket(AF_INET, SOCK_STREAM, 0), &origin, &l),
	    FG_EINVAL);
	assert_int_equal(listener_new(r->net, socket(AF_INET, SOCK_DGRAM, 0), &origin, &l),
	    FG_EINVAL);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(listener_new(r->net, pair[0], &origin, &l), FG_EINVAL);
	assert_int_equal(fcntl(pair[0], F_GETFD), -1); /* taken, also on failure */
	close(pair[1]);
	assert_null(l);
	rig_free(r);
}

/* Nor one of TCP where a unix socket is meant: the kernel's word about who connects is worth nothing there. */
static void
a_unix_socket_is_its_own_kind(void **state)
{
	(void)state;
	struct rig *r = rig_new(NULL, NULL, HTTP_LENIENT);
	const struct net_origin origin = { NULL, HTTP_LENIENT, 7 };
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "" };
	socklen_t n = sizeof a;
	struct listener *l = NULL;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(listener_new_unix(r->net, fd, &origin, &l), FG_EINVAL);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(sa_family_t)), 0); /* the kernel's choice of a name */
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	int plain = dup(fd);
	assert_int_equal(listener_new(r->net, plain, &origin, &l), FG_EINVAL);
	assert_int_equal(listener_new_unix(r->net, fd, &origin, &l), 0);
	int client = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&a, n), 0);
	rig_settle(r);
	struct who who = { .err = FG_EIO };
	net_each(r->net, ask_who, &who);
	assert_int_equal(who.err, 0);
	assert_int_equal(who.uid, geteuid());
	assert_int_equal(who.tag, 7);
	struct rig_client *c = rig_connect(r);
	assert_non_null(c);
	close(client);
	rig_settle(r);
	net_each(r->net, ask_who, &who);
	assert_int_equal(who.err, FG_EIO); /* by TCP the kernel names nobody */
	rig_hang_up(c);
	rig_free(r);
}

static void
accepted_sockets_inherit_their_options(void **state)
{
	(void)state;
	struct rig *r = rig_new(NULL, NULL, HTTP_LENIENT);
	struct rig_client *c = rig_connect(r);
	int fd = -1, value = 0;
	socklen_t n = sizeof value;
	rig_settle(r);
	net_each(r->net, look, &fd);
	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &n), 0);
	assert_true(value != 0);
	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &value, &n), 0);
	assert_int_equal(value, LISTENER_LOWAT);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	rig_hang_up(c);
	rig_free(r);
}

/* A queue that its own edge does not empty: sooner or later somebody is answered who waits there. */
static void
another_edges_queue_is_minded(void **state)
{
	(void)state;
	struct rig *r = rig_new(NULL, NULL, HTTP_LENIENT);
	const struct net_origin origin = { NULL, HTTP_LENIENT, 9 };
	struct sockaddr_in own = r->addr;
	struct listener *l = NULL;
	assert_int_equal(listener_mind(r->net, rig_listen(&r->addr), &origin, &l), FG_OK);
	struct rig_client *c[100];
	for (unsigned i = 0; i < 100; i++)
		c[i] = rig_connect(r);
	struct rig_reply reply;
	for (unsigned i = 0; i < 100; i++) {
		reply = rig_ask(r, c[i], RANGE);
		assert_int_equal(reply.status, 206);
		rig_hang_up(c[i]);
	}
	/* Full, and then no longer. */
	struct net_limits limits;
	net_limits_default(&limits);
	limits.conns_max = 1;
	rig_settle(r);
	assert_int_equal(net_set_limits(r->net, &limits), FG_OK);
	c[0] = rig_connect(r);
	reply = rig_ask(r, c[0], RANGE);
	c[1] = rig_connect(r);
	while (!listener_is_paused(l))
		rig_settle(r);
	rig_hang_up(c[0]);
	reply = rig_ask(r, c[1], RANGE);
	assert_int_equal(reply.status, 206);
	rig_hang_up(c[1]);
	/* Its own is served as ever; and with the engine's end both are closed. */
	rig_settle(r);
	struct sockaddr_in theirs = r->addr;
	r->addr = own;
	c[0] = rig_connect(r);
	reply = rig_ask(r, c[0], RANGE);
	assert_int_equal(reply.status, 206);
	net_stop(r->net, 0);
	rig_settle(r);
	for (unsigned i = 0; i < 2; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(fd, (struct sockaddr *)(i ? &theirs : &own), sizeof own), -1);
		close(fd);
	}
	rig_hang_up(c[0]);
	rig_free(r);
}

static void
no_descriptors_left(void **state)
{
	(void)state;
	struct rig *r = rig_new(NULL, NULL, HTTP_LENIENT);
	struct rig_client *c = rig_connect(r);
	struct rlimit old, none;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	for (int i = 0; i < 50; i++) /* would spin if the listener stayed armed */
		rig_pump(r);
	bool paused = listener_is_paused(r->listener);
	uint64_t pauses = net_counters(r->net)->accept_pauses;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_true(paused);
	assert_int_equal(pauses, 1);
	/* The backlog has kept it. */
	struct rig_reply reply = rig_ask(r, c, RANGE);
	assert_int_equal(reply.status, 206);
	assert_false(listener_is_paused(r->listener));
	rig_hang_up(c);
	rig_free(r);
}

static void
freeing_a_listener_leaves_its_connections(void **state)
{
	(void)state;
	struct rig *r = rig_new(NULL, NULL, HTTP_LENIENT);
	struct rig_client *c = rig_connect(r);
	rig_settle(r);
	listener_free(r->listener);
	listener_free(NULL);
	assert_int_equal(rig_ask(r, c, RANGE).status, 206);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&r->addr, sizeof r->addr), -1);
	close(fd);
	rig_hang_up(c);
	rig_free(r);
}

static void
two_listeners_and_their_tags(void **state)
{
	(void)state;
	struct rig *r = rig_new(NULL, NULL, HTTP_LENIENT);
	struct sockaddr_in first = r->addr;
	struct listener *second = NULL;
	const struct net_origin origin = { NULL, HTTP_STRICT, 8 };
	assert_int_equal(listener_new(r->net, rig_listen(&r->addr), &origin, &second), FG_OK);
	r->mode = RIG_HOLD;
	struct rig_client *b = rig_connect(r);
	rig_send(r, b, RANGE);
	rig_settle(r);
	assert_int_equal(conn_tag(conn_find(r->net, r->held)), 8);
	r->addr = first;
	struct rig_client *a = rig_connect(r);
	rig_send(r, a, RANGE);
	rig_settle(r);
	assert_int_equal(conn_tag(conn_find(r->net, r->held)), 7);
	rig_hang_up(a);
	rig_hang_up(b);
	rig_free(r);
}

static void
certificates_change_without_a_dropped_connection(void **state)
{
	(void)state;
	struct pki old = pki_new("old", false, NULL, NULL, RIG_WALL);
	struct pki fresh = pki_new("fresh", false, NULL, NULL, RIG_WALL);
	struct tls_config config = pki_config(&old);
	struct tls *tls = pki_tls(&config);
	struct rig *r = rig_new(NULL, tls, HTTP_LENIENT);
	tls_free(tls); /* the listener has its own reference */
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct rig_client *a = rig_connect(r), *b = rig_connect(r);
	assert_true(pki_handshake(r, a, ctx));
	config = pki_config(&fresh);
	tls = pki_tls(&config);
	listener_set_tls(r->listener, tls);
	tls_free(tls);
	rig_settle(r);
	struct rig_client *c = rig_connect(r);
	assert_true(pki_handshake(r, c, ctx));
	X509 *x = SSL_get1_peer_certificate(c->ssl);
	assert_int_equal(X509_cmp(x, fresh.cert), 0);
	X509_free(x);
	x = SSL_get1_peer_certificate(a->ssl);
	assert_int_equal(X509_cmp(x, old.cert), 0);
	X509_free(x);
	assert_int_equal(rig_ask(r, a, RANGE).status, 206);
	assert_int_equal(rig_ask(r, c, RANGE).status, 206);
	rig_hang_up(a);
	rig_hang_up(b);
	rig_hang_up(c);
	rig_free(r);
	SSL_CTX_free(ctx);
	pki_free(&old);
	pki_free(&fresh);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_listening_tcp_socket_will_do),
		cmocka_unit_test(a_unix_socket_is_its_own_kind),
		cmocka_unit_test(accepted_sockets_inherit_their_options),
		cmocka_unit_test(another_edges_queue_is_minded),
		cmocka_unit_test(no_descriptors_left),
		cmocka_unit_test(freeing_a_listener_leaves_its_connections),
		cmocka_unit_test(two_listeners_and_their_tags),
		cmocka_unit_test(certificates_change_without_a_dropped_connection),
	};
	return cmocka_run_group_tests_name("listener", tests, NULL, NULL);
}
