/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_private - what the files of the audit role share. Private to the folder.
 *
 *   audit.c         the role: boot, identity, channels, stop
 *   audit_state.c   whether the log may be written, and what ended that
 *   audit_host.c    whether it is the log of these files on this machine
 *   audit_room.c    how full its disk is, and what is still written on a full one
 *   audit_flood.c   what one source may write of what it tells
 *   audit_append.c  entries, group commit, acknowledgements
 *   audit_answer.c  what others may read: head, roots, files, proofs
 *   audit_witness.c what the warden remembers: comparison at start, its line
 *   audit_remote.c  what witnesses elsewhere remember: the same, by a policy's quorum
 */
#ifndef FG_GATEWAY_AUDIT_AUDIT_PRIVATE_H
#define FG_GATEWAY_AUDIT_AUDIT_PRIVATE_H

#include <event2/event_struct.h>

#include "crypto/clockwatch.h"
#include "crypto/entry.h"
#include "crypto/witness_policy.h"
#include "gateway/audit/audit.h"
#include "gateway/audit/condemned.h"
#include "gateway/audit/granted.h"
#include "gateway/audit/ledger.h"
#include "gateway/audit/reserve.h"
#include "gateway/role/role.h"

struct waiter { /* an acknowledgement owed after the next commit */
	struct chan *to;
	bool grant;
	uint64_t token;
	uint64_t index;
};

struct held;

struct audit_witness { /* the warden */
	struct chan *chan;   /* NULL while it is away */
	bool comparing;      /* it has not yet said what it remembers: nothing is appended or signed */
	bool asked;          /* an answer is owed */
	bool quiet;          /* it cannot or will not; until it comes again */
	uint64_t token;
	uint64_t asked_size;
	uint64_t known;      /* what it remembers */
	uint64_t vouched;    /* the last size it signed in this process's life */
	int64_t at;          /* when, epoch seconds */
	struct held *held, **held_tail;
	unsigned held_n;
};

struct audit_remote { /* witnesses elsewhere */
	struct witness_policy *policy; /* NULL: there are none */
	bool waiting;        /* their quorum has not yet compared: nothing is appended or signed */
	int64_t started;     /* epoch seconds */
	uint64_t size[WITNESS_POLICY_WITNESSES_MAX]; /* cosigned in this process's life */
	uint64_t time[WITNESS_POLICY_WITNESSES_MAX]; /* of the newest line, as the witness says */
	int64_t said_at[WITNESS_POLICY_WITNESSES_MAX]; /* when the log was last told */
};

struct audit {
	struct role *role;
	const struct clock_source *clock;
	char path[MSG_PATH_MAX + 8]; /* data_dir/audit */
	char authority[MSG_PATH_MAX + 16];
	int dir, waldir, logdir;
	uint8_t *key_text;
	size_t key_n;
	struct note_signer key;
	uint8_t *genesis;
	size_t genesis_n;
	enum entry_clk clk;
	struct clockwatch watch; /* this process's base until the warden has told its own */
	int64_t last_us;         /* time of the last entry, durable or put; entries never go back */
	char host[32];
	char src[64];            /* of the last entry put, with whom it is of */
	enum msg_role src_role;
	unsigned src_index;
	struct writer line;      /* the entry being put */
	struct ledger *ledger;
	struct ledger_opened opened;
	struct condemned condemned; /* state is MSG_LOG_UNKNOWN while the log is in order */
	struct reserve reserve;
	enum reserve_level level; /* as last logged */
	uint64_t refused;         /* entries that a full log did not take */
	struct flood *flood;
	struct granted *granted;
	struct waiter *waiting;
	size_t waiting_n;
	struct event commit; /* runs after every channel that had something was read */
	size_t gathered;        /* waiting_n at the last look for more */
	unsigned gather_rounds;
	int64_t gather_ms;      /* when the first look was */
	int64_t committed_ms;   /* when the last sync ended */
	int64_t sync_ms;        /* how long it took */
	unsigned publish_skips; /* ticks in a row that found this role busy */
	struct event publish;
	struct audit_witness witness;
	struct audit_remote remote;
	bool failed;    /* could not be written: this process ends */
	bool unbound;   /* there is no audit/host yet */
	bool stranger;  /* entry 0 holds another genesis than the one handed over */
	bool forgetful; /* a grant of the log could not be remembered: idempotence cannot be promised */
};

/* ---- audit_state.c ---- */

/* What MSG_HEAD says of the log. */
enum msg_log_state audit_state(const struct audit *a);
/*
 * The log is in order and this process could write it so far: entries may come (from
 * others those that audit_room_admits()), checkpoints may be signed.
 */
bool audit_is_usable(const struct audit *a);
/* It could not be written: nothing is acknowledged any more and the process ends. Says so once. */
void audit_fail(struct audit *a, const char *what, int err);
/*
 * The log is not the one this gateway wrote (MSG_LOG_TAMPERED), not as long as it was
 * (MSG_LOG_ROLLED_BACK) or not alone in the world (MSG_LOG_CLONED; any other state
 * aborts). From here on nothing is appended, acknowledged or signed, in this process
 * and after a restart, until a person takes the way out (rebuild.h). known is the largest size
 * that somebody holds a checkpoint of, 0 if nobody said. The first state stays, but
 * for a copy that turns out to be worse than a copy; a larger known is noted.
 */
