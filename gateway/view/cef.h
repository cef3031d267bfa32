/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cef - an entry as one line of the Common Event Format, version 0: a view for
 * collectors that read no structured data. Guarantees: 0x20-0x7e only; a
 * pipe or backslash of the header and an equals sign or backslash of a value
 * are escaped, so that no content can add a field.
 */
#ifndef FG_GATEWAY_VIEW_CEF_H
#define FG_GATEWAY_VIEW_CEF_H

#include "crypto/checkpoint.h"
#include "gateway/view/record.h"

/* Both append without line end. 0 or what the writer says. */
int cef_put(const struct record *r, struct writer *w);
/* cs2 is the whole note in base64. */
int cef_put_checkpoint(struct view note, const struct checkpoint *head, int64_t t_us, struct writer *w);

#endif
