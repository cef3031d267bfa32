/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cab - cabinet archives as fwupd takes them ([MS-CAB]; stored or MSZIP), with
 * the signatures of their members in a Jcat file or beside them.
 * Role: walker of FORMAT_CAB. Own walk rather than libarchive's: that gives no
 * place of anything, and so no account of bytes; passes over gaps, reserved
 * areas and what follows; and asks the C library for converters of names, which
 * are files. fwupd reads stored and MSZIP only, and so does this.
 *
 * Guarantees: header, entries, blocks and folders tile the file; blocks are
 * unpacked one at a time, 32 KiB each; a member is held in memory only to be
 * judged. Members' own bytes are what is signed, so a signature is told as the
 * member's. Where nothing in the archive is without one, whoever signed all members
 * signed the archive, whose packed form that covers, for what comes out of it (T20).
 */
#ifndef FG_IMAGES_CAB_H
#define FG_IMAGES_CAB_H

#include "images/walk.h"

#define CAB_FOLDERS_MAX 64
#define CAB_FILES_MAX 4096
#define CAB_HEAD_MAX (2u << 20)   /* header, folders and entries */
#define CAB_NAME_MAX 255          /* [MS-CAB] 2.3: 256 with its end */
#define CAB_JUDGED_MAX (128u << 20) /* bytes of a member whose signatures are judged */

int cab_walk(struct walk *w);

#endif
