/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpio - archives in the "new ASCII" forms, 070701 and 070702 (with c_check),
 * as cpio(5) describes them and the Linux kernel's initramfs and SWUpdate read them.
 * Role: swu.c goes through its archive with it, and a plain archive is walked by
 * cpio_walk(). A library for archives is not used because what it forgives is
 * what has to be told: order, c_check, duplicates, what lies in paddings, what
 * follows the trailer.
 *
 * Guarantees: reads stay inside the container; at most WALK_MEMBERS_MAX headers
 * are gone through; every byte is a member's data, checked structure, or told.
 */
#ifndef FG_IMAGES_CPIO_H
#define FG_IMAGES_CPIO_H

#include "images/walk.h"

#define CPIO_HEADER_LEN 110
#define CPIO_NAME_MAX 4095             /* PATH_MAX without its NUL: what cpio(1) and the kernel take */
#define CPIO_ZEROS_MAX (64u << 10)     /* behind the trailer: cpio -B pads to 5120, tapes to 32 KiB */

/* Kinds of file (c_mode). */
#define CPIO_TYPE 0170000u
#define CPIO_RIGHTS 0777u
#define CPIO_TYPE_DIRECTORY 0040000u
#define CPIO_TYPE_REGULAR 0100000u
#define CPIO_TYPE_SYMLINK 0120000u

struct cpio_member {
	unsigned index;      /* in the archive, from 0 */
	uint64_t offset;     /* of its header */
	struct sig_range head; /* header and name: structure only where the caller knows that name */
	struct sig_range data;
	uint32_t mode;
	uint32_t rdev_major, rdev_minor;
	struct view name;    /* without its NUL; valid during the call */
};

/* Given each member in order; a negative fg_err ends the walk with it. */
typedef int cpio_fn(struct walk *w, const struct cpio_member *m, void *arg);

/* How a walk through an archive ended. */
struct cpio_end {
	bool whole;      /* a trailer was reached; otherwise what was wrong is told */
	uint64_t offset; /* behind the trailer, or of the header that could not be read */
};

/*
 * Goes through the archive that starts at from in w->image, up to its trailer.
 * Told here: headers that are none (FMT-MALFORMED), a c_check that does not fit
 * or is there where the form has none (FMT-INTEGRITY), bytes in paddings
 * (FMT-HIDDEN-BYTES), a name that was there before (FMT-DUPLICATE). Paddings
 * and the trailer count as structure. 0 or local failure.
 */
int cpio_members(struct walk *w, uint64_t from, cpio_fn *fn, void *arg, struct cpio_end *ret);
/*
 * What is behind a trailer at at: the offset of the first byte that is not
 * zero, or w->image's size when there is none. Zeros up to CPIO_ZEROS_MAX count
 * as structure. 0 or local failure.
 */
int cpio_tail(struct walk *w, uint64_t at, uint64_t *ret);
/* FORMAT_CPIO: every archive of a row, as the kernel unpacks them; that there is more than one is told. */
walk_fn cpio_walk;

#endif
