/* SPDX-License-Identifier: Apache-2.0 */
/* cli_applydelta - `fotagate delta apply`: a delta applied in the inspector's jail, with bonus data where it wants some. */
#ifndef FG_GATEWAY_CMD_CLI_APPLYDELTA_H
#define FG_GATEWAY_CMD_CLI_APPLYDELTA_H

int cli_applydelta(int argc, char **argv);

#endif
