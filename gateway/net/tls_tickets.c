/* SPDX-License-Identifier: Apache-2.0 */
/* tls_tickets - keys of session tickets, the same in every process that was given the same secrets (RFC 5077). */
#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/rand.h>

#include "crypto/digest.h"
#include "crypto/err.h"
#include "crypto/wipe.h"
#include "gateway/net/tls_private.h"

#define USE_MAX 16 /* "name", "aes", "mac" */

/*
 * What a session was agreed under. A resumed session is not verified anew and
 * keeps its suite, so a ticket must be no good where those would be others: on
 * another listener, or under another CA or a newer revocation list.
 */
int
tls_tickets_context(const struct tls_config *c, uint8_t ret[DIGEST_SHA256_LEN])
{
	uint8_t rows[2][DIGEST_SHA256_LEN];
	uint8_t all[sizeof rows + 3] = { 0 };
	int err = digest_sha256(c->client_ca_pem, rows[0]);
	if (!err)
		err = digest_sha256(c->client_crl_pem, rows[1]);
	if (err)
		return err;
	memcpy(all, rows, sizeof rows);
	all[sizeof rows] = (uint8_t)c->suites;
	all[sizeof rows + 1] = (uint8_t)c->peer;
	all[sizeof rows + 2] = (uint8_t)c->security_level;
	return digest_sha256(view_of(all, sizeof all), ret);
}

/* HMAC as a key derivation: each use its own key. */
static int
derive(const struct tls *tls, const uint8_t secret[TLS_TICKET_SECRET], const char *use, uint8_t ret[DIGEST_SHA256_LEN])
{
	uint8_t text[DIGEST_SHA256_LEN + USE_MAX] = { 0 };
	size_t n = strlen(use);
	if (n >= USE_MAX)
		abort();
	memcpy(text, tls->context, DIGEST_SHA256_LEN);
	memcpy(text + DIGEST_SHA256_LEN, use, n);
	return digest_hmac_sha256(view_of(secret, TLS_TICKET_SECRET), view_of(text, sizeof text), ret);
}

static int
make_key(const struct tls *tls, const uint8_t secret[TLS_TICKET_SECRET], struct tls_ticket_key *k)
{
	uint8_t name[DIGEST_SHA256_LEN];
	int err = derive(tls, secret, "name", name);
	if (!err)
		err = derive(tls, secret, "aes", k->aes);
	if (!err)
		err = derive(tls, secret, "mac", k->mac);
	memcpy(k->name, name, sizeof k->name);
	return err;
}

static int
start_mac(EVP_MAC_CTX *mac, struct tls_ticket_key *k)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, k->mac, sizeof k->mac),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){ "SHA256" }, 0),
		OSSL_PARAM_construct_end(),
	};
	return EVP_MAC_CTX_set_params(mac, params);
}

/* OpenSSL's own contract: -1 fault; 0 no ticket, or not one of ours; 1 good; 2 good, and a new one is to be given. */
static int
on_ticket(SSL *ssl, unsigned char name[16], unsigned char iv[EVP_MAX_IV_LENGTH], EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
    int sealing)
{
	const struct tls_session *s = SSL_get_app_data(ssl);
	struct tls *tls = s->tls;
	if (sealing) {
		struct tls_ticket_key *k = &tls->tickets[0];
		if (SSL_get_psk_identity(ssl)) /* a shared key costs no signature, and may be withdrawn at any time */
			return 0;
		memcpy(name, k->name, sizeof k->name);
		return RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) == 1 &&
		    EVP_EncryptInit_ex2(cipher, EVP_aes_256_cbc(), k->aes, iv, NULL) == 1 && start_mac(mac, k) == 1 ? 1 : -1;
	}
	for (unsigned i = 0; i < TLS_TICKET_KEYS; i++) {
		struct tls_ticket_key *k = &tls->tickets[i];
		if (!wipe_equal(name, k->name, sizeof k->name))
			continue;
		if (start_mac(mac, k) != 1 || EVP_DecryptInit_ex2(cipher, EVP_aes_256_cbc(), k->aes, iv, NULL) != 1)
			return -1;
		/* In TLS 1.3 a ticket is used once (RFC 8446 C.4). */
		return i > 0 || SSL_version(ssl) == TLS1_3_VERSION ? 2 : 1;
	}
	return 0;
}

