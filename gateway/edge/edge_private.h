/* SPDX-License-Identifier: Apache-2.0 */
/* edge_private - the edge's own state, shared by edge*.c and nobody else. */
#ifndef FG_GATEWAY_EDGE_EDGE_PRIVATE_H
#define FG_GATEWAY_EDGE_EDGE_PRIVATE_H

#include "crypto/clockwatch.h"
#include "gateway/edge/crowd.h"
#include "gateway/edge/leases.h"
#include "gateway/edge/link.h"
#include "gateway/edge/stock.h"
#include "gateway/edge/route.h"
#include "gateway/edge/siphash.h"
#include "gateway/net/listener.h"
#include "gateway/net/serve.h"
#include "gateway/net/tls.h"
#include "gateway/role/bundle.h"
#include "gateway/role/role.h"
#include "policy/scope.h"

#define EDGE_ASKS_MAX 16384      /* requests waiting for a grant; one more gets "not now" */
#define EDGE_ASK_MS 3000         /* patience with control and audit: then "not now" (XinYi reads for 5 s) */
#define EDGE_RETRY_S 30          /* Retry-After when it is our fault, spread up to twice that */
#define EDGE_WINDOW_RETRY_503 3600 /* most of a Retry-After until a window opens: AT-command clients wait no longer by themselves */
#define EDGE_WINDOW_RETRY (7 * 86400) /* the same with other statuses: as long as a profile may say */
#define EDGE_WINDOW_SPREAD_S 300  /* all that waited for a window come back within this */
#define EDGE_SIGHTS_QUEUED 512   /* frames to control; beyond, sightings wait for the module's next request */
#define EDGE_TOLD_QUEUED 2048    /* frames to audit or control; beyond, nothing new is served: each transfer is told */
#define EDGE_SEEN 65536          /* sightings remembered so that repeats are counted, not sent */
#define EDGE_SPARES_MAX 64       /* of what a transfer needs, kept for the next one: about a turn's worth */
#define EDGE_RECENT 16384        /* first requests of connections remembered; 3 MB when all are used */
#define EDGE_SEEN_S 60           /* a repeat is told again after this */
#define EDGE_PEM_MAX (64u << 10) /* a certificate chain or a key */
#define EDGE_LIST_MAX TLS_PSK_FILE_MAX /* a list that grows with the fleet, of revoked certificates or shared keys */
#define EDGE_TICK_MS 250
#define EDGE_LOAD_MS 1000        /* so old may be what status says of connections */
#define EDGE_FDS_KEPT 1024       /* descriptors that are not connections: listeners, peers, and each image in stock */
#define EDGE_SWEEP_MS 60000      /* leases that ran out are forgotten */

/*
 * A request that was offered its release. The same one again, but for its Range,
 * is decided the same way for as long as configuration and table stay: only what
 * time and restrictions change is looked at anew.
 */
struct recall {
	uint64_t print;            /* of the request, without its Range; 0: nothing to recall */
	uint64_t sighting;         /* the key its repeats are counted under; 0: by a short URL, which nobody counts */
	uint64_t epoch;            /* edge's, when it was decided */
	const struct profile *profile;
	int64_t not_before, not_after;
	uint8_t module[MSG_ID];
	uint8_t release[MSG_ID];
};

/* The same for a module that makes a connection for each range: found by what is asked and from where. */
struct recent {
	struct recall what;        /* print is of the address too */
	uint8_t ip[NET_ADDR_LEN];
	uint32_t tag;              /* of the listener */
	enum identity_class class;
	char group[PROFILE_WORD_MAX + 1];
};

/* An answer from a release on its way. */
struct sending {
	struct sending *next;
	uint8_t module[MSG_ID];
	uint64_t first, length, size; /* of the image; several ranges: from the first, all together */
	bool head;
	bool to_end;               /* the last byte is in it */
	bool parted;               /* several ranges: what is sent is more than image */
};

/*
 * What is remembered of a connection; its conn_data, from the first request of a known module to its end. An idle
 * one holds it too, so what only a transfer needs lies apart.
 */
struct visit {
	struct member *member;     /* whose it is; NULL: nobody's yet */
	uint64_t ask;              /* token of the grant its request waits for; 0: none */
	struct recall *recall;     /* from the second request on; NULL: none */
	struct sending *sending;   /* NULL: none is */
	uint8_t release[MSG_ID];   /* of sending, or of what touched */
	bool touched;              /* bytes of release went out: the kernel may still hold some */
};

enum ask_step { ASK_FREE = 0, ASK_CONTROL, ASK_AUDIT };

struct ask { /* one request waiting for its grant */
	enum ask_step step;
	uint32_t serial;   /* so that a late answer meets nobody else's request */
	uint64_t conn;
	uint8_t module[MSG_ID];
	uint8_t release[MSG_ID];
	const struct profile *profile; /* of the configuration in force; asks are dropped on reload */
	uint32_t lease_s;
	int64_t deadline_ms;
};

