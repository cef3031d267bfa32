/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_log - the exported log itself: every line, the tree over them, the
 * tiles beside them, and the checkpoint that signs their root.
 */
#ifndef FG_GATEWAY_CMD_VERIFY_LOG_H
#define FG_GATEWAY_CMD_VERIFY_LOG_H

#include "crypto/checkpoint.h"
#include "crypto/merkle.h"
#include "crypto/tile.h"

#define VERIFY_LOG_PROBLEMS 20 /* told one by one; more are counted */

struct verify_log {
	const char *dir;
	struct merkle *m;
	struct view text;       /* entries.jsonl */
	struct view *line;      /* n lines, borrowed from text */
	uint8_t (*level[TILE_LEVELS])[MERKLE_HASH_LEN]; /* hashes of the full subtrees of 256^i entries */
	struct tile_tree *tree; /* over them */
	uint64_t n;
	struct checkpoint head;
	unsigned witnessed; /* given witnesses who co-signed it */
	unsigned problems;
};

/* Says a problem on stdout ("not ok: ...") and counts it. */
void verify_log_problem(struct verify_log *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Reads dir; 0, or local failure or missing file (said). key judges the checkpoint. */
int verify_log_open(struct verify_log *l, const char *dir);
void verify_log_close(struct verify_log *l);
/* Root of the first size entries, for the log states that people signed; FG_EINVAL when there are fewer. */
int verify_log_root(struct verify_log *l, uint64_t size, uint8_t ret[MERKLE_HASH_LEN]);
/* Checkpoint by key, root over all lines, every tile file. Problems are counted. */
int verify_log_check(struct verify_log *l, const struct note_key *key, const struct note_key *witnesses, unsigned n);

#endif
