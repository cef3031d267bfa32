/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/gateway/net_pki.h"

#include <sys/ioctl.h>

#include "crypto/digest.h"

#define GET "GET /f/a HTTP/1.1\r\nHost: h\r\n\r\n"
#define RANGE "GET /f/a HTTP/1.1\r\nHost: h\r\nRange: bytes=0-2047\r\n\r\n"

/* One of everything, made once: RSA keys take their time. */
struct world {
	struct pki ca, other_ca, ec, rsa, client, stranger, server_only;
};

static int
make_world(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	assert_non_null(w);
	w->ca = pki_new("test CA", false, NULL, NULL, RIG_WALL);
	w->other_ca = pki_new("another CA", false, NULL, NULL, RIG_WALL);
	w->ec = pki_new("gate.example", false, &w->ca, "serverAuth", RIG_WALL);
	w->rsa = pki_new("gate.example", true, &w->ca, "serverAuth", RIG_WALL);
	w->client = pki_new("module 1", false, &w->ca, "clientAuth", RIG_WALL);
	w->stranger = pki_new("module 1", false, &w->other_ca, "clientAuth", RIG_WALL);
	w->server_only = pki_new("module 1", false, &w->ca, "serverAuth", RIG_WALL);
	*state = w;
	return 0;
}

static int
end_world(void **state)
{
	struct world *w = *state;
	struct pki *all[] = { &w->ca, &w->other_ca, &w->ec, &w->rsa, &w->client, &w->stranger,
		&w->server_only };
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		pki_free(all[i]);
	free(w);
	return 0;
}

static struct tls_config
both(const struct world *w)
{
	struct tls_config config = pki_config(&w->ec);
	config.pairs[1] = (struct tls_pair){ view_str(w->rsa.cert_pem), view_str(w->rsa.key_pem) };
	config.n_pairs = 2;
	return config;
}

static struct rig *
rig_with(const struct tls_config *config)
{
	struct tls *tls = pki_tls(config);
	struct rig *r = rig_new(NULL, tls, HTTP_LENIENT);
	tls_free(tls);
	return r;
}

/* A client that speaks only that version and, for 1.2, those suites. */
static SSL_CTX *
client(int version, const char *suites)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	assert_non_null(ctx);
	if (version) {
		assert_int_equal(SSL_CTX_set_min_proto_version(ctx, version), 1);
		assert_int_equal(SSL_CTX_set_max_proto_version(ctx, version), 1);
	}
	if (suites)
		assert_int_equal(SSL_CTX_set_cipher_list(ctx, suites), 1);
	return ctx;
}

/* Connects, asks once; NULL when the handshake or the answer failed. */
static struct rig_client *
ask_with(struct rig *r, SSL_CTX *ctx, const char *text)
{
	struct rig_client *c = rig_connect(r);
	struct rig_reply reply;
	if (pki_handshake(r, c, ctx)) {
		rig_send(r, c, text);
		if (rig_reply_head(r, c, &reply)) {
			rig_body(r, c, &reply);
			rig_assert_image(&reply, 0);
			rig_eat(c, reply.n);
			return c;
		}
	}
	rig_hang_up(c);
	rig_settle(r);
	return NULL;
}

static void
refused(const struct tls_config *config)
{
	char why[TLS_WHY_MAX] = "";
	struct tls *tls = NULL;
	assert_int_equal(tls_new(config, &tls, why), FG_EINVAL);
	assert_null(tls);
	assert_true(strlen(why) > 0);
}

static void
both_versions_serve(void **state)
{
	const struct world *w = *state;
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	const struct tls_config config = both(w);
	struct rig *r = rig_with(&config);
	for (size_t i = 0; i < 2; i++) {
		SSL_CTX *ctx = client(versions[i], NULL);
		struct rig_client *c = ask_with(r, ctx, GET);
		assert_non_null(c);
		assert_string_equal(r->name, "gate.example");
		assert_false(r->has_peer_key);
		/* Keep-alive, ranges and several requests in one record */
		struct rig_reply reply = rig_ask(r, c, RANGE RANGE);
		assert_int_equal(reply.status, 206);
		rig_eat(c, reply.n);
		assert_true(rig_reply_head(r, c, &reply));
		rig_body(r, c, &reply);
		rig_assert_image(&reply, 0);
		rig_hang_up(c);
		SSL_CTX_free(ctx);
	}
	rig_free(r);
}

