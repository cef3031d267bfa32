/* SPDX-License-Identifier: Apache-2.0 */
/* part_tar - tar archives: ustar, pax, GNU, as tar(5) describes them. */
#include <stdlib.h>

#include "crypto/decimal.h"
#include "crypto/err.h"
#include "images/filler.h"
#include "images/part_archive.h"

#define BLOCK 512u
#define LONG_MAX_LEN (64u << 10) /* of an extended header that is read; longer ones are shown as a part */
/* Headers of one member that hold no more than names: its own, and one or two of long names. */
#define HEADS_MAX (6 * BLOCK)
#define TIME_MAX 32 /* characters of a time: seconds, a point, nanoseconds */

/* What is known about the member to come, from headers before its own. */
struct tar_member {
	char name[PART_NAME_MAX + 1], link[PART_NAME_MAX + 1];
	bool have_name, have_link, have_size, have_uid, have_gid;
	bool caps, label; /* security.capability; any other xattr */
	bool own_unread;  /* and so is its own: bytes stand behind the end of a name, or behind the last field */
	bool unread;      /* headers before its own hold something that is not interpreted: they are shown as bytes */
	uint64_t size, mode, uid, gid, major, minor;
	char type;
};

struct tar_reader {
	const struct source *s;
	uint64_t at;    /* of the next header */
	uint64_t heads; /* where the headers of the member at hand began */
	struct tar_member m;
};

/* Octal digits, or GNU's base 256 with the first bit set. */
static bool
number(const uint8_t *p, size_t n, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i = 0;
	if (p[0] & 0x80) {
		v = p[0] & 0x7f;
		for (i = 1; i < n; i++) {
			if (v >> 55)
				return false;
			v = v << 8 | p[i];
		}
		*ret = v;
		return v <= SOURCE_SIZE_MAX;
	}
	while (i < n && p[i] == ' ')
		i++;
	for (; i < n && p[i] >= '0' && p[i] <= '7'; i++)
		v = v << 3 | (uint64_t)(p[i] - '0');
	*ret = v;
	return i == n || p[i] == ' ' || p[i] == '\0';
}

static bool
is_head(const uint8_t h[BLOCK])
{
	uint64_t said, sum = 0;
	for (size_t i = 0; i < BLOCK; i++)
		sum += i >= 148 && i < 156 ? ' ' : h[i];
	return sum != 8 * ' ' && number(h + 148, 8, &said) && said == sum;
}

/* Does the name go to the end of these bytes, but for zeros? */
static bool
set(char dst[PART_NAME_MAX + 1], bool *ret_have, const uint8_t *p, size_t n)
{
	size_t len = strnlen((const char *)p, n < PART_NAME_MAX ? n : PART_NAME_MAX);
	memcpy(dst, p, len);
	dst[len] = '\0';
	*ret_have = true;
	return filler_is_zeros(p + len, n - len);
}

static bool
is_time(struct view v)
{
	size_t i = v.n > 0 && v.p[0] == '-';
	while (i < v.n && ((v.p[i] >= '0' && v.p[i] <= '9') || v.p[i] == '.'))
		i++;
	return i == v.n && v.n <= TIME_MAX;
}

/*
 * Was all of it taken into m? Not so of xattrs: that there are some is all that
 * is kept. Times are no more than the member's own header has of them.
 */
static bool
pax_value(struct tar_member *m, struct view k, struct view v)
{
	static const char xattr[] = "SCHILY.xattr.";
	uint64_t id;
	if (view_is(k, "path"))
		return !memchr(v.p, 0, v.n) && set(m->name, &m->have_name, v.p, v.n);
	if (view_is(k, "linkpath"))
		return !memchr(v.p, 0, v.n) && set(m->link, &m->have_link, v.p, v.n);
	if (view_is(k, "size"))
		return m->have_size = decimal_parse(v, SOURCE_SIZE_MAX, &m->size);
	if (view_is(k, "uid") && decimal_parse(v, UINT32_MAX, &id)) {
		m->uid = id;
		return m->have_uid = true;
	}
	if (view_is(k, "gid") && decimal_parse(v, UINT32_MAX, &id)) {
		m->gid = id;
		return m->have_gid = true;
	}
	if (view_is(k, "SCHILY.xattr.security.capability"))
		m->caps = true;
	else if (k.n >= sizeof xattr - 1 && memcmp(k.p, xattr, sizeof xattr - 1) == 0)
		m->label = true;
	return (view_is(k, "mtime") || view_is(k, "atime") || view_is(k, "ctime")) && is_time(v);
}

