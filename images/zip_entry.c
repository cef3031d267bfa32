/* SPDX-License-Identifier: Apache-2.0 */
/* zip_entry - extra fields, and local entries held against the central directory. */
#include "images/zip_internal.h"

#include <inttypes.h>
#include <stdlib.h>

#include "crypto/err.h"

#define LOCAL_LEN 30u
#define LOCAL_MAX (LOCAL_LEN + 2 * 65535u)
#define FLAG_HINTS 0x0006u /* how hard the packer tried: says nothing to a reader */
#define ALIGN_MAX 3u       /* zero bytes that zipalign leaves behind the last extra field */
#define DESCRIPTOR_MAX 24u

enum { EXTRA_ZIP64 = 0x0001, EXTRA_STRONG = 0x0017, EXTRA_PATH = 0x7075, EXTRA_AES = 0x9901 };

/* ---- extra fields ---- */

static bool
only_zeros(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i])
			return false;
	return true;
}

bool
zip_extra_parse(struct view block, struct zip_extra *ret, const char **ret_why)
{
	struct reader r;
	*ret = (struct zip_extra){ 0 };
	reader_init(&r, block);
	while (reader_left(&r) > 0) {
		struct view rest = view_of(block.p + r.off, block.n - r.off);
		if (rest.n <= ALIGN_MAX && only_zeros(rest))
			return true;
		uint16_t id = reader_u16le(&r);
		struct view body = reader_take(&r, reader_u16le(&r));
		if (r.bad) {
			*ret_why = "an extra field that is longer than its block";
			return false;
		}
		bool again = (id == EXTRA_ZIP64 && ret->have64) || (id == EXTRA_PATH && ret->have_name);
		if (again) {
			*ret_why = "an extra field that is there twice";
			return false;
		}
		if (id == EXTRA_ZIP64) {
			ret->have64 = true;
			ret->zip64 = body;
		} else if (id == EXTRA_PATH) {
			ret->have_name = true;
			ret->name = body;
		}
		ret->encrypted = ret->encrypted || id == EXTRA_AES || id == EXTRA_STRONG;
	}
	return true;
}

bool
zip_extra_values(const struct zip_extra *x, uint64_t *value[], unsigned n)
{
	struct reader r;
	reader_init(&r, x->zip64);
	for (unsigned i = 0; i < n; i++)
		if (*value[i] == ZIP_IS64 && x->have64)
			*value[i] = reader_u64le(&r);
	return reader_end(&r);
}

/* Version 1, CRC-32 of the header's name, the name in UTF-8 (APPNOTE 4.6.9). */
bool
zip_extra_name_fits(const struct zip_extra *x, struct view name)
{
	if (!x->have_name)
		return true;
	return x->name.n == 5 + name.n && memcmp(x->name.p + 5, name.p, name.n) == 0;
}

/* ---- one local header ---- */

/* What a local header says differently than the directory; NULL when nothing. */
static const char *
contradiction(const struct zip_entry *e, struct reader *r, uint64_t *ret_length)
{
	struct zip_extra x;
	const char *why = NULL;
	if (!view_equal(reader_take(r, 4), view_of("PK\3\4", 4)))
		return "there is no local header";
	(void)reader_u16le(r); /* version needed */
	uint16_t flags = reader_u16le(r), method = reader_u16le(r);
	(void)reader_u32le(r); /* time and date */
	uint32_t crc = reader_u32le(r);
	uint64_t packed = reader_u32le(r), size = reader_u32le(r);
	size_t name_n = reader_u16le(r), extra_n = reader_u16le(r);
	struct view name = reader_take(r, name_n), extra = reader_take(r, extra_n);
	if (r->bad)
		return "its local header reaches into the next entry or the directory";
	*ret_length = r->off;
	if (!zip_extra_parse(extra, &x, &why))
		return why;
	uint64_t *wide[] = { &size, &packed };
	if (!zip_extra_values(&x, wide, 2))
		return "a ZIP64 field that does not fit the values it stands for";
	if (!view_equal(name, e->name) || !zip_extra_name_fits(&x, e->name))
		return "another name";
	if ((flags | FLAG_HINTS) != (e->flags | FLAG_HINTS))
		return "other flags";
	if (method != e->method)
		return "another method";
	/* With a descriptor the three may be left out here, all or each, but not differ. */
	bool open = flags & ZIP_FLAG_DESCRIPTOR;
	if (size != e->size && !(open && size == 0))
		return "another size";
	if (packed != e->packed && !(open && packed == 0))
		return "another packed size";
	if (crc != e->crc && !(open && crc == 0))
		return "another CRC-32";
	return NULL;
}