void audit_condemn(struct audit *a, enum msg_log_state state, uint64_t known, const char *why);
/* The marker of an earlier process, if there is one. After a->dir is open, before the ledger is. */
int audit_recall(struct audit *a);

/* ---- audit_host.c ---- */

/* Once it is opened: condemns a log that is bound to other files or another machine (hostbind.h). FG_EIO. */
int audit_host_look(struct audit *a);
/*
 * Puts what a person did to the log since it was written last (ret_pardoned: that has to
 * be ended once it is durable), and the binding of a log that has none. Before anything is signed
 * and after these are durable: audit_host_settle().
 */
int audit_host_entries(struct audit *a, bool *ret_pardoned);
int audit_host_settle(struct audit *a);

/* ---- audit_room.c ---- */

/* Before the ledger is opened: finds or takes the reserve. */
int audit_room_open(struct audit *a);
/* Measures, once a second, and puts an entry when the disk has become fuller, or not full any more. */
void audit_room_look(struct audit *a);
/* As much is waiting for the tiles as should come out of the reserve: on a small disk that is soon. */
bool audit_room_is_tight(const struct audit *a);
/* A full log takes what is vital only. Counts what is refused. */
bool audit_room_admits(struct audit *a, enum entry_event ev);

/* ---- audit_flood.c ---- */

/* Full buckets for every source; free(). NULL on no memory. */
struct flood *audit_flood_new(void);
/*
 * Whether that entry is written. False: it is counted, and the count written every
 * five minutes. True may have paused the channel: what follows on it waits.
 */
bool audit_flood_admits(struct audit *a, struct chan *c, const struct msg_append *m);
/* A grant was written for that channel, which may be paused for it. */
void audit_flood_granted(struct audit *a, struct chan *c);
void audit_flood_forget(struct audit *a, const struct chan *c);
/* Once a second: lets channels go on, and writes the counts when it is time. */
void audit_flood_look(struct audit *a);
/* Writes the counts now. */
void audit_flood_count(struct audit *a);
/* ---- audit.c ---- */

/* The log's first lines of this life, once it has been compared. An error has been said and ends the process. */
int audit_begin(struct audit *a);

/* ---- audit_witness.c ---- */

void audit_witness_start(struct audit *a);
void audit_witness_close(struct audit *a);
/* A peer has come or gone. */
void audit_witness_up(struct audit *a, struct chan *c, enum msg_role peer);
void audit_witness_down(struct audit *a, const struct chan *c);
/* Keeps an entry of the supervisor's until the comparison is over; false when it is over, or too many wait. */
bool audit_witness_hold(struct audit *a, const struct msg_append *m);
/* There may be a checkpoint that the warden has not seen. */
void audit_witness_published(struct audit *a);
/* After every comparison: the log's first lines, then everything that was held. */
void audit_witness_go_on(struct audit *a);
void audit_on_cosigned(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame);

/* ---- audit_remote.c ---- */

/* Reads the policy, if there is one; what is wrong with it has been said. After the identity is known. */
int audit_remote_open(struct audit *a);
void audit_remote_close(struct audit *a);
/* After the warden's comparison: true when the start waits for the witnesses elsewhere as well. */
bool audit_remote_hold(struct audit *a);
/* How many there are, and the largest size that their quorum has cosigned in this life. */
unsigned audit_remote_count(const struct audit *a);
uint64_t audit_remote_size(const struct audit *a);
void audit_on_witness_said(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame);

/* ---- audit_append.c ---- */

/*
 * Puts one entry into the batch: src, seq and time are set here. FG_EINVAL: the
 * source sent what no entry may hold; FG_EIO: not now, or never again.
 */
int audit_put(struct audit *a, const struct chan *from, struct entry *e, uint64_t *ret_index);
/* One of audit's own. */
int audit_put_own(struct audit *a, enum entry_event ev, struct view msg, struct view doc);
/* The warden's base: what this process stamps entries by. */
void audit_on_clock(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame);
/* Makes the batch durable and sends what is owed for it. */
void audit_run_commit(struct audit *a);
/* A checkpoint for everything durable; nothing when the log is not usable. */
void audit_publish(struct audit *a);
/* The same, once a second: put off, a few times, while entries come one after another and would wait for it. */
void audit_publish_tick(struct audit *a);
/* The same, for somebody who waits to read what is durable; nothing while entries come one after another. */
void audit_publish_for_reader(struct audit *a);
/* No acknowledgement to that channel any more. */
void audit_forget(struct audit *a, const struct chan *c);
/* For granted and the floor of time: what the log already holds. Is ledger_open()'s each(). */
void audit_remember(void *ctx, uint64_t index, struct view line);
int audit_append_open(struct audit *a);
void audit_append_close(struct audit *a);
void audit_on_append(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame);
void audit_on_grant_append(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame);

/* ---- audit_answer.c ---- */

/* Unasked, when the warden comes: it needs the floor before it can say that a clock is sure. */
void audit_tell_head(struct audit *a, struct chan *c, uint64_t token);
void audit_on_head_ask(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame);
/* Control's: it reads what is published, above all after its start, when nothing is permitted before it has read all. */
void audit_on_head_ask_to_read(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame);
void audit_on_root_ask(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame);
void audit_on_log_open(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame);
void audit_on_proof_ask(void *ctx, struct chan *c, const void *msg, struct wire_frame *frame);

#endif
