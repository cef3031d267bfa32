/* SPDX-License-Identifier: Apache-2.0 */
/*
 * part_zip - zip archives, by the walkers' own reader: entries that contradict
 * the directory, share bytes or are not spoken of stay bytes of the archive, and
 * so become parts of their own.
 */
#include <stdlib.h>
#include <zlib.h>

#include "crypto/err.h"
#include "crypto/reader.h"
#include "images/part_archive.h"
#include "images/unpack.h"
#include "images/zip.h"

#define LOCAL_HEAD 30 /* bytes of a local header without name and extra fields */
/*
 * Extra fields hold times, owners, alignment (zeros). What holds anything else is
 * shown as a part, and so are longer ones.
 */
#define EXTRA_MAX 64
#define EXTRA_TIMES 0x5455 /* "UT": flags, and a time for each of the lowest three */
#define EXTRA_OWNER 0x7875 /* "ux": version 1, and user and group of four bytes each */
#define EXTRA_OWNER_LEN 11

/* A deflated entry: its size and CRC must be what the directory says. */
struct deflated {
	struct unpack *u;
	const struct zip_entry *e;
	uint64_t out;
	uint32_t crc;
};

static long
read_entry(void *arg, void *buf, size_t n)
{
	struct deflated *d = arg;
	long got = unpack_read(d->u, buf, n);
	if (got > 0) {
		d->out += (uint64_t)got;
		d->crc = (uint32_t)crc32_z(d->crc, buf, (size_t)got);
	}
	if (got == 0 && (d->out != d->e->size || d->crc != d->e->crc || unpack_left(d->u) > 0))
		return FG_EFORMAT;
	return got;
}

static int64_t
add_deflated(struct part_ctx *c, uint32_t self, const struct zip_entry *e)
{
	struct deflated d = { .e = e };
	d.u = unpack_new(UNPACK_DEFLATE, part_bytes(c, self), (struct sig_range){ e->data, e->packed });
	if (!d.u)
		return FG_ENOMEM;
	int64_t i = part_expand(c, self, PART_FILE, e->name, read_entry, &d, e->data, e->packed);
	unpack_free(d.u);
	return i;
}

static int64_t
add_bytes(struct part_ctx *c, uint32_t self, const struct zip_entry *e)
{
	char target[4096]; /* PATH_MAX */
	if (e->kind == ZIP_LINK && e->method == 0 && e->packed <= sizeof target) {
		int64_t i = part_bare(c, self, PART_LINK, e->name);
		int err = i < 0 ? 0 : source_read(part_bytes(c, self), e->data, target, (size_t)e->packed);
		if (i >= 0 && !err)
			err = part_link(c, (uint32_t)i, view_of(target, (size_t)e->packed));
		if (i >= 0 && !err)
			err = part_structure(c, self, e->data, e->packed);
		return err ? err : i;
	}
	if (e->kind == ZIP_OPAQUE || e->method == 0) {
		int64_t i = part_region(c, self, PART_FILE, e->name, e->data, e->packed);
		if (i >= 0 && e->kind == ZIP_OPAQUE)
			part_untold(c, (uint32_t)i, "encrypted, or packed in a way that nothing here unpacks");
		return i;
	}
	return add_deflated(c, self, e);
}

/* Reads the local extra field into p; *ret_all: there is nothing else in it. */
static int
read_extra(const struct part_ctx *c, uint32_t self, const struct zip_entry *e, struct part *p, bool *ret_all)
{
	uint8_t b[EXTRA_MAX];
	uint64_t at = e->header + LOCAL_HEAD + e->name.n;
	size_t n = at < e->data ? (size_t)(e->data - at) : 0;
	*ret_all = n == 0;
	if (n == 0 || e->data - at > sizeof b)
		return 0;
	int err = source_read(part_bytes(c, self), at, b, n);
	for (size_t i = 0; !err && i < n;) {
		struct reader r;
		reader_init(&r, view_of(b + i, n - i));
		unsigned id = reader_u16le(&r), length = reader_u16le(&r);
		if (n - i < 4 || length > n - i - 4)
			return 0;
		const uint8_t *v = b + i + 4;
		if (id == EXTRA_TIMES && length >= 1 && v[0] < 8 &&
		    length == 1 + 4u * ((v[0] & 1) + (v[0] >> 1 & 1) + (v[0] >> 2 & 1)))
			; /* times, as the header has one */
		else if (id == EXTRA_OWNER && length == EXTRA_OWNER_LEN && v[0] == 1 && v[1] == 4 && v[6] == 4) {
			reader_init(&r, view_of(v + 2, 4));
			p->uid = reader_u32le(&r);
			reader_init(&r, view_of(v + 7, 4));
			p->gid = reader_u32le(&r);
		} else
			return 0;
		i += 4 + length;
	}
	*ret_all = !err;
	return err;
}

static int
add(struct part_ctx *c, uint32_t self, const struct zip_entry *e)
{
	int64_t i;
	if (e->kind == ZIP_UNUSABLE || e->kind == ZIP_FOLDER)
		i = e->kind == ZIP_FOLDER ? part_bare(c, self, PART_FOLDER, e->name) : 0;
	else
		i = add_bytes(c, self, e);
	if (i < 0 || e->kind == ZIP_UNUSABLE)
		return i < 0 ? (int)i : 0;
	if (e->unix_made) {
		struct part *p = part_edit(c, (uint32_t)i);
		p->have_mode = true;
		p->mode = e->attributes >> 16 & 07777;
	}
	bool all = false;
	int err = read_extra(c, self, e, part_edit(c, (uint32_t)i), &all);
	if (!err)
		err = part_structure(c, self, e->header,
		    all ? e->data - e->header : LOCAL_HEAD + e->name.n);
	if (!err && e->end > e->data + e->packed) /* the data descriptor, which the reader held against the directory */
		err = part_structure(c, self, e->data + e->packed, e->end - e->data - e->packed);
	return err;
}

/* What the walkers' reader is gone through with: its findings go nowhere, the verify stage told them. */
struct opening {
	struct part_ctx *c;
	uint32_t self;
};

static int
add_all(struct walk *w, void *arg)
{
	struct opening *o = arg;
	struct zip z = { 0 };
	uint64_t end, size = w->image->size;
	int err = zip_open(w, &z);
	if (!err && z.n == 0)
		part_untold(o->c, o->self, "its directory is empty or damaged");
	if (!err && z.n > 0)
		err = part_header(o->c, o->self, "directory", z.directory_at, size - z.directory_at, &end);
	for (size_t i = 0; i < z.n && !err; i++)
		err = add(o->c, o->self, &z.entry[i]);
	zip_close(&z);
	return err;
}

int
part_zip_open(struct part_ctx *c, uint32_t self)
{
	struct opening o = { c, self };
	struct report *unheard = report_new(REPORT_VERIFY);
	if (!unheard)
		return FG_ENOMEM;
	int err = walk_beside(part_bytes(c, self), FORMAT_ZIP, "", NULL, NULL, 0, unheard, add_all, &o);
	report_free(unheard);
	return err;
}
