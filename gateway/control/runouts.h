/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runouts - certificates and revocation lists of listeners that have run out or
 * soon will, as edges and the console tell it: control opens none of those files.
 * Status shows them in time to do something; nothing here permits or restricts.
 */
#ifndef FG_GATEWAY_CONTROL_RUNOUTS_H
#define FG_GATEWAY_CONTROL_RUNOUTS_H

#include "crypto/jsonw.h"
#include "gateway/wire/msg.h"
#include "policy/config.h"

#define RUNOUTS_EDGES 64                 /* edges.h */
#define RUNOUTS_SOON INT64_C(14 * 86400) /* before its end, but not before three quarters of its time are over */

struct runouts {
	struct msg_runouts of[RUNOUTS_EDGES]; /* zero: that edge is away, or has none */
	struct msg_runouts console;           /* likewise; its one listener has ordinal 0 */
};

/* All that this edge has; m NULL: it is gone. */
void runouts_take(struct runouts *r, unsigned edge, const struct msg_runouts *m);
/* The same of the console. */
void runouts_take_console(struct runouts *r, const struct msg_runouts *m);
/* Calls alert for each kind of each listener of f, and of the console, that needs somebody, by the first edge to need it. */
void runouts_alerts(const struct runouts *r, const struct config *f, int64_t now,
    void (*alert)(struct jsonw *j, const char *id, const char *text), struct jsonw *j);
/* Key "certificates": of each kind of each listener of f, then of the console, the one that ends first, soon or not. */
void runouts_put(const struct runouts *r, const struct config *f, int64_t now, struct jsonw *j);

#endif
