/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/audit/wal.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/mount.h>

#include "crypto/err.h"
#include "unit/gateway/scratch.h"

#define HEADER 64
#define HEAD 16

static const uint8_t root[32] = { 1 };

struct seen {
	uint64_t n, first, next;
	int refuse; /* what replay answers */
};

static int
replay(void *ctx, uint64_t seq, struct view entry)
{
	struct seen *s = ctx;
	char want[64];
	if (!s->n++)
		s->first = s->next = seq;
	assert_int_equal(seq, s->next);
	s->next++;
	snprintf(want, sizeof want, "entry %llu", (unsigned long long)seq);
	assert_true(entry.n >= strlen(want) && !memcmp(entry.p, want, strlen(want)));
	return s->refuse;
}

struct fixture {
	struct scratch tmp;
	int dir;
	struct wal *w;
	struct wal_found found;
	struct seen seen;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	scratch_open(&f->tmp);
	f->dir = scratch_dir(&f->tmp, "wal");
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	wal_close(f->w);
	close(f->dir);
	scratch_close(&f->tmp);
	free(f);
	return 0;
}

static int
open_in(struct fixture *f, int dir)
{
	wal_close(f->w);
	f->w = NULL;
	f->seen = (struct seen){ 0 };
	return wal_open(dir, replay, &f->seen, &f->w, &f->found);
}

static void
reopen(struct fixture *f)
{
	assert_int_equal(open_in(f, f->dir), 0);
}

static void
put(struct fixture *f, uint64_t seq, size_t pad)
{
	char text[65536];
	int n = snprintf(text, sizeof text, "entry %llu", (unsigned long long)seq);
	memset(text + n, '.', pad);
	assert_int_equal(wal_put(f->w, seq, view_of(text, (size_t)n + pad)), 0);
}

static void
batch(struct fixture *f, uint64_t from, uint64_t n, size_t pad)
{
	for (uint64_t i = 0; i < n; i++)
		put(f, from + i, pad);
	assert_int_equal(wal_commit(f->w, root), 0);
}

static const char *
segment(const struct fixture *f, uint64_t first)
{
	char name[64];
	snprintf(name, sizeof name, "wal/%020llu.seg", (unsigned long long)first);
	return scratch_path(&f->tmp, name);
}

static void
test_empty(void **state)
{
	struct fixture *f = *state;
	uint64_t next;
	reopen(f);
	assert_int_equal(f->found.records, 0);
	assert_false(f->found.broken);
	assert_false(wal_next(f->w, &next));
	assert_int_equal(wal_cut(f->w), 0);
	assert_int_equal(wal_commit(f->w, root), 0); /* nothing put: nothing made */
	assert_int_equal(access(segment(f, 0), F_OK), -1);
	assert_int_equal(wal_put(f->w, 0, view_of(NULL, 0)), FG_EINVAL);
}

static void
test_replay(void **state)
{
	struct fixture *f = *state;
	uint64_t next;
	reopen(f);
	batch(f, 0, 1, 0);
	batch(f, 1, 7, 3);
	batch(f, 8, 4096, 0);
	assert_true(wal_next(f->w, &next));
	assert_int_equal(next, 4104);
	put(f, 4104, 0); /* never committed */
	reopen(f);
	assert_int_equal(f->seen.n, 4104);
	assert_int_equal(f->found.dropped_bytes, 0);
	assert_false(f->found.broken);
	assert_true(wal_next(f->w, &next));
	assert_int_equal(next, 4104);
	batch(f, 4104, 1, 0);
	reopen(f);
	assert_int_equal(f->seen.n, 4105);
	f->seen.refuse = 0;
	struct seen no = { .refuse = FG_ENOMEM };
	struct wal *w = NULL;
	assert_int_equal(wal_open(f->dir, replay, &no, &w, &f->found), FG_ENOMEM);
	assert_null(w);
}

static void
test_batch_limits(void **state)
{
	struct fixture *f = *state;
	reopen(f);
	for (unsigned i = 0; i < WAL_BATCH_RECORDS; i++)
		put(f, i, 0);
	assert_int_equal(wal_put(f->w, WAL_BATCH_RECORDS, view_str("x")), FG_ELIMIT);
	assert_int_equal(wal_commit(f->w, root), 0);
	uint64_t seq = WAL_BATCH_RECORDS;
	char big[60000];
	memset(big, '.', sizeof big);
	int err;
	unsigned n = 0;
	while ((err = wal_put(f->w, seq + n, view_of(big, sizeof big))) == 0)
		n++;
	assert_int_equal(err, FG_ELIMIT);
	assert_int_equal(n, WAL_BATCH_BYTES / (60000 + HEAD + 8));
	assert_int_equal(wal_commit(f->w, root), 0);
}

