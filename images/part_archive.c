/* SPDX-License-Identifier: Apache-2.0 */
/* part_archive - cpio and ar; tar is in part_tar.c. */
#include "images/part_archive.h"

#include <sys/stat.h>

#include "crypto/decimal.h"
#include "crypto/err.h"

/* ---- cpio: headers of 110 ASCII digits (cpio(5), "new ASCII") ---- */

#define CPIO_HEAD 110
#define CPIO_FIELDS 13

enum cpio_field { INO, MODE, UID, GID, NLINK, MTIME, FILESIZE, DEV_MAJOR, DEV_MINOR, RDEV_MAJOR, RDEV_MINOR, NAMESIZE, CHECK };

struct cpio {
	uint32_t field[CPIO_FIELDS];
	char name[PART_NAME_MAX + 1];
	uint64_t data, next; /* where its bytes begin, and the next header */
};

static bool
hex_field(const uint8_t *p, uint32_t *ret)
{
	uint32_t v = 0;
	for (unsigned i = 0; i < 8; i++) {
		static const char digits[] = "0123456789abcdefABCDEF";
		const char *digit = p[i] ? strchr(digits, p[i]) : NULL;
		if (!digit)
			return false;
		uint32_t n = (uint32_t)(digit - digits);
		v = v << 4 | (n < 16 ? n : n - 6);
	}
	*ret = v;
	return true;
}

/* The member at at. 1, 0 when there is none, or FG_EIO. */
static int
cpio_read(const struct source *s, uint64_t at, struct cpio *ret)
{
	uint8_t head[CPIO_HEAD];
	int err = source_read(s, at, head, sizeof head);
	if (err)
		return err == FG_ELIMIT ? 0 : err;
	if (memcmp(head, "07070", 5) != 0 || (head[5] != '1' && head[5] != '2'))
		return 0;
	for (unsigned i = 0; i < CPIO_FIELDS; i++)
		if (!hex_field(head + 6 + 8 * i, &ret->field[i]))
			return 0;
	uint32_t n = ret->field[NAMESIZE];
	if (n < 2 || n > sizeof ret->name)
		return 0;
	err = source_read(s, at + CPIO_HEAD, ret->name, n);
	if (err)
		return err == FG_ELIMIT ? 0 : err;
	if (strnlen(ret->name, n) != n - 1)
		return 0;
	/* Offsets are rounded from the archive's start, which is a multiple of four or its own 0. */
	ret->data = at + ((CPIO_HEAD + n + 3) & ~UINT64_C(3));
	ret->next = ret->data + (((uint64_t)ret->field[FILESIZE] + 3) & ~UINT64_C(3));
	return ret->data <= s->size && ret->field[FILESIZE] <= s->size - ret->data;
}

static bool
cpio_is_last(const struct cpio *m)
{
	return strcmp(m->name, "TRAILER!!!") == 0;
}

static int
cpio_add(struct part_ctx *c, uint32_t self, const struct cpio *m)
{
	struct view name = view_str(m->name);
	enum part_kind type = part_kind_of(m->field[MODE]), kind = type != PART_NONE ? type : PART_FILE;
	uint64_t size = m->field[FILESIZE];
	char target[PART_NAME_MAX];
	bool plain = kind == PART_LINK && size <= sizeof target;
	/* Bytes of what should have none are shown as what they are, beside it. */
	int64_t i = kind == PART_FILE ? part_region(c, self, kind, name, m->data, size) : part_bare(c, self, kind, name);
	if (i < 0)
		return (int)i;
	part_rights(c, (uint32_t)i, m->field[MODE], m->field[UID], m->field[GID]);
	struct part *p = part_edit(c, (uint32_t)i);
	p->block = S_ISBLK(m->field[MODE]);
	p->rdev = (uint64_t)m->field[RDEV_MAJOR] << 32 | m->field[RDEV_MINOR];
	if (!plain)
		return 0;
	int err = source_read(part_bytes(c, self), m->data, target, (size_t)size);
	if (!err)
		err = part_link(c, (uint32_t)i, view_of(target, (size_t)size));
	return err ? err : part_structure(c, self, m->data, size);
}

int
part_cpio_open(struct part_ctx *c, uint32_t self)
{
	const struct source *s = part_bytes(c, self);
	struct cpio m;
	uint64_t at = 0;
	int r;
	while ((r = cpio_read(s, at, &m)) > 0) {
		int err = part_structure(c, self, at, CPIO_HEAD + m.field[NAMESIZE]);
		if (!err && !cpio_is_last(&m))
			err = cpio_add(c, self, &m);
		if (err)
			return err;
		at = m.next;
		if (!cpio_is_last(&m))
			continue;
		/* The kernel goes on behind zeros: archives in a row are one. */
		err = part_padding(c, self, at, s->size - (at < s->size ? at : s->size), false, &at);
		if (err)
			return err;
		if (at == s->size)
			return 0;
	}
	if (r == 0 && !cpio_is_last(&m))
		part_untold(c, self, "the archive is damaged, or ends without saying so");
	return r;
}

int
part_cpio_length(const struct source *s, uint64_t at, uint64_t *ret)
{
	struct source rest;
	struct cpio m;
	int r = source_window(s, at, s->size - at, &rest) ? 0 : 1;
	*ret = 0;
	for (unsigned n = 0; r > 0 && n < PART_COUNT_MAX; n++) {
		r = cpio_read(&rest, *ret, &m);
		if (r > 0)
			*ret = m.next < rest.size ? m.next : rest.size;
		if (r > 0 && cpio_is_last(&m))
			return 1;
	}
	return r < 0 ? r : 0;
}

/* ---- ar: "!<arch>\n", headers of 60 characters ---- */

#define AR_MAGIC "!<arch>\n"
#define AR_MAGIC_LEN 8
#define AR_HEAD 60
#define AR_NAME 16

bool
part_ar_begins(struct view start)
{
	return start.n >= AR_MAGIC_LEN && memcmp(start.p, AR_MAGIC, AR_MAGIC_LEN) == 0;
}

/* Decimal digits, then blanks. */
static bool
ar_number(const uint8_t *p, size_t n, uint64_t *ret)
{
	while (n > 0 && p[n - 1] == ' ')
		n--;
	return decimal_parse(view_of(p, n), SOURCE_SIZE_MAX, ret);
}

int
part_ar_open(struct part_ctx *c, uint32_t self)
{
	const struct source *s = part_bytes(c, self);
	uint64_t at = AR_MAGIC_LEN, size;
	int err = part_structure(c, self, 0, AR_MAGIC_LEN);
	while (!err && at < s->size) {
		uint8_t head[AR_HEAD];
		err = source_read(s, at, head, sizeof head);
		if (err == FG_ELIMIT || (!err && (memcmp(head + 58, "`\n", 2) != 0 || !ar_number(head + 48, 10, &size) ||
		                                     size > s->size - at - AR_HEAD))) {
			part_untold(c, self, "the archive is damaged");
			return 0;
		}
		if (err)
			return err;
		size_t n = AR_NAME;
		while (n > 0 && (head[n - 1] == ' ' || (head[n - 1] == '/' && n > 2)))
			n--;
		err = part_structure(c, self, at, AR_HEAD);
		int64_t i = err ? err : part_region(c, self, PART_FILE, view_of(head, n), at + AR_HEAD, size);
		if (i < 0)
			return (int)i;
		at += AR_HEAD + size;
		uint8_t pad;
		if (size % 2 && source_read(s, at, &pad, 1) == 0 && pad == '\n')
			err = part_structure(c, self, at, 1);
		at += size % 2;
	}
	return err;
}
