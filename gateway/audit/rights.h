/* SPDX-License-Identifier: Apache-2.0 */
/* rights - which role may append which event: the log's sources keep to what they know first-hand. */
#ifndef FG_GATEWAY_AUDIT_RIGHTS_H
#define FG_GATEWAY_AUDIT_RIGHTS_H

#include "crypto/entry.h"
#include "gateway/wire/msg.h"

/* False for every pair the table does not name. */
bool rights_may_append(enum msg_role source, enum entry_event event);

#endif
