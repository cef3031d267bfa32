/* SPDX-License-Identifier: Apache-2.0 */
/*
 * swdesc - what a sw-description asks an updater to do.
 * Role: swu.c. Reads the tree of conf.h as SWUpdate 2022.12 to 2025 resolve it:
 * a device takes each list from software.<board>.<set>.<mode>,
 * software.<set>.<mode>, software.<board> or software, in this order, and
 * follows "ref". Which board, set and mode a device has is not known here, so
 * every selection that some device could have is gathered.
 *
 * Where SWUpdate passes over what it cannot use (a type that is wrong, text
 * that is too long, a link to nowhere), this refuses: nobody could tell the
 * approver which of two readings a module takes.
 */
#ifndef FG_IMAGES_SWDESC_H
#define FG_IMAGES_SWDESC_H

#include "images/conf.h"
#include "images/walk.h"

#define SWDESC_SELECTIONS_MAX 64 /* genuine ones have 1 to 8: two copies for a few boards */
#define SWDESC_ENTRIES_MAX 2048  /* of all selections together */
#define SWDESC_TEXT_MAX 255      /* SWUpdate's fields; what is longer it cuts */
/* SWUpdate puts the name of its folder before a file's, in 255 bytes together. */
#define SWDESC_FILENAME_MAX 191

enum swdesc_list {
	SWDESC_IMAGES = 0,
	SWDESC_FILES,
	SWDESC_SCRIPTS,
	SWDESC_PARTITIONS,
	SWDESC_BOOTENV,
	SWDESC_LISTS,
};

enum swdesc_packing { SWDESC_STORED = 0, SWDESC_GZIP, SWDESC_ZSTD };

/* Something to install, run or set. Views point into the tree. */
struct swdesc_entry {
	enum swdesc_list list;
	unsigned selection;
	struct view filename; /* empty: there is no member for it */
	struct view type;     /* the handler, given or implied */
	bool have_sha256;     /* over the bytes as stored, packed or encrypted as they are */
	uint8_t sha256[DIGEST_SHA256_LEN];
	enum swdesc_packing packing;
	bool encrypted;
	bool direct; /* handed to the handler while it is received */
	bool runs;
};

struct swdesc {
	unsigned n;
	struct swdesc_entry entry[SWDESC_ENTRIES_MAX];
	unsigned selections_n;
	char selection[SWDESC_SELECTIONS_MAX][CONTENTS_VALUE_MAX]; /* "software.stable.copy1", escaped */
};

/*
 * Reads c, whose text lies at at in w->image under by: claims become facts, what
 * is wrong or worth knowing becomes findings. 0 with *ret (free()) or local failure.
 */
int swdesc_read(struct walk *w, uint64_t at, struct walk_signed by, const struct conf *c,
    struct swdesc **ret);
/* "images", "files", ...; never NULL. */
const char *swdesc_list_name(enum swdesc_list list);

#endif
