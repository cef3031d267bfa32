/* SPDX-License-Identifier: Apache-2.0 */
/* part_image - openers of images that a boot loader starts, and of ELF: part_table.c only. */
#ifndef FG_IMAGES_PART_IMAGE_H
#define FG_IMAGES_PART_IMAGE_H

#include "images/part_open.h"

part_fn part_android_boot_open; /* part_android.c */
part_fn part_sparse_open;       /* part_android.c */
/* A vendor_boot image, which has no place in the recogniser. 1: it is one, and was opened; 0: it is none; or an error. */
int part_vendor_boot_try(struct part_ctx *c, uint32_t self);
part_fn part_uimage_open;
part_fn part_mcuboot_open;
part_fn part_esp32_open;
part_fn part_fit_open; /* part_fit.c */
part_fn part_elf_open; /* part_elf.c: sections, or segments where there are none; MBN too */

#endif
