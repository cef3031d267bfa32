/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/net/tls_private.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include "crypto/err.h"
#include "crypto/wipe.h"

#define READ_AHEAD 4096 /* a request fits: one recv instead of two, header and body of the record */
/*
 * What one call may take from the socket. OpenSSL reads on inside one SSL_read
 * for as long as there is nothing for the caller, as after KeyUpdates of 27
 * bytes each; so many bytes of them are 3 ms. The rest stays in the socket,
 * which so stays readable.
 */
#define READ_BUDGET 8192
/*
 * Records one behind the other that bring no data, once the handshake is over:
 * KeyUpdates, refused renegotiations, alerts. A module has no use for three.
 */
#define IDLE_RECORDS_MAX 32

/*
 * ECDSA before RSA: a P-256 signature costs a fifteenth of an RSA-2048 one.
 * Within each, AES-128 first. Modules offer few, so order rarely decides.
 */
#define SUITES_MODERN                                                                              \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                              \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"                              \
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define SUITES_PSK ":ECDHE-PSK-CHACHA20-POLY1305"
#define SUITES_PSK_LEGACY                                                                          \
	":ECDHE-PSK-AES128-CBC-SHA256:ECDHE-PSK-AES128-CBC-SHA:"                                  \
	"ECDHE-PSK-AES256-CBC-SHA384:ECDHE-PSK-AES256-CBC-SHA:"                                   \
	"PSK-AES128-GCM-SHA256:PSK-AES256-GCM-SHA384:PSK-AES128-CCM:PSK-AES128-CCM8:"             \
	"PSK-AES128-CBC-SHA256:PSK-AES128-CBC-SHA:PSK-AES256-CBC-SHA384:PSK-AES256-CBC-SHA"
#define SUITES_13 "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define SUITES_LEGACY                                                                              \
	":ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:"                                     \
	"ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:"                                            \
	"ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:"                                      \
	"ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:"                                            \
	"AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA256:AES256-SHA256:AES128-SHA:AES256-SHA"

/*
 * Sockets under OpenSSL without its own socket BIO, which writes with write(2)
 * and would raise SIGPIPE.
 */
static int
bio_write(BIO *bio, const char *p, int n)
{
	struct tls_session *s = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	if (s->batch) {
		if (n < 0 || (size_t)n > sizeof s->batch->bytes - s->batch->n)
			abort(); /* TLS_PUT_ROOM is wrong */
		memcpy(s->batch->bytes + s->batch->n, p, (size_t)n);
		s->batch->n += (size_t)n;
		return n;
	}
	if (s->owed) {
		/* Records keep their order. */
		BIO_set_retry_write(bio);
		return -1;
	}
	ssize_t r = n > 0 ? send(s->fd, p, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;
	if (r < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_write(bio);
	return (int)r;
}

static int
bio_read(BIO *bio, char *p, int n)
{
	struct tls_session *s = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	if (s->idle_records > IDLE_RECORDS_MAX)
		return -1; /* for good */
	if (s->budget == 0 && n > 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	size_t max = n > 0 ? (size_t)n : 0;
	if (max > s->budget)
		max = s->budget;
	ssize_t r = max ? recv(s->fd, p, max, MSG_DONTWAIT) : 0;
	if (r < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_read(bio);
	if (r == 0 && n > 0)
		s->eof = true;
	if (r > 0)
		s->budget -= (uint32_t)r;
	return (int)r;
}

static long
bio_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
	const struct tls_session *s = BIO_get_data(bio);
	(void)num;
	(void)ptr;
	if (cmd == BIO_CTRL_FLUSH)
		return 1;
	if (cmd == BIO_CTRL_EOF)
		return s->eof;
	return 0;
}

/* Called for the header of each record, among others. */
static void
on_record(int write, int version, int type, const void *buf, size_t n, SSL *ssl, void *arg)
{
	struct tls_session *s = SSL_get_app_data(ssl);
	(void)version;
	(void)buf;
	(void)n;
	(void)arg;
	if (!write && type == SSL3_RT_HEADER && s->open)
		s->idle_records++;
}

static BIO_METHOD *
method_new(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "fotagate socket");
	if (m && BIO_meth_set_write(m, bio_write) && BIO_meth_set_read(m, bio_read) &&
	    BIO_meth_set_ctrl(m, bio_ctrl))
		return m;
	BIO_meth_free(m);
	return NULL;
}

/* A daemon must never ask a terminal for a passphrase. */
int
tls_no_passphrase(char *buf, int size, int rwflag, void *ctx)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)ctx;
	return -1;
}

