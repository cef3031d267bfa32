/* SPDX-License-Identifier: Apache-2.0 */
/* sessions - who a secret names just now. Role: webdesk. */
#ifndef FG_GATEWAY_CONTROL_SESSIONS_H
#define FG_GATEWAY_CONTROL_SESSIONS_H

#include "gateway/control/callers.h"

struct sessions;

/*
 * Who that secret names just now; touches the idle time. False: nobody (unknown,
 * expired, ended, disabled). ret->means, roles, user are set.
 */
bool sessions_identify(struct sessions *s, enum callers_means means, const uint8_t secret[32], const uint8_t peer[16],
    struct caller *ret);

#endif
