/* SPDX-License-Identifier: Apache-2.0 */
/*
 * approval_standing - the statement under which the gate releases without a person
 * signing at that moment: for one profile and product, under one policy, within
 * bounds, until an end.
 * Role: what approval.h asks of that decision; the warden and fotagate-verify ask
 * whether it covers a release. Guarantees: pure; a zeroed one covers nothing; one
 * finding more, a worse delta, a wider scope never become covered.
 */
#ifndef FG_CRYPTO_APPROVAL_STANDING_H
#define FG_CRYPTO_APPROVAL_STANDING_H

#include "crypto/approval.h"

#define APPROVAL_STANDING_WORD "standing"
#define APPROVAL_STANDING_RELEASES_MAX 256 /* under one: more wants people to look again */

/* ---- for approval.c ---- */

/* Why nobody may sign it, or NULL. */
const char *approval_standing_bad(const struct approval_terms *t);
int approval_standing_subject(const struct approval_terms *t, char *name, size_t cap, uint8_t digest[DIGEST_SHA256_LEN]);
/* The predicate, in RFC 8785 order, and back; false for a member that is missing or of another type. */
void approval_standing_put(struct jsonw *j, const struct approval *a);
bool approval_standing_get(const struct json_value *p, struct approval_terms *t);
bool approval_standing_same(const struct approval_bounds *a, const struct approval_bounds *b);

/* ---- for who enforces it ---- */

/*
 * Why a release in those terms, issued then, is outside the standing statement, in words; NULL: it is within. How many
 * there were is the caller's to count.
 */
const char *approval_standing_outside(const struct approval_terms *standing, const struct approval_terms *release,
    int64_t issued);
/* Modules it can let in at most, over all its releases: the persons it needs follow from that. */
uint64_t approval_standing_modules(const struct approval_terms *standing);
/* "none", "proved", "reconstructed": which deltas may be released under it. "" for what is no bound. */
const char *approval_standing_deltas(enum approval_made worst);
bool approval_standing_deltas_parse(struct view word, enum approval_made *ret);

#endif
