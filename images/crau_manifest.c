/* SPDX-License-Identifier: Apache-2.0 */
/* crau_manifest - the DeltaArchiveManifest of a payload, from its protobuf into a model that is checked. */
#include "images/crau.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "images/protobuf.h"

#define BLOCK_MIN 512u
#define BLOCK_MAX (1u << 20)
#define BLOCK_DEFAULT 4096u /* of the schema */
#define PARTITION_NAME_MAX 64u
#define TOLD_MAX 256u /* a sentence and two names */

/* One manifest being read. */
struct reading {
	const struct crau_teller *t;
	struct crau_manifest *m;
	int err;         /* local failure */
	const char *why; /* malformed: what; the reading is over then */
	bool limit;      /* why is a limit of ours, not a fault */
	uint32_t first_unknown;
};

static void tell(const struct crau_teller *t, enum finding_id id, const uint64_t *offset, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void
tell(const struct crau_teller *t, enum finding_id id, const uint64_t *offset, const char *fmt, ...)
{
	char text[TOLD_MAX];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	t->raise(t->arg, id, offset, text);
}

static bool
refuse(struct reading *g, const char *why)
{
	if (!g->why)
		g->why = why;
	return false;
}

static bool
stop_at_limit(struct reading *g, const char *why)
{
	g->limit = !g->why;
	return refuse(g, why);
}

/* An element that may be there once: protobuf would take the last one, or mix both. */
static bool
once(struct reading *g, uint64_t *seen, uint32_t number)
{
	uint64_t bit = UINT64_C(1) << (number & 63);
	if (number < 64 && *seen & bit) {
		tell(g->t, FINDING_FMT_DUPLICATE, NULL, "field %" PRIu32 " of the manifest or of a part of it",
		    number);
		return refuse(g, "a field that is there twice");
	}
	*seen |= bit;
	return true;
}

static bool
number_of(struct reading *g, const struct protobuf_field *f, uint64_t *seen, uint64_t *ret)
{
	if (f->wire != PROTOBUF_VARINT)
		return refuse(g, "a number that is none");
	*ret = f->value;
	return once(g, seen, f->number);
}

static bool
bytes_of(struct reading *g, const struct protobuf_field *f, struct view *ret)
{
	if (f->wire != PROTOBUF_BYTES)
		return refuse(g, "bytes that are none");
	*ret = f->bytes;
	return true;
}

static bool
hash_of(struct reading *g, const struct protobuf_field *f, uint64_t *seen, uint8_t ret[DIGEST_SHA256_LEN])
{
	struct view v;
	if (!bytes_of(g, f, &v) || !once(g, seen, f->number))
		return false;
	if (v.n != DIGEST_SHA256_LEN)
		return refuse(g, "a hash that is not of 32 bytes");
	memcpy(ret, v.p, v.n);
	return true;
}

static void
unknown(struct reading *g, uint32_t number)
{
	if (g->m->unknown++ == 0)
		g->first_unknown = number;
}

/* Room for one more of size bytes; grows by half. */
static bool
room_for(struct reading *g, void **array, size_t n, size_t *cap, size_t max, size_t size)
{
	if (n < *cap)
		return true;
	if (n >= max)
		return stop_at_limit(g, "more operations or extents than are looked at");
	size_t want = *cap + *cap / 2 + 64;
	void *more = realloc(*array, want * size);
	if (!more) {
		g->err = FG_ENOMEM;
		return refuse(g, "no memory");
	}
	*array = more;
	*cap = want;
	return true;
}

/* ---- extents and operations ---- */

static bool
read_extent(struct reading *g, struct view message, struct crau_extent *ret)
{
	struct protobuf it;
	struct protobuf_field f;
	uint64_t seen = 0;
	int rc;
	*ret = (struct crau_extent){ 0 };
	protobuf_begin(&it, message);
	while ((rc = protobuf_next(&it, &f)) == 1) {
		bool fine = true;
		if (f.number == 1)
			fine = number_of(g, &f, &seen, &ret->start);
		else if (f.number == 2)
			fine = number_of(g, &f, &seen, &ret->count);
		else
			unknown(g, f.number);
		if (!fine)
			return false;
	}
	if (rc != 0 || ret->count == 0)
		return refuse(g, "an extent without blocks");
	return true;
}

/* Blocks that are read of the old partition, which may not be at hand: how many it has is not asked here. */
static bool
take_source(struct reading *g, struct view message, struct crau_operation *op)
{
	struct crau_manifest *m = g->m;
	struct crau_extent e;
	void *array = m->source;
	bool fine = read_extent(g, message, &e) &&
	    room_for(g, &array, m->sources, &m->sources_cap, CRAU_EXTENTS_MAX, sizeof e);
	m->source = array;
	if (!fine)
		return false;
	e.before = op->source_blocks;
	if (__builtin_add_overflow(op->source_blocks, e.count, &op->source_blocks))
		return refuse(g, "more blocks than can be counted");
	e.operation = (uint32_t)m->operations;
	e.index = (uint32_t)m->sources;
	op->source = op->sources == 0 ? e.index : op->source;
	op->sources++;
	m->source[m->sources++] = e;
	return true;
}

/* Blocks that are written; what was counted fits UINT64_MAX because each partition's size does. */
static bool
take_extent(struct reading *g, struct view message, struct crau_operation *op)
{
	struct crau_manifest *m = g->m;
	struct crau_extent e;
	void *array = m->extent;
	bool fine = read_extent(g, message, &e) &&
	    room_for(g, &array, m->extents, &m->extents_cap, CRAU_EXTENTS_MAX, sizeof e);
	m->extent = array;
	if (!fine)
		return false;
	if (e.start > UINT64_MAX - e.count)
		return refuse(g, "an extent beyond all blocks");
	e.before = op->blocks;
	if (__builtin_add_overflow(op->blocks, e.count, &op->blocks))
		return refuse(g, "more blocks than can be counted");
	e.operation = (uint32_t)m->operations;
	e.index = (uint32_t)m->extents;
	m->extent[m->extents++] = e;
	return true;
}

static bool
read_operation(struct reading *g, struct view message)
{
	struct crau_manifest *m = g->m;
	struct crau_operation op = { .type = CRAU_TYPE_LIMIT };
	struct protobuf it;
	struct protobuf_field f;
	struct view extent;
	uint64_t seen = 0, value = 0;
	bool fine = true;
	int rc;
	protobuf_begin(&it, message);
	while (fine && (rc = protobuf_next(&it, &f)) == 1) {
		switch (f.number) {
		case 1:
			fine = number_of(g, &f, &seen, &value);
			op.type = value < CRAU_TYPE_LIMIT ? (enum crau_type)value : CRAU_TYPE_LIMIT;
			break;
		case 2:
			fine = number_of(g, &f, &seen, &op.data_offset);
			break;
		case 3:
			fine = number_of(g, &f, &seen, &op.data_length);
			break;
		case 4:
			op.reads_source = true;
			fine = bytes_of(g, &f, &extent) && take_source(g, extent, &op);
			break;
		case 5: /* lengths in bytes that generators write beside the extents */
		case 7:
			fine = number_of(g, &f, &seen, &value);
			break;
		case 6:
			fine = bytes_of(g, &f, &extent) && take_extent(g, extent, &op);
			break;
		case 8:
			fine = hash_of(g, &f, &seen, op.sha256);
			op.have_hash = true;
			break;
		case 9:
			fine = hash_of(g, &f, &seen, op.source_sha256);
			op.have_source_hash = true;
			break;
		default:
			unknown(g, f.number);
		}
	}
	if (!fine)
		return false;
	if (rc != 0)
		return refuse(g, "an operation that is no message");
	if (op.type == CRAU_TYPE_LIMIT)
		return refuse(g, "an operation of a kind that nobody here knows");
	void *array = m->operation;
	fine = room_for(g, &array, m->operations, &m->operations_cap, CRAU_OPERATIONS_MAX, sizeof op);
	m->operation = array;
	if (fine)
		m->operation[m->operations++] = op;
	return fine;
}

/* ---- partitions ---- */

static bool
read_info(struct reading *g, struct view message, uint64_t *size, uint8_t hash[DIGEST_SHA256_LEN])
{
	struct protobuf it;
	struct protobuf_field f;
	uint64_t seen = 0;
	int rc;
	protobuf_begin(&it, message);
	while ((rc = protobuf_next(&it, &f)) == 1) {
		bool fine = true;
		if (f.number == 1)
			fine = number_of(g, &f, &seen, size);
		else if (f.number == 2)
			fine = hash_of(g, &f, &seen, hash);
		else
			unknown(g, f.number);
		if (!fine)
			return false;
	}
	if (rc != 0 || seen != (1u << 1 | 1u << 2) || *size > SOURCE_SIZE_MAX)
		return refuse(g, "a partition without size and hash, or larger than any");
	return true;
}

/* Fields of a partition that say how the device goes on: they are signed, and not ours to judge. */
static bool
is_for_the_device(uint32_t number)
{
	return (number >= 3 && number <= 5) || (number >= 9 && number <= 22);
}

static bool
take_partition_field(struct reading *g, const struct protobuf_field *f, struct crau_partition *p,
    uint64_t *seen)
{
	struct view v;
	uint64_t value;
	switch (f->number) {
	case 1:
		return bytes_of(g, f, &p->name) && once(g, seen, f->number);
	case 2:
		if (!number_of(g, f, seen, &value))
			return false;
		p->runs = value != 0;
		return true;
	case 6:
		p->have_old = true;
		return bytes_of(g, f, &v) && once(g, seen, f->number) &&
		       read_info(g, v, &p->old_size, p->old_sha256);
	case 7:
		p->have_new = true;
		return bytes_of(g, f, &v) && once(g, seen, f->number) &&
		       read_info(g, v, &p->new_size, p->new_sha256);
	case 8:
		return bytes_of(g, f, &v) && read_operation(g, v);
	default:
		if (!is_for_the_device(f->number))
			unknown(g, f->number);
		return true;
	}
}

static bool
read_partition(struct reading *g, struct view message)
{
	struct crau_manifest *m = g->m;
	struct protobuf it;
	struct protobuf_field f;
	uint64_t seen = 0;
	bool fine = true;
	int rc = 0;
	if (m->partitions == CRAU_PARTITIONS_MAX)
		return stop_at_limit(g, "more than 128 partitions");
	struct crau_partition *p = &m->partition[m->partitions];
	*p = (struct crau_partition){ .operation = (uint32_t)m->operations, .extent = (uint32_t)m->extents };
	protobuf_begin(&it, message);
	while (fine && (rc = protobuf_next(&it, &f)) == 1)
		fine = take_partition_field(g, &f, p, &seen);
	if (!fine)
		return false;
	if (rc != 0 || p->name.n == 0 || p->name.n > PARTITION_NAME_MAX)
		return refuse(g, "a partition that is no message, or without a name of up to 64 bytes");
	p->operations = (uint32_t)m->operations - p->operation;
	p->extents = (uint32_t)m->extents - p->extent;
	m->partitions++;
	return true;
}

/* ---- the manifest ---- */

static bool
take_field(struct reading *g, const struct protobuf_field *f, uint64_t *seen)
{
	struct crau_manifest *m = g->m;
	struct view v;
	uint64_t value;
	switch (f->number) {
	case 3:
		return number_of(g, f, seen, &m->block_size);
	case 4:
		m->have_signatures = true;
		return number_of(g, f, seen, &m->signatures_offset);
	case 5:
		m->have_signatures = true;
		return number_of(g, f, seen, &m->signatures_size);
	case 12:
		return number_of(g, f, seen, &m->minor);
	case 13:
		return bytes_of(g, f, &v) && read_partition(g, v);
	case 14:
		m->have_timestamp = true;
		return number_of(g, f, seen, &m->timestamp);
	case 15: /* groups of dynamic partitions */
	case 17: /* APEX packages: names and versions */
		return bytes_of(g, f, &v);
	case 16:
		if (!number_of(g, f, seen, &value))
			return false;
		m->partial = value != 0;
		return true;
	case 18:
		return bytes_of(g, f, &m->patch_level) && once(g, seen, f->number);
	case 1:
	case 2:
	case 6:
	case 7:
	case 8:
	case 9:
		return refuse(g, "operations of major version 1 beside those of 2");
	case 10: /* ImageInfo: gone from the schema, still written by old generators */
	case 11:
		return bytes_of(g, f, &v);
	default:
		unknown(g, f->number);
		return true;
	}
}

/* ---- what the parts must be to each other ---- */

static int
by_start(const void *a, const void *b)
{
	const struct crau_extent *x = a, *y = b;
	return (x->start > y->start) - (x->start < y->start);
}

/* No two operations write one block, and none writes beyond the new partition. */
static int
check_extents(const struct crau_teller *t, const struct crau_manifest *m, struct crau_partition *p)
{
	uint64_t blocks = p->new_size / m->block_size + (p->new_size % m->block_size != 0);
	struct crau_extent *sorted = calloc(p->extents ? p->extents : 1, sizeof *sorted);
	int name = (int)p->name.n;
	if (!sorted)
		return FG_ENOMEM;
	if (p->extents)
		memcpy(sorted, m->extent + p->extent, p->extents * sizeof *sorted);
	qsort(sorted, p->extents, sizeof *sorted, by_start);
	for (uint32_t i = 0; i < p->extents; i++) {
		const struct crau_extent *e = &sorted[i];
		if (e->start + e->count > blocks) {
			tell(t, FINDING_FMT_MALFORMED, NULL,
			    "%.*s: operation %" PRIu32 " writes up to block %" PRIu64 " of %" PRIu64, name,
			    (const char *)p->name.p, e->operation - p->operation, e->start + e->count, blocks);
			p->broken = true;
		}
		if (i > 0 && sorted[i - 1].start + sorted[i - 1].count > e->start) {
			tell(t, FINDING_FMT_CONFLICT, NULL,
			    "%.*s: operations %" PRIu32 " and %" PRIu32 " both write block %" PRIu64, name,
			    (const char *)p->name.p, sorted[i - 1].operation - p->operation,
			    e->operation - p->operation, e->start);
			p->broken = true;
		}
	}
	free(sorted);
	return 0;
}

static bool
needs_old(const struct crau_operation *op)
{
	return op->reads_source || (op->type != CRAU_REPLACE && op->type != CRAU_REPLACE_BZ &&
	                               op->type != CRAU_REPLACE_XZ && op->type != CRAU_ZERO &&
	                               op->type != CRAU_DISCARD);
}

static int
check_partition(const struct crau_teller *t, struct crau_manifest *m, struct crau_partition *p)
{
	if (p->runs)
		tell(t, FINDING_MEMBER_RUNS, NULL, "%.*s: a program in it is run after it was written",
		    (int)p->name.n, (const char *)p->name.p);
	for (uint32_t i = 0; i < p->operations; i++)
		p->delta = p->delta || needs_old(&m->operation[p->operation + i]);
	if (!p->have_new) {
		tell(t, FINDING_MEMBER_NO_DIGEST, NULL, "%.*s: no size and hash of the new partition",
		    (int)p->name.n, (const char *)p->name.p);
		p->broken = true;
		return 0;
	}
	return check_extents(t, m, p);
}

static int
check(const struct crau_teller *t, struct crau_manifest *m)
{
	int err = 0;
	for (unsigned i = 0; i < m->partitions && !err; i++) {
		for (unsigned k = 0; k < i; k++)
			if (view_equal(m->partition[k].name, m->partition[i].name))
				tell(t, FINDING_FMT_DUPLICATE, NULL, "partition %.*s",
				    (int)m->partition[i].name.n, (const char *)m->partition[i].name.p);
		err = check_partition(t, m, &m->partition[i]);
	}
	return err;
}

/* Bounded by the file, so no sum overflows. */
const char *
crau_header_read(const uint8_t bytes[CRAU_HEADER_LEN], uint64_t size, struct crau_header *ret)
{
	struct reader r;
	reader_init(&r, view_of(bytes, CRAU_HEADER_LEN));
	struct view magic = reader_take(&r, 4);
	uint64_t major = reader_u64(&r);
	ret->manifest = reader_u64(&r);
	ret->signature = reader_u32(&r);
	if (!view_is(magic, "CrAU"))
		return "no payload";
	if (major != 2)
		return "a major version other than 2";
	if (size < CRAU_HEADER_LEN || ret->manifest == 0 || ret->manifest > size - CRAU_HEADER_LEN)
		return "a manifest that does not end within the file";
	if (ret->signature > size - CRAU_HEADER_LEN - ret->manifest)
		return "a metadata signature that does not end within the file";
	ret->blobs = CRAU_HEADER_LEN + ret->manifest + ret->signature;
	return NULL;
}

int
crau_manifest_read(const struct crau_teller *t, uint8_t *bytes, size_t n, struct crau_manifest *m,
    bool *ret_usable)
{
	struct reading g = { .t = t, .m = m };
	struct protobuf it;
	struct protobuf_field f;
	uint64_t seen = 0;
	int rc = 0;
	*ret_usable = false;
	m->bytes = bytes;
	m->block_size = BLOCK_DEFAULT;
	protobuf_begin(&it, view_of(bytes, n));
	while (!g.why && (rc = protobuf_next(&it, &f)) == 1)
		(void)take_field(&g, &f, &seen);
	if (g.err)
		return g.err;
	if (!g.why && rc != 0)
		g.why = "bytes that are no message";
	if (!g.why && (m->block_size < BLOCK_MIN || m->block_size > BLOCK_MAX ||
	                  (m->block_size & (m->block_size - 1)) != 0))
		g.why = "a block size that is no power of two from 512 to 1048576";
	if (!g.why && m->timestamp > INT64_MAX)
		g.why = "a time before 1970";
	uint64_t at = CRAU_HEADER_LEN + it.r.off;
	if (g.why) {
		tell(t, g.limit ? FINDING_FMT_WALK_LIMIT : FINDING_FMT_MALFORMED, &at, "the manifest: %s", g.why);
		return 0;
	}
	if (m->unknown > 0)
		tell(t, FINDING_FMT_UNKNOWN_PART, NULL,
		    "%u fields of the manifest that nobody here knows, the first of number %" PRIu32, m->unknown,
		    g.first_unknown);
	*ret_usable = true;
	return check(t, m);
}

void
crau_manifest_free(struct crau_manifest *m)
{
	free(m->bytes);
	free(m->operation);
	free(m->extent);
	free(m->source);
	m->bytes = NULL;
	m->operation = NULL;
	m->extent = m->source = NULL;
}

/* ---- where their bytes lie ---- */

static int
by_data(const void *a, const void *b)
{
	const struct crau_operation *const *x = a, *const *y = b;
	return ((*x)->data_offset > (*y)->data_offset) - ((*x)->data_offset < (*y)->data_offset);
}

int
crau_seams(const struct crau_manifest *m, uint64_t length, int (*fn)(void *arg, const struct crau_seam *seam), void *arg)
{
	const struct crau_operation **sorted = calloc(m->operations ? m->operations : 1, sizeof *sorted);
	size_t n = 0;
	uint64_t next = 0;
	int err = sorted ? 0 : FG_ENOMEM;
	for (size_t i = 0; i < m->operations && !err; i++) {
		const struct crau_operation *op = &m->operation[i];
		if (op->data_length > 0 && op->data_offset <= length && op->data_length <= length - op->data_offset)
			sorted[n++] = op;
	}
	if (!err)
		qsort(sorted, n, sizeof *sorted, by_data);
	for (size_t i = 0; i <= n && !err; i++) {
		uint64_t start = i < n ? sorted[i]->data_offset : length;
		struct crau_seam seam = { .at = next, .unused = start > next ? start - next : 0 };
		if (start < next && i < n) {
			seam.one = sorted[i - 1];
			seam.other = sorted[i];
		}
		if (seam.unused || seam.one)
			err = fn(arg, &seam);
		if (i < n && start + sorted[i]->data_length > next)
			next = start + sorted[i]->data_length;
	}
	free(sorted);
	return err;
}

const char *
crau_type_name(enum crau_type type)
{
	static const char *const name[CRAU_TYPE_LIMIT] = { "REPLACE", "REPLACE_BZ", "MOVE", "BSDIFF",
		"SOURCE_COPY", "SOURCE_BSDIFF", "ZERO", "DISCARD", "REPLACE_XZ", "PUFFDIFF", "BROTLI_BSDIFF",
		"ZUCCHINI", "LZ4DIFF_BSDIFF", "LZ4DIFF_PUFFDIFF" };
	return (unsigned)type < CRAU_TYPE_LIMIT ? name[type] : "of an unknown kind";
}
