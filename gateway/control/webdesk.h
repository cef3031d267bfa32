/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webdesk - control's end of the console: what came by HTTPS becomes a call on
 * the one table of requests, by whoever its secret names just now. The console
 * passes secrets on and has none: without a session or token it is a guest, and
 * it can name no account of this machine.
 * Guarantees: each call is answered once; so many at a time in all and from one
 * address; what comes again under an Idempotency-Key is answered again, not done
 * again. That memory is here and not in the console, which browsers can make
 * restart, and which must not hold other people's answers.
 */
#ifndef FG_GATEWAY_CONTROL_WEBDESK_H
#define FG_GATEWAY_CONTROL_WEBDESK_H

#include "gateway/role/chan.h"

#define WEBDESK_CALLS_MAX 1024   /* under way: a thousand pages ask when something changed, and each may wait for the log */
#define WEBDESK_CALLS_OF_ONE 256 /* from one address: a page asks for six things at once, an office is one address */

struct control;
struct webdesk;

struct webdesk *webdesk_new(struct control *c);
void webdesk_free(struct webdesk *w);
/* Rules of the channel; its ctx is struct control. */
extern const struct chan_ops webdesk_ops;
void webdesk_up(struct webdesk *w, struct chan *chan);
/* Calls go on, their answers are dropped, also when another console is up by then. */
void webdesk_down(struct webdesk *w);
bool webdesk_is_up(const struct webdesk *w);
/* Every second: says how large the log is when it has grown. */
void webdesk_tick(struct webdesk *w);

#endif
