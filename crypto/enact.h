/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enact - may this policy take the place of the one in force? enact_check_next() says
 * whether a chain of them holds for ever after; enact_judge(), with the same rule inside,
 * what else must hold on the day a statement is handed in.
 * Role: the warden decides by it, control refuses early, fotagate-verify checks. Pure: facts and
 * time in, a counted answer out. A policy permits, so it takes as many persons as genesis wants
 * for the largest release, and as the signer set wants for its own successor, whichever are more;
 * keys on a machine or a token only: a signature of a browser counts for approvals alone.
 */
#ifndef FG_CRYPTO_ENACT_H
#define FG_CRYPTO_ENACT_H

#include "crypto/genesis.h"
#include "crypto/succession.h"

#define ENACT_WINDOW SUCCESSION_WINDOW /* as for signer sets: people who are asked to sign have three days */
#define ENACT_SKEW SUCCESSION_SKEW

_Static_assert(POLICYSET_BYTES_MAX <= SIGNERS_SET_BYTES_MAX, "it travels in a succession_bundle");

/* Persons of that signer set who have to sign. */
uint32_t enact_need(const struct genesis *g, const struct signers *set);
/*
 * next follows old: number, previous digest, time, and enough persons of set, the one it names, at its own time.
 * old_text: the statement of old; genesis.json for number 0. 0, FG_EPERM with ret_why, or a local failure.
 */
int enact_check_next(const struct genesis *g, const struct policyset *old, struct view old_text,
    const struct policyset *next, struct view next_text, const struct signers *set, const struct signers_signature *sigs,
    unsigned n, char *ret_why, size_t cap);

struct enact_case {
	const struct genesis *genesis;
	const struct policyset *old; /* in force */
	struct view old_text;        /* its statement; genesis.json for number 0 */
	const struct signers *set;   /* in force, whole */
	const struct signers_suspended *suspended; /* keys of it that do not count */
	unsigned suspended_n;
	int64_t now;
};

struct enact_answer {
	struct policyset next;
	bool proper;            /* all but the number of signatures is in order */
	bool enough;            /* and enough have signed: it may take effect */
	unsigned have, need;    /* distinct persons */
	bool good[SIGNERS_MAX]; /* signatures of the bundle that count: all that is worth keeping */
	char why[256];          /* not enough: the reason */
};

/*
 * Canonical and of this gateway; next number, predecessor's digest, the signer set in force, not older than what it
 * replaces, its time within the window; signed with keys that were valid when it was written and still are, suspended
 * ones left out. 0 with the answer, or a local failure.
 */
int enact_judge(const struct enact_case *c, const struct succession_bundle *b, struct enact_answer *ret);

#endif
