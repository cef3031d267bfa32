/* SPDX-License-Identifier: Apache-2.0 */
/* walk_internal - what the parts of walk share: walk.c, walk_chain.c, walk_keys.c, walk_member.c and walk_openpgp.c only. */
#ifndef FG_IMAGES_WALK_INTERNAL_H
#define FG_IMAGES_WALK_INTERNAL_H

#include "images/walk.h"
#include "images/whole.h"

struct walk_room {
	struct report *r;
	const struct trust *trust;
	const struct trust_policy *policy;
	int64_t at;
	uint64_t members;  /* looked at so far */
	uint64_t expanded; /* bytes that came out of packed members so far */
	uint64_t work;     /* see walk_work() */
	uint8_t *chunk;    /* SOURCE_CHUNK bytes for hashing one member, NULL before the first */
	struct whole *whole; /* of the inspected file; NULL: nobody names it meanwhile */
	uint64_t kept;     /* of those, in memory now because their container is being walked */
};

/* A free place among the signatures, zeroed; NULL when all are taken, which is then told. */
struct sig_result *walk_place(struct walk *w, struct walk_signed *by);
/* A digest that has gone over a span, and is the caller's. FG_EFORMAT when it leaves the container. */
int walk_running(const struct walk *w, const struct walk_span *span, enum digest_alg alg, struct digest **ret);
/* A span of w->image as ranges of the whole image; none when the container is packed. */
void walk_place_covers(const struct walk *w, const struct walk_span *span, struct sig_result *s);

#endif
