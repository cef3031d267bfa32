/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notesfetch - the vendor's release notes from where a profile says they are, once, when an image came.
 * Used by arrivals and judging. Guarantees: an image is judged whatever becomes of its notes, at the latest
 * NOTESFETCH_LONGEST_S later, and not before; what is not a bounded text is none; nothing is fetched for bytes that have
 * notes. One that was waiting when control ended is judged without.
 */
#ifndef FG_GATEWAY_CONTROL_NOTESFETCH_H
#define FG_GATEWAY_CONTROL_NOTESFETCH_H

#include <stdbool.h>
#include <stdint.h>

#define NOTESFETCH_SECONDS 30 /* an image waits so long for a text: people read it for longer */
#define NOTESFETCH_LONGEST_S 40 /* until it is given up: other fetches may be before it */
#define NOTESFETCH_MAX 64     /* at once; an image more is judged without */

struct control;
struct notesfetch;

struct notesfetch *notesfetch_new(struct control *c);
/* Running ones are forgotten. NULL is fine. */
void notesfetch_free(struct notesfetch *f);
/* Has the candidate judged: with its vendor's notes, where there are such, else at once. */
void notesfetch_judge(struct control *c, uint64_t candidate);
/* Its notes are on their way: what they say belongs into the first report that people read. f may be NULL. */
bool notesfetch_awaits(const struct notesfetch *f, uint64_t candidate);
/* Every second: whatever has waited for too long is judged without. */
void notesfetch_tick(struct notesfetch *f);

#endif
