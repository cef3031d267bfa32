/* SPDX-License-Identifier: Apache-2.0 */
/* What readers cost that are slow or stop: memory of ours, of all together, and of the kernel. */
#include "unit/gateway/net_pki.h"

#include <netinet/tcp.h>
#include <sys/resource.h>

#include "gateway/net/stream.h"

#define STOPPED 2000
#define GET "GET /f/a HTTP/1.1\r\nHost: h\r\n\r\n"

static void
open_files(void)
{
	struct rlimit files;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = files.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	assert_true(files.rlim_cur > 2 * STOPPED + 64);
}

/* 2,000 who ask for an image over TLS and read nothing: by default limits, and what they hold of our memory. */
static void
test_two_thousand_stopped_readers(void **state)
{
	static struct rig_client *c[STOPPED];
	(void)state;
	open_files();
	struct pki p = pki_new("gate", false, NULL, NULL, RIG_WALL);
	const struct tls_config config = pki_config(&p);
	struct tls *tls = pki_tls(&config);
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct net_limits limits;
	uint64_t most = 0;
	net_limits_default(&limits);
	struct rig *r = rig_new(NULL, tls, HTTP_LENIENT);
	r->size = 64u << 20;
	/* All but the first resume, in the version where that costs nothing: it is not handshakes that are looked at. */
	assert_int_equal(SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION), 1);
	struct rig_client *first = rig_connect(r);
	assert_true(pki_handshake(r, first, ctx));
	SSL_SESSION *session = SSL_get1_session(first->ssl);
	for (int i = 0; i < STOPPED; i++) {
		c[i] = rig_connect(r);
		rig_pump(r);
		c[i]->ssl = SSL_new(ctx);
		assert_int_equal(SSL_set_session(c[i]->ssl, session), 1);
		assert_int_equal(SSL_set_fd(c[i]->ssl, c[i]->fd), 1);
		SSL_connect(c[i]->ssl);
	}
	for (int left = STOPPED, i = 0; left; i = (i + 1) % STOPPED) {
		if (i % 16 == 0)
			rig_pump(r);
		if (SSL_is_init_finished(c[i]->ssl))
			continue;
		if (SSL_connect(c[i]->ssl) == 1) {
			assert_int_equal(SSL_write(c[i]->ssl, GET, sizeof GET - 1), sizeof GET - 1);
			left--;
		}
		most = net_counters(r->net)->owed > most ? net_counters(r->net)->owed : most;
	}
	for (int i = 0; i < 20 || r->requests < STOPPED; i++) {
		rig_settle(r);
		most = net_counters(r->net)->owed > most ? net_counters(r->net)->owed : most;
		assert_true(i < RIG_PATIENCE);
	}
	printf("%d stopped readers are owed %.1f MiB at most, %.1f KiB each; the limit is %.1f MiB\n", STOPPED,
	    (double)most / (1 << 20), (double)most / 1024 / STOPPED, (double)limits.owed_max / (1 << 20));
	assert_int_equal(net_counters(r->net)->conns, STOPPED + 1);
	assert_true(most <= limits.owed_max);
	for (int i = 0; i < STOPPED; i++)
		rig_hang_up(c[i]);
	rig_hang_up(first);
	rig_free(r);
	SSL_SESSION_free(session);
	SSL_CTX_free(ctx);
	tls_free(tls);
	pki_free(&p);
}

/* Ours of the two sockets. */
static int
other_end(const struct rig_client *c)
{
	struct sockaddr_in mine, peer;
	socklen_t n = sizeof mine;
	assert_int_equal(getsockname(c->fd, (struct sockaddr *)&mine, &n), 0);
	for (int fd = 3; fd < 1024; fd++) {
		n = sizeof peer;
		if (getpeername(fd, (struct sockaddr *)&peer, &n) == 0 && peer.sin_port == mine.sin_port)
			return fd;
	}
	fail_msg("no socket is connected to the client");
	return -1;
}

static int
option(int fd, int level, int name)
{
	int value = 0;
	socklen_t n = sizeof value;
	assert_int_equal(getsockopt(fd, level, name, &value, &n), 0);
	return value;
}

/* rate bytes a second for so many seconds of the engine's clock; the longest record of the last one. */
static size_t
read_slowly(struct rig *r, struct rig_client *c, size_t rate, int seconds)
{
	static char buf[TLS_RECORD_MAX];
	size_t longest = 0;
	for (int s = 0; s < seconds; s++) {
		longest = 0;
		for (size_t n = 0, k = 0; n < rate; k++) {
			size_t got = 0;
			size_t want = rate - n < sizeof buf ? rate - n : sizeof buf;
			if (c->ssl ? SSL_read_ex(c->ssl, buf, want, &got) == 1 : (got = (size_t)recv(c->fd, buf, want, MSG_DONTWAIT), (ssize_t)got > 0)) {
				longest = got > longest ? got : longest;
				n += got;
				k = 0;
			}
			rig_pump(r);
			assert_true(k < RIG_PATIENCE * 10);
		}
		r->mono_ms += 1000;
		net_sweep(r->net);
	}
	return longest;
}

/* Somebody who has asked for the image and not yet read; *ret_fd is our end. */
static struct rig_client *
asked(struct rig *r, SSL_CTX *ctx, int *ret_fd)
{
	struct rig_client *c = rig_connect_from(r, NULL, 16384);
	if (ctx)
		assert_true(pki_handshake(r, c, ctx));
	rig_send(r, c, GET);
	rig_settle(r);
	*ret_fd = other_end(c);
	return c;
}

static void
slow_and_fast(struct tls *tls, SSL_CTX *ctx)
{
	struct rig *r = rig_new(NULL, tls, HTTP_LENIENT);
	int fd;
	r->size = 64u << 20;
	struct rig_client *c = asked(r, ctx, &fd);
	(void)read_slowly(r, c, 10000, 1);
	/* Full, but nobody knows yet how slowly it empties. */
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT), LISTENER_LOWAT);
	size_t record = read_slowly(r, c, 10000, 60);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT), STREAM_THRIFTY_LOWAT);
	assert_int_equal(option(fd, SOL_SOCKET, SO_SNDBUF), 65536);
	assert_true(!ctx || record <= 4096);
	rig_hang_up(c);
	rig_settle(r);
	c = asked(r, ctx, &fd);
	(void)read_slowly(r, c, 400000, 20);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT), LISTENER_LOWAT);
	rig_hang_up(c);
	rig_free(r);
}

static void
test_slow_readers_have_less_in_the_kernel(void **state)
{
	(void)state;
	struct pki p = pki_new("gate", false, NULL, NULL, RIG_WALL);
	const struct tls_config config = pki_config(&p);
	struct tls *tls = pki_tls(&config);
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	slow_and_fast(NULL, NULL);
	slow_and_fast(tls, ctx);
	SSL_CTX_free(ctx);
	tls_free(tls);
	pki_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slow_readers_have_less_in_the_kernel),
		cmocka_unit_test(test_two_thousand_stopped_readers),
	};
	return cmocka_run_group_tests_name("conn_slow", tests, NULL, NULL);
}
