/* SPDX-License-Identifier: Apache-2.0 */
/* cli_witness - fotagate audit witness: checkpoints to witnesses elsewhere, and their lines back, for as long as it runs. */
#ifndef FG_GATEWAY_CMD_CLI_WITNESS_H
#define FG_GATEWAY_CMD_CLI_WITNESS_H

int cli_witness(int argc, char **argv);

#endif
