/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service - a witness over HTTP: POST PREFIX/add-checkpoint as the
 * specification has it, and, of our own, GET PREFIX/checkpoint/NAME: the last
 * checkpoint of a log that was cosigned here, for auditors to compare with.
 * Role: fotagate-witness, inside its jail. One thread, so judging and keeping
 * are one step. Guarantees: no request costs more than WITNESS_REQUEST_MAX of
 * memory and one file written.
 */
#ifndef FG_GATEWAY_WITNESS_SERVICE_H
#define FG_GATEWAY_WITNESS_SERVICE_H

#include "gateway/net/net.h"
#include "gateway/witness/keeper.h"

#define SERVICE_PREFIX_MAX 200

struct event_base;
struct service;

/* keeper and prefix are borrowed. prefix: "" or "/..." without a last "/". 0 or FG_ENOMEM. */
int service_new(struct event_base *base, struct keeper *keeper, const char *prefix, struct service **ret);
void service_free(struct service *s);
/* Takes fd, also on failure; tls may be NULL. 0 or negative fg_err. */
int service_listen(struct service *s, int fd, struct tls *tls);

#endif