struct seen { /* one sighting told a while ago */
	uint64_t key;
	int64_t told_ms;
	uint32_t repeats;
};

/* What a listener's TLS is made of. */
enum edge_file_kind {
	EDGE_FILE_CERT, /* two of each, as configured */
	EDGE_FILE_KEY = EDGE_FILE_CERT + TLS_CERTS_MAX,
	EDGE_FILE_CLIENT_CA = EDGE_FILE_KEY + TLS_CERTS_MAX,
	EDGE_FILE_CLIENT_CRL,
	EDGE_FILE_PSK,
	EDGE_FILES,
};

struct edge_file {
	uint8_t *p; /* NULL: not handed over */
	size_t n;
};

struct edge {
	struct role *role;
	const struct clock_source *clock;
	struct clockwatch watch; /* own base from the start, the warden's from its first word */
	struct bundle *bundle;
	struct config *config;
	struct net *net;
	struct table *table;
	struct stock *stock;
	struct leases *leases;
	struct crowd *crowd;
	struct route route;           /* of the request being looked at: 4 KiB that need no allocation */
	struct {                      /* likewise, when it came by a short URL */
		bool is;
		struct table_link link;
		struct table_row module;
	} by_link;
	int bundle_fd;                /* until start(): parsed inside the jail only */
	struct {
		int fd, next_fd;               /* until start(): ours, and the next edge's or -1 */
		struct listener *open, *next;  /* the engine's, from then on */
		struct tls *tls;               /* what it has; NULL: plain */
		struct edge_file file[EDGE_FILES]; /* handed over and not yet used */
	} listener[MSG_LISTENERS_MAX];
	uint64_t epoch;               /* one more with each table and configuration */
	uint8_t tickets[TLS_TICKET_KEYS][TLS_TICKET_SECRET];
	bool has_tickets;
	bool halted;
	int64_t next_sweep_ms, next_load_ms;
	struct msg_load load;         /* as told last */
	uint64_t turned_away;         /* requests on connections that their module has too many of */
	uint64_t turned_away_said;    /* of those, as of the last line about it in the log */
	uint64_t untold;              /* entries about transfers that nobody took, since the last word about it */

	struct ask *asks;             /* EDGE_ASKS_MAX */
	uint32_t asks_free[EDGE_ASKS_MAX];
	unsigned asks_free_n;
	uint32_t serial;
	struct msg_grant_ask to_control;     /* gathered until the loop's next turn */
	struct msg_grant_append to_audit;
	struct event *flush, *tick;

	struct seen *seen;            /* EDGE_SEEN, direct mapped */
	struct recent *recent;        /* EDGE_RECENT, likewise */
	struct sending *spare_sending;
	unsigned n_spare_sending;
	uint8_t seed[SIPHASH_KEY];    /* random, so that nobody can aim at a slot */
};

/* ---- edge_boot.c ---- */
/* fd stays the caller's. 0 and both; what is wrong with a configuration is logged. */
int edge_parse_bundle(int fd, struct bundle **ret_bundle, struct config **ret_config);
/* No more connections than descriptors allow: one that cannot be received is a broken message, and the end of the process. */
void edge_limits_of(const struct config *c, struct net_limits *l);
int edge_on_boot_fd(void *ctx, struct role *r, const struct msg_boot_fd *what, int fd);
/* Every listener of the configuration, from what was handed over. */
int edge_open_listeners(struct edge *e);

/* ---- edge_tls.c ---- */
/* Keeps what the file holds for the next edge_tls_make; fd stays the caller's. FG_EPEER: not a file of a listener's. */
int edge_tls_file(struct edge *e, const struct msg_boot_fd *what, int fd);
/*
 * Listener i of c from the files handed over; a file that c names and nobody
 * handed over is an error, never left out. *ret is the caller's.
 */
int edge_tls_make(struct edge *e, const struct config *c, unsigned i, struct tls **ret, char why[TLS_WHY_MAX]);
/*
 * Every listener of c anew, for connections from now on; open ones end only if
 * a revocation list now names their certificate. One that cannot be made keeps
 * what it has, and ret_why says which and why; "" when none.
 */
void edge_tls_renew(struct edge *e, const struct config *c, char *ret_why, size_t cap);
/* Tells control what of the listeners' TLS has an end, and when: when it comes, and when that has changed. */
void edge_tls_tell(struct edge *e);
/* Wipes what was handed over. */
void edge_tls_forget(struct edge *e);

/* ---- edge_try.c ---- */
/* role_ops.start of edge_try_main. */
int edge_try(void *ctx, struct role *r);

