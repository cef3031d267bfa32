/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signify_gzip - a gzip file with its signature in the header's comment, as
 * `signify -S -z` makes it (zsig in OpenBSD's signify(1)).
 * Role: walker of FORMAT_SIGNIFY_GZIP. The signature is over the end of the
 * comment, which lists SHA-512/256 of the compressed stream in blocks of 64 KiB;
 * each of them is recomputed. Stricter than signify -V -z: the header is the one
 * that signify writes, and no block may be missing.
 */
#ifndef FG_IMAGES_SIGNIFY_GZIP_H
#define FG_IMAGES_SIGNIFY_GZIP_H

#include "images/walk.h"

#define SIGNIFY_GZIP_HEAD_MAX (4u << 20) /* comment of a stream of 4 GiB */
#define SIGNIFY_GZIP_BLOCK 65536

int signify_gzip_walk(struct walk *w);

#endif
