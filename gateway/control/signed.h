/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signed - who has signed so far, of those who must, and by which statement: what a halt, a rollout that stands and a
 * standing statement gather until the warden can be asked. (Signer sets and policies gather signatures over one text:
 * gateway/control/proposals.h.) Guarantees: one statement a person, the last one; what is counted is read and judged
 * anew each time, for between two signatures a key may have been replaced or suspended. Decides nothing: the warden counts.
 */
#ifndef FG_GATEWAY_CONTROL_SIGNED_H
#define FG_GATEWAY_CONTROL_SIGNED_H

#include "crypto/approval.h"

#define SIGNED_MAX 16 /* as many as a bundle for the warden holds */

struct control;

struct signed_list { /* zero: nobody */
	unsigned n;
	char approver[SIGNED_MAX][SIGNERS_PRINCIPAL_MAX];
	uint8_t statement[SIGNED_MAX][DIGEST_SHA256_LEN];
};

/*
 * In place of that person's earlier one. False: there are most (SIGNED_MAX at most) others, more than any quorum:
 * those suffice, or never will.
 */
bool signed_put(struct signed_list *l, unsigned most, const char *approver, const uint8_t statement[DIGEST_SHA256_LEN]);
/* The kept statement of that digest. What files_doc_get() and approval_parse() say. */
int signed_read(struct control *c, const uint8_t statement[DIGEST_SHA256_LEN], struct approval *ret);
/*
 * Keeps those that are there, signed by a key that counts now, and of which counts() says so; in their order, with
 * the names they bear. FG_ENOMEM: nothing is changed.
 */
int signed_count(struct control *c, struct signed_list *l, bool (*counts)(void *ctx, const struct approval *a), void *ctx);

#endif
