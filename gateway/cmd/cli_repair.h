/* SPDX-License-Identifier: Apache-2.0 */
/* cli_repair - `fotagate audit repair`: the way out of a log that is damaged or shorter than it was. Offline. */
#ifndef FG_GATEWAY_CMD_CLI_REPAIR_H
#define FG_GATEWAY_CMD_CLI_REPAIR_H

/* A verb below `audit`; returns the exit status. */
int cli_repair(int argc, char **argv);

#endif
