/* SPDX-License-Identifier: Apache-2.0 */
/*
 * part_fat - the files of a FAT12, FAT16 or FAT32 file system.
 *
 * Structure is what was read and decides nothing that is not shown with a file: entries (their times with them), and
 * the allocation tables, but only as a whole: where every cluster is either in the chain of something that has a
 * name, or free. The boot sector is a part. Everything else is a gap and so a part too: deleted entries, labels, short names that
 * are not what a long one gives, attributes that are not told, lost chains, what lies behind the end of a file.
 */
#include "images/part_fat.h"

#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/reader.h"
#include "images/fat.h"
#include "images/part_spans.h"

#define DELETED 0xe5
#define CASE_BITS 0x18u /* of byte 12 */

static const char bound[] = "a bound kept its file system from being read to its end";
static const char damaged[] = "its file system is damaged";

struct opener {
	struct part_ctx *c;
	uint32_t self;
	struct fat fs;
	uint8_t *used;           /* a bit for each cluster: it is in a chain of something that has a name */
	struct part_spans spans; /* of the chain at hand */
	struct part_folders folders; /* key: first cluster, 0: the root where it has a place of its own */
	struct fat_long name;    /* that comes together */
	uint64_t name_at[FAT_LONG_MAX]; /* places of its entries, as they come */
	char text[FAT_NAME_MAX]; /* the same, as it is shown */
	char path[PART_PATH_CAP];
};

/* ---- chains ---- */

static bool
is_used(const struct opener *o, uint32_t n)
{
	return (o->used[(n - 2) / 8] >> (n - 2) % 8 & 1) != 0;
}

/* All of a chain, however long: a folder's. */
#define TO_ITS_END UINT64_MAX

/*
 * The chain from first on, up to size bytes, into o->spans. Clusters that something else has already are read all
 * the same, as a device would, but not as a folder's. *ret_bad: why it is not whole, NULL. 0 or an error, which is no bound.
 */
static int
chain(struct opener *o, uint32_t first, uint64_t size, const char **ret_bad)
{
	bool folder = size == TO_ITS_END;
	uint64_t left = folder ? FAT_FOLDER_MAX : size;
	uint32_t n = first;
	int err = 0;
	*ret_bad = NULL;
	part_spans_clear(&o->spans);
	for (uint32_t steps = 0; left > 0 && !err && !(folder && n == FAT_END); steps++) {
		if (n == FAT_END || !fat_is_cluster(&o->fs, n) || steps == o->fs.clusters) {
			*ret_bad = n == FAT_END ? "it is longer than its chain of clusters" : "its chain of clusters is damaged";
			break;
		}
		if (is_used(o, n)) {
			part_untold(o->c, o->self, "clusters of its file system belong to two files, or twice to one");
			*ret_bad = "clusters of it are another's too, or its own once more";
			o->spans.shared = true;
			if (folder)
				break;
		}
		o->used[(n - 2) / 8] |= (uint8_t)(1u << (n - 2) % 8);
		uint64_t some = left < o->fs.cluster ? left : o->fs.cluster;
		err = part_spans_add(&o->spans, fat_place(&o->fs, n), some);
		left -= some;
		if (!err)
			err = fat_next(&o->fs, n, &n);
	}
	if (folder && left == 0 && n != FAT_END)
		*ret_bad = damaged;
	if (err != FG_ELIMIT)
		return err;
	*ret_bad = "a bound kept its clusters from being read";
	part_limit(o->c, o->self, bound);
	return 0;
}

/* ---- entries ---- */

/*
 * An entry's bytes that were read; its short name only where it says no more than its long one does, and what nobody
 * reads only where it is zero.
 */
