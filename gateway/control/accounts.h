/* SPDX-License-Identifier: Apache-2.0 */
/*
 * accounts - the people who may sign in over the network, as administrators name them. What gives an account
 * more waits for its entry in the log; what takes from it is done first. A password that somebody else
 * chose lets in for a week, and only to choose one's own; without a second factor nobody gets
 * farther than to make one: a code, or a passkey, which is two factors in one and needs no password
 * beside it. Nobody is administrator and approver at once.
 */
#ifndef FG_GATEWAY_CONTROL_ACCOUNTS_H
#define FG_GATEWAY_CONTROL_ACCOUNTS_H

#include "gateway/control/call.h"
#include "gateway/state/account.h"

#define ACCOUNTS_MAX 1000       /* of one gateway: people, and machines with tokens */
#define ACCOUNTS_LENT_S 604800  /* how long a password that somebody else chose lets in */

struct control;
struct accounts;

struct accounts *accounts_new(struct control *c);
void accounts_free(struct accounts *a);

/* ---- for sessions, tokens and signing in ---- */

/* What somebody who showed that many factors may ask for: the account's roles, CALLERS_ENROL, or nothing. */
unsigned accounts_roles(const struct db_account *a, unsigned factors, int64_t now);
/* The same of somebody for whom a trusted front answers: password and second factor are the issuer's affair. */
unsigned accounts_sso_roles(const struct db_account *a);
/* No text of that form is an account's name: [a-z][a-z0-9._-]*, and no longer than fits. */
bool accounts_is_name(const char *name);
/* Adds "roles":[...] to an object. */
void accounts_put_roles(struct jsonw *j, unsigned roles);
/* Is there an administrator who is not disabled? True also when the database cannot say. */
bool accounts_have_admin(struct control *c);

/* ---- account.add, .list, .disable, .enable, .roles, .password, .totp, .passkey_only ---- */

void accounts_add(struct accounts *a, struct call *call);
void accounts_list(struct accounts *a, struct call *call);
void accounts_disable(struct accounts *a, struct call *call);
void accounts_enable(struct accounts *a, struct call *call);
void accounts_set_roles(struct accounts *a, struct call *call);
void accounts_password(struct accounts *a, struct call *call);
void accounts_totp(struct accounts *a, struct call *call);
void accounts_passkey_only(struct accounts *a, struct call *call);

#endif
