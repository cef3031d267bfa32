/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memo - Ed25519 over bytes that were judged before: the linker sends the verifier's
 * calls here. Almost every signature of a changed export is the one it was, over the
 * bytes it was over, and the answer to that is remembered; anything else is calculated.
 */
#ifndef FG_TESTS_FLIP_MEMO_H
#define FG_TESTS_FLIP_MEMO_H

#include <stdbool.h>

/* From here on answers are remembered, or no more are. */
void memo_learn(bool on);
void memo_free(void);

#endif