static void
the_certificate_fits_the_client(void **state)
{
	const struct world *w = *state;
	static const struct {
		const char *suites;
		int key;
	} cases[] = {
		{ "ECDHE-ECDSA-AES128-GCM-SHA256", EVP_PKEY_EC },
		{ "ECDHE-RSA-AES128-GCM-SHA256", EVP_PKEY_RSA },
		{ "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256", EVP_PKEY_EC },
		{ "ECDHE-ECDSA-AES128-SHA", EVP_PKEY_EC },   /* nRF91 */
		{ "ECDHE-RSA-AES128-SHA", EVP_PKEY_RSA },    /* BG9x */
		{ "AES128-SHA", EVP_PKEY_RSA },              /* BG9x without ECDHE */
		{ "AES256-SHA256", EVP_PKEY_RSA },
	};
	const struct tls_config config = both(w);
	struct rig *r = rig_with(&config);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		SSL_CTX *ctx = client(TLS1_2_VERSION, cases[i].suites);
		struct rig_client *c = ask_with(r, ctx, RANGE);
		if (!c)
			fail_msg("no handshake with %s", cases[i].suites);
		X509 *x = SSL_get1_peer_certificate(c->ssl);
		assert_int_equal(EVP_PKEY_get_base_id(X509_get0_pubkey(x)), cases[i].key);
		X509_free(x);
		rig_hang_up(c);
		SSL_CTX_free(ctx);
	}
	rig_free(r);
}

/* TLS 1.3 names keys apart from suites: whatever order the client has, the cheap signature wins. */
static void
p256_is_preferred_in_tls13(void **state)
{
	const struct world *w = *state;
	static const struct {
		const char *signatures;
		int key;
	} cases[] = {
		{ "rsa_pss_rsae_sha256:ecdsa_secp256r1_sha256", EVP_PKEY_EC },
		{ "ecdsa_secp256r1_sha256", EVP_PKEY_EC },
		{ "rsa_pss_rsae_sha256", EVP_PKEY_RSA },
	};
	struct tls_config config = both(w);
	config.suites = TLS_SUITES_MODERN;
	/* In whatever order they are configured. */
	struct tls_pair first = config.pairs[0];
	config.pairs[0] = config.pairs[1];
	config.pairs[1] = first;
	struct rig *r = rig_with(&config);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		SSL_CTX *ctx = client(TLS1_3_VERSION, NULL);
		assert_int_equal(SSL_CTX_set1_sigalgs_list(ctx, cases[i].signatures), 1);
		struct rig_client *c = ask_with(r, ctx, RANGE);
		assert_non_null(c);
		X509 *x = SSL_get1_peer_certificate(c->ssl);
		assert_int_equal(EVP_PKEY_get_base_id(X509_get0_pubkey(x)), cases[i].key);
		X509_free(x);
		rig_hang_up(c);
		SSL_CTX_free(ctx);
	}
	rig_free(r);
}

static void
modern_listeners_refuse_old_suites(void **state)
{
	const struct world *w = *state;
	struct tls_config config = both(w);
	config.suites = TLS_SUITES_MODERN;
	struct rig *r = rig_with(&config);
	static const char *const old[] = { "ECDHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA256", "AES128-SHA",
		"AES128-GCM-SHA256" };
	SSL_CTX *fresh = client(TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256");
	for (unsigned i = 0; i < sizeof old / sizeof old[0]; i++) {
		SSL_CTX *ctx = client(TLS1_2_VERSION, old[i]);
		assert_null(ask_with(r, ctx, RANGE));
		assert_int_equal(net_counters(r->net)->handshake_faults, i + 1);
		assert_int_equal(r->closed.why, CONN_WHY_TLS);
		SSL_CTX_free(ctx);
	}
	struct rig_client *c = ask_with(r, fresh, RANGE);
	assert_non_null(c);
	rig_hang_up(c);
	SSL_CTX_free(fresh);
	rig_free(r);
}

static void
old_versions_are_refused(void **state)
{
	const struct world *w = *state;
	const struct tls_config config = both(w);
	struct rig *r = rig_with(&config);
	SSL_CTX *ctx = client(TLS1_1_VERSION, "ALL:@SECLEVEL=0");
	assert_null(ask_with(r, ctx, RANGE));
	SSL_CTX_free(ctx);
	rig_free(r);
}

static SSL_CTX *
client_as(const struct pki *who)
{
	SSL_CTX *ctx = client(0, NULL);
	assert_int_equal(SSL_CTX_use_certificate(ctx, who->cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, who->key), 1);
	return ctx;
}

static void
spki(const struct pki *p, uint8_t out[TLS_SPKI_LEN])
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(p->key, &der);
	assert_true(n > 0);
	assert_int_equal(digest_sha256(view_of(der, (size_t)n), out), FG_OK);
	OPENSSL_free(der);
}

