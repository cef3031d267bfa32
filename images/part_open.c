/* SPDX-License-Identifier: Apache-2.0 */
#include "images/part_open.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/err.h"
#include "images/part_internal.h"

#define COUNT_FIRST 64
#define RATIO_FREE (1u << 20) /* bytes that may come out of anything: small streams of zeros are common */
#define NAME_CUT "<...>"

static const char too_many[] = "more parts than are looked at";
static const char too_long[] = "more bytes of names than are looked at";

/* Openers work on one part at a time; anything else is a mistake of theirs. */
static struct part *
self_of(const struct part_ctx *c, uint32_t self)
{
	if (self != c->self || self >= c->t->n)
		abort();
	return &c->t->part[self];
}

const struct source *
part_bytes(const struct part_ctx *c, uint32_t self)
{
	(void)self_of(c, self);
	return &c->bytes;
}

enum format_id
part_format(const struct part_ctx *c, uint32_t self)
{
	return self_of(c, self)->format;
}

enum part_kind
part_kind(const struct part_ctx *c, uint32_t self)
{
	return self_of(c, self)->kind;
}

uint64_t *
part_work(struct part_ctx *c)
{
	return &c->t->work;
}

struct part_tried *
part_tried(struct part_ctx *c)
{
	return &c->t->tried;
}

uint64_t
part_all(const struct part_ctx *c)
{
	return c->t->part[0].bytes.size + c->t->expanded;
}

/* ---- adding ---- */

/* As a C string: a NUL would hide what follows it. Cut visibly. *io_inexact is set where it is not name. */
static char *
copy_name(struct view name, bool *io_inexact)
{
	*io_inexact = *io_inexact || name.n > PART_NAME_MAX || (name.n > 0 && memchr(name.p, 0, name.n));
	size_t n = name.n <= PART_NAME_MAX ? name.n : PART_NAME_MAX - (sizeof NAME_CUT - 1);
	char *s = malloc(PART_NAME_MAX < name.n ? PART_NAME_MAX + 1 : n + 1);
	if (!s)
		return NULL;
	for (size_t i = 0; i < n; i++)
		s[i] = name.p[i] ? (char)name.p[i] : '?';
	s[n] = '\0';
	if (n < name.n)
		memcpy(s + n, NAME_CUT, sizeof NAME_CUT);
	return s;
}

static int
room(struct parts *t)
{
	if (t->n < t->cap)
		return 0;
	uint32_t cap = t->cap < COUNT_FIRST ? COUNT_FIRST : t->cap + t->cap / 2;
	struct part *more = realloc(t->part, cap * sizeof *more);
	if (!more)
		return FG_ENOMEM;
	t->part = more;
	t->cap = cap;
	return 0;
}

int64_t
part_bare(struct part_ctx *c, uint32_t self, enum part_kind kind, struct view name)
{
	struct parts *t = c->t;
	uint8_t depth = self_of(c, self)->depth;
	if (t->n >= PART_COUNT_MAX) {
		part_limit(c, self, too_many);
		return FG_ELIMIT;
	}
	if (t->names >= PART_NAMES_MAX) {
		part_limit(c, self, too_long);
		return FG_ELIMIT;
	}
	if (room(t))
		return FG_ENOMEM;
	bool inexact = false;
	char *s = copy_name(name, &inexact);
	if (!s)
		return FG_ENOMEM;
	t->names += strlen(s) + 1;
	t->part[t->n] = (struct part){ .parent = self, .first = PART_NONE_INDEX,
		.next = PART_NONE_INDEX, .kind = kind, .name = s, .inexact = inexact,
		.depth = (uint8_t)(depth + 1) };
	return t->n++;
}

int
part_root(struct part_ctx *c, uint32_t self, uint32_t mode, uint32_t uid, uint32_t gid)
{
	int64_t i = part_bare(c, self, PART_FOLDER, view_str("."));
	if (i >= 0)
		part_rights(c, (uint32_t)i, mode, uid, gid);
	return i < 0 ? (int)i : 0;
}

