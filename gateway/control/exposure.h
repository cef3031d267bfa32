/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exposure - what holding an update costs: how long each has waited, and how many
 * modules run a version that it would replace. A gate that sits on patches is
 * a risk of its own, so its delays are measured by the gate itself.
 * Role: request exposure.list, alerts of status. Guarantees: one walk over the inventory a
 * request, bounded memory; versions are what modules last reported, claims among them, and said so.
 */
#ifndef FG_GATEWAY_CONTROL_EXPOSURE_H
#define FG_GATEWAY_CONTROL_EXPOSURE_H

#include "crypto/jsonw.h"

#define EXPOSURE_VERSIONS_MAX 16384 /* pairs of product and version that are counted apart; a fleet has tens */
#define EXPOSURE_SHOWN_MAX 512      /* of them in an answer, the most frequent first */

struct call;
struct control;

/* Request exposure.list. */
void exposure_list(struct control *c, struct call *call);
/* Calls back for the review that waits longest, once half of its time is over. */
void exposure_alerts(struct control *c, void (*say)(struct jsonw *j, const char *id, const char *text), struct jsonw *j);

#endif
