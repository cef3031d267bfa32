/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_password - a password from a person or a file: without echo and twice from a terminal, else the first
 * line of a file or of standard input. Never an argument: those are everybody's to read.
 */
#ifndef FG_GATEWAY_CMD_CLI_PASSWORD_H
#define FG_GATEWAY_CMD_CLI_PASSWORD_H

#include "crypto/password.h"
#include "gateway/cmd/cli_opt.h"

#define CLI_PASSWORD_CAP (PASSWORD_BYTES_MAX + 2)

/*
 * file NULL: the terminal if standard input is one, else standard input. 0, or an exit status after saying why.
 * The caller wipes dst.
 */
int cli_password(const struct cli_common *c, const char *file, char dst[CLI_PASSWORD_CAP]);

#endif