int64_t
part_region(struct part_ctx *c, uint32_t self, enum part_kind kind, struct view name, uint64_t at,
    uint64_t length)
{
	struct source window;
	if (source_window(part_bytes(c, self), at, length, &window)) {
		part_untold(c, self, "a part of it would lie outside it");
		return FG_ELIMIT;
	}
	int64_t i = part_bare(c, self, kind, name);
	if (i < 0)
		return i;
	struct part *p = part_edit(c, (uint32_t)i);
	p->bytes = window;
	p->placed = true;
	p->at = at;
	p->expanded = self_of(c, self)->expanded;
	return i;
}

int
part_header(struct part_ctx *c, uint32_t self, const char *name, uint64_t at, uint64_t length,
    uint64_t *ret_end)
{
	uint64_t size = part_bytes(c, self)->size;
	if (at > size || length > size - at) {
		part_untold(c, self, "it is cut off");
		length = at > size ? 0 : size - at;
	}
	*ret_end = at + length;
	int64_t i = length ? part_region(c, self, PART_REGION, view_str(name), at, length) : 0;
	if (i > 0)
		part_edit(c, (uint32_t)i)->closed = true;
	return i < 0 ? (int)i : 0;
}

int64_t
part_alias(struct part_ctx *c, uint32_t self, struct view name, uint32_t same)
{
	if (same <= self || same >= c->t->n)
		abort();
	int64_t i = part_bare(c, self, c->t->part[same].kind, name);
	if (i < 0)
		return i;
	struct part *p = part_edit(c, (uint32_t)i), *first = &c->t->part[same];
	if (first->bytes.size > PART_ALIASED_MAX - c->t->aliased) {
		p->why = "is one more name of a file, whose bytes are looked at under another one";
		c->t->limits++;
		return i;
	}
	c->t->aliased += first->bytes.size;
	p->bytes = first->bytes;
	/* Bytes that lie in self are the first one's; the others come from where they lie. */
	p->packed_at = first->placed ? first->at : first->packed_at;
	p->packed_length = first->placed ? first->bytes.size : first->packed_length;
	p->shared_at = first->shared_at;
	p->shared_length = first->shared_length;
	p->expanded = first->expanded;
	p->partial = first->partial;
	return i;
}

enum part_kind
part_kind_of(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return PART_FILE;
	case S_IFDIR:
		return PART_FOLDER;
	case S_IFLNK:
		return PART_LINK;
	case S_IFCHR:
	case S_IFBLK:
		return PART_DEVICE;
	case S_IFIFO:
	case S_IFSOCK:
		return PART_FIFO;
	}
	return PART_NONE;
}

void
part_rights(struct part_ctx *c, uint32_t i, uint32_t mode, uint32_t uid, uint32_t gid)
{
	struct part *p = part_edit(c, i);
	p->have_mode = true;
	p->mode = mode & 07777;
	p->uid = uid;
	p->gid = gid;
}

void
part_device(struct part_ctx *c, uint32_t i, bool block, uint32_t packed)
{
	struct part *p = part_edit(c, i);
	p->block = block;
	p->rdev = (uint64_t)(packed >> 8 & 0xfff) << 32 | (packed & 0xff) | (packed >> 12 & 0xfff00);
}

struct part *
part_edit(struct part_ctx *c, uint32_t i)
{
	if (i < c->self || i >= c->t->n)
		abort();
	return &c->t->part[i];
}

int
part_link(struct part_ctx *c, uint32_t i, struct view target)
{
	struct part *p = part_edit(c, i);
	if (c->t->names >= PART_NAMES_MAX) {
		part_limit(c, c->self, too_long);
		p->inexact = true;
		target = view_str(NAME_CUT);
	}
	char *s = copy_name(target, &p->inexact);
	if (!s)
		return FG_ENOMEM;
	c->t->names += strlen(s) + 1;
	free(p->link);
	p->link = s;
	return 0;
}

/* ---- expanding ---- */

