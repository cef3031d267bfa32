/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recount - what the log says was reviewed, signed, released, taken back and
 * held, and what becomes of a database that says otherwise: the log wins, and
 * the difference is named (entry state.differs, an incident). replay hands in
 * the entries; a database may have been restored, or written by somebody who
 * can write files. Guarantees: mending only ever restricts, or gives back what
 * the log has as signed; a restriction that only the database knows stays.
 */
#ifndef FG_GATEWAY_CONTROL_RECOUNT_H
#define FG_GATEWAY_CONTROL_RECOUNT_H

#include <stdbool.h>

#include "crypto/digest.h"
#include "crypto/entry.h"

#define RECOUNT_REQUESTERS_MAX 4 /* of those who asked, named in review.opened: references are few */
#define RECOUNT_NAMED_MAX 64 /* differences named one by one; the rest is a number */

struct control;
struct people;
struct recount;

/* began: epoch seconds of this life's start; what the database says happened since is not held against the log. */
struct recount *recount_new(int64_t began);
void recount_free(struct recount *r);
/* Whether entries of that event have to be handed in. */
bool recount_wants(struct view event);
/* One entry of the log, in order. FG_ENOMEM. */
int recount_take(struct recount *r, uint64_t index, const struct entry *e);
/* Whether without such an entry something would be permitted that must not be. */
bool recount_restricts(struct view event);
/* One entry could not be read and is left out; mending names how many. */
void recount_skip(struct recount *r);
/* Whether the sets of signers that p has are others, fewer or more than the log put in force. */
bool recount_signers_differ(const struct recount *r, const struct people *p);
/*
 * The log was read up to size: the database is held against it and mended. The
 * log is in order and audit is there. How many differences were found.
 */
unsigned recount_mend(struct recount *r, struct control *c, uint64_t size);

/* What a review is for, as one digest: product, target version, version it applies to. */
int recount_what(const char *product, const char *target, const char *from, uint8_t out[DIGEST_SHA256_LEN]);

#endif
