/* SPDX-License-Identifier: Apache-2.0 */
/* part_cab - the files of a cabinet, as its walker reads them (cab.h). */
#include <stdlib.h>

#include "crypto/err.h"
#include "images/cab_internal.h"
#include "images/part_archive.h"

/* A folder's files lie behind each other in one stream. */
struct reading {
	struct cab_stream *stream;
	uint64_t left; /* of the file at hand */
	int failed;    /* what ended the stream: all that follows has no bytes */
};

static long
read_file(void *arg, void *buf, size_t n)
{
	struct reading *r = arg;
	if (r->left == 0)
		return 0;
	if (r->failed)
		return r->failed;
	long got = cab_stream_read(r->stream, buf, n < r->left ? n : (size_t)r->left);
	if (got <= 0) {
		r->failed = got ? (int)got : FG_EFORMAT;
		return r->failed;
	}
	r->left -= (uint64_t)got;
	return got;
}

/* Passes over what a bound kept from coming out. */
static int
pass(struct reading *r)
{
	uint8_t skipped[4096];
	while (r->left > 0 && !r->failed) {
		long got = read_file(r, skipped, sizeof skipped);
		if (got < 0 && got != FG_EFORMAT)
			return (int)got;
	}
	return 0;
}

static int
add_folder(struct part_ctx *c, uint32_t self, const struct cab *cab, unsigned k)
{
	const struct cab_folder *folder = &cab->folder[k];
	struct reading r = { .stream = cab_stream_new(cab, folder) };
	int err = r.stream ? 0 : FG_ENOMEM;
	for (unsigned i = 0; i < cab->files && !err; i++) {
		const struct cab_file *f = &cab->file[i];
		if (f->folder != k)
			continue;
		/* Folders end with a backslash in a cabinet ([MS-CAB] 2.2): a path like any other's. */
		char path[CAB_NAME_MAX];
		for (size_t b = 0; b < f->name.n && b < sizeof path; b++)
			path[b] = f->name.p[b] == '\\' ? '/' : (char)f->name.p[b];
		r.left = f->size;
		int64_t child = part_expand(c, self, PART_FILE, view_of(path, f->name.n), read_file, &r, folder->start,
		    folder->end - folder->start);
		err = child < 0 ? (int)child : pass(&r);
	}
	cab_stream_free(r.stream);
	return err;
}

int
part_cab_open(struct part_ctx *c, uint32_t self)
{
	struct cab cab = { .image = part_bytes(c, self) };
	bool ok = false;
	uint64_t end;
	int err = cab_layout_read(&cab, &ok);
	if (!err && !ok)
		part_untold(c, self, "its header or its blocks are damaged, or of a form that is not read");
	/* Names, sizes and times: shown as they are. */
	if (!err && ok)
		err = part_header(c, self, "entries", 0, cab.head_n, &end);
	for (unsigned k = 0; k < cab.folders && !err && ok; k++)
		err = add_folder(c, self, &cab, k);
	cab_layout_free(&cab);
	return err;
}
