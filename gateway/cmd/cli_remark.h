/* SPDX-License-Identifier: Apache-2.0 */
/* cli_remark - what people say about a review and lay beside it: three verbs of `fotagate review` (cli_review.c). */
#ifndef FG_GATEWAY_CMD_CLI_REMARK_H
#define FG_GATEWAY_CMD_CLI_REMARK_H

int cli_remark_comment(int argc, char **argv);
int cli_remark_attach(int argc, char **argv);
int cli_remark_attachment(int argc, char **argv);

#endif
