/* SPDX-License-Identifier: Apache-2.0 */
/*
 * setup - how there comes to be a first administrator of the console: no account is delivered, somebody at the
 * machine has a code made, and whoever has that names the account. A code holds for an hour and once,
 * and only its SHA-256 is kept. Once there is an administrator only root gets another one.
 */
#ifndef FG_GATEWAY_CONTROL_SETUP_H
#define FG_GATEWAY_CONTROL_SETUP_H

#include "gateway/control/call.h"

#define SETUP_CODE_LEN 15 /* bytes: 24 characters, in groups of 6; 120 bits need no slow hash */
#define SETUP_CODE_S 3600

struct control;

/* setup.code */
void setup_code(struct control *c, struct call *call);
/* setup.open */
void setup_open(struct control *c, struct call *call);

#endif
