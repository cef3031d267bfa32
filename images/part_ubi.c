/* SPDX-License-Identifier: Apache-2.0 */
/*
 * part_ubi - the volumes of an UBI image: erase blocks, each with a header of its
 * own, that hold the blocks of volumes in any order. Headers and volume table as
 * the kernel's drivers/mtd/ubi/ubi-media.h has them.
 *
 * Of two blocks that both say that they are one the kernel takes the younger, and
 * so does this; the other one's bytes are nobody's, and become a part. A header
 * is structure only where its checksum fits and its reserved bytes are zeros.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/reader.h"
#include "images/filler.h"
#include "images/flash.h"
#include "images/part_fs.h"

#define HEAD 64u
#define BLOCK_STEP 512u        /* erase blocks are whole pages */
#define BLOCK_MIN 4096u
#define BLOCK_MAX (16u << 20)
#define BLOCKS_MAX 65536u      /* 8 GiB of blocks of 128 KiB */
#define ERASES_MAX 0x7fffffffu /* the kernel's own limit of a counter */
#define VOLUMES_MAX 128u
#define VOLUMES_FIRST_OWN 0x7fffefffu /* above: UBI's own; this one has the volume table, in two blocks */
#define VOLUMES_MAP 0x7ffff000u /* and the next: a map of all blocks, which some kernels believe in place of the headers */
#define RECORD 172u
#define NAME_MAX_LEN 127u
#define FIXED 2u /* type of a volume whose blocks say how much they hold */

/* One erase block that holds a block of a volume. */
struct block {
	uint32_t volume, number;
	uint64_t order;      /* which of two is the younger */
	uint64_t at;         /* of its data */
	uint32_t length;     /* of its data: of a fixed volume what its header says */
	uint32_t stored, crc; /* what the header says; of a dynamic volume only where it was copied */
	uint8_t type;
	bool copied;
};

struct ubi {
	struct part_ctx *c;
	uint32_t self;
	const struct source *s;
	uint64_t size;       /* of an erase block */
	uint32_t id_at, data_at; /* in it */
	uint32_t image;      /* a number that all of them have */
	struct block *block; /* owned; in the order of volume and number */
	size_t n;
	uint8_t *buf;        /* size bytes, owned */
	uint8_t *table;      /* of volumes; owned */
	size_t table_n;
	/* the volume at hand */
	size_t next, end;
	uint32_t number;     /* that is due */
	uint32_t length;     /* of each of its blocks */
	uint32_t given;      /* of the one that is due */
};

/* The header of an erase block. 1, 0: none (or a damaged one), FG_EIO. */
static int
read_head(struct ubi *u, uint64_t at, uint32_t *ret_id_at, uint32_t *ret_data_at, uint32_t *ret_image)
{
	uint8_t h[HEAD];
	struct reader r;
	int err = source_read(u->s, at, h, sizeof h);
	if (err)
		return err == FG_ELIMIT ? 0 : err;
	reader_init(&r, view_of(h, sizeof h));
	bool ok = view_equal(reader_take(&r, 5), view_of("UBI#\1", 5)) && filler_is(reader_take(&r, 3), 0);
	uint64_t erases = reader_u64(&r);
	*ret_id_at = reader_u32(&r);
	*ret_data_at = reader_u32(&r);
	*ret_image = reader_u32(&r);
	ok = ok && filler_is(reader_take(&r, 32), 0) && reader_u32(&r) == flash_crc_ones(view_of(h, HEAD - 4));
	return ok && erases <= ERASES_MAX && *ret_id_at >= HEAD && *ret_id_at % 8 == 0 && *ret_id_at <= BLOCK_MAX &&
	       *ret_data_at >= *ret_id_at + HEAD && *ret_data_at % 8 == 0 && *ret_data_at <= BLOCK_MAX;
}

/* Where the second erase block begins, or all there is. */
static int
find_size(struct ubi *u)
{
	uint32_t id_at, data_at, image;
	int r = read_head(u, 0, &u->id_at, &u->data_at, &u->image);
	if (r <= 0)
		return r;
	uint64_t least = u->data_at < BLOCK_MIN ? BLOCK_MIN : (u->data_at + BLOCK_STEP) / BLOCK_STEP * BLOCK_STEP;
	for (u->size = least; u->size < u->s->size && u->size <= BLOCK_MAX; u->size += BLOCK_STEP) {
		r = read_head(u, u->size, &id_at, &data_at, &image);
		if (r < 0)
			return r;
		if (r > 0 && id_at == u->id_at && data_at == u->data_at && image == u->image)
			return 1;
	}
	u->size = u->s->size;
	return u->size <= BLOCK_MAX && u->size > u->data_at;
}

