/* SPDX-License-Identifier: Apache-2.0 */
/*
 * undecided - reviews that nobody decides: named while there is time left, and
 * for as long after they ran out. Used by requests for `status`. Guarantee: writes
 * nothing; what expires does so by reviews_expire().
 */
#ifndef FG_GATEWAY_CONTROL_UNDECIDED_H
#define FG_GATEWAY_CONTROL_UNDECIDED_H

#include <stdint.h>

#include "crypto/jsonw.h"

#define UNDECIDED_MAX 8      /* named one by one, of either kind */
#define UNDECIDED_PARTS 5    /* the last fifth of its days is when somebody has to hear of it */
#define UNDECIDED_AFTER (14 * 86400) /* seconds that one that ran out is told of */

struct control;

/* Alert UNDECIDED, by what status has for it. */
void undecided_alerts(struct control *c, void (*alert)(struct jsonw *j, const char *id, const char *text), struct jsonw *j);

#endif
