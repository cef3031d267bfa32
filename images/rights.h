/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rights - what a file lends to whoever runs or opens it, and what changed in that: set-user-id,
 * set-group-id, capabilities, files that anybody may write, devices; any other change of owner or mode.
 * Role: explain stage, for pairs and for what was added. Guarantee: looks at rights only, so
 * it finds a change of rights on a file whose bytes are the same.
 */
#ifndef FG_IMAGES_RIGHTS_H
#define FG_IMAGES_RIGHTS_H

#include "images/leaf.h"
#include "images/page.h"

/* old NULL: new was added. 0 or FG_ENOMEM. */
int rights_page(const struct leaf *old, const struct leaf *new, struct page *page);

#endif
