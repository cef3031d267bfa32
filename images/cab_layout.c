/* SPDX-License-Identifier: Apache-2.0 */
#include "images/cab_internal.h"

#include <inttypes.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/reader.h"

#define HEADER_LEN 36
#define FOLDER_LEN 8
#define ENTRY_LEN 16 /* without its name */
#define BLOCK_HEAD 8
#define PACKED_MAX (CAB_BLOCK + 6144) /* [MS-CAB] 2.4: what an incompressible block may take */

enum { FLAGS_KNOWN = 7, COMPRESS_NONE = 0, COMPRESS_MSZIP = 1 };

/* False, for whoever cannot go on. */
static bool
raise(struct cab *c, enum finding_id id, uint64_t at, const char *what)
{
	if (c->w)
		walk_raise(c->w, id, &at, "%s", what);
	return false;
}

static bool
malformed(struct cab *c, uint64_t at, const char *what)
{
	if (c->w)
		walk_raise(c->w, FINDING_FMT_MALFORMED, &at, "cabinet: %s", what);
	return false;
}

/* First of what the header says, and where the blocks begin: all before that is the head. */
static bool
read_header(struct cab *c, const uint8_t *bytes, uint64_t *ret_files_at)
{
	struct reader r;
	reader_init(&r, view_of(bytes, HEADER_LEN));
	(void)reader_u32(&r);
	bool zeros = reader_u32le(&r) == 0;
	uint64_t size = reader_u32le(&r);
	zeros &= reader_u32le(&r) == 0;
	*ret_files_at = reader_u32le(&r);
	zeros &= reader_u32le(&r) == 0;
	uint8_t minor = reader_u8(&r), major = reader_u8(&r);
	c->folders = reader_u16le(&r);
	c->files = reader_u16le(&r);
	uint16_t flags = reader_u16le(&r);
	if (!zeros || major != 1 || minor != 3)
		return malformed(c, 4, "not of version 1.3, or reserved fields that are not zero");
	if (size > c->image->size)
		return malformed(c, 8, "longer by its header than the file is");
	if (size < c->image->size && c->w)
		walk_raise(c->w, FINDING_FMT_TRAILING_BYTES, &size, "%" PRIu64 " bytes behind the cabinet",
		    c->image->size - size);
	if (flags) {
		if (c->w)
			walk_raise(c->w, FINDING_FMT_UNKNOWN_PART, &(uint64_t){ 30 },
			    flags & ~FLAGS_KNOWN ? "cabinet: unknown flags 0x%x"
			                         : "cabinet: part of a set, or reserved areas (flags 0x%x): not opened",
			    flags);
		return false;
	}
	if (c->folders == 0 || c->folders > CAB_FOLDERS_MAX || c->files == 0 || c->files > CAB_FILES_MAX)
		return malformed(c, 26, "no folders or files, or more than 64 and 4096");
	/* setID and iCabinet, which mean something in a set only. */
	if (reader_u16le(&r) | reader_u16le(&r))
		(void)raise(c, FINDING_FMT_UNKNOWN_PART, 32, "cabinet: numbers of a set that it is not part of");
	return true;
}

static bool
read_folders(struct cab *c, struct reader *r)
{
	for (unsigned i = 0; i < c->folders; i++) {
		struct cab_folder *f = &c->folder[i];
		uint64_t at = r->off;
		f->start = reader_u32le(r);
		f->blocks = reader_u16le(r);
		unsigned how = reader_u16le(r);
		if (how != COMPRESS_NONE && how != COMPRESS_MSZIP) {
			if (c->w)
				walk_raise(c->w, FINDING_FMT_UNKNOWN_PART, &at,
				    "cabinet: packed in way 0x%x, neither stored nor MSZIP: not opened", how);
			return false;
		}
		f->mszip = how == COMPRESS_MSZIP;
	}
	return !r->bad || malformed(c, HEADER_LEN, "folders that leave the file");
}

static bool
read_name(struct reader *r, struct view *ret)
{
	const uint8_t *end = r->n > r->off ? memchr(r->p + r->off, 0, r->n - r->off) : NULL;
	size_t n = end ? (size_t)(end - (r->p + r->off)) : 0;
	if (!end || n > CAB_NAME_MAX)
		return false;
	*ret = reader_take(r, n);
	(void)reader_u8(r);
	return true;
}

/* Entries stand in the order of folders and of their places there, and leave nothing between them. */
static bool
read_files(struct cab *c, struct reader *r)
{
	uint64_t due = 0;
	unsigned folder = 0;
	for (unsigned i = 0; i < c->files; i++) {
		struct cab_file *f = &c->file[i];
		uint64_t at = r->off;
		f->size = reader_u32le(r);
		f->start = reader_u32le(r);
		f->folder = reader_u16le(r);
		(void)reader_u32le(r); /* date and time: nobody reads them */
		f->attributes = reader_u16le(r);
		if (!read_name(r, &f->name) || r->bad)
			return malformed(c, at, "an entry that leaves the head, or a name over 255 bytes");
		if (f->folder == folder + 1 && i > 0) {
			c->folder[folder].size = due;
			folder++;
			due = 0;
		}
		if (f->folder != folder || folder >= c->folders || f->start != due)
			return malformed(c, at, "an entry out of order, or one that overlaps or leaves a gap");
		due += f->size;
	}
	c->folder[folder].size = due;
	return folder + 1 == c->folders || malformed(c, HEADER_LEN, "a folder without files");
}