static int
write_all(int fd, uint64_t at, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t w = pwrite(fd, p, n, (off_t)at);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return FG_EIO;
		p += w;
		at += (uint64_t)w;
		n -= (size_t)w;
	}
	return 0;
}

/* Which bound keeps n more bytes from coming out, when there are so many already; NULL: none. */
static const char *
bound(const struct parts *t, uint64_t packed, uint64_t so_far, size_t n)
{
	uint64_t out = so_far + n;
	if (out > PART_ONE_MAX)
		return "what comes out of it is larger than is looked at";
	if (t->expanded + n > PART_EXPANDED_MAX)
		return "more bytes come out of packed parts than are looked at";
	if (out > RATIO_FREE && out / PART_RATIO_MAX > packed)
		return "it expands to so much more than it is that it was not followed";
	return NULL;
}

/* Reads to the end; *ret_why is the bound or the damage that came before it. */
static int
expand(struct part_ctx *c, long (*read)(void *arg, void *buf, size_t n), void *arg, uint64_t packed,
    uint64_t *ret_size, const char **ret_why, bool *ret_limit)
{
	struct parts *t = c->t;
	for (;;) {
		long n = read(arg, c->chunk, SOURCE_CHUNK);
		if (n == 0)
			return 0;
		if (n == FG_EFORMAT || n == FG_ELIMIT) {
			*ret_limit = n == FG_ELIMIT;
			*ret_why = n == FG_ELIMIT ? "a bound ended its stream"
			                          : "its stream is damaged behind what came out";
			return 0;
		}
		if (n < 0)
			return (int)n;
		*ret_why = bound(t, packed, *ret_size, (size_t)n);
		*ret_limit = *ret_why != NULL;
		if (*ret_limit)
			return 0;
		int err = write_all(t->scratch, *t->io_scratch, c->chunk, (size_t)n);
		if (err)
			return err;
		*t->io_scratch += (uint64_t)n;
		*ret_size += (uint64_t)n;
		t->expanded += (uint64_t)n;
	}
}

int64_t
part_expand(struct part_ctx *c, uint32_t self, enum part_kind kind, struct view name,
    long (*read)(void *arg, void *buf, size_t n), void *arg, uint64_t packed_at, uint64_t packed_length)
{
	uint64_t start = *c->t->io_scratch, size = 0, within = part_bytes(c, self)->size;
	const char *why = NULL;
	bool limit = false;
	if (packed_at > within || packed_length > within - packed_at)
		abort();
	int64_t i = part_bare(c, self, kind, name);
	if (i < 0)
		return i;
	int err = expand(c, read, arg, packed_length ? packed_length : within, &size, &why, &limit);
	if (err)
		return err;
	struct part *p = part_edit(c, (uint32_t)i);
	p->bytes = (struct source){ .fd = c->t->scratch, .base = start, .size = size };
	p->expanded = true;
	p->partial = why != NULL;
	p->why = why;
	p->packed_at = packed_at;
	p->packed_length = packed_length;
	c->t->limits += limit;
	return i;
}

void
part_forget(struct part_ctx *c, uint32_t i)
{
	struct parts *t = c->t;
	if (i != t->n - 1 || i <= c->self)
		abort();
	struct part *p = &t->part[--t->n];
	if (p->expanded && !p->placed) {
		*t->io_scratch -= p->bytes.size;
		t->expanded -= p->bytes.size;
		t->tried.vain += p->bytes.size; /* room is given back, work is not */
	}
	t->pieces -= p->pieces;
	t->names -= strlen(p->name) + 1 + (p->link ? strlen(p->link) + 1 : 0);
	free(p->name);
	free(p->link);
}

static int
append(struct part_range **io_row, uint32_t *io_n, uint32_t *io_cap, uint64_t at, uint64_t length)
{
	if (*io_n == *io_cap) {
		uint32_t cap = *io_cap < COUNT_FIRST ? COUNT_FIRST : *io_cap + *io_cap / 2;
		struct part_range *more = realloc(*io_row, cap * sizeof *more);
		if (!more)
			return FG_ENOMEM;
		*io_row = more;
		*io_cap = cap;
	}
	(*io_row)[(*io_n)++] = (struct part_range){ at, length };
	return 0;
}

