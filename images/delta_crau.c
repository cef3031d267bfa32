/* SPDX-License-Identifier: Apache-2.0 */
#include "images/delta_crau.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"

#define TAR_BLOCK 512u
#define TAR_END (2 * TAR_BLOCK)

static int
wrong(struct delta_crau *x, enum delta_outcome outcome, const char *what)
{
	return delta_refuse(x->d, outcome, "partition %.*s: %s", x->name_n, (const char *)x->p->name.p, what);
}

/* ---- the manifest ---- */

/* A struct crau_teller's: the first thing that is wrong with it refuses the whole. */
static void
refuse(void *arg, enum finding_id id, const uint64_t *offset, const char *text)
{
	struct delta_crau *x = arg;
	(void)offset;
	if (id == FINDING_FMT_MALFORMED || id == FINDING_FMT_CONFLICT || id == FINDING_FMT_DUPLICATE ||
	    id == FINDING_MEMBER_NO_DIGEST)
		x->refused = delta_refuse(x->d, DELTA_MALFORMED, "%s", text);
	else if (id == FINDING_FMT_WALK_LIMIT)
		x->refused = delta_refuse(x->d, DELTA_LIMIT, "%s", text);
}

static int
refuse_shared(void *arg, const struct crau_seam *seam)
{
	struct delta_crau *x = arg;
	if (!seam->one)
		return 0; /* it adds up: there is an operation then that leaves the payload or shares bytes */
	return delta_refuse(x->d, DELTA_MALFORMED, "two operations use the same bytes, %s and %s",
	    crau_type_name(seam->one->type), crau_type_name(seam->other->type));
}

/*
 * Where the operations' bytes lie: up to the payload's signature, or to the end; and they fill that. As many as
 * there are, none of them twice, and (delta_crau_check()) none beyond: they are all of them.
 */
static int
place_blobs(struct delta_crau *x, uint64_t at)
{
	uint64_t room = delta_patch(x->d)->size - at, sum = 0;
	const struct crau_manifest *m = &x->m;
	x->blobs = (struct sig_range){ at, room };
	if (m->have_signatures) {
		if (m->signatures_offset > room || m->signatures_size != room - m->signatures_offset)
			return delta_refuse(x->d, DELTA_MALFORMED, "the payload does not end with its signature");
		x->blobs.length = m->signatures_offset;
	}
	for (size_t i = 0; i < m->operations; i++)
		if (__builtin_add_overflow(sum, m->operation[i].data_length, &sum))
			return delta_refuse(x->d, DELTA_MALFORMED, "operations of more bytes than can be counted");
	if (sum != x->blobs.length)
		return delta_refuse(x->d, DELTA_MALFORMED, "operations use %" PRIu64 " bytes of %" PRIu64, sum, x->blobs.length);
	size_t order = m->operations * sizeof(struct crau_operation *);
	int err = delta_charge(x->d, order, "the order of operations");
	if (err)
		return err;
	err = crau_seams(m, x->blobs.length, refuse_shared, x);
	delta_discharge(x->d, order);
	return err;
}

static int
read_manifest(struct delta_crau *x)
{
	struct delta *d = x->d;
	struct crau_header h;
	uint8_t head[CRAU_HEADER_LEN], *bytes = NULL;
	const struct crau_teller teller = { refuse, x };
	bool usable = false;
	int err = delta_patch_read(d, 0, head, sizeof head);
	const char *why = err ? NULL : crau_header_read(head, delta_patch(d)->size, &h);
	if (err || why)
		return err ? err : delta_refuse(d, DELTA_MALFORMED, "%s", why);
	if (h.manifest > DELTA_CRAU_MANIFEST_MAX)
		return delta_refuse(d, DELTA_LIMIT, "a manifest of %" PRIu64 " bytes", h.manifest);
	bytes = malloc((size_t)h.manifest);
	err = bytes ? delta_patch_read(d, CRAU_HEADER_LEN, bytes, (size_t)h.manifest) : FG_ENOMEM;
	if (err) {
		free(bytes);
		return err;
	}
	err = crau_manifest_read(&teller, bytes, (size_t)h.manifest, &x->m, &usable);
	if (!err)
		err = x->refused;
	if (!err && !usable)
		abort();
	if (err)
		return err;
	size_t n = (size_t)h.manifest + x->m.operations_cap * sizeof *x->m.operation +
	           (x->m.extents_cap + x->m.sources_cap) * sizeof *x->m.extent;
	err = delta_charge(d, n, "the manifest");
	x->charged = err ? 0 : n;
	return err ? err : place_blobs(x, h.blobs);
}

