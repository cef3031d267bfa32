/* SPDX-License-Identifier: Apache-2.0 */
#include "images/zip.h"

#include <inttypes.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "images/zip_internal.h"

#define CENTRAL_LEN 46u
#define END64_LEN 56u      /* version 1 of the ZIP64 end record, whole */
#define LOCATOR64_LEN 20u
#define MADE_BY_UNIX 3u

/* What the end records say. */
struct end {
	uint64_t at;    /* the end record */
	uint64_t limit; /* where the directory has to end: at it, or at the ZIP64 one before it */
	uint64_t entries, size, offset;
	bool found;
};

/* ---- the end record ---- */

/*
 * A reader looks for the end record from the back, and its comment ends the
 * file. So the last "PK\5\6" of the file must be the one whose comment does, or
 * two readers find two archives.
 */
static void
choose_end(struct walk *w, struct view tail, uint64_t base, struct end *e)
{
	size_t exact = SIZE_MAX, last = SIZE_MAX, first = SIZE_MAX;
	for (size_t i = 0; i + 4 <= tail.n; i++) {
		if (memcmp(tail.p + i, "PK\5\6", 4) != 0)
			continue;
		last = i;
		if (i + ZIP_END_LEN > tail.n)
			continue;
		size_t comment = tail.p[i + 20] | (size_t)tail.p[i + 21] << 8;
		if (i + ZIP_END_LEN + comment != tail.n)
			continue;
		exact = i;
		first = first == SIZE_MAX ? i : first;
	}
	uint64_t place = base + last;
	if (exact == SIZE_MAX && last != SIZE_MAX && last + ZIP_END_LEN <= tail.n) {
		size_t comment = tail.p[last + 20] | (size_t)tail.p[last + 21] << 8;
		uint64_t after = place + ZIP_END_LEN + comment;
		if (after < base + tail.n)
			walk_raise(w, FINDING_FMT_TRAILING_BYTES, &after,
			    "%" PRIu64 " bytes behind the end of the archive",
			    base + tail.n - after);
		else
			walk_raise(w, FINDING_FMT_MALFORMED, &place,
			    "the archive's comment is said to be longer than the file");
		exact = after < base + tail.n ? last : SIZE_MAX;
	} else if (exact == SIZE_MAX) {
		walk_raise(w, FINDING_FMT_MALFORMED, NULL, "no end of central directory");
	} else if (first != last) {
		walk_raise(w, FINDING_FMT_CONFLICT, &place,
		    "a second end of central directory at byte %" PRIu64
		    ", inside the comment of the one at byte %" PRIu64,
		    place, base + first);
	}
	e->found = exact != SIZE_MAX;
	e->at = base + exact;
}

static bool
differs64(uint64_t narrow, uint64_t sentinel, uint64_t wide)
{
	return narrow != sentinel && narrow != wide;
}

/* The ZIP64 end record that the locator before the end record points at (APPNOTE 4.3.14, 4.3.15). */
static int
read_end64(struct walk *w, struct end *e)
{
	uint8_t l[LOCATOR64_LEN], b[END64_LEN];
	struct reader r;
	if (e->at < sizeof l)
		return 0;
	int err = source_read(w->image, e->at - sizeof l, l, sizeof l);
	if (err || memcmp(l, "PK\6\7", 4) != 0)
		return err;
	reader_init(&r, view_of(l + 4, sizeof l - 4));
	uint32_t disk = reader_u32le(&r);
	uint64_t at = reader_u64le(&r), locator = e->at - sizeof l;
	uint32_t disks = reader_u32le(&r);
	e->limit = locator;
	if (disk != 0 || disks > 1 || at > locator || locator - at < sizeof b) {
		walk_raise(w, FINDING_FMT_CONFLICT, &locator,
		    "the ZIP64 locator points to no ZIP64 end record");
		e->found = false;
		return 0;
	}
	err = source_read(w->image, at, b, sizeof b);
	if (err)
		return err;
	reader_init(&r, view_of(b, sizeof b));
	bool magic = view_equal(reader_take(&r, 4), view_of("PK\6\6", 4));
	uint64_t length = reader_u64le(&r);
	(void)reader_u32le(&r); /* versions */
	uint32_t this_disk = reader_u32le(&r), its_disk = reader_u32le(&r);
	uint64_t here = reader_u64le(&r), entries = reader_u64le(&r), size = reader_u64le(&r),
	         offset = reader_u64le(&r);
	e->limit = at;
	if (!magic || length != locator - at - 12 || this_disk || its_disk || here != entries) {
		walk_raise(w, FINDING_FMT_CONFLICT, &at,
		    "the ZIP64 end record does not reach from where the locator says to the locator");
		e->found = false;
	} else if (differs64(e->entries, ZIP_IS64_SHORT, entries) ||
	           differs64(e->size, ZIP_IS64, size) || differs64(e->offset, ZIP_IS64, offset)) {
		walk_raise(w, FINDING_FMT_CONFLICT, &at,
		    "the end record speaks of %" PRIu64 " entries in %" PRIu64 " bytes at %" PRIu64
		    ", the ZIP64 one of %" PRIu64 " in %" PRIu64 " at %" PRIu64,
		    e->entries, e->size, e->offset, entries, size, offset);
		e->found = false;
	}
	if (length > sizeof b - 12)
		walk_raise(w, FINDING_FMT_UNKNOWN_PART, &at,
		    "%" PRIu64 " bytes of extensible data in the ZIP64 end record",
		    length - (sizeof b - 12));
	e->entries = entries;
	e->size = size;
	e->offset = offset;
	return 0;
}

