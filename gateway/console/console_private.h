/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the console's role share. Private to the folder.
 *
 *   console.c         start, certificate, stop
 *   console_ask.c     a request: checked, and asked of control
 *   console_front.c   whether it comes by a front, and whom that names
 *   console_answer.c  what goes out: heads, bodies, problems
 *   console_events.c  who listens for change
 */
#ifndef FG_GATEWAY_CONSOLE_CONSOLE_PRIVATE_H
#define FG_GATEWAY_CONSOLE_CONSOLE_PRIVATE_H

#include <sys/queue.h>

#include "gateway/console/front.h"
#include "gateway/console/guard.h"
#include "gateway/console/problem.h"
#include "gateway/console/route.h"
#include "gateway/net/conn.h"
#include "gateway/net/listener.h"
#include "gateway/role/role.h"

#define CONSOLE_CONNS 4096         /* a thousand people with three open pages each, and as many more */
#define CONSOLE_SOURCE_CONNS 1536  /* of one address: an office behind one NAT */
/* Statement (APPROVAL_BYTES_MAX) and armored signature (SSHSIG_ARMOR_MAX) are 48 KiB, their escapes more. */
#define CONSOLE_BODY_MAX (64u << 10)
#define CONSOLE_DOC_MAX (9u << 20) /* an answer of control's: CALL_DOC_MAX and room for the text of what else it maps */
/* Of such answers that are being read, in all: each is memory for as long as its reader likes, who may have many connections. */
#define CONSOLE_HELD_MAX (256u << 20)
#define CONSOLE_FILE_MAX (UINT64_C(64) << 20) /* of an answer: the largest report is 2 MiB, a bundle of the log 17 MiB */
#define CONSOLE_PEM_MAX (64u << 10) /* a certificate chain, or a key */
#define CONSOLE_QUEUE 1024         /* calls that control has not read yet; beyond, people wait */
#define CONSOLE_STREAMS 2048       /* who listens for change */
#define CONSOLE_ANSWER_MS 60000    /* control's time: a statement waits for the log and the warden */
#define CONSOLE_HEAD_MS 10000      /* a browser sends a head at once; who dribbles is no browser */
#define CONSOLE_BODY_MS 20000
#define CONSOLE_IDLE_MS 75000      /* what browsers keep connections for */
#define CONSOLE_STALL_MS 30000
/* A comment line to each who listens: what lies between does not cut it off, and we notice who left. */
#define CONSOLE_BEAT_MS 15000
#define CONSOLE_TICK_MS 1000
/* Then TLS session tickets of before are worth nothing: who takes us over reads that much of what was recorded. */
#define CONSOLE_TICKETS_MS (3600 * 1000)
/* Whether a stream's session still is one, and may: what was ended is not listened with for longer. */
#define CONSOLE_CHECK_MS 30000
#define CONSOLE_CHECKS 128 /* such questions in one tick: all streams in half that time, and room for what people ask */
#define CONSOLE_STREAM_MS (16 * 60 * 1000) /* then to be asked for anew */

struct console_pem {
	uint8_t *p;
	size_t n;
};

/* By what a request came, for control to judge. */
struct web_from {
	uint8_t via; /* enum msg_web_via */
	uid_t uid;
	uint8_t key[TLS_SPKI_LEN];
	uint8_t person[DIGEST_SHA256_LEN]; /* zero: nobody is named */
	uint8_t peer[NET_ADDR_LEN];
};

/* What is known of one connection. */
struct web {
	struct console *c;
	uint64_t conn;
	uint8_t *body;
	size_t body_n, body_cap;
	bool body_lost;               /* no memory for it */
	bool waits;                   /* for control's reply; its token is the connection's id */
	bool listens;                 /* wants to hear of change once that reply is there */
	bool background;              /* a page asks it by itself */
	const struct route *route;    /* of that call */
	char file[ROUTE_TEXT_MAX];    /* name of the file it asks for */
	/* Who listens. */
	LIST_ENTRY(web) link;
	bool linked;
	uint64_t heard;               /* size of the log it was told of */
	int64_t until_ms, beat_ms, check_ms;
	bool checks;                  /* control is asked about it just now */
	struct web_from from;         /* of the request, or the stream */
	struct guard_id id;           /* whose it is; without its key. All zero of others than streams */
};
LIST_HEAD(web_list, web);

