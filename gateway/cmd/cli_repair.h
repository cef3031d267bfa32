/* SPDX-License-Identifier: Apache-2.0 */
/* cli_repair - `fotagate audit repair`: the way out of a log that is damaged or shorter than it was. Offline. */
#ifndef FG_GATEWAY_CMD_CLI_REPAIR_H
#define FG_GATEWAY_CMD_CLI_REPAIR_H

#include "gateway/audit/rebuild.h"
#include "gateway/cmd/cli_opt.h"

/* A verb below `audit`; returns the exit status. */
int cli_repair(int argc, char **argv);

/*
 * The log below data, made from an export or a copy of audit/log. how: what the next start
 * makes an entry of; NULL: that it was a repair. 0 or an exit status after saying why.
 */
int cli_repair_log(const struct cli_common *c, const char *data, const char *from, const char *how, struct rebuild *ret);

#endif
