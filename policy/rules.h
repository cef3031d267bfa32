/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules - the operator's own: an ordered list in fotagate.conf of what an update
 * must be like, and what then is asked of people.
 * Role: control asks after decide(), whose deny and hold stand whatever is said
 * here; review.show prints the answer. Guarantees: pure; time is a parameter; the
 * first rule that matches decides, all that match are told; zeroed facts are the
 * worst there are. With lists that rules_check() let through, worse facts (one
 * finding more, a weaker signature, less that was seen) never permit more.
 *
 * What a predicate asks of ordered facts is one of two kinds. "At least so bad"
 * can only become true when facts become worse, "at most so bad" only false. What
 * is not asked for is a threshold that every fact meets.
 */
#ifndef FG_POLICY_RULES_H
#define FG_POLICY_RULES_H

#include "crypto/sig.h"
#include "images/finding.h"
#include "policy/scope.h"

#define RULES_MAX 128
#define RULES_LIST_MAX 16      /* names in one predicate; more are a second rule */
#define RULES_FINDINGS_MAX 32
#define RULES_WORD_MAX 64      /* of the supplier: a name of ours and what is said of it */
#define RULES_SECURITY_MAX 256 /* updates marked at a time: the newest of each product */
#define RULES_ID_MAX 40        /* longest id of a finding is 30 */
#define RULES_STAMP_MAX 20     /* "2026-12-24T00:00:00Z" */
#define RULES_QUORUM_MAX 16    /* a release holds that many statements */
#define RULES_SENTENCE_MAX 256
#define RULES_DURATION_MAX 32
#define RULES_ALL 1000         /* permille */

/* In the order of permission, all that follow: zero is the worst. */
enum rules_outcome {
	RULES_DENY = 0,
	RULES_HOLD,    /* people review, and a number of them sign */
	RULES_RELEASE, /* nobody has to, where a standing statement that people signed covers it; else as RULES_HOLD */
};
enum rules_severity {
	RULES_BLOCK = 0,
	RULES_WARNING,
	RULES_NOTICE,
	RULES_INFO,
	RULES_NO_FINDING,
};
/* What the history says of the signer; of several the worst. */
enum rules_signer {
	RULES_SIGNER_UNKNOWN = 0, /* not compared, or nothing verified to compare */
	RULES_SIGNER_BACK,        /* a counter or date is lower than before */
	RULES_SIGNER_NEW,
	RULES_SIGNER_WEAKER,
	RULES_SIGNER_FIRST,       /* no release before it */
	RULES_SIGNER_KEPT,
};
enum rules_direction { RULES_WAY_UNKNOWN = 0, RULES_DOWN, RULES_SAME, RULES_UP };
enum rules_delta {
	RULES_DELTA_OPAQUE = 0, /* what it makes was not seen */
	RULES_DELTA_RECONSTRUCTED,
	RULES_DELTA_PROVED,
	RULES_DELTA_NONE,       /* a whole image */
};
/* Marked as a security update, in the configuration. */
enum rules_mark { RULES_MARK_ANY = 0, RULES_MARK_YES, RULES_MARK_NO };

struct rule {
	char name[PROFILE_WORD_MAX + 1];

	/* Facts that are neither good nor bad. Empty: any. */
	char suppliers[RULES_LIST_MAX][PROFILE_WORD_MAX + 1];
	unsigned suppliers_n;
	char products[RULES_LIST_MAX][PROFILE_TEXT_MAX + 1]; /* "EC21*" is all that begin so */
	unsigned products_n;
	char profiles[RULES_LIST_MAX][PROFILE_WORD_MAX + 1];
	unsigned profiles_n;
	char formats[RULES_LIST_MAX][PROFILE_WORD_MAX + 1];
	unsigned formats_n;
	char countries[RULES_LIST_MAX][3];
	unsigned countries_n;

	/* At least so bad. */
	char findings[RULES_FINDINGS_MAX][RULES_ID_MAX + 1]; /* one of them is there */
	unsigned findings_n;
	char words[RULES_LIST_MAX][RULES_WORD_MAX + 1];      /* one of them is known of the supplier */
	unsigned words_n;
	char groups[RULES_LIST_MAX][PROFILE_WORD_MAX + 1];   /* it is for one of them, or for all */
	unsigned groups_n;
	enum rules_severity severity_at_least;
	enum sig_outcome signature_at_best;
	enum rules_signer signer_at_best;
	enum rules_direction direction_at_best;
	enum rules_delta delta_at_best;
	int64_t unsigned_at_least, unexplained_at_least, unreviewable_at_least; /* permille */
	int64_t size_at_least;                 /* bytes */
	int64_t age_below, vendor_age_below;   /* seconds; 0: any */

	/* At most so bad. */
	char findings_absent[RULES_FINDINGS_MAX][RULES_ID_MAX + 1];
	unsigned findings_absent_n;
	char groups_only[RULES_LIST_MAX][PROFILE_WORD_MAX + 1]; /* it is for no other */
	unsigned groups_only_n;
	enum rules_severity severity_at_most;
	enum sig_outcome signature_at_worst;
	enum rules_signer signer_at_worst;
	enum rules_direction direction_at_worst;
	enum rules_delta delta_at_worst;
	int64_t unsigned_at_most, unexplained_at_most, unreviewable_at_most;
	int64_t age_at_least, vendor_age_at_least;
	int64_t attested_at_least; /* persons */

	enum rules_mark security; /* yes is of the second kind, no of the first */

