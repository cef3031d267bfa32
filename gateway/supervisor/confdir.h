/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confdir - reads the bytes of fotagate.conf and of lists.d and profiles.d beside it into a
 * bundle. Nothing is parsed here; what is checked is whose files they are.
 */
#ifndef FG_GATEWAY_SUPERVISOR_CONFDIR_H
#define FG_GATEWAY_SUPERVISOR_CONFDIR_H

#include <stdbool.h>

/* One problem, a sentence with the file's name in front. */
typedef void (*confdir_say)(void *ctx, const char *text);

/*
 * Regular files only, owned by root or the running user and not writable by
 * group or others, in folders of which the same is true; names of [A-Za-z0-9._-]
 * ending in .conf, taken in ascending order; sizes and number bounded as in
 * bundle.h. A sealed memfd; FG_EINVAL after at least one say(), else FG_ENOMEM
 * or FG_EIO.
 */
int confdir_read(const char *path, confdir_say say, void *ctx);
/*
 * Owned by root or us and not writable by others, so that nobody else could have
 * put it there. private_: not readable by others either.
 */
struct stat;
bool confdir_is_ours(const struct stat *st, bool private_);

#endif
