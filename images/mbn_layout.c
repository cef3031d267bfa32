/* SPDX-License-Identifier: Apache-2.0 */
#include "images/mbn_layout.h"

#include <stdarg.h>
#include <stdio.h>

#include "crypto/err.h"
#include "crypto/reader.h"

#define HEADER_MAX 48
#define PHDR_MAX 56
#define OVERLAP_MAX 4 /* some headers (notes, dynamic) lie in others */

static void __attribute__((format(printf, 4, 5)))
refuse(struct mbn_layout *l, enum finding_id id, uint64_t where, const char *fmt, ...)
{
	va_list ap;
	if (l->bad)
		return;
	l->bad = true;
	l->finding = id;
	l->where = where;
	va_start(ap, fmt);
	vsnprintf(l->why, sizeof l->why, fmt, ap);
	va_end(ap);
}

/* False beyond the end or on a failure, which *err then says. */
static bool
fetch(const struct source *image, uint64_t at, void *buf, size_t n, int *err)
{
	int got = source_read(image, at, buf, n);
	if (got && got != FG_ELIMIT)
		*err = got;
	return got == 0;
}

/* ---- ELF ---- */

struct elf {
	bool wide; /* 64 bits */
	uint64_t phoff;
	unsigned phentsize, phnum;
};

/* Little-endian ELF with program headers of the right size; false for anything else. */
static bool
read_elf(const struct source *image, struct elf *e, int *err)
{
	uint8_t b[64];
	struct reader r;
	if (!fetch(image, 0, b, 52, err) || memcmp(b, "\x7f" "ELF", 4) != 0 || b[5] != 1)
		return false;
	e->wide = b[4] == 2;
	if ((b[4] != 1 && b[4] != 2) || (e->wide && !fetch(image, 0, b, 64, err)))
		return false;
	reader_init(&r, view_of(b, e->wide ? 64 : 52));
	(void)reader_take(&r, e->wide ? 32 : 28);
	e->phoff = e->wide ? reader_u64le(&r) : reader_u32le(&r);
	(void)reader_take(&r, e->wide ? 14 : 10); /* section offset, flags, size of this header */
	e->phentsize = reader_u16le(&r);
	e->phnum = reader_u16le(&r);
	return !r.bad && e->phentsize == (e->wide ? 56 : 32) && e->phnum > 0 && e->phoff < image->size;
}

static bool
read_phdr(const struct source *image, const struct elf *e, unsigned i, struct mbn_layout_segment *ret,
    uint32_t *ret_type, int *err)
{
	uint8_t b[PHDR_MAX];
	struct reader r;
	if (!fetch(image, e->phoff + (uint64_t)i * e->phentsize, b, e->phentsize, err))
		return false;
	reader_init(&r, view_of(b, e->phentsize));
	*ret_type = reader_u32le(&r);
	uint32_t flags = e->wide ? reader_u32le(&r) : 0;
	ret->at.offset = e->wide ? reader_u64le(&r) : reader_u32le(&r);
	(void)reader_take(&r, e->wide ? 16 : 8); /* addresses */
	ret->at.length = e->wide ? reader_u64le(&r) : reader_u32le(&r);
	(void)reader_take(&r, e->wide ? 8 : 4);
	flags = e->wide ? flags : reader_u32le(&r);
	ret->kind = flags >> 24 & 7;
	return true;
}

int
mbn_layout_is_elf(const struct source *image, bool *ret)
{
	struct mbn_layout_segment s;
	struct elf e;
	uint32_t type = 0;
	int err = 0;
	*ret = false;
	if (!read_elf(image, &e, &err))
		return err;
	for (unsigned i = 0; i < e.phnum && i < MBN_LAYOUT_SEGMENTS_MAX && !*ret; i++)
		*ret = read_phdr(image, &e, i, &s, &type, &err) && type == 0 && s.kind == MBN_LAYOUT_HASHES;
	return err;
}

static int
read_segments(const struct source *image, const struct elf *e, struct mbn_layout *l)
{
	bool found = false;
	uint64_t sum = 0;
	int err = 0;
	l->elf_header = e->phoff + (uint64_t)e->phnum * e->phentsize;
	if (e->phnum > MBN_LAYOUT_SEGMENTS_MAX) {
		refuse(l, FINDING_FMT_WALK_LIMIT, e->phoff, "more than %u program headers",
		    MBN_LAYOUT_SEGMENTS_MAX);
		return 0;
	}
	for (unsigned i = 0; i < e->phnum && !l->bad && !err; i++) {
		struct mbn_layout_segment *s = &l->segment[l->n++];
		uint64_t at = e->phoff + (uint64_t)i * e->phentsize;
		uint32_t type = 0;
		if (!read_phdr(image, e, i, s, &type, &err) || s->at.offset > image->size ||
		    s->at.length > image->size - s->at.offset) {
			refuse(l, FINDING_FMT_MALFORMED, at, "program header %u reaches beyond the end", i);
		} else if (s->kind == MBN_LAYOUT_HASHES) {
			if (found)
				refuse(l, FINDING_FMT_DUPLICATE, at, "a second hash segment");
			found = true;
			l->hashes = i;
		}
		/* No byte is hashed a hundred times because a hundred headers name it. */
		sum += l->bad ? 0 : s->at.length;
		if (sum / OVERLAP_MAX > image->size)
			refuse(l, FINDING_FMT_CONFLICT, at, "program headers name the same bytes again and again");
	}
	if (!found)
		refuse(l, FINDING_FMT_MALFORMED, e->phoff, "no hash segment");
	return err;
}

