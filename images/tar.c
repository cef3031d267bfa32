/* SPDX-License-Identifier: Apache-2.0 */
#include "images/tar.h"

#include <inttypes.h>
#include <stdlib.h>

#include "crypto/decimal.h"
#include "crypto/err.h"
#include "crypto/visible.h"
#include "images/filler.h"

#define NAME_AT 0
#define NAME_LEN 100
#define SIZE_AT 124
#define SIZE_LEN 12
#define SUM_AT 148
#define SUM_LEN 8
#define TYPE_AT 156
#define MAGIC_AT 257
#define PREFIX_AT 345
#define PREFIX_LEN 155
#define USTAR_SIZE_MAX (UINT64_C(1) << 33) /* eleven octal digits; longer files need the extended header */
#define SHOWN_MAX 80
#define NAME_KEY_LEN 16
#define KEYS_GROW 256
#define ZEROS_MAX (1u << 20) /* behind the end: tar(1) pads to 10 KiB, tapes to more */

struct going {
	struct tar *t;
	uint8_t head[TAR_BLOCK];
	uint64_t head_at; /* in the archive, of the first header of the member at hand */
	unsigned count;
	char name[TAR_NAME_MAX + 1];
	size_t name_n;
	bool have_name, have_size; /* by an extended header */
	uint64_t size;
	uint8_t (*keys)[NAME_KEY_LEN];
	size_t keys_n, keys_cap;
	bool over; /* the input ended */
};

/* Where at of the archive is in w->image; NULL for what comes out of a stream. */
static const uint64_t *
place(const struct going *g, uint64_t at, uint64_t *room)
{
	*room = g->t->base + at;
	return g->t->stored ? room : NULL;
}

static void
tell(struct going *g, enum finding_id id, uint64_t at, const char *what)
{
	uint64_t room;
	char name[SHOWN_MAX];
	visible_cstr(view_of(g->name, g->name_n), name, sizeof name);
	walk_raise(g->t->w, id, place(g, at, &room), "tar member %u%s%s: %s", g->count,
	    g->name_n ? " " : "", name, what);
}

/* Up to n bytes of the archive; fewer only at its end. */
static long
fill(struct tar *t, void *buf, size_t n)
{
	size_t got = 0;
	while (got < n) {
		long k;
		if (t->stored) {
			uint64_t left = t->size - t->off;
			size_t want = n - got < left ? n - got : (size_t)left;
			int err = want ? source_read(t->w->image, t->base + t->off,
			                     (uint8_t *)buf + got, want)
			               : 0;
			k = err ? err : (long)want;
		} else {
			k = t->read(t->arg, (uint8_t *)buf + got, n - got);
		}
		if (k < 0)
			return k;
		if (k == 0)
			break;
		got += (size_t)k;
		t->off += (uint64_t)k;
	}
	return (long)got;
}

long
tar_read(void *arg, void *buf, size_t n)
{
	struct tar *t = arg;
	if (n > t->left)
		n = (size_t)t->left;
	long k = n ? fill(t, buf, n) : 0;
	if (k >= 0 && (size_t)k < n)
		return FG_EFORMAT; /* it ends within the member */
	if (k > 0)
		t->left -= (uint64_t)k;
	return k;
}

/* Passes over what is left of the member at hand. */
static int
skip(struct tar *t)
{
	uint8_t chunk[4096];
	if (t->stored && t->left <= t->size - t->off) {
		t->off += t->left;
		t->left = 0;
	}
	while (t->left > 0) {
		long k = tar_read(t, chunk, sizeof chunk);
		if (k < 0)
			return (int)k;
	}
	return 0;
}

/* Octal digits, then blanks or NULs to the field's end; at least one digit. */
static bool
octal(const uint8_t *p, size_t n, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i = 0;
	for (; i < n && p[i] >= '0' && p[i] <= '7'; i++)
		v = v << 3 | (uint64_t)(p[i] - '0');
	if (i == 0)
		return false;
	for (; i < n; i++)
		if (p[i] != '\0' && p[i] != ' ')
			return false;
	*ret = v; /* at most 12 digits: 36 bits */
	return true;
}

static bool
sum_fits(const uint8_t head[TAR_BLOCK])
{
	uint64_t said, sum = 0;
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += i >= SUM_AT && i < SUM_AT + SUM_LEN ? ' ' : head[i];
	return octal(head + SUM_AT, SUM_LEN, &said) && said == sum;
}

/* What is behind the end of archive: zeros, as far as any tool pads. */
static int
behind(struct going *g)
{
	uint8_t chunk[4096];
	uint64_t from = g->t->off, room;
	for (;;) {
		uint64_t at = g->t->off;
		long n = fill(g->t, chunk, sizeof chunk);
		if (n < 0)
			return (int)n;
		if (!filler_is_zeros(chunk, (size_t)n) || at - from > ZEROS_MAX) {
			walk_raise(g->t->w, FINDING_FMT_TRAILING_BYTES, place(g, at, &room),
			    "bytes follow the end of the archive");
			return 0;
		}
		if (n == 0)
			break;
	}
	if (g->t->stored)
		walk_structure(g->t->w, g->t->base + from, g->t->off - from);
	return 0;
}