BIO *
tls_memory(struct view v)
{
	return v.n && v.n <= INT_MAX ? BIO_new_mem_buf(v.p, (int)v.n) : NULL;
}

X509 *
tls_next_cert(BIO *bio, bool *bad)
{
	X509 *x = PEM_read_bio_X509(bio, NULL, tls_no_passphrase, NULL);
	unsigned long e = ERR_peek_last_error();
	if (!x && ERR_GET_REASON(e) != PEM_R_NO_START_LINE)
		*bad = true;
	ERR_clear_error();
	return x;
}

/* 0 is no kind of OpenSSL's (NID_undef). */
static bool
new_kind(int kind, int kinds[TLS_CERTS_MAX])
{
	size_t i = 0;
	while (i < TLS_CERTS_MAX && kinds[i]) {
		if (kinds[i++] == kind)
			return false;
	}
	if (i < TLS_CERTS_MAX)
		kinds[i] = kind;
	return i < TLS_CERTS_MAX;
}

/*
 * NULL, or what is wrong and what it should be. kinds: of the keys so far. A
 * second one of a kind would take the first's place, and keep its chain.
 */
static const char *
use_pair(SSL_CTX *ctx, const struct tls_pair *pair, int kinds[TLS_CERTS_MAX])
{
	bool bad = false;
	BIO *chain = tls_memory(pair->chain_pem), *secret = tls_memory(pair->key_pem);
	X509 *x = chain ? tls_next_cert(chain, &bad) : NULL;
	EVP_PKEY *key = secret ? PEM_read_bio_PrivateKey(secret, NULL, tls_no_passphrase, NULL) : NULL;
	const char *wrong = NULL;
	if (!x)
		wrong = "the certificate chain cannot be read: PEM, its own certificate first";
	else if (!key)
		wrong = "the key cannot be read: PEM, without a passphrase";
	else if (!new_kind(EVP_PKEY_get_base_id(key), kinds))
		wrong = "both certificates are of one kind: one may be RSA, one of a curve";
	else if (X509_check_private_key(x, key) != 1)
		wrong = "the key is another certificate's";
	else if (SSL_CTX_use_certificate(ctx, x) != 1 || SSL_CTX_use_PrivateKey(ctx, key) != 1)
		wrong = "the certificate is not good enough for this security_level";
	for (X509 *more; !wrong && (more = tls_next_cert(chain, &bad));) {
		if (SSL_CTX_add0_chain_cert(ctx, more) != 1) {
			X509_free(more);
			wrong = "a certificate of the chain is not good enough for this security_level";
		}
	}
	if (!wrong && bad)
		wrong = "the certificate chain has something behind its first certificate that cannot be read";
	X509_free(x);
	EVP_PKEY_free(key);
	BIO_free(chain);
	BIO_free(secret);
	return wrong;
}

