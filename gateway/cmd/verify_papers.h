/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_papers - the documents beside the log: each is named by its digest, and
 * each signature by the statement it is over. Whether they permit anything is
 * verify_story's question; here no byte may differ.
 */
#ifndef FG_GATEWAY_CMD_VERIFY_PAPERS_H
#define FG_GATEWAY_CMD_VERIFY_PAPERS_H

#include "gateway/cmd/verify_story.h"

/* statements/, reports/, provenance/, policies/. Problems are counted in l; returns local failure only. */
int verify_papers_check(struct verify_log *l, const struct verify_signers *s, const struct verify_story *story);

#endif
