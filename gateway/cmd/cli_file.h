/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_file - small files and folders of the operator's own, for the command
 * line. Nothing here reads an image.
 */
#ifndef FG_GATEWAY_CMD_CLI_FILE_H
#define FG_GATEWAY_CMD_CLI_FILE_H

#include <stddef.h>
#include <stdint.h>

#define CLI_FILE_NAMES_MAX 1024 /* entries of one folder that are looked at */

struct cli_file_names {
	char **name; /* ascending byte order */
	size_t n;
};

/*
 * All of dir/name (dir NULL: name as it is), at most max bytes. 0 and bytes to
 * free(); FG_EIO with errno, FG_EINVAL when it is no regular file, FG_ELIMIT, FG_ENOMEM.
 */
int cli_file_read(const char *dir, const char *name, size_t max, uint8_t **ret, size_t *ret_n);
/* Names in a folder but hidden ones. 0, FG_EIO with errno, FG_ELIMIT, FG_ENOMEM. */
int cli_file_list(const char *dir, struct cli_file_names *ret);
void cli_file_names_free(struct cli_file_names *names);

#endif
