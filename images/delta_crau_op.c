/* SPDX-License-Identifier: Apache-2.0 */
/* delta_crau_op - one operation of a payload: what it is about is checked, and what it makes is put. */
#include <inttypes.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "images/delta_crau.h"

#define CHUNK (64u << 10)

/* What update_engine makes of each type, and whether there are bytes behind it. */
enum how { HOW_NOT = 0, HOW_ZERO, HOW_COPY, HOW_PLAIN, HOW_PACKED, HOW_BSDIFF };

static enum how
how_of(enum crau_type type)
{
	switch (type) {
	case CRAU_ZERO:
	case CRAU_DISCARD:
		return HOW_ZERO;
	case CRAU_SOURCE_COPY:
		return HOW_COPY;
	case CRAU_REPLACE:
		return HOW_PLAIN;
	case CRAU_REPLACE_BZ:
	case CRAU_REPLACE_XZ:
		return HOW_PACKED;
	case CRAU_SOURCE_BSDIFF:
	case CRAU_BROTLI_BSDIFF:
		return HOW_BSDIFF;
	case CRAU_MOVE:
	case CRAU_BSDIFF:
	case CRAU_PUFFDIFF:
	case CRAU_ZUCCHINI:
	case CRAU_LZ4DIFF_BSDIFF:
	case CRAU_LZ4DIFF_PUFFDIFF:
	case CRAU_TYPE_LIMIT:
		break;
	}
	return HOW_NOT;
}

static const struct crau_operation *
operation(const struct delta_crau *x, uint32_t i)
{
	return &x->m.operation[x->p->operation + i];
}

static int
wrong(struct delta_crau *x, uint32_t i, enum delta_outcome outcome, const char *what)
{
	return delta_refuse(x->d, outcome, "partition %.*s: operation %" PRIu32 " (%s) %s", x->name_n,
	    (const char *)x->p->name.p, i, crau_type_name(operation(x, i)->type), what);
}

/* ---- what can be said before anything is made ---- */

static int
check_data(struct delta_crau *x, uint32_t i)
{
	const struct crau_operation *op = operation(x, i);
	struct source data;
	uint8_t sum[DIGEST_SHA256_LEN];
	bool wanted = how_of(op->type) >= HOW_PLAIN;
	if (!wanted && op->data_length == 0)
		return 0;
	if (!wanted || op->data_length == 0)
		return wrong(x, i, DELTA_MALFORMED, wanted ? "without bytes" : "with bytes");
	if (op->data_offset > x->blobs.length || op->data_length > x->blobs.length - op->data_offset)
		return wrong(x, i, DELTA_MALFORMED, "uses bytes beyond those of the payload");
	if (!op->have_hash)
		return wrong(x, i, DELTA_MALFORMED, "has bytes and no hash");
	int err = source_window(delta_patch(x->d), x->blobs.offset + op->data_offset, op->data_length, &data);
	if (!err)
		err = source_digest(&data, sum);
	if (!err && memcmp(sum, op->sha256, sizeof sum) != 0)
		err = wrong(x, i, DELTA_MALFORMED, "does not have the bytes of its hash");
	return err;
}

/* Bytes of what it reads, from its own byte `at` on, which lie within one extent: *ret_n of up to n. */
static int
read_source(struct delta_crau *x, const struct crau_operation *op, uint64_t at, uint8_t *buf, size_t n, size_t *ret_n)
{
	const struct crau_extent *all = &x->m.source[op->source];
	uint64_t block = x->m.block_size;
	uint32_t low = 0, high = op->sources; /* the last that begins at or before it */
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;
		if (all[middle].before * block <= at)
			low = middle;
		else
			high = middle;
	}
	uint64_t within = at - all[low].before * block, left = all[low].count * block - within;
	*ret_n = n < left ? n : (size_t)left;
	return source_read(&x->old, all[low].start * block + within, buf, *ret_n);
}

