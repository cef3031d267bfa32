/* SPDX-License-Identifier: Apache-2.0 */
/*
 * datacost - bytes of images that were sent, by release and by the group that modules are in now: what a carrier
 * counts. From the edges' reports of each answer, as they stand beside the grants; what went out without a grant
 * (answers without an image) is not in it. A module that was forgotten counts under no group.
 */
#ifndef FG_GATEWAY_CONTROL_DATACOST_H
#define FG_GATEWAY_CONTROL_DATACOST_H

#include "crypto/jsonw.h"

#define DATACOST_ROWS_MAX 512 /* releases times groups that are told apart; the rest is one number */

struct control;

/* The members "data" and "data_other" of an answer, the dearest row first. FG_ENOMEM, FG_EIO: nothing was written. */
int datacost_put(struct control *c, struct jsonw *j);

#endif