static void
client_certificates(void **state)
{
	const struct world *w = *state;
	static const enum tls_peer modes[] = { TLS_PEER_OPTIONAL, TLS_PEER_REQUIRED };
	uint8_t key[TLS_SPKI_LEN];
	spki(&w->client, key);
	for (size_t i = 0; i < 2; i++) {
		struct tls_config config = both(w);
		config.peer = modes[i];
		config.client_ca_pem = view_str(w->ca.cert_pem);
		struct rig *r = rig_with(&config);
		SSL_CTX *known = client_as(&w->client), *stranger = client_as(&w->stranger);
		SSL_CTX *wrong_use = client_as(&w->server_only), *nobody = client(0, NULL);
		struct rig_client *c = ask_with(r, known, RANGE);
		assert_non_null(c);
		assert_true(r->has_peer_key);
		assert_memory_equal(r->peer_key, key, sizeof key);
		rig_hang_up(c);
		c = ask_with(r, nobody, RANGE);
		assert_int_equal(c != NULL, modes[i] == TLS_PEER_OPTIONAL);
		rig_hang_up(c);
		/* A wrong identity is not taken for none, even where none would do. */
		r->requests = 0;
		assert_null(ask_with(r, stranger, RANGE));
		assert_null(ask_with(r, wrong_use, RANGE));
		/* Nor one whose time has passed: by the engine's clock. */
		r->wall_s += 2 * 86400;
		assert_null(ask_with(r, known, RANGE));
		assert_int_equal(r->requests, 0);
		SSL_CTX_free(known);
		SSL_CTX_free(stranger);
		SSL_CTX_free(wrong_use);
		SSL_CTX_free(nobody);
		rig_free(r);
	}
}

/* The newest ticket a client was given. */
static int
keep_session(SSL *ssl, SSL_SESSION *session)
{
	SSL_SESSION **kept = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	SSL_SESSION_free(*kept);
	*kept = session;
	return 1;
}

static void
tickets_resume_and_keep_the_identity(void **state)
{
	const struct world *w = *state;
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct tls_config config = both(w);
	config.peer = TLS_PEER_REQUIRED;
	config.client_ca_pem = view_str(w->ca.cert_pem);
	for (size_t i = 0; i < 2; i++) {
		struct rig *r = rig_with(&config);
		SSL_SESSION *kept = NULL;
		SSL_CTX *ctx = client_as(&w->client);
		assert_int_equal(SSL_CTX_set_min_proto_version(ctx, versions[i]), 1);
		assert_int_equal(SSL_CTX_set_max_proto_version(ctx, versions[i]), 1);
		SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT);
		SSL_CTX_set_app_data(ctx, &kept);
		SSL_CTX_sess_set_new_cb(ctx, keep_session);
		struct rig_client *c = ask_with(r, ctx, RANGE);
		assert_non_null(c);
		assert_false(SSL_session_reused(c->ssl));
		rig_hang_up(c);
		assert_non_null(kept);
		assert_int_equal(SSL_SESSION_get_max_early_data(kept), 0);
		assert_true(SSL_SESSION_has_ticket(kept));
		/* Again, with the session */
		c = rig_connect(r);
		r->has_peer_key = false;
		assert_true(pki_resume(r, c, ctx, kept));
		assert_true(SSL_session_reused(c->ssl));
		assert_int_equal(rig_ask(r, c, RANGE).status, 206);
		assert_true(r->has_peer_key);
		rig_hang_up(c);
		SSL_SESSION_free(kept);
		SSL_CTX_free(ctx);
		rig_free(r);
	}
}

