/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jcat - signatures of files in a gzip'ed JSON file, as fwupd and the LVFS have
 * them (SIGNATURES_DELTAS_DIFF.md section 1.12).
 * Role: cab.c, for the members of an archive; the verify stage, for a Jcat file
 * beside an image (jcatproof.h); the walker of one that comes alone, which signs
 * nothing of itself. Guarantees: bounded in what is
 * unpacked and in what is listed; a checksum is no signature; of an item every
 * checksum has to fit before a signature counts, and one there must be, as
 * fwupd has it; ids only, aliases are not followed.
 */
#ifndef FG_IMAGES_JCAT_H
#define FG_IMAGES_JCAT_H

#include "images/walk.h"

#define JCAT_PACKED_MAX (256u << 10)
#define JCAT_TEXT_MAX (1u << 20)
#define JCAT_ITEMS_MAX 256
#define JCAT_BLOBS_MAX 16 /* of one item */

/* Of a blob; the numbers are the file's. */
enum jcat_kind {
	JCAT_NONE = 0,
	JCAT_SHA256 = 1,
	JCAT_GPG = 2,
	JCAT_PKCS7 = 3,
	JCAT_SHA1 = 4,
	JCAT_ED25519 = 9,
	JCAT_SHA512 = 10,
};

struct jcat;

/*
 * Reads a whole Jcat file; nothing of packed is kept. FG_EFORMAT with *ret_why
 * (static text), FG_ENOMEM. *ret is the caller's (jcat_free()).
 */
int jcat_read(struct view packed, struct jcat **ret, const char **ret_why);
void jcat_free(struct jcat *j);
/* An item without an id of its own, or two of one, or anything in it that is not known. */
bool jcat_is_plain(const struct jcat *j);
size_t jcat_items(const struct jcat *j);
/* Borrowed. */
struct view jcat_id(const struct jcat *j, size_t item);
/* The one item of that id; false when there is none. */
bool jcat_find(const struct jcat *j, struct view id, size_t *ret_item);

/* What an item says about a file. */
struct jcat_verdict {
	struct walk_signed by; /* the signatures that were judged */
	bool checked;  /* there are checksums, and all of them fit */
	bool complete; /* and every blob is a checksum that fits or a signature that verified */
};

/* The checksum of that kind in an item, as it is spelt; false when there is none. */
bool jcat_checksum(const struct jcat *j, size_t item, enum jcat_kind kind, struct view *ret);
/*
 * Judges an item over a file: its checksums (one that does not fit is told), then,
 * where those fit, its signatures; the file is read once for each of them at most.
 * They are told as "cab/..." in an archive and as "jcat/..." elsewhere. 0 or local failure.
 */
int jcat_judge(struct walk *w, const struct jcat *j, size_t item, const struct source *file,
    struct jcat_verdict *ret);
/* One signature that is not in a Jcat file but beside its file ("firmware.bin.asc"). */
int jcat_judge_beside(struct walk *w, enum jcat_kind kind, struct view signature, struct view name,
    const struct source *file, struct walk_signed *ret);

int jcat_walk(struct walk *w);

#endif
