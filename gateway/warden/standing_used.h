/* SPDX-License-Identifier: Apache-2.0 */
/*
 * standing_used - which releases were issued under which standing statement, in the
 * warden's own memory and file: for good, also when the release is gone. A place is
 * taken before the log is asked, so what the log has was always counted here.
 * A statement that let a rollout go on has its place too, by its own digest in place of the key.
 */
#ifndef FG_GATEWAY_WARDEN_STANDING_USED_H
#define FG_GATEWAY_WARDEN_STANDING_USED_H

#include "crypto/release.h"

/* Never forgotten, for a clock that runs wrong must bring none back: eighteen a day for ten years. */
#define STANDING_USED_MAX 65536

struct standing_used;

/* Reads the file "standing" below dir, making it if it is missing. 0, FG_EIO, FG_ELIMIT, FG_ENOMEM. dir stays the caller's. */
int standing_used_open(int dir, struct standing_used **ret);
void standing_used_close(struct standing_used *s);
/* How many different releases. */
uint32_t standing_used_count(const struct standing_used *s, const uint8_t key[DIGEST_SHA256_LEN]);
/*
 * One more, unless it is counted already. Durable with 0. With FG_EIO it counts as long as this process lives, and is
 * written down when it is said again; FG_ELIMIT, FG_ENOMEM: not counted.
 */
int standing_used_add(struct standing_used *s, const uint8_t key[DIGEST_SHA256_LEN], const uint8_t release[RELEASE_ID]);

#endif
