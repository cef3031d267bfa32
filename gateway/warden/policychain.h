/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policychain - the warden's own chain of policies: genesis', then every numbered one in
 * data_dir/authority/policy, each checked against its predecessor and the signer set it names.
 * Only where genesis says that policy is signed; else there is none, and nothing is asked of it.
 */
#ifndef FG_GATEWAY_WARDEN_POLICYCHAIN_H
#define FG_GATEWAY_WARDEN_POLICYCHAIN_H

#include "gateway/warden/authority.h"

struct policychain;

struct policychain *policychain_new(void);
void policychain_free(struct policychain *p);
/*
 * After authority_load(): follows policy/<n>.json with policy/<n>.sig.<i> below dirfd until one is
 * missing. FG_EPERM or FG_EFORMAT with ret_why for one that does not hold.
 */
int policychain_load(struct policychain *p, const struct authority *a, int dirfd, char *ret_why, size_t cap);
/* In force; NULL where policy is not signed. */
const struct policyset *policychain_now(const struct policychain *p);
/* Its statement, or genesis.json; borrowed until the next one is taken. */
struct view policychain_text(const struct policychain *p);
/*
 * Whether a policy of the chain, up to the one in force, names that one for that profile: what was released under it
 * stays when another takes its place. True where policy is not signed.
 */
bool policychain_ever(const struct policychain *p, const char *profile, const uint8_t sha256[DIGEST_SHA256_LEN]);
/* Takes the next one, which the caller has judged (crypto/enact.h). 0, FG_ENOMEM; FG_ESTATE when it is not the next. */
int policychain_adopt(struct policychain *p, const struct policyset *next, struct view text);

#endif
