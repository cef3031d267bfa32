/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record - one line of the log as the views see it: where it stands in the
 * tree, its leaf hash, and what it says if it is one of ours.
 * Role: the command line, for people and for the collectors of others.
 * Guarantees: a line nobody here can read is a record all the same, by its
 * place and hash, so that a view never has a hole; of such a line no byte is
 * shown. The record of truth is the line; views are made from it and leave
 * the big document out, naming its digest.
 */
#ifndef FG_GATEWAY_VIEW_RECORD_H
#define FG_GATEWAY_VIEW_RECORD_H

#include "crypto/digest.h"
#include "crypto/entry.h"
#include "crypto/merkle.h"

struct record {
	uint64_t index; /* in the tree: the log's word, whatever the line says of itself */
	uint8_t leaf[MERKLE_HASH_LEN];
	bool known;     /* e is filled */
	struct entry e; /* borrows from the line and doc; all empty unless known */
	bool have_doc;
	uint8_t doc_sha256[DIGEST_SHA256_LEN];
	struct json *doc; /* owned */
	bool unlogged;  /* said by whoever reads the log, not by the log: no place, no hash */
};

/* What a view needs beside the record. Zero is no setting: every view wants its own. */
struct record_frame {
	uint32_t pen; /* private enterprise number (RFC 5424 section 7.2.2) */
};

/*
 * 0 with *ret, which borrows line until record_free; FG_ECRYPTO or FG_ENOMEM. An
 * unreadable line is no error.
 */
int record_read(struct merkle *m, uint64_t index, struct view line, struct record *ret);
void record_free(struct record *r);
/* What a reader of the log at host says itself, of log.tamper; texts are borrowed. */
struct record record_alarm(struct view src, const char *msg, int64_t t_us);

/* "gw-7f3a/edge0": the part before the first slash, and the part after it. */
struct view record_host(const struct record *r);
struct view record_role(const struct record *r);
/* The event's name as the line spells it; "unknown" of a line that is none of ours. */
struct view record_event(const struct record *r);
/* The SHA-256 of an image that the entry is about, as hex: of obj or of a reference "image". Empty: none. */
struct view record_image(const struct record *r);

#endif
