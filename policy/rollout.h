/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rollout - one release over rings: who is in which, what became of a module that
 * was granted it, and whether the next ring opens, the open one waits or all stop.
 * Role: control asks when modules report, and every few seconds; edges ask for a module's
 * place; the command line shows the same words. Guarantees: pure, time a parameter;
 * a zeroed plan, state or fact opens nothing; more failures or fewer successes never
 * open a ring; what a module merely claims to be (class D) counts neither way.
 *
 * Membership is never stored: a ring names groups, or takes the modules whose
 * place (a hash of release and pseudonym) is below its share. The release's id is the
 * salt, so the same modules are not always the first. Rings come in order and add up.
 */
#ifndef FG_POLICY_ROLLOUT_H
#define FG_POLICY_ROLLOUT_H

#include "policy/identity.h"

#define ROLLOUT_ID 16                         /* of a release, of a pseudonym */
#define ROLLOUT_NAME_MAX 48                   /* PROFILE_WORD_MAX */
#define ROLLOUT_PLANS_MAX 16
#define ROLLOUT_RINGS_MAX 8                   /* lab, canary, a few waves, rest */
#define ROLLOUT_GROUPS_MAX 16
#define ROLLOUT_PERMILLE 1000
#define ROLLOUT_PLACES (UINT64_C(1) << 32)    /* a place is below that; a share of all is that */
#define ROLLOUT_SOAK_MAX (30 * INT64_C(86400)) /* a release stands for as long at most */
#define ROLLOUT_USUAL_MAX (30 * INT64_C(86400)) /* nobody waits longer for a module than a release stands */
#define ROLLOUT_TIMES_MAX 100                 /* usual intervals of silence */

/* Fields are as wide as the configuration stores them. */
struct rollout_ring {
	char name[ROLLOUT_NAME_MAX + 1];
	char groups[ROLLOUT_GROUPS_MAX][ROLLOUT_NAME_MAX + 1];
	unsigned groups_n;       /* 0: by share */
	int64_t share;           /* permille of all modules; 1000 in the last ring */
	bool human;              /* opened only once people sign for that, beside all that the ring before has to show */
	/* What this ring must show before the next one opens, all of it. */
	int64_t soak;            /* seconds since it opened */
	int64_t reports;         /* modules of it that have ended well, at least */
	int64_t success;         /* permille of those granted in it, at least */
	/* What pauses the rollout: of those granted in it less those that went wrong the other way, or of `reports` while fewer. */
	int64_t failed;          /* permille that failed */
	int64_t silent;          /* permille of whom nothing was heard */
};

struct rollout_plan {
	char name[ROLLOUT_NAME_MAX + 1];
	int64_t concurrent;      /* modules granted and not ended, at most */
	int64_t per_day;         /* modules granted in 24 hours, at most */
	int64_t group_concurrent; /* the same two of the modules of one group; 0: no limit but those */
	int64_t group_per_day;
	int64_t cell_concurrent; /* the same of the modules of one cell, and of one APN */
	int64_t cell_per_day;
	int64_t apn_concurrent;
	int64_t apn_per_day;
	int64_t egress_watch;    /* modules of a ring that a report of traffic must tell of before the next opens; 0: none */
	int64_t settle;          /* seconds after the last byte in which the old version is no failure yet */
	int64_t silence;         /* seconds of silence that are none, whatever is usual */
	int64_t silence_times;   /* and as many times a module's usual interval */
	struct rollout_ring rings[ROLLOUT_RINGS_MAX];
	unsigned rings_n;
};

/*
 * NULL, or what is wrong with it as a cure ("rings[1].soak is 0; ..."), in out. Every
 * threshold lies within its range; shares grow; the last ring is everybody, no other is.
 */
const char *rollout_plan_flaw(const struct rollout_plan *p, char out[160]);

/* ---- who is in which ring ---- */

/*
 * The place of a module under a release, below ROLLOUT_PLACES. UINT64_MAX, in no
 * share of any ring but for groups, when there is no memory for a digest.
 */
uint64_t rollout_place(const uint8_t release[ROLLOUT_ID], const uint8_t pseudonym[ROLLOUT_ID]);
/*
 * The first ring that has it; of a module that was first seen after the rollout
 * began always the last, so that nobody can bring modules to a ring. ROLLOUT_RINGS_MAX
 * for a plan with a flaw.
 */
unsigned rollout_ring_of(const struct rollout_plan *p, uint64_t place, struct view group, bool fresh);

/* Who may be offered a release now. All zero: nobody. */
struct rollout_open {
	uint64_t share;          /* places below that, of whatever group */
	bool fresh;              /* modules first seen since it began as well */
	unsigned groups_n;       /* modules of these, whatever their place */
	const char *group[ROLLOUT_RINGS_MAX * ROLLOUT_GROUPS_MAX]; /* borrowed from the plan */
};
/* A release without a plan: everybody. */
void rollout_open_all(struct rollout_open *ret);
/*
 * Rings up to that one but for those held (bit i: ring i); nobody for a plan with a flaw or a ring that it does not
 * have. A later wave takes in the places of an earlier one: of whom a ring is, and whether it is held, a grant is
 * asked with rollout_is_open().
 */
void rollout_open_to(const struct rollout_plan *p, unsigned ring, uint32_t held, struct rollout_open *ret);

/* ---- what became of a module ---- */

enum rollout_word { ROLLOUT_WORD_NONE = 0, ROLLOUT_WORD_OLD, ROLLOUT_WORD_NEW };

