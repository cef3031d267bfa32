/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dirs - the folders below data_dir and run_dir: there, of the right owner, and
 * closed to whom they are no business.
 */
#ifndef FG_GATEWAY_SUPERVISOR_DIRS_H
#define FG_GATEWAY_SUPERVISOR_DIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "gateway/wire/msg.h"

/* Owner of what belongs to a role; asked for MSG_ROLE_NONE it names root's. */
struct dirs_owner {
	uid_t uid;
	gid_t gid;
};

/*
 * Makes what is missing; started as root also sets owner and mode of what is
 * there (of the folder, never of what lies in it). owner is indexed by
 * enum msg_role. 0, or FG_EIO with ret_why.
 */
int dirs_prepare(const char *data_dir, const char *run_dir, bool root,
    const struct dirs_owner owner[MSG_ROLE_LIMIT], char *ret_why, size_t cap);

#endif