/* Modules that offer ALPN at all want http/1.1; the others are served without. */
static int
choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *outlen, const unsigned char *in,
    unsigned int inlen, void *ctx)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *chosen;
	(void)ssl;
	(void)ctx;
	if (SSL_select_next_proto(&chosen, outlen, ours, sizeof ours - 1, in, inlen) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_NOACK;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static bool
set_up(SSL_CTX *ctx, const struct tls_config *config)
{
	static const unsigned char session_context[] = "fotagate";
	int groups[] = { NID_X9_62_prime256v1, NID_X25519, NID_secp384r1 };
	bool legacy = config->suites == TLS_SUITES_LEGACY, psk = config->psk_file.n > 0;
	const char *suites = legacy ? psk ? SUITES_MODERN SUITES_PSK SUITES_LEGACY SUITES_PSK_LEGACY : SUITES_MODERN SUITES_LEGACY
	                            : psk ? SUITES_MODERN SUITES_PSK : SUITES_MODERN;
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
	    SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF |
	    SSL_OP_CLEANSE_PLAINTEXT); /* what was read is ours alone */
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* tickets hold the state */
	SSL_CTX_set_timeout(ctx, TLS_TICKET_S);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_default_read_buffer_len(ctx, READ_AHEAD);
	SSL_CTX_set_verify_depth(ctx, TLS_DEPTH_MAX);
	SSL_CTX_set_default_passwd_cb(ctx, tls_no_passphrase);
	SSL_CTX_set_msg_callback(ctx, on_record);
	SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
	SSL_CTX_set_security_level(ctx, (int)(config->security_level ? config->security_level : TLS_LEVEL));
	return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
	    SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1 &&
	    SSL_CTX_set_cipher_list(ctx, suites) == 1 &&
	    SSL_CTX_set_ciphersuites(ctx, SUITES_13) == 1 &&
	    SSL_CTX_set1_groups(ctx, groups, sizeof groups / sizeof groups[0]) == 1 &&
	    SSL_CTX_set_max_early_data(ctx, 0) == 1 && SSL_CTX_set_num_tickets(ctx, 1) == 1 &&
	    SSL_CTX_set_session_id_context(ctx, session_context, sizeof session_context - 1) == 1 &&
	    SSL_CTX_set_max_send_fragment(ctx,
	        config->send_fragment ? config->send_fragment : TLS_RECORD_MAX) == 1;
}

static const char *
fill(struct tls *tls, const struct tls_config *config)
{
	SSL_CTX *ctx = tls->ctx;
	int kinds[TLS_CERTS_MAX] = { 0 };
	if (config->security_level > TLS_LEVEL_MAX)
		return "the security level is 1 to 3";
	if (!set_up(ctx, config))
		return "OpenSSL refuses the protocol settings (send_fragment is 512 to 16384)";
	if (config->n_pairs == 0 || config->n_pairs > TLS_CERTS_MAX)
		return "one or two certificates are needed";
	for (size_t i = 0; i < config->n_pairs; i++) {
		const char *wrong = use_pair(ctx, &config->pairs[i], kinds);
		if (wrong)
			return wrong;
	}
	return tls_peer_fill(tls, config);
}

static int
fill_psk(struct tls *tls, const struct tls_config *config, char why[TLS_WHY_MAX])
{
	unsigned line;
	if (config->psk_file.n == 0)
		return FG_OK;
	int err = tls_psk_fill(tls, config->psk_file, &line);
	if (err == FG_EINVAL) /* never what is in it */
		snprintf(why, TLS_WHY_MAX, "unusable file of shared keys, line %u (identity:hex, 16 to 64 bytes)", line);
	else if (err == FG_EEXIST)
		snprintf(why, TLS_WHY_MAX, "the file of shared keys has an identity twice");
	return err == FG_ENOMEM ? err : err ? FG_EINVAL : FG_OK;
}

int
tls_tickets_forget(struct tls *tls)
{
	uint8_t secrets[TLS_TICKET_KEYS][TLS_TICKET_SECRET];
	int err = RAND_bytes(secrets[0], sizeof secrets) == 1 ? tls_tickets_set(tls, secrets) : FG_ENOMEM;
	wipe(secrets, sizeof secrets);
	return err;
}

