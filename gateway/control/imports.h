/* SPDX-License-Identifier: Apache-2.0 */
/*
 * imports - bytes that a person brings instead of a vendor's server, and images that deltas are for. Copied into
 * a new inode of the quarantine and hashed on the way, in slices; the person who
 * brought them never counts among those who approve them.
 */
#ifndef FG_GATEWAY_CONTROL_IMPORTS_H
#define FG_GATEWAY_CONTROL_IMPORTS_H

#define IMPORTS_SLICE (2u << 20) /* bytes a turn of the loop */
#define IMPORTS_MAX 8            /* at once */

struct call;
struct control;
struct imports;

struct imports *imports_new(struct control *c);
void imports_free(struct imports *i);
/* Request import: answers the call when the bytes are in quarantine. */
void imports_start(struct imports *i, struct call *call);
/* Request base.add: the same way into quarantine, for an image that deltas are for. */
void imports_base(struct imports *i, struct call *call);

#endif
