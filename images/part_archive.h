/* SPDX-License-Identifier: Apache-2.0 */
/*
 * part_archive - archives whose members lie in them as they are: tar (POSIX and
 * GNU), cpio ("new ASCII"), ar (Debian packages). And zip, part_zip.c.
 * Role: part_table.c; part_scan.c asks where one ends. A library is not used: the
 * account needs the place of every byte, of headers and paddings too, which
 * libarchive does not tell. Nor are the walkers' own readers of tar and cpio: they
 * refuse what an updater could misread, where this has to show it.
 *
 * Members become windows of the archive. Headers count as structure where they
 * hold nothing but fields, names and zeros; everything else that is no member's
 * (long extended headers, paddings that are not zero, what follows the end) is
 * left to become a part.
 */
#ifndef FG_IMAGES_PART_ARCHIVE_H
#define FG_IMAGES_PART_ARCHIVE_H

#include "images/part_open.h"

part_fn part_tar_open;
part_fn part_cab_open; /* part_cab.c */
part_fn part_cpio_open;
part_fn part_ar_open;
part_fn part_zip_open; /* part_zip.c */

/*
 * Does an archive begin at at, and end? 1: *ret bytes further on. 0: no, and so
 * many were gone through in vain. Or an error. Only cpio and tar, which are met in
 * a row with other things.
 */
int part_cpio_length(const struct source *s, uint64_t at, uint64_t *ret);
int part_tar_length(const struct source *s, uint64_t at, uint64_t *ret);
/* "!<arch>\n". */
bool part_ar_begins(struct view start);

#endif