struct console {
	struct role *role;
	const struct clock_source *clock;
	struct net *net;
	struct listener *listener;
	struct tls *tls;
	int listener_fd, front_fd;
	struct console_pem cert, key, client_ca;
	struct {
		uint32_t count;
		uint8_t peer[NET_ADDR_LEN];
		const char *what;
	} stray; /* headers that were not believed, since control was told */
	struct event *tick;
	int64_t tickets_ms; /* when their key goes */
	uint64_t log_size;
	struct web_list streams;
	unsigned streams_n;
	size_t held; /* bytes of mapped answers under way */
	bool stopping;
};

/* ---- console_ask.c ---- */

void console_on_request(void *ctx, struct conn *conn, const struct http_request *r);
void console_on_body(void *ctx, struct conn *conn, struct view bytes);
void console_on_close(void *ctx, struct conn *conn, const struct conn_outcome *outcome);
/* Asks control about w's stream as it did when it began. 0, or it was not asked. */
int console_ask_again(struct web *w);
/* Control's reply to one call. */
void console_on_reply(void *ctx, struct chan *chan, const void *msg, struct wire_frame *frame);
/* Control is gone: whoever waits is told. */
void console_ask_lost(struct console *c);

/* ---- console_front.c ---- */

/* Which listener a connection came by: net_origin's tag. */
enum console_tag { CONSOLE_TAG_WEB = 0, CONSOLE_TAG_FRONT };
/* Fills w->from. False: the request names somebody where nobody may, or not in one way: it is answered, and told of. */
bool console_front_look(struct console *c, struct web *w, struct conn *conn, const struct http_request *r);
/* Each second: what there is to tell control. */
void console_front_tick(struct console *c);

/* ---- console_answer.c ---- */

/* One answer. All zero but status is one without a body. */
struct console_answer {
	unsigned status;
	const char *type;
	struct view body;      /* copied, unless it is for ever */
	bool for_ever;         /* body outlives the connection: part of the program */
	size_t *mapped;        /* body is memfd_map's, and taken; its bytes are counted here for as long. NULL: it is not */
	bool revalidate;       /* may be kept, if it is asked about each time; else it is not kept at all */
	int file;              /* a descriptor, taken, when file_is: its file_n bytes are the body */
	bool file_is;
	uint64_t file_n;
	struct view etag;
	const char *cookie;    /* value of Set-Cookie */
	const char *link;      /* value of Link */
	const char *allow;
	uint32_t retry_after_s;
	bool open;             /* an event stream; body is its beginning */
};
/* Field lines of every answer. */
extern const char console_security[];
void console_answer(struct conn *conn, const struct console_answer *a);
/* The same for what went wrong. allow may be NULL. */
void console_problem(struct conn *conn, const struct problem *p, const char *allow);
/* With a status that follows from id. */
void console_refuse(struct conn *conn, const char *id, const char *detail, const char *allow);
/*
 * What control said about a call of that route. A file of it, or -1, is taken; so is doc when
 * it is memfd_map's, and mapped then false.
 */
void console_answer_reply(struct conn *conn, struct web *w, unsigned status, struct view doc, bool *mapped, int file);

/* ---- console_events.c ---- */

/* The caller may listen: control has said so. */
void console_events_begin(struct conn *conn, struct web *w, const struct http_request *r);
void console_events_left(struct web *w);
/* What control says about that stream now. */
void console_events_checked(struct web *w, unsigned status, struct view doc);
/* The log has grown. */
void console_events_log(struct console *c, uint64_t size);
void console_events_tick(struct console *c);
void console_events_end(struct console *c);

#endif
