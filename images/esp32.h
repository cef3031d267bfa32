/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp32 - application and bootloader images of Espressif's chips: checksum, hash
 * and the signatures of secure boot v2 (RSA-3072 PSS with a salt of 32 bytes,
 * ECDSA P-256 and P-384). A block brings its key along, which proves nothing:
 * the key must be in the trust set. P-192 is weak, secure boot v1 is named and
 * left opaque, and flash that was encrypted has no form that could be recognised.
 */
#ifndef FG_IMAGES_ESP32_H
#define FG_IMAGES_ESP32_H

#include "images/walk.h"

/* A walk_fn (walk.h). */
int esp32_walk(struct walk *w);

#endif
