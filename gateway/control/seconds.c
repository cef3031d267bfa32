/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/seconds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "gateway/control/control_private.h"
#include "gateway/control/decisions.h"

#define SECONDS_MAX 16 /* reviews closed at once; of more than that none is signed for either: reviews.c asks policy then */

struct seconds { /* other deltas for the step of one, that nobody can see through either */
	uint64_t than;
	uint64_t review[SECONDS_MAX];
	unsigned n;
	bool younger; /* one came later, and has told of it */
};

static void
note_second(void *arg, const struct db_candidate *other, enum decisions_other what)
{
	struct seconds *s = arg;
	bool open = candidates_is(other, LIFECYCLE_REVIEW);
	if (what != DECISIONS_SECOND || (!open && !candidates_is(other, LIFECYCLE_JUDGING)))
		return;
	s->younger |= other->id > s->than;
	if (open && s->n < SECONDS_MAX)
		s->review[s->n++] = other->id;
}

void
seconds_tell(struct control *c, const struct db_candidate *cand)
{
	struct db_incident i = { .at = control_now(c), .kind = "second-delta", .have_resource = true };
	struct db_candidate *other = calloc(1, sizeof *other);
	struct seconds s = { .than = cand->id };
	int err = decisions_others(c, cand, note_second, &s);
	if (err)
		oplog(OPLOG_ERR, "not all deltas for a step could be looked at: %s", err_name(err));
	for (unsigned k = 0; other && k < s.n; k++)
		if (db_candidate_get(c->db, s.review[k], other) == FG_OK)
			judging_again(c->judging, other, "another delta was given for the same step");
	free(other);
	if (s.younger)
		return;
	memcpy(i.resource, cand->resource, sizeof i.resource);
	snprintf(i.detail, sizeof i.detail, "another delta was given for the same step from version to version");
	if (db_incident_add(c->db, &i))
		oplog(OPLOG_ERR, "an incident could not be written down: %s", db_why(c->db));
	struct msg_append *e = candidates_entry(cand, ENTRY_IMAGE_INCIDENT, "failed");
	logbook_say(e, "%s", i.detail);
	logbook_tell(c->logbook, e);
	oplog(OPLOG_ERR, "INCIDENT: a vendor gives another delta for the same step");
}