/* ---- edge_answer.c ---- */
void edge_on_request(void *ctx, struct conn *conn, const struct http_request *req);
void edge_on_sent(void *ctx, struct conn *conn, const struct conn_outcome *out);
void edge_on_close(void *ctx, struct conn *conn, const struct conn_outcome *out);
/*
 * The grant is durable: decides again, because the table may have changed and
 * time has passed, and serves if it is still this release for this module.
 */
void edge_granted(struct edge *e, struct conn *conn, const uint8_t module[MSG_ID], const uint8_t release[MSG_ID]);
/* "Nothing for you yet", as the profile says. busy: for a reason of ours, so come back soon but not together. */
void edge_not_now(struct edge *e, struct conn *conn, const struct profile *profile, bool busy);
/* Resets every connection that carries or has just carried a release (NULL: any); returns how many transfers ended. */
unsigned edge_reset_transfers(struct edge *e, const uint8_t *release);
/* The connection's, made if need be; NULL on no memory. */
struct visit *edge_visit(struct conn *conn);
/* False when that role is away or has too much to read already. */
bool edge_has_room(const struct edge *e, enum msg_role role, unsigned frames_max);

/* ---- edge_link.c ---- */
/*
 * Fills e->route and e->by_link from a request for a short URL that is in the
 * table. FG_ENOTFOUND when it is none, or none of a profile that allows it here: it
 * is then a request like any other. FG_ECRYPTO.
 */
int edge_link_route(struct edge *e, const char *listener, const struct http_request *req);
/* Its time is over, by the latest that it may be now. */
bool edge_link_expired(const struct edge *e);

/* ---- edge_crowd.c ---- */
bool edge_crowd_init(struct edge *e);
/*
 * The connection is that module's from now on, as the request in e->route and
 * e->by_link says. FG_ELIMIT: it has as many as it may. FG_ENOMEM.
 */
int edge_crowd_enter(struct edge *e, struct conn *conn, const uint8_t module[MSG_ID], enum identity_class class,
    const char *group);
/* How the request in e->route and e->by_link is known to be its module's. */
enum identity_class edge_crowd_class(const struct edge *e);
void edge_crowd_leave(struct edge *e, struct conn *conn);
/* The rates of c, for everybody who is there too. */
void edge_crowd_renew(struct edge *e, const struct config *c);

/* ---- edge_asks.c ---- */
bool edge_asks_init(struct edge *e);
void edge_asks_add(struct edge *e, struct conn *conn, const struct profile *profile, const uint8_t module[MSG_ID],
    const uint8_t release[MSG_ID]);
void edge_asks_control(struct edge *e, const struct msg_grant_say *m);
void edge_asks_audit(struct edge *e, const struct msg_grant_appended *m);
void edge_asks_flush(struct edge *e);
/* The connection that waited is gone. */
void edge_asks_forget(struct edge *e, uint64_t token);
/* A peer that grants need is gone: what was said to it is lost. */
void edge_asks_lost(struct edge *e);
/* Past their deadline, of a release (or NULL), or all (before a reload): answered "not now". */
void edge_asks_expire(struct edge *e, int64_t now_ms, const uint8_t *release, bool all);

/* ---- edge_sight.c ---- */
bool edge_sight_init(struct edge *e);
/*
 * Tells control about a request; repeats within EDGE_SEEN_S are counted. r NULL:
 * no profile fits; only then its path and headers are told, for somebody to
 * write one from. Otherwise they may hold a token, of which only the digest is ours.
 * Returns the key that repeats are counted under; 0: not looked at.
 */
uint64_t edge_sight(struct edge *e, const struct conn *conn, const struct http_request *req, const struct route *r,
    unsigned answer);
/* Tells audit about a client certificate that ended a handshake; likewise. */
void edge_sight_refused(struct edge *e, const struct conn *conn);
/* A repeat is counted; false when it is to be told, which takes edge_sight. */
bool edge_sight_again(struct edge *e, uint64_t key);

/* ---- edge_recall.c ---- */
bool edge_recall_init(struct edge *e);
/* What holds for this request too, its repeat counted; NULL: it is to be decided. Borrowed from the visit. */
const struct recall *edge_recall(struct edge *e, const struct visit *v, const struct http_request *req);
/* Keeps what was just decided, print and epoch apart; without memory the next one is decided again. */
void edge_recall_keep(const struct edge *e, struct visit *v, const struct http_request *req, const struct recall *what);
/* Likewise for the first request on a connection; with TLS always NULL. Borrowed until the next call into here. */
const struct recent *edge_recent(struct edge *e, const struct conn *conn, const struct http_request *req);
/* About e->route and e->by_link; group: the module's. */
void edge_recent_keep(struct edge *e, const struct conn *conn, const struct http_request *req, const struct recall *what,
    const char *group);

#endif
