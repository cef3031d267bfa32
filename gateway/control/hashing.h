/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hashing - passwords made and checked beside the event loop: one thread, one at a time, and a short
 * queue before it. What does not fit is refused, so that nobody can have the gateway do
 * nothing else: the queue is the throttle of last resort.
 * Guarantees: each callback runs exactly once, on the loop or in hashing_free(), never inside the
 * call that ordered it; passwords are copied, and wiped when they were used.
 */
#ifndef FG_GATEWAY_CONTROL_HASHING_H
#define FG_GATEWAY_CONTROL_HASHING_H

#include <event2/event.h>

#include "crypto/password.h"

#define HASHING_QUEUE_MAX 16 /* the last waits about three seconds */
#define HASHING_STRANGERS_MAX 12 /* places for those who were never seen: however many they are, others get in */

struct hashing;

/* cost as password_hash() takes it. NULL: no memory. */
struct hashing *hashing_new(struct event_base *base, unsigned cost);
/* Waits for the one that is being worked on; those under way are told FG_EAGAIN. */
void hashing_free(struct hashing *h);

/* Whether there is a place for somebody who was never seen. */
bool hashing_takes_strangers(const struct hashing *h);

/* is: err is 0 and it was that password. phc: of hashing_make(), NULL unless err is 0. */
typedef void (*hashing_done)(void *ctx, int err, bool is, const char *phc);
/* phc NULL: of nobody. It takes as long and is never it. 0; FG_EAGAIN (the queue is full) or FG_ENOMEM: no callback then. */
int hashing_check(struct hashing *h, struct view password, const char *phc, hashing_done done, void *ctx);
int hashing_make(struct hashing *h, struct view password, hashing_done done, void *ctx);

#endif
