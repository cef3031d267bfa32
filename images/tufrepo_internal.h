/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tufrepo_internal - what the two halves of tufrepo share: tufrepo.c (the way to
 * the top-level targets) and tufrepo_find.c (the way from there to an entry).
 */
#ifndef FG_IMAGES_TUFREPO_INTERNAL_H
#define FG_IMAGES_TUFREPO_INTERNAL_H

#include "images/tufrepo.h"

#define TUFREPO_BROKEN 1 /* beside 0 and local failure: r->fault says why it goes no further */

struct tufrepo {
	struct tufrepo_ask ask;
	const struct tufmeta *root; /* the current one: the anchor, or own_root */
	struct tufmeta *own_root, *snapshot, *targets;
	struct tufmeta_count targets_by;
	uint64_t version[TUFMETA_TARGETS + 1]; /* by type, of what was reached */
	int64_t expires[TUFMETA_TARGETS + 1];
	unsigned progress;
	bool published;
	struct tufrepo_fault fault;
};

/* A file that is due, because another one names it. */
struct tufrepo_due {
	const char *name; /* of the role */
	enum tufmeta_type type;
	bool delegated;
	const struct json_value *entry;      /* version, perhaps length and digests */
	const struct json_value *keys, *role; /* who must have signed it */
};

/* Says why, and returns TUFREPO_BROKEN. Hostile text may be among the arguments. */
int tufrepo_broken(struct tufrepo *r, enum sig_outcome outcome, enum finding_id finding, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* 0, TUFREPO_BROKEN or local failure; *ret (tufmeta_free()) and *ret_by on 0 only. */
int tufrepo_load(struct tufrepo *r, const struct tufrepo_due *due, struct tufmeta **ret,
    struct tufmeta_count *ret_by);

#endif
