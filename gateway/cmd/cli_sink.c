/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cli_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "crypto/err.h"

#define JOURNAL "/run/systemd/journal/socket"
#define STUCK_MS 60000   /* no progress for so long: the connection is dead */
#define SETTLE_NAP_MS 20 /* between looks whether the last byte was confirmed */
/* What waits in our kernel when a connection is cut is lost; it is sent again, so let it be little. */
#define SEND_BUFFER 65536
#define HOST_MAX 255
#define PORT_MAX 5

struct cli_sink {
	const struct cli_common *c;
	enum cli_sink_kind kind;
	char host[HOST_MAX + 1], port[PORT_MAX + 1];
	char path[sizeof((struct sockaddr_un *)0)->sun_path];
	SSL_CTX *ctx;
	SSL *ssl;
	int fd; /* -1: closed */
	char why[256];
};

static int __attribute__((format(printf, 2, 3)))
broken(struct cli_sink *s, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(s->why, sizeof s->why, fmt, ap);
	va_end(ap);
	SSL_free(s->ssl);
	s->ssl = NULL;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	ERR_clear_error();
	return FG_EIO;
}

/* ---- what was asked for ---- */

static bool
parse_host(struct cli_sink *s, const char *to)
{
	const char *colon = strrchr(to, ':');
	size_t n = colon ? (size_t)(colon - to) : 0, skip = 0;
	if (n > 2 && to[0] == '[' && to[n - 1] == ']') {
		skip = 1;
		n -= 2;
	} else if (colon && memchr(to, ':', n)) {
		return false; /* an address of IPv6 without brackets: which colon is it? */
	}
	size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;
	if (!n || n > HOST_MAX || !digits || digits > PORT_MAX || colon[1 + digits])
		return false;
	memcpy(s->host, to + skip, n);
	memcpy(s->port, colon + 1, digits);
	return true;
}

static bool
parse_to(struct cli_sink *s, const char *to)
{
	const char *path = NULL;
	if (strcmp(to, "journal") == 0) {
		s->kind = CLI_SINK_JOURNAL;
		path = JOURNAL;
	} else if (strncmp(to, "journal:/", 9) == 0) {
		s->kind = CLI_SINK_JOURNAL;
		path = to + 8;
	} else if (strncmp(to, "unix:", 5) == 0) {
		s->kind = CLI_SINK_UNIX;
		path = to + 5;
	} else {
		s->kind = CLI_SINK_TLS;
		return parse_host(s, to);
	}
	return path[0] && (size_t)snprintf(s->path, sizeof s->path, "%s", path) < sizeof s->path;
}

static int
tls_problem(struct cli_sink *s, const char *what)
{
	unsigned long e = ERR_peek_error(); /* the first says why, the last that */
	const char *reason = !e ? NULL : ERR_SYSTEM_ERROR(e) ? strerror(ERR_GET_REASON(e)) : ERR_reason_error_string(e);
	int status = cli_opt_fail(s->c, CLI_COULD_NOT, "LOCAL", NULL, "%s: %s", what, reason ? reason : "cannot be used");
	ERR_clear_error();
	return status;
}

