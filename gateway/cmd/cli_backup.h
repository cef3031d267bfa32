/* SPDX-License-Identifier: Apache-2.0 */
/* cli_backup - what a backup and its restore agree on: names in the folder beside data/, conf/, keys/ and log/. */
#ifndef FG_GATEWAY_CMD_CLI_BACKUP_H
#define FG_GATEWAY_CMD_CLI_BACKUP_H

#define CLI_BACKUP_LEFT_OUT "LEFT-OUT" /* names of the files in keys_dir that are not in it, one a line */

#endif
