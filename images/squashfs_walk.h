/* SPDX-License-Identifier: Apache-2.0 */
/*
 * squashfs_walk - the walker of a squashfs file system, and what it shares with
 * containers that are made of one.
 * Role: walk_table.c; rauc.c. Every file is hashed, recognised and walked in its
 * turn; what is more than a plain file is told.
 */
#ifndef FG_IMAGES_SQUASHFS_WALK_H
#define FG_IMAGES_SQUASHFS_WALK_H

#include "images/squashfs.h"
#include "images/walk.h"

int squashfs_walk(struct walk *w);
/* Fills what a member that is a file of fs needs: name, place, reader and size; the rest is the caller's. */
void squashfs_walk_member(struct squashfs *fs, const struct squashfs_entry *e, struct walk_member *m);
/*
 * Tells what is odd about an entry: names that come twice or out of order, files
 * that lend rights, devices and the like with severity special (FINDING_NOTICE
 * or FINDING_WARNING). Links are told where they are warned of: in a root file
 * system they are as common as files.
 */
void squashfs_walk_tell(struct walk *w, const struct squashfs_entry *e, enum finding_severity special);
/* Tells why opening or going over it failed; 0, or err when that is a local failure. */
int squashfs_walk_failed(struct walk *w, int err, const char *why);
/* Padding behind the file system, up to end: structure, or told as an unknown part. */
int squashfs_walk_padding(struct walk *w, const struct squashfs *fs, uint64_t end);

#endif
