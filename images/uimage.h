/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uimage - U-Boot's older image: a header of 64 bytes with two checksums, and data,
 * which may be several files one behind the other. Nothing in it is signed.
 */
#ifndef FG_IMAGES_UIMAGE_H
#define FG_IMAGES_UIMAGE_H

#include "images/walk.h"

#define UIMAGE_PARTS_MAX 64 /* of one image; a kernel, a disk and a tree are three */

int uimage_walk(struct walk *w);

#endif