static int
digest_source(struct delta_crau *x, const struct crau_operation *op, uint8_t ret[DIGEST_SHA256_LEN])
{
	uint8_t *chunk = malloc(CHUNK);
	struct digest *d = digest_new(DIGEST_SHA256);
	int err = chunk && d ? 0 : FG_ENOMEM;
	for (uint32_t k = 0; k < op->sources && !err; k++) {
		const struct crau_extent *e = &x->m.source[op->source + k];
		uint64_t at = e->start * x->m.block_size, end = at + e->count * x->m.block_size;
		while (!err && at < end) {
			size_t n = end - at < CHUNK ? (size_t)(end - at) : CHUNK;
			err = source_read(&x->old, at, chunk, n);
			if (!err)
				err = digest_update(d, view_of(chunk, n));
			at += n;
		}
	}
	if (!err)
		err = digest_final(d, ret);
	digest_free(d);
	free(chunk);
	return err;
}

/* The old partition is the right one by now: what does not fit it is the payload's fault. */
static int
check_source(struct delta_crau *x, uint32_t i)
{
	const struct crau_operation *op = operation(x, i);
	enum how how = how_of(op->type);
	uint64_t blocks = x->have_old ? x->old.size / x->m.block_size : 0;
	uint8_t sum[DIGEST_SHA256_LEN];
	bool wanted = how == HOW_COPY || how == HOW_BSDIFF;
	if (wanted != (op->sources > 0))
		return wrong(x, i, DELTA_MALFORMED, wanted ? "reads nothing" : "reads the old partition");
	if (!wanted)
		return 0;
	for (uint32_t k = 0; k < op->sources; k++) {
		const struct crau_extent *e = &x->m.source[op->source + k];
		if (e->start > blocks || e->count > blocks - e->start)
			return wrong(x, i, DELTA_MALFORMED, "reads beyond the old partition");
	}
	if (how == HOW_COPY && op->source_blocks != op->blocks)
		return wrong(x, i, DELTA_MALFORMED, "copies more or less than it writes");
	if (!op->have_source_hash)
		return 0;
	int err = digest_source(x, op, sum);
	if (!err && memcmp(sum, op->source_sha256, sizeof sum) != 0)
		err = wrong(x, i, DELTA_MALFORMED, "is about other bytes of the old partition");
	return err;
}

int
delta_crau_check(struct delta_crau *x, uint32_t i)
{
	const struct crau_operation *op = operation(x, i);
	if (how_of(op->type) == HOW_NOT)
		return wrong(x, i, DELTA_UNSUPPORTED, "has no applier");
	if (op->blocks == 0)
		return wrong(x, i, DELTA_MALFORMED, "writes nothing");
	if (how_of(op->type) == HOW_PLAIN && op->data_length != op->blocks * x->m.block_size)
		return wrong(x, i, DELTA_MALFORMED, "has more or less bytes than it writes");
	int err = check_data(x, i);
	return err ? err : check_source(x, i);
}

/* ---- what has to be made as a whole ---- */

static int
unpack(struct delta_crau *x, const struct crau_operation *op, uint8_t *to, size_t n)
{
	struct delta_stream *s;
	int err = delta_stream_open(x->d, crau_type_name(op->type), op->type == CRAU_REPLACE_BZ ? DELTA_BZ2 : DELTA_XZ,
	    x->blobs.offset + op->data_offset, op->data_length, &s);
	if (!err)
		err = delta_stream_read(s, to, n);
	if (!err)
		err = delta_stream_finish(s);
	delta_stream_close(s);
	return err;
}

/* What it reads, as one: where it lies, or gathered in *ret_bytes, which is charged. */
static int
gather_source(struct delta_crau *x, const struct crau_operation *op, struct source *ret, uint8_t **ret_bytes,
    size_t *ret_n)
{
	const struct crau_extent *e = &x->m.source[op->source];
	uint64_t n = op->source_blocks * x->m.block_size;
	if (op->sources == 1)
		return source_window(&x->old, e->start * x->m.block_size, n, ret);
	/* Extents may overlap: together they may be more than the partition. */
	if (n > DELTA_MEMORY_MAX)
		return delta_refuse(x->d, DELTA_LIMIT, "an operation reads %" PRIu64 " bytes here and there", n);
	int err = delta_charge(x->d, (size_t)n, "what an operation reads");
	if (err)
		return err;
	*ret_n = (size_t)n;
	*ret_bytes = malloc(*ret_n);
	err = *ret_bytes ? 0 : FG_ENOMEM;
	for (size_t at = 0; !err && at < *ret_n; e++) {
		size_t k = (size_t)(e->count * x->m.block_size);
		err = source_read(&x->old, e->start * x->m.block_size, *ret_bytes + at, k);
		at += k;
	}
	source_memory(ret, view_of(*ret_bytes, *ret_n));
	return err;
}

