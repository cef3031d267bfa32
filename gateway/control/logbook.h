/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logbook - control's hand on the audit log. What permits waits here for the
 * durable acknowledgement; what only tells is queued and never waited for.
 * Guarantees: a callback runs exactly once, from the loop or from
 * logbook_down(), and never inside the call that ordered it; with audit away
 * or its log not in order logbook_permits() is false and nothing may take
 * effect that gives a right. A log that is shorter than remembered, or has
 * another root where it was remembered, is called so for the rest of the
 * process's life: only a person can mend that.
 */
#ifndef FG_GATEWAY_CONTROL_LOGBOOK_H
#define FG_GATEWAY_CONTROL_LOGBOOK_H

#include <stdbool.h>

#include "crypto/entry.h"
#include "gateway/role/chan.h"

#define LOGBOOK_PENDING_MAX 4096 /* answers owed by audit; a review is a handful */
#define LOGBOOK_NOTES_MAX 1024   /* entries kept while audit restarts; more are counted, and said so */

struct logbook;

/* What control remembers of the log, in its own database: the size it last saw, and its root there. */
struct logbook_memory {
	void *ctx;
	/* False: nothing is remembered yet. */
	bool (*recall)(void *ctx, uint64_t *size, uint8_t root[DIGEST_SHA256_LEN]);
	void (*remember)(void *ctx, uint64_t size, const uint8_t root[DIGEST_SHA256_LEN]);
	/* State changed (also: audit came or went). May be NULL. */
	void (*changed)(void *ctx);
};

struct logbook *logbook_new(const struct logbook_memory *memory);
/* Pending callbacks are not run any more. */
void logbook_free(struct logbook *l);

/* Audit's channel is up: asks for its head, compares, sends what waited. */
void logbook_up(struct logbook *l, struct chan *audit);
/* It is gone: every pending callback gets FG_EAGAIN. */
void logbook_down(struct logbook *l);
/* Asks for the head and remembers it; from a timer. */
void logbook_tick(struct logbook *l);

/* Audit is there and its log is the one we know: what permits may go on. */
bool logbook_permits(const struct logbook *l);
/* "away", or as msg_log_state_name() says it. */
const char *logbook_state(const struct logbook *l);
/*
 * It is not the log this gateway knows, or was not compared yet: what was permitted
 * goes no further either. While audit is away nobody can get a grant anyway.
 */
bool logbook_condemned(const struct logbook *l);
/* How full the log's disk is, in percent, as audit last said. */
unsigned logbook_used_pct(const struct logbook *l);
/* The largest size seen; what a restriction is dated with while audit is away. */
uint64_t logbook_size(const struct logbook *l);
/* Root at logbook_head_size(), both as audit last said. */
uint64_t logbook_head_size(const struct logbook *l);
/* How much of it the warden has vouched for. */
uint64_t logbook_witnessed(const struct logbook *l);
/* Witnesses elsewhere: how many, and what their quorum has cosigned since audit started. */
unsigned logbook_remotes(const struct logbook *l);
uint64_t logbook_remote_size(const struct logbook *l);
const uint8_t *logbook_root(const struct logbook *l);

/* index is the entry's when err is 0. */
typedef void (*logbook_appended)(void *ctx, int err, uint64_t index);
typedef void (*logbook_head)(void *ctx, int err, const struct msg_head *head);
/* fd is the callback's to take; -1 on failure. */
typedef void (*logbook_opened)(void *ctx, int err, int fd);
typedef void (*logbook_proof)(void *ctx, int err, const struct msg_proof *proof);

/*
 * Appends and calls back once durable. 0; FG_EAGAIN when nothing is permitted
 * now (no callback then), FG_ELIMIT, FG_ENOMEM. The token in m is set here.
 */
int logbook_append(struct logbook *l, struct msg_append *m, logbook_appended done, void *ctx);
/* Appends without waiting; kept while audit is away, or its disk full and the event not vital. */
void logbook_note(struct logbook *l, struct msg_append *m);
int logbook_ask_head(struct logbook *l, logbook_head done, void *ctx);
/* ret is NULL unless err is 0. FG_ENOTFOUND: the log never had that size. */
typedef void (*logbook_root_at)(void *ctx, int err, const uint8_t *root);
int logbook_ask_root(struct logbook *l, uint64_t size, logbook_root_at done, void *ctx);
int logbook_open(struct logbook *l, const char *name, logbook_opened done, void *ctx);
int logbook_ask_proof(struct logbook *l, uint64_t index, logbook_proof done, void *ctx);

/* name and, if it cosigned, its line. err: as msg_witness_taken says, FG_EAGAIN when audit went away. */
typedef void (*logbook_witness)(void *ctx, int err, const struct msg_witness_taken *taken);
int logbook_tell_witness(struct logbook *l, struct msg_witness_said *m, logbook_witness done, void *ctx);

/* Audit's answers; a token nobody waits for is ignored. */
void logbook_on_appended(struct logbook *l, const struct msg_appended *m);
void logbook_on_head(struct logbook *l, const struct msg_head *m);
void logbook_on_root(struct logbook *l, const struct msg_root *m);
void logbook_on_opened(struct logbook *l, const struct msg_log_opened *m, struct wire_frame *frame);
void logbook_on_witness(struct logbook *l, const struct msg_witness_taken *m);
void logbook_on_proof(struct logbook *l, const struct msg_proof *m);

/* ---- making entries ---- */

/* An entry of that event with its usual severity; text is made visible, act and obj likewise. Caller frees. */
struct msg_append *logbook_entry(enum entry_event event, const char *out, const char *act, const char *obj);
void logbook_say(struct msg_append *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void logbook_ref(struct msg_append *m, const char *key, const char *text);
void logbook_ref_number(struct msg_append *m, const char *key, uint64_t number);
/* "sha256:<hex>" */
void logbook_ref_sha256(struct msg_append *m, const char *key, const uint8_t sha256[DIGEST_SHA256_LEN]);
void logbook_dev(struct msg_append *m, const uint8_t dev[MSG_ID]);
/* Notes the entry and frees it; NULL is nothing. */
void logbook_tell(struct logbook *l, struct msg_append *m);

#endif
