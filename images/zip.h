/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zip - ZIP archives (PKWARE APPNOTE 6.3) read as strictly as their two
 * directories allow: the central directory is the truth, every local header is
 * held against it, and the local entries must tile the bytes before it.
 * Role: walker of plain zips, and reader for formats that are zips
 * (androidota.c). A zip has room for a second opinion in many places (hidden
 * local entries, gaps, prefixes, overlaps, two end records, ZIP64 fields that
 * disagree); a reader that goes from the front sees another archive than one that
 * starts at the end, so each of these is told.
 *
 * Guarantees: entries handed out lie inside the container and before the
 * directory; memory is the directory's size and about as much again.
 */
#ifndef FG_IMAGES_ZIP_H
#define FG_IMAGES_ZIP_H

#include "images/walk.h"

#define ZIP_ENTRIES_MAX WALK_MEMBERS_MAX
#define ZIP_DIRECTORY_MAX (64u << 20) /* of bytes: 200000 entries with long names */
#define ZIP_END_LEN 22u               /* end record without its comment */
#define ZIP_COMMENT_MAX 65535u

enum zip_kind {
	ZIP_UNUSABLE = 0, /* contradicts itself, lies outside or over another entry: told, not to be read */
	ZIP_OPAQUE,       /* encrypted, or packed in a way nobody here unpacks */
	ZIP_FOLDER,
	ZIP_FILE,
	ZIP_LINK, /* a symbolic link: its bytes are the target */
};

struct zip_entry {
	enum zip_kind kind;
	struct view name; /* as the directory spells it; hostile; borrowed from the zip */
	uint16_t flags, method;
	uint32_t crc, attributes; /* external ones; Unix mode in the upper half where unix is set */
	bool unix_made;
	uint64_t header; /* offset of the local header, at most the directory's, ... */
	uint64_t data;   /* ... of the packed bytes, ... */
	uint64_t end;    /* ... and where the entry ends, with its data descriptor */
	uint64_t packed, size;
};

struct zip {
	uint8_t *directory;      /* owned */
	struct zip_entry *entry; /* owned; in the directory's order */
	size_t n;
	struct sig_range comment; /* of the archive */
	uint64_t directory_at;    /* in the container: from here on there are directory and end records. 0: none was found */
};

/*
 * Reads and judges the structure of w->image; whatever is wrong is raised, and
 * what is left is still listed. 0 or local failure. zip_close() in either case.
 */
int zip_open(struct walk *w, struct zip *ret);
void zip_close(struct zip *z);
/* The one file of that name; NULL when there is none that can be read. */
const struct zip_entry *zip_find(const struct zip *z, const char *name);
/*
 * The expanded bytes of a small file, NUL behind them: malloc'ed into
 * *ret_bytes. FG_EFORMAT when they are longer than max, damaged, or not of the
 * size and CRC-32 that the directory gives (walk_member() tells that).
 */
int zip_load(struct walk *w, const struct zip_entry *e, size_t max, uint8_t **ret_bytes, size_t *ret_n);

/* What the caller knows about an entry that the archive does not say. */
struct zip_about {
	struct walk_signed by; /* over the bytes of the whole archive */
	bool inside;
	bool runs;
	bool plain; /* not to be walked in its turn */
	enum digest_alg alg; /* promised for the expanded bytes; DIGEST_NONE: nothing */
	uint8_t digest[DIGEST_LEN_MAX];
};
/* Checks an entry's bytes (CRC-32, exact packing, link target) and lists it through walk_member(). */
int zip_member(struct walk *w, const struct zip_entry *e, const struct zip_about *about,
    struct walk_seen *ret);

/* A plain zip: nothing in it is signed by the format. */
int zip_walk(struct walk *w);

#endif
