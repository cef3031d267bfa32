/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_private - what net.c, conn*.c and listener.c share, and nobody else sees.
 *
 * Life of a connection: conn_run steps through its state until it must wait;
 * socket events, deadlines and the owner's answer call conn_run again. conn_end
 * closes the socket at once and puts the connection on the dead list; memory
 * is freed, and the owner told, only by the reaper from the event loop, so no
 * function here has to fear that its connection vanishes under it.
 */
#ifndef FG_NET_NET_PRIVATE_H
#define FG_NET_NET_PRIVATE_H

#include <event2/event.h>
#include <event2/event_struct.h>

#include "gateway/net/conn.h"
#include "gateway/net/http_chunk.h"
#include "gateway/net/listener.h"
#include "gateway/net/net_peers.h"
#include "gateway/net/share.h"
#include "gateway/net/stream.h"
#include "gateway/net/tls.h"

#define NET_SLOT_BITS 20        /* low bits of a connection id; the rest is a serial number */
#define NET_SLOT_MASK ((UINT64_C(1) << NET_SLOT_BITS) - 1)
#define NET_SPARES_MAX 64       /* buffers kept for the next request, of each kind */
#define NET_BODY_ROOM 2048      /* behind the head: where a body is read */
#define NET_NEVER INT64_MAX     /* no deadline */

/* A request being read, and what follows it. Held only while there is something. */
struct net_in {
	struct net_in *next;
	struct http_request request; /* its views point into bytes */
	struct http_chunk chunk;     /* of its body, when that is chunked */
	size_t cap, n;
	uint8_t bytes[];
};

/* A response head and a short body. Held only until the kernel has them. */
struct net_out {
	struct net_out *next;
	size_t n, off;
	size_t head_n;               /* so that body bytes can be told apart */
	uint8_t bytes[HTTP_REPLY_MAX + CONN_MEMORY_MAX];
};

/* A reply under way. Held from its head to its last byte: most connections are idle, and have none. */
struct net_send {
	struct net_send *next;
	struct net_source source;    /* pull NULL: none */
	uint64_t offset, left;       /* of the source */
	int64_t give_up;             /* whole reply */
	int64_t full_ms;             /* since when the socket is full whenever we look; 0: it was not */
	uint64_t full_sent;          /* sent_all, then */
	bool open;                   /* more may be pushed */
};

struct net {
	struct event_base *base;
	struct net_clock clock;
	struct net_limits limits;
	struct net_callbacks callbacks;
	struct net_counters counters;
	struct event *timer;
	struct event *reaper;
	struct net_peers *peers;
	/* By slot. Deadlines lie apart from their connections, so that a sweep
	 * over 50,000 of them reads 400 KiB in a row. */
	struct conn **conns;
	int64_t *due;
	uint32_t *free_slots;
	uint32_t n_slots, n_free;
	uint64_t serial;
	struct conn *dead;
	struct net_in *spare_in;
	struct net_out *spare_out;
	struct net_send *spare_send;
	unsigned n_spare_in, n_spare_out, n_spare_send;
	struct listener *listeners;
	struct share_tree *shares;   /* borrowed; NULL: nobody is paced */
	struct view extra;           /* of refusals; borrowed */
	struct event *pacer;         /* when somebody's turn comes */
	struct event *round;         /* active: this one's handshakes are counted */
	uint32_t handshakes;         /* steps of them, in this round of the loop */
	size_t quota;                /* bytes left in this turn, of the connection whose turn it is */
	uint32_t turns;              /* requests left in it */
	bool stopping, stopped_told;
	bool wiping;                 /* nothing that was said stays in buffers */
	int64_t stop_due;
	int64_t now_ms;              /* of this turn: read once in it, not for each stamp */
	int64_t date_s;              /* the second date holds */
	char date[30];
	uint8_t record[TLS_RECORD_MAX]; /* what one TLS record is made of, where it is not in one piece */
	struct tls_batch batch;
};

enum conn_state {
	CONN_GONE = 0,
	CONN_HANDSHAKE,
	CONN_HEAD,   /* idle, or reading a head */
	CONN_BODY,   /* reading a request body */
	CONN_OWNER,  /* the owner has the request */
	CONN_REPLY,  /* sending */
	CONN_LINGER, /* nothing more to say; letting the peer read */
};

/* What a step wants before the next one. */
enum conn_step {
	CONN_STEP_STOP = 0,   /* gone */
	CONN_STEP_AGAIN,      /* run the (new) state's step now */
	CONN_STEP_READ,       /* wait until readable */
	CONN_STEP_WRITE,      /* wait until writable */
	CONN_STEP_YIELD,      /* others first, then go on */
	CONN_STEP_WAIT,       /* for the owner */
};