static int
tls_context(struct cli_sink *s, const struct cli_sink_to *to)
{
	s->ctx = SSL_CTX_new(TLS_client_method());
	if (!s->ctx || SSL_CTX_set_min_proto_version(s->ctx, TLS1_2_VERSION) != 1)
		return tls_problem(s, "TLS");
	SSL_CTX_set_verify(s->ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_options(s->ctx, SSL_OP_NO_RENEGOTIATION);
	if (SSL_CTX_load_verify_locations(s->ctx, to->ca, NULL) != 1)
		return tls_problem(s, to->ca);
	if (to->cert && SSL_CTX_use_certificate_chain_file(s->ctx, to->cert) != 1)
		return tls_problem(s, to->cert);
	if (to->key && (SSL_CTX_use_PrivateKey_file(s->ctx, to->key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(s->ctx) != 1))
		return tls_problem(s, to->key);
	return 0;
}

int
cli_sink_new(const struct cli_common *c, const struct cli_sink_to *to, struct cli_sink **ret)
{
	struct cli_sink *s = calloc(1, sizeof *s);
	if (!s)
		return cli_opt_fail(c, CLI_COULD_NOT, "LOCAL", NULL, "no memory");
	s->c = c;
	s->fd = -1;
	int status = 0;
	if (!parse_to(s, to->to))
		status = cli_opt_fail(c, CLI_USAGE, "USAGE", "HOST:PORT, unix:PATH or journal.", "%s: no place to send to", to->to);
	else if (s->kind != CLI_SINK_TLS && (to->ca || to->cert || to->key))
		status = cli_opt_fail(c, CLI_USAGE, "USAGE", NULL, "--ca, --cert and --key are for HOST:PORT");
	else if (s->kind == CLI_SINK_TLS && (!to->ca || !to->cert != !to->key))
		status = cli_opt_fail(c, CLI_USAGE, "USAGE", "Whom to believe is not a thing to guess.",
		    "HOST:PORT needs --ca, and --cert with --key if any");
	else if (s->kind == CLI_SINK_TLS)
		status = tls_context(s, to);
	if (status)
		cli_sink_free(s);
	else
		*ret = s;
	return status;
}

void
cli_sink_free(struct cli_sink *s)
{
	if (!s)
		return;
	if (s->ssl)
		(void)SSL_shutdown(s->ssl);
	SSL_free(s->ssl);
	SSL_CTX_free(s->ctx);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

enum cli_sink_kind
cli_sink_kind(const struct cli_sink *s)
{
	return s->kind;
}

bool
cli_sink_is_open(const struct cli_sink *s)
{
	return s->fd >= 0;
}

const char *
cli_sink_why(const struct cli_sink *s)
{
	return s->why;
}

/* ---- connecting ---- */

static bool
wait_for(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n;
	do
		n = poll(&p, 1, STUCK_MS);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

static int
connect_one(const struct addrinfo *a)
{
	const int small = SEND_BUFFER;
	int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol), err = 0;
	socklen_t n = sizeof err;
	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){ 1 }, sizeof(int));
	if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
		return fd;
	if (errno == EINPROGRESS && wait_for(fd, POLLOUT) && getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &n) == 0 && !err)
		return fd;
	close(fd);
	errno = err ? err : ETIMEDOUT;
	return -1;
}

/* What a call of OpenSSL that did not do it wants: true to call it again. */
static bool
again(struct cli_sink *s, int r)
{
	switch (SSL_get_error(s->ssl, r)) {
	case SSL_ERROR_WANT_READ:
		return wait_for(s->fd, POLLIN);
	case SSL_ERROR_WANT_WRITE:
		return wait_for(s->fd, POLLOUT);
	default:
		return false;
	}
}

