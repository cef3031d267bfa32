/* SPDX-License-Identifier: Apache-2.0 */
/*
 * part - an image taken apart: a tree of what lies in it, down to single files,
 * every byte of every part within somebody's reach.
 * Role: the explain stage opens the old and the new image into one tree each;
 * pairing (pair.h), accounting (account.h) and the analysers work on it. Openers
 * are one file a group of formats (part_stream.c, part_squashfs.c, ...), entered
 * in part_table.c; what they may call is in part_open.h.
 *
 * Guarantees: the bytes of a part are always a window of a file that can be read
 * at any place: of the image itself where they are stored as they are, of the
 * scratch file where they had to be expanded. Depth, parts, expanded bytes, the
 * size of one expanded file and the ratio are bounded for the whole tree; what a
 * bound keeps from being opened stays in the tree, and .why says so. What an
 * opener leaves between the children of a part becomes a part of its own (or,
 * erased, padding), so that nothing lies in between unseen. Nothing recurses.
 * Names are hostile and are kept as the bytes they are, bounded; whoever prints
 * them escapes them. The tree depends on the image's bytes only.
 */
#ifndef FG_IMAGES_PART_H
#define FG_IMAGES_PART_H

#include "crypto/digest.h"
#include "images/format.h"
#include "images/source.h"

#define PART_DEPTH_MAX 8    /* an inspection's six (SIGNATURES_DELTAS_DIFF 3.3), and a partition table and a slot */
#define PART_COUNT_MAX 200000
#define PART_EXPANDED_MAX ((uint64_t)2 << 30) /* in all */
#define PART_ONE_MAX ((uint64_t)512 << 20)    /* one expanded file */
#define PART_RATIO_MAX 2048 /* of one stream: more is a bomb (deflate's most is 1032) */
#define PART_NAME_MAX 4095  /* a whole path within an archive or file system: PATH_MAX; cut visibly */
#define PART_NAMES_MAX (64u << 20) /* bytes of names and of where links lead, in all: 300 for each of PART_COUNT_MAX */
#define PART_PIECES_MAX (1u << 20) /* ranges that files are put together from, in all: 4 GiB of nodes of a page */
/*
 * Bytes of files that are looked at once more under another name, in all: programs of one file with four hundred names
 * are common, and a name costs a hostile image a few bytes.
 */
#define PART_ALIASED_MAX PART_EXPANDED_MAX
#define PART_NONE_INDEX UINT32_MAX

enum part_kind {
	PART_NONE = 0,
	PART_REGION,  /* a range of its parent by place: partition, image in a row, table, gap */
	PART_STREAM,  /* what a compressed stream expands to */
	PART_FILE,    /* a file of an archive or a file system; .name is its whole path there */
	PART_FOLDER,  /* from here to PART_FIFO: without bytes of their own */
	PART_LINK,    /* target in .link */
	PART_DEVICE,
	PART_FIFO,
	PART_SECTION, /* piece of an ELF or of another structured file */
};

/* How far it was looked into. Zero is the least. */
enum part_look {
	/*
	 * Not looked at, or not to its end: no opener, a limit, a damaged structure;
	 * .why says which. A damaged ELF is judged by its bytes all the same.
	 */
	PART_LOOK_NONE = 0,
	PART_LOOK_OPAQUE,   /* looks like noise and nothing opens it: encrypted or an unknown compression */
	PART_LOOK_DATA,     /* readable bytes of no known format */
	PART_LOOK_ERASED,   /* one byte value throughout, FF or 00 */
	PART_LOOK_KNOWN,    /* format known, nothing found inside to be opened, and no noise */
	PART_LOOK_OPENED,   /* its children tile it, or what they leave is structure that was checked */
};

