/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wal - write-ahead segments of the audit log: the place where an entry becomes
 * durable (AUDIT_AND_APPROVAL.md section 2.3).
 * Segment `<first seq, 20 digits>.seg`, preallocated. Header of 64 bytes:
 * "FGAWAL01", u32 version, u64 first seq, 32 bytes root before the segment, zero
 * padding, u32 CRC32C of the 60 bytes before. Record: u32 length (top bit: first
 * record of a batch), u64 seq, u32 CRC32C(length, seq, payload), payload, zero
 * padding to 8. Big-endian; zeros end the segment. A failed write or sync ends
 * the log's life in this process: it is never tried again on the same descriptor.
 */
#ifndef FG_GATEWAY_AUDIT_WAL_H
#define FG_GATEWAY_AUDIT_WAL_H

#include "crypto/digest.h"
#include "crypto/view.h"

#define WAL_SEGMENT (16u << 20)   /* bytes preallocated at a time */
#define WAL_SEGMENT_MIN (4u << 20) /* on a nearly full disk; a header and the largest batch fit */
#define WAL_BATCH_RECORDS 16384   /* one sync carries at most this many */
#define WAL_BATCH_BYTES (WAL_SEGMENT_MIN - 4096) /* some 13,400 grants */
#define WAL_SEGMENTS_MAX 4096

struct wal;

struct wal_found { /* what opening found */
	uint64_t records;
	uint64_t dropped_bytes; /* torn tail: part of a batch that was never acknowledged */
	bool broken;            /* a gap, a bad header, or a bad record that is not the tail */
};

/*
 * Opens directory dirfd (borrowed for life) and replays every whole record in
 * order through replay(); a record that replay refuses (non-zero) ends with that
 * error. Changes nothing on disk; wal_cut() comes before the first wal_put().
 */
int wal_open(int dirfd, int (*replay)(void *ctx, uint64_t seq, struct view entry), void *ctx, struct wal **ret,
    struct wal_found *found);
void wal_close(struct wal *w);
/* Seq after the last record that is there; false when there is none. */
bool wal_next(const struct wal *w, uint64_t *ret);
/*
 * Puts one entry into the batch. FG_ELIMIT when the batch is full (commit first),
 * FG_EINVAL for an empty one, FG_ESTATE before a torn tail was cut, FG_ENOMEM.
 */
int wal_put(struct wal *w, uint64_t seq, struct view entry);
/* The next commit begins a segment, whose header names the root before it. */
bool wal_needs_root(const struct wal *w);
/*
 * One write and one fdatasync for the batch. root is that before the batch's
 * first record, for a new segment's header. After FG_EIO the wal is dead.
 */
int wal_commit(struct wal *w, const uint8_t root[DIGEST_SHA256_LEN]);
/*
 * Cuts a torn tail, if there is one (the caller has seen that it holds nothing
 * published), and makes what opening found durable: a process before this one may
 * have been killed between a write and its sync. FG_EIO.
 */
int wal_cut(struct wal *w);
/* Removes segments whose every record is below seq; the last segment stays. */
void wal_forget(struct wal *w, uint64_t seq);

#endif
