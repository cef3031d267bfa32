/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_manifest - a folder whose files are all named with their SHA-256 in a file
 * MANIFEST (as sha256sum(1) reads it), and the copying of trees into and out of
 * it: owners and modes go along, every file is read back after it was written.
 */
#ifndef FG_GATEWAY_CMD_CLI_MANIFEST_H
#define FG_GATEWAY_CMD_CLI_MANIFEST_H

#include <sys/stat.h>

#include "gateway/cmd/cli_opt.h"

#define CLI_MANIFEST_FILE "MANIFEST"

enum cli_manifest_pick { CLI_MANIFEST_SKIP = 0, CLI_MANIFEST_TAKE, CLI_MANIFEST_EMPTY /* the folder, not what is in it */ };
/* name is relative to the tree's root. */
typedef enum cli_manifest_pick (*cli_manifest_choose)(const char *name, bool folder);

/* All return 0 or an exit status after saying why. */

/* What in holds, from its start, as a new file; st: whose mode and, started by root, owner it gets. */
int cli_manifest_put(const struct cli_common *c, int in, const char *path, const struct stat *st);
/*
 * Copies the tree from to to, which is made if missing. choose NULL takes all. What is
 * no file or folder is left out, and so is a file that vanishes meanwhile. ret_kept
 * NULL: nothing may be there already; else what is there stays and is counted.
 */
int cli_manifest_copy(const struct cli_common *c, const char *from, const char *to, cli_manifest_choose choose,
    unsigned *ret_kept);
/* Gives a tree to a user. */
int cli_manifest_own(const struct cli_common *c, const char *dir, uid_t uid, gid_t gid);
/* Names everything below dir in dir/MANIFEST. */
int cli_manifest_write(const struct cli_common *c, const char *dir);
/* Whether dir holds exactly what its MANIFEST names. */
int cli_manifest_check(const struct cli_common *c, const char *dir);
/* Removes a tree; what cannot be removed stays. */
void cli_manifest_remove(const char *dir);
/* Everything on the file system of path is on disk. */
int cli_manifest_sync(const struct cli_common *c, const char *path);

#endif
