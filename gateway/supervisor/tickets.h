/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tickets - the secrets that session tickets are sealed by, for all edges.
 * Role: made by the supervisor, which starts edges anew and so is the one place
 * that outlives them; handed to edges alone, at their start and at each roll.
 * Guarantees: random, of this process's life, never in a file; a secret seals
 * for one period and opens for another, then it is overwritten, so that nothing
 * recorded before can be opened by whoever takes the machine later.
 */
#ifndef FG_GATEWAY_SUPERVISOR_TICKETS_H
#define FG_GATEWAY_SUPERVISOR_TICKETS_H

#include <stdint.h>

#define TICKETS_SECRET 32          /* gateway/net/tls.h counts the same */
#define TICKETS_PERIOD_MS 3600000u /* a ticket is good for as long: the one before opens all that is left */

struct tickets {
	uint8_t secret[2][TICKETS_SECRET]; /* the one that seals, the one before */
};

/* Two new ones. 0 or FG_EIO: no random numbers. */
int tickets_make(struct tickets *t);
/* The first becomes the second, the second is forgotten. 0 or FG_EIO; then nothing has changed. */
int tickets_roll(struct tickets *t);
/* Both, as a sealed memory file. The caller's descriptor or a negative fg_err. */
int tickets_file(const struct tickets *t);
void tickets_wipe(struct tickets *t);

#endif
