/* SPDX-License-Identifier: Apache-2.0 */
/* cli_seal - `fotagate init --seal`: the signatures that make a genesis count. */
#ifndef FG_GATEWAY_CMD_CLI_SEAL_H
#define FG_GATEWAY_CMD_CLI_SEAL_H

#include "crypto/genesis.h"
#include "gateway/cmd/cli_place.h"

/* The genesis of an installation with its text (free() text.p). 0, or an exit status after saying why. */
int cli_seal_read(const struct cli_common *c, const struct cli_place *p, struct genesis *ret, struct view *ret_text);
bool cli_seal_done(const struct cli_place *p);
/*
 * Checks that every signature is good and that they are enough, and stores them
 * as authority/genesis.sig.0 and so on. names are for messages. 0, or an exit status
 * after saying why; nothing is stored then.
 */
int cli_seal_store(const struct cli_common *c, struct cli_place *p, const struct signers_signature *sigs,
    const char *const *names, unsigned n);
/* The verb: operands are DIR (if it is a folder) and signature files. */
int cli_seal_run(const struct cli_args *a);
/* What is to be kept outside, in the form that fotagate-verify --trust reads. */
int cli_seal_trust(const struct genesis *g, struct view text, struct writer *w);

#endif
