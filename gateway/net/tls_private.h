/* SPDX-License-Identifier: Apache-2.0 */
/* tls_private - what tls*.c share, and nobody else sees. */
#ifndef FG_NET_TLS_PRIVATE_H
#define FG_NET_TLS_PRIVATE_H

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "crypto/digest.h"
#include "gateway/net/tls.h"

struct tls_ticket_key {
	uint8_t name[16];
	uint8_t aes[32];
	uint8_t mac[32];
};

struct tls_psk;

struct tls {
	SSL_CTX *ctx;
	BIO_METHOD *method;
	STACK_OF(X509_CRL) *crls; /* those of ctx, or NULL */
	struct tls_psk *psk; /* or NULL */
	uint8_t context[DIGEST_SHA256_LEN]; /* of tickets: tls_tickets_context() */
	struct tls_ticket_key tickets[TLS_TICKET_KEYS];
	unsigned refs; /* one process, one thread */
};

/* What the socket did not take. */
struct tls_owed {
	size_t n, off;
	uint8_t bytes[];
};

struct tls_session {
	struct tls *tls;
	SSL *ssl;
	int fd;
	uint32_t put;            /* bytes put since the last complete flush: at most a batch */
	struct tls_batch *batch; /* where records go instead of the socket, during tls_session_put */
	struct tls_owed *owed;   /* NULL: nothing */
	int64_t now_s;           /* the time it began */
	uint32_t budget;         /* bytes that the call under way may still read */
	unsigned idle_records;   /* records in a row that brought no data */
	bool open;   /* the handshake is over */
	bool eof;    /* the peer's FIN was read */
	bool dead;   /* OpenSSL forbids further calls after a fatal error */
	bool has_peer;
	char *psk; /* identity whose key was proved, or NULL */
	enum tls_refusal refusal;
	int no_good;   /* the first thing that is wrong about revocation, X509_V_ERR_* */
	uint8_t *peer; /* TLS_SPKI_LEN bytes, of who was let in or refused; NULL: nobody was looked at */
};

/* ---- tls.c ---- */
/* A daemon must never ask a terminal for a passphrase: the callback that refuses. */
int tls_no_passphrase(char *buf, int size, int rwflag, void *ctx);
/* To read v from; NULL when it is empty. */
BIO *tls_memory(struct view v);
/* Next certificate of a PEM file; NULL at its end and on a broken one (*bad). */
X509 *tls_next_cert(BIO *bio, bool *bad);

/* ---- tls_peer.c ---- */
/* Whether clients are asked for certificates, and what they are checked by. NULL, or what is wrong. */
const char *tls_peer_fill(struct tls *tls, const struct tls_config *config);
/* After the handshake: whose certificate it was. False: one that may not be believed. */
bool tls_peer_take(struct tls_session *session);

/* ---- tls_psk.c ---- */
/*
 * 0; FG_EINVAL with the line that cannot be used (0: the file is empty), FG_EEXIST
 * (an identity twice), FG_ELIMIT, FG_ENOMEM. tls->psk may be set on failure too.
 */
int tls_psk_fill(struct tls *tls, struct view file, unsigned *ret_line);
void tls_psk_free(struct tls_psk *psk);
/* After the handshake: whose key it was. False: no memory. */
bool tls_psk_take(struct tls_session *session);
/* Whether what the session proved would still be proof in tls: the same identity with the same key. */
bool tls_psk_holds(const struct tls *tls, const struct tls_session *session);

/* ---- tls_tickets.c ---- */
/* What is tied to a session of OpenSSL's, and goes along in its ticket. */
enum tls_data {
	TLS_DATA_NONE = 0,
	TLS_DATA_PSK,  /* the identity whose key it is; never in a ticket */
	TLS_DATA_TIME, /* of the full handshake: 8 bytes */
};
#define TLS_DATA_MAX 256 /* TLS_PSK_IDENTITY_MAX bytes and what kind it is */
/* False: no memory, or too long. */
bool tls_data_set(SSL_SESSION *session, enum tls_data kind, struct view v);
/* Borrowed from the session; empty when it has none of that kind. */
struct view tls_data_get(SSL_SESSION *session, enum tls_data kind);
/* What a ticket is bound to. 0 or negative fg_err. */
int tls_tickets_context(const struct tls_config *config, uint8_t ret[DIGEST_SHA256_LEN]);

#endif
