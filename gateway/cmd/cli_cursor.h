/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_cursor - how far a forwarder has come, in a file of its own: whose log, the
 * head it was checked against, and the next entry to send. Replaced whole
 * (written aside, synced, renamed), so that whoever is killed finds the old one or the new.
 */
#ifndef FG_GATEWAY_CMD_CLI_CURSOR_H
#define FG_GATEWAY_CMD_CLI_CURSOR_H

#include "crypto/checkpoint.h"
#include "crypto/digest.h"
#include "crypto/genesis.h"
#include "gateway/cmd/cli_opt.h"

struct cli_cursor {
	char vkey[GENESIS_VKEY_MAX];       /* the log's; "" : none yet */
	uint64_t next;
	struct checkpoint head;            /* size and root; size 0: none yet */
	uint8_t note[DIGEST_SHA256_LEN];   /* of the checkpoint that was sent last */
};

/* 0, *ret zero when there is no such file; CLI_COULD_NOT after saying what is wrong with it. */
int cli_cursor_load(const struct cli_common *c, const char *path, struct cli_cursor *ret);
/* 0 or CLI_COULD_NOT after saying why; the old file then stands. */
int cli_cursor_save(const struct cli_common *c, const char *path, const struct cli_cursor *cursor);

#endif
