/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn - one connection as its owner sees it: who is there, and the answer.
 * Role: the edge's handlers. A connection carries one request at a time, so a
 * held conn_id names a request too: it stops working once that is answered.
 */
#ifndef FG_NET_CONN_H
#define FG_NET_CONN_H

#include <sys/types.h>

#include "gateway/net/http_reply.h"
#include "gateway/net/net.h"
#include "gateway/net/tls.h"

struct share;

#define CONN_MEMORY_MAX 4096 /* body of a control answer; module clients read about 1 KiB of JSON */

enum conn_why {
	CONN_WHY_UNKNOWN = 0,
	CONN_WHY_DONE,        /* closed after the last answer, as announced */
	CONN_WHY_PEER,        /* the peer left between requests */
	CONN_WHY_PEER_BROKE,  /* the peer left, or reset, inside a request or answer */
	CONN_WHY_OWNER,       /* conn_reset or conn_close_silently */
	CONN_WHY_SOURCE,      /* the body's source failed: reset */
	CONN_WHY_REQUEST,     /* malformed request: see fault */
	CONN_WHY_LIMIT,       /* see limit */
	CONN_WHY_TLS,         /* handshake failed */
	CONN_WHY_STOP,        /* net_stop or net_free */
	CONN_WHY_LOCAL,       /* no memory, socket option refused */
};

struct conn_outcome {
	uint64_t sent;         /* bytes of the body handed to the kernel; on_close: in all */
	uint16_t status;       /* of the reply; on_close: of the last one */
	bool complete;         /* every byte of this reply was handed to the kernel */
	enum conn_why why : 8;
	enum net_limit limit : 8;
	enum http_fault fault : 8;
};

/* A run that lies in a file: sent from there, it is not copied through us. */
struct net_run {
	int fd;      /* borrowed until the next file or done */
	uint64_t at; /* in that file */
};

/*
 * Where a body comes from. pull returns how many bytes from offset stand at
 * *ret_bytes, 1 to max, or a negative fg_err, which resets the connection: bytes
 * that cannot be vouched for end a transfer, they are not left out. The run is
 * borrowed until the next pull, of any source, or done; pulling the same offset again
 * gives the same bytes, or fails. Nothing is sent that pull, or file, did not hand over just then.
 * file (may be NULL) is pull for bytes that nobody can change any more: what was
 * vouched for is what the kernel will read, whenever it does. 0: pull these instead.
 * cost (may be NULL) is asked after each: the bytes that had to be read and hashed
 * for it. They count against the connection's turn as bytes sent do: one byte each
 * of many blocks is otherwise a turn that never ends.
 */
struct net_source {
	int64_t (*pull)(void *ctx, uint64_t offset, size_t max, const uint8_t **ret_bytes);
	int64_t (*file)(void *ctx, uint64_t offset, size_t max, struct net_run *ret_run);
	uint64_t (*cost)(void *ctx);
	void (*done)(void *ctx); /* exactly once, when the engine needs it no more; may be NULL */
	void *ctx;
};

/* What follows the head. Memory is copied; a source (pull set) wins over it. */
struct conn_body {
	struct view memory;
	struct net_source source;
	uint64_t offset;       /* first byte to pull */
	uint64_t length;       /* bytes to send from there; memory: ignored */
	bool open;             /* memory is the beginning, conn_push brings more; the reply has no length */
};

/* Names a connection for ever: never 0, never used again. */
uint64_t conn_id(const struct conn *conn);
/* NULL once it is gone or going. */
struct conn *conn_find(struct net *net, uint64_t id);
struct net *conn_net(const struct conn *conn);
uint32_t conn_tag(const struct conn *conn);
/* IPv4 comes mapped into IPv6 (::ffff:a.b.c.d). */
void conn_peer(const struct conn *conn, uint8_t ret_ip[NET_ADDR_LEN], uint16_t *ret_port);
/* The address the module meant; with TPROXY not one of ours. 0 or FG_EIO. */
int conn_local(const struct conn *conn, uint8_t ret_ip[NET_ADDR_LEN], uint16_t *ret_port);
/* Who is at the other end of a unix socket, by the kernel's word when it connected. 0 or FG_EIO. */
int conn_unix_uid(const struct conn *conn, uid_t *ret_uid);
bool conn_is_tls(const struct conn *conn);
/* SHA-256 of the client certificate's key; NULL without one. */
const uint8_t *conn_tls_peer(const struct conn *conn);
/* Whose shared key it proved to have; NULL: nobody's. */
const char *conn_tls_psk(const struct conn *conn);
/* Why its client certificate ended the handshake, and whose key that was; NONE for every other end. */
enum tls_refusal conn_tls_refusal(const struct conn *conn, uint8_t ret_spki[TLS_SPKI_LEN]);
/* What it proved to have is withdrawn in tls: its certificate is on a list, its shared key in no line. */
bool conn_tls_revoked(const struct conn *conn, const struct tls *tls);
/* Its client certificate, if it showed one, would let it in by tls now; false: conn_tls_refusal says why. */
bool conn_tls_stands(struct conn *conn, struct tls *tls);
/* Server name asked for in TLS; NULL without. */
const char *conn_tls_name(const struct conn *conn);
/* The owner's own pointer; NULL at first. Still readable in on_close. */
void *conn_data(const struct conn *conn);
void conn_set_data(struct conn *conn, void *data);
/* The request waiting for an answer; NULL when none does. */
const struct http_request *conn_request(const struct conn *conn);
/* Ordinal of the current request on this connection, from 1. */
uint64_t conn_request_number(const struct conn *conn);

/*
 * Answers the waiting request. head->length is set from the body, head->close
 * may be forced; a HEAD request gets the head alone. body NULL: none. The
 * source is taken, also on failure. Bytes move from the loop, not in here.
 * FG_ESTATE: nothing waits. FG_ELIMIT: memory, with the head's extra lines, too long. FG_ENOMEM.
 */
int conn_reply(struct conn *conn, const struct http_reply *head, const struct conn_body *body);
/*
 * More of a body that is open, copied. FG_ESTATE: no such reply is under way.
 * FG_ELIMIT: the reader is that far behind, and nothing was added. FG_ENOMEM.
 */
int conn_push(struct conn *conn, struct view bytes);
/* That was all: the connection closes behind it. */
void conn_push_end(struct conn *conn);
/*
 * Bodies from sources are sent in turns from now on, as share (net/share.h) of the
 * engine's tree gives them to its users; NULL: without. What a share keeps waiting
 * no deadline counts. share stays until the connection has ended or has another.
 * 0 or FG_ENOMEM, and it stays as it was.
 */
int conn_set_share(struct conn *conn, struct share *share);
/* RST now: what the kernel holds is not delivered either. For revocation. */
void conn_reset(struct conn *conn);
/* Closes without a byte: the hold answer of clients that would flash an error page. */
void conn_close_silently(struct conn *conn);
/* "done", "peer-broke", ... for logs. */
const char *conn_why_name(enum conn_why why);

#endif
