/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mender - Mender's artifact, version 3: a tar of version, manifest (a SHA-256 of
 * every file), manifest.sig (over the manifest), header.tar and payloads.
 * Role: walker of FORMAT_MENDER. The format prescribes the signature: RSA PKCS#1
 * v1.5 or ECDSA r||s on P-256, SHA-256, in base64.
 */
#ifndef FG_IMAGES_MENDER_H
#define FG_IMAGES_MENDER_H

#include "images/walk.h"

walk_fn mender_walk;

#endif