static int
own_entry(struct opener *o, const uint8_t *e, uint64_t at, bool name)
{
	static const uint8_t zeros[4];
	bool high = o->fs.bits == 32 || memcmp(e + 20, zeros, 2) == 0;
	bool size = !(e[11] & FAT_IS_FOLDER) || memcmp(e + 28, zeros, 4) == 0;
	int err = name ? part_structure(o->c, o->self, at, 11) : 0;
	if (!err && (e[11] & ~(FAT_READ_ONLY | FAT_ARCHIVE | FAT_IS_FOLDER)) == 0)
		err = part_structure(o->c, o->self, at + 11, 1);
	if (!err && (e[12] & ~CASE_BITS) == 0)
		err = part_structure(o->c, o->self, at + 12, 1);
	if (!err)
		err = part_structure(o->c, o->self, at + 13, 7);
	if (!err && high)
		err = part_structure(o->c, o->self, at + 20, 2);
	return err ? err : part_structure(o->c, o->self, at + 22, size ? 10 : 6);
}

static uint32_t
first_of(const struct fat *fs, const uint8_t *e)
{
	uint32_t low = e[26] | (uint32_t)e[27] << 8, high = e[20] | (uint32_t)e[21] << 8;
	return fs->bits == 32 ? high << 16 | low : low;
}

static int64_t
add_file(struct opener *o, const uint8_t *e, struct view path)
{
	struct reader r;
	const char *bad;
	reader_init(&r, view_of(e + 28, 4));
	uint32_t size = reader_u32le(&r);
	int err = chain(o, first_of(&o->fs, e), size, &bad);
	const struct part_range *last = o->spans.n ? &o->spans.row[o->spans.n - 1] : NULL;
	if (!err && last && size % o->fs.cluster)
		err = part_padding(o->c, o->self, last->at + last->length,
		    o->fs.cluster - o->spans.total % o->fs.cluster, false, NULL);
	return err ? err : part_spans_child(o->c, o->self, PART_FILE, path, &o->spans, bad);
}

static int64_t
add_folder(struct opener *o, const struct part_folder *f, const uint8_t *e, struct view path)
{
	uint32_t first = first_of(&o->fs, e);
	if (!fat_is_cluster(&o->fs, first) || is_used(o, first)) {
		part_untold(o->c, o->self, fat_is_cluster(&o->fs, first) ? "a folder of its file system has two places" : damaged);
		return part_bare(o->c, o->self, PART_FOLDER, path);
	}
	int64_t i = part_bare(o->c, o->self, PART_FOLDER, path);
	if (i < 0)
		return i;
	if (path.n >= PART_NAME_MAX) {
		part_limit(o->c, o->self, bound);
		return i;
	}
	/* Taken from now on: what comes before its turn and leads here too is told. */
	o->used[(first - 2) / 8] |= (uint8_t)(1u << (first - 2) % 8);
	int err = part_folders_push(&o->folders, first, f->key, path);
	return err ? err : i;
}

/* Path of e in o->path; *ret_exact: its name is what it looks like. Its length. */
static size_t
path_of(struct opener *o, const struct part_folder *f, const uint8_t *e, bool *ret_long, bool *ret_exact)
{
	bool odd, exact = true;
	*ret_long = fat_long_is_of(&o->name, e);
	size_t m = *ret_long ? fat_long_name(&o->name, o->text, &exact) : fat_short_name(e, o->text);
	size_t n = part_folder_path(f, view_of(o->text, m), o->path, &odd);
	*ret_exact = exact && !odd;
	return n;
}

static int
entry(struct opener *o, const struct part_folder *f, const uint8_t *e, uint64_t at)
{
	bool is_long, exact;
	size_t n = path_of(o, f, e, &is_long, &exact);
	struct view path = view_of(o->path, n);
	bool folder = (e[11] & FAT_IS_FOLDER) != 0;
	int64_t i = folder ? add_folder(o, f, e, path) : add_file(o, e, path);
	if (i < 0)
		return (int)i;
	struct part *p = part_edit(o->c, (uint32_t)i);
	p->inexact = p->inexact || !exact;
	size_t from = strlen(f->path) + (*f->path != '\0');
	bool known = !is_long || fat_short_fits(e, view_of(path.p + from, n - from));
	int err = own_entry(o, e, at, known);
	for (unsigned k = 0; k < o->name.pieces && is_long && !err; k++)
		err = part_structure(o->c, o->self, o->name_at[k], FAT_ENTRY);
	return err;
}

