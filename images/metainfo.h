/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metainfo - what a .metainfo.xml of fwupd says: which firmware, for what,
 * which version, what must be there before (the AppStream specification, and
 * fwupd's use of it).
 * Role: cab.c. Guarantees: bounded; what is not understood is not told.
 */
#ifndef FG_IMAGES_METAINFO_H
#define FG_IMAGES_METAINFO_H

#include "crypto/digest.h"
#include "images/walk.h"

#define METAINFO_TEXT_MAX (1u << 20)
#define METAINFO_FILES_MAX 64 /* digests that it gives for files of the archive */

struct metainfo_file {
	struct view name; /* points into the text */
	enum digest_alg alg;
	uint8_t digest[DIGEST_LEN_MAX];
	struct walk_signed by; /* who stands behind these words */
};

struct metainfo {
	unsigned n;
	struct metainfo_file file[METAINFO_FILES_MAX];
};

/*
 * Reads text, which must live as long as *ret, and tells its claims as facts,
 * sure when by verified; the digests it gives are appended to *ret. Malformed
 * text is told, and nothing of it appended.
 */
void metainfo_read(struct walk *w, struct view text, struct walk_signed by, struct metainfo *ret);

#endif
