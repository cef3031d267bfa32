/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cwe - Sierra Wireless' firmware (.cwe, .spk): images with a header each, in
 * images.
 *
 * Facts: Legato's cwe.c and cwe.h (its update daemon for WP and MC modules) and
 * libqmi's qfu-image-cwe.c. A header is 400 bytes, numbers big-endian:
 *	0	256 bytes of the product's own (descriptors of an update's components)
 *	256	their CRC-32; 260 revision; 264 a word that says that it is valid
 *	268	type and 272 product, four letters each
 *	276	size and 280 CRC-32 of the image behind the header
 *	284	version, 84 bytes of text; 368 date, 8 letters
 *	376	compatibility; 380 options, a byte; 384 addresses; 396 "signature", a constant
 * CRC-32 is zlib's without the last inversion. What makes up an image of the types
 * that hold others is such images in a row. The options say that an image is
 * packed, encrypted, signed or a delta; how is public nowhere, so a signature is
 * opaque. A CRC protects from line noise and from nobody.
 * Role: walker of FORMAT_SIERRA_CWE.
 */
#ifndef FG_IMAGES_CWE_H
#define FG_IMAGES_CWE_H

#include "images/walk.h"

#define CWE_HEADER_LEN 400
#define CWE_IMAGES_MAX 256 /* in a row; a device has some dozens of partitions */

/* Does it begin with a header whose own checksum fits? How much it says that follows is not asked. */
bool cwe_recognise(struct view head);

walk_fn cwe_walk;

#endif
