/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fronts - single sign-on: whether a connection of the console's is that of the front that console.sso names, and
 * session.sso, by which whoever that front vouches for gets a session of the account bound to them.
 * The console passes on what kernel and TLS said of the connection; what that is worth is judged here, at every call, by
 * the configuration in force. Nobody is signed in whom no administrator has bound, whatever the front says of them.
 */
#ifndef FG_GATEWAY_CONTROL_FRONTS_H
#define FG_GATEWAY_CONTROL_FRONTS_H

#include "gateway/control/callers.h"
#include "gateway/wire/msg.h"

struct call;
struct control;
struct fronts;

enum fronts_word {
	FRONTS_STRANGER = 0, /* not the front, and it speaks as one, or sits where only the front may: nothing is answered */
	FRONTS_NONE,         /* whoever has a browser */
	FRONTS_TRUSTED,
};

struct fronts *fronts_new(struct control *c);
void fronts_free(struct fronts *f);

/* dst: which front, "" unless trusted; of sizeof caller.front. */
enum fronts_word fronts_judge(const struct control *c, const struct msg_web_call *m, char *dst, size_t cap);
/* That was one of FRONTS_STRANGER. Told by what kernel or TLS say of the connection: the address in it is its own word. */
void fronts_note(struct fronts *f, const struct msg_web_call *m);
/* The console refused such itself. */
void fronts_stray(struct fronts *f, const struct msg_web_stray *m);
/* Once a minute: tells the log of them. */
void fronts_report(struct fronts *f);

/* session.sso */
void fronts_open(struct fronts *f, struct call *call);

#endif
