/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules_case - an operator's example: an update as it might be, and what the
 * rules must make of it.
 * Role: `fotagate policy test`. A file is {"cases":[CASE, ...]}, each
 *
 *	{ "name": TEXT, "facts": { rules_doc.h }, "at": TIME, "scope": "canary"|"production", "floor": N,
 *	  "expect": { "outcome": "deny"|"hold", "rule": NAME|"none", "quorum": N, "wait": SECONDS } }
 *
 * of which at (now), scope (production), floor (of genesis; 1) and, of what is
 * expected, all but the outcome may be left out. Guarantee: pure.
 */
#ifndef FG_POLICY_RULES_CASE_H
#define FG_POLICY_RULES_CASE_H

#include "policy/rules_doc.h"

#define RULES_CASE_FILE_MAX (1u << 20)
#define RULES_CASE_NAME_MAX 80
#define RULES_CASE_WHY_MAX 512

struct rules_case {
	char name[RULES_CASE_NAME_MAX + 1];
	struct rules_doc doc;
	int64_t at;
	enum scope_kind kind;
	uint32_t floor;
	enum rules_outcome outcome;
	char rule[PROFILE_WORD_MAX + 1]; /* "" : any */
	int64_t quorum, wait;            /* -1: any */
};

/* False with ret_why, plain ASCII. */
bool rules_case_read(const struct json_value *v, const struct config *c, int64_t now, struct rules_case *ret,
    char ret_why[RULES_CASE_WHY_MAX]);
/* Decides, and compares; ret_why says all that differs, or "" . */
bool rules_case_holds(const struct rules_case *k, const struct config *c, struct rules_result *ret,
    char ret_why[RULES_CASE_WHY_MAX]);
/* Line of a file, from 1, in which its n-th case begins, or at which byte offset lies. */
unsigned rules_case_line(struct view text, size_t n);
unsigned rules_case_line_at(struct view text, size_t offset);

#endif