struct part {
	uint32_t parent, first, next; /* indexes; PART_NONE_INDEX: none */
	uint32_t children;            /* how many: first, first + 1, ..., all greater than their parent's */
	enum part_kind kind;
	enum format_id format;        /* by its bytes; FORMAT_NONE without bytes */
	const char *form;             /* what it is where format has no word for it ("gpt"); NULL. See part_form() */
	enum part_look look;
	char *name;                   /* owned by the tree; "" for the root; bytes as they are, without NUL */
	char *link;                   /* PART_LINK: where to. Owned; NULL otherwise */
	bool inexact;                 /* .name or .link is cut, or '?' stands in it for NUL: it is never the same as another */
	const char *why;              /* static sentence: why it was not opened (further); NULL */
	struct source bytes;          /* window of image or scratch; size 0 where it has none */
	/* ---- where it lies in its parent's bytes: placed, or packed, or neither ---- */
	bool placed;                  /* its bytes lie there as they are, from .at on */
	bool again;                   /* placed, but over a sibling that came before, which has the bytes: none are left here */
	uint64_t at;
	/* Expanded out of this range (several parts may share one); length 0: it is not known where from. */
	uint64_t packed_at, packed_length;
	uint64_t shared_at, shared_length; /* the same for its end, which was packed together with others' */
	uint32_t piece, pieces;       /* or it was put together from these: see parts_piece() */
	bool expanded;                /* bytes are in the scratch file; a hard link shares them with its first name */
	bool partial;                 /* a limit or damage ended its stream: more came, or should have come, than these bytes */
	bool mixed;                   /* what children leave of its bytes is their packed form, not known to whom which */
	uint64_t packed_from, packed_to; /* mixed: but here every byte must be somebody's; what is not is a part. Equal: nowhere */
	uint8_t sha256[DIGEST_SHA256_LEN]; /* of bytes */
	/* ---- of file systems and archives ---- */
	bool have_mode;
	uint32_t mode, uid, gid;      /* mode: 07777 */
	uint64_t rdev;                /* major << 32 | minor */
	bool block;                   /* PART_DEVICE: of blocks, not of characters */
	bool hard;                    /* PART_LINK: one more name of the file there, not a symbolic link */
	bool have_caps;               /* security.capability */
	bool setlabel;                /* any other xattr: told, not interpreted */
	/* ---- the tree's own ---- */
	bool scanned;                 /* cut out of unknown data by what it looks like: not to be searched once more */
	bool closed;                  /* a header or table of its parent, whose magic number it may begin with: not recognised */
	uint32_t structure, structure_n; /* see parts_structure() */
	uint8_t depth;
};

struct parts; /* one image taken apart */

/* A range of a part's bytes. */
struct part_range {
	uint64_t at, length;
};

/*
 * Opens image into a tree. scratch is a regular file or memfd, written from
 * *io_scratch on (grows; shared by both trees of one stage), borrowed like image
 * as long as the tree lives. 0, FG_ENOMEM, FG_EIO (errno ENOSPC or EFBIG: the
 * scratch file is full), FG_ECRYPTO.
 */
int parts_open(const struct source *image, int scratch, uint64_t *io_scratch, struct parts **ret);
void parts_free(struct parts *t);
uint32_t parts_count(const struct parts *t);
/* 0 is the root, the image itself. Aborts for an index that is none. */
const struct part *parts_get(const struct parts *t, uint32_t i);
/* "a/b/c" with the names of all its ancestors, escaped; at most n bytes with the NUL, cut visibly. */
void parts_path(const struct parts *t, uint32_t i, char *dst, size_t n);
/* The k-th range of i's bytes that is the format's own and was checked, k < structure_n; ascending, disjoint. */
struct part_range parts_structure(const struct parts *t, uint32_t i, uint32_t k);
/*
 * The k-th range of its parent's bytes that i was put together from, k < .pieces, in the order in which they
 * were told: what an erase block, an extent or a node holds of it. They may be packed, and others may share them.
 */
struct part_range parts_piece(const struct parts *t, uint32_t i, uint32_t k);
/* How many parts were not opened, or not to their end, because of a limit. */
unsigned parts_limits(const struct parts *t);
/* Has bytes, and nothing was found inside: what pairing and analysers look at. */
bool part_is_leaf(const struct part *p);
/* What it is, in a word of the recogniser's or of part_*.c: "squashfs", "gpt", "raw"; "none" without bytes. */
const char *part_form(const struct part *p);
/* "region", "stream", "file", ...; never NULL. */
const char *part_kind_name(enum part_kind kind);
/* "not-looked-at", "opaque", "data", "erased", "known", "opened"; never NULL. */
const char *part_look_name(enum part_look look);

#endif