/* Where the directory is: right before the end records, and where they say. */
static int
read_end(struct walk *w, struct end *e, struct zip *z)
{
	uint8_t b[ZIP_END_LEN];
	struct reader r;
	int err = source_read(w->image, e->at, b, sizeof b);
	if (err)
		return err;
	reader_init(&r, view_of(b + 4, sizeof b - 4));
	uint16_t disk = reader_u16le(&r), its_disk = reader_u16le(&r), here = reader_u16le(&r);
	e->entries = reader_u16le(&r);
	e->size = reader_u32le(&r);
	e->offset = reader_u32le(&r);
	e->limit = e->at;
	z->comment = (struct sig_range){ e->at + ZIP_END_LEN, reader_u16le(&r) };
	if (disk || its_disk || here != e->entries) {
		walk_raise(w, FINDING_FMT_MALFORMED, &e->at, "an archive of several disks");
		e->found = false;
		return 0;
	}
	err = read_end64(w, e);
	if (err || !e->found)
		return err;
	uint64_t gap = e->limit - e->size;
	if (e->size > e->limit || e->offset > e->limit - e->size) {
		walk_raise(w, FINDING_FMT_MALFORMED, &e->at,
		    "the directory, %" PRIu64 " bytes at %" PRIu64
		    ", does not lie before the end record at %" PRIu64,
		    e->size, e->offset, e->limit);
		e->found = false;
	} else if (gap != e->offset) {
		walk_raise(w, FINDING_FMT_CONFLICT, &e->offset,
		    "the directory ends at byte %" PRIu64 ", the end record stands at %" PRIu64
		    ": readers that count from the back see other entries",
		    e->offset + e->size, e->limit);
	}
	return 0;
}

static int
find_end(struct walk *w, struct end *ret, struct zip *z)
{
	size_t n = ZIP_END_LEN + ZIP_COMMENT_MAX;
	if (w->image->size < n)
		n = (size_t)w->image->size;
	uint8_t *tail = malloc(n ? n : 1);
	*ret = (struct end){ 0 };
	if (!tail)
		return FG_ENOMEM;
	int err = source_read(w->image, w->image->size - n, tail, n);
	if (!err)
		choose_end(w, view_of(tail, n), w->image->size - n, ret);
	free(tail);
	return err || !ret->found ? err : read_end(w, ret, z);
}

/* ---- the directory ---- */

static enum zip_kind
kind_of(const struct zip_entry *e)
{
	uint32_t mode = e->unix_made ? e->attributes >> 16 & 0170000 : 0;
	if (e->flags & (ZIP_FLAG_ENCRYPTED | ZIP_FLAG_STRONG | ZIP_FLAG_MASKED) || e->method == 99)
		return ZIP_OPAQUE;
	if (e->method != 0 && e->method != 8)
		return ZIP_OPAQUE;
	if (mode == 0120000)
		return ZIP_LINK;
	return e->name.n > 0 && e->name.p[e->name.n - 1] == '/' ? ZIP_FOLDER : ZIP_FILE;
}

/* One record of the directory (APPNOTE 4.3.12). NULL, or why it is none. */
static const char *
read_central(struct reader *r, struct zip_entry *e, uint64_t *comments)
{
	struct zip_extra x;
	const char *why = NULL;
	if (!view_equal(reader_take(r, 4), view_of("PK\1\2", 4)))
		return "no directory entry where one must be";
	e->unix_made = reader_u16le(r) >> 8 == MADE_BY_UNIX;
	(void)reader_u16le(r); /* version needed */
	e->flags = reader_u16le(r);
	e->method = reader_u16le(r);
	(void)reader_u32le(r); /* time and date: say nothing about bytes */
	e->crc = reader_u32le(r);
	e->packed = reader_u32le(r);
	e->size = reader_u32le(r);
	size_t name_n = reader_u16le(r), extra_n = reader_u16le(r), comment_n = reader_u16le(r);
	uint64_t disk = reader_u16le(r);
	(void)reader_u16le(r); /* internal attributes: text or not */
	e->attributes = reader_u32le(r);
	e->header = reader_u32le(r);
	e->name = reader_take(r, name_n);
	struct view extra = reader_take(r, extra_n);
	(void)reader_take(r, comment_n);
	*comments += comment_n;
	if (r->bad)
		return "a directory entry that leaves the directory";
	if (!zip_extra_parse(extra, &x, &why))
		return why;
	uint64_t *wide[] = { &e->size, &e->packed, &e->header };
	if (!zip_extra_values(&x, wide, 3))
		return "a ZIP64 field that does not fit the values it stands for";
	if (!zip_extra_name_fits(&x, e->name))
		return "a Unicode name that is another one than the entry's name";
	if (disk != 0)
		return "an entry on another disk";
	e->kind = x.encrypted ? ZIP_OPAQUE : kind_of(e);
	return NULL;
}

