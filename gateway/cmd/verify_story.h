/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_story - what the log says happened, held against who may make it
 * happen: releases within signed statements, grants within releases, served
 * within granted, nothing after a revocation or in a halt.
 */
#ifndef FG_GATEWAY_CMD_VERIFY_STORY_H
#define FG_GATEWAY_CMD_VERIFY_STORY_H

#include "gateway/cmd/verify_signers.h"

struct verify_story {
	uint64_t releases, grants, served, revoked, statements;
};

/* Walks the log. Problems are counted in l; returns local failure only. */
int verify_story_walk(struct verify_log *l, const struct verify_signers *s, struct verify_story *ret);

#endif