int
tls_new(const struct tls_config *config, struct tls **ret_tls, char why[TLS_WHY_MAX])
{
	struct tls *tls = calloc(1, sizeof *tls);
	if (!tls)
		return FG_ENOMEM;
	tls->refs = 1;
	tls->ctx = SSL_CTX_new(TLS_server_method());
	tls->method = method_new();
	if (!tls->ctx || !tls->method || tls_tickets_context(config, tls->context)) {
		tls_free(tls);
		return FG_ENOMEM;
	}
	ERR_clear_error();
	const char *wrong = fill(tls, config);
	if (wrong) {
		const char *reason = ERR_reason_error_string(ERR_peek_last_error());
		snprintf(why, TLS_WHY_MAX, "%s%s%s", wrong, reason ? ": " : "", reason ? reason : "");
		ERR_clear_error();
		tls_free(tls);
		return FG_EINVAL;
	}
	int err = fill_psk(tls, config, why);
	if (!err) /* of its own, until somebody says others */
		err = tls_tickets_forget(tls);
	if (err) {
		tls_free(tls);
		return err;
	}
	*ret_tls = tls;
	return FG_OK;
}

struct tls *
tls_ref(struct tls *tls)
{
	tls->refs++;
	return tls;
}

void
tls_free(struct tls *tls)
{
	if (!tls || --tls->refs > 0)
		return;
	SSL_CTX_free(tls->ctx);
	sk_X509_CRL_pop_free(tls->crls, X509_CRL_free);
	BIO_meth_free(tls->method);
	wipe(tls->tickets, sizeof tls->tickets);
	tls_psk_free(tls->psk);
	free(tls);
}

struct tls_session *
tls_session_new(struct tls *tls, int fd, int64_t now_s)
{
	struct tls_session *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	BIO *bio = BIO_new(tls->method);
	s->ssl = SSL_new(tls->ctx);
	if (!s->ssl || !bio) {
		BIO_free(bio);
		SSL_free(s->ssl);
		free(s);
		return NULL;
	}
	s->tls = tls_ref(tls);
	s->fd = fd;
	s->now_s = now_s;
	BIO_set_data(bio, s);
	BIO_set_init(bio, 1);
	SSL_set_bio(s->ssl, bio, bio);
	SSL_set_app_data(s->ssl, s);
	SSL_set_accept_state(s->ssl);
	X509_VERIFY_PARAM_set_time(SSL_get0_param(s->ssl), (time_t)now_s);
	return s;
}

void
tls_session_free(struct tls_session *s)
{
	if (!s)
		return;
	SSL_free(s->ssl);
	tls_free(s->tls);
	free(s->psk);
	free(s->peer);
	free(s->owed);
	free(s);
}

/* OpenSSL's word for a result that was not success. */
static enum net_io
ended(struct tls_session *s, int r)
{
	switch (SSL_get_error(s->ssl, r)) {
	case SSL_ERROR_WANT_READ:
		return NET_IO_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return NET_IO_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return NET_IO_EOF;
	default:
		s->dead = true;
		ERR_clear_error();
		return NET_IO_FAILED;
	}
}

enum net_io
tls_session_handshake(struct tls_session *s)
{
	if (s->dead)
		return NET_IO_FAILED;
	ERR_clear_error();
	s->budget = READ_BUDGET;
	int r = SSL_do_handshake(s->ssl);
	if (r == 1) {
		s->open = true;
		s->dead = !tls_peer_take(s) || !tls_psk_take(s);
		return s->dead ? NET_IO_FAILED : NET_IO_DONE;
	}
	enum net_io io = ended(s, r);
	return io == NET_IO_EOF ? NET_IO_FAILED : io;
}

enum net_io
tls_session_read(struct tls_session *s, void *buf, size_t cap, size_t *ret_n, bool *ret_more)
{
	size_t n = 0;
	if (s->dead)
		return NET_IO_FAILED;
	ERR_clear_error();
	s->budget = READ_BUDGET;
	int r = SSL_read_ex(s->ssl, buf, cap, &n);
	*ret_more = r == 1 && SSL_has_pending(s->ssl);
	if (r != 1)
		return ended(s, r);
	s->idle_records = 0;
	*ret_n = n;
	return NET_IO_DONE;
}