static void
no_renegotiation(void **state)
{
	const struct world *w = *state;
	const struct tls_config config = both(w);
	struct rig *r = rig_with(&config);
	SSL_CTX *ctx = client(TLS1_2_VERSION, NULL);
	struct rig_client *c = ask_with(r, ctx, RANGE);
	assert_non_null(c);
	bool refused = SSL_renegotiate(c->ssl) != 1;
	for (int i = 0; i < 50 && !refused; i++) {
		ERR_clear_error();
		int ok = SSL_do_handshake(c->ssl);
		int why = SSL_get_error(c->ssl, ok);
		assert_int_not_equal(ok, 1);
		refused = why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE;
		rig_settle(r);
	}
	assert_true(refused);
	rig_hang_up(c);
	SSL_CTX_free(ctx);
	rig_free(r);
}

/* n KeyUpdates that want no answer, as one run of bytes. free(). */
static char *
key_updates(SSL *ssl, unsigned n, size_t *ret_n)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p;
	SSL_set0_wbio(ssl, bio);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
		assert_int_equal(SSL_do_handshake(ssl), 1);
	}
	*ret_n = (size_t)BIO_get_mem_data(bio, &p);
	char *copy = malloc(*ret_n);
	assert_non_null(copy);
	memcpy(copy, p, *ret_n);
	return copy;
}

/* OpenSSL takes one after the other inside one call, for as long as there are any. */
static void
key_updates_keep_nobody_busy(void **state)
{
	const struct world *w = *state;
	const struct tls_config config = both(w);
	static const unsigned counts[] = { 3, 1000 };
	for (size_t i = 0; i < 2; i++) {
		struct rig *r = rig_with(&config);
		SSL_CTX *ctx = client(TLS1_3_VERSION, NULL);
		struct rig_client *c = ask_with(r, ctx, RANGE);
		size_t n;
		assert_non_null(c);
		char *run = key_updates(c->ssl, counts[i], &n);
		assert_int_equal(send(c->fd, run, n, MSG_NOSIGNAL), (ssize_t)n);
		rig_settle(r);
		assert_int_equal(r->closes, i); /* few are a module's good right, many are not */
		assert_int_equal(r->closed.why, i ? CONN_WHY_PEER : CONN_WHY_UNKNOWN);
		free(run);
		rig_hang_up(c);
		SSL_CTX_free(ctx);
		rig_free(r);
	}
}

/* However much there is, a call reads little of it, and the socket still says that there is more. */
static void
a_call_reads_little(void **state)
{
	const struct world *w = *state;
	const struct tls_config config = both(w);
	struct tls *tls = pki_tls(&config);
	SSL_CTX *ctx = client(TLS1_3_VERSION, NULL);
	SSL *ssl = SSL_new(ctx);
	static uint8_t big[TLS_RECORD_MAX];
	int fd[2], before = 0, after = 0;
	size_t n = 0;
	bool more;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd), 0);
	struct tls_session *s = tls_session_new(tls, fd[0], RIG_WALL);
	assert_non_null(s);
	assert_int_equal(SSL_set_fd(ssl, fd[1]), 1);
	enum net_io io = NET_IO_WANT_READ;
	for (int i = 0; i < 10 && (SSL_connect(ssl) != 1 || io != NET_IO_DONE); i++)
		if (io != NET_IO_DONE)
			io = tls_session_handshake(s);
	assert_int_equal(io, NET_IO_DONE);
	assert_int_equal(SSL_write(ssl, big, sizeof big), (int)sizeof big);
	assert_int_equal(ioctl(fd[0], FIONREAD, &before), 0);
	assert_int_equal(tls_session_read(s, big, sizeof big, &n, &more), NET_IO_WANT_READ);
	assert_false(more);
	assert_int_equal(ioctl(fd[0], FIONREAD, &after), 0);
	assert_true(after > 0 && after < before);
	for (int i = 0; i < 10 && (io = tls_session_read(s, big, sizeof big, &n, &more)) == NET_IO_WANT_READ; i++)
		;
	assert_int_equal(io, NET_IO_DONE);
	assert_int_equal(n, sizeof big);
	tls_session_free(s);
	tls_free(tls);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(fd[0]);
	close(fd[1]);
}