/* What an idle connection costs, so every byte counts 50,000 times. */
struct conn {
	uint64_t id;
	struct net *net;
	struct conn *next_dead;
	struct stream stream;
	struct event read_event;
	struct event *write_event;   /* NULL until the socket was full for the first time; most never are */
	void *data;
	struct net_in *in;
	struct net_out *out;
	struct net_send *send;       /* NULL: no reply is under way */
	struct conn_pace *pace;      /* NULL: sends what it likes */
	uint64_t body_left;          /* of a request body with a length, or of lingering */
	uint64_t sent_all;           /* body bytes, all replies */
	struct conn_outcome outcome; /* of the reply under way, then of the connection */
	struct http_scan scan;
	uint32_t requests;           /* limits.requests_max ends them */
	uint32_t tag;
	uint16_t port;
	uint8_t ip[NET_ADDR_LEN];
	uint8_t burst;               /* TLS records to put together before a write; 0: not tried yet */
	enum conn_state state : 8;
	enum net_limit due_limit : 8; /* what net->due[slot] stands for */
	enum http_mode mode : 8;
	bool read_armed, write_armed;
	bool readable;               /* a read may give something */
	bool eof;                    /* the peer will send no more */
	bool in_owner;               /* inside on_request */
	bool reply_owed;             /* an on_sent is due */
	bool close_after;            /* this reply is the last */
	bool thrifty;                /* a slow peer: the kernel holds little for it, records are small */
	bool unread;                 /* the peer may still be sending what nobody will read */
};

/* net.c */
/* A turn begins: reads the clock, and returns net->now_ms. */
int64_t net_tick(struct net *net);
const char *net_date(struct net *net);
struct net_in *net_take_in(struct net *net);
void net_give_in(struct net *net, struct net_in *in);
struct net_out *net_take_out(struct net *net);
void net_give_out(struct net *net, struct net_out *out);
/* Zeroed. NULL without memory. */
struct net_send *net_take_send(struct net *net);
void net_give_send(struct net *net, struct net_send *send);
void net_wake_reaper(struct net *net);
bool net_is_full(const struct net *net);
/* Room for one more step of a handshake in this round of the loop; takes it. */
bool net_take_handshake(struct net *net);
/* IPv4 and IPv6 as 16 bytes; other families, and NULL, are all zero. */
void net_address(const struct sockaddr *sa, uint8_t ret_ip[NET_ADDR_LEN], uint16_t *ret_port);

/* conn.c */
int conn_new(struct net *net, uint32_t slot, int fd, const struct net_origin *origin,
    struct conn **ret_conn);
/* Runs in the reaper: last callbacks, then memory. */
void conn_bury(struct conn *conn);
void conn_run(struct conn *conn);
/* From the loop's next round instead of now. */
void conn_wake(struct conn *conn);
/* Closes (or resets) now; always returns CONN_STEP_STOP. */
enum conn_step conn_end(struct conn *conn, enum conn_why why, bool reset);
/* Starts the deadline of that name. */
void conn_stamp(struct conn *conn, enum net_limit limit);
void conn_expire(struct conn *conn);
/* No request is under way: may be closed without loss. */
bool conn_is_idle(const struct conn *conn);
void conn_blame(struct conn *conn, enum net_limit limit);

/* conn_read.c */
enum conn_step conn_read_handshake(struct conn *conn);
enum conn_step conn_read_head(struct conn *conn);
enum conn_step conn_read_body(struct conn *conn);
enum conn_step conn_read_linger(struct conn *conn);
/* While the owner or the writer is at work: notices a peer that has gone. */
void conn_read_ahead(struct conn *conn);

/* conn_write.c */
/* conn_reply's work. */
int conn_write_answer(struct conn *conn, const struct http_reply *head,
    const struct conn_body *body);
/* The engine's own answer to a request it will not hand on; closes after it. */
enum conn_step conn_write_refusal(struct conn *conn, unsigned status, enum http_fault fault,
    enum net_limit limit);
enum conn_step conn_write_continue(struct conn *conn);
enum conn_step conn_write_reply(struct conn *conn);
/* Drops what a reply holds. */
void conn_write_drop(struct conn *conn);

/* conn_pace.c; but for conn_pace_leave, of a connection that has a share */
/* Those whose turn it is go on. */
void conn_pace_turns(struct net *net);
/* The rest of its body: now, or from conn_pace_turns. */
bool conn_pace_may_send(struct conn *conn);
/* Until then, when nothing else is to be sent. */
enum conn_step conn_pace_wait(struct conn *conn);
/* How much of it. */
uint64_t conn_pace_credit(const struct conn *conn);
void conn_pace_spend(struct conn *conn, uint64_t n);
/* The reply is over. */
void conn_pace_rest(struct conn *conn);
void conn_pace_leave(struct conn *conn);

/* listener.c */
void listener_free_all(struct net *net);
void listener_stop_all(struct net *net);
/* Room again: those that paused for it go on. */
void listener_resume_all(struct net *net);

#endif
