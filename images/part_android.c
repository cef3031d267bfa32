/* SPDX-License-Identifier: Apache-2.0 */
/* part_android - Android's boot images, and images in its sparse form. */
#include <stdlib.h>
#include <zlib.h>

#include "crypto/err.h"
#include "crypto/reader.h"
#include "images/androidboot.h"
#include "images/part_image.h"

/* ---- boot images ---- */

static int
add_boot(struct part_ctx *c, uint32_t self, const struct androidboot *b)
{
	uint64_t size = part_bytes(c, self)->size, end;
	int err = 0;
	if (b->bad)
		part_untold(c, self, "its header says what cannot be");
	for (unsigned i = 0; i < b->n && !err; i++) {
		const struct androidboot_part *p = &b->part[i];
		if (p->head) {
			err = part_header(c, self, p->name, p->at, p->length, &end);
			continue;
		}
		uint64_t length = p->length;
		if (p->at > size || length > size - p->at) {
			part_untold(c, self, "it is cut off");
			length = p->at > size ? 0 : size - p->at;
		}
		int64_t k = length ? part_region(c, self, PART_REGION, view_str(p->name), p->at, length) : 0;
		err = k < 0 ? (int)k : 0;
	}
	return err;
}

int
part_android_boot_open(struct part_ctx *c, uint32_t self)
{
	struct androidboot b;
	int r = androidboot_read(part_bytes(c, self), &b);
	return r > 0 ? add_boot(c, self, &b) : r;
}

int
part_vendor_boot_try(struct part_ctx *c, uint32_t self)
{
	struct androidboot b;
	int r = androidboot_read(part_bytes(c, self), &b);
	if (r <= 0 || !b.vendor || b.bad)
		return r < 0 ? r : 0;
	part_edit(c, self)->form = "vendor-boot";
	r = add_boot(c, self, &b);
	return r ? r : 1;
}

/* ---- sparse images ---- */

#define SPARSE_HEAD 28u
#define SPARSE_CHUNK 12u
#define SPARSE_BLOCK_MAX (64u << 20)
#define SPARSE_CHUNKS_MAX 1000000u /* one for each block that differs from its neighbours, at the very worst */

enum { SPARSE_RAW = 0xcac1, SPARSE_FILL, SPARSE_NOTHING, SPARSE_SUM };

struct sparse {
	const struct source *s;
	uint32_t block, blocks, chunks, sum; /* as the header says */
	uint16_t chunk_head;
	/* ---- the chunk at hand ---- */
	uint32_t k;      /* its number */
	uint64_t at;     /* of its header */
	unsigned type;
	bool spare;      /* bytes that nothing uses are not zeros */
	uint64_t length; /* of it and its header */
	uint64_t out;    /* bytes that come out of it */
	uint64_t given;  /* of them */
	uint8_t fill[4];
	uint32_t crc;    /* of what came out so far */
};

static int
sparse_head(struct sparse *x)
{
	uint8_t h[SPARSE_HEAD];
	struct reader r;
	int err = source_read(x->s, 0, h, sizeof h);
	if (err)
		return err == FG_ELIMIT ? FG_EFORMAT : err;
	reader_init(&r, view_of(h, sizeof h));
	(void)reader_take(&r, 6);
	uint16_t minor = reader_u16le(&r), head = reader_u16le(&r);
	x->chunk_head = reader_u16le(&r);
	x->block = reader_u32le(&r);
	x->blocks = reader_u32le(&r);
	x->chunks = reader_u32le(&r);
	x->sum = reader_u32le(&r);
	x->at = head;
	x->crc = (uint32_t)crc32(0, NULL, 0);
	bool ok = minor == 0 && head == SPARSE_HEAD && x->chunk_head == SPARSE_CHUNK && x->block >= 4 &&
	          x->block % 4 == 0 && x->block <= SPARSE_BLOCK_MAX;
	return ok ? 0 : FG_EFORMAT;
}

