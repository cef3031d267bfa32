/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wholefile - small files that are written and read as a whole.
 * Callers: the roles and programs that keep files (warden, audit, supervisor, witness, cmd).
 * Guarantees: a reader, and whoever comes after a crash, finds a file as it was before
 * or as it was to be, never a mixture. What was not finished lies beside it under
 * WHOLEFILE_ASIDE, and the next write takes it away. Links are not followed.
 * name: a path below dirfd, or below the working directory with AT_FDCWD.
 */
#ifndef FG_GATEWAY_FILE_WHOLEFILE_H
#define FG_GATEWAY_FILE_WHOLEFILE_H

#include <sys/types.h>

#include "crypto/view.h"

#define WHOLEFILE_ASIDE ".new" /* behind the name */

/*
 * Makes or replaces name; its mode is mode whatever the umask. Durable when 0 is returned. FG_EIO with errno: the
 * file is as before, unless it was the folder that could not be synced: then either, until the next crash.
 */
int wholefile_replace(int dirfd, const char *name, struct view bytes, mode_t mode);
/* The same without the folder's sync, for several in a row: none is sure to be there before wholefile_sync_folder. */
int wholefile_replace_unsynced(int dirfd, const char *name, struct view bytes, mode_t mode);
/* Makes the names in the folder that name lies in durable. 0, or FG_EIO with errno. */
int wholefile_sync_folder(int dirfd, const char *name);
/* All of a regular file of at most max bytes; free(*ret). FG_ENOTFOUND, FG_ELIMIT, FG_EIO with errno, FG_ENOMEM. */
int wholefile_read(int dirfd, const char *name, size_t max, uint8_t **ret, size_t *ret_n);

#endif
