/* SPDX-License-Identifier: Apache-2.0 */
/* verify_file - reading an exported directory: whole files with a cap, nothing through links. */
#ifndef FG_GATEWAY_CMD_VERIFY_FILE_H
#define FG_GATEWAY_CMD_VERIFY_FILE_H

#include "crypto/view.h"

#define VERIFY_FILE_PATH 512
#define VERIFY_ENTRIES_MAX (1u << 31) /* bytes of entries.jsonl: 5 million entries */
#define VERIFY_SMALL_MAX (4u << 20)   /* any other file */

/* All of dir/name (dir may be NULL). FG_ENOTFOUND, FG_EIO, FG_ELIMIT, FG_ENOMEM. Freed with verify_file_free. */
int verify_file_read(const char *dir, const char *name, size_t max, struct view *ret);
void verify_file_free(struct view v);

#endif
