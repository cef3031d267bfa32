/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fstree - names of a file system, told in any order, as paths.
 * Role: readers of file systems whose directory entries lie about (UBIFS, JFFS2).
 *
 * Guarantees: depth, length of a path and what is held are bounded; a folder is gone
 * into once, whatever links lead to it, so that rings end; nothing recurses. Entries
 * of a folder come in the order of their bytes.
 */
#ifndef FG_IMAGES_FSTREE_H
#define FG_IMAGES_FSTREE_H

#include "crypto/view.h"

#define FSTREE_NAMES_MAX 200000       /* as many as an image may have parts */
#define FSTREE_BYTES_MAX (32u << 20)  /* of names */
#define FSTREE_DEPTH_MAX 64
#define FSTREE_PATH_MAX 4095          /* PATH_MAX: longer ones no program can open */

struct fstree_name {
	uint32_t folder, file; /* numbers of inodes; file 0: the name was taken away */
	uint32_t name;         /* where it begins among the bytes of names */
	uint16_t name_n;
	uint32_t version;      /* of the same name in the same folder the greatest one counts; the others are .old */
	bool old, entered;
	uint64_t at;           /* which entry it is, for the caller */
};

struct fstree {
	struct fstree_name *name; /* owned */
	size_t n, cap;
	uint8_t *bytes; /* owned */
	size_t bytes_n, bytes_cap;
};

/* name is copied; its .name and .name_n are set here. 0, FG_ENOMEM, FG_ELIMIT (nothing was added). */
int fstree_add(struct fstree *t, struct view name, struct fstree_name entry);
/* Once, after the last one was added and before anything else is asked. False: two entries of one name are equally young. */
bool fstree_sort(struct fstree *t);
struct view fstree_view(const struct fstree *t, const struct fstree_name *e);
/*
 * Each name that leads somewhere, a folder's before what is in it; *io_enter says whether it is a folder (false
 * before). What visit() returns but 0 ends the walk and is returned. FG_ELIMIT too where a bound was
 * met, or a folder has two names: then *ret_why says which, and the walk went on with the rest.
 */
int fstree_walk(struct fstree *t, uint32_t root,
    int (*visit)(void *arg, struct view path, const struct fstree_name *e, bool *io_enter), void *arg,
    const char **ret_why);
void fstree_free(struct fstree *t);

#endif
