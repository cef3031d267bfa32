/* SPDX-License-Identifier: Apache-2.0 */
/* part_disk - partition tables: part_raw.c only. */
#ifndef FG_IMAGES_PART_DISK_H
#define FG_IMAGES_PART_DISK_H

#include "images/part_open.h"

/* Opens self when it begins with a partition table. 1, 0 when it does not, or an error of an opener. */
int part_disk_try(struct part_ctx *c, uint32_t self);

#endif
