/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kept - parts in the quarantine that a later fetch of the same resource goes on
 * with: after a cut, a restart of the fetcher, of control or of the whole gateway.
 * Called by fetches. What a row says is the fetcher's claim, held against the file's size: the
 * next fetcher hashes the part from its start before it goes on, and control hashes all of it
 * when it has arrived. A part lives no longer than the policy it came under.
 * Limits: number, age, and that they make room for what is wanted now.
 */
#ifndef FG_GATEWAY_CONTROL_KEPT_H
#define FG_GATEWAY_CONTROL_KEPT_H

#include "gateway/state/kept.h"
#include "gateway/wire/msg.h"

#define KEPT_MAX 32                 /* hostile vendors may leave many: each is a file */
#define KEPT_SECONDS (7 * 24 * 3600) /* nobody asked for a week: the vendor's link will be dead */

struct control;
struct files_part;
struct policy;

/* What a vendor is recognised by, and all else of the profile: pins, the CA's bytes. 0 or FG_ECRYPTO. */
int kept_policy(const struct policy *p, uint8_t ret[DIGEST_SHA256_LEN]);
/*
 * The part kept for a resource under that policy, opened. FG_ENOTFOUND: none, or none that is
 * usable; then there is none from now on.
 */
int kept_open(struct control *c, const uint8_t resource[MSG_ID], const uint8_t policy[DIGEST_SHA256_LEN],
    struct files_part *ret, struct msg_kept *ret_kept);
/*
 * Remembers it. The file stays the caller's to close, and no longer to drop. 0, or it is not kept:
 * FG_EPEER when the part is shorter than it is said to be, or longer than max.
 */
int kept_put(struct control *c, const uint8_t resource[MSG_ID], const uint8_t policy[DIGEST_SHA256_LEN],
    const struct files_part *part, const struct msg_kept *kept, uint64_t max);
/* Forgets the row; the file is the caller's. */
void kept_release(struct control *c, const uint8_t resource[MSG_ID]);
/* Drops the oldest that is not being written and not resource's (NULL: whichever). False: there is none. */
bool kept_drop_oldest(struct control *c, const uint8_t *resource);
/* Every minute: those nobody came back for, and those that are too many. */
void kept_tidy(struct control *c);
/* At start: removes every part in the quarantine that no row knows. 0 or FG_EIO. */
int kept_sweep(struct control *c);

#endif
