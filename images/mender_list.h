/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mender_list - a manifest of Mender's: lines of a SHA-256 and a name, as
 * sha256sum(1) writes them.
 * Role: mender.c only.
 */
#ifndef FG_IMAGES_MENDER_LIST_H
#define FG_IMAGES_MENDER_LIST_H

#include "crypto/digest.h"
#include "crypto/view.h"

#define MENDER_LIST_TEXT_MAX (1u << 20)
#define MENDER_LIST_MAX 4096 /* files; genuine artifacts have a handful */

struct mender_file {
	struct view name; /* points into the list's text */
	uint8_t sha256[DIGEST_SHA256_LEN];
	bool found;
};

struct mender_list {
	unsigned n;
	struct mender_file *file;
};

/*
 * Appends the lines of text, which must outlive the list. FG_EFORMAT for a line
 * that is none, FG_EEXIST for a name that is there already, FG_ELIMIT, FG_ENOMEM;
 * *ret_line is then its number.
 */
int mender_list_add(struct mender_list *l, struct view text, unsigned *ret_line);
void mender_list_free(struct mender_list *l);
/* The file of that name, marked as found; NULL when it is not listed. */
const struct mender_file *mender_list_take(struct mender_list *l, struct view name);

#endif
