/* SPDX-License-Identifier: Apache-2.0 */
/*
 * standing - whether what people released still passes the policy in force. A
 * release was signed under one policy; under a later one its stored report is
 * judged again, and where that would be denied, or more persons would have to
 * sign than did, it is withheld: offered to nobody, its transfers reset. So it is while a second image for the
 * same update waits for people (rivals).
 * Guarantees: withholding takes effect first and is written and logged after; it
 * is no revocation, so it ends when a later policy lets the release pass, or people decided, but only once the log
 * has that. Within the policy it was signed for nothing is withheld, but for what may meet a refusal and cannot be
 * read now.
 */
#ifndef FG_GATEWAY_CONTROL_STANDING_H
#define FG_GATEWAY_CONTROL_STANDING_H

#include <stdbool.h>

#include "crypto/release.h"

#define STANDING_WHY_MAX 320

struct control;

/*
 * Of one that is about to be offered: true when it may be at once. Else why says
 * for what it is withheld, be it only that the log has not yet said otherwise, or
 * that nothing can be told of that.
 */
bool standing_may_offer(struct control *c, const uint8_t id[RELEASE_ID], const struct release *record,
    char why[STANDING_WHY_MAX]);
/*
 * Withholds one that may meet a refusal, which cannot be told now: standing_review() lets it go on, or revokes
 * it, when it can be. No-op for what is not there.
 */
void standing_withhold(struct control *c, const uint8_t id[RELEASE_ID], const char *why);
/* All of them anew: after a reload, when the warden has listed them, and every minute, for rules look at the clock. */
void standing_review(struct control *c);

#endif