/* Which volume's block lies in the erase block at at. 1, 0: none, FG_EIO. */
static int
read_id(struct ubi *u, uint64_t at, struct block *ret)
{
	uint8_t h[HEAD];
	struct reader r;
	int err = source_read(u->s, at + u->id_at, h, sizeof h);
	if (err)
		return err == FG_ELIMIT ? 0 : err;
	reader_init(&r, view_of(h, sizeof h));
	bool ok = view_equal(reader_take(&r, 5), view_of("UBI!\1", 5));
	ret->type = reader_u8(&r);
	uint8_t copied = reader_u8(&r);
	(void)reader_u8(&r); /* what a kernel does that does not know the volume */
	ret->volume = reader_u32(&r);
	ret->number = reader_u32(&r);
	ok = ok && filler_is(reader_take(&r, 4), 0);
	ret->stored = reader_u32(&r);
	uint32_t used = reader_u32(&r), pad = reader_u32(&r);
	ret->crc = reader_u32(&r);
	ok = ok && filler_is(reader_take(&r, 4), 0);
	ret->order = reader_u64(&r);
	ok = ok && filler_is(reader_take(&r, 12), 0) && reader_u32(&r) == flash_crc_ones(view_of(h, HEAD - 4));
	uint64_t room = u->size - u->data_at;
	if (!ok || (ret->type != 1 && ret->type != FIXED) || copied > 1 || pad >= room || ret->stored > room - pad ||
	    ret->number >= BLOCKS_MAX || (ret->type == 1 && used != 0) || (ret->type == FIXED && ret->number >= used))
		return 0;
	ret->copied = copied;
	ret->at = at + u->data_at;
	ret->length = ret->type == FIXED ? ret->stored : (uint32_t)(room - pad);
	if (ret->length > u->s->size - ret->at)
		return 0;
	return 1;
}