	enum rules_outcome outcome;
	int64_t quorum;            /* 0: the profile's */
	int64_t cool_down;         /* seconds since these bytes were first seen */
	int64_t security_cool_down; /* of an update that is marked; 0: as cool_down */
	int64_t time_lock;         /* seconds between a signature and the first module */
	char freeze_until[RULES_STAMP_MAX + 1]; /* "" : not at all */

	/* Resolved by rules_check(), or for its messages; nothing here is configured. */
	unsigned line;
	int64_t frozen;            /* freeze_until */
};

/* An update that whoever runs the gateway calls a security update, and why. */
struct rules_security {
	char profile[PROFILE_WORD_MAX + 1];
	char product[PROFILE_TEXT_MAX + 1]; /* "" : any; "EC21*" is all that begin so */
	char version[PROFILE_TEXT_MAX + 1];
	char reason[PROFILE_TEXT_MAX + 1];
	unsigned line; /* for messages; not configured */
};

/* Persons more than a rule, profile and genesis ask, for what is dangerous in itself; of several the most. */
struct rules_raise {
	int64_t one_way_door, targeted, new_signer;
};

enum rules_reach {
	RULES_REACH_ALL = 0, /* every group */
	RULES_REACH_NAMED,
	RULES_REACH_NOBODY,  /* no scope was proposed yet: what is said holds for the smallest */
};

/* Texts are borrowed. All zero is "nothing is known". */
struct rules_facts {
	const char *supplier, *profile, *product, *format, *country; /* NULL: none, which no name matches */
	const char *const *word;     /* what is known of the supplier: "country:DE" and the like */
	size_t word_n;
	bool complete;               /* there is a whole report; else no finding is known to be absent */
	bool finding[FINDING_LIMIT];
	enum rules_severity worst;
	enum sig_outcome signature;
	enum rules_signer signer;
	enum rules_direction direction;
	enum rules_delta delta;
	unsigned attested;           /* persons who tried it on a module */
	unsigned covered, explained, reviewable; /* permille that is not unsigned, unexplained, unreviewable */
	uint64_t size;
	int64_t first_seen;          /* epoch seconds; 0: unknown, which is just now */
	int64_t vendor_date;         /* what a verified signature says of when it was made; likewise */
	const char *security;        /* why it is marked as a security update; NULL: it is not */
	enum rules_reach reach;
	const char *const *group;    /* with RULES_REACH_NAMED */
	size_t group_n;
};

struct rules_match {
	const struct rule *rule;
	char sentence[RULES_SENTENCE_MAX]; /* what it asks, were it to decide */
};

struct rules_result {
	enum rules_outcome outcome; /* RULES_HOLD when no rule matches */
	uint32_t quorum;            /* persons; 0: the profile's */
	uint32_t raise;             /* persons more */
	enum finding_id raised_by;  /* FINDING_LIMIT: nothing */
	int64_t earliest;           /* first second in which a module may be served; 0: any */
	const char *earliest_why;   /* "cool_down", "security_cool_down", "freeze_until"; "" */
	int64_t time_lock;          /* seconds between each signature and that second */
	/* What the decision hook makes of it (policy/hook.h); rules_decide() leaves all of it unset. */
	bool hook_holds;            /* never by itself */
	bool hook_never;            /* nobody can sign for it: it denies, or has not answered */
	uint32_t hook_quorum;       /* persons at least; 0 with hook_holds: one more */
	unsigned matches_n;         /* the first decides */
	struct rules_match match[RULES_MAX];
};

/* now in epoch seconds. The result borrows the rules. */
void rules_decide(const struct rule *rules, unsigned n, const struct rules_raise *raise, const struct rules_facts *f,
    int64_t now, struct rules_result *ret);
/* Whether the gate may ask for a release without anybody signing then: a rule says so, and nothing raises the quorum. */
bool rules_automatic(const struct rules_result *r);
/* Whether it matches: all that it asks holds. */
bool rules_matches(const struct rule *r, const struct rules_facts *f, int64_t now);
/* What it then asks of people, as in rules_match; security as in the facts. */
void rules_demand(const struct rule *r, const char *security, char out[RULES_SENTENCE_MAX]);
/* Persons needed, as scope_quorum(): the rule's number or the profile's, not below floor, and what is raised. */
uint32_t rules_quorum(const struct rules_result *r, enum scope_kind kind, const struct profile *p, uint32_t floor);
/* Whether a rule can match an update of that profile at all: others are no part of its policy. */
bool rules_concern(const struct rule *r, const struct profile *p, const char *country);
/* The mark of an update; NULL: it has none. */
const struct rules_security *rules_security_of(const struct rules_security *list, unsigned n, const char *profile,
    const char *product, const char *version);
/* "none" when no rule decided. */
const char *rules_decider(const struct rules_result *r);
/* One sentence: who decided and what it asks, with what was raised. */
void rules_describe(const struct rules_result *r, char out[RULES_SENTENCE_MAX]);
/* A finding's own, as rules have it; what has none is the worst. */
enum rules_severity rules_severity_of(enum finding_severity s);
/* "2 days", "90 seconds": in the largest unit that leaves no rest. s is 0 or more. */
void rules_duration(int64_t s, char out[RULES_DURATION_MAX]);
/* "deny", "hold", "release". */
const char *rules_outcome_name(enum rules_outcome outcome);
/* "SIG-WEAK*" and the like: the word itself, or with "*" at its end all that begin so. */
bool rules_pattern_fits(const char *pattern, const char *word);

/* ---- for rules_check.c and the tests ---- */

enum rules_side { RULES_ASKS_BAD = 1, RULES_ASKS_GOOD = 2 };
/* Bits: what a rule asks of facts that have an order. */
unsigned rules_sides(const struct rule *r);

#endif
