/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decide - what a report means under a profile: deny, hold, or let people review.
 * Role: control asks when inspection has ended, and again when profile or anchors
 * change. Guarantees: pure, so a past decision can be replayed; monotone: more
 * findings, worse findings or less evidence never decide for more. Nothing here
 * lets bytes out: the best answer is that people may look.
 */
#ifndef FG_POLICY_DECIDE_H
#define FG_POLICY_DECIDE_H

#include "crypto/sig.h"
#include "policy/profile.h"

#define DECIDE_REASONS_MAX 32   /* there are fewer kinds than that */
#define DECIDE_FINDINGS_MAX 512 /* more ids than the inspector has; beyond it is a reason to deny */
#define DECIDE_SENTENCE_MAX 256
#define DECIDE_SKEW 300         /* seconds a report may be dated ahead of the clock */

/* The order is that of permission. */
enum decide_verdict {
	DECIDE_DENY = 0, /* these bytes under this profile: no */
	DECIDE_HOLD,     /* not now: what is missing may yet come (a newer report, a clock) */
	DECIDE_REVIEW,   /* people may review and sign */
};

/* Weight of a finding; the order is that of permission, zero the worst. */
enum decide_severity { DECIDE_BLOCK = 0, DECIDE_WARNING, DECIDE_NOTICE, DECIDE_INFO };

/* The report's own verdict. */
enum decide_class { DECIDE_CLASS_UNKNOWN = 0, DECIDE_CLASS_BLOCKED, DECIDE_CLASS_REVIEW, DECIDE_CLASS_ACCEPTABLE };

struct decide_finding {
	const char *id;
	enum decide_severity severity;
};

/* From the parsed report; all zero is "no report". */
struct decide_facts {
	bool complete;               /* every stage answered in form and to the end */
	enum decide_class class;
	enum sig_outcome signature;  /* the best there is; SIG_UNKNOWN when none was looked at */
	bool scheme_matches;         /* that best one is of the profile's scheme */
	uint64_t size;               /* of the image */
	uint64_t signed_bytes;       /* covered by that signature */
	uint64_t structure_bytes;    /* not signed, and nothing but the container's own form */
	uint64_t unsigned_bytes;     /* neither */
	int64_t judged_at;           /* verification time in the report */
	bool same_image;             /* the report's digest is that of the bytes in quarantine */
	bool same_policy;            /* the report names this profile's policy digest */
	const char *refused;         /* by a refusal in force, as a sentence; NULL: by none */
	bool whole;                  /* it is no delta: what was looked at is what a module gets */
	bool target_seen;            /* a delta's result was made and inspected as a full image */
	bool target_proved;          /* and verified signatures are over all of that */
	unsigned attested;           /* persons who say that a module in a laboratory took these very bytes, and what came of it */
	bool full_held;              /* a full image of the version it leads to is here, with a verified signature */
	bool only_one;               /* nobody was given another delta between these two versions of the product */
	uint8_t image[DIGEST_SHA256_LEN]; /* of the bytes in quarantine */
	const struct decide_finding *finding;
	size_t findings_n;
};

enum decide_reason {
	DECIDE_REASON_NONE = 0,
	DECIDE_NO_REPORT,
	DECIDE_OTHER_IMAGE,
	DECIDE_REFUSED,
	DECIDE_REPORT_BLOCKED,
	DECIDE_FINDING_BLOCKS,
	DECIDE_TOO_MANY_FINDINGS,
	DECIDE_EMPTY_IMAGE,
	DECIDE_TOO_LARGE,
	DECIDE_COVERAGE_WRONG,
	DECIDE_SIGNATURE_BAD,
	DECIDE_SIGNATURE_MISSING,
	DECIDE_SIGNATURE_SCHEME,
	DECIDE_UNSIGNED_BYTES,
	DECIDE_HOOK_DENIES,
	DECIDE_DELTA_SECOND,
	DECIDE_DELTA_NOT_SEEN,
	DECIDE_DELTA_NOT_PINNED,
	DECIDE_DELTA_ASK_FULL,
	DECIDE_DELTA_NOT_ATTESTED,
	DECIDE_OTHER_POLICY,
	DECIDE_REPORT_OLD,
	DECIDE_REPORT_AHEAD,
	DECIDE_CLOCK_UNSURE,
	DECIDE_HOOK_UNANSWERED,
	DECIDE_REASONS
};

struct decide_because {
	enum decide_reason reason;
	char sentence[DECIDE_SENTENCE_MAX];
};

struct decide_result {
	enum decide_verdict verdict;
	unsigned reasons_n; /* those of deny first, then of hold; none for review */
	struct decide_because because[DECIDE_REASONS_MAX];
	/* Warnings and notices in the report: what a statement has to acknowledge. */
	unsigned acknowledge_n;
	/* A delta whose result was not seen: "integrity by digest only, origin unverified". */
	bool unseen;
	uint32_t persons_min; /* whatever quorum says */
	uint32_t days_max;    /* of a release */
};

/* now in epoch seconds; clock_sure: the gateway's clock is synchronised. */
void decide(const struct decide_facts *f, const struct profile *p, int64_t now, bool clock_sure,
    struct decide_result *ret);
/* One reason more, said from outside (policy/hook.h) in a sentence made visible, in its place: the verdict can only fall. */
void decide_add(struct decide_result *r, enum decide_reason reason, const char *sentence);
/* Stable ids as log and API spell them: "NO-REPORT", "SIGNATURE-MISSING", ... */
const char *decide_reason_id(enum decide_reason reason);
/* Which verdict a reason alone brings. */
enum decide_verdict decide_reason_verdict(enum decide_reason reason);
/* What people and log are told of a delta whose result was not seen. */
#define DECIDE_UNSEEN_TEXT "integrity by digest only, origin unverified"
#define DECIDE_DAYS_MAX 30 /* APPROVAL_DAYS_MAX: nothing is released for longer */
#define DECIDE_ATTESTED_PERSONS 3 /* whoever attested a trial may be one of them */
#define DECIDE_UNSEEN_PERSONS 2 /* beside the author of the profile, where the pin stands */
/* "deny", "hold", "review". */
const char *decide_verdict_name(enum decide_verdict verdict);

#endif
