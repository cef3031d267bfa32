/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hooks - the operator's decision hook: asked about one candidate at a time, in a process of its own
 * (gateway/hook), and its answers kept. Used by judging, which asks when all else would let people look; by
 * decisions, which put what is kept before policy/hook.h; and by itself for what is released under another
 * program. Guarantees: nothing waits for it but the candidate it is about; what is no answer (it crashed, was
 * too slow, wrote something else) is a failure of ours and says nothing about an image: it is not kept, and
 * asked again later and later; an answer is kept before it counts, with what the program was told.
 */
#ifndef FG_GATEWAY_CONTROL_HOOKS_H
#define FG_GATEWAY_CONTROL_HOOKS_H

#include "policy/hook.h"

#define HOOKS_WAIT_S 60       /* after the first failure; twice as long after each one more, */
#define HOOKS_WAIT_MAX_S 3600 /* up to this */
#define HOOKS_WHY_MAX 400

struct control;
struct db_candidate;
struct hooks;
struct hooks_ask;
struct policy;
struct report;

struct hooks *hooks_new(struct control *c);
/* Before jobs. */
void hooks_free(struct hooks *h);
/* What the answer that is kept says of the candidate's report, under the program in force. One that cannot be read is none. */
void hooks_said(struct control *c, const struct db_candidate *cand, struct hook_said *ret);
/* Digest of the program in force; NULL: there is none. */
const uint8_t *hooks_program(struct control *c);
/*
 * Asks. done runs once, from the loop, with why it came to nothing, or NULL: the answer stands in the row. FG_ELIMIT,
 * FG_ENOMEM, FG_EIO: it could not be ordered, and done does not run.
 */
int hooks_ask(struct hooks *h, const struct db_candidate *cand, const struct report *r, const struct policy *p,
    void (*done)(void *ctx, const char *why), void *ctx, struct hooks_ask **ret);
/* Stops it, done does not run. NULL is nothing. */
void hooks_cancel(struct hooks_ask *a);
/* Seconds until something that came to nothing is tried again. */
int64_t hooks_wait(const struct hooks *h);
/* Every minute and after a reload: releases that were signed under another policy, and that this program never saw. */
void hooks_tick(struct hooks *h);

#endif
