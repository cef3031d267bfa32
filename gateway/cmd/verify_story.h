/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_story - what the log says happened, held against who may make it
 * happen: releases within signed statements, grants within releases, served
 * within granted, nothing after a revocation or in a halt.
 */
#ifndef FG_GATEWAY_CMD_VERIFY_STORY_H
#define FG_GATEWAY_CMD_VERIFY_STORY_H

#include "gateway/cmd/verify_judge.h"
#include "gateway/cmd/verify_policy.h"

struct verify_story {
	uint64_t releases, grants, served, revoked, statements;
	uint64_t only_counted; /* downloads of which the log, flooded, has only the number */
	struct verify_release *release; /* in the order of the log, owned */
	uint32_t release_n, release_cap;
	struct verify_index *by_id;
	struct verify_index *signatures; /* SHA-256 of a signature's file -> index of the entry that names it */
	struct verify_policy policy; /* in force at the end */
	struct verify_index *texts; /* SHA-256 of a text for readers -> index of the log.exported that names it */
};

/* Walks the log. Problems are counted in l; returns local failure only. Ended with verify_story_free in any case. */
int verify_story_walk(struct verify_log *l, const struct verify_signers *s, struct verify_story *ret);
void verify_story_free(struct verify_story *s);
/* NULL when the log has issued no such release. */
struct verify_release *verify_story_find(const struct verify_story *s, const uint8_t id[RELEASE_ID]);

#endif