/* "12 key=value\n" at *off of text; false, told, when it is none. */
static bool
record(struct view text, size_t *off, struct view *ret_key, struct view *ret_value)
{
	uint64_t n;
	const uint8_t *p = text.p + *off;
	size_t left = text.n - *off;
	const uint8_t *blank = memchr(p, ' ', left < 8 ? left : 8);
	if (!blank || !decimal_parse(view_of(p, (size_t)(blank - p)), left, &n) ||
	    n < (size_t)(blank - p) + 4 || p[n - 1] != '\n')
		return false;
	const uint8_t *equals = memchr(blank + 1, '=', (size_t)(p + n - 1 - (blank + 1)));
	if (!equals || equals == blank + 1)
		return false;
	*ret_key = view_of(blank + 1, (size_t)(equals - blank - 1));
	*ret_value = view_of(equals + 1, (size_t)(p + n - 1 - (equals + 1)));
	*off += (size_t)n;
	return true;
}

static bool
set_name(struct going *g, struct view v)
{
	if (v.n == 0 || v.n > TAR_NAME_MAX || memchr(v.p, '\0', v.n))
		return false;
	memcpy(g->name, v.p, v.n);
	g->name[v.n] = '\0';
	g->name_n = v.n;
	return true;
}

/* An extended header for the member that follows: its name and size count, times and owners do not. */
static int
extended(struct going *g, uint64_t size, bool *ret_ok)
{
	struct view key, value;
	size_t off = 0;
	*ret_ok = false;
	if (size > TAR_PAX_MAX) {
		tell(g, FINDING_FMT_MALFORMED, g->head_at, "an extended header of more than 64 KiB");
		return 0;
	}
	uint8_t *text = malloc(size ? (size_t)size : 1);
	if (!text)
		return FG_ENOMEM;
	long n = fill(g->t, text, (size_t)size);
	bool ok = n == (long)size;
	while (ok && off < size) {
		ok = record(view_of(text, (size_t)size), &off, &key, &value);
		if (ok && view_is(key, "path"))
			ok = !g->have_name && (g->have_name = set_name(g, value));
		else if (ok && view_is(key, "size"))
			ok = !g->have_size &&
			     (g->have_size = decimal_parse(value, SOURCE_SIZE_MAX, &g->size));
		else if (ok && key.n > 3 && memcmp(key.p, "GNU", 3) == 0)
			ok = false; /* sparse files: what is stored is not what is unpacked */
	}
	free(text);
	if (n < 0)
		return (int)n;
	if (!ok)
		tell(g, FINDING_FMT_MALFORMED, g->head_at, "an extended header that cannot be read");
	*ret_ok = ok;
	return 0;
}

/* Zeros up to the next block. */
static int
padding(struct going *g)
{
	uint8_t got[TAR_BLOCK];
	uint64_t at = g->t->off;
	size_t n = (size_t)(-at & (TAR_BLOCK - 1));
	long k = fill(g->t, got, n);
	if (k < 0)
		return (int)k;
	if (!filler_is_zeros(got, (size_t)k))
		tell(g, FINDING_FMT_HIDDEN_BYTES, at, "its padding is not zero");
	else if (g->t->stored)
		walk_structure(g->t->w, g->t->base + at, (uint64_t)k);
	g->over = (size_t)k < n;
	return 0;
}

/* Name and prefix of a ustar header. */
static bool
plain_name(struct going *g)
{
	char name[PREFIX_LEN + 1 + NAME_LEN];
	const uint8_t *prefix = g->head + PREFIX_AT, *last = g->head + NAME_AT;
	size_t p = strnlen((const char *)prefix, PREFIX_LEN), n = strnlen((const char *)last, NAME_LEN);
	if (!filler_is_zeros(prefix + p, PREFIX_LEN - p) || !filler_is_zeros(last + n, NAME_LEN - n))
		return false;
	memcpy(name, prefix, p);
	if (p)
		name[p++] = '/';
	memcpy(name + p, last, n);
	return set_name(g, view_of(name, p + n));
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
	int err = digest_sha256(view_of(g->name, g->name_n), sum);
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
		walk_raise(g->t->w, FINDING_FMT_DUPLICATE, NULL,
		    "%zu of %zu members of the archive have a name that came before", twice,
		    g->keys_n);
}

