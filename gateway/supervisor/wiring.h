/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wiring - who talks to whom, who is handed what, and who is told of a halt:
 * the rights of the channels and descriptors as constant tables. Pure.
 */
#ifndef FG_GATEWAY_SUPERVISOR_WIRING_H
#define FG_GATEWAY_SUPERVISOR_WIRING_H

#include <stdbool.h>

#include "gateway/wire/msg.h"

/*
 * Roles that run for long, in the order of starting; stopping is the reverse of what
 * needs whom. The console is there if it is configured.
 */
#define WIRING_ROLES 5
extern const enum msg_role wiring_start_order[WIRING_ROLES];
extern const enum msg_role wiring_stop_order[WIRING_ROLES];

/* A channel joins these two roles. Symmetric. */
bool wiring_joined(enum msg_role a, enum msg_role b);
/* The role is handed descriptors of that kind in its boot dialogue. */
bool wiring_gets(enum msg_role role, enum msg_boot_kind kind);
/* Told of halt and unhalt. */
bool wiring_hears_halt(enum msg_role role);
/* Told of a new configuration. */
bool wiring_reloads(enum msg_role role);

#endif
