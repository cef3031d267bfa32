/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attests - what a person saw a module do with an image that nobody can see through: a
 * module that may be lost took it in a laboratory, and this is the version it
 * reported before and after. Used by decisions (how many persons say so), by requests and by
 * replay. Guarantees: only what the log holds counts: it is durable there before it
 * is a fact here, and after a start it is read back from there, never from the database; one trial that ended
 * otherwise takes the word of all others away.
 */
#ifndef FG_GATEWAY_CONTROL_ATTESTS_H
#define FG_GATEWAY_CONTROL_ATTESTS_H

#include "crypto/digest.h"
#include "crypto/jsonw.h"

/* Beyond it none counts that is new: an opaque delta is a rare thing, and a trial an hour's work. */
#define ATTESTS_MAX 4096

struct attests;
struct call;
struct control;
struct entry;

struct attests *attests_new(struct control *c);
/* Calls under way are dropped with it. */
void attests_free(struct attests *a);
/* What an entry image.attested says; one that says nothing is nothing. FG_ENOMEM. */
int attests_replay(struct attests *a, const struct entry *e);
/* Persons who attest that these bytes make that version of a module; 0 where one says otherwise. a may be NULL. */
unsigned attests_count(const struct attests *a, const uint8_t image[DIGEST_SHA256_LEN], const char *target);
/* Key and an array of what persons say of these bytes, each the latest time; all that they ever said is in the log. */
void attests_put(const struct attests *a, const uint8_t image[DIGEST_SHA256_LEN], struct jsonw *j, const char *key);

/* Request review.attest. */
void attests_add(struct attests *a, struct call *call);

#endif
