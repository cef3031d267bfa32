/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_policy - which policy people had put in force at a place of the log, where genesis says
 * that they sign it: each authority.policy held against the statement and signatures beside the
 * log, each release against the policy in force there.
 */
#ifndef FG_GATEWAY_CMD_VERIFY_POLICY_H
#define FG_GATEWAY_CMD_VERIFY_POLICY_H

#include "crypto/enact.h"
#include "gateway/cmd/verify_judge.h"

struct verify_policy {
	bool is_signed;
	struct policyset now;
	struct view text;      /* its statement; genesis.json for number 0; owned */
	unsigned *signatures;  /* files beside each policy 1..now.number; owned */
};

/* FG_OK or a local failure; ended with verify_policy_free in any case. */
int verify_policy_init(struct verify_policy *p, const struct verify_log *l, const struct verify_signers *s);
void verify_policy_free(struct verify_policy *p);
/* The next policy: its document and signatures are those in signers/, and it is in force from here on. Local failure only. */
int verify_policy_enacted(struct verify_policy *p, const struct verify_judge *j, const struct entry *e, uint64_t at);
/* A release names the policy that it was judged under: counts a problem unless it was in force. */
void verify_policy_release(const struct verify_policy *p, struct verify_log *l, const struct verify_release *r);
/* How many signatures of that policy the export holds; 0 for none that was put in force. */
unsigned verify_policy_signatures(const struct verify_policy *p, uint32_t number);

#endif
