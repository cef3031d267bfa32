/* SPDX-License-Identifier: Apache-2.0 */
/*
 * part_stream - compressed streams: what they expand to becomes a part.
 * Role: part_table.c for files that are one stream; part_scan.c for streams that
 * it meets in unknown bytes.
 */
#ifndef FG_IMAGES_PART_STREAM_H
#define FG_IMAGES_PART_STREAM_H

#include "images/part_open.h"
#include "images/unpack.h"

#define PART_STREAM_HEAD 13 /* bytes that part_stream_kind() wants to see; fewer are fewer */

/* gzip, xz, zstd, bzip2, lz4 (frame), jcat: streams of one kind in a row are one. */
part_fn part_stream_open;

/* Which kind of stream begins so, by its magic; UNPACK_LZMA by a header that is plausible. */
enum unpack_kind part_stream_kind(struct view start);
/* "gzip", ...; never NULL. */
const char *part_stream_name(enum unpack_kind kind);
/*
 * Adds what the streams of one kind that begin at at, and end before at + length,
 * expand to. *ret_used is how many bytes they take, 0 when less than least bytes
 * came out of the first one before it proved damaged: then nothing was added.
 * 0; FG_ELIMIT (told), FG_ENOMEM, FG_EIO.
 */
int part_stream_take(struct part_ctx *c, uint32_t self, enum unpack_kind kind, uint64_t at,
    uint64_t length, uint64_t least, uint64_t *ret_used);

#endif
