/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vendors - whether a vendor's servers showed themselves as they did before: the
 * keys of their certificates and the places they led to, for each profile.
 * Called by fetches and arrivals. What is seen at a place for the first time is taken; anything
 * else is an incident, told once for each key and place, and what came with it is held until a
 * person has it judged (review reopen), with all that this review was held for known from then
 * on. All of it is the fetcher's claim: it can only hold, never permit.
 */
#ifndef FG_GATEWAY_CONTROL_VENDORS_H
#define FG_GATEWAY_CONTROL_VENDORS_H

#include <stdbool.h>

#include "gateway/control/fetches_private.h"
#include "gateway/state/seen.h"

/*
 * Compares what the fetch of fl showed, and remembers it. held: the candidate that is held if it
 * is not as before; 0: none. *ret_note: what is not as before, for people; "" when all is.
 * Inside the caller's transaction. 0 or the database's error.
 */
int vendors_compare(const struct flight *fl, uint64_t held, char ret_note[MSG_TEXT_MAX]);
/* While it is under way: whether all is as before, and remembers it if so; else nothing is remembered or told yet. */
int vendors_begin(const struct flight *fl, bool *ret_same);
/* One sentence about something a review is held for; known: something else is known of the place. */
void vendors_describe(const struct db_seen *row, bool known, char note[MSG_TEXT_MAX]);
/* The server's identity was refused, so nothing came: an incident, once for each key, and again when it was let in since. */
void vendors_refused(const struct flight *fl);
/* A person has the candidate judged: what it was held for is known from now on. */
int vendors_accept(struct control *c, uint64_t candidate);

#endif
