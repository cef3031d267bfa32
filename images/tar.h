/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tar - archives in the POSIX forms, ustar and pax (IEEE 1003.1, pax), as Go's
 * archive/tar (mender-artifact), tar(1) and libarchive write them.
 * Role: mender.c goes through its archives with it, stored and packed, and a plain
 * one is walked by tar_walk(). Read from front to back, so that what comes out of
 * a packed stream need not be kept.
 *
 * Guarantees: bounded memory; at most WALK_MEMBERS_MAX headers; every byte is a
 * member's data, a header or padding that was checked, or told.
 */
#ifndef FG_IMAGES_TAR_H
#define FG_IMAGES_TAR_H

#include "images/walk.h"

#define TAR_BLOCK 512
#define TAR_NAME_MAX 1023
#define TAR_PAX_MAX (64u << 10) /* of one extended header; a name and some times have some hundred bytes */

/* What kind of file a member is, by its letter. */
#define TAR_REGULAR '0'
#define TAR_DIRECTORY '5'

/* Where an archive is read from. */
struct tar {
	struct walk *w;
	bool stored;    /* it lies in w->image as it is, ... */
	uint64_t base;  /* ... from here on, ... */
	uint64_t size;  /* ... this long */
	long (*read)(void *arg, void *buf, size_t n); /* otherwise: as walk_member.read */
	void *arg;
	uint64_t off;   /* in the archive, of what is read next */
	uint64_t left;  /* of the member at hand */
};

struct tar_member {
	struct view name; /* valid during the call */
	char type;
	uint64_t size;
	struct sig_range at; /* stored: in w->image */
};

/*
 * Given each member in order; what it does not read with tar_read() is passed
 * over. A negative fg_err ends the walk with it.
 */
typedef int tar_fn(struct tar *t, const struct tar_member *m, void *arg);

/*
 * Goes through the archive to its end. Told: what is no header or has a wrong
 * checksum (FMT-MALFORMED, FMT-INTEGRITY), two sizes (FMT-CONFLICT), names that came before
 * (FMT-DUPLICATE), bytes in paddings (FMT-HIDDEN-BYTES) and behind the end
 * (FMT-TRAILING-BYTES). Headers and paddings of a stored one count as structure.
 * *ret_whole says whether its end was reached. 0 or local failure.
 */
int tar_members(struct tar *t, tar_fn *fn, void *arg, bool *ret_whole);
/* Bytes of the member at hand, as walk_member.read; arg is the struct tar. */
long tar_read(void *arg, void *buf, size_t n);
/* FORMAT_TAR: regular files become members. */
walk_fn tar_walk;

#endif