/* About one module and one release. Times in epoch seconds, 0: never. */
struct rollout_facts {
	int64_t granted;
	int64_t completed;             /* the last byte was sent */
	enum rollout_word word;        /* since it was granted, and never before: it runs the release, or another version */
	int64_t word_at;
	enum identity_class word_class; /* by what it was recognised then */
	int64_t heard;                 /* last, by no less than class C */
	int64_t usual;                 /* seconds between its requests; 0: not known */
};

enum rollout_outcome {
	ROLLOUT_UNCOUNTED = 0, /* not granted, or only claims to be who it is */
	ROLLOUT_PENDING,
	ROLLOUT_SUCCESS,
	ROLLOUT_FAILURE,
	ROLLOUT_SILENT,
	ROLLOUT_OUTCOMES
};
/* best: the strongest class by which the gateway knows the module. */
enum rollout_outcome rollout_outcome(const struct rollout_plan *p, const struct rollout_facts *f,
    enum identity_class best, int64_t now);
/* "uncounted", "pending", "success", "failure", "silent". */
const char *rollout_outcome_name(enum rollout_outcome outcome);

#define ROLLOUT_ABSENT_S (7 * INT64_C(86400)) /* nobody is missed sooner */
#define ROLLOUT_ABSENT_TIMES 3                /* and not before as many of its usual intervals */
/*
 * A module that is known and does not come: it may get its updates past this gateway. seen: it asked last for whatever,
 * 0: never; usual: seconds between its requests, 0: not known.
 */
bool rollout_is_absent(int64_t seen, int64_t usual, int64_t now);

/* ---- what next ---- */

struct rollout_count {
	uint32_t granted; /* those that count: the sum of the other three and of those pending */
	uint32_t success, failure, silent;
};

/* Zero permits nothing. */
enum rollout_state {
	ROLLOUT_NO_STATE = 0,
	ROLLOUT_RUNNING,
	ROLLOUT_PAUSED,
	ROLLOUT_ABORTED,
	ROLLOUT_DONE,
	ROLLOUT_SUPERSEDED, /* a newer release is for all of its modules */
	ROLLOUT_STATES
};
const char *rollout_state_name(enum rollout_state state);

struct rollout_standing {
	enum rollout_state state;
	unsigned ring;  /* the last one open */
	int64_t since;  /* when it was opened, or people let it go on */
	uint32_t held;  /* bit i: nobody in ring i is offered it, whatever the others do */
	unsigned opens; /* the ring that people signed for to be opened once it may; 0: none */
	struct rollout_count count[ROLLOUT_RINGS_MAX];
	uint32_t watched[ROLLOUT_RINGS_MAX]; /* modules that run it, in a report of traffic (policy/egress.h) since they have it */
	/* Failures and silences that people signed to go on over: they pause nothing again, and open nothing. */
	struct rollout_count over[ROLLOUT_RINGS_MAX];
};

/* Its modules may be granted the release: the rollout goes on, has come to the ring, and nobody holds that. */
bool rollout_is_open(const struct rollout_standing *s, unsigned ring);
/* Of what was signed to go on over no more than there still is: one that recovered makes no room for another to fail. */
void rollout_shrink(struct rollout_standing *s, unsigned rings_n);

#define ROLLOUT_OVER_CAP (ROLLOUT_NAME_MAX + 40)
/* "canary: 3 failed, 1 silent", as people sign it; false when it does not fit. */
bool rollout_over_put(const char *ring, const struct rollout_count *n, char dst[ROLLOUT_OVER_CAP]);
/* The ring of the plan and what is said of it; ROLLOUT_RINGS_MAX for anything that rollout_over_put() does not write. */
unsigned rollout_over_get(const struct rollout_plan *p, struct view word, struct rollout_count *ret);

enum rollout_verdict {
	ROLLOUT_PAUSE = 0, /* stop, and say why */
	ROLLOUT_WAIT,
	ROLLOUT_OPEN,      /* standing.ring + 1 */
	ROLLOUT_FINISH,    /* the last ring has shown what it must */
	ROLLOUT_VERDICTS
};

enum rollout_why {
	ROLLOUT_WHY_NONE = 0,
	ROLLOUT_WHY_FLAW,     /* of the plan, or of the standing */
	ROLLOUT_WHY_FAILED,
	ROLLOUT_WHY_SILENT,
	ROLLOUT_WHY_CLOCK,    /* the ring was opened later than it is now */
	ROLLOUT_WHY_STOPPED,  /* it is not running */
	ROLLOUT_WHY_SOAK,
	ROLLOUT_WHY_REPORTS,
	ROLLOUT_WHY_SUCCESS,
	ROLLOUT_WHY_EGRESS,   /* no report of traffic tells of enough modules of the ring since they have it */
	ROLLOUT_WHY_HUMAN,
	ROLLOUT_WHY_HELD,     /* the ring that would have to show something, or the next one, is held */
	ROLLOUT_WHY_PASSED,
	ROLLOUT_WHYS
};

struct rollout_next {
	enum rollout_verdict verdict;
	enum rollout_why why;
	unsigned ring; /* whose numbers those are */
};
/*
 * Pauses for any open ring that went past what pauses it, held or not, before anything else is
 * asked; of what people signed to go on over only what came since counts for that, and all of it
 * against the share that has to succeed. WAIT with ROLLOUT_WHY_STOPPED for whatever is not running: that is no way on.
 */
struct rollout_next rollout_next(const struct rollout_plan *p, const struct rollout_standing *s, int64_t now);
/* One sentence. */
const char *rollout_why_text(enum rollout_why why);

#endif