int
part_piece(struct part_ctx *c, uint32_t i, uint64_t at, uint64_t length)
{
	struct parts *t = c->t;
	struct part *p = part_edit(c, i);
	if (i != t->n - 1 || i <= c->self || at > c->bytes.size || length > c->bytes.size - at)
		abort();
	if (length == 0)
		return 0;
	if (p->pieces == 0)
		p->piece = t->pieces;
	struct part_range *last = p->pieces ? &t->piece[t->pieces - 1] : NULL;
	if (last && last->at + last->length == at) {
		last->length += length;
		return 0;
	}
	if (t->pieces == PART_PIECES_MAX) {
		part_limit(c, c->self, "files in more pieces than are looked at");
		return FG_ELIMIT;
	}
	int err = append(&t->piece, &t->pieces, &t->pieces_cap, at, length);
	p->pieces += !err;
	return err;
}

/* ---- telling ---- */

int
part_structure(struct part_ctx *c, uint32_t self, uint64_t at, uint64_t length)
{
	struct parts *t = c->t;
	struct part *p = self_of(c, self);
	if (at > p->bytes.size)
		return 0;
	if (length > p->bytes.size - at)
		length = p->bytes.size - at;
	if (length == 0)
		return 0;
	if (p->structure_n == 0)
		p->structure = t->ranges;
	struct part_range *last = p->structure_n ? &t->range[t->ranges - 1] : NULL;
	if (last && last->at + last->length == at) {
		last->length += length;
		return 0;
	}
	int err = append(&t->range, &t->ranges, &t->ranges_cap, at, length);
	p->structure_n += !err;
	return err;
}

int
part_padding_end(struct part_ctx *c, uint64_t at, uint64_t length, bool ones, uint64_t *ret_end)
{
	const struct source *s = part_bytes(c, c->self);
	uint64_t off = at, end = at + length;
	uint8_t want = 0;
	while (off < end) {
		long n = source_read_some(s, off, c->chunk,
		    end - off < SOURCE_CHUNK ? (size_t)(end - off) : SOURCE_CHUNK), i = 0;
		if (n < 0)
			return (int)n;
		if (off == at && n > 0 && ones && c->chunk[0] == 0xff)
			want = 0xff;
		while (i < n && c->chunk[i] == want)
			i++;
		off += (uint64_t)i;
		if (i < n || n == 0)
			break;
	}
	*ret_end = off;
	return 0;
}

int
part_padding(struct part_ctx *c, uint32_t self, uint64_t at, uint64_t length, bool ones,
    uint64_t *ret_end)
{
	uint64_t size = self_of(c, self)->bytes.size, left = at < size ? size - at : 0, end = at;
	int err = part_padding_end(c, at, length < left ? length : left, ones, &end);
	if (ret_end)
		*ret_end = end;
	return err ? err : part_structure(c, self, at, end - at);
}

int
part_rest(struct part_ctx *c, uint32_t self, uint64_t used)
{
	uint64_t size = part_bytes(c, self)->size, end;
	if (used > size) {
		part_untold(c, self, "its file system is cut off");
		return 0;
	}
	int err = part_padding(c, self, used, size - used, true, &end);
	int64_t i = err || end == size ? 0 : part_region(c, self, PART_REGION, view_str("rest"), end, size - end);
	return i < 0 ? (int)i : err;
}

void
part_untold(struct part_ctx *c, uint32_t self, const char *why)
{
	struct part *p = part_edit(c, self);
	if (!p->why)
		p->why = why;
}

void
part_limit(struct part_ctx *c, uint32_t self, const char *why)
{
	struct part *p = part_edit(c, self);
	if (!p->why)
		c->t->limits++;
	part_untold(c, self, why);
}
