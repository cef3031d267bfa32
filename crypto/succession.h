/* SPDX-License-Identifier: Apache-2.0 */
/*
 * succession - may this signer set take the place of the one in force, now?
 * signers_check_next() says whether a chain holds for ever after; this says, with
 * the same rule inside, what else must hold on the day a set is handed in.
 * Role: the warden decides by it, control refuses early and shows how far it is.
 * Pure: facts and time in, a counted answer out.
 */
#ifndef FG_CRYPTO_SUCCESSION_H
#define FG_CRYPTO_SUCCESSION_H

#include "crypto/genesis.h"

#define SUCCESSION_WINDOW (72 * 3600) /* seconds from a set's own time until it must be in force */
#define SUCCESSION_SKEW 300           /* seconds its time may lie ahead of ours */
#define SUCCESSION_BUNDLE_MAX (1u << 20)

struct succession_case {
	const struct genesis *genesis;
	const struct signers *old; /* in force, whole */
	struct view old_text;      /* its statement */
	const struct signers_suspended *suspended; /* keys of it that do not count */
	unsigned suspended_n;
	int64_t now;
};

/* A statement and signatures as they travel: blob statement, u32 count, blob signature each. */
struct succession_bundle {
	struct view text;
	struct signers_signature sig[SIGNERS_MAX];
	unsigned n;
};
/* FG_EPEER if not exactly that. Views borrow from bytes. */
int succession_bundle_parse(struct view bytes, struct succession_bundle *ret);
int succession_bundle_write(const struct succession_bundle *b, struct writer *w);

struct succession_answer {
	struct signers next;
	bool proper;               /* all but the number of signatures is in order: it may be signed */
	bool enough;               /* and enough have signed: it may take effect */
	unsigned by_old, need_old; /* distinct persons of the set in force who signed, and its threshold */
	unsigned by_new, need_new;
	bool good[SIGNERS_MAX];    /* signatures of the bundle that count for one of the two: all that is worth keeping */
	char why[256];             /* not enough: the reason */
};

/*
 * Canonical and of this gateway; next number, predecessor's digest, not older;
 * its time within the window; it leaves the genesis floors and its own threshold
 * within reach of the persons whose keys have not run out; lists no key that was
 * suspended after it was written; signed by both thresholds with keys that were
 * valid when it was written and still are, suspended ones left out. 0 with the
 * answer, or a local failure.
 */
int succession_judge(const struct succession_case *c, const struct succession_bundle *b, struct succession_answer *ret);

#endif
