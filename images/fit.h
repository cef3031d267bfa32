/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fit - U-Boot's flattened image tree: images with hashes, and configurations that
 * say which of them go together, each with signatures (doc/uImage.FIT/signature.txt).
 * What a configuration's signature is over is computed from the configuration, as
 * U-Boot does since CVE-2026-46728; the list that stands beside the signature is
 * only held against it. A signature over an image alone says nothing about what it
 * is loaded with, which is told (SIG-PARTS-ONLY).
 */
#ifndef FG_IMAGES_FIT_H
#define FG_IMAGES_FIT_H

#include "images/walk.h"

#define FIT_IMAGES_MAX 512
#define FIT_CONFIGS_MAX 512

int fit_walk(struct walk *w);

#endif
