/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostbind - which machine and which files a log belongs to: audit/host. Two copies of
 * one log would go on under one name and sign two trees; so the file says of itself
 * which inode it is and when it was born, and of the machine what identifies it. A copy
 * of the files has another inode, a copy of the disk sits in another machine. A copy
 * that has neither (a snapshot started on the same machine) is not seen here.
 */
#ifndef FG_GATEWAY_AUDIT_HOSTBIND_H
#define FG_GATEWAY_AUDIT_HOSTBIND_H

#include "crypto/digest.h"

#define HOSTBIND_FILE "host"
#define HOSTBIND_TEXT 160 /* inode, time of birth and two short digests, for a person */

/* Digests of machine-id and of the product's UUID; zero: not known, agrees with any. */
struct hostbind_ids {
	uint8_t machine[DIGEST_SHA256_LEN];
	uint8_t product[DIGEST_SHA256_LEN];
};

enum hostbind_verdict {
	HOSTBIND_OTHER = 0, /* other files, another machine, or a binding that cannot be read */
	HOSTBIND_NONE,      /* there is no binding */
	HOSTBIND_SAME,
};

/* dir is data_dir/audit in all of these. why: one line for HOSTBIND_OTHER, else "". 0 or FG_EIO. */
int hostbind_check(int dir, const struct hostbind_ids *here, enum hostbind_verdict *ret, char why[HOSTBIND_TEXT]);
/*
 * A binding to what is here, beside its place and durable; told is what it says, in one
 * line. hostbind_settle() puts it in its place, durably. 0 or FG_EIO.
 */
int hostbind_make(int dir, const struct hostbind_ids *here, char told[HOSTBIND_TEXT]);
int hostbind_settle(int dir);
/* What the binding says, in one line; "none", or that it cannot be read. 0 or FG_EIO. */
int hostbind_tell(int dir, char told[HOSTBIND_TEXT]);
/* Takes it away, durably; none is fine. FG_EIO. */
int hostbind_release(int dir);

#endif