/* The certificate must be for what was asked for: an address is no name. */
static bool
expect_host(struct cli_sink *s)
{
	X509_VERIFY_PARAM *p = SSL_get0_param(s->ssl);
	ASN1_OCTET_STRING *ip = a2i_IPADDRESS(s->host);
	bool is_ip = ip != NULL;
	ASN1_OCTET_STRING_free(ip);
	ERR_clear_error();
	X509_VERIFY_PARAM_set_hostflags(p, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	if (is_ip)
		return X509_VERIFY_PARAM_set1_ip_asc(p, s->host) == 1;
	return X509_VERIFY_PARAM_set1_host(p, s->host, 0) == 1 && SSL_set_tlsext_host_name(s->ssl, s->host) == 1;
}

static int
handshake(struct cli_sink *s)
{
	int r = 0;
	s->ssl = SSL_new(s->ctx);
	if (!s->ssl || SSL_set_fd(s->ssl, s->fd) != 1 || !expect_host(s))
		return broken(s, "no memory for TLS");
	SSL_set_connect_state(s->ssl);
	SSL_set_mode(s->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	ERR_clear_error(); /* what SSL_get_error looks at must be of that call */
	do
		r = SSL_do_handshake(s->ssl);
	while (r != 1 && again(s, r));
	if (r == 1)
		return 0;
	long v = SSL_get_verify_result(s->ssl);
	unsigned long e = ERR_peek_last_error();
	const char *reason = e ? ERR_reason_error_string(e) : NULL;
	return broken(s, "%s: TLS: %s", s->host, v != X509_V_OK ? X509_verify_cert_error_string(v) :
	    reason ? reason : "the other side gave up");
}

static int
open_tls(struct cli_sink *s)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	int r = getaddrinfo(s->host, s->port, &hints, &list);
	if (r)
		return broken(s, "%s: %s", s->host, gai_strerror(r));
	for (const struct addrinfo *a = list; a && s->fd < 0; a = a->ai_next)
		s->fd = connect_one(a);
	r = errno;
	freeaddrinfo(list);
	return s->fd < 0 ? broken(s, "%s:%s: %s", s->host, s->port, strerror(r)) : handshake(s);
}

static int
open_local(struct cli_sink *s)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	memcpy(a.sun_path, s->path, sizeof a.sun_path);
	const struct timeval limit = { .tv_sec = STUCK_MS / 1000 };
	s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || connect(s->fd, (const struct sockaddr *)&a, sizeof a) ||
	    setsockopt(s->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit))
		return broken(s, "%s: %s", s->path, strerror(errno));
	return 0;
}

int
cli_sink_open(struct cli_sink *s)
{
	if (s->fd >= 0)
		return 0;
	return s->kind == CLI_SINK_TLS ? open_tls(s) : open_local(s);
}

/* ---- sending ---- */

static int
send_tls(struct cli_sink *s, struct view v)
{
	while (v.n) {
		ERR_clear_error();
		int r = SSL_write(s->ssl, v.p, v.n > INT32_MAX ? INT32_MAX : (int)v.n);
		if (r > 0)
			v = view_of(v.p + r, v.n - (size_t)r);
		else if (!again(s, r))
			return broken(s, "%s: the connection was cut, or nothing was taken for a minute", s->host);
	}
	return 0;
}

/* A collector that closed says so to whoever reads. */
static bool
is_gone(struct cli_sink *s)
{
	char byte;
	ERR_clear_error();
	int r = SSL_read(s->ssl, &byte, sizeof byte);
	return r <= 0 && SSL_get_error(s->ssl, r) != SSL_ERROR_WANT_READ;
}

int
cli_sink_send(struct cli_sink *s, struct view message)
{
	char length[24];
	if (s->fd < 0)
		return FG_EIO;
	if (s->kind != CLI_SINK_TLS) {
		ssize_t n;
		do
			n = send(s->fd, message.p, message.n, MSG_NOSIGNAL);
		while (n < 0 && errno == EINTR);
		return n == (ssize_t)message.n ? 0 : broken(s, "%s: %s", s->path, strerror(errno));
	}
	if (is_gone(s))
		return broken(s, "%s: the other side closed", s->host);
	snprintf(length, sizeof length, "%zu ", message.n);
	int err = send_tls(s, view_str(length));
	return err ? err : send_tls(s, message);
}

static int64_t
now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int
cli_sink_settle(struct cli_sink *s)
{
	const struct timespec nap = { .tv_nsec = SETTLE_NAP_MS * 1000000 };
	int left = 1, was = INT32_MAX;
	int64_t since = now_ms();
	if (s->fd < 0)
		return FG_EIO;
	while (s->kind == CLI_SINK_TLS) {
		if (is_gone(s) || ioctl(s->fd, SIOCOUTQ, &left))
			return broken(s, "%s: the other side closed", s->host);
		if (!left)
			break;
		if (left < was) {
			was = left;
			since = now_ms();
		} else if (now_ms() - since > STUCK_MS) {
			return broken(s, "%s: took nothing for a minute", s->host);
		}
		nanosleep(&nap, NULL);
	}
	return 0;
}