/* "." and "..", which have to be what they say: nobody looks at where they lead. */
static bool
is_dots(const struct opener *o, const struct part_folder *f, const uint8_t *e, unsigned k)
{
	uint32_t first = first_of(&o->fs, e);
	bool root = f->above == o->fs.root_cluster;
	if (k > 1 || f->key == 0 || memcmp(e, k ? "..         " : ".          ", 11) != 0 || !(e[11] & FAT_IS_FOLDER))
		return false;
	return k == 0 ? first == f->key : first == f->above || (root && first == 0);
}

/* A piece of a long name. */
static void
piece(struct opener *o, const uint8_t *e, uint64_t at)
{
	fat_long_add(&o->name, e);
	if (o->name.pieces > 0)
		o->name_at[o->name.pieces - o->name.next - 1] = at;
}

/* One after the other of n bytes that lie at at; *io_k counts them, *io_end: the end of the folder came. */
static int
entries(struct opener *o, const struct part_folder *f, const uint8_t *p, size_t n, uint64_t at, unsigned *io_k,
    bool *io_end)
{
	static const uint8_t zeros[FAT_ENTRY];
	int err = 0;
	for (size_t off = 0; off + FAT_ENTRY <= n && !err; off += FAT_ENTRY, ++*io_k) {
		const uint8_t *e = p + off;
		if (*io_end || e[0] == 0) {
			/* Some systems go on behind the end, others do not. */
			*io_end = true;
			if (memcmp(e, zeros, FAT_ENTRY) == 0)
				err = part_structure(o->c, o->self, at + off, FAT_ENTRY);
			else
				part_untold(o->c, o->self, "a folder of its file system goes on behind its end");
			continue;
		}
		if (e[0] != DELETED && e[11] == FAT_LONG) {
			piece(o, e, at + off);
			continue;
		}
		if (e[0] == DELETED || (e[11] & FAT_LABEL))
			err = 0;
		else if (is_dots(o, f, e, *io_k))
			err = own_entry(o, e, at + off, true);
		else
			err = entry(o, f, e, at + off);
		o->name.pieces = 0;
	}
	return err;
}

static int
read_folder(struct opener *o, const struct part_folder *f)
{
	const char *bad = NULL;
	unsigned k = 0;
	bool end = false;
	int err = 0;
	o->name.pieces = 0;
	part_spans_clear(&o->spans);
	if (f->key == 0)
		err = part_spans_add(&o->spans, o->fs.root, o->fs.root_n);
	else {
		o->used[(f->key - 2) / 8] &= (uint8_t)~(1u << (f->key - 2) % 8); /* it is this one's turn */
		err = chain(o, (uint32_t)f->key, TO_ITS_END, &bad);
	}
	if (bad)
		part_untold(o->c, o->self, damaged);
	/* The chains of its entries go through o->spans in their turn. */
	struct part_spans spans = o->spans;
	o->spans = (struct part_spans){ 0 };
	for (size_t s = 0; s < spans.n && !err; s++) {
		size_t n = (size_t)spans.row[s].length; /* FAT_FOLDER_MAX at most, or 65,535 entries of a root */
		uint8_t *p = malloc(n);
		err = p ? source_read(o->fs.s, spans.row[s].at, p, n) : FG_ENOMEM;
		*o->fs.work += n;
		if (!err)
			err = entries(o, f, p, n, spans.row[s].at, &k, &end);
		free(p);
	}
	part_spans_free(&spans);
	return err;
}

static int
read_folders(struct opener *o)
{
	struct part_folder f;
	bool chained = o->fs.root_n == 0;
	if (chained && !fat_is_cluster(&o->fs, o->fs.root_cluster)) {
		part_untold(o->c, o->self, damaged);
		return 0;
	}
	int err = part_folders_push(&o->folders, chained ? o->fs.root_cluster : 0, 0, view_str(""));
	while (!err && part_folders_pop(&o->folders, &f)) {
		err = read_folder(o, &f);
		free(f.path);
	}
	return err;
}

/* ---- what is no file ---- */

