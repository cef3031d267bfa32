/* SPDX-License-Identifier: Apache-2.0 */
/* crau_expand - the bytes behind a payload's operations: checked one by one, and unpacked into partitions. */
#include <bzlib.h>
#include <inttypes.h>
#include <lzma.h>
#include <stddef.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "images/crau.h"

#define CHUNK (64u << 10)

/* A partition being written, block after block, into whoever reads it. */
struct expand {
	struct walk *w;
	const struct crau_manifest *m;
	const struct crau_partition *p;
	struct sig_range blobs;
	struct crau_extent *order; /* its extents, ascending */
	uint32_t next;             /* extent to come */
	uint64_t left;             /* bytes of the current extent still to come */
	uint64_t out;              /* bytes of the partition that came */
	/* The operation whose output is being taken. */
	const struct crau_operation *op;
	uint64_t at, packed; /* its bytes not yet fetched */
	uint64_t due;        /* bytes of output its extents still want */
	bool ended;          /* the packed stream is over */
	bool bz_open, xz_open;
	bz_stream bz;
	lzma_stream xz;
	size_t in_n, in_at;
	uint8_t in[CHUNK];
};

/* ---- one operation's output ---- */

static void
op_close(struct expand *x)
{
	if (x->bz_open)
		BZ2_bzDecompressEnd(&x->bz);
	if (x->xz_open)
		lzma_end(&x->xz);
	x->bz_open = x->xz_open = false;
	x->op = NULL;
}

static int
op_open(struct expand *x, uint32_t index)
{
	const struct crau_operation *op = &x->m->operation[index];
	op_close(x);
	x->at = x->blobs.offset + op->data_offset;
	x->packed = op->data_length;
	x->due = op->blocks * x->m->block_size;
	x->ended = false;
	x->in_n = x->in_at = 0;
	if (op->type == CRAU_REPLACE_BZ) {
		memset(&x->bz, 0, sizeof x->bz);
		x->bz_open = BZ2_bzDecompressInit(&x->bz, 0, 0) == BZ_OK;
	} else if (op->type == CRAU_REPLACE_XZ) {
		x->xz = (lzma_stream)LZMA_STREAM_INIT;
		x->xz_open = lzma_stream_decoder(&x->xz, CRAU_XZ_MEMORY, 0) == LZMA_OK;
	}
	bool packed = op->type == CRAU_REPLACE_BZ || op->type == CRAU_REPLACE_XZ;
	x->op = op;
	return packed && !x->bz_open && !x->xz_open ? FG_ENOMEM : 0;
}

static int
refill(struct expand *x)
{
	if (x->in_at < x->in_n || x->packed == 0)
		return 0;
	size_t n = x->packed < CHUNK ? (size_t)x->packed : CHUNK;
	int err = source_read(x->w->image, x->at, x->in, n);
	x->in_at = 0;
	x->in_n = err ? 0 : n;
	x->at += n;
	x->packed -= n;
	return err;
}

static long
read_bz(struct expand *x, uint8_t *buf, size_t n)
{
	x->bz.next_in = (char *)x->in + x->in_at;
	x->bz.avail_in = (unsigned)(x->in_n - x->in_at);
	x->bz.next_out = (char *)buf;
	x->bz.avail_out = (unsigned)n;
	int rc = BZ2_bzDecompress(&x->bz);
	x->in_at = x->in_n - x->bz.avail_in;
	x->ended = rc == BZ_STREAM_END;
	if (rc == BZ_MEM_ERROR)
		return FG_ENOMEM;
	return rc == BZ_OK || rc == BZ_STREAM_END ? (long)(n - x->bz.avail_out) : FG_EFORMAT;
}

static long
read_xz(struct expand *x, uint8_t *buf, size_t n)
{
	x->xz.next_in = x->in + x->in_at;
	x->xz.avail_in = x->in_n - x->in_at;
	x->xz.next_out = buf;
	x->xz.avail_out = n;
	lzma_ret rc = lzma_code(&x->xz, x->packed == 0 ? LZMA_FINISH : LZMA_RUN);
	x->in_at = x->in_n - x->xz.avail_in;
	x->ended = rc == LZMA_STREAM_END;
	if (rc == LZMA_MEM_ERROR)
		return FG_ENOMEM;
	/* Over the memory limit is told like damage: nobody's updater has that much either. */
	return rc == LZMA_OK || rc == LZMA_STREAM_END ? (long)(n - x->xz.avail_out) : FG_EFORMAT;
}

static long
read_plain(struct expand *x, uint8_t *buf, size_t n)
{
	size_t have = x->in_n - x->in_at;
	n = n < have ? n : have;
	memcpy(buf, x->in + x->in_at, n);
	x->in_at += n;
	x->ended = x->in_at == x->in_n && x->packed == 0;
	return (long)n;
}

