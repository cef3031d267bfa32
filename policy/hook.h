/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook - what an operator's own program says of an update, and what it makes of a decision.
 * Role: control asks the program (gateway/control/hooks.h) when everything else would let people look,
 * keeps its answer, and puts it here before decide.h's and rules.h's results, now and whenever the
 * decision is made again; the command line does the same with an answer that was kept.
 * Guarantees: pure; an answer only tightens: whatever it says, and whether there is one or not, never
 * permits what would not be permitted without it (a property test holds that). Zero is deny.
 */
#ifndef FG_POLICY_HOOK_H
#define FG_POLICY_HOOK_H

#include "crypto/digest.h"
#include "crypto/jsonw.h"
#include "policy/decide.h"
#include "policy/rules.h"

#define HOOK_SCHEMA "fotagate-hook/1"               /* what the program reads */
#define HOOK_ANSWER_SCHEMA "fotagate-hook-answer/1" /* what it writes */
#define HOOK_RECORD_SCHEMA "fotagate-hook-record/1" /* what is kept of it */
#define HOOK_PROGRAM_MAX (1u << 20) /* bytes: the supervisor hands over no longer file; a script has a few thousand */
#define HOOK_FACTS_MAX (1u << 20)   /* every finding, group and version with its longest name is 60 KiB */
#define HOOK_ANSWER_MAX (16u << 10) /* bytes; eight reasons of 200 are a tenth of it */
#define HOOK_RECORD_MAX (32u << 10)
#define HOOK_REASONS_MAX 8
#define HOOK_REASON_MAX 200         /* bytes, made visible; the sentence of a decision holds one */
#define HOOK_WHY_MAX 160

/* In the order of permission. */
enum hook_outcome {
	HOOK_DENY = 0,
	HOOK_HOLD, /* persons sign, more than the rules ask for; never by itself */
	HOOK_PASS, /* nothing to say against it: as without a hook */
	HOOK_OUTCOMES
};

struct hook_answer {
	enum hook_outcome outcome;
	uint32_t quorum;  /* with HOOK_HOLD: persons at least, 1 to RULES_QUORUM_MAX; 0: one more than else */
	unsigned reasons_n;
	char reason[HOOK_REASONS_MAX][HOOK_REASON_MAX + 1]; /* the program's words, made visible */
};

/*
 * Strict: one JSON object of HOOK_ANSWER_SCHEMA, no member twice or unknown. 0; FG_EFORMAT with why, plain
 * ASCII; FG_ENOMEM.
 */
int hook_answer_read(struct view text, struct hook_answer *ret, char why[HOOK_WHY_MAX]);
/* "deny", "hold", "pass". */
const char *hook_outcome_name(enum hook_outcome outcome);

/* ---- what is kept ---- */

struct hook_record {
	struct hook_answer answer;
	int64_t at;
	uint8_t program[DIGEST_SHA256_LEN]; /* that answered */
	uint8_t report[DIGEST_SHA256_LEN];  /* that it was asked about */
	uint8_t asked[DIGEST_SHA256_LEN];   /* the document it was given */
};

/* Canonical JSON, and back: a text is taken only when what was read gives it again. */
int hook_record_write(const struct hook_record *r, struct writer *w);
int hook_record_read(struct view text, struct hook_record *ret);

/* ---- what comes of it ---- */

enum hook_state {
	HOOK_UNANSWERED = 0, /* one is configured, and there is no answer of it to this report: held */
	HOOK_ANSWERED,
	HOOK_NONE,           /* none is configured */
};

struct hook_said {
	enum hook_state state;
	struct hook_answer answer;
};

/* Of a record (NULL: there is none) that is to be about that report and by that program (NULL: none is configured). */
void hook_said_of(const struct hook_record *r, const uint8_t *program, const uint8_t report[DIGEST_SHA256_LEN],
    struct hook_said *ret);
/* Both after decide() and rules_decide(). */
void hook_tighten_fixed(const struct hook_said *s, struct decide_result *d);
void hook_tighten_rules(const struct hook_said *s, struct rules_result *r);
/* Whether the program is to be asked: all else would let people look, and there is no answer yet. */
bool hook_is_wanted(const struct hook_said *s, const struct decide_result *d, const struct rules_result *r);

#endif