/* Goes over all erase blocks; their headers are structure. */
static int
read_blocks(struct ubi *u)
{
	uint32_t id_at, data_at, image;
	for (uint64_t at = 0; at < u->s->size; at += u->size) {
		if (u->n == BLOCKS_MAX) {
			part_limit(u->c, u->self, "more erase blocks than are looked at");
			return 0;
		}
		int r = read_head(u, at, &id_at, &data_at, &image);
		if (r < 0)
			return r;
		/* Not one of them: erased, or it is left over and becomes a part. */
		if (r == 0 || id_at != u->id_at || data_at != u->data_at || image != u->image)
			continue;
		r = part_structure(u->c, u->self, at, HEAD);
		if (!r)
			r = read_id(u, at, &u->block[u->n]);
		if (r < 0)
			return r;
		if (r > 0) {
			r = part_structure(u->c, u->self, at + u->id_at, HEAD);
			u->n++;
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* Is what was copied whole? Else the kernel keeps the older one. */
static int
is_whole(struct ubi *u, const struct block *b, bool *ret)
{
	*ret = true;
	if (!b->copied && b->type != FIXED)
		return 0;
	int err = source_read(u->s, b->at, u->buf, b->stored);
	*ret = !err && flash_crc_ones(view_of(u->buf, b->stored)) == b->crc;
	return err == FG_ELIMIT ? 0 : err;
}

static int
block_order(const void *a, const void *b)
{
	const struct block *x = a, *y = b;
	if (x->volume != y->volume)
		return x->volume < y->volume ? -1 : 1;
	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	if (x->order != y->order)
		return x->order > y->order ? -1 : 1; /* the youngest first */
	return x->at < y->at ? -1 : x->at > y->at;
}

/* Leaves one of each. */
static int
choose(struct ubi *u)
{
	size_t kept = 0;
	if (u->n > 1)
		qsort(u->block, u->n, sizeof *u->block, block_order);
	for (size_t i = 0, end; i < u->n; i = end) {
		size_t use = i;
		bool whole = false;
		for (end = i + 1; end < u->n && u->block[end].volume == u->block[i].volume &&
		     u->block[end].number == u->block[i].number; end++)
			if (u->block[end].order == u->block[end - 1].order)
				part_untold(u->c, u->self, "two erase blocks say that they are the same one");
		for (size_t k = i; k < end && end > i + 1 && !whole; k++) {
			int err = is_whole(u, &u->block[k], &whole);
			if (err)
				return err;
			use = whole ? k : use;
		}
		u->block[kept++] = u->block[use];
	}
	u->n = kept;
	return 0;
}

/* ---- the volume table ---- */

/* The k-th record; NULL: unused, or damaged. */
static const uint8_t *
record(const struct ubi *u, uint32_t k)
{
	if (k >= u->table_n / RECORD)
		return NULL;
	const uint8_t *p = u->table + (size_t)k * RECORD;
	struct reader r;
	reader_init(&r, view_of(p + RECORD - 4, 4));
	bool used = !filler_is_zeros(p, RECORD - 4);
	return used && reader_u32(&r) == flash_crc_ones(view_of(p, RECORD - 4)) ? p : NULL;
}

static struct view
name_of(const struct ubi *u, uint32_t volume, char room[32])
{
	const uint8_t *p = record(u, volume);
	size_t n = p ? (size_t)(p[14] << 8 | p[15]) : 0;
	if (n > 0 && n <= NAME_MAX_LEN)
		return view_of(p + 16, n);
	(void)snprintf(room, 32, "volume %" PRIu32, volume);
	return view_str(room);
}

/* Both copies are shown as they are; the first is taken. */
static int
add_table(struct ubi *u, const struct block *b)
{
	uint64_t n = b->length / RECORD < VOLUMES_MAX ? b->length / RECORD * RECORD : VOLUMES_MAX * RECORD, end;
	if (n > b->length)
		n = b->length;
	if (!u->table && n > 0) {
		u->table = malloc((size_t)n);
		if (!u->table)
			return FG_ENOMEM;
		int err = source_read(u->s, b->at, u->table, (size_t)n);
		if (err)
			return err;
		u->table_n = (size_t)n;
	}
	return part_header(u->c, u->self, b->number == 0 ? "volume table" : "second volume table", b->at, n, &end);
}

/* ---- volumes ---- */

/* Blocks in a row; one that is missing reads as erased. */
static long
read_volume(void *arg, void *buf, size_t n)
{
	struct ubi *u = arg;
	if (u->next == u->end)
		return 0;
	const struct block *b = &u->block[u->next];
	bool here = b->number == u->number;
	uint32_t length = here ? b->length : u->length;
	size_t give = length - u->given < n ? length - u->given : n;
	if (here) {
		int err = source_read(u->s, b->at + u->given, buf, give);
		if (err)
			return err == FG_ELIMIT ? FG_EFORMAT : err;
	} else {
		memset(buf, 0xff, give);
	}
	u->given += (uint32_t)give;
	if (u->given == length) {
		u->given = 0;
		u->number++;
		u->next += here;
	}
	return (long)give;
}

/* Blocks [from, to) are those of one volume. */
static int
add_volume(struct ubi *u, size_t from, size_t to)
{
	char room[32];
	const struct block *first = &u->block[from];
	bool fixed = first->type == FIXED, sound = true;
	uint64_t stored = 0;
	for (size_t i = from; i < to; i++) {
		const struct block *b = &u->block[i];
		bool last = i + 1 == to, whole;
		int err = is_whole(u, b, &whole);
		if (err)
			return err;
		/* A block in the middle of a fixed volume is full, and none is missing. */
		sound = sound && whole && b->type == first->type && b->length > 0 && (last || b->length == first->length) &&
		        (!fixed || b->number == i - from);
		stored += b->length;
	}
	if (!sound) { /* its blocks are left over */
		part_untold(u->c, u->self, "a volume of it is damaged");
		return 0;
	}
	u->next = from;
	u->end = to;
	u->number = u->given = 0;
	u->length = first->length;
	int64_t child = part_expand(u->c, u->self, PART_STREAM, name_of(u, first->volume, room), read_volume, u, 0,
	    stored <= u->s->size ? stored : 0);
	if (child < 0)
		return (int)child;
	struct part *p = part_edit(u->c, (uint32_t)child);
	p->packed_at = first->at; /* the order of coming; its pieces say where it lies */
	p->packed_length = 0;
	int err = 0;
	for (size_t i = from; i < to && !err; i++)
		err = part_piece(u->c, (uint32_t)child, u->block[i].at, u->block[i].length);
	return err;
}

static int
add_volumes(struct ubi *u)
{
	int err = 0;
	/* UBI's own come last in the order. */
	for (size_t i = 0; i < u->n && !err; i++)
		if (u->block[i].volume == VOLUMES_FIRST_OWN)
			err = add_table(u, &u->block[i]);
	for (size_t i = 0, end; i < u->n && !err; i = end) {
		for (end = i + 1; end < u->n && u->block[end].volume == u->block[i].volume; end++)
			;
		if (u->block[i].volume == VOLUMES_MAP || u->block[i].volume == VOLUMES_MAP + 1)
			part_untold(u->c, u->self, "a map of its erase blocks may say something else than their headers");
		if (u->block[i].volume != VOLUMES_FIRST_OWN)
			err = add_volume(u, i, end);
	}
	return err;
}

int
part_ubi_open(struct part_ctx *c, uint32_t self)
{
	struct ubi u = { .c = c, .self = self, .s = part_bytes(c, self) };
	int r = find_size(&u);
	if (r <= 0) {
		if (r == 0)
			part_untold(c, self, "its first erase block is damaged");
		return r;
	}
	uint64_t most = u.s->size / u.size + 1;
	u.block = calloc(most < BLOCKS_MAX ? (size_t)most : BLOCKS_MAX, sizeof *u.block);
	u.buf = malloc((size_t)u.size);
	int err = u.block && u.buf ? read_blocks(&u) : FG_ENOMEM;
	if (!err)
		err = choose(&u);
	if (!err)
		err = add_volumes(&u);
	if (!err && !u.table)
		part_untold(c, self, "it has no volume table");
	free(u.block);
	free(u.buf);
	free(u.table);
	return err;
}
