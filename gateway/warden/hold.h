/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hold - the warden's word on the clock (crypto/clockwatch.h): kept in the vault,
 * so that a restart forgets no step, logged, and told to control, audit and edges.
 * While the clock is held nothing new is permitted: people end that, with the
 * statement that ends a halt, naming the hold; or the clock comes back.
 */
#ifndef FG_GATEWAY_WARDEN_HOLD_H
#define FG_GATEWAY_WARDEN_HOLD_H

#include "crypto/clockwatch.h"
#include "gateway/wire/msg.h"

struct warden;
struct request;
struct msg_head;
struct msg_appended;

struct hold {
	struct clockwatch watch;
	bool floor_known;   /* audit has told when the last entry was */
	bool ending;        /* what the log is asked to take: the end of a hold, else its beginning */
	uint64_t token;     /* of that question; 0: none is out */
	uint64_t serial;
	bool waits;         /* it was asked and has not been taken: not again before HOLD_AGAIN_S */
	int64_t asked;      /* monotonic seconds */
	int64_t halted_at;  /* name of the last halt told of: a hold has another */
	bool halted;        /* and people have not ended it since */
	struct msg_clock told;
};

/* What the vault kept, once it is open and before anything is judged. FG_EIO, FG_ENOMEM. */
int hold_load(struct warden *w);
/* Looks at the clocks, logs and tells what is new. Cheap: at every turn of the loop. */
void hold_look(struct warden *w);
/* The log's head: the floor. */
void hold_head(struct warden *w, const struct msg_head *m);
void hold_appended(struct warden *w, const struct msg_appended *m);
/* What was asked of audit is never answered. */
void hold_audit_away(struct warden *w);
/* Audit has heard the warden's word on its newest checkpoint: what it refused before that it may take now. */
void hold_audit_open(struct warden *w);
/* Before an entry about the hold: the log is to have its beginning first, should it have been refused so far. */
void hold_begun(struct warden *w);
void hold_halted(struct warden *w, int64_t at);
/* People ended the halt of that name; a later one stands. */
void hold_resumed(struct warden *w, int64_t at);
/* Tells one peer; nothing while there is nothing to tell. */
void hold_tell(struct warden *w, enum msg_role role, unsigned index);

/* NULL, or why the clock stands against that request. */
const char *hold_refuses(const struct warden *w, const struct request *r);
/* A request to resume that is about the clock, not about a halt. */
bool hold_is_named(const struct warden *w, const struct request *r);
/* People have confirmed and the log has it. */
void hold_confirm(struct warden *w);

/* Epoch seconds: what waits are judged by, what expiry is judged by. */
int64_t hold_earliest(const struct warden *w);
int64_t hold_latest(const struct warden *w);
/* The same for the statements that confirm the clock: what is held cannot itself keep people from ending it. */
void hold_confirming(const struct warden *w, int64_t *ret_earliest, int64_t *ret_latest);
/* Nothing is against the clock now. */
bool hold_is_sure(const struct warden *w);

#endif
