/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_proved - entries of the published log, each proven to be where it is by
 * the log's own signature before anything is done with it; and each head
 * proven to continue the one before. For what hands entries on to others: a view or a
 * forwarder must not spread what the log did not sign.
 */
#ifndef FG_GATEWAY_CMD_CLI_PROVED_H
#define FG_GATEWAY_CMD_CLI_PROVED_H

#include "crypto/genesis.h"
#include "gateway/cmd/cli_log.h"

/* Beside exit statuses: tiles of this head are gone, take the newer one. */
#define CLI_PROVED_AGAIN (-1)

struct cli_proved {
	struct cli_log log; /* log.head and log.note: the newest that was checked */
	char vkey[GENESIS_VKEY_MAX];
	struct note_key key;
	struct merkle *m;
	struct tile_tree *tree; /* of log.head */
	struct writer bundle, tile;
};

/*
 * call is borrowed. vkey: the key that must have signed; NULL: the one that the gateway's
 * genesis names, which is the gateway's own word. 0 or an exit status after saying why;
 * cli_proved_close in any case.
 */
int cli_proved_open(struct cli_proved *p, const struct cli_common *c, struct cli_call *call, const char *vkey);
void cli_proved_close(struct cli_proved *p);
/*
 * Takes the newest checkpoint: signed, and a continuation of before (size 0: of
 * nothing). 0; CLI_REFUSED for one that is not; another status after saying why;
 * CLI_PROVED_AGAIN.
 */
int cli_proved_head(struct cli_proved *p, const struct checkpoint *before);
/* 0 to go on, or the status to end with. line is borrowed for the call. */
typedef int (*cli_proved_each)(void *ctx, uint64_t index, struct view line);
/*
 * The entries from *from on, up to the end of their bundle or the head; *from is
 * behind the last that each() took. Same results as cli_proved_head, and each()'s.
 */
int cli_proved_some(struct cli_proved *p, uint64_t *from, cli_proved_each each, void *ctx);

#endif