/* Is every cluster either in a chain that was gone through, or free? */
static int
table_is_known(struct opener *o, bool *ret)
{
	uint32_t v;
	*ret = true;
	for (uint32_t n = 0; n < o->fs.clusters + 2 && *ret; n++) {
		int err = fat_entry(&o->fs, n, &v);
		if (err)
			return err;
		*ret = n < 2 || (v != 0) == is_used(o, n);
		if (o->fs.bits == 32 && n >= 2)
			*ret = *ret && v >> 28 == 0;
	}
	return 0;
}

/* The first length bytes of two tables. */
static int
same_tables(const struct opener *o, unsigned k, uint64_t length, bool *ret)
{
	uint8_t a[FAT_WINDOW], b[FAT_WINDOW];
	*ret = true;
	for (uint64_t off = 0; off < length && *ret; off += FAT_WINDOW) {
		size_t n = length - off < FAT_WINDOW ? (size_t)(length - off) : FAT_WINDOW;
		int err = source_read(o->fs.s, o->fs.reserved + off, a, n);
		if (!err)
			err = source_read(o->fs.s, o->fs.reserved + k * o->fs.table_n + off, b, n);
		if (err)
			return err;
		*ret = memcmp(a, b, n) == 0;
	}
	return 0;
}

static int
read_tables(struct opener *o)
{
	bool known, same = true;
	uint64_t end, entries_n = ((uint64_t)(o->fs.clusters + 2) * o->fs.bits + 7) / 8;
	int err = table_is_known(o, &known);
	if (o->fs.one_table)
		part_untold(o->c, o->self, "its allocation tables are not copies of each other");
	for (unsigned k = 0; k < o->fs.tables && !err; k++) {
		uint64_t at = o->fs.reserved + k * o->fs.table_n;
		err = k ? same_tables(o, k, entries_n, &same) : 0;
		if (!err && !same)
			part_untold(o->c, o->self, "its allocation tables are not copies of each other");
		if (!err && known && same) {
			err = part_structure(o->c, o->self, at, entries_n);
			if (!err)
				err = part_padding(o->c, o->self, at + entries_n, o->fs.table_n - entries_n, false, NULL);
		} else if (!err)
			err = part_header(o->c, o->self, "allocation table", at, o->fs.table_n, &end);
	}
	return err;
}

static int
read_reserved(struct opener *o)
{
	uint64_t end, sector = o->fs.sector;
	int err = part_header(o->c, o->self, "boot sector", 0, sector, &end);
	if (!err && o->fs.info && o->fs.info != o->fs.second)
		err = part_header(o->c, o->self, "counters", o->fs.info * sector, sector, &end);
	if (!err && o->fs.second)
		err = part_header(o->c, o->self, "second boot sector", o->fs.second * sector, sector, &end);
	return err;
}

static int
read_all(struct opener *o)
{
	int err = read_folders(o);
	if (!err)
		err = read_reserved(o);
	if (!err)
		err = read_tables(o);
	if (!err)
		err = part_rest(o->c, o->self, o->fs.size);
	if (err == FG_ELIMIT)
		part_limit(o->c, o->self, bound);
	return err;
}

int
part_fat_try(struct part_ctx *c, uint32_t self)
{
	struct opener *o = calloc(1, sizeof *o);
	if (!o)
		return FG_ENOMEM;
	o->c = c;
	o->self = self;
	int r = fat_open(part_bytes(c, self), part_work(c), &o->fs);
	if (r > 0) {
		part_edit(c, self)->form = "fat";
		o->used = calloc(1, o->fs.clusters / 8 + 1);
		int err = o->used ? read_all(o) : FG_ENOMEM;
		r = err ? err : 1;
	}
	free(o->used);
	part_folders_free(&o->folders);
	part_spans_free(&o->spans);
	free(o);
	return r;
}

int
part_fat_length(const struct source *s, uint64_t at, uint64_t *ret)
{
	struct source rest;
	struct fat fs;
	uint64_t work = 0;
	int r = source_window(s, at, s->size - at, &rest);
	if (!r)
		r = fat_open(&rest, &work, &fs);
	bool whole = r > 0 && fs.size <= rest.size;
	*ret = whole ? fs.size : work;
	return r < 0 ? r : whole;
}
