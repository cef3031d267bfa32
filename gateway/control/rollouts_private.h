/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rollouts_private - what rollouts.c, which drives, rollouts_heard.c, which counts, rollouts_people.c, whom it obeys, and
 * rollouts_watch.c, which looks at the network, share.
 */
#ifndef FG_GATEWAY_CONTROL_ROLLOUTS_PRIVATE_H
#define FG_GATEWAY_CONTROL_ROLLOUTS_PRIVATE_H

#include <sys/queue.h>

#include "crypto/entry.h"
#include "gateway/control/rollouts.h"

#define ROLLOUTS_OBJECT_CAP (2 * RELEASE_ID + 16)
#define ROLLOUTS_AWAY_S 900    /* a control that is started again sooner has missed nobody */
#define ROLLOUTS_ALIVE_S 60
#define ROLLOUTS_ENTRY_S 60    /* an entry may be that much younger than what it tells of */
#define ROLLOUTS_PLACES 1024   /* of grants, between two looks at the clock */
#define ROLLOUTS_TOLD_MAX 256 /* modules that ended badly, named in one round; the rest in the next ones */

struct rollout { /* one release that is offered */
	LIST_ENTRY(rollout) link;
	uint8_t id[RELEASE_ID];
	uint8_t policy[DIGEST_SHA256_LEN], resource[MSG_ID];
	char profile[APPROVAL_WORD_MAX], product[APPROVAL_WORD_MAX], target[APPROVAL_WORD_MAX];
	int64_t issued;             /* it began with the release: whoever came later is new */
	bool named;                 /* the statements name the plan as well: */
	uint8_t plan_digest[DIGEST_SHA256_LEN];
	struct rollout_plan *plan;  /* owned; NULL: none */
	bool lost;                  /* and NULL because it cannot be read */
	bool known;                 /* to the log, at start: as far as said; its endpoints also since then */
	struct rollouts_said said;
	bool opening;               /* an entry is on its way */
	struct rollout_standing standing;
	int64_t stopped;            /* of struct db_rollout: no two stops of it have the same name */
	uint64_t under_way, today;  /* modules granted that have not ended, and within a day */
	uint64_t bytes;             /* sent of it, to whomever */
	bool counted;               /* those two are known: before, nobody new is granted it */
	bool counting;              /* in the round under way, whose numbers are not whole yet: */
	struct { struct rollout_count count[ROLLOUT_RINGS_MAX]; uint64_t under_way, today; uint64_t bytes; unsigned told; } round;
	/* Where the plan has limits for what modules share, as counted and in the round under way; owned. NULL: it has none. */
	struct rollouts_caps *caps, *caps_round;
	char by[DB_WHO_MAX], reason[DB_TEXT_MAX];
};

struct rollouts {
	struct control *c;
	LIST_HEAD(, rollout) all;
	bool awake;                 /* what follows was looked up in this life */
	int64_t alive;              /* written down last, so that the next life knows how long nobody listened */
	int64_t back;               /* when control last came back from longer than ROLLOUTS_AWAY_S; nobody was silent before */
	bool mended;                /* the log was read: what it has been told is known */
	bool owes;                  /* it was not told what modules said before that; done with those of places below: */
	size_t owed_at, owed_places;
	bool due;                   /* somebody has reported */
	bool counting;              /* a round over all grants is under way */
	size_t at, places;
	int64_t look_at;            /* ms; also when nobody does */
};

struct rollout *rollouts_find(const struct rollouts *r, const uint8_t id[RELEASE_ID]);
void rollouts_object(const uint8_t id[RELEASE_ID], char dst[ROLLOUTS_OBJECT_CAP]);
/* The group that the module is in now, be it by its profile's default. */
const char *rollouts_group(const struct rollouts *r, const struct rollout *one, const struct inventory_module *m);
/* Counts a module among those that share something with it, where the plan has limits for that; caps may be NULL. */
void rollouts_count_shares(const struct rollouts *r, const struct rollout *one, struct rollouts_caps *caps,
    const struct inventory_module *m, bool under_way, bool today);
/* The ring of a module that has that place, in the group it is in now; there is a plan. */
unsigned rollouts_ring(const struct rollouts *r, const struct rollout *one, const struct inventory_module *m,
    uint64_t place);
/* It is offered to somebody: it goes on, or all rings have shown what they must. */
bool rollouts_is_offered(const struct rollout *one);
/* Tells releases who is let in. now: transfers and leases of others end at once. */
void rollouts_apply(struct rollouts *r, const struct rollout *one, bool now);
/* Written down as it stands; what cannot be is said. */
void rollouts_save(struct rollouts *r, const struct rollout *one);
void rollouts_become(struct rollouts *r, struct rollout *one, enum rollout_state state, const char *by, const char *reason);
/* Paused for what was counted in that ring, by a stop of its own name; then told to the log. */
void rollouts_pause_it(struct rollouts *r, struct rollout *one, unsigned ring, const char *by, const char *reason);
/* ROLLOUT_RINGS_MAX: the plan has none of that name. */
unsigned rollouts_ring_named(const struct rollout_plan *plan, struct view name);
/* Of each ring that is named there people go on over so many failures; of the others over none. */
void rollouts_go_over(struct rollout *one, const struct approval_list *over);
/* An entry about one ring of it, with what was counted in that of `counted`; free(). NULL: no memory. */
struct msg_append *rollouts_entry(const struct rollout *one, enum entry_event event, const char *by, unsigned ring,
    unsigned counted);
/*
 * Pauses it for something that control found; one that is paused already gets another stop, over which nobody has
 * signed. False: it is aborted or superseded.
 */
bool rollouts_stop(struct rollouts *r, struct rollout *one, const char *reason);
/*
 * Whether its next ring may open, as far as it is its own affair: no entry of it is on its way, and it is not
 * withheld, for a ring that nobody is offered anything in has nothing to show.
 */
bool rollouts_may_open(const struct rollouts *r, const struct rollout *one);
/*
 * Looks once more for a plan that was lost, after the log was read: what the database has of the rollout is
 * only now held against that.
 */
void rollouts_find_again(struct rollouts *r, struct rollout *one);
/* Once the log was read: tells it what modules have said meanwhile and it has not; goes on where it was, until then. */
void rollouts_tell_owed(struct rollouts *r, int64_t until);
/* Each second, once the log was read: minds for how long nobody was heard because nobody listened. */
void rollouts_awake(struct rollouts *r);
/*
 * Goes on with counting all grants anew, or begins, and tells the log of modules that ended badly. True: all were
 * counted; false: the clock (clock_mono_ms) has come to until.
 */
bool rollouts_count(struct rollouts *r, int64_t until);
/*
 * Looks for plans that were lost, counts, and does what each plan says then. False: not all were counted until
 * then; the next call goes on. The log was read.
 */
bool rollouts_round(struct rollouts *r, int64_t until);

#endif
