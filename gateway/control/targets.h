/* SPDX-License-Identifier: Apache-2.0 */
/*
 * targets - what a delta makes, judged as a full image: the delta is tried on the
 * bases of its product, the newest first; what it makes is verified, held against
 * the full image that it should be, and explained against its base. Each step is an
 * inspector of its own.
 * Role: judging, once the verify stage says that an image is a delta. Guarantees: the
 * target is a file that its writer is dead for before anybody reads it, and that has no
 * name anybody knows; the digest two processes gave must be one; a step that gave no
 * answer, or for which there was no room, ends in "hold", never in a report.
 */
#ifndef FG_GATEWAY_CONTROL_TARGETS_H
#define FG_GATEWAY_CONTROL_TARGETS_H

#include "gateway/control/bases.h"
#include "gateway/state/files.h"
#include "gateway/wire/msg.h"
#include "images/report.h"
#include "policy/version.h"

#define TARGETS_WHY_MAX 224

struct control;
struct targets;

struct targets_asked { /* borrowed for the call, the descriptors until the end */
	const struct db_candidate *cand;
	const struct db_resource *resource;
	const struct msg_inspect *verify; /* how the delta itself is verified */
	const struct report_asked *asked; /* of the delta */
	enum version_order order;         /* of the profile */
	enum format_id format;            /* FORMAT_NONE: by its bytes */
	int patch_fd, trust_fd;           /* trust_fd -1: none */
};

enum targets_end {
	TARGETS_HOLD = 0, /* why says what is missing: a place, an answer */
	TARGETS_NO_BASE,  /* none is held */
	TARGETS_DONE,     /* applied, or refused by the format's rules: both are for the report */
};

struct targets_result { /* borrowed until targets_free() */
	enum targets_end end;
	char why[TARGETS_WHY_MAX];
	struct bases_one base; /* with TARGETS_DONE */
	struct report_applied applied;
	struct view text;      /* of the target's own report */
	const char *part;      /* the target's bytes; for bases_keep() */
	uint64_t size;
};

/* Calls done once, from the loop. 0 or FG_ENOMEM, FG_EIO; *ret is the caller's to free. */
int targets_start(struct control *c, const struct targets_asked *q, void (*done)(void *ctx, const struct targets_result *r),
    void *ctx, struct targets **ret);
/* Stops what is under way; done does not run any more. The part is dropped unless somebody took it. NULL is fine. */
void targets_free(struct targets *t);
/* The part is somebody else's now. */
void targets_part_taken(struct targets *t);

#endif
