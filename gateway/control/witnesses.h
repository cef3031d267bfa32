/* SPDX-License-Identifier: Apache-2.0 */
/*
 * witnesses - what fotagate audit witness brings from witnesses elsewhere.
 * Role: a cosignature goes to audit, which alone judges it; everything else a
 * witness said, or did not say, is a claim of whoever brought it, and is shown as one. Guarantees:
 * nothing here permits or condemns; only names of audit's policy are remembered.
 */
#ifndef FG_GATEWAY_CONTROL_WITNESSES_H
#define FG_GATEWAY_CONTROL_WITNESSES_H

#include "crypto/jsonw.h"
#include "crypto/witness.h"
#include "crypto/witness_policy.h"
#include "gateway/control/call.h"

struct control;
struct witnesses;

struct witnesses *witnesses_new(struct control *c);
void witnesses_free(struct witnesses *w);
/* The request audit.cosigned. */
void witnesses_cosigned(struct witnesses *w, struct call *call);
/* An array under the key "witnesses". */
void witnesses_put(const struct witnesses *w, struct jsonw *j);
void witnesses_alerts(const struct witnesses *w, void (*alert)(struct jsonw *j, const char *id, const char *text),
    struct jsonw *j);

#endif
