/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyfile - GLib's key files (groups in brackets, key=value), line by line, as
 * GKeyFile with no flags reads them.
 * Role: rauc_manifest.c. Guarantees: never reads outside the text, allocates
 * nothing, linear time. Where GKeyFile takes what it is given and drops or merges
 * it silently (translated keys, NUL bytes), this reader refuses.
 */
#ifndef FG_IMAGES_KEYFILE_H
#define FG_IMAGES_KEYFILE_H

#include "crypto/view.h"

struct keyfile {
	struct view text;
	size_t at;      /* byte after the line that was given last */
	unsigned line;  /* its number, from 1 on */
	bool in_group;
	const char *why; /* after FG_EFORMAT: one sentence without hostile text */
};

struct keyfile_line {
	bool opens_group;        /* group is new (or the same again), there is no key */
	struct view group;       /* borrowed from the text, as are: */
	struct view key, value;  /* value as it is spelt: keyfile_string() makes of it what is meant */
};

void keyfile_begin(struct keyfile *kf, struct view text);
/*
 * The next group or pair: 1, 0 at the end, FG_EFORMAT for a line that is neither
 * (kf->line says which). *ret keeps its group from call to call.
 */
int keyfile_next(struct keyfile *kf, struct keyfile_line *ret);
/*
 * A value as a string, escapes resolved: into dst, which has value.n bytes at
 * least; the length, or FG_EFORMAT for an escape that does not exist or text
 * that is not UTF-8.
 */
long keyfile_string(struct view value, uint8_t *dst);
/* A value as g_key_file_get_uint64() should read it: digits only, no sign, no overflow. */
bool keyfile_uint(struct view value, uint64_t *ret);
/*
 * Cuts the next element off a list (";" between and behind them): false when
 * *rest is used up. Escapes are not resolved: no element that means something has any.
 */
bool keyfile_element(struct view *rest, struct view *ret);

#endif
