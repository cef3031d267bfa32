/* SPDX-License-Identifier: Apache-2.0 */
/*
 * suspensions - a key taken out of the count on one person's word. Used by
 * requests, by recount for what the log has and nobody remembers, and by
 * control as the warden comes and speaks. Guarantees: a suspension holds at
 * once in the warden, whether or not database and log are there to take it;
 * only a later signer set that still lists the key ends it.
 */
#ifndef FG_GATEWAY_CONTROL_SUSPENSIONS_H
#define FG_GATEWAY_CONTROL_SUSPENSIONS_H

#include "crypto/digest.h"
#include "gateway/wire/msg.h"

struct call;
struct control;

/* When people or the set in force are new: what was suspended before and still holds is so again. */
void suspensions_recall(struct control *c);
/* The log has that key suspended under that set, and nobody remembers: it is again, for the warden too. */
void suspensions_again(struct control *c, const uint8_t key[DIGEST_SHA256_LEN], uint32_t number, int64_t at);
/* Request people.suspend. */
void suspensions_order(struct control *c, struct call *call);

/* The warden: it is told of all that hold, and tells of those it has. */
void suspensions_warden_up(struct control *c);
void suspensions_on_suspended(struct control *c, const struct msg_suspended *m);

#endif
