/* SPDX-License-Identifier: Apache-2.0 */
/* part_cramfs - the files of a cramfs: part_scan.c and part_probe.c only, since the recogniser has no word for it. */
#ifndef FG_IMAGES_PART_CRAMFS_H
#define FG_IMAGES_PART_CRAMFS_H

#include "images/part_open.h"

#define PART_CRAMFS_SHIFT 512u /* bytes of boot code that may stand in front of it, and are part of it */

/* 1: self is one, and was opened. 0: it is none. Or an error. */
int part_cramfs_try(struct part_ctx *c, uint32_t self);
/* Does one begin at at? 1: of *ret bytes. 0: none, or one that is cut off, which a few bytes show: *ret is 0. Or an error. */
int part_cramfs_length(const struct source *s, uint64_t at, uint64_t *ret);

#endif
