/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mbn - Qualcomm images: an ELF file with a hash segment (or the older form of
 * header and code), signed by the leaf of an attestation chain that travels in it.
 *
 * Verified: the hash of every program header's bytes, and the signature over
 * header, metadata and hashes by RSA PSS, RSA PKCS#1 or ECDSA, whichever goes
 * with the leaf's key; the chain must end at an anchor of the trust set, as a
 * device's fuses pin the SHA-256 of its root. Not public, and so not done: older
 * chips mix identities of device and software into what is signed, and where
 * both Qualcomm and the device maker signed, what Qualcomm's covers. Such a
 * signature does not fit here, and is left opaque.
 */
#ifndef FG_IMAGES_MBN_H
#define FG_IMAGES_MBN_H

#include "images/walk.h"

/* A walk_fn (walk.h). */
int mbn_walk(struct walk *w);

#endif