/* update_engine's bspatch reads two of bsdiff's forms, in operations of either type. */
static int
patch(struct delta_crau *x, uint32_t i, uint8_t *to, size_t n, uint64_t *ret_from_base)
{
	const struct crau_operation *op = operation(x, i);
	struct source data, from = { .fd = -1 };
	uint8_t magic[8] = { 0 }, *bytes = NULL;
	size_t gathered = 0;
	int err = source_window(delta_patch(x->d), x->blobs.offset + op->data_offset, op->data_length, &data);
	if (!err && data.size >= sizeof magic)
		err = source_read(&data, 0, magic, sizeof magic);
	if (!err && memcmp(magic, "BSDIFF40", 8) != 0 && memcmp(magic, "BSDF2", 5) != 0)
		err = wrong(x, i, DELTA_MALFORMED, "is neither BSDIFF40 nor BSDF2");
	if (!err)
		err = gather_source(x, op, &from, &bytes, &gathered);
	if (!err)
		err = delta_part_memory(x->d, FORMAT_BSDIFF, &data, &from, to, n, ret_from_base);
	delta_discharge(x->d, gathered);
	free(bytes);
	return err;
}

static int
make(struct delta_crau *x, uint32_t i)
{
	const struct crau_operation *op = operation(x, i);
	struct delta_crau_made *made = &x->made[i];
	size_t n = (size_t)(op->blocks * x->m.block_size);
	int err = delta_charge(x->d, n, "what an operation makes");
	if (err)
		return err;
	made->left = n;
	made->bytes = malloc(n);
	if (!made->bytes) {
		delta_discharge(x->d, n);
		return FG_ENOMEM;
	}
	return how_of(op->type) == HOW_PACKED ? unpack(x, op, made->bytes, n)
	                                      : patch(x, i, made->bytes, n, &made->from_base);
}

/* ---- putting ---- */

static int
put(struct delta_crau *x, const uint8_t *p, size_t n, size_t from_base)
{
	int err = delta_put_mixed(x->d, p, n, from_base);
	return err ? err : digest_update(x->digest, view_of(p, n));
}

static int
put_made(struct delta_crau *x, uint32_t i, uint64_t at, size_t n)
{
	struct delta_crau_made *made = &x->made[i];
	int err = made->bytes ? 0 : make(x, i);
	/* Which of its bytes are the base's is not kept: the first ones count as that. */
	size_t from_base = made->from_base < n ? (size_t)made->from_base : n;
	if (!err)
		err = put(x, made->bytes + at, n, from_base);
	if (err)
		return err;
	made->from_base -= from_base;
	made->left -= n;
	if (made->left == 0) {
		delta_discharge(x->d, (size_t)(operation(x, i)->blocks * x->m.block_size));
		free(made->bytes);
		made->bytes = NULL;
	}
	return 0;
}

/* What need not be kept: zeros, bytes of the payload, blocks of the old partition. */
static int
put_direct(struct delta_crau *x, uint32_t i, uint64_t at, uint64_t n)
{
	const struct crau_operation *op = operation(x, i);
	enum how how = how_of(op->type);
	uint8_t *chunk = calloc(1, CHUNK);
	int err = chunk ? 0 : FG_ENOMEM;
	while (!err && n > 0) {
		size_t k = n < CHUNK ? (size_t)n : CHUNK;
		if (how == HOW_COPY)
			err = read_source(x, op, at, chunk, k, &k);
		else if (how == HOW_PLAIN)
			err = delta_patch_read(x->d, x->blobs.offset + op->data_offset + at, chunk, k);
		if (!err)
			err = put(x, chunk, k, how == HOW_COPY ? k : 0);
		at += k;
		n -= k;
	}
	free(chunk);
	return err;
}

int
delta_crau_put(struct delta_crau *x, uint32_t i, uint64_t at, uint64_t count)
{
	uint64_t block = x->m.block_size;
	enum how how = how_of(operation(x, i)->type);
	return how == HOW_PACKED || how == HOW_BSDIFF ? put_made(x, i, at * block, (size_t)(count * block))
	                                              : put_direct(x, i, at * block, count * block);
}
