/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls - TLS 1.2 and 1.3 for module and console listeners, by OpenSSL.
 * Role: the edge builds one `struct tls` a listener from bytes it was handed
 * (it opens no file); net/stream runs a session a connection.
 * Guarantees: no renegotiation, no compression, no early data, no stored
 * passphrase prompts; SIGPIPE-free; time comes from the caller. A client
 * certificate that does not verify ends the handshake even where none is
 * required: a wrong identity is never quietly taken for no identity. Where
 * revocation lists are given, a chain without a current one of each of its CAs
 * does not verify either.
 */
#ifndef FG_NET_TLS_H
#define FG_NET_TLS_H

#include "crypto/view.h"
#include "gateway/net/net_io.h"

#define TLS_CERTS_MAX 2     /* RSA and P-256 side by side; one of a kind */
#define TLS_SPKI_LEN 32     /* SHA-256 of the peer's SubjectPublicKeyInfo */
#define TLS_RECORD_MAX 16384
#define TLS_TICKET_S 3600   /* from the full handshake on, since a resumed one verifies nothing: as long as a grant's lease */
#define TLS_TICKET_KEYS 2   /* the one that seals, and the one before, which still opens */
#define TLS_TICKET_SECRET 32
#define TLS_PSK_FILE_MAX (1u << 20) /* the supervisor opens no larger file; 12,000 modules */
#define TLS_PSK_IDENTITY_MAX 128    /* what an identity of a module may be long; RFC 4279 section 5.3 asks for it */
#define TLS_PSK_KEY_MIN 16          /* one handshake overheard must not be enough to search for it */
#define TLS_PSK_KEY_MAX 64          /* RFC 4279 section 5.3 */
#define TLS_DEPTH_MAX 4     /* of a client's chain; longer ones cost CPU and exist nowhere */
#define TLS_WHY_MAX 160
#define TLS_LEVEL 2         /* 112 bits: RSA-2048, SHA-2; what Debian asks for as well */
#define TLS_LEVEL_MAX 3     /* from 4 on the certificates and suites of modules no longer fit */

/* Which suites a listener offers (MODULE_PROTOCOLS.md section 7.1). */
enum tls_suites {
	TLS_SUITES_MODERN = 0, /* forward secret AEAD only */
	TLS_SUITES_LEGACY,     /* also CBC-SHA and RSA key exchange: BG9x and older nRF91 know nothing else */
};

enum tls_peer {
	TLS_PEER_UNKNOWN = 0, /* refused: the configuration must say */
	TLS_PEER_NONE,        /* not asked for */
	TLS_PEER_OPTIONAL,
	TLS_PEER_REQUIRED,
};

/*
 * Why a client's certificate ended the handshake. All but UNTRUSTED are said of
 * chains whose signatures are good; that the client has the key is not proved yet.
 */
enum tls_refusal {
	TLS_REFUSAL_NONE = 0,
	TLS_REFUSAL_UNTRUSTED, /* no anchor's, malformed, weak, for another purpose, or under a CA outside its dates */
	TLS_REFUSAL_DATES,     /* not yet or no longer valid itself */
	TLS_REFUSAL_REVOKED,
	TLS_REFUSAL_NO_CRL,    /* a CA of the chain has no current revocation list here */
};

struct tls_pair {
	struct view chain_pem; /* leaf first */
	struct view key_pem;   /* unencrypted */
};

struct tls_config {
	struct tls_pair pairs[TLS_CERTS_MAX];
	size_t n_pairs;
	enum tls_suites suites;
	uint32_t security_level; /* OpenSSL's, 1 to 3; 0: TLS_LEVEL */
	enum tls_peer peer;
	struct view client_ca_pem; /* each certificate in it is an anchor; OPTIONAL and REQUIRED only */
	struct view client_crl_pem; /* lists of all CAs of client chains; empty: revocation is not looked at */
	struct view psk_file; /* lines identity:hex; empty: no shared keys */
	uint32_t send_fragment;    /* 512 to 16384; 0: 16384. For modules with small buffers */
};

/*
 * Records of one process on their way to a socket: put together here, written by
 * one system call. Empty between calls to tls_session_flush.
 */
#define TLS_BATCH 8                          /* full records */
#define TLS_PUT_ROOM (TLS_RECORD_MAX + 4096) /* the same cut into fragments of 512, each with its MAC and padding */
struct tls_batch {
	size_t n;
	uint8_t bytes[TLS_BATCH * TLS_PUT_ROOM];
};

struct tls;         /* counted: sessions keep it alive */
struct tls_session;

/*
 * Everything in config is borrowed and copied. 0, FG_EINVAL with why filled
 * (unusable certificate, key that is not its own, ...) or FG_ENOMEM.
 */
