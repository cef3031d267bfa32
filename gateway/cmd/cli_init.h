/* SPDX-License-Identifier: Apache-2.0 */
/* cli_init - the verb `fotagate init`: a new gateway's keys, its genesis, its first configuration. */
#ifndef FG_GATEWAY_CMD_CLI_INIT_H
#define FG_GATEWAY_CMD_CLI_INIT_H

int cli_init(int argc, char **argv);

#endif
