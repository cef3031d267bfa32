/* SPDX-License-Identifier: Apache-2.0 */
/*
 * condemned - the marker file of a log that must not go on: audit/condemned.
 * While it is there nothing is appended or signed, whatever the log looks like
 * by then; only the way out of the state takes it away. Five lines of text, so
 * that a person can read it. A marker that cannot be read condemns like one
 * that can.
 */
#ifndef FG_GATEWAY_AUDIT_CONDEMNED_H
#define FG_GATEWAY_AUDIT_CONDEMNED_H

#include "gateway/wire/msg.h"

#define CONDEMNED_FILE "condemned"
#define CONDEMNED_WHY 256
#define CONDEMNED_HOW 768 /* of what a person did; with a binding (hostbind.h) it fits an entry */

struct condemned {
	enum msg_log_state state; /* MSG_LOG_TAMPERED, _ROLLED_BACK or _CLONED; MSG_LOG_UNKNOWN: not condemned */
	uint64_t known;           /* the largest size that anybody is known to hold a checkpoint of; 0: nobody said */
	int64_t since;            /* epoch seconds */
	char why[CONDEMNED_WHY];  /* one line, printable ASCII */
};

/* dirfd is data_dir/audit. No marker: 0 and state MSG_LOG_UNKNOWN. FG_EIO. */
int condemned_read(int dirfd, struct condemned *ret);
/* Written aside, synced, renamed, directory synced. FG_EIO; what was there then is still there. */
int condemned_write(int dirfd, const struct condemned *c);
/* Takes the marker away, durably; none is fine. FG_EIO. */
int condemned_clear(int dirfd);
/*
 * The same by a person's hand: how (printable ASCII, one line) waits in audit/pardoned
 * for the next start, which makes it an entry.
 */
int condemned_pardon(int dirfd, const char *how);
/* Whether there is such a line; FG_EIO, FG_EFORMAT. 1: yes, 0: no. */
int condemned_pardoned(int dirfd, char how[CONDEMNED_HOW]);
/* The entry is durable. */
int condemned_pardon_end(int dirfd);

#endif
