/* SPDX-License-Identifier: Apache-2.0 */
/*
 * part_spans - files that lie in their file system as they are, in one piece or in
 * many, with holes; folders to be read; and which file was met already under
 * another name.
 * Role: openers of file systems that do not pack (part_ext4.c, part_fat.c), and
 * part_squashfs.c for the names. A file in one piece becomes a window of its file
 * system; one in several is put together in the scratch file, and its pieces are
 * remembered: they are the file's, wherever they lie.
 */
#ifndef FG_IMAGES_PART_SPANS_H
#define FG_IMAGES_PART_SPANS_H

#include "images/part_open.h"

#define PART_SPAN_HOLE UINT64_MAX   /* .at of bytes that are stored nowhere: zeros */
#define PART_SPANS_MAX (1u << 18)   /* of one file: 1 GiB in pieces of one block of 4 KiB */

/* Row of ranges whose bytes are a file's, one after the other; zeroed: none. */
struct part_spans {
	struct part_range *row; /* owned */
	size_t n, cap;
	uint64_t total;         /* bytes of all */
	bool shared;            /* others have some of them too: put together in any case, so that none has what is another's */
};

/* One more, at the end; joined with the last where it goes on there. 0, FG_ENOMEM, FG_ELIMIT (over PART_SPANS_MAX). */
int part_spans_add(struct part_spans *s, uint64_t at, uint64_t length);
/* Makes it empty; its memory is kept. */
void part_spans_clear(struct part_spans *s);
void part_spans_free(struct part_spans *s);
/*
 * A child of self with these bytes; every range lies within self (else FG_ELIMIT, and self is told as damaged).
 * bad: not all of the file, why says (static); NULL: all of it. Its index, or an error as of part_region().
 */
int64_t part_spans_child(struct part_ctx *c, uint32_t self, enum part_kind kind, struct view name,
    const struct part_spans *s, const char *bad);
/* Up to n bytes from off on of what s puts together: how many, 0 at the end; FG_EIO, FG_ELIMIT outside source. */
long part_spans_read(const struct source *source, const struct part_spans *s, uint64_t off, void *buf, size_t n);

/* Folders that are still to be read, in the order of coming. Zeroed: none. */
struct part_folder {
	uint64_t key, above; /* of the opener: which one it is, and in which it lies */
	char *path;          /* "" for the root. Owned by who has it */
};
struct part_folders {
	struct part_folder *row; /* owned, with the paths from head on */
	size_t head, n, cap;
};

/* path is copied up to its first NUL. 0 or FG_ENOMEM. */
int part_folders_push(struct part_folders *f, uint64_t key, uint64_t above, struct view path);
/* The next one, whose path is the caller's to free. false: there is none. */
bool part_folders_pop(struct part_folders *f, struct part_folder *ret);
void part_folders_free(struct part_folders *f);
/*
 * Path of what f has under that name (PART_NAME_MAX bytes at most), '?' for each NUL in it. How long it is.
 * *ret_odd: no device opens it by that name, which is empty, "." or "..", or has a slash or NUL in it.
 */
#define PART_PATH_CAP (2 * PART_NAME_MAX + 1)
size_t part_folder_path(const struct part_folder *f, struct view name, char dst[PART_PATH_CAP], bool *ret_odd);

/* Which child is which file: keys are an inode's number or place. Zeroed: none. */
struct part_same {
	struct { uint64_t key; uint32_t child; } *slot; /* child 0: free. Owned */
	size_t n, cap; /* cap: a power of two */
};

/* The child that was put under key; 0: none. */
uint32_t part_same_find(const struct part_same *m, uint64_t key);
/* child is not 0, key is new. 0 or FG_ENOMEM. */
int part_same_put(struct part_same *m, uint64_t key, uint32_t child);
void part_same_free(struct part_same *m);

#endif
