/* SPDX-License-Identifier: Apache-2.0 */
/* keep - small files of the warden's: written aside and renamed, read whole. Used by vault.c and successor.c. */
#ifndef FG_GATEWAY_WARDEN_KEEP_H
#define FG_GATEWAY_WARDEN_KEEP_H

#include <sys/types.h>

#include "crypto/view.h"

#define KEEP_NAME_MAX 80

/*
 * Writes name below dir: bytes synced under another name first, then renamed over
 * whatever was there. The folder is the caller's to sync. 0 or FG_EIO, and then name is as before.
 */
int keep_write(int dir, const char *name, struct view bytes, mode_t mode);
/* All of a regular file of at most max bytes; free(*ret). FG_ENOTFOUND, FG_ELIMIT, FG_EIO, FG_ENOMEM. */
int keep_read(int dir, const char *name, size_t max, uint8_t **ret, size_t *ret_n);

#endif