/* ---- one partition ---- */

/* Everything that its operations are about, before a byte is made of it. */
static int
check_partition(struct delta_crau *x)
{
	const struct crau_partition *p = x->p;
	uint64_t reads = 0, most;
	x->have_old = false;
	for (uint32_t i = 0; i < p->operations; i++) {
		const struct crau_operation *op = &x->m.operation[p->operation + i];
		if (__builtin_add_overflow(reads, op->source_blocks, &reads))
			return wrong(x, DELTA_MALFORMED, "reads more blocks than can be counted");
	}
	if (reads > 0) {
		int err = delta_crau_old(x, &x->old);
		if (err)
			return err;
		x->have_old = true;
	}
	most = (p->new_size + (x->have_old ? x->old.size : 0)) / x->m.block_size * DELTA_CRAU_READS_MAX;
	if (reads > most)
		return wrong(x, DELTA_LIMIT, "reads the old one many times over");
	for (uint32_t i = 0; i < p->operations; i++) {
		int err = delta_crau_check(x, i);
		if (err)
			return err;
	}
	return 0;
}

static int
by_start(const void *a, const void *b)
{
	const struct crau_extent *x = a, *y = b;
	return (x->start > y->start) - (x->start < y->start);
}

/* Extents in the order of blocks; they do not overlap, which the manifest's reader saw to. */
static int
put_extents(struct delta_crau *x, struct crau_extent *order)
{
	const struct crau_partition *p = x->p;
	uint64_t next = 0, blocks = p->new_size / x->m.block_size;
	int err = 0;
	if (p->extents)
		memcpy(order, x->m.extent + p->extent, p->extents * sizeof *order);
	qsort(order, p->extents, sizeof *order, by_start);
	for (uint32_t i = 0; i <= p->extents && !err; i++) {
		if ((i < p->extents ? order[i].start : blocks) != next)
			return delta_refuse(x->d, DELTA_UNSUPPORTED,
			    "partition %.*s: no operation writes block %" PRIu64 ", which the device may compute", x->name_n,
			    (const char *)p->name.p, next);
		if (i == p->extents)
			break;
		next += order[i].count;
		err = delta_crau_put(x, order[i].operation - p->operation, order[i].before, order[i].count);
	}
	return err;
}

static void
drop_made(struct delta_crau *x)
{
	for (uint32_t i = 0; x->made && i < x->p->operations; i++) {
		if (!x->made[i].bytes)
			continue;
		delta_discharge(x->d, (size_t)(x->m.operation[x->p->operation + i].blocks * x->m.block_size));
		free(x->made[i].bytes);
	}
	free(x->made);
	x->made = NULL;
}