enum net_io
tls_session_put(struct tls_session *s, struct tls_batch *batch, struct view bytes, size_t *ret_n)
{
	if (s->owed || bytes.n > TLS_RECORD_MAX || sizeof batch->bytes - batch->n < TLS_PUT_ROOM)
		abort();
	s->batch = batch;
	enum net_io io = tls_session_write(s, bytes.p, bytes.n, ret_n);
	s->batch = NULL;
	if (io == NET_IO_DONE)
		s->put += (uint32_t)*ret_n;
	return io;
}

/* As far as the socket takes it: how much that was, or -1. */
static ssize_t
send_on(struct tls_session *s, const uint8_t *p, size_t n)
{
	ssize_t r;
	do
		r = send(s->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (r < 0 && errno == EINTR);
	return r < 0 && errno == EAGAIN ? 0 : r;
}

enum net_io
tls_session_flush(struct tls_session *s, struct tls_batch *batch, size_t *ret_n, bool *ret_moved)
{
	const uint8_t *p = s->owed ? s->owed->bytes + s->owed->off : batch->bytes;
	size_t n = s->owed ? s->owed->n - s->owed->off : batch->n;
	ssize_t r = s->dead ? -1 : send_on(s, p, n);
	batch->n = 0;
	*ret_moved = r > 0;
	if (r >= 0 && (size_t)r == n) {
		free(s->owed);
		s->owed = NULL;
		*ret_n = s->put;
		s->put = 0;
		return NET_IO_DONE;
	}
	if (r >= 0 && !s->owed) {
		size_t left = n - (size_t)r;
		s->owed = malloc(sizeof *s->owed + left);
		if (s->owed) {
			*s->owed = (struct tls_owed){ .n = left };
			memcpy(s->owed->bytes, p + r, left);
		}
	} else if (r >= 0) {
		s->owed->off += (size_t)r;
	}
	s->dead |= r < 0 || !s->owed;
	return s->dead ? NET_IO_FAILED : NET_IO_WANT_WRITE;
}

size_t
tls_session_owed(const struct tls_session *s)
{
	return s->owed ? s->owed->n : 0;
}

enum net_io
tls_session_write(struct tls_session *s, const void *buf, size_t n, size_t *ret_n)
{
	size_t done = 0;
	if (s->dead)
		return NET_IO_FAILED;
	ERR_clear_error();
	int r = SSL_write_ex(s->ssl, buf, n, &done);
	if (r != 1) {
		enum net_io io = ended(s, r);
		return io == NET_IO_EOF ? NET_IO_FAILED : io;
	}
	*ret_n = done;
	return NET_IO_DONE;
}

void
tls_session_close(struct tls_session *s)
{
	if (s->dead || !SSL_is_init_finished(s->ssl))
		return;
	ERR_clear_error();
	(void)SSL_shutdown(s->ssl);
	ERR_clear_error();
}

const uint8_t *
tls_session_peer(const struct tls_session *s)
{
	return s->has_peer ? s->peer : NULL;
}

const char *
tls_session_name(const struct tls_session *s)
{
	return SSL_get_servername(s->ssl, TLSEXT_NAMETYPE_host_name);
}

enum tls_refusal
tls_session_refusal(const struct tls_session *s, uint8_t ret_spki[TLS_SPKI_LEN])
{
	static const uint8_t nobody[TLS_SPKI_LEN]; /* there was no memory for it */
	if (s->refusal != TLS_REFUSAL_NONE)
		memcpy(ret_spki, s->peer ? s->peer : nobody, TLS_SPKI_LEN);
	return s->refusal;
}

const char *
tls_session_psk(const struct tls_session *s)
{
	return s->psk;
}

bool
tls_session_resumed(const struct tls_session *s)
{
	return SSL_session_reused(s->ssl) == 1;
}
