/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ext4_find - one file of an ext2, ext3 or ext4 file system, by its path.
 * Role: retain.c, which wants one small file of a file system that is not walked.
 *
 * Guarantees: folders are read entry by entry as they lie, whatever index they have, within EXT4_WORK_MAX; a
 * path of a few names ends after as many folders; no link is followed. A file that is damaged, encrypted or a
 * link, or stands in its inode, is one that is not there.
 */
#ifndef FG_IMAGES_EXT4_FIND_H
#define FG_IMAGES_EXT4_FIND_H

#include "images/ext4.h"

/*
 * The file at path ("etc/fstab"), of at most max bytes, into *ret, which is malloc'ed; *ret is NULL where there is none
 * such. 0, FG_EIO, FG_ENOMEM, FG_ELIMIT (EXT4_WORK_MAX).
 */
int ext4_find_load(const struct ext4 *fs, const char *path, size_t max, uint8_t **ret, size_t *ret_n);

#endif
