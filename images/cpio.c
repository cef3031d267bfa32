/* SPDX-License-Identifier: Apache-2.0 */
#include "images/cpio.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/visible.h"

#define MAGIC_LEN 6
#define FIELD_LEN 8
#define SHOWN_MAX 64     /* of a hostile name in a sentence */
#define NAME_KEY_LEN 16  /* of a name's SHA-256: nobody makes two names share it */
#define KEYS_GROW 1024
#define ARCHIVES_MAX 16  /* in a row: an initramfs with its microcode has two */

/* The fields of a header that say something about the archive; the others describe a file. */
enum field { MODE = 1, FILESIZE = 6, RDEV_MAJOR = 9, RDEV_MINOR = 10, NAMESIZE = 11, CHECK = 12, FIELDS = 13 };

static const char trailer[] = "TRAILER!!!";

/* One archive being gone through. */
struct going {
	struct walk *w;
	uint64_t at;
	unsigned count;
	bool crc; /* of this member: form 070702 */
	uint32_t field[FIELDS];
	uint8_t name[CPIO_NAME_MAX + 1];
	uint8_t (*keys)[NAME_KEY_LEN]; /* of all names so far */
	size_t keys_n, keys_cap;
	uint8_t *chunk;
};

static const char *
shown(struct view name, char dst[SHOWN_MAX])
{
	visible_cstr(name, dst, SHOWN_MAX);
	return dst;
}

/* Eight hexadecimal digits, of either case: cpio(1) writes capitals, libarchive small ones. */
static bool
hex_field(const uint8_t *p, uint32_t *ret)
{
	uint32_t v = 0;
	for (unsigned i = 0; i < FIELD_LEN; i++) {
		uint8_t c = p[i], low = c | 0x20;
		if (c >= '0' && c <= '9')
			v = v << 4 | (uint32_t)(c - '0');
		else if (low >= 'a' && low <= 'f')
			v = v << 4 | (uint32_t)(low - 'a' + 10);
		else
			return false;
	}
	*ret = v;
	return true;
}

static void
malformed(struct going *g, const char *what)
{
	walk_raise(g->w, FINDING_FMT_MALFORMED, &g->at, "cpio member %u: %s", g->count, what);
}

/* Reads header and name at g->at; false when there is none to go on from, which is told. */
static int
read_header(struct going *g, bool *ret_ok)
{
	const struct source *s = g->w->image;
	uint8_t head[CPIO_HEADER_LEN];
	*ret_ok = false;
	if (g->at > s->size || s->size - g->at < sizeof head) {
		malformed(g, "the archive ends without a trailer");
		return 0;
	}
	int err = source_read(s, g->at, head, sizeof head);
	if (err)
		return err;
	g->crc = memcmp(head, "070702", MAGIC_LEN) == 0;
	if (!g->crc && memcmp(head, "070701", MAGIC_LEN) != 0) {
		malformed(g, "no header where one is due");
		return 0;
	}
	for (unsigned i = 0; i < FIELDS; i++)
		if (!hex_field(head + MAGIC_LEN + i * FIELD_LEN, &g->field[i])) {
			malformed(g, "a field of its header is no hexadecimal number");
			return 0;
		}
	uint32_t n = g->field[NAMESIZE];
	if (n < 2 || n > sizeof g->name || n > s->size - g->at - sizeof head) {
		malformed(g, "its name is empty, longer than any path, or longer than the archive");
		return 0;
	}
	err = source_read(s, g->at + sizeof head, g->name, n);
	if (err)
		return err;
	if (g->name[n - 1] != '\0' || memchr(g->name, '\0', n - 1)) {
		malformed(g, "its name does not end where the header says");
		return 0;
	}
	*ret_ok = true;
	return 0;
}