/* Nothing is read from next on, where another entry begins, so that no byte is read for two. */
static int
check_local(struct walk *w, struct zip_entry *e, uint8_t *buf, uint64_t next, uint64_t directory_at)
{
	struct reader r;
	uint64_t length = 0;
	/* The fixed part first: it says how long the rest is. */
	size_t n = LOCAL_LEN;
	uint64_t room = next - e->header;
	for (unsigned pass = 0; pass < 2; pass++) {
		if (n > room)
			n = (size_t)room;
		int err = source_read(w->image, e->header, buf, n);
		if (err)
			return err;
		if (n >= LOCAL_LEN)
			n = LOCAL_LEN + (buf[26] | (size_t)buf[27] << 8) + (buf[28] | (size_t)buf[29] << 8);
	}
	if (n > room)
		n = (size_t)room;
	reader_init(&r, view_of(buf, n));
	const char *why = contradiction(e, &r, &length);
	room = directory_at - e->header;
	if (!why && (e->packed > room || length > room - e->packed))
		why = "its bytes reach into the directory";
	if (!why && e->method == 0 && e->kind != ZIP_OPAQUE && e->packed != e->size)
		why = "stored, and yet of two sizes";
	if (!why && e->kind == ZIP_FOLDER && e->size > 0)
		why = "a folder with bytes of its own";
	/* To walk_member() it means that nobody said a size, and then nothing is held against one. */
	if (!why && e->size == UINT64_MAX)
		why = "a size that no file has";
	if (why) {
		walk_raise(w, FINDING_FMT_CONFLICT, &e->header, "%.*s: %s",
		    (int)(e->name.n < 120 ? e->name.n : 120), (const char *)e->name.p, why);
		e->kind = ZIP_UNUSABLE;
		length = 0;
	}
	e->data = e->header + length;
	e->end = e->data + (why ? 0 : e->packed);
	return 0;
}

/* ---- tiling ---- */

/*
 * The data descriptor that fills the n bytes behind an entry: with or without
 * its signature, with 32- or 64-bit sizes (APPNOTE 4.3.9). 0 when it is none.
 */
static size_t
descriptor(const struct zip_entry *e, struct view v)
{
	static const struct {
		size_t length;
		bool magic, wide;
	} form[] = { { 16, true, false }, { 12, false, false }, { 24, true, true }, { 20, false, true } };
	for (unsigned i = 0; i < sizeof form / sizeof form[0]; i++) {
		struct reader r;
		reader_init(&r, v);
		if (v.n < form[i].length ||
		    (form[i].magic && !view_equal(reader_take(&r, 4), view_of("PK\7\10", 4))))
			continue;
		uint32_t crc = reader_u32le(&r);
		uint64_t packed = form[i].wide ? reader_u64le(&r) : reader_u32le(&r);
		uint64_t size = form[i].wide ? reader_u64le(&r) : reader_u32le(&r);
		if (crc == e->crc && packed == e->packed && size == e->size)
			return form[i].length;
	}
	return 0;
}

