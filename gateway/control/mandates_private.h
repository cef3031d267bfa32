/* SPDX-License-Identifier: Apache-2.0 */
/* What mandates.c, which keeps and uses them, and mandates_calls.c, to which people come, share. */
#ifndef FG_GATEWAY_CONTROL_MANDATES_PRIVATE_H
#define FG_GATEWAY_CONTROL_MANDATES_PRIVATE_H

#include "crypto/approval_standing.h"
#include "gateway/control/mandates.h"
#include "gateway/control/requests_private.h"
#include "gateway/control/reviews_private.h"
#include "gateway/state/mandate.h"

#define MANDATES_TRIED 256 /* reviews that were asked for already; an older one is asked for once more */

struct mandate {
	struct db_mandate row; /* terms not borrowed: empty */
	struct approval_terms terms;
	uint8_t key[DIGEST_SHA256_LEN];
};

struct mandates {
	struct control *c;
	struct mandate **one; /* owned, in order of their numbers */
	size_t n, cap;
	struct { uint64_t candidate, mandate; } tried[MANDATES_TRIED];
	unsigned tried_n;
	int64_t begins; /* one that covers a review has not begun by the earliest that it may be; 0: none */
};

/* The one a call's "standing" names, NULL: the call is answered. */
struct mandate *mandates_of_call(struct mandates *m, struct call *call);
/* By its name, "S-3"; NULL. */
struct mandate *mandates_find(const struct mandates *m, const char *name);
/* Takes it over, also when it fails. */
int mandates_add(struct mandates *m, struct mandate *one);
/* Writes its row down. */
int mandates_save(struct mandates *m, struct mandate *one);
/* Persons it needs now; of those who have signed, who count now. */
uint32_t mandates_need(const struct mandates *m, const struct mandate *one);
int mandates_valid(struct mandates *m, const struct mandate *one, struct reviews_valid *ret);
bool mandates_is_over(const struct mandates *m, const struct mandate *one);
/* SHA-256 of the rules that say which module of that profile is in which group. */
int mandates_definitions(struct control *c, const char *profile, uint8_t ret[DIGEST_SHA256_LEN]);

#endif
