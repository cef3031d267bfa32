/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_log - the exported log itself: every line, the tree over them, the
 * tiles beside them, and the checkpoint that signs their root. Everything is
 * read once into memory, so that what was hashed is what is judged. Memory:
 * entries.jsonl, 84 bytes an entry and a bundle's worth a processor.
 */
#ifndef FG_GATEWAY_CMD_VERIFY_LOG_H
#define FG_GATEWAY_CMD_VERIFY_LOG_H

#include "crypto/checkpoint.h"
#include "crypto/entry.h"
#include "crypto/merkle.h"
#include "crypto/release.h"
#include "crypto/tile.h"
#include "gateway/cmd/verify_say.h"

/* What a walk over a million entries asks of most: the line has the rest. */
struct verify_fact {
	int64_t t_us;
	uint8_t dev[ENTRY_DEV_LEN];
	uint8_t release[RELEASE_ID];
	uint8_t ev;         /* enum entry_event */
	bool readable;      /* false: entry_parse refuses the line, all else is zero */
	bool other_seq;     /* calls itself another number than it has */
	bool have_dev;
	bool have_release;  /* its object is "release:<id>" */
};

struct verify_log {
	const char *dir;
	struct verify_say *say;
	struct merkle *m;
	uint8_t *text;            /* entries.jsonl */
	size_t size;
	uint32_t *at;             /* n + 1 offsets of lines */
	struct verify_fact *fact; /* n */
	uint8_t (*level[TILE_LEVELS])[MERKLE_HASH_LEN]; /* hashes of the full subtrees of 256^i entries */
	uint8_t *tile_state;      /* of each tile of level 0, see verify_log.c */
	struct tile_tree *tree;   /* over them */
	uint64_t n;
	struct checkpoint_opened opened; /* the checkpoint */
};

/* Says a problem and counts it. */
void verify_log_problem(struct verify_log *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Reads dir, on all processors; 0, or local failure or missing file (said). */
int verify_log_open(struct verify_log *l, const char *dir, struct verify_say *say);
void verify_log_close(struct verify_log *l);
/* Entry i without its line end. */
struct view verify_log_line(const struct verify_log *l, uint64_t i);
/* Root of the first size entries, for the log states that people signed; FG_EINVAL when there are fewer. */
int verify_log_root(struct verify_log *l, uint64_t size, uint8_t ret[MERKLE_HASH_LEN]);
/* Checkpoint by key, root over all lines, every tile file. Problems are counted. */
int verify_log_check(struct verify_log *l, const struct note_key *key, const struct note_key *witnesses, size_t n);

#endif
