/* SPDX-License-Identifier: Apache-2.0 */
/*
 * androidboot - what lies where in an Android boot image, of header versions 0 to
 * 4, and in a vendor_boot image, of 3 and 4 (AOSP, "Boot image header").
 * Role: the opener of the change report, and its search in unknown bytes.
 *
 * Guarantees: reads the header and a table of ANDROIDBOOT_RAMDISKS_MAX entries; sizes are what
 * the header says, and may leave the image.
 */
#ifndef FG_IMAGES_ANDROIDBOOT_H
#define FG_IMAGES_ANDROIDBOOT_H

#include "images/source.h"

#define ANDROIDBOOT_RAMDISKS_MAX 64 /* of a vendor_boot image: bootloaders know a handful */
#define ANDROIDBOOT_PARTS_MAX (ANDROIDBOOT_RAMDISKS_MAX + 16)

struct androidboot_part {
	const char *name; /* static */
	uint64_t at, length;
	bool head; /* of the header itself: not a thing of its own */
};

struct androidboot {
	bool vendor;
	uint32_t version;
	bool bad;   /* its header says what cannot be; parts are as far as they were understood */
	struct androidboot_part part[ANDROIDBOOT_PARTS_MAX];
	unsigned n;
	uint64_t end; /* behind its last page */
};

/* 1, 0: none begins s; FG_EIO. */
int androidboot_read(const struct source *s, struct androidboot *ret);

#endif