/* The zeros from at up to the next multiple of four from the archive's start; *ret is that place. */
static int
padding(struct going *g, uint64_t at, uint64_t *ret)
{
	static const uint8_t zeros[3] = { 0 };
	uint8_t got[3];
	size_t n = (size_t)(-at & 3);
	const struct source *s = g->w->image;
	*ret = at;
	if (n > s->size - at) /* cut there: the next header is missing, which is told */
		n = (size_t)(s->size - at);
	int err = n ? source_read(s, at, got, n) : 0;
	if (err)
		return err;
	if (n && memcmp(got, zeros, n) != 0)
		walk_raise(g->w, FINDING_FMT_HIDDEN_BYTES, &at,
		    "cpio member %u: its padding is not zero", g->count);
	else
		walk_structure(g->w, at, n);
	*ret = at + n;
	return 0;
}

static int
checksum(struct going *g, struct sig_range data)
{
	char name[SHOWN_MAX];
	uint32_t sum = 0;
	struct view v = view_of(g->name, g->field[NAMESIZE] - 1);
	if (!g->crc) {
		if (g->field[CHECK] != 0)
			walk_raise(g->w, FINDING_FMT_INTEGRITY, &g->at,
			    "%s: a c_check of %08" PRIx32 " in a form that has none",
			    shown(v, name), g->field[CHECK]);
		return 0;
	}
	if (!g->chunk && !(g->chunk = malloc(SOURCE_CHUNK)))
		return FG_ENOMEM;
	for (uint64_t at = 0; at < data.length;) {
		size_t n = data.length - at < SOURCE_CHUNK ? (size_t)(data.length - at)
		                                           : SOURCE_CHUNK;
		int err = source_read(g->w->image, data.offset + at, g->chunk, n);
		if (err)
			return err;
		for (size_t i = 0; i < n; i++)
			sum += g->chunk[i];
		at += n;
	}
	if (sum != g->field[CHECK])
		walk_raise(g->w, FINDING_FMT_INTEGRITY, &g->at,
		    "%s: c_check says %08" PRIx32 ", its bytes say %08" PRIx32, shown(v, name),
		    g->field[CHECK], sum);
	return 0;
}

static int
remember(struct going *g)
{
	uint8_t sum[DIGEST_SHA256_LEN];
	if (g->keys_n == g->keys_cap) {
		size_t cap = g->keys_cap * 2 + KEYS_GROW;
		void *more = realloc(g->keys, cap * sizeof *g->keys);
		if (!more)
			return FG_ENOMEM;
		g->keys = more;
		g->keys_cap = cap;
	}
	int err = digest_sha256(view_of(g->name, g->field[NAMESIZE] - 1), sum);
	if (!err)
		memcpy(g->keys[g->keys_n++], sum, NAME_KEY_LEN);
	return err;
}

static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, NAME_KEY_LEN);
}

static void
duplicates(struct going *g)
{
	size_t twice = 0;
	if (g->keys_n > 1)
		qsort(g->keys, g->keys_n, sizeof *g->keys, compare);
	for (size_t i = 1; i < g->keys_n; i++)
		twice += memcmp(g->keys[i - 1], g->keys[i], NAME_KEY_LEN) == 0;
	if (twice > 0)
		walk_raise(g->w, FINDING_FMT_DUPLICATE, NULL,
		    "%zu of %zu members of the archive have a name that came before", twice,
		    g->keys_n);
}

/* The member whose header was read; g->at moves behind it. */
static int
member(struct going *g, cpio_fn *fn, void *arg, bool *ret_last, bool *ret_ok)
{
	const struct source *s = g->w->image;
	struct cpio_member m = { .index = g->count,
		.offset = g->at,
		.head = { g->at, CPIO_HEADER_LEN + (uint64_t)g->field[NAMESIZE] },
		.mode = g->field[MODE],
		.rdev_major = g->field[RDEV_MAJOR],
		.rdev_minor = g->field[RDEV_MINOR],
		.name = view_of(g->name, g->field[NAMESIZE] - 1) };
	uint64_t at = g->at + CPIO_HEADER_LEN + g->field[NAMESIZE];
	int err = padding(g, at, &m.data.offset);
	m.data.length = g->field[FILESIZE];
	*ret_last = view_is(m.name, trailer);
	*ret_ok = false;
	if (err)
		return err;
	if (m.data.length > s->size - m.data.offset) {
		malformed(g, "it is longer than what is left of the archive");
		return 0;
	}
	if (*ret_last && m.data.length > 0) {
		malformed(g, "the trailer has content");
		return 0;
	}
	err = checksum(g, m.data);
	if (!err && *ret_last)
		walk_structure(g->w, m.head.offset, m.head.length);
	if (!err && !*ret_last)
		err = remember(g);
	if (!err && !*ret_last)
		err = fn(g->w, &m, arg);
	if (!err)
		err = padding(g, m.data.offset + m.data.length, &g->at);
	*ret_ok = !err;
	return err;
}

