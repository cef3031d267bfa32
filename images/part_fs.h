/* SPDX-License-Identifier: Apache-2.0 */
/* part_fs - openers of file systems, one file each: part_table.c only. */
#ifndef FG_IMAGES_PART_FS_H
#define FG_IMAGES_PART_FS_H

#include "images/part_open.h"

part_fn part_ext4_open;     /* part_ext4.c */
part_fn part_squashfs_open; /* part_squashfs.c */

#endif
