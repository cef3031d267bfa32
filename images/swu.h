/* SPDX-License-Identifier: Apache-2.0 */
/*
 * swu - SWUpdate's .swu: an archive of cpio.h whose first member,
 * sw-description, is signed by its second, sw-description.sig, and gives a
 * SHA-256 for every other.
 * Role: walker of FORMAT_SWU. The signature is detached CMS, detached OpenPGP
 * (binary or armoured), or a raw one by a bare key whose record says the scheme
 * (PKCS#1 v1.5 or PSS): a device is built for one kind, and nothing in the file
 * says which. It is judged before the description is read (T21). An encrypted
 * description is signed as what it was before: opaque, and told.
 */
#ifndef FG_IMAGES_SWU_H
#define FG_IMAGES_SWU_H

#include "images/walk.h"

walk_fn swu_walk;

#endif