/* Up to n bytes of the operation's output: all it has, then zeros where less than a block is missing. */
static long
op_read(struct expand *x, uint8_t *buf, size_t n)
{
	enum crau_type type = x->op->type;
	if (type == CRAU_ZERO || type == CRAU_DISCARD) {
		memset(buf, 0, n);
		return (long)n;
	}
	while (!x->ended) {
		int err = refill(x);
		if (err)
			return err;
		bool dry = x->in_at == x->in_n && x->packed == 0;
		if (dry && type == CRAU_REPLACE)
			break;
		long got = type == CRAU_REPLACE      ? read_plain(x, buf, n)
		           : type == CRAU_REPLACE_BZ ? read_bz(x, buf, n)
		                                     : read_xz(x, buf, n);
		if (got != 0)
			return got;
		if (dry && !x->ended)
			return FG_EFORMAT;
	}
	if (x->due >= x->m->block_size)
		return FG_EFORMAT;
	memset(buf, 0, n);
	return (long)n;
}

/* All blocks are written: the stream must be over too, to its last byte. */
static long
op_finish(struct expand *x)
{
	uint8_t more;
	if (x->op->type == CRAU_ZERO || x->op->type == CRAU_DISCARD)
		return 0;
	while (!x->ended) {
		int err = refill(x);
		if (err)
			return err;
		bool dry = x->in_at == x->in_n && x->packed == 0;
		if (dry && x->op->type == CRAU_REPLACE)
			break;
		long got = x->op->type == CRAU_REPLACE      ? read_plain(x, &more, 1)
		           : x->op->type == CRAU_REPLACE_BZ ? read_bz(x, &more, 1)
		                                            : read_xz(x, &more, 1);
		if (got < 0)
			return got;
		if (got > 0 || (dry && !x->ended))
			return FG_EFORMAT;
	}
	return x->in_at == x->in_n && x->packed == 0 ? 0 : FG_EFORMAT;
}

/* ---- the partition ---- */

/* Takes up the next extent, and its operation where a new one begins. 1; 0 at the end; negative. */
static long
next_extent(struct expand *x)
{
	long rc = 0;
	if (x->op && x->due == 0) {
		rc = op_finish(x);
		op_close(x);
	}
	if (rc < 0 || x->next == x->p->extents)
		return rc;
	const struct crau_extent *e = &x->order[x->next++];
	x->left = e->count * x->m->block_size;
	if (!x->op)
		rc = op_open(x, e->operation);
	return rc < 0 ? rc : 1;
}

/* For walk_member(): the partition's bytes from its first block to its last. */
static long
expand_read(void *arg, void *buf, size_t n)
{
	struct expand *x = arg;
	for (;;) {
		while (x->left == 0) {
			long more = next_extent(x);
			if (more <= 0)
				return more;
		}
		uint64_t want = n < x->left ? n : x->left;
		long got = op_read(x, buf, want < CHUNK ? (size_t)want : CHUNK);
		if (got <= 0)
			return got < 0 ? got : FG_EFORMAT;
		x->left -= (uint64_t)got;
		x->due -= (uint64_t)got;
		/* The last block may be longer than what is left of the partition. */
		uint64_t room = x->p->new_size - x->out;
		uint64_t told = (uint64_t)got < room ? (uint64_t)got : room;
		x->out += told;
		if (told > 0)
			return (long)told;
	}
}

static int
by_start(const void *a, const void *b)
{
	const struct crau_extent *x = a, *y = b;
	return (x->start > y->start) - (x->start < y->start);
}

/*
 * Can it be written from the first block to the last, taking each operation's
 * output once and in order? Every block must be somebody's, and an extent that is
 * not its operation's first must stand right behind the one before it.
 */
static bool
order_extents(struct walk *w, struct expand *x)
{
	const struct crau_partition *p = x->p;
	uint64_t next = 0, blocks = p->new_size / x->m->block_size + (p->new_size % x->m->block_size != 0);
	if (p->extents)
		memcpy(x->order, x->m->extent + p->extent, p->extents * sizeof *x->order);
	qsort(x->order, p->extents, sizeof *x->order, by_start);
	for (uint32_t i = 0; i < p->extents; i++) {
		const struct crau_extent *e = &x->order[i];
		bool first = e->index == 0 || x->m->extent[e->index - 1].operation != e->operation;
		if (!first && (i == 0 || x->order[i - 1].index != e->index - 1)) {
			walk_raise(w, FINDING_FMT_WALK_LIMIT, NULL,
			    "%.*s: not expanded, an operation writes here and there", (int)p->name.n,
			    (const char *)p->name.p);
			return false;
		}
		if (e->start != next)
			break;
		next += e->count;
	}
	if (next != blocks)
		walk_raise(w, FINDING_FMT_MALFORMED, NULL, "%.*s: nothing writes block %" PRIu64 " of %" PRIu64,
		    (int)p->name.n, (const char *)p->name.p, next, blocks);
	return next == blocks;
}

/*
 * Where its bytes lie, if nothing else lies among them; no range otherwise. No
 * two operations share a byte (check_tiling()), so that the sum tells.
 */
