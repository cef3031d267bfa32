/* SPDX-License-Identifier: Apache-2.0 */
/*
 * issue - one request for authority from question to effect, in steps that never
 * block: ask audit for the log states people saw, judge, copy and hash, write
 * down, append to the log, and only after audit's acknowledgement take effect.
 */
#ifndef FG_GATEWAY_WARDEN_ISSUE_H
#define FG_GATEWAY_WARDEN_ISSUE_H

#include "gateway/warden/state.h"

/* Queues a request; takes its descriptors. Answers at once when the queue is full. */
void issue_ask(struct warden *w, struct request *r);
/* Does some work; true when more is to be done without waiting for anybody. */
bool issue_work(struct warden *w);
/* Audit's answers. */
void issue_root(struct warden *w, const struct msg_root *m);
void issue_head(struct warden *w, const struct msg_head *m);
void issue_appended(struct warden *w, const struct msg_appended *m);
/* Audit is gone or too slow: the request in hand is refused. */
void issue_audit_away(struct warden *w);
/* A restriction came: a job on that image is refused, whatever step it is in. */
void issue_restricted(struct warden *w, const uint8_t image[DIGEST_SHA256_LEN]);

/* A key was suspended, and the keys that count are new: a job that counted it is refused. */
void issue_suspended(struct warden *w, const uint8_t key[DIGEST_SHA256_LEN]);
/* Audit's answer to a question about one entry. */
void issue_proof(struct warden *w, const struct msg_proof *m);
/* Does a suspension of that time and set hold under the set in force, or one that is coming? */
bool issue_suspension_holds(const struct warden *w, uint32_t number, int64_t at);
/* Number of the signer set on its way into the log, or of the one in force. */
uint32_t issue_set_number(const struct warden *w);
/* The signer set in force or on its way lists that key; true when that is not known. FG_ECRYPTO. */
int issue_lists_key(const struct warden *w, const uint8_t key[DIGEST_SHA256_LEN], bool *ret);
/* Recounts which keys of the set in force are suspended. 0 or FG_ECRYPTO, and then none counts. */
int issue_count_keys(struct warden *w);

/* A release or the job in hand rests on that image. */
bool issue_needs_image(const struct warden *w, const uint8_t image[DIGEST_SHA256_LEN]);
/*
 * Modules that the releases in force of that image, or with its result, are for: all of them, or (before not
 * NULL) those that stood when that one, which is on the list, was issued.
 */
uint64_t issue_modules_of(const struct warden *w, const struct approval_terms *t, const struct released *before);
/* What that release rests on is used up: noted for good. 0, or what spent_add() says. */
int issue_spend(struct warden *w, const struct released *made);
/* The process ends: whatever was in hand is freed, nobody is answered. */
void issue_end(struct warden *w);
void issue_free(struct released *r);
/* Tells one edge about one release; not while it waits for its veto delay. */
void issue_tell_edge(struct warden *w, unsigned edge, const struct released *r);

/* Whether a break-glass release may not be sent from yet, by the warden's own clock; those whose wait is over are told to edges. */
bool issue_glass_waits(const struct warden *w, const struct released *r);
void issue_glass_look(struct warden *w);
/* A halt came: a break-glass that is on its way is refused. */
void issue_glass_halted(struct warden *w);
/* Tells control what after-review is owed, where genesis has break-glass. */
void issue_glass_greet(struct warden *w);

/*
 * At the start, after authority_load(): the folder has to end with the set this warden put in
 * force last, to the byte; a first start keeps the one there is. FG_EPERM, FG_EFORMAT, FG_EIO with ret_why.
 */
int issue_signers_boot(struct warden *w, char *ret_why, size_t cap);
/* The same of policies, after policychain_load(); and whether one is on its way. */
int issue_policy_boot(struct warden *w, char *ret_why, size_t cap);
/* Tells control which policy is in force, where policy is signed. */
void issue_policy_greet(struct warden *w);

#endif
