/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmsbox - an image that is one CMS SignedData with its content inside
 * (RFC 5652; SIGNATURES_DELTAS_DIFF.md section 1.2).
 * Role: walker of FORMAT_CMS. The content is a member and walked in its turn;
 * the envelope around it is structure, since the object is consumed to its last
 * byte.
 */
#ifndef FG_IMAGES_CMSBOX_H
#define FG_IMAGES_CMSBOX_H

#include "images/walk.h"

int cmsbox_walk(struct walk *w);

#endif