/* The chain of a folder's blocks: where it ends, and how much it unpacks to. */
static int
go_over_blocks(struct cab *c, struct cab_folder *f, bool *ok)
{
	uint64_t at = f->start, size = 0;
	for (unsigned i = 0; i < f->blocks; i++) {
		uint8_t head[BLOCK_HEAD];
		int err = source_read(c->image, at, head, sizeof head);
		if (err == FG_ELIMIT) {
			*ok = malformed(c, f->start, "blocks that leave the file");
			return 0;
		}
		if (err)
			return err;
		unsigned packed = (unsigned)(head[4] | head[5] << 8), plain = (unsigned)(head[6] | head[7] << 8);
		bool last = i + 1 == f->blocks;
		if (packed == 0 || packed > PACKED_MAX || plain == 0 || plain > CAB_BLOCK ||
		    (plain != CAB_BLOCK && !last) || (!f->mszip && packed != plain)) {
			*ok = malformed(c, at, "a block of a size that it cannot have");
			return 0;
		}
		at += BLOCK_HEAD + packed;
		size += plain;
	}
	f->end = at;
	if (at > c->image->size)
		*ok = malformed(c, f->start, "blocks that leave the file");
	else if (size != f->size)
		*ok = malformed(c, f->start, "blocks that unpack to more or less than the folder's files");
	return 0;
}

static int
go_over_folders(struct cab *c, uint64_t head_end, uint64_t cab_end, bool *ok)
{
	uint64_t due = head_end;
	int err = 0;
	for (unsigned i = 0; i < c->folders && !err && *ok; i++) {
		struct cab_folder *f = &c->folder[i];
		if (f->start != due) {
			*ok = raise(c, FINDING_FMT_HIDDEN_BYTES, due, "cabinet: a folder does not begin where it should");
			return 0;
		}
		err = go_over_blocks(c, f, ok);
		due = f->end;
	}
	if (!err && *ok && due != cab_end)
		*ok = raise(c, FINDING_FMT_HIDDEN_BYTES, due, "cabinet: bytes behind the last folder");
	return err;
}

int
cab_layout_read(struct cab *c, bool *ret_ok)
{
	uint8_t fixed[HEADER_LEN + FOLDER_LEN];
	uint64_t files_at = 0, size = c->image->size;
	struct reader r;
	*ret_ok = false;
	int err = source_read(c->image, 0, fixed, sizeof fixed);
	if (err)
		return err == FG_ELIMIT ? (malformed(c, 0, "shorter than its header"), 0) : err;
	if (!read_header(c, fixed, &files_at))
		return 0;
	size = (uint64_t)fixed[8] | (uint64_t)fixed[9] << 8 | (uint64_t)fixed[10] << 16 | (uint64_t)fixed[11] << 24;
	/* The first folder's blocks begin where the head ends. */
	uint64_t head = (uint64_t)fixed[36] | (uint64_t)fixed[37] << 8 | (uint64_t)fixed[38] << 16 |
	                (uint64_t)fixed[39] << 24;
	if (head < sizeof fixed || head > size || head > CAB_HEAD_MAX)
		return malformed(c, 36, "a head longer than the file, or than 2 MiB"), 0;
	if (files_at != HEADER_LEN + (uint64_t)FOLDER_LEN * c->folders) {
		(void)raise(c, FINDING_FMT_HIDDEN_BYTES, files_at, "cabinet: bytes between folders and entries");
		return 0;
	}
	c->head = malloc((size_t)head);
	if (!c->head)
		return FG_ENOMEM;
	err = source_read(c->image, 0, c->head, (size_t)head);
	if (err)
		return err;
	c->folder = calloc(c->folders, sizeof *c->folder);
	c->file = calloc(c->files, sizeof *c->file);
	if (!c->folder || !c->file)
		return FG_ENOMEM;
	c->head_n = (size_t)head;
	reader_init(&r, view_of(c->head, c->head_n));
	(void)reader_take(&r, HEADER_LEN);
	if (!read_folders(c, &r) || !read_files(c, &r))
		return 0;
	if (!reader_end(&r)) {
		(void)raise(c, FINDING_FMT_HIDDEN_BYTES, r.off, "cabinet: bytes between entries and blocks");
		return 0;
	}
	*ret_ok = true;
	return go_over_folders(c, head, size, ret_ok);
}

void
cab_layout_free(struct cab *c)
{
	free(c->head);
	free(c->folder);
	free(c->file);
}
