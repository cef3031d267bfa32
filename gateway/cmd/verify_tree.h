/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_tree - the folder as a whole: nothing lies in it that nothing
 * covers. Tiles and signer sets are those that were judged, papers bear their
 * digest (verify_papers), and the texts for readers are those the log named
 * when somebody took the export away.
 */
#ifndef FG_GATEWAY_CMD_VERIFY_TREE_H
#define FG_GATEWAY_CMD_VERIFY_TREE_H

#include "gateway/cmd/verify_story.h"

/* Problems are counted in l; returns local failure only. */
int verify_tree_check(struct verify_log *l, const struct verify_signers *s, const struct verify_story *story);

#endif