static int
make_partition(struct delta_crau *x)
{
	const struct crau_partition *p = x->p;
	uint8_t sum[DIGEST_SHA256_LEN];
	size_t n = p->extents * sizeof(struct crau_extent) + p->operations * sizeof *x->made;
	int err = delta_charge(x->d, n, "the operations of a partition");
	if (err)
		return err;
	struct crau_extent *order = calloc(p->extents ? p->extents : 1, sizeof *order);
	x->made = calloc(p->operations ? p->operations : 1, sizeof *x->made);
	x->digest = digest_new(DIGEST_SHA256);
	err = order && x->made ? 0 : FG_ENOMEM;
	if (!err)
		err = x->digest ? put_extents(x, order) : FG_ECRYPTO;
	if (!err)
		err = digest_final(x->digest, sum);
	if (!err && memcmp(sum, p->new_sha256, sizeof sum) != 0)
		err = wrong(x, DELTA_MALFORMED, "its operations make another one than its hash says");
	digest_free(x->digest);
	drop_made(x);
	free(order);
	delta_discharge(x->d, n);
	return err;
}

/* ---- the target ---- */

/* ustar, which has no room for a larger size than 8 GiB, nor does a target. */
static int
put_header(struct delta_crau *x)
{
	uint8_t h[TAR_BLOCK] = { 0 };
	unsigned sum = 0;
	snprintf((char *)h, 100, "%.*s.img", x->name_n, (const char *)x->p->name.p);
	memcpy(h + 100, "0000644", 8);
	memcpy(h + 108, "0000000", 8);
	memcpy(h + 116, "0000000", 8);
	snprintf((char *)h + 124, 12, "%011" PRIo64, x->p->new_size);
	memcpy(h + 136, "00000000000", 12);
	memset(h + 148, ' ', 8);
	h[156] = '0';
	memcpy(h + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof h; i++)
		sum += h[i];
	snprintf((char *)h + 148, 8, "%06o", sum);
	return delta_put(x->d, h, sizeof h);
}

static bool
is_file_name(struct view v)
{
	for (size_t i = 0; i < v.n; i++) {
		uint8_t c = v.p[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '_' && c != '-' &&
		    !(c == '.' && i > 0))
			return false;
	}
	return v.n > 0;
}

/* How long it will be; and what keeps a partition from being part of it. */
static int
declare(struct delta_crau *x)
{
	const struct crau_manifest *m = &x->m;
	uint64_t size = m->partitions > 1 ? TAR_END : 0;
	if (m->partitions == 0)
		return delta_refuse(x->d, DELTA_MALFORMED, "a payload without partitions");
	for (unsigned i = 0; i < m->partitions; i++) {
		const struct crau_partition *p = x->p = &m->partition[i];
		x->name_n = (int)p->name.n;
		if (!is_file_name(p->name))
			return wrong(x, DELTA_MALFORMED, "a name that no file should have");
		if (p->new_size % m->block_size != 0)
			return wrong(x, DELTA_UNSUPPORTED, "a size that is no multiple of its blocks");
		if (p->new_size > DELTA_TARGET_MAX)
			return wrong(x, DELTA_LIMIT, "larger than any target");
		size += p->new_size + (m->partitions > 1 ? TAR_BLOCK : 0);
	}
	return delta_declare(x->d, size);
}

static int
make_all(struct delta_crau *x)
{
	static const uint8_t end[TAR_END];
	bool archive = x->m.partitions > 1;
	int err = 0;
	for (unsigned i = 0; i < x->m.partitions && !err; i++) {
		x->p = &x->m.partition[i];
		x->name_n = (int)x->p->name.n;
		err = check_partition(x);
		if (!err && archive)
			err = put_header(x);
		if (!err)
			err = make_partition(x);
	}
	return !err && archive ? delta_put(x->d, end, sizeof end) : err;
}

int
delta_crau_apply(struct delta *d)
{
	struct delta_crau *x = calloc(1, sizeof *x);
	delta_applier(d, "android-payload/1");
	if (!x)
		return FG_ENOMEM;
	x->d = d;
	int err = read_manifest(x);
	if (!err)
		err = declare(x);
	if (!err)
		err = make_all(x);
	if (!err)
		delta_named(d); /* a partition without a hash was refused */
	delta_discharge(d, x->charged);
	crau_manifest_free(&x->m);
	free(x);
	return err;
}