/* ---- the header of the hashes ---- */

/* Sizes in the order in which the parts follow the header. */
struct sizes {
	uint32_t metadata, table, maker_signature, maker_chain, signature, chain;
	uint32_t total; /* as the header says; only before version 7 */
	size_t header;
};

static bool
read_sizes(struct reader *r, unsigned version, struct sizes *s)
{
	uint32_t a, b;
	*s = (struct sizes){ .header = version == 6 ? 48 : 40 };
	if (version == 7) {
		uint64_t metadata = (uint64_t)reader_u32le(r) + reader_u32le(r);
		metadata += reader_u32le(r);
		s->metadata = (uint32_t)metadata;
		s->table = reader_u32le(r);
		s->maker_signature = reader_u32le(r);
		s->maker_chain = reader_u32le(r);
		s->signature = reader_u32le(r);
		s->chain = reader_u32le(r);
		return !r->bad && metadata <= UINT32_MAX;
	}
	if (version != 3 && version != 5 && version != 6)
		return false;
	a = reader_u32le(r); /* version 3: flash address; later: size of Qualcomm's signature */
	b = reader_u32le(r); /* version 3: destination; later: of its chain */
	s->total = reader_u32le(r);
	s->table = reader_u32le(r);
	(void)reader_u32le(r); /* address of the signature */
	s->signature = reader_u32le(r);
	(void)reader_u32le(r); /* address of the chain */
	s->chain = reader_u32le(r);
	if (version >= 5) {
		s->maker_signature = a;
		s->maker_chain = b;
	}
	if (version == 6) {
		uint64_t metadata = (uint64_t)reader_u32le(r) + reader_u32le(r);
		s->metadata = (uint32_t)metadata;
		return !r->bad && metadata <= UINT32_MAX;
	}
	return !r->bad;
}

/* One part behind the other; each may be empty. */
static struct sig_range
next(uint64_t *at, uint32_t length)
{
	struct sig_range r = { *at, length };
	*at += length;
	return r;
}

static int
read_parts(const struct source *image, struct sig_range room, struct mbn_layout *l)
{
	uint8_t b[HEADER_MAX];
	struct sizes s = { .header = 40 };
	struct reader r;
	int err = 0;
	size_t n = room.length < sizeof b ? (size_t)room.length : sizeof b;
	if (n < 40 || !fetch(image, room.offset, b, n, &err)) {
		refuse(l, FINDING_FMT_MALFORMED, room.offset, "a hash segment of %llu bytes",
		    (unsigned long long)room.length);
		return err;
	}
	reader_init(&r, view_of(b, n));
	(void)reader_u32le(&r); /* kind of image */
	l->version = reader_u32le(&r);
	if (!read_sizes(&r, l->version, &s)) {
		refuse(l, FINDING_FMT_UNKNOWN_PART, room.offset + 4, "a header of version %u, or cut short",
		    l->version);
		return 0;
	}
	uint64_t at = room.offset + s.header, end = room.offset + room.length;
	l->header = (struct sig_range){ room.offset, s.header };
	l->metadata = next(&at, s.metadata);
	l->table = next(&at, s.table);
	l->maker_signature = next(&at, s.maker_signature);
	l->maker_chain = next(&at, s.maker_chain);
	l->signature = next(&at, s.signature);
	l->chain = next(&at, s.chain);
	if (at > end)
		refuse(l, FINDING_FMT_MALFORMED, room.offset, "its parts end %llu bytes behind it",
		    (unsigned long long)(at - end));
	else if (l->version != 7 && s.total != at - l->header.offset - l->header.length)
		refuse(l, FINDING_FMT_CONFLICT, room.offset, "its parts have %llu bytes, the header says %lu",
		    (unsigned long long)(at - l->header.offset - l->header.length), (unsigned long)s.total);
	l->padding = (struct sig_range){ at, end - at };
	return 0;
}

int
mbn_layout_read(const struct source *image, struct mbn_layout *ret)
{
	struct elf e;
	int err = 0;
	*ret = (struct mbn_layout){ .bad = false };
	ret->elf = read_elf(image, &e, &err);
	if (err)
		return err;
	if (!ret->elf)
		return read_parts(image, (struct sig_range){ 0, image->size }, ret);
	err = read_segments(image, &e, ret);
	if (err || ret->bad)
		return err;
	err = read_parts(image, ret->segment[ret->hashes].at, ret);
	if (err || ret->bad)
		return err;
	ret->hash_len = (size_t)(ret->table.length / ret->n);
	if (ret->table.length % ret->n != 0 ||
	    (ret->hash_len != 20 && ret->hash_len != 32 && ret->hash_len != 48))
		refuse(ret, FINDING_FMT_MALFORMED, ret->table.offset,
		    "%llu bytes are no hashes of %u program headers",
		    (unsigned long long)ret->table.length, ret->n);
	return 0;
}
