/* SPDX-License-Identifier: Apache-2.0 */
/* part_fs - openers of file systems, one file each: part_table.c only. */
#ifndef FG_IMAGES_PART_FS_H
#define FG_IMAGES_PART_FS_H

#include "images/part_open.h"

part_fn part_ext4_open;     /* part_ext4.c */
part_fn part_squashfs_open; /* part_squashfs.c */
part_fn part_ubi_open;      /* part_ubi.c */
/* Formats without a place in the recogniser. 1: it is one, and was opened; 0: it is none; or an error. */
int part_jffs2_try(struct part_ctx *c, uint32_t self); /* part_jffs2.c */
int part_ubifs_try(struct part_ctx *c, uint32_t self); /* part_ubifs.c */

#endif
