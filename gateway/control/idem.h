/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idem - answers to what was asked under an Idempotency-Key, for when it is asked
 * again: a client that lost the answer does not know whether it was done.
 * Role: webdesk. Pure memory, bounded: so many, so long, each of one caller, who
 * alone gets it. Too large an answer, or one with a file, is remembered as given.
 */
#ifndef FG_GATEWAY_CONTROL_IDEM_H
#define FG_GATEWAY_CONTROL_IDEM_H

#include "crypto/digest.h"

#define IDEM_MAX 512          /* keys in all; the oldest goes first */
#define IDEM_OF_ONE 32        /* keys of one caller: nobody fills it for others */
#define IDEM_SECONDS 600      /* a retry comes within minutes */
#define IDEM_ANSWER_MAX 8192  /* answers to what changes something are short */

struct idem;
struct idem_key {
	uint8_t who[DIGEST_SHA256_LEN];   /* caller */
	uint8_t key[DIGEST_SHA256_LEN];
	uint8_t asked[DIGEST_SHA256_LEN]; /* all that was asked */
};

enum idem_found {
	IDEM_BUSY = 0, /* it is under way */
	IDEM_OTHER,    /* under that key something else was asked */
	IDEM_GIVEN,    /* answered, with more than is remembered */
	IDEM_AGAIN,    /* answered: *status and *doc, borrowed until the next call */
	IDEM_NEW,      /* to be done; idem_done or idem_drop follows */
	IDEM_FULL,     /* too many of that caller's are under way */
};

struct idem *idem_new(void);
void idem_free(struct idem *i);
/* now: monotonic seconds. */
enum idem_found idem_begin(struct idem *i, const struct idem_key *k, int64_t now, uint8_t *status, struct view *doc);
/* doc NULL: it had more than is remembered. */
void idem_done(struct idem *i, const struct idem_key *k, uint8_t status, const struct view *doc);
/* Nothing was done: the key is free again. */
void idem_drop(struct idem *i, const struct idem_key *k);

#endif
