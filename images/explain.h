/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explain - two images taken apart, paired and accounted for: what a person is to
 * be told of the way from one to the other.
 * Role: the explain stage's work beyond comparing bytes (changes.h). Guarantees:
 * nothing is dropped because it is alike, small or far down; what could not be
 * looked at is a line of its own; memory is bounded by the parts' own limits,
 * bytes that come out of packed parts go to the scratch file.
 */
#ifndef FG_IMAGES_EXPLAIN_H
#define FG_IMAGES_EXPLAIN_H

#include "images/story.h"

/* What one process may put into the scratch file: all that both images may expand to. */
#define EXPLAIN_SCRATCH_MAX (2 * PART_EXPANDED_MAX)

struct own; /* images/own.h */

struct explain_job {
	const struct source *old, *new;
	int scratch; /* regular file or memfd, empty and ours alone; borrowed */
	const struct own *own; /* identities of the fleet, NULL: not given */
	struct view rules; /* the operator's YARA rules as text; empty: the shipped ones alone */
};

/* 0 with *ret (story_free()), or FG_ENOMEM, FG_EIO (of the scratch file too), FG_ECRYPTO. */
int explain_run(const struct explain_job *job, struct story **ret);

#endif
