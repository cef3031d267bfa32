/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mcuboot_expand - the image that a bootloader makes of a compressed one.
 *
 * It starts nothing that is packed: it unpacks into the slot that it boots from,
 * and what is there afterwards has to verify by itself, at every start. So the
 * signed records of the packed image carry hash and signature of the other. What
 * is written is the header without the words for compression and with the new
 * lengths, erased flash up to the header's end, the expanded body, the protected
 * area without the records of expansion (none, where nothing is left in it), and
 * the unprotected area with those hash and signature in the place of its own.
 * Facts: MCUboot as Nordic ships it (boot/zephyr/decompression.c), and imgtool,
 * which packs by LZMA2 with two bytes in front, through liblzma's filter for ARM
 * Thumb code or without it; nothing makes LZMA1. That bootloader asks for the one
 * flag of the two that it was built for, and not whether the other is there;
 * MCUboot's own check of headers (bootutil_loader.c) refuses both together.
 */
#ifndef FG_IMAGES_MCUBOOT_EXPAND_H
#define FG_IMAGES_MCUBOOT_EXPAND_H

#include "images/mcuboot_tlv.h"
#include "images/walk.h"

/* Flags of the header. */
#define MCUBOOT_F_LZMA1 0x0200u
#define MCUBOOT_F_LZMA2 0x0400u
#define MCUBOOT_F_ARM_THUMB 0x0800u
#define MCUBOOT_F_COMPRESSED (MCUBOOT_F_LZMA1 | MCUBOOT_F_LZMA2 | MCUBOOT_F_ARM_THUMB)

/* That can be expanded here: said to be LZMA2, whatever else it is said to be. */
bool mcuboot_expand_can(const struct mcuboot_image *m);
/*
 * Walks that image as a member "expanded" of w, which m was read from; by are the
 * signatures of the packed form. What keeps a bootloader from making it, or from
 * starting it although the packed form verified, is told. 0 or local failure.
 */
int mcuboot_expand(struct walk *w, const struct mcuboot_image *m, struct walk_signed by);

#endif
