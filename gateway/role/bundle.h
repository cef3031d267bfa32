/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle - the configuration as bytes: a sealed memfd with every file's name and
 * text, as the supervisor read them and as control, edges and the config child
 * parse them (policy/config). One set of bytes for all, so nobody can see
 * another configuration than the one that was checked.
 *
 * Form: "FGB1", u32 count, then for each file name and text, each a u32 length
 * and the bytes (big-endian), nothing behind.
 */
#ifndef FG_GATEWAY_ROLE_BUNDLE_H
#define FG_GATEWAY_ROLE_BUNDLE_H

#include "crypto/view.h"

#define BUNDLE_FILES_MAX 273        /* fotagate.conf, 256 profiles and 16 lists: policy/config.h has the same */
#define BUNDLE_NAME_MAX 127
#define BUNDLE_FILE_MAX (256u << 10) /* one file */
#define BUNDLE_BYTES_MAX (16u << 20) /* all of it; 256 profiles of 60 KiB */

struct bundle_file {
	const char *name; /* "fotagate.conf", "profiles.d/acme.conf" */
	struct view text;
};

struct bundle; /* a mapped bundle */

/* Files to a sealed memfd. fd, or FG_ELIMIT, FG_ENOMEM, FG_EIO. */
int bundle_write(const struct bundle_file *files, unsigned n);
/*
 * Maps and checks; fd stays the caller's. 0 and *ret; FG_EPEER when it is not
 * sealed or not of this form, FG_ENOMEM, FG_EIO.
 */
int bundle_open(int fd, struct bundle **ret);
/* Borrowed until bundle_free(). */
const struct bundle_file *bundle_files(const struct bundle *b, unsigned *ret_n);
void bundle_free(struct bundle *b);

#endif