int tls_new(const struct tls_config *config, struct tls **ret_tls, char why[TLS_WHY_MAX]);
/* One more holder, who will call tls_free. Returns tls. */
struct tls *tls_ref(struct tls *tls);
void tls_free(struct tls *tls);
/*
 * Tickets are sealed by a key of the first secret from now on, and opened by one
 * of either: processes that are given the same secrets for the same configuration
 * open each other's. Until the first call keys are random and this struct's own.
 * 0 or FG_ENOMEM, and nothing has changed.
 */
int tls_tickets_set(struct tls *tls, const uint8_t secrets[TLS_TICKET_KEYS][TLS_TICKET_SECRET]);
/*
 * Back to keys of its own: a struct that only sessions keep alive then holds
 * nothing that opens tickets of others. 0 or FG_ENOMEM, and nothing has changed.
 */
int tls_tickets_forget(struct tls *tls);

/* What of it has an end. */
enum tls_runout { TLS_RUNOUT_CERT = 0, TLS_RUNOUT_CLIENT_CA, TLS_RUNOUT_CRL, TLS_RUNOUTS };
struct tls_span { int64_t from, until; }; /* seconds since the epoch; until 0: none has an end, or there is none */
/* By kind the one that ends first. */
void tls_runouts(const struct tls *tls, struct tls_span ret[TLS_RUNOUTS]);

/* fd stays the caller's. now_s: the time client certificates are checked at. NULL: no memory. */
struct tls_session *tls_session_new(struct tls *tls, int fd, int64_t now_s);
void tls_session_free(struct tls_session *session);
enum net_io tls_session_handshake(struct tls_session *session);
/*
 * *ret_more: bytes are held back inside, for which no socket event will come.
 * Reads little at a time (WANT_READ though the socket has more); FAILED for a
 * peer that goes on sending records without data.
 */
enum net_io tls_session_read(struct tls_session *session, void *buf, size_t cap, size_t *ret_n,
    bool *ret_more);
/*
 * Makes records of at most TLS_RECORD_MAX bytes, *ret_n of them, in the batch:
 * TLS_BATCH times before a flush. Not while the session owes something.
 */
enum net_io tls_session_put(struct tls_session *session, struct tls_batch *batch, struct view bytes,
    size_t *ret_n);
/*
 * Writes the batch. What the socket does not take is kept and owed; later calls
 * (with an empty batch) write on. DONE: all of it, which was *ret_n bytes put.
 * *ret_moved: the socket took something, all of it or not.
 */
enum net_io tls_session_flush(struct tls_session *session, struct tls_batch *batch, size_t *ret_n, bool *ret_moved);
/* Bytes of memory held for what is owed; 0: nothing is. */
size_t tls_session_owed(const struct tls_session *session);
/* After WANT_*, at least the same bytes must be offered again. */
enum net_io tls_session_write(struct tls_session *session, const void *buf, size_t n,
    size_t *ret_n);
/* Says close_notify if it still can; waits for nothing. */
void tls_session_close(struct tls_session *session);
/* TLS_SPKI_LEN bytes of a verified client certificate; NULL when it sent none. */
const uint8_t *tls_session_peer(const struct tls_session *session);
/* The server name asked for; NULL: none. Borrowed from the session. */
const char *tls_session_name(const struct tls_session *session);
/* And the key of the certificate that was refused, unless NONE. */
enum tls_refusal tls_session_refusal(const struct tls_session *session, uint8_t ret_spki[TLS_SPKI_LEN]);
/* "revoked", ... for logs */
const char *tls_peer_refusal_name(enum tls_refusal refusal);
/* Whose shared key the client proved to have; NULL: nobody's. Borrowed from the session. */
const char *tls_session_psk(const struct tls_session *session);
/*
 * What the client proved in the beginning is withdrawn in tls: its certificate is
 * on a list, its key no more in the file or another one. So is what it has not yet
 * proved to the lists and keys of before.
 */
bool tls_peer_revoked(const struct tls *tls, const struct tls_session *session);
/*
 * Whether the certificate that the client showed in the beginning would let it in
 * by tls now (its chain, its time, the lists): at a request after a reload. True is
 * remembered, for as long as tls is asked about; and is the answer where none was
 * shown. False: tls_session_refusal says why.
 */
bool tls_peer_stands(struct tls_session *session, struct tls *tls, int64_t now_s);
/* A certificate of its own is for that host: a name, or an address without brackets. Wildcards count as browsers take them. */
bool tls_names_host(const struct tls *tls, const char *host);
bool tls_session_resumed(const struct tls_session *session);

#endif
