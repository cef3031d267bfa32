/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timekeep - how far control believes the wall clock (crypto/clockwatch.h): by the
 * base the warden tells and the floor the log tells, judged anew at every use.
 * While the clock is held, or nobody has told a base yet, nothing is granted,
 * admitted to review or given up as expired.
 */
#ifndef FG_GATEWAY_CONTROL_TIMEKEEP_H
#define FG_GATEWAY_CONTROL_TIMEKEEP_H

#include "crypto/clockwatch.h"
#include "gateway/wire/msg.h"

struct control;

struct timekeep {
	struct clockwatch watch;
	struct msg_clock said; /* the warden's last word; state MSG_CLOCK_UNKNOWN: none yet */
	bool was_sure;         /* at the last look */
};

void timekeep_on_clock(struct control *c, const struct msg_clock *m);
void timekeep_on_head(struct control *c, const struct msg_head *m);
/* Once a second: opens and closes the gate when that changes. */
void timekeep_tick(struct control *c);
bool timekeep_is_sure(const struct control *c);
/* Name of the hold that the warden tells of, for statements to end it; 0: none. */
int64_t timekeep_hold(const struct control *c);
/* Epoch seconds: by what waits are judged, by what expiry is. */
int64_t timekeep_earliest(const struct control *c);
int64_t timekeep_latest(const struct control *c);
/* What is against the clock and how that ends, for a person; dst of 300 bytes or so. */
void timekeep_why(const struct control *c, char *dst, size_t cap);

#endif