bool
tls_data_set(SSL_SESSION *session, enum tls_data kind, struct view v)
{
	uint8_t all[TLS_DATA_MAX];
	if (v.n >= sizeof all)
		return false;
	all[0] = (uint8_t)kind;
	if (v.n)
		memcpy(all + 1, v.p, v.n);
	return SSL_SESSION_set1_ticket_appdata(session, all, v.n + 1) == 1;
}

struct view
tls_data_get(SSL_SESSION *session, enum tls_data kind)
{
	void *p = NULL;
	size_t n = 0;
	if (SSL_SESSION_get0_ticket_appdata(session, &p, &n) != 1 || n == 0 || ((uint8_t *)p)[0] != (uint8_t)kind)
		return view_of(NULL, 0);
	return view_of((uint8_t *)p + 1, n - 1);
}

/*
 * In TLS 1.3 each resumption brings a new ticket, which for OpenSSL begins a new
 * life. The time of the one handshake that verified something goes from each to
 * the next.
 */
static int
on_seal(SSL *ssl, void *arg)
{
	const struct tls_session *s = SSL_get_app_data(ssl);
	SSL_SESSION *session = SSL_get_session(ssl);
	uint8_t when[sizeof s->now_s];
	(void)arg;
	if (tls_data_get(session, TLS_DATA_TIME).n == sizeof when)
		return 1;
	memcpy(when, &s->now_s, sizeof when); /* read by processes of this machine only */
	return tls_data_set(session, TLS_DATA_TIME, view_of(when, sizeof when));
}

/* Whether a full handshake would still find what it found then, as far as that is a matter of time. */
static bool
still_good(const struct tls_session *s, SSL_SESSION *session)
{
	struct view when = tls_data_get(session, TLS_DATA_TIME);
	time_t now = (time_t)s->now_s;
	int64_t then;
	if (when.n != sizeof then)
		return false;
	memcpy(&then, when.p, sizeof then);
	if (then > s->now_s || s->now_s - then >= TLS_TICKET_S)
		return false;
	const X509 *x = SSL_SESSION_get0_peer(session);
	if (x && (X509_cmp_time(X509_get0_notBefore(x), &now) >= 0 || X509_cmp_time(X509_get0_notAfter(x), &now) <= 0))
		return false;
	/* Of whichever CA: who else has a certificate is asked for it again, no more. */
	for (int i = 0; x && i < sk_X509_CRL_num(s->tls->crls); i++) {
		const ASN1_TIME *end = X509_CRL_get0_nextUpdate(sk_X509_CRL_value(s->tls->crls, i));
		if (end && X509_cmp_time(end, &now) <= 0)
			return false;
	}
	return true;
}

static SSL_TICKET_RETURN
on_open(SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t name_n, SSL_TICKET_STATUS status, void *arg)
{
	(void)name;
	(void)name_n;
	(void)arg;
	if ((status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW) || !still_good(SSL_get_app_data(ssl), session))
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

int
tls_tickets_set(struct tls *tls, const uint8_t secrets[TLS_TICKET_KEYS][TLS_TICKET_SECRET])
{
	struct tls_ticket_key keys[TLS_TICKET_KEYS];
	int err = FG_OK;
	for (unsigned i = 0; !err && i < TLS_TICKET_KEYS; i++)
		err = make_key(tls, secrets[i], &keys[i]);
	if (!err) {
		memcpy(tls->tickets, keys, sizeof keys);
		SSL_CTX_set_tlsext_ticket_key_evp_cb(tls->ctx, on_ticket);
		if (SSL_CTX_set_session_ticket_cb(tls->ctx, on_seal, on_open, NULL) != 1)
			err = FG_ENOMEM;
	}
	wipe(keys, sizeof keys);
	return err;
}