/* "12 key=value\n" after each other. What cannot be read is left alone: it is shown as bytes. */
static void
pax(struct tar_member *m, const uint8_t *p, size_t n)
{
	while (n > 0) {
		const uint8_t *blank = memchr(p, ' ', n < 8 ? n : 8);
		uint64_t length;
		if (!blank || !decimal_parse(view_of(p, (size_t)(blank - p)), n, &length) ||
		    length < (size_t)(blank - p) + 3) {
			m->unread = true;
			return;
		}
		const uint8_t *key = blank + 1, *end = p + length - 1;
		const uint8_t *equals = memchr(key, '=', (size_t)(end - key));
		if (!equals || *end != '\n' ||
		    !pax_value(m, view_of(key, (size_t)(equals - key)),
			view_of(equals + 1, (size_t)(end - equals - 1))))
			m->unread = true;
		p += length;
		n -= (size_t)length;
	}
}

/* A header that belongs to the next one: its bytes are read. 1, 0 when they are cut or too long, FG_EIO. */
static int
extension(struct tar_reader *r, char type, uint64_t size)
{
	uint8_t *p = NULL;
	if (size > r->s->size - r->at)
		return 0;
	if (size > 0 && (size > LONG_MAX_LEN || type == 'g'))
		r->m.unread = true;
	else if (size > 0) {
		uint64_t whole = (size + BLOCK - 1) & ~(uint64_t)(BLOCK - 1);
		if (whole > r->s->size - r->at)
			whole = size;
		p = malloc((size_t)whole);
		if (!p)
			return FG_ENOMEM;
		int err = source_read(r->s, r->at, p, (size_t)whole);
		if (err) {
			free(p);
			return err;
		}
		/* Of two that say the same thing one is not heard. */
		bool again = (type == 'L' && r->m.have_name) || (type == 'K' && r->m.have_link);
		bool all = filler_is_zeros(p + size, (size_t)(whole - size)) && !again;
		if (type == 'L')
			all = set(r->m.name, &r->m.have_name, p, (size_t)size) && all;
		else if (type == 'K')
			all = set(r->m.link, &r->m.have_link, p, (size_t)size) && all;
		else
			pax(&r->m, p, (size_t)size);
		r->m.unread = r->m.unread || !all;
		free(p);
	}
	r->at += (size + BLOCK - 1) & ~(uint64_t)(BLOCK - 1);
	return r->at <= r->s->size;
}

/* Behind the NUL of a name, or the last field, there are zeros. */
static bool
is_clean(const uint8_t h[BLOCK])
{
	size_t name = strnlen((const char *)h, 100), link = strnlen((const char *)h + 157, 100);
	bool clean = filler_is_zeros(h + name, 100 - name) && filler_is_zeros(h + 157 + link, 100 - link);
	if (memcmp(h + 257, "ustar\0", 6) != 0)
		return clean;
	size_t prefix = strnlen((const char *)h + 345, 155);
	return clean && filler_is_zeros(h + 345 + prefix, 155 - prefix) && filler_is_zeros(h + 500, 12);
}

static void
own_names(struct tar_member *m, const uint8_t h[BLOCK])
{
	char name[156 + 100];
	size_t n = 0;
	/* GNU's form has times where POSIX has a prefix. */
	if (memcmp(h + 257, "ustar\0", 6) == 0 && h[345]) {
		n = strnlen((const char *)h + 345, 155);
		memcpy(name, h + 345, n);
		name[n++] = '/';
	}
	size_t last = strnlen((const char *)h, 100);
	memcpy(name + n, h, last);
	if (!m->have_name)
		set(m->name, &m->have_name, (const uint8_t *)name, n + last);
	if (!m->have_link)
		set(m->link, &m->have_link, h + 157, 100);
}

