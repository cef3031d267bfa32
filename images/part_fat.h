/* SPDX-License-Identifier: Apache-2.0 */
/* part_fat - the files of a FAT file system: part_scan.c and part_probe.c only, since the recogniser has no word for it. */
#ifndef FG_IMAGES_PART_FAT_H
#define FG_IMAGES_PART_FAT_H

#include "images/part_open.h"

/* 1: self is one, and was opened. 0: it is none. Or an error. */
int part_fat_try(struct part_ctx *c, uint32_t self);
/*
 * Does one begin at at? 1: of *ret bytes. 0: none, or one that is cut off; *ret is what was read to see that, never a
 * length that its header claims. Or an error.
 */
int part_fat_length(const struct source *s, uint64_t at, uint64_t *ret);

#endif
