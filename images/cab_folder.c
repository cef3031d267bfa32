/* SPDX-License-Identifier: Apache-2.0 */
#include "images/cab_internal.h"

#include <stdlib.h>

#include "crypto/err.h"

#define BLOCK_HEAD 8
#define SIGNATURE_LEN 2 /* "CK" in front of each block of MSZIP */

struct cab_stream *
cab_stream_new(const struct cab *c, const struct cab_folder *f)
{
	struct cab_stream *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->c = c;
	s->folder = f;
	s->next = f->start;
	if (f->mszip && inflateInit2(&s->z, -MAX_WBITS) != Z_OK) {
		free(s);
		return NULL;
	}
	s->inflating = f->mszip;
	return s;
}

void
cab_stream_free(struct cab_stream *s)
{
	if (s && s->inflating)
		(void)inflateEnd(&s->z);
	free(s);
}

static uint32_t
word(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* [MS-CAB] 3.1: exclusive or of words, the last one filled from the other end. */
static uint32_t
checksum(const uint8_t *p, size_t n, uint32_t sum)
{
	uint32_t last = 0;
	for (; n >= 4; n -= 4, p += 4)
		sum ^= word(p);
	for (; n > 0; n--)
		last = last << 8 | *p++;
	return sum ^ last;
}

/* All of a block and nothing else; what came before in the folder is its dictionary. */
static int
inflate_block(struct cab_stream *s, size_t packed, size_t plain)
{
	bool marked = packed > SIGNATURE_LEN && s->in[0] == 'C' && s->in[1] == 'K';
	if (!marked || inflateReset(&s->z) != Z_OK ||
	    (s->block > 0 && inflateSetDictionary(&s->z, s->window, CAB_BLOCK) != Z_OK))
		return FG_EFORMAT;
	s->z.next_in = s->in + SIGNATURE_LEN;
	s->z.avail_in = (uInt)(packed - SIGNATURE_LEN);
	s->z.next_out = s->out;
	s->z.avail_out = (uInt)plain;
	int z = inflate(&s->z, Z_FINISH);
	if (z == Z_MEM_ERROR)
		return FG_ENOMEM;
	return z == Z_STREAM_END && s->z.avail_in == 0 && s->z.avail_out == 0 ? 0 : FG_EFORMAT;
}

static int
next_block(struct cab_stream *s)
{
	uint8_t head[BLOCK_HEAD];
	int err = source_read(s->c->image, s->next, head, sizeof head);
	if (err)
		return err;
	size_t packed = (size_t)(head[4] | head[5] << 8), plain = (size_t)(head[6] | head[7] << 8);
	memcpy(s->window, s->out, CAB_BLOCK); /* a folder's block but the last is full: see cab_layout.c */
	err = source_read(s->c->image, s->next + BLOCK_HEAD, s->in, packed);
	if (err)
		return err;
	/* Zero: the maker left it out. */
	if (word(head) != 0 && checksum(head + 4, 4, checksum(s->in, packed, 0)) != word(head))
		return FG_EFORMAT;
	if (s->folder->mszip)
		err = inflate_block(s, packed, plain);
	else
		memcpy(s->out, s->in, plain);
	s->next += BLOCK_HEAD + packed;
	s->block++;
	s->n = plain;
	s->used = 0;
	return err;
}

long
cab_stream_read(struct cab_stream *s, void *buf, size_t n)
{
	if (s->used == s->n) {
		if (s->block == s->folder->blocks)
			return 0;
		int err = next_block(s);
		if (err)
			return err;
	}
	size_t left = s->n - s->used, take = n < left ? n : left;
	memcpy(buf, s->out + s->used, take);
	s->used += take;
	s->at += take;
	return (long)take;
}