static void
small_records_and_slow_readers(void **state)
{
	const struct world *w = *state;
	struct tls_config config = both(w);
	config.send_fragment = 1024;
	struct rig *r = rig_with(&config);
	r->size = 3000001;
	SSL_CTX *ctx = client(0, NULL);
	struct rig_client *c = rig_connect_from(r, NULL, 4096);
	assert_true(pki_handshake(r, c, ctx));
	struct rig_reply reply = rig_ask(r, c, GET);
	assert_int_equal(reply.n, 3000001);
	rig_assert_image(&reply, 0);
	assert_int_equal(r->sent.sent, 3000001);
	rig_hang_up(c);
	SSL_CTX_free(ctx);
	rig_free(r);
}

static void
full_records_to_a_slow_reader(void **state)
{
	const struct world *w = *state;
	const struct tls_config config = both(w);
	struct rig *r = rig_with(&config);
	r->size = 3000001;
	SSL_CTX *ctx = client(0, NULL);
	struct rig_client *c = rig_connect_from(r, NULL, 4096);
	assert_true(pki_handshake(r, c, ctx));
	struct rig_reply reply = rig_ask(r, c, GET);
	assert_int_equal(reply.n, 3000001);
	rig_assert_image(&reply, 0);
	rig_hang_up(c);
	SSL_CTX_free(ctx);
	rig_free(r);
}

/* Longest record a session has sent so far, by its header (RFC 8446 5.1), as the client's hook sees it. */
static void
note_record(int write, int version, int type, const void *buf, size_t n, SSL *ssl, void *arg)
{
	const uint8_t *p = buf;
	size_t *longest = arg, len;
	(void)version;
	(void)ssl;
	if (write || type != SSL3_RT_HEADER || n != 5)
		return;
	len = (size_t)p[3] << 8 | p[4];
	if (len > *longest)
		*longest = len;
}

/* RFC 6066 section 4: asked for, it bounds records of the handshake and of the image alike. */
static void
max_fragment_length_is_honoured(void **state)
{
	const struct world *w = *state;
	static const struct {
		int version;
		uint8_t asked;
		uint32_t configured;
		size_t longest; /* with what encryption adds: 22 (1.3) or 24 (1.2) bytes */
	} cases[] = {
		{ TLS1_2_VERSION, TLSEXT_max_fragment_length_512, 0, 512 + 24 },
		{ TLS1_3_VERSION, TLSEXT_max_fragment_length_512, 0, 512 + 22 },
		{ TLS1_2_VERSION, TLSEXT_max_fragment_length_4096, 0, 4096 + 24 },
		{ TLS1_2_VERSION, TLSEXT_max_fragment_length_4096, 1024, 1024 + 24 }, /* the smaller of both */
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct tls_config config = both(w);
		size_t longest = 0;
		config.send_fragment = cases[i].configured;
		struct rig *r = rig_with(&config);
		r->size = 100001;
		SSL_CTX *ctx = client(cases[i].version, NULL);
		assert_int_equal(SSL_CTX_set_tlsext_max_fragment_length(ctx, cases[i].asked), 1);
		SSL_CTX_set_msg_callback(ctx, note_record);
		SSL_CTX_set_msg_callback_arg(ctx, &longest);
		struct rig_client *c = rig_connect(r);
		assert_true(pki_handshake(r, c, ctx));
		if (!cases[i].configured)
			assert_true(longest <= cases[i].longest); /* the certificates too */
		longest = 0;
		struct rig_reply reply = rig_ask(r, c, GET);
		assert_int_equal(reply.n, 100001);
		rig_assert_image(&reply, 0);
		assert_true(longest > cases[i].longest - 24 && longest <= cases[i].longest);
		rig_hang_up(c);
		SSL_CTX_free(ctx);
		rig_free(r);
	}
}

static void
security_level_bounds_keys(void **state)
{
	const struct world *w = *state;
	struct tls_config config = both(w);
	config.security_level = 3; /* 128 bits: RSA-2048 has 112 */
	refused(&config);
	config = pki_config(&w->ec);
	config.security_level = 3;
	struct rig *r = rig_with(&config);
	SSL_CTX *ctx = client(0, NULL);
	struct rig_client *c = ask_with(r, ctx, RANGE);
	assert_non_null(c);
	rig_hang_up(c);
	SSL_CTX_free(ctx);
	rig_free(r);
	config.security_level = TLS_LEVEL_MAX + 1;
	refused(&config);
}

