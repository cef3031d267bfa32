/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cab_internal - what cab.c (members), cab_layout.c (header, entries) and cab_folder.c (blocks) share, and
 * part_cab.c, which opens what they have read; nobody else.
 */
#ifndef FG_IMAGES_CAB_INTERNAL_H
#define FG_IMAGES_CAB_INTERNAL_H

#include <zlib.h>

#include "images/cab.h"

#define CAB_BLOCK 32768 /* unpacked bytes of every block but a folder's last */

struct cab_folder {
	uint64_t start, end; /* its blocks in the image */
	unsigned blocks;
	bool mszip;
	uint64_t size;    /* unpacked, by its blocks */
	bool whole;       /* every member of it came out and is vouched for */
};

struct cab_file {
	struct view name; /* in the head */
	uint32_t size, start; /* in its folder */
	unsigned folder;
	unsigned attributes;
};

struct cab {
	const struct source *image;
	struct walk *w; /* who is told what is wrong; NULL: nobody */
	uint8_t *head; /* owned, as are: */
	size_t head_n;
	struct cab_folder *folder;
	struct cab_file *file;
	unsigned folders, files;
};

/* Reads header, folders and entries, and goes over the blocks: false with a finding where it cannot go on. */
int cab_layout_read(struct cab *c, bool *ret_ok);
void cab_layout_free(struct cab *c);

/* A folder being unpacked, in order. */
struct cab_stream {
	const struct cab *c;
	const struct cab_folder *folder;
	uint64_t next;  /* block to be read next */
	unsigned block; /* its number */
	uint64_t at;    /* unpacked bytes that were given */
	z_stream z;
	bool inflating;
	size_t n, used; /* of out */
	uint8_t out[CAB_BLOCK], window[CAB_BLOCK];
	uint8_t in[65536];
};

/* NULL without memory. */
struct cab_stream *cab_stream_new(const struct cab *c, const struct cab_folder *f);
void cab_stream_free(struct cab_stream *s);
/* Up to n bytes; 0 at the folder's end, FG_EFORMAT for a damaged block, FG_EIO, FG_ENOMEM. */
long cab_stream_read(struct cab_stream *s, void *buf, size_t n);

#endif