static struct sig_range
data_range(const struct expand *x)
{
	uint64_t start = UINT64_MAX, end = 0, sum = 0;
	for (uint32_t i = 0; i < x->p->operations; i++) {
		const struct crau_operation *op = &x->m->operation[x->p->operation + i];
		if (op->data_length == 0)
			continue;
		start = op->data_offset < start ? op->data_offset : start;
		end = op->data_offset + op->data_length > end ? op->data_offset + op->data_length : end;
		sum += op->data_length;
	}
	if (sum == 0 || sum != end - start)
		return (struct sig_range){ x->blobs.offset, 0 };
	return (struct sig_range){ x->blobs.offset + start, sum };
}

static int
expand_partition(struct expand *x, struct walk *w, struct walk_signed by)
{
	struct walk_member m = { .name = x->p->name,
		.read = expand_read,
		.arg = x,
		.at = data_range(x),
		.size = x->p->new_size,
		.alg = DIGEST_SHA256,
		.by = by,
		.runs = false };
	memcpy(m.digest, x->p->new_sha256, DIGEST_SHA256_LEN);
	x->order = calloc(x->p->extents ? x->p->extents : 1, sizeof *x->order);
	int err = x->order ? 0 : FG_ENOMEM;
	if (!err && order_extents(w, x))
		err = walk_member(w, &m, NULL);
	op_close(x);
	free(x->order);
	return err;
}

/* ---- the operations' bytes ---- */

/*
 * One operation: within the blobs, and what its hash says. Packed bytes may
 * change and still unpack to the same (T20), so a partition that fits its hash
 * says nothing about them.
 */
static int
check_operation(struct walk *w, const struct crau_manifest *m, struct crau_partition *p, uint32_t i,
    struct sig_range blobs, struct walk_signed by)
{
	const struct crau_operation *op = &m->operation[p->operation + i];
	int name = (int)p->name.n;
	uint8_t sum[DIGEST_LEN_MAX];
	if (op->data_length == 0)
		return 0;
	if (op->data_offset > blobs.length || op->data_length > blobs.length - op->data_offset) {
		walk_raise(w, FINDING_FMT_MALFORMED, NULL,
		    "%.*s: operation %" PRIu32 " (%s) uses %" PRIu64 " bytes at %" PRIu64 " of %" PRIu64, name,
		    (const char *)p->name.p, i, crau_type_name(op->type), op->data_length, op->data_offset,
		    blobs.length);
		p->broken = true;
		return 0;
	}
	uint64_t at = blobs.offset + op->data_offset;
	if (!op->have_hash) {
		walk_raise(w, FINDING_MEMBER_NO_DIGEST, &at, "%.*s: operation %" PRIu32 " (%s) has bytes and no hash",
		    name, (const char *)p->name.p, i, crau_type_name(op->type));
		p->broken = true;
		return 0;
	}
	struct walk_span span = { .range = { { at, op->data_length } }, .n = 1 };
	int err = walk_digest(w, &span, DIGEST_SHA256, sum);
	if (err)
		return err;
	if (memcmp(sum, op->sha256, DIGEST_SHA256_LEN) == 0) {
		walk_covers(w, by, at, op->data_length);
		return 0;
	}
	walk_raise(w, FINDING_MEMBER_DIGEST, &at,
	    "%.*s: the bytes of operation %" PRIu32 " (%s) are not those of its hash", name,
	    (const char *)p->name.p, i, crau_type_name(op->type));
	p->broken = true;
	return 0;
}

struct tiling {
	struct walk *w;
	uint64_t blobs; /* where they begin */
	bool overlap;
};

static int
tell_seam(void *arg, const struct crau_seam *seam)
{
	struct tiling *t = arg;
	uint64_t at = t->blobs + seam->at;
	if (seam->unused > 0) {
		walk_raise(t->w, FINDING_FMT_HIDDEN_BYTES, &at, "%" PRIu64 " bytes of the blobs that no operation uses",
		    seam->unused);
		return 0;
	}
	t->overlap = true;
	walk_raise(t->w, FINDING_FMT_CONFLICT, &at, "two operations use the same bytes, %s and %s: nothing is unpacked",
	    crau_type_name(seam->one->type), crau_type_name(seam->other->type));
	return 0;
}

int
crau_expand(struct walk *w, struct crau_manifest *m, struct sig_range blobs, struct walk_signed by)
{
	struct tiling t = { .w = w, .blobs = blobs.offset };
	int err = crau_seams(m, blobs.length, tell_seam, &t);
	/* A quarter of a million operations, each over all of the blobs, would never come to an end. */
	if (err || t.overlap)
		return err;
	struct expand *x = malloc(sizeof *x);
	if (!x)
		return FG_ENOMEM;
	for (unsigned i = 0; i < m->partitions && !err; i++) {
		struct crau_partition *p = &m->partition[i];
		for (uint32_t k = 0; k < p->operations && !err; k++)
			err = check_operation(w, m, p, k, blobs, by);
		if (err || p->delta || p->broken)
			continue;
		memset(x, 0, offsetof(struct expand, in));
		x->w = w;
		x->m = m;
		x->p = p;
		x->blobs = blobs;
		err = expand_partition(x, w, by);
	}
	free(x);
	return err;
}
