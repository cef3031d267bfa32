/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trustset - a set of anchors on its way to the inspector: names, schemes and
 * PEM texts in one run of bytes, parsed only inside the jail.
 * Role: written by control and by the command line, read by the inspector.
 *
 * Form: "FGTS" u8 version, then items { u8 1, cstr name, u8 scheme, blob PEM }
 * ended by u8 0 and nothing after it; lengths are u32, big-endian.
 */
#ifndef FG_IMAGES_TRUSTSET_H
#define FG_IMAGES_TRUSTSET_H

#include "crypto/trust.h"
#include "crypto/writer.h"

#define TRUSTSET_VERSION 1
#define TRUSTSET_FILES_MAX TRUST_ITEMS_MAX /* a file holds one object at least */
#define TRUSTSET_MAX (16u << 20)           /* bytes in all: sixteen CRLs of the largest size */

void trustset_begin(struct writer *w);
/*
 * name (a file's, shown as the anchor in reports) must be shorter than
 * TRUST_NAME_MAX and not empty, pem at most TRUST_FILE_MAX long: else the
 * writer is poisoned with FG_ELIMIT.
 */
void trustset_add(struct writer *w, const char *name, enum trust_scheme scheme, struct view pem);
void trustset_end(struct writer *w);
/*
 * Reads bundle and enrols all of it. FG_EFORMAT with a sentence in ret_why (cap
 * bytes, plain ASCII) for a malformed bundle or anything that may not be
 * enrolled, FG_ENOMEM; *ret (trust_free) is set on success only.
 */
int trustset_load(struct view bundle, struct trust **ret, char *ret_why, size_t cap);

#endif
