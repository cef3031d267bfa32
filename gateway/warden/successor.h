/* SPDX-License-Identifier: Apache-2.0 */
/*
 * successor - the next signer set on its way into authority/signers, and the next policy into
 * authority/policy. Before it goes to the log it is written down whole in <n>.pending there; once the log has
 * it, it gets the names by which everyone reads it, <n>.json last, and the
 * pending file goes. Whatever moment a crash chooses, the pending file is there
 * until both are done, and the log decides which way it ends.
 */
#ifndef FG_GATEWAY_WARDEN_SUCCESSOR_H
#define FG_GATEWAY_WARDEN_SUCCESSOR_H

#include "crypto/succession.h"

struct successor { /* one that was written down */
	uint64_t log_size; /* of the log then: its entry lies there or after */
	uint8_t *bytes;    /* owned; bundle borrows */
	struct succession_bundle bundle;
};

#define SUCCESSOR_SIGNERS "signers"
#define SUCCESSOR_POLICY "policy"

/* dir is data_dir/authority in all of these, folder one of the two. Makes it; durable on 0. FG_EIO, FG_ENOMEM. */
int successor_write(int dir, const char *folder, uint32_t number, uint64_t log_size, const struct succession_bundle *b);
/* FG_ENOTFOUND; FG_EFORMAT for a file that is none of ours. */
int successor_read(int dir, const char *folder, uint32_t number, struct successor *ret);
void successor_free(struct successor *s);
/*
 * Gives statement and signatures their names, and removes signatures of that number which are not among them and the
 * pending file; durable on 0, safe to repeat. 0 or FG_EIO.
 */
int successor_settle(int dir, const char *folder, uint32_t number, const struct succession_bundle *b);
/* The log has no such entry. Best effort: what stays is looked at again. */
void successor_drop(int dir, const char *folder, uint32_t number);

#endif
