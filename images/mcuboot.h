/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mcuboot - images for the MCUboot bootloader: hash, every signature, and what
 * the signed records claim.
 *
 * What is signed is header, body and protected area, by way of their digest
 * (SHA-256 for RSA-PSS with a salt of 32 bytes, ECDSA P-256 and Ed25519;
 * SHA-384 for P-384; SHA-512 for Ed25519 where the image says so), or directly
 * (Ed25519 in pure mode). The hash record says which digest and so which curve;
 * all else is the format's. A key's hash only narrows the keys that are tried.
 * Of an encrypted image only its plain text is signed: opaque, and told. What a
 * bootloader makes of a compressed one is an image that is judged in its turn.
 */
#ifndef FG_IMAGES_MCUBOOT_H
#define FG_IMAGES_MCUBOOT_H

#include "images/walk.h"

/* A walk_fn (walk.h). */
int mcuboot_walk(struct walk *w);

#endif