/* A module with a 2 KiB buffer: one record, head included. */
static void
head_and_body_share_a_record(void **state)
{
	const struct world *w = *state;
	const struct tls_config config = both(w);
	struct rig *r = rig_with(&config);
	SSL_CTX *ctx = client(TLS1_2_VERSION, NULL);
	struct rig_client *c = rig_connect(r);
	char buf[16384];
	assert_true(pki_handshake(r, c, ctx));
	rig_send(r, c, RANGE);
	rig_settle(r);
	/* SSL_read never crosses a record. */
	int n = SSL_read(c->ssl, buf, sizeof buf);
	assert_true(n > 2048 && n < 2048 + 512);
	assert_int_equal(SSL_pending(c->ssl), 0);
	rig_hang_up(c);
	SSL_CTX_free(ctx);
	rig_free(r);
}

static void
requests_dribbled_through_records(void **state)
{
	const struct world *w = *state;
	const struct tls_config config = both(w);
	struct rig *r = rig_with(&config);
	SSL_CTX *ctx = client(0, NULL);
	struct rig_client *c = rig_connect(r);
	assert_true(pki_handshake(r, c, ctx));
	for (size_t i = 0; i < sizeof RANGE - 1; i++)
		rig_send_bytes(r, c, &RANGE[i], 1);
	struct rig_reply reply;
	assert_true(rig_reply_head(r, c, &reply));
	assert_int_equal(reply.status, 206);
	rig_hang_up(c);
	SSL_CTX_free(ctx);
	rig_free(r);
}

static void
close_is_announced(void **state)
{
	const struct world *w = *state;
	const struct tls_config config = both(w);
	struct rig *r = rig_with(&config);
	SSL_CTX *ctx = client(0, NULL);
	struct rig_client *c = ask_with(r, ctx,
	    "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nRange: bytes=0-1\r\n\r\n");
	assert_non_null(c);
	rig_assert_end(r, c);
	assert_false(c->reset); /* close_notify came: the end is not a cut */
	assert_true(SSL_get_shutdown(c->ssl) & SSL_RECEIVED_SHUTDOWN);
	rig_hang_up(c);
	SSL_CTX_free(ctx);
	rig_free(r);
}

static void
a_transfer_can_be_reset(void **state)
{
	const struct world *w = *state;
	const struct tls_config config = both(w);
	struct rig *r = rig_with(&config);
	r->size = 64 << 20;
	SSL_CTX *ctx = client(0, NULL);
	struct rig_client *c = rig_connect(r);
	assert_true(pki_handshake(r, c, ctx));
	rig_send(r, c, GET);
	rig_want(r, c, 100000);
	conn_reset(conn_find(r->net, r->held));
	while (!c->eof)
		rig_want(r, c, c->n + 1);
	assert_true(c->reset);
	rig_settle(r);
	assert_int_equal(r->done, 1);
	rig_hang_up(c);
	SSL_CTX_free(ctx);
	rig_free(r);
}

static void
plain_text_on_the_tls_port(void **state)
{
	const struct world *w = *state;
	const struct tls_config config = both(w);
	struct rig *r = rig_with(&config);
	struct rig_client *c = rig_connect(r);
	rig_send(r, c, GET);
	while (!c->eof)
		rig_want(r, c, c->n + 1);
	rig_settle(r);
	assert_int_equal(r->closed.why, CONN_WHY_TLS);
	assert_int_equal(r->requests, 0);
	rig_hang_up(c);
	rig_free(r);
}

static void
alpn(void **state)
{
	const struct world *w = *state;
	const struct tls_config config = both(w);
	struct rig *r = rig_with(&config);
	SSL_CTX *ctx = client(0, NULL);
	static const unsigned char h2[] = "\x02h2", two[] = "\x02h2\x08http/1.1";
	const unsigned char *got;
	unsigned n;
	assert_int_equal(SSL_CTX_set_alpn_protos(ctx, two, sizeof two - 1), 0);
	struct rig_client *c = ask_with(r, ctx, RANGE);
	assert_non_null(c);
	SSL_get0_alpn_selected(c->ssl, &got, &n);
	assert_int_equal(n, 8);
	assert_memory_equal(got, "http/1.1", 8);
	rig_hang_up(c);
	assert_int_equal(SSL_CTX_set_alpn_protos(ctx, h2, sizeof h2 - 1), 0);
	c = ask_with(r, ctx, RANGE);
	assert_non_null(c);
	SSL_get0_alpn_selected(c->ssl, &got, &n);
	assert_int_equal(n, 0);
	rig_hang_up(c);
	SSL_CTX_free(ctx);
	rig_free(r);
}

