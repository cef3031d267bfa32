/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mcuboot_tail - what follows an MCUboot image's records: erased flash, the
 * trailer by which a bootloader is told to swap, or another image. No signature
 * reaches there, so anything else is the sender's own space.
 * Trailer, from the end backwards (docs/design.md of MCUboot, "Image Trailer";
 * A is the alignment, 8 unless the magic says more): magic of 16 bytes, padded
 * to A; image_ok, copy_done and swap_info, A bytes each of which the first
 * counts; swap size, keys and status, which only a running device writes.
 */
#ifndef FG_IMAGES_MCUBOOT_TAIL_H
#define FG_IMAGES_MCUBOOT_TAIL_H

#include "images/source.h"

#define MCUBOOT_TAIL_MAGIC_LEN 16

enum mcuboot_tail_flag {
	MCUBOOT_TAIL_IMAGE_OK,  /* installed for good, without a trial boot */
	MCUBOOT_TAIL_COPY_DONE, /* a device's own note */
	MCUBOOT_TAIL_SWAP_INFO, /* kind of swap and image number */
	MCUBOOT_TAIL_FLAGS,
};

struct mcuboot_tail {
	uint64_t end;  /* where it ends: at the next image, or the end of the file */
	bool next;     /* an image starts at end */
	bool trailer;  /* the magic is there, as its last bytes: "swap me in" */
	bool zeros;    /* what is erased reads zero */
	struct {
		bool set;
		uint64_t at;
		uint8_t value;
	} flag[MCUBOOT_TAIL_FLAGS];
	bool stray;    /* a byte that is none of all this */
	uint64_t stray_at;
};

/* Reads what follows from, where the records end. 0; FG_ENOMEM, FG_EIO. */
int mcuboot_tail_read(const struct source *image, uint64_t from, struct mcuboot_tail *ret);

#endif
