/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lifecycle - what may become of a candidate image, as one constant table.
 * Role: control asks before it changes a row; the database never holds a state
 * that no move leads to; the manual and `fotagate review show` read the same table.
 * Guarantees: pure; what is not in the table is refused.
 *
 * PERMIT brings an image nearer to being served, RESTRICT takes it further away.
 * Only signatures lead into APPROVED; every other permit merely lets the
 * gateway look at bytes, and judging always comes again before review.
 */
#ifndef FG_POLICY_LIFECYCLE_H
#define FG_POLICY_LIFECYCLE_H

#include "crypto/view.h"

enum lifecycle_state {
	LIFECYCLE_NONE = 0,     /* no such candidate */
	LIFECYCLE_SIGHTED,      /* a module asked for it; no byte fetched */
	LIFECYCLE_FETCHING,
	LIFECYCLE_FETCH_FAILED,
	LIFECYCLE_JUDGING,      /* inspection runs or is to be run */
	LIFECYCLE_BLOCKED,      /* policy said deny or hold */
	LIFECYCLE_REVIEW,       /* waits for people */
	LIFECYCLE_APPROVED,     /* the warden issued a release record */
	LIFECYCLE_REJECTED,     /* terminal */
	LIFECYCLE_REVOKED,      /* terminal */
	LIFECYCLE_EXPIRED,      /* nobody decided in time, or the release ran out */
	LIFECYCLE_INCIDENT,     /* same URL, other bytes; another version's bytes */
	LIFECYCLE_STATES
};

enum lifecycle_verb {
	LIFECYCLE_VERB_NONE = 0,
	LIFECYCLE_SIGHT,    /* a module asked */
	LIFECYCLE_IMPORT,   /* an operator brought bytes */
	LIFECYCLE_FETCH,    /* order, or order again */
	LIFECYCLE_FAIL,     /* the fetch did not end well */
	LIFECYCLE_ARRIVE,   /* all bytes are in quarantine */
	LIFECYCLE_CONFLICT, /* they differ from what this URL gave before, or are another version's */
	LIFECYCLE_BLOCK,    /* policy: deny or hold */
	LIFECYCLE_ADMIT,    /* policy: allow review */
	LIFECYCLE_REJUDGE,  /* policy, anchors or inspector changed */
	LIFECYCLE_APPROVE,  /* quorum reached, release record issued */
	LIFECYCLE_REJECT,
	LIFECYCLE_REVOKE,
	LIFECYCLE_EXPIRE,
	LIFECYCLE_REOPEN,   /* a person wants it judged again */
	LIFECYCLE_VERBS
};

enum lifecycle_direction { LIFECYCLE_RESTRICT = 0, LIFECYCLE_PERMIT };

/* Zero is the strongest demand. */
enum lifecycle_needs {
	LIFECYCLE_NEEDS_SIGNATURES = 0, /* a quorum that chains to genesis */
	LIFECYCLE_NEEDS_PERSON,         /* one person with the role for it */
	LIFECYCLE_NEEDS_NONE,           /* the gateway itself, by rule or timer */
};

struct lifecycle_move {
	enum lifecycle_state from;
	enum lifecycle_verb verb;
	enum lifecycle_state to;
	enum lifecycle_direction direction;
	enum lifecycle_needs needs;
};

/* The move that verb makes from state, or NULL: not legal there. */
const struct lifecycle_move *lifecycle_move(enum lifecycle_state from, enum lifecycle_verb verb);
/* The table, for tests, the manual and "what can be done now". */
size_t lifecycle_count(void);
const struct lifecycle_move *lifecycle_at(size_t i);
/* Nothing leads out. */
bool lifecycle_is_terminal(enum lifecycle_state state);
/* Lower-case words as database, log and API spell them; "none" for zero and unknown. */
const char *lifecycle_state_name(enum lifecycle_state state);
const char *lifecycle_verb_name(enum lifecycle_verb verb);
/* LIFECYCLE_NONE / LIFECYCLE_VERB_NONE for an unknown word. */
enum lifecycle_state lifecycle_state_parse(struct view word);
enum lifecycle_verb lifecycle_verb_parse(struct view word);

#endif