int
cpio_members(struct walk *w, uint64_t from, cpio_fn *fn, void *arg, struct cpio_end *ret)
{
	struct going *g = calloc(1, sizeof *g);
	bool ok = true, last = false;
	int err = 0;
	if (!g)
		return FG_ENOMEM;
	g->w = w;
	g->at = from;
	while (ok && !last && !err) {
		err = read_header(g, &ok);
		if (!err && ok)
			err = member(g, fn, arg, &last, &ok);
		if (++g->count > WALK_MEMBERS_MAX && ok && !last) {
			walk_raise(w, FINDING_FMT_WALK_LIMIT, &g->at,
			    "more than %u members in the archive", WALK_MEMBERS_MAX);
			ok = false;
		}
	}
	if (!err)
		duplicates(g);
	*ret = (struct cpio_end){ .whole = !err && ok && last, .offset = g->at };
	free(g->keys);
	free(g->chunk);
	free(g);
	return err;
}

int
cpio_tail(struct walk *w, uint64_t at, uint64_t *ret)
{
	uint8_t chunk[4096];
	uint64_t start = at;
	for (;;) {
		long n = source_read_some(w->image, at, chunk, sizeof chunk);
		if (n < 0)
			return (int)n;
		long i = 0;
		while (i < n && chunk[i] == 0)
			i++;
		at += (uint64_t)i;
		if (i < n || n == 0)
			break;
		if (at - start > CPIO_ZEROS_MAX) {
			at = start + CPIO_ZEROS_MAX;
			break;
		}
	}
	*ret = at;
	walk_structure(w, start, at - start);
	return 0;
}

/* ---- an archive that is nothing but one ---- */

static int
list(struct walk *w, const struct cpio_member *m, void *arg)
{
	uint32_t type = m->mode & CPIO_TYPE;
	struct walk_member out = { .name = m->name,
		.at = m->data,
		.plain = type != CPIO_TYPE_REGULAR };
	(void)arg;
	walk_structure(w, m->head.offset, m->head.length);
	if (m->data.length > 0 || type == CPIO_TYPE_REGULAR)
		return walk_member(w, &out, NULL);
	return 0; /* a directory or a device: nothing to look at */
}

int
cpio_walk(struct walk *w)
{
	struct cpio_end end = { .offset = 0 };
	uint64_t next = 0;
	for (unsigned i = 0; i < ARCHIVES_MAX; i++) {
		int err = cpio_members(w, next, list, NULL, &end);
		if (!err && end.whole)
			err = cpio_tail(w, end.offset, &next);
		if (err || !end.whole || next == w->image->size)
			return err;
		uint8_t magic[MAGIC_LEN] = { 0 };
		if (w->image->size - next >= sizeof magic)
			err = source_read(w->image, next, magic, sizeof magic);
		if (err)
			return err;
		if (next & 3 || (memcmp(magic, "070701", MAGIC_LEN) != 0 &&
		                    memcmp(magic, "070702", MAGIC_LEN) != 0))
			break;
		walk_raise(w, FINDING_FMT_AMBIGUOUS, &next,
		    "another archive follows the trailer: the kernel unpacks it, cpio(1) does not");
	}
	walk_raise(w, FINDING_FMT_TRAILING_BYTES, &next,
	    "%" PRIu64 " bytes follow the archive's trailer", w->image->size - next);
	return 0;
}
