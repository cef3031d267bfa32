/* SPDX-License-Identifier: Apache-2.0 */
/* explain_internal - what the parts of explain share: explain*.c only. */
#ifndef FG_IMAGES_EXPLAIN_INTERNAL_H
#define FG_IMAGES_EXPLAIN_INTERNAL_H

#include "images/explain.h"

struct explain {
	const struct explain_job *job;
	struct parts *tree[PAIR_SIDES];
	struct pair *pair;
	struct account *account;
	struct story *story;
};

/* explain_files.c: counts by class; lines for what was not looked at. 0 or FG_ENOMEM, FG_EIO. */
int explain_count(struct explain *e);
int explain_unseen(struct explain *e);
/* explain_shift.c: lines for what became noise. 0 or FG_ENOMEM, FG_EIO. */
int explain_shift(struct explain *e);
/* explain_map.c: layout, map and strip, after the account was made. 0, FG_ENOMEM, FG_EIO. */
int explain_map(struct explain *e);

#endif
