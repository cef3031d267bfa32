/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyfile - opens files on behalf of a role that may not: keys, certificates,
 * anchors, genesis. The bytes are never read here.
 */
#ifndef FG_GATEWAY_SUPERVISOR_KEYFILE_H
#define FG_GATEWAY_SUPERVISOR_KEYFILE_H

#include <stddef.h>

#define KEYFILE_BYTES_MAX (1u << 20) /* a CA bundle is a quarter of that */

enum keyfile_kind {
	KEYFILE_SECRET = 0, /* nobody but its owner and root may read it */
	KEYFILE_PUBLIC,
	/*
	 * Public, in a folder that a role may write to: a link there could name a file
	 * of ours that the role must not read, a log's or a pseudonym's key first of all.
	 */
	KEYFILE_PAPER,
};

/*
 * A fresh read-only, close-on-exec descriptor at offset 0, or FG_ENOTFOUND,
 * FG_EPERM, FG_EIO with a sentence in ret_why: not a regular file, of
 * another owner, open to others, empty or too large; for KEYFILE_PAPER also
 * under more than one name.
 */
int keyfile_open(const char *path, enum keyfile_kind kind, char *ret_why, size_t cap);

#endif
