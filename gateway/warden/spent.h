/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spent - what was used up, in the warden's own memory and file, for good: statements that a release rests on, also
 * when the release has ended; statements that let a rollout go on; and of a standing statement, by its key, each
 * release that was issued under it. What the log may have was counted here before: a place under a standing statement
 * and the statements of a rollout are taken before the log is asked, those of a release with the release itself, which
 * is in force only behind that.
 */
#ifndef FG_GATEWAY_WARDEN_SPENT_H
#define FG_GATEWAY_WARDEN_SPENT_H

#include "crypto/release.h"

/* Never forgotten, for a clock that runs wrong must bring none back: seventy a day for ten years, 12 MiB. */
#define SPENT_MAX 262144

struct spent;

/* Reads the file "standing" (of that it was at first) below dir, making it if it is missing. 0, FG_EIO, FG_ELIMIT, FG_ENOMEM. dir stays the caller's. */
int spent_open(int dir, struct spent **ret);
void spent_close(struct spent *s);
/* For how many more there is room. */
size_t spent_room(const struct spent *s);
/* How many different releases. */
uint32_t spent_count(const struct spent *s, const uint8_t key[DIGEST_SHA256_LEN]);
/*
 * One more, unless it is counted already. Durable with 0. With FG_EIO it counts as long as this process lives, and is
 * written down when it is said again; FG_ELIMIT, FG_ENOMEM: not counted.
 */
int spent_add(struct spent *s, const uint8_t key[DIGEST_SHA256_LEN], const uint8_t release[RELEASE_ID]);

#endif
