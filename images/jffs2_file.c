/* SPDX-License-Identifier: Apache-2.0 */
/* jffs2_file - the bytes of a file: of all nodes that have some for a place, those of the youngest. */
#include <stdlib.h>

#include "crypto/err.h"
#include "images/jffs2.h"

static int
by_offset(const void *a, const void *b)
{
	const struct jffs2_node *const *x = a, *const *y = b;
	if ((*x)->offset != (*y)->offset)
		return (*x)->offset < (*y)->offset ? -1 : 1;
	return (*x)->version > (*y)->version ? -1 : (*x)->version < (*y)->version;
}

struct jffs2_file *
jffs2_file_new(struct jffs2 *fs, const struct jffs2_inode *in)
{
	struct jffs2_file *f = calloc(1, sizeof *f);
	if (!f)
		return NULL;
	f->row = calloc((size_t)(in->end - in->first) + 1, sizeof(struct jffs2_node *));
	if (!f->row) {
		free(f);
		return NULL;
	}
	f->fs = fs;
	f->size = in->size;
	for (struct jffs2_node *n = in->first; n < in->end; n++)
		if (n->size > 0) {
			f->row[f->n++] = n;
			f->longest = n->size > f->longest ? n->size : f->longest;
		}
	if (f->n > 1)
		qsort(f->row, f->n, sizeof(struct jffs2_node *), by_offset);
	return f;
}

void
jffs2_file_free(struct jffs2_file *f)
{
	if (!f)
		return;
	free(f->row);
	free(f);
}

/* The youngest of those that have bytes for [at, end) and are older than below; NULL: none. */
static struct jffs2_node *
youngest(struct jffs2_file *f, uint64_t at, uint64_t end, const struct jffs2_node *below)
{
	struct jffs2_node *best = NULL;
	while (f->from < f->n && (uint64_t)f->row[f->from]->offset + f->longest <= at)
		f->from++;
	for (size_t i = f->from; i < f->n && f->row[i]->offset < end; i++) {
		struct jffs2_node *n = f->row[i];
		f->fs->work += sizeof *n;
		/* The row of an inode's nodes is in the order of their age. */
		if ((uint64_t)n->offset + n->size > at && (!below || n < below) && (!best || n > best))
			best = n;
	}
	return best;
}

/* Puts bytes of n where no younger one has any; how many. */
static long
paint(struct jffs2_file *f, struct jffs2_node *n, uint64_t at, size_t want)
{
	size_t painted = 0;
	bool zeros = n->packing == FLASH_ZEROS;
	f->fs->work += zeros ? 0 : n->size;
	long got = zeros ? 0 : jffs2_node_bytes(f->fs, n, f->block);
	f->packed_strangely = f->packed_strangely || got == FG_ENOTFOUND;
	if (got < 0)
		return got == FG_ENOTFOUND ? FG_EFORMAT : got;
	for (size_t i = 0; i < want; i++) {
		uint64_t place = at + i;
		if (f->covered[i] || place < n->offset || place - n->offset >= n->size)
			continue;
		f->window[i] = zeros ? 0 : f->block[place - n->offset];
		f->covered[i] = true;
		painted++;
	}
	n->shown += (uint32_t)painted; /* a byte is taken once: never more than .size */
	return (long)painted;
}

/* The window that begins at f->at. */
static int
load(struct jffs2_file *f)
{
	const struct jffs2 *fs = f->fs;
	size_t want = f->size - f->at < JFFS2_WINDOW ? (size_t)(f->size - f->at) : JFFS2_WINDOW, have = 0;
	memset(f->window, 0, sizeof f->window); /* a hole, where no node is */
	memset(f->covered, 0, sizeof f->covered);
	struct jffs2_node *n = NULL;
	while (have < want) {
		if (fs->work > JFFS2_WORK_MIN && fs->work / JFFS2_WORK_TIMES > fs->s->size)
			return FG_ELIMIT;
		n = youngest(f, f->at, f->at + want, n);
		if (!n)
			break;
		long got = paint(f, n, f->at, want);
		if (got < 0)
			return (int)got;
		have += (size_t)got;
	}
	return 0;
}

long
jffs2_read(void *arg, void *buf, size_t n)
{
	struct jffs2_file *f = arg;
	size_t got = 0;
	while (got < n && f->at < f->size) {
		size_t off = (size_t)(f->at % JFFS2_WINDOW);
		int err = off == 0 ? load(f) : 0;
		if (err) /* what came before it is given first: it is met again */
			return got > 0 && (err == FG_EFORMAT || err == FG_ELIMIT) ? (long)got : err;
		size_t give = JFFS2_WINDOW - off;
		give = give < n - got ? give : n - got;
		give = give < f->size - f->at ? give : (size_t)(f->size - f->at);
		memcpy((uint8_t *)buf + got, f->window + off, give);
		got += give;
		f->at += give;
	}
	return (long)got;
}
