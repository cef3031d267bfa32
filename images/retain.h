/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retain - what an image says that a module, once it ran it, never takes anything below: the rollback index of
 * Android's verified boot, and the least version that RAUC's own settings in a new root file system ask for.
 * Role: walk.c and walk_member.c, of the image and of each member whose bytes are at hand; continuity.c compares.
 * MCUboot and others have walkers, which tell their counters themselves.
 *
 * Guarantees: facts and no more: no finding is raised and no byte vouched for, whatever the bytes are. Reads are
 * bounded: 64 KiB of a vbmeta, 64 KiB of settings, and of an ext4 file system the folders on the way to them.
 */
#ifndef FG_IMAGES_RETAIN_H
#define FG_IMAGES_RETAIN_H

#include "images/walk.h"

#define RETAIN_SETTINGS_MAX (64u << 10) /* of RAUC's system.conf; a long one has 2 KiB */

/* Whether bytes of that format are wanted whole, though nothing walks them. container: of what the member lies in. */
bool retain_wants(enum format_id container, enum format_id format);
/* Tells the facts of w, a member whose container calls it name ("" for the image itself). 0 or local failure. */
int retain_tell(struct walk *w, enum format_id container, struct view name);

#endif
