/* SPDX-License-Identifier: Apache-2.0 */
/*
 * throttle - how long somebody who failed has to wait before the next try: a second, then twice as
 * long each time, up to a maximum; an hour without a failure forgets all. Kept in the
 * database: a restart gives nobody new tries.
 * An attempt is counted before it is judged, so that a hundred at once are not a hundred free ones.
 * Nobody can lock an account by failing for it: an address that its owner came from before
 * waits for its own failures only (signins.c), and for others the wait is a minute at most.
 */
#ifndef FG_GATEWAY_CONTROL_THROTTLE_H
#define FG_GATEWAY_CONTROL_THROTTLE_H

#include "gateway/state/failure.h"

#define THROTTLE_FREE 4       /* failures that cost nothing: people mistype */
#define THROTTLE_FORGET_S 3600

enum throttle_kind {
	THROTTLE_NONE = 0,
	THROTTLE_SOURCE,  /* an address: 16 bytes. Of IPv6 its /64 counts, which is one subscriber */
	THROTTLE_ACCOUNT, /* what was typed as a name, whether there is one or not */
	THROTTLE_CODE,    /* the account of somebody who knew its password and not its code */
	THROTTLE_SETUP,   /* an address again, for set-up codes */
};

/* Seconds to wait before another try; 0: go on. When the database cannot say: as after many failures. */
int64_t throttle_wait(struct db *db, enum throttle_kind kind, struct view who, int64_t now);
/* One more try that failed, until throttle_refund() or throttle_clear(). 0 or what the database says: then it must not be made. */
int throttle_charge(struct db *db, enum throttle_kind kind, struct view who, int64_t now);
/* That try was none: nobody waits on its account, and count and wait are what they were before it. */
void throttle_refund(struct db *db, enum throttle_kind kind, struct view who);
/* It succeeded: nothing is held against them any more. */
void throttle_clear(struct db *db, enum throttle_kind kind, struct view who);

#endif
