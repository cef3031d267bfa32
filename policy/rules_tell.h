/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules_tell - rules for people: what each asks in words, and which of it does
 * not hold of an update.
 * Role: `fotagate policy check`, `explain` and `test`. Guarantees: pure; no second
 * judge: a predicate holds when rules_matches() says so of a rule that asks
 * nothing else, so what is told here cannot differ from what decides. Predicates
 * are found by the table of keys, in its order.
 */
#ifndef FG_POLICY_RULES_TELL_H
#define FG_POLICY_RULES_TELL_H

#include "crypto/jsonw.h"
#include "policy/config_schema.h"
#include "policy/rules.h"

#define RULES_TELL_WORDS_MAX 4096 /* 16 products of 128 bytes are 2 KiB; a longer text is cut */

/* A rule that asks nothing and denies. */
void rules_tell_any(struct rule *r);
/* The next predicate by which r asks anything; NULL: there is no more. *at begins at 0. */
const struct config_key *rules_tell_next(const struct rule *r, size_t *at);
/* Whether that one holds of the facts, whatever else r asks. */
bool rules_tell_holds(const struct rule *r, const struct config_key *k, const struct rules_facts *f, int64_t now);
/* What it asks, as a clause: "the image has 500000 bytes, or more". */
void rules_tell_words(const struct rule *r, const struct config_key *k, char out[RULES_TELL_WORDS_MAX]);
/*
 * Every rule in its order as an array of {"decides","matches","misses":[{"key","words"}],"name","says"}.
 * FG_ENOMEM without memory; the writer then holds half of it.
 */
int rules_tell_put(struct jsonw *j, const struct rule *rules, unsigned n, const struct rules_facts *f, int64_t now);

#endif
