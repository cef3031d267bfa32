/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leaf - one thing of an image as the analysers see it: a path, rights and bytes. Made
 * from a part of the tree, or by a test from nothing.
 */
#ifndef FG_IMAGES_LEAF_H
#define FG_IMAGES_LEAF_H

#include "images/source.h"

enum leaf_kind { LEAF_NONE = 0, LEAF_FILE, LEAF_FOLDER, LEAF_LINK, LEAF_DEVICE, LEAF_FIFO };

struct leaf {
	enum leaf_kind kind;
	const char *path; /* visible form, as on the page; borrowed */
	const char *link; /* LEAF_LINK: where to, visible form; else NULL */
	bool hard; /* LEAF_LINK: one more name of the file there, with its rights */
	struct source bytes; /* size 0 where it has none */
	bool have_mode;
	uint32_t mode, uid, gid; /* mode with a device's type bits, as stat(2) has them */
	uint64_t rdev; /* major << 32 | minor */
	bool have_caps; /* security.capability */
};

/* The longest file that is read as text line by line: configuration and scripts are far below. */
#define LEAF_TEXT_MAX (1u << 20)

/*
 * All of a file's bytes in memory if they are text: no NUL, and nearly all of it printable
 * or UTF-8. *ret is owned by the caller (free()), NULL when it is no text or is longer than
 * LEAF_TEXT_MAX. 0, FG_EIO or FG_ENOMEM.
 */
int leaf_text(const struct leaf *l, uint8_t **ret, size_t *ret_n);

/* What a file is to the system, by where it lies. */
enum leaf_role {
	LEAF_ROLE_NONE = 0,
	LEAF_ROLE_INIT,     /* run at start, by the clock, by an event or at each login */
	LEAF_ROLE_PASSWD,   /* accounts, in lines of fields */
	LEAF_ROLE_SHADOW,
	LEAF_ROLE_ACCESS,   /* who may become whom, and keys that log in */
};
enum leaf_role leaf_role(const char *path);
/* Begins with "#!", or lies where only scripts do. */
bool leaf_is_script(const char *path, struct view text);

#endif