static void
unusable_configurations(void **state)
{
	const struct world *w = *state;
	struct tls_config config = both(w);
	config.peer = TLS_PEER_UNKNOWN; /* must be said */
	refused(&config);
	config = both(w);
	config.n_pairs = 0;
	refused(&config);
	config.n_pairs = TLS_CERTS_MAX + 1;
	refused(&config);
	config = both(w);
	config.pairs[0].key_pem = view_str(w->client.key_pem); /* another one's */
	refused(&config);
	config = both(w);
	config.pairs[1] = config.pairs[0]; /* of which one would be used, with both chains */
	refused(&config);
	config.pairs[1] = (struct tls_pair){ view_str(w->client.cert_pem), view_str(w->client.key_pem) };
	refused(&config);
	config = both(w);
	config.pairs[0].key_pem = view_str(w->rsa.key_pem);
	refused(&config);
	config = both(w);
	config.pairs[0].chain_pem = view_str("not PEM");
	refused(&config);
	config = both(w);
	config.pairs[0].key_pem = view_of(NULL, 0);
	refused(&config);
	config = both(w);
	config.peer = TLS_PEER_REQUIRED; /* but no CA */
	refused(&config);
	config.client_ca_pem = view_str("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	refused(&config);
	config = both(w);
	config.send_fragment = 100;
	refused(&config);
	tls_free(NULL);
	tls_session_free(NULL);
}

/* An encrypted key must be an error, not a question on a terminal. */
static void
encrypted_keys_are_refused(void **state)
{
	const struct world *w = *state;
	BIO *bio = BIO_new(BIO_s_mem());
	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, w->ec.key, EVP_aes_128_cbc(), "secret", 6,
	    NULL, NULL), 1);
	char *pem = pki_text(bio);
	struct tls_config config = both(w);
	config.pairs[0].key_pem = view_str(pem);
	refused(&config);
	free(pem);
}

static void
a_chain_is_sent_whole(void **state)
{
	const struct world *w = *state;
	char *chain = calloc(1, strlen(w->ec.cert_pem) + strlen(w->ca.cert_pem) + 1);
	assert_non_null(chain);
	memcpy(chain, w->ec.cert_pem, strlen(w->ec.cert_pem));
	strcat(chain, w->ca.cert_pem);
	struct tls_config config = both(w);
	config.pairs[0].chain_pem = view_str(chain);
	struct rig *r = rig_with(&config);
	SSL_CTX *ctx = client(TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256");
	struct rig_client *c = ask_with(r, ctx, RANGE);
	assert_non_null(c);
	assert_int_equal(sk_X509_num(SSL_get_peer_cert_chain(c->ssl)), 2);
	rig_hang_up(c);
	SSL_CTX_free(ctx);
	rig_free(r);
	free(chain);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_versions_serve),
		cmocka_unit_test(the_certificate_fits_the_client),
		cmocka_unit_test(p256_is_preferred_in_tls13),
		cmocka_unit_test(modern_listeners_refuse_old_suites),
		cmocka_unit_test(old_versions_are_refused),
		cmocka_unit_test(client_certificates),
		cmocka_unit_test(tickets_resume_and_keep_the_identity),
		cmocka_unit_test(no_renegotiation),
		cmocka_unit_test(key_updates_keep_nobody_busy),
		cmocka_unit_test(a_call_reads_little),
		cmocka_unit_test(small_records_and_slow_readers),
		cmocka_unit_test(full_records_to_a_slow_reader),
		cmocka_unit_test(max_fragment_length_is_honoured),
		cmocka_unit_test(security_level_bounds_keys),
		cmocka_unit_test(head_and_body_share_a_record),
		cmocka_unit_test(requests_dribbled_through_records),
		cmocka_unit_test(close_is_announced),
		cmocka_unit_test(a_transfer_can_be_reset),
		cmocka_unit_test(plain_text_on_the_tls_port),
		cmocka_unit_test(alpn),
		cmocka_unit_test(unusable_configurations),
		cmocka_unit_test(encrypted_keys_are_refused),
		cmocka_unit_test(a_chain_is_sent_whole),
	};
	return cmocka_run_group_tests_name("tls", tests, make_world, end_world);
}