/* What lies between the end of an entry's bytes and the next entry. */
static int
check_after(struct walk *w, struct zip_entry *e, uint64_t next)
{
	uint8_t b[DESCRIPTOR_MAX];
	uint64_t gap = next - e->end;
	size_t n = gap < sizeof b ? (size_t)gap : sizeof b;
	int err = source_read(w->image, e->end, b, n);
	if (err)
		return err;
	if (e->kind != ZIP_UNUSABLE && e->flags & ZIP_FLAG_DESCRIPTOR) {
		size_t length = descriptor(e, view_of(b, n));
		if (!length)
			walk_raise(w, FINDING_FMT_CONFLICT, &e->end,
			    "%.*s: its data descriptor does not say what the directory says",
			    (int)(e->name.n < 120 ? e->name.n : 120), (const char *)e->name.p);
		e->end += length;
		gap -= length;
		memmove(b, b + length, n - length);
		n -= length;
	}
	if (gap > 0 && e->kind != ZIP_UNUSABLE)
		walk_raise(w, FINDING_FMT_HIDDEN_BYTES, &e->end,
		    "%" PRIu64 " bytes between entries that the directory does not speak of%s", gap,
		    n >= 4 && memcmp(b, "PK\3\4", 4) == 0 ? ": an entry of their own" : "");
	return 0;
}

static int
by_place(const void *a, const void *b)
{
	const struct zip_entry *const *x = a, *const *y = b;
	int c = ((*x)->header > (*y)->header) - ((*x)->header < (*y)->header);
	return c ? c : (*x > *y) - (*x < *y); /* then the directory's order */
}

/*
 * Of entries with one local header only the first stays, before anything of it
 * is read: or each of 200000 would have the same 128 KiB read for itself. How
 * many are left in sorted.
 */
static size_t
drop_shared(struct walk *w, struct zip_entry **sorted, size_t n, uint64_t directory_at)
{
	size_t kept = 0;
	for (size_t i = 0; i < n && sorted[i]->header < directory_at; i++) {
		struct zip_entry *e = sorted[i];
		if (kept == 0 || sorted[kept - 1]->header != e->header) {
			sorted[kept++] = e;
			continue;
		}
		walk_raise(w, FINDING_FMT_CONFLICT, &e->header,
		    "%.*s: its local header is another entry's too",
		    (int)(e->name.n < 120 ? e->name.n : 120), (const char *)e->name.p);
		e->kind = ZIP_UNUSABLE;
	}
	return kept;
}

/* Every byte before the directory belongs to exactly one entry. */
static int
tile(struct walk *w, struct zip_entry **sorted, size_t n, uint64_t directory_at)
{
	uint64_t first = n > 0 ? sorted[0]->header : directory_at, zero = 0;
	int err = 0;
	if (first > 0)
		walk_raise(w, FINDING_FMT_HIDDEN_BYTES, &zero,
		    "%" PRIu64 " bytes before the first entry that the directory speaks of", first);
	for (size_t i = 0; i < n && !err; i++) {
		uint64_t next = i + 1 < n ? sorted[i + 1]->header : directory_at;
		if (sorted[i]->end > next) {
			walk_raise(w, FINDING_FMT_CONFLICT, &sorted[i]->header,
			    "entries lie over each other: %.*s reaches %" PRIu64
			    " bytes into the next one",
			    (int)(sorted[i]->name.n < 120 ? sorted[i]->name.n : 120),
			    (const char *)sorted[i]->name.p, sorted[i]->end - next);
			/* Unpacking both is what a bomb is made of. */
			sorted[i]->kind = ZIP_UNUSABLE;
		} else {
			err = check_after(w, sorted[i], next);
		}
	}
	return err;
}

int
zip_entries_check(struct walk *w, struct zip *z, uint64_t directory_at)
{
	struct zip_entry **sorted = calloc(z->n ? z->n : 1, sizeof *sorted);
	uint8_t *buf = malloc(LOCAL_MAX);
	int err = sorted && buf ? 0 : FG_ENOMEM;
	size_t n = 0;
	for (size_t i = 0; i < z->n && !err; i++)
		sorted[i] = &z->entry[i];
	if (!err) {
		qsort(sorted, z->n, sizeof *sorted, by_place);
		n = drop_shared(w, sorted, z->n, directory_at);
	}
	for (size_t i = 0; i < n && !err; i++)
		err = check_local(w, sorted[i], buf, i + 1 < n ? sorted[i + 1]->header : directory_at,
		    directory_at);
	if (!err)
		err = tile(w, sorted, n, directory_at);
	free(sorted);
	free(buf);
	return err;
}
