/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bindings - account.bind and account.unbind: which account is meant by whom an issuer of single sign-on names. An
 * administrator says so of an account that is there, by issuer and subject; nothing else makes one, least of all a
 * sign-in. Binding waits for its entry in the log; unbinding is done first and ends the sessions that came of it.
 */
#ifndef FG_GATEWAY_CONTROL_BINDINGS_H
#define FG_GATEWAY_CONTROL_BINDINGS_H

#include "crypto/jsonw.h"

#define BINDINGS_OF_ONE 8 /* of an account: somebody with an identity in each of a few directories */

struct bindings;
struct call;
struct control;

struct bindings *bindings_new(struct control *c);
void bindings_free(struct bindings *b);

void bindings_bind(struct bindings *b, struct call *call);
void bindings_unbind(struct bindings *b, struct call *call);
/* Adds "sso":[...] of that account to an object. */
void bindings_put(struct control *c, struct jsonw *j, const char *account);

#endif
