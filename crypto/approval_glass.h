/* SPDX-License-Identifier: Apache-2.0 */
/*
 * approval_glass - break-glass: the statement by which one person lets an image through alone, where genesis allows it
 * (crypto/genesis.h), and the after-review that the others then owe before it can be done again.
 * Role: what approval.h asks of those decisions; the warden, control, the command line and fotagate-verify ask for the
 * bounds. Guarantees: pure; a zeroed genesis_glass lets nothing through; a longer wait, fewer modules, an earlier end
 * never become less.
 */
#ifndef FG_CRYPTO_APPROVAL_GLASS_H
#define FG_CRYPTO_APPROVAL_GLASS_H

#include "crypto/approval.h"
#include "crypto/genesis.h"
#include "crypto/release.h"

#define APPROVAL_GLASS_WORD "breakglass"
#define APPROVAL_REVIEW_WORD "afterreview"

/* ---- for approval.c ---- */

/* What a break-glass statement has beside what every approval has: why nobody may sign it, or NULL. */
const char *approval_glass_bad(const struct approval_terms *t);
/* The after-review: the same, and its predicate in RFC 8785 order, its subject, and back. */
const char *approval_review_bad(const struct approval_terms *t);
int approval_review_subject(const struct approval_terms *t, char *name, size_t cap, uint8_t digest[DIGEST_SHA256_LEN]);
void approval_review_put(struct jsonw *j, const struct approval *a);
bool approval_review_get(const struct json_value *p, struct approval_terms *t);
/* "justified", "unjustified"; "" for none, and back: APPROVAL_OUTCOME_NONE for any other word. */
const char *approval_outcome_name(enum approval_outcome outcome);
enum approval_outcome approval_outcome_parse(struct view word);

/* ---- for who enforces it ---- */

/*
 * Why a break-glass release for so many modules, with all others of its image that are in force, is outside what genesis
 * allows, in words; NULL: it is within. released: modules that people in full number let have that image at most, 0 for none.
 */
const char *approval_glass_outside(const struct genesis *g, uint64_t modules, uint32_t released);
/* Persons of an after-review: those of a release to everyone, and those that policy asked for, and never one alone. */
uint32_t approval_review_quorum(const struct genesis *g, uint32_t asked);

#endif
