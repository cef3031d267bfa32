/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal - an entry as fields of the systemd journal (systemd.journal-fields):
 * MESSAGE, MESSAGE_ID, PRIORITY and FOTAGATE_*. The same bytes are the native
 * protocol's datagram and, with an empty line after each, a text for people.
 */
#ifndef FG_GATEWAY_VIEW_JOURNAL_H
#define FG_GATEWAY_VIEW_JOURNAL_H

#include "crypto/checkpoint.h"
#include "gateway/view/record.h"

/* Both append the fields, each ended by a line end. 0, FG_ECRYPTO, or what the writer says. */
int journal_put(const struct record *r, struct writer *w);
/* FOTAGATE_CHECKPOINT is the whole note in base64. */
int journal_put_checkpoint(struct view note, const struct checkpoint *head, struct writer *w);

#endif
