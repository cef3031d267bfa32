/* SPDX-License-Identifier: Apache-2.0 */
/*
 * desk - control.sock: accepts local people, learns from the kernel who they
 * are, and hands each call to the one table of requests (requests.h).
 * Guarantees: bounded connections, bounded calls a connection, nothing but
 * MSG_CALL is heard; what a person sends is hostile.
 */
#ifndef FG_GATEWAY_CONTROL_DESK_H
#define FG_GATEWAY_CONTROL_DESK_H

#include "gateway/control/call.h"

#define DESK_PEOPLE_MAX 64      /* connections; each holds a 64 KiB buffer */
#define DESK_PEOPLE_OF_ONE 16   /* of one unix user: a script gone wild leaves room for the others */
#define DESK_CALLS_MAX 32       /* under way on one connection */

struct desk;

/* Takes listener. handle() owns the call. NULL on no memory (listener closed). */
struct desk *desk_new(struct event_base *base, int listener, const struct callers *callers,
    void (*handle)(void *ctx, struct call *c), void *ctx);
void desk_free(struct desk *d);

#endif