/* The header at x->at. 0; FG_EFORMAT where it cannot be. */
static int
sparse_chunk(struct sparse *x)
{
	uint8_t h[SPARSE_CHUNK];
	struct reader r;
	int err = source_read(x->s, x->at, h, sizeof h);
	if (err)
		return err == FG_ELIMIT ? FG_EFORMAT : err;
	reader_init(&r, view_of(h, sizeof h));
	x->type = reader_u16le(&r);
	x->spare = reader_u16le(&r) != 0;
	x->out = (uint64_t)reader_u32le(&r) * x->block;
	x->length = reader_u32le(&r);
	x->given = 0;
	uint64_t body = x->type == SPARSE_RAW ? x->out : x->type == SPARSE_NOTHING ? 0 : 4;
	if (x->type < SPARSE_RAW || x->type > SPARSE_SUM || x->length != SPARSE_CHUNK + body ||
	    x->length > x->s->size - x->at || (x->type == SPARSE_SUM && x->out != 0))
		return FG_EFORMAT;
	if (x->type != SPARSE_FILL && x->type != SPARSE_SUM)
		return 0;
	return source_read(x->s, x->at + SPARSE_CHUNK, x->fill, sizeof x->fill);
}

static long
sparse_read(void *arg, void *buf, size_t n)
{
	struct sparse *x = arg;
	while (x->given == x->out) {
		/* The sum of all that came before it. */
		if (x->k > 0 && x->type == SPARSE_SUM && (x->fill[0] | (uint32_t)x->fill[1] << 8 |
		    (uint32_t)x->fill[2] << 16 | (uint32_t)x->fill[3] << 24) != x->crc)
			return FG_EFORMAT;
		x->at += x->k > 0 ? x->length : 0;
		if (x->k == x->chunks)
			return 0;
		x->k++;
		int err = sparse_chunk(x);
		if (err)
			return err;
	}
	size_t give = x->out - x->given < n ? (size_t)(x->out - x->given) : n;
	if (x->type == SPARSE_RAW) {
		int err = source_read(x->s, x->at + SPARSE_CHUNK + x->given, buf, give);
		if (err)
			return err;
	} else {
		for (size_t i = 0; i < give; i++)
			((uint8_t *)buf)[i] = x->type == SPARSE_FILL ? x->fill[(x->given + i) % 4] : 0;
	}
	x->crc = (uint32_t)crc32_z(x->crc, buf, give);
	x->given += give;
	return (long)give;
}

/* Goes over all chunks: their headers are structure, what they hold is a piece of child (0: only checks). */
static int
sparse_list(struct part_ctx *c, uint32_t self, struct sparse x, uint32_t child)
{
	uint64_t blocks = 0;
	int err = x.chunks > SPARSE_CHUNKS_MAX ? FG_ELIMIT : 0;
	for (uint32_t i = 0; i < x.chunks && !err; i++) {
		err = sparse_chunk(&x);
		if (err)
			break;
		blocks += x.out / x.block;
		if (child && !x.spare)
			err = part_structure(c, self, x.at, SPARSE_CHUNK);
		/* Of a filling that nothing is filled with nothing comes out. */
		if (!err && child && (x.out > 0 || x.type == SPARSE_SUM))
			err = part_piece(c, child, x.at + SPARSE_CHUNK, x.length - SPARSE_CHUNK);
		x.at += x.length;
	}
	return err ? err : blocks == x.blocks ? 0 : FG_EFORMAT;
}

int
part_sparse_open(struct part_ctx *c, uint32_t self)
{
	struct sparse x = { .s = part_bytes(c, self) };
	uint64_t end;
	int err = sparse_head(&x);
	if (!err)
		err = sparse_list(c, self, x, 0);
	if (err == FG_ELIMIT) {
		part_limit(c, self, "it has more chunks than are looked at");
		return 0;
	}
	if (err == FG_EFORMAT) {
		part_untold(c, self, "its header or its chunks are damaged");
		return 0;
	}
	if (err)
		return err;
	struct sparse all = x;
	int64_t child = part_expand(c, self, PART_STREAM, view_str("image"), sparse_read, &x, 0, 0);
	if (child < 0)
		return (int)child;
	err = sparse_list(c, self, all, (uint32_t)child);
	/* Of the header every field was checked but a sum that nobody writes. */
	if (!err)
		err = all.sum == 0 ? part_structure(c, self, 0, SPARSE_HEAD)
		                   : part_header(c, self, "header", 0, SPARSE_HEAD, &end);
	return err;
}