/* The header in g->head, of a member or before one. */
static int
member(struct going *g, tar_fn *fn, void *arg, bool *ret_ok)
{
	struct tar *t = g->t;
	uint64_t size, room;
	char type = g->head[TYPE_AT] ? (char)g->head[TYPE_AT] : TAR_REGULAR;
	*ret_ok = false;
	if (memcmp(g->head + MAGIC_AT, "ustar", 5) != 0 || !octal(g->head + SIZE_AT, SIZE_LEN, &size)) {
		tell(g, FINDING_FMT_MALFORMED, g->head_at, "no header of a form that is read here");
		return 0;
	}
	if (!sum_fits(g->head)) {
		tell(g, FINDING_FMT_INTEGRITY, g->head_at, "the checksum of its header does not fit");
		return 0;
	}
	if (t->stored)
		walk_structure(t->w, t->base + t->off - TAR_BLOCK, TAR_BLOCK);
	if (type == 'x') {
		uint64_t at = t->off;
		int err = extended(g, size, ret_ok);
		if (!err && *ret_ok && t->stored)
			walk_structure(t->w, t->base + at, size);
		return err ? err : padding(g);
	}
	if (!g->have_name && !plain_name(g)) {
		tell(g, FINDING_FMT_MALFORMED, g->head_at, "no usable name");
		return 0;
	}
	if (type != TAR_REGULAR && type != TAR_DIRECTORY)
		tell(g, FINDING_FMT_UNKNOWN_PART, g->head_at, "neither a file nor a directory");
	if (g->have_size && g->size < USTAR_SIZE_MAX && g->size != size)
		tell(g, FINDING_FMT_CONFLICT, g->head_at, "its two headers give it two sizes");
	size = g->have_size ? g->size : size;
	if ((type >= '1' && type <= '6' && size > 0) || (t->stored && size > t->size - t->off)) {
		tell(g, FINDING_FMT_MALFORMED, g->head_at, "longer than it can be");
		return 0;
	}
	struct tar_member m = { .name = view_of(g->name, g->name_n), .type = type, .size = size };
	if (place(g, t->off, &room))
		m.at = (struct sig_range){ room, size };
	t->left = size;
	int err = remember(g);
	if (!err)
		err = fn(t, &m, arg);
	if (!err)
		err = skip(t);
	if (!err)
		err = padding(g);
	if (err == FG_EFORMAT) {
		tell(g, FINDING_FMT_MALFORMED, g->head_at, "the archive ends within it");
		return 0;
	}
	g->have_name = g->have_size = false;
	g->name_n = 0;
	*ret_ok = !err;
	return err;
}

/* One header; *ret_end: the two blocks of zeros that end the archive. */
static int
step(struct going *g, tar_fn *fn, void *arg, bool *ret_ok, bool *ret_end)
{
	*ret_ok = *ret_end = false;
	g->head_at = g->t->off;
	long n = fill(g->t, g->head, TAR_BLOCK);
	if (n < 0 && n != FG_EFORMAT)
		return (int)n;
	if (n != TAR_BLOCK) {
		tell(g, FINDING_FMT_MALFORMED, g->head_at, "the archive ends without saying so");
		return 0;
	}
	if (!filler_is_zeros(g->head, TAR_BLOCK))
		return member(g, fn, arg, ret_ok);
	n = fill(g->t, g->head, TAR_BLOCK);
	if (n < 0 && n != FG_EFORMAT)
		return (int)n;
	if (n != TAR_BLOCK || !filler_is_zeros(g->head, TAR_BLOCK) || g->have_name || g->have_size) {
		tell(g, FINDING_FMT_MALFORMED, g->head_at, "one block of zeros, where two end an archive");
		return 0;
	}
	if (g->t->stored)
		walk_structure(g->t->w, g->t->base + g->head_at, 2 * TAR_BLOCK);
	*ret_ok = *ret_end = true;
	return 0;
}

int
tar_members(struct tar *t, tar_fn *fn, void *arg, bool *ret_whole)
{
	struct going *g = calloc(1, sizeof *g);
	bool ok = true, end = false;
	int err = 0;
	if (!g)
		return FG_ENOMEM;
	g->t = t;
	while (ok && !end && !err) {
		err = step(g, fn, arg, &ok, &end);
		if (++g->count > WALK_MEMBERS_MAX && ok && !end) {
			tell(g, FINDING_FMT_WALK_LIMIT, g->head_at, "more members than are looked at");
			ok = false;
		}
	}
	if (!err && end)
		err = behind(g);
	if (err == FG_EFORMAT) {
		tell(g, FINDING_FMT_MALFORMED, g->head_at, "the stream that it comes from is damaged");
		err = 0;
		end = false;
	}
	if (!err)
		duplicates(g);
	*ret_whole = !err && end;
	free(g->keys);
	free(g);
	return err;
}

static int
list(struct tar *t, const struct tar_member *m, void *arg)
{
	struct walk_member out = { .name = m->name, .at = m->at };
	(void)arg;
	return m->type == TAR_REGULAR ? walk_member(t->w, &out, NULL) : 0;
}

int
tar_walk(struct walk *w)
{
	struct tar t = { .w = w, .stored = true, .size = w->image->size };
	bool whole;
	return tar_members(&t, list, NULL, &whole);
}
