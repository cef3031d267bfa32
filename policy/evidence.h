/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence - a report and what is known of its update, as facts for decide() and
 * rules_decide(), and what the answers of both come to.
 * Role: control makes every decision from it, the command line what would be
 * decided under another configuration, and a past decision again; all three by
 * these functions. Guarantees: pure; what is not in the report is unknown, and
 * policy then says no, or the worst.
 */
#ifndef FG_POLICY_EVIDENCE_H
#define FG_POLICY_EVIDENCE_H

#include "images/report.h"
#include "policy/config.h"
#include "policy/decide.h"
#include "policy/supplier.h"

#define EVIDENCE_LIST_MAX 64 /* groups or versions of one release */

/* What is known of an update beside its report. Borrowed. */
struct evidence_update {
	const char *product, *target;
	const char *from;        /* "" : any */
	const uint8_t *image;    /* digest of the bytes in quarantine; NULL: none are there */
	const uint8_t *policy;   /* digest of what is to judge; NULL: of nothing */
	int64_t arrived;         /* when the bytes came here; 0: unknown */
	int64_t now;             /* epoch seconds, for what is known of the supplier by time */
	const char *refused;     /* by a refusal in force, as a sentence; NULL: by none */
	unsigned attested;       /* persons who saw a module take these bytes and report the version they lead to */
	bool full_held, only_one; /* of a delta that nobody saw through: see decide_facts */
	bool scoped;             /* for these groups and versions; else nobody proposed a scope yet */
	const char *group[EVIDENCE_LIST_MAX], *versions[EVIDENCE_LIST_MAX];
	unsigned groups_n, versions_n;
};

struct evidence { /* facts, and what they point to: not to be copied */
	struct decide_facts decide;
	struct rules_facts rules;
	struct decide_finding finding[FINDING_LIMIT];
	const char *group[EVIDENCE_LIST_MAX], *word[SUPPLIER_WORDS_MAX];
	struct supplier_words words;
};

/*
 * *ret borrows all it is made of. p is a profile of c. FG_EFORMAT when signed ranges
 * leave the image, which a report that was read does not have.
 */
int evidence_make(const struct report *r, const struct config *c, const struct profile *p,
    const struct evidence_update *u, struct evidence *ret);

/* What decide() and rules_decide() come to: the fixed checks stand, and what they let before people a rule can deny. */
enum decide_verdict evidence_verdict(const struct decide_result *fixed, const struct rules_result *rules);
/* In a sentence: the first reason of the fixed checks where they say no or not yet, or else the rule that decides. */
void evidence_describe(const struct decide_result *fixed, const struct rules_result *rules,
    char out[RULES_SENTENCE_MAX]);
/* Thousandths of the image that were opened and read, by a report that took it apart; 0: nothing of it, or none did. */
unsigned evidence_opened(const struct report *r);

#endif
