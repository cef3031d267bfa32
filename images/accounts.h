/* SPDX-License-Identifier: Apache-2.0 */
/*
 * accounts - what changed among the accounts of a system: passwd(5) and shadow(5), field by
 * field, because a changed order or a changed comment of theirs is no change of rights.
 * Role: lines.c. Guarantee: each account that is new, gone or different in name, user id,
 * group, home, shell or password is a line; a line of the file that is no account is one too.
 */
#ifndef FG_IMAGES_ACCOUNTS_H
#define FG_IMAGES_ACCOUNTS_H

#include "images/page.h"

#define ACCOUNTS_MAX 4096 /* of one file; more are told as incomplete */

/* old empty: the file was added. 0 or FG_ENOMEM. */
int accounts_page(struct view old, struct view new, bool shadow, const char *path, struct page *page);

#endif
