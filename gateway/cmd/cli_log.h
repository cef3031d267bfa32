/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_log - the published log as control hands it out, file by file: the
 * checkpoint and the tiles of one size. The daemon goes on writing meanwhile, and
 * drops partial tiles that newer ones replace; whoever finds one gone takes the
 * newer checkpoint and looks again.
 */
#ifndef FG_GATEWAY_CMD_CLI_LOG_H
#define FG_GATEWAY_CMD_CLI_LOG_H

#include "crypto/checkpoint.h"
#include "crypto/tile.h"
#include "gateway/cmd/cli_call.h"

struct cli_log {
	const struct cli_common *common;
	struct cli_call *call;
	struct writer note; /* the checkpoint as it was signed */
	struct checkpoint head;
};

/* What a checkpoint says, whoever signed it. */
bool cli_log_parse(struct view note, struct checkpoint *ret);
/* call is borrowed. */
void cli_log_init(struct cli_log *l, const struct cli_common *c, struct cli_call *call);
void cli_log_end(struct cli_log *l);
/* Asks for the newest checkpoint; its signature is the caller's to check. 0 or an exit status after saying why. */
int cli_log_head(struct cli_log *l);
/*
 * A file of the log onto w (emptied first). 0; FG_ENOTFOUND when it is not there;
 * anything else after saying why.
 */
int cli_log_file(struct cli_log *l, const char *name, size_t max, struct writer *w);
/*
 * The bundle of entries with that index in a log of head.size entries. 0,
 * FG_ENOTFOUND (gone: ask for the head again), or another error after saying why.
 */
int cli_log_bundle(struct cli_log *l, uint64_t index, struct writer *w, unsigned *ret_width);

#endif
