/* SPDX-License-Identifier: Apache-2.0 */
/* cli_adopt - `fotagate audit adopt`: a log that was copied or moved goes on here. Offline. */
#ifndef FG_GATEWAY_CMD_CLI_ADOPT_H
#define FG_GATEWAY_CMD_CLI_ADOPT_H

/* A verb below `audit`; returns the exit status. */
int cli_adopt(int argc, char **argv);

#endif