static int
read_directory(struct walk *w, const struct end *e, struct zip *z)
{
	struct reader r;
	uint64_t comments = 0, at = e->offset;
	if (e->size > ZIP_DIRECTORY_MAX || e->entries > ZIP_ENTRIES_MAX) {
		walk_raise(w, FINDING_FMT_WALK_LIMIT, &at,
		    "a directory of %" PRIu64 " entries in %" PRIu64 " bytes", e->entries, e->size);
		return 0;
	}
	if (e->entries > e->size / CENTRAL_LEN) {
		walk_raise(w, FINDING_FMT_CONFLICT, &at,
		    "%" PRIu64 " entries cannot lie in a directory of %" PRIu64 " bytes",
		    e->entries, e->size);
		return 0;
	}
	z->entry = calloc(e->entries ? (size_t)e->entries : 1, sizeof *z->entry);
	int err = z->entry ? walk_load(w, (struct sig_range){ at, e->size }, ZIP_DIRECTORY_MAX,
	                         &z->directory)
	                   : FG_ENOMEM;
	if (err)
		return err;
	reader_init(&r, view_of(z->directory, (size_t)e->size));
	while (z->n < e->entries) {
		at = e->offset + r.off;
		const char *why = read_central(&r, &z->entry[z->n], &comments);
		if (why) {
			walk_raise(w, FINDING_FMT_MALFORMED, &at, "directory entry %zu: %s", z->n + 1,
			    why);
			return 0;
		}
		z->n++;
	}
	at = e->offset + r.off;
	if (reader_left(&r) > 0)
		walk_raise(w, FINDING_FMT_CONFLICT, &at,
		    "%zu bytes of the directory come after its %" PRIu64 " entries",
		    reader_left(&r), e->entries);
	if (comments > 0)
		walk_raise(w, FINDING_FMT_UNKNOWN_PART, &e->offset,
		    "comments of %" PRIu64 " bytes at entries of the directory", comments);
	return 0;
}

/*
 * An offset can be any number of 64 bits. One that is no place before the
 * directory is told here, and put where the directory begins, so that nobody
 * reads there or names it as a place in a finding.
 */
static void
check_headers(struct walk *w, struct zip *z, uint64_t directory_at)
{
	for (size_t i = 0; i < z->n; i++) {
		struct zip_entry *e = &z->entry[i];
		if (e->header < directory_at)
			continue;
		walk_raise(w, FINDING_FMT_CONFLICT, &directory_at,
		    "%.*s: it is said to begin at byte %" PRIu64 ", behind the entries",
		    (int)(e->name.n < 120 ? e->name.n : 120), (const char *)e->name.p, e->header);
		e->kind = ZIP_UNUSABLE;
		e->header = directory_at;
	}
}

static int
by_name(const void *a, const void *b)
{
	const struct zip_entry *const *x = a, *const *y = b;
	size_t n = (*x)->name.n < (*y)->name.n ? (*x)->name.n : (*y)->name.n;
	int c = n ? memcmp((*x)->name.p, (*y)->name.p, n) : 0;
	return c ? c : ((*x)->name.n > (*y)->name.n) - ((*x)->name.n < (*y)->name.n);
}

static int
check_names(struct walk *w, const struct zip *z)
{
	const struct zip_entry **sorted = calloc(z->n ? z->n : 1, sizeof *sorted);
	if (!sorted)
		return FG_ENOMEM;
	for (size_t i = 0; i < z->n; i++)
		sorted[i] = &z->entry[i];
	qsort(sorted, z->n, sizeof *sorted, by_name);
	for (size_t i = 1; i < z->n; i++)
		if (view_equal(sorted[i - 1]->name, sorted[i]->name))
			walk_raise(w, FINDING_FMT_DUPLICATE, &sorted[i]->header, "the name %.*s",
			    (int)(sorted[i]->name.n < 120 ? sorted[i]->name.n : 120),
			    (const char *)sorted[i]->name.p);
	free(sorted);
	return 0;
}

int
zip_open(struct walk *w, struct zip *ret)
{
	struct end e;
	*ret = (struct zip){ 0 };
	int err = find_end(w, &e, ret);
	if (err || !e.found)
		return err;
	ret->directory_at = e.offset;
	err = read_directory(w, &e, ret);
	if (!err) {
		check_headers(w, ret, e.offset);
		err = check_names(w, ret);
	}
	return err ? err : zip_entries_check(w, ret, e.offset);
}

void
zip_close(struct zip *z)
{
	free(z->directory);
	free(z->entry);
	*z = (struct zip){ 0 };
}

const struct zip_entry *
zip_find(const struct zip *z, const char *name)
{
	for (size_t i = 0; i < z->n; i++)
		if (z->entry[i].kind == ZIP_FILE && view_is(z->entry[i].name, name))
			return &z->entry[i];
	return NULL;
}
