/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_whatif - what a changed configuration would decide over what is stored. Judged here,
 * from the reports: the gateway is not kept waiting, and a whole folder can be tried, where
 * control takes the text of one file of a page. Nothing is changed on the other side.
 * Callers: fotagate policy whatif, and propose and sign, so that people sign knowing.
 */
#ifndef FG_GATEWAY_CMD_CLI_WHATIF_H
#define FG_GATEWAY_CMD_CLI_WHATIF_H

#include <stdio.h>

#include "gateway/cmd/cli_call.h"
#include "policy/config.h"

/* Every update that waits, is blocked or released: what comes out otherwise, as a table or as JSON, on out. 0 or an exit status. */
int cli_whatif(const struct cli_common *c, struct cli_call *call, const struct config *config, bool json, FILE *out);

#endif
