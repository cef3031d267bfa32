/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger - the audit log as one thing: write-ahead segments, hash tree, tiles,
 * signed checkpoint. Order held here: durable in the WAL, then acknowledged,
 * then in the tiles, then signed. Never is a size signed that is not durable.
 */
#ifndef FG_GATEWAY_AUDIT_LEDGER_H
#define FG_GATEWAY_AUDIT_LEDGER_H

#include "crypto/checkpoint.h"
#include "gateway/wire/msg.h"

struct ledger;

struct ledger_opened {
	enum msg_log_state state;
	uint64_t size;          /* entries recovered */
	uint64_t published;     /* size of the checkpoint that was found */
	uint64_t dropped_bytes; /* torn tail that was cut */
	char why[256];          /* when state is not MSG_LOG_OPEN_OK */
};

/*
 * Opens waldir and logdir (borrowed descriptors). Every entry that is there is
 * given to each(), in order (grants are remembered that way). A log that does not
 * hold is no error: state says so and nothing can be appended.
 */
int ledger_open(int waldir, int logdir, const struct note_signer *key,
    void (*each)(void *ctx, uint64_t index, struct view entry), void *ctx, struct ledger **ret,
    struct ledger_opened *opened);
void ledger_close(struct ledger *l);
/* Nothing is put, committed or signed any more; reading goes on. */
void ledger_end(struct ledger *l);
uint64_t ledger_size(const struct ledger *l);      /* durable */
uint64_t ledger_next(const struct ledger *l);      /* durable and put */
uint64_t ledger_published(const struct ledger *l); /* signed */
/* So much is unpublished that the next publication should not wait for its second. */
bool ledger_is_due(const struct ledger *l);
/* Bytes of entries that are not in the tiles yet. */
size_t ledger_backlog(const struct ledger *l);
int ledger_root(struct ledger *l, uint8_t ret[DIGEST_SHA256_LEN]);
/*
 * Puts an entry into the batch; its index is ledger_next() before. FG_ELIMIT:
 * commit first. FG_EINVAL: empty or over 65,535 bytes.
 */
int ledger_put(struct ledger *l, struct view entry);
/*
 * Makes the batch durable. After FG_EIO nothing of the batch is acknowledged and the ledger is dead.
 * Nothing is hashed here but a new segment's root: whoever waits, waits for the disk alone.
 */
int ledger_commit(struct ledger *l);
/* Tiles and a signed checkpoint for everything durable. */
int ledger_publish(struct ledger *l);
/* The current signed checkpoint; borrowed until the next publish. Empty before the first. */
struct view ledger_checkpoint(const struct ledger *l);
/* Root of the first size entries; FG_ENOTFOUND when there are fewer. */
int ledger_root_at(struct ledger *l, uint64_t size, uint8_t ret[DIGEST_SHA256_LEN]);
/*
 * The same without ever signing anything, for a log that is not yet known to be
 * in order.
 */
int ledger_root_unsigned(struct ledger *l, uint64_t size, uint8_t ret[DIGEST_SHA256_LEN]);
/* Proof from a positive size to the published one; FG_EINVAL when old is larger. */
int ledger_consistency(struct ledger *l, uint64_t old, struct merkle_proof *ret);
/*
 * Puts a witness's line under the checkpoint, in place of an older one of its
 * name. FG_EFORMAT: no single line of another name than the log's own, or no note
 * any more with it; FG_ESTATE: another size has been published meanwhile;
 * FG_ELIMIT: the checkpoint would not fit a message; FG_EIO: a full disk. None of
 * it harms: the checkpoint is as good without.
 */
int ledger_cosigned(struct ledger *l, uint64_t size, const struct note_key *witness, struct view line);
/* Receipt of one entry against the current checkpoint, and the entry itself. Publishes if need be. */
int ledger_receipt(struct ledger *l, uint64_t index, struct writer *receipt, struct writer *entry);
int ledger_file(struct ledger *l, const char *name);

#endif