/* Reads headers up to those of a member, whose bytes lie at r->at then. 1, 0: end or damage (*ret_end), or an error. */
static int
next(struct tar_reader *r, bool *ret_end)
{
	uint8_t h[BLOCK];
	uint64_t size;
	*ret_end = false;
	r->heads = r->at;
	memset(&r->m, 0, sizeof r->m);
	for (;;) {
		int err = source_read(r->s, r->at, h, sizeof h);
		if (err)
			return err == FG_ELIMIT ? 0 : err;
		if (!is_head(h)) {
			static const uint8_t zeros[BLOCK];
			*ret_end = memcmp(h, zeros, BLOCK) == 0;
			return 0;
		}
		if (!number(h + 124, 12, &size))
			return 0;
		r->at += BLOCK;
		r->m.type = h[156] ? (char)h[156] : '0';
		if (!strchr("LKxg", r->m.type))
			break;
		err = extension(r, r->m.type, size);
		if (err <= 0)
			return err;
	}
	own_names(&r->m, h);
	r->m.own_unread = !is_clean(h);
	r->m.size = r->m.have_size ? r->m.size : size;
	uint64_t uid, gid;
	bool ok = number(h + 100, 8, &r->m.mode) && number(h + 108, 8, &uid) && number(h + 116, 8, &gid) &&
	          number(h + 329, 8, &r->m.major) && number(h + 337, 8, &r->m.minor);
	if (ok && !r->m.have_uid)
		r->m.uid = uid;
	if (ok && !r->m.have_gid)
		r->m.gid = gid;
	if (strchr("123456", r->m.type))
		r->m.size = 0;
	return ok && r->m.size <= r->s->size - r->at;
}

static int
add(struct part_ctx *c, uint32_t self, const struct tar_reader *r)
{
	const struct tar_member *m = &r->m;
	struct view name = view_str(m->name);
	int64_t i;
	if (m->type == '5')
		i = part_bare(c, self, PART_FOLDER, name);
	else if (m->type == '1' || m->type == '2') /* a hard link leads to a member that came before */
		i = part_bare(c, self, PART_LINK, name);
	else if (m->type == '3' || m->type == '4')
		i = part_bare(c, self, PART_DEVICE, name);
	else if (m->type == '6')
		i = part_bare(c, self, PART_FIFO, name);
	else
		i = part_region(c, self, PART_FILE, name, r->at, m->size);
	if (i < 0)
		return (int)i;
	part_rights(c, (uint32_t)i, (uint32_t)m->mode, (uint32_t)m->uid, (uint32_t)m->gid);
	struct part *p = part_edit(c, (uint32_t)i);
	p->rdev = m->type == '3' || m->type == '4' ? m->major << 32 | (m->minor & UINT32_MAX) : 0;
	p->have_caps = m->caps;
	p->setlabel = m->label;
	p->hard = m->type == '1';
	p->block = m->type == '4';
	return m->type == '1' || m->type == '2' ? part_link(c, (uint32_t)i, view_str(m->link)) : 0;
}

int
part_tar_open(struct part_ctx *c, uint32_t self)
{
	struct tar_reader *r = calloc(1, sizeof *r);
	bool end = false;
	int got, err = 0;
	if (!r)
		return FG_ENOMEM;
	r->s = part_bytes(c, self);
	while ((got = next(r, &end)) > 0) {
		uint64_t heads = r->m.unread ? r->at - BLOCK : r->heads;
		uint64_t heads_end = r->m.own_unread ? r->at - BLOCK : r->at;
		if (heads_end - heads <= HEADS_MAX)
			err = part_structure(c, self, heads, heads_end - heads);
		if (!err)
			err = add(c, self, r);
		if (err)
			break;
		r->at += (r->m.size + BLOCK - 1) & ~(uint64_t)(BLOCK - 1);
		r->at = r->at < r->s->size ? r->at : r->s->size;
	}
	if (!err && got == 0 && !end)
		part_untold(c, self, "the archive is damaged, or ends without saying so");
	free(r);
	return err ? err : got;
}

int
part_tar_length(const struct source *s, uint64_t at, uint64_t *ret)
{
	struct tar_reader *r = calloc(1, sizeof *r);
	struct source rest;
	bool end = false;
	int got = source_window(s, at, s->size - at, &rest);
	*ret = 0;
	if (!r || got) {
		free(r);
		return got ? got : FG_ENOMEM;
	}
	r->s = &rest;
	unsigned n = 0;
	while (n++ < PART_COUNT_MAX && (got = next(r, &end)) > 0) {
		r->at += (r->m.size + BLOCK - 1) & ~(uint64_t)(BLOCK - 1);
		r->at = r->at < rest.size ? r->at : rest.size;
	}
	bool ends = got == 0 && end;
	*ret = ends ? r->at + 2 * BLOCK : r->at;
	*ret = *ret < rest.size ? *ret : rest.size;
	free(r);
	return got < 0 ? got : ends;
}