/* A power cut in the second batch: whatever part of it is on disk, the first is whole and the log goes on. */
static void
torn(struct fixture *f, const uint8_t *bytes, size_t n, unsigned durable, unsigned all)
{
	struct scratch tmp;
	scratch_open(&tmp);
	scratch_write(scratch_path(&tmp, "00000000000000000000.seg"), bytes, n);
	assert_int_equal(truncate(scratch_path(&tmp, "00000000000000000000.seg"), WAL_SEGMENT), 0);
	int dir = scratch_dir(&tmp, ".");
	assert_int_equal(open_in(f, dir), 0);
	assert_false(f->found.broken);
	assert_in_range(f->seen.n, durable, all);
	uint64_t have = f->seen.n, dropped = f->found.dropped_bytes;
	if (dropped)
		assert_int_equal(wal_put(f->w, have, view_str("x")), FG_ESTATE); /* not before it is cut */
	assert_int_equal(wal_cut(f->w), 0);
	batch(f, have, 2, 1);
	assert_int_equal(open_in(f, dir), 0);
	assert_false(f->found.broken);
	assert_int_equal(f->found.dropped_bytes, 0);
	assert_int_equal(f->seen.n, have + 2);
	wal_close(f->w);
	f->w = NULL;
	close(dir);
	scratch_close(&tmp);
}

static void
test_torn_tail(void **state)
{
	struct fixture *f = *state;
	reopen(f);
	batch(f, 0, 3, 0);
	const size_t record = HEAD + 8, first = HEADER + 3 * record, all = first + 3 * record;
	batch(f, 3, 3, 0);
	size_t n;
	uint8_t *full = scratch_read(segment(f, 0), &n), *part = malloc(all);
	assert_int_equal(n, WAL_SEGMENT);
	for (size_t cut = first; cut <= all; cut++)
		torn(f, full, cut, 3, 6);
	/* Any of its pages may be the ones that reached the disk. */
	for (size_t hole = first; hole < all; hole += 8) {
		memcpy(part, full, all);
		memset(part + hole, 0, 8);
		torn(f, part, all, 3, 5);
		memcpy(part, full, all);
		memset(part + first, 0, hole - first);
		torn(f, part, all, 3, 6);
	}
	free(part);
	free(full);
}

/* A bad place with a later batch behind it was durable once: damage. */
static void
test_damage(void **state)
{
	struct fixture *f = *state;
	reopen(f);
	batch(f, 0, 2, 1); /* eight bytes each: no padding, which no checksum covers */
	batch(f, 2, 1, 1);
	const off_t record = HEAD + 8;
	for (off_t at = 0; at < HEADER + 2 * record; at++) {
		assert_true(scratch_flip(segment(f, 0), at, 0x10));
		int err = open_in(f, f->dir);
		assert_int_equal(err, 0);
		assert_true(f->found.broken);
		assert_true(f->seen.n < 2);
		assert_true(scratch_flip(segment(f, 0), at, 0x10));
	}
	reopen(f);
	assert_false(f->found.broken);
	assert_int_equal(f->seen.n, 3);
	/* A record taken out, whole. */
	size_t n;
	uint8_t *p = scratch_read(segment(f, 0), &n);
	memmove(p + HEADER + record, p + HEADER + 2 * record, (size_t)record);
	memset(p + HEADER + 2 * record, 0, (size_t)record);
	scratch_write(segment(f, 0), p, n);
	free(p);
	reopen(f);
	assert_true(f->found.broken);
	assert_int_equal(f->seen.n, 1);
}

static void
fill(struct fixture *f, uint64_t n)
{
	for (uint64_t i = 0; i < n; i += 16)
		batch(f, i, 16, 60000);
}

static void
test_segments_roll(void **state)
{
	struct fixture *f = *state;
	uint64_t next;
	reopen(f);
	fill(f, 608); /* 36 MB: three segments */
	reopen(f);
	assert_int_equal(f->seen.n, 608);
	assert_false(f->found.broken);
	batch(f, 608, 1, 0);
	/* Nothing whose records are not all below goes. */
	wal_forget(f->w, 1);
	assert_int_equal(access(segment(f, 0), F_OK), 0);
	uint64_t second = 0;
	DIR *d = fdopendir(dup(f->dir));
	for (struct dirent *e; (e = readdir(d));) {
		unsigned long long v = strtoull(e->d_name, NULL, 10);
		if (v && (!second || v < second))
			second = v;
	}
	closedir(d);
	assert_in_range(second, 200, 300);
	wal_forget(f->w, second - 1);
	assert_int_equal(access(segment(f, 0), F_OK), 0);
	wal_forget(f->w, second);
	assert_int_equal(access(segment(f, 0), F_OK), -1);
	wal_forget(f->w, 1000000); /* the last one stays */
	reopen(f);
	assert_true(wal_next(f->w, &next));
	assert_int_equal(next, 609);
	assert_true(f->seen.first > second);
	assert_false(f->found.broken);
}

static int
count(void *ctx, uint64_t seq, struct view entry)
{
	(void)ctx;
	(void)seq;
	return entry.n ? 0 : FG_EFORMAT;
}

