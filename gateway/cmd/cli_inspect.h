/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_inspect - the verb `fotagate inspect`: a judgement without daemon or
 * configuration, in the daemon's jail.
 */
#ifndef FG_GATEWAY_CMD_CLI_INSPECT_H
#define FG_GATEWAY_CMD_CLI_INSPECT_H

/* argv[0] is "inspect". Exit status: 0 acceptable, 1 review or blocked, 2 usage, 3 could not. */
int cli_inspect(int argc, char **argv);

#endif
