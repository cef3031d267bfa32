/* SPDX-License-Identifier: Apache-2.0 */
/* cli_policy - the verbs of `fotagate policy`, by the file they stand in. argv[0] is the verb; they return the exit status. */
#ifndef FG_GATEWAY_CMD_CLI_POLICY_H
#define FG_GATEWAY_CMD_CLI_POLICY_H

int cli_policy_check(int argc, char **argv);
int cli_policy_explain(int argc, char **argv);
int cli_policy_propose(int argc, char **argv);
int cli_policy_show(int argc, char **argv);
int cli_policy_sign(int argc, char **argv);
int cli_policy_submit(int argc, char **argv);
int cli_policy_test(int argc, char **argv);
int cli_policy_whatif(int argc, char **argv);

#endif
