/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/quarantine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "gateway/control/bases.h"
#include "gateway/control/control_private.h"

/* States in which nobody waits for the bytes any more. */
static const enum lifecycle_state idle[] = {
	LIFECYCLE_BLOCKED, LIFECYCLE_REJECTED, LIFECYCLE_REVOKED, LIFECYCLE_EXPIRED,
};

#define BATCH 16 /* files removed in a minute's turn: unlinking large ones takes a moment each */

struct old {
	struct control *c;
	int64_t before;
	unsigned n;
	struct db_candidate cand[BATCH];
};

static int
look(void *arg, const struct db_candidate *cand)
{
	struct old *o = arg;
	if (o->n < BATCH && cand->in_quarantine && cand->updated < o->before)
		o->cand[o->n++] = *cand;
	return 0;
}

static void
forget(struct control *c, struct db_candidate *cand)
{
	bool needed = true;
	bases_forget(c, cand);
	cand->in_quarantine = false;
	if (db_candidate_needs_file(c->db, cand->image, cand->id, &needed) ||
	    db_candidate_update(c->db, cand, cand->state) || needed)
		return;
	if (files_image_remove(c->files, FILES_IMAGE, cand->image))
		oplog(OPLOG_WARNING, "an image could not be removed from quarantine");
	char review[DB_REVIEW_CAP];
	db_candidate_review(cand->id, review);
	struct msg_append *e = logbook_entry(ENTRY_IMAGE_RETIRED, "ok", "control", review);
	logbook_ref_sha256(e, "image", cand->image);
	logbook_say(e, "its bytes were removed from quarantine");
	logbook_tell(c->logbook, e);
}

void
quarantine_tidy(struct control *c)
{
	struct old *o = calloc(1, sizeof *o);
	if (!o)
		return;
	o->c = c;
	o->before = control_now(c) - policies_config(c->policies)->quarantine.keep;
	for (unsigned i = 0; i < sizeof idle / sizeof idle[0]; i++) {
		struct db_candidate_filter filter = { .state = lifecycle_state_name(idle[i]) };
		(void)db_candidate_list(c->db, &filter, look, o);
	}
	for (unsigned i = 0; i < o->n; i++)
		forget(c, &o->cand[i]);
	free(o);
}

static uint64_t
rest(uint64_t limit, uint64_t used)
{
	return used < limit ? limit - used : 0;
}

uint64_t
quarantine_scratch(struct control *c)
{
	const struct config *conf = policies_config(c->policies);
	uint64_t all = 0, space = 0;
	if (files_usage(c->files, &all) || files_space(c->files, &space))
		return 0;
	uint64_t disk = rest(space, (uint64_t)conf->quarantine.reserve_bytes);
	uint64_t quota = rest((uint64_t)conf->quarantine.max_bytes, all);
	return disk < quota ? disk : quota;
}

uint64_t
quarantine_room(struct control *c, const struct profile *p, bool *ret_shared, char *why, size_t cap)
{
	bool shared;
	ret_shared = ret_shared ? ret_shared : &shared;
	*ret_shared = false;
	const struct config *conf = policies_config(c->policies);
	uint64_t used = 0, all = 0, space = 0;
	uint64_t room = (uint64_t)p->upstream_options.max_bytes;
	if (db_candidate_usage(c->db, p->name, &used) || files_usage(c->files, &all) || files_space(c->files, &space)) {
		snprintf(why, cap, "the quarantine could not be measured");
		return 0;
	}
	uint64_t limit[3] = {
		rest((uint64_t)p->quarantine_bytes, used),
		rest((uint64_t)conf->quarantine.max_bytes, all),
		rest(space, (uint64_t)conf->quarantine.reserve_bytes),
	};
	static const char *const name[3] = { "the profile's quarantine_bytes are used up", "the quarantine is full",
		"the disk is nearly full" };
	for (unsigned i = 0; i < 3; i++) {
		if (!limit[i]) {
			snprintf(why, cap, "%s", name[i]);
			*ret_shared = i > 0; /* the quota counts images only */
			return 0;
		}
		if (limit[i] < room)
			room = limit[i];
	}
	return room;
}
