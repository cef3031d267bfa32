/* SPDX-License-Identifier: Apache-2.0 */
/* What proposals.c and proposals_change.c share. */
#ifndef FG_GATEWAY_CONTROL_PROPOSALS_PRIVATE_H
#define FG_GATEWAY_CONTROL_PROPOSALS_PRIVATE_H

#include "crypto/succession.h"
#include "gateway/control/control_private.h"
#include "gateway/control/proposals.h"
#include "gateway/state/people.h"

struct proposals {
	struct control *c;
	uint64_t token;
	bool asked;           /* the warden, under token */
	struct call *waiting; /* for its answer */
};

/* The case of a successor as it stands now; borrows from c. */
struct succession_case proposals_case(const struct control *c);
/* Text of an open proposal, appended. FG_ENOTFOUND. */
int proposals_text(struct control *c, const uint8_t sha256[DIGEST_SHA256_LEN], struct writer *w);

#endif
