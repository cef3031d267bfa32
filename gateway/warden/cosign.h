/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cosign - the warden as witness of its own gateway's log, on a key of its own:
 * audit shows it each published checkpoint, it remembers the last one that
 * extends what it remembers, durably, and vouches for it. A log that is cut,
 * rolled back or replaced while the warden's folder is not, is found out.
 */
#ifndef FG_GATEWAY_WARDEN_COSIGN_H
#define FG_GATEWAY_WARDEN_COSIGN_H

#include "crypto/witness.h"
#include "gateway/warden/vault.h"
#include "gateway/wire/msg.h"

struct cosign;

struct cosign *cosign_new(void);
void cosign_free(struct cosign *c);
/* The key file of the boot dialogue, as bytes; fd stays the caller's. Without one it remembers, but signs nothing. */
int cosign_key(struct cosign *c, int fd);
/*
 * Inside the jail: log is the one genesis names, v (borrowed) where it is
 * remembered. FG_EFORMAT with ret_why: what is remembered, or the key, is not
 * what it should be; a witness that has lost its memory must not begin anew.
 */
int cosign_open(struct cosign *c, struct vault *v, const struct note_key *log, char *ret_why, size_t cap);
/* How large the log must at least be. 0: nothing remembered. */
uint64_t cosign_size(const struct cosign *c);
/* One question of audit's. ret's views live until the next call. */
void cosign_ask(struct cosign *c, const struct msg_cosign_ask *ask, int64_t now_s, struct msg_cosigned *ret);

#endif
