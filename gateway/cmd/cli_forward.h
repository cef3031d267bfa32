/* SPDX-License-Identifier: Apache-2.0 */
/* cli_forward - fotagate audit forward: the log to a collector, entry by entry, for as long as it runs. */
#ifndef FG_GATEWAY_CMD_CLI_FORWARD_H
#define FG_GATEWAY_CMD_CLI_FORWARD_H

/* The verb; argv[0] is its word. */
int cli_forward(int argc, char **argv);

#endif