static void
test_a_segment_is_missing(void **state)
{
	struct fixture *f = *state;
	reopen(f);
	fill(f, 608);
	uint64_t second = 0;
	DIR *d = fdopendir(dup(f->dir));
	for (struct dirent *e; (e = readdir(d));) {
		unsigned long long v = strtoull(e->d_name, NULL, 10);
		if (v && (!second || v < second))
			second = v;
	}
	closedir(d);
	char kept[600];
	snprintf(kept, sizeof kept, "%s.kept", segment(f, second));
	assert_int_equal(rename(segment(f, second), kept), 0);
	f->seen = (struct seen){ 0 };
	wal_close(f->w);
	f->w = NULL;
	/* Only counts: what this file's replay asserts is the right order. */
	struct wal *w;
	struct wal_found found;
	struct seen s = { 0 };
	assert_int_equal(wal_open(f->dir, count, &s, &w, &found), 0);
	assert_true(found.broken);
	wal_close(w);
	assert_int_equal(rename(kept, segment(f, second)), 0);
	/* Damage at the end of a segment that is not the last is no tail either. */
	assert_true(scratch_flip(segment(f, 0), HEADER + HEAD + 3, 1));
	assert_int_equal(wal_open(f->dir, count, &s, &w, &found), 0);
	assert_true(found.broken);
	wal_close(w);
}

/* A crash while a segment is made leaves a file without a header: it holds nothing and is made again. */
static void
test_stub(void **state)
{
	struct fixture *f = *state;
	static const size_t sizes[] = { 0, 10, 63, 64, 4096 };
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		for (int torn_header = 0; torn_header < 2; torn_header++) {
			uint8_t junk[64] = "FGAWAL01";
			struct scratch tmp;
			scratch_open(&tmp);
			int dir = scratch_dir(&tmp, ".");
			assert_int_equal(open_in(f, dir), 0);
			batch(f, 0, 4, 0);
			const char *stub = scratch_path(&tmp, "00000000000000000004.seg");
			scratch_write(stub, junk, torn_header && sizes[i] >= 8 ? 8 : 0);
			assert_int_equal(truncate(stub, (off_t)sizes[i]), 0);
			assert_int_equal(open_in(f, dir), 0);
			assert_false(f->found.broken);
			assert_int_equal(f->seen.n, 4);
			assert_int_equal(wal_cut(f->w), 0);
			batch(f, 4, 2, 0);
			assert_int_equal(open_in(f, dir), 0);
			assert_false(f->found.broken);
			assert_int_equal(f->seen.n, 6);
			wal_close(f->w);
			f->w = NULL;
			close(dir);
			scratch_close(&tmp);
		}
	}
}

static void
test_strange_files(void **state)
{
	struct fixture *f = *state;
	reopen(f);
	batch(f, 0, 1, 0);
	scratch_write(scratch_path(&f->tmp, "wal/notes.txt"), "x", 1);
	scratch_write(scratch_path(&f->tmp, "wal/99999999999999999999.seg"), "x", 1); /* over 64 bits */
	scratch_write(scratch_path(&f->tmp, "wal/0000000000000000001.seg"), "x", 1);
	reopen(f);
	assert_false(f->found.broken);
	assert_int_equal(f->seen.n, 1);
	/* A link in place of a segment is not followed. */
	assert_int_equal(symlink("/dev/zero", segment(f, 9)), 0);
	assert_int_equal(open_in(f, f->dir), FG_EIO);
}

/* A full disk: nothing is acknowledged, and this wal is never tried again. */
static void
test_full_disk(void **state)
{
	struct fixture *f = *state;
	int dir = scratch_dir(&f->tmp, "small");
	close(dir);
	if (mount("tmpfs", scratch_path(&f->tmp, "small"), "tmpfs", 0, "size=20m"))
		skip();
	dir = scratch_dir(&f->tmp, "small");
	assert_int_equal(open_in(f, dir), 0);
	uint64_t seq = 0;
	int err = 0;
	for (; !err && seq < 4000; seq += 16) {
		for (unsigned i = 0; i < 16; i++)
			put(f, seq + i, 60000);
		err = wal_commit(f->w, root);
	}
	assert_int_equal(err, FG_EIO);
	seq -= 16;
	assert_in_range(seq, 288, 352); /* a segment's worth, and a small one's */
	assert_int_equal(wal_put(f->w, seq, view_str("x")), FG_EIO);
	assert_int_equal(wal_commit(f->w, root), FG_EIO);
	assert_int_equal(open_in(f, dir), 0);
	assert_false(f->found.broken);
	assert_int_equal(f->seen.n, seq); /* exactly what had been acknowledged */
	wal_close(f->w);
	f->w = NULL;
	close(dir);
	assert_int_equal(umount(scratch_path(&f->tmp, "small")), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replay, setup, teardown),
		cmocka_unit_test_setup_teardown(test_batch_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_torn_tail, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_segments_roll, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_segment_is_missing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stub, setup, teardown),
		cmocka_unit_test_setup_teardown(test_strange_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_disk, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
