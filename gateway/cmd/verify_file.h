/* SPDX-License-Identifier: Apache-2.0 */
/* verify_file - reading an exported directory: whole files with a cap, nothing through links. */
#ifndef FG_GATEWAY_CMD_VERIFY_FILE_H
#define FG_GATEWAY_CMD_VERIFY_FILE_H

#include "crypto/view.h"

#define VERIFY_FILE_PATH 512
#define VERIFY_ENTRIES_MAX (1u << 31) /* bytes of entries.jsonl: 7 million entries; offsets fit 32 bits */
#define VERIFY_SMALL_MAX (4u << 20)   /* any other file */

/* All of dir/name (dir may be NULL). FG_ENOTFOUND, FG_EIO, FG_ELIMIT, FG_ENOMEM. Freed with verify_file_free. */
int verify_file_read(const char *dir, const char *name, size_t max, struct view *ret);
void verify_file_free(struct view v);
/* As verify_file_read, into buf of cap bytes; *ret_n says how many. */
int verify_file_into(const char *dir, const char *name, uint8_t *buf, size_t cap, size_t *ret_n);
/* Descriptor and size of a regular file of at most max bytes, for readers of parts; as verify_file_read. */
int verify_file_open(const char *dir, const char *name, size_t max, int *ret_fd, size_t *ret_size);
/* n bytes from off on; FG_EIO also when the file ends before that. */
int verify_file_part(int fd, uint8_t *buf, size_t n, size_t off);

#endif
