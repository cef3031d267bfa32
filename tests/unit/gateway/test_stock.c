/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/stock.h"

#include "unit/gateway/edge_sample.h"

#include <fcntl.h>
#include <sys/mman.h>

#define SIZE (3 * RELEASE_BLOCK + 1000)

struct fixture {
	struct stock *stock;
	struct sample *s;
	unsigned corrupt;
	uint64_t corrupt_block;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	f->stock = stock_new();
	f->s = sample_new(SIZE, "rtr", "2.0");
	assert_non_null(f->stock);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	stock_free(f->stock);
	sample_free(f->s);
	free(f);
	return 0;
}

/* A file as the warden's own: not sealed, unlinked. */
static int
file_of(const void *p, size_t n)
{
	char name[] = "/tmp/fg-stock-XXXXXX";
	int fd = mkstemp(name);
	assert_true(fd >= 0);
	unlink(name);
	assert_int_equal(pwrite(fd, p, n, 0), n);
	return fd;
}

static int
add_as(struct fixture *f, bool hot, int image, int blocks)
{
	return stock_add(f->stock, f->s->id, writer_view(&f->s->record), f->s->r.size, hot, image, blocks);
}

static int
add(struct fixture *f)
{
	return add_as(f, true, sample_image_fd(f->s), sample_blocks_fd(f->s));
}

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void
on_corrupt(void *ctx, const uint8_t id[RELEASE_ID], uint64_t block)
{
	struct fixture *f = ctx;
	assert_memory_equal(id, f->s->id, RELEASE_ID);
	f->corrupt++;
	f->corrupt_block = block;
	stock_drop(f->stock, id); /* as the edge does; the source must outlive it */
}

static struct net_source
source_of(struct fixture *f)
{
	struct net_source src;
	const struct stock_item *item = stock_find(f->stock, f->s->id);
	assert_non_null(item);
	assert_int_equal(stock_source(f->stock, item, on_corrupt, f, &src), 0);
	return src;
}

/* Reads all of it in odd steps and compares. */
static void
check_all(struct fixture *f)
{
	struct net_source src = source_of(f);
	for (uint64_t at = 0; at < SIZE;) {
		const uint8_t *p;
		int64_t n = src.pull(src.ctx, at, 5000 + at % 77, &p);
		assert_true(n > 0 && n <= (int64_t)(5000 + at % 77) && (uint64_t)n <= SIZE - at);
		assert_memory_equal(p, f->s->image + at, (size_t)n);
		/* The same offset again gives the same. */
		const uint8_t *again;
		assert_int_equal(src.pull(src.ctx, at, (size_t)n, &again), n);
		assert_memory_equal(again, f->s->image + at, (size_t)n);
		at += (uint64_t)n;
	}
	const uint8_t *p;
	assert_true(src.pull(src.ctx, SIZE, 1, &p) < 0);
	assert_true(src.pull(src.ctx, UINT64_MAX, 1, &p) < 0);
	assert_true(src.pull(src.ctx, 0, 0, &p) < 0);
	assert_int_equal(f->corrupt, 0);
	src.done(src.ctx);
}

static void
test_hot_and_cold_give_the_image(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(add(f), 0);
	assert_int_equal(stock_count(f->stock), 1);
	assert_string_not_equal(stock_etag(stock_find(f->stock, f->s->id)), "");
	assert_int_equal(stock_record(stock_find(f->stock, f->s->id))->size, SIZE);
	check_all(f);
	assert_true(stock_drop(f->stock, f->s->id));
	assert_false(stock_drop(f->stock, f->s->id));
	assert_null(stock_find(f->stock, f->s->id));
	int file = file_of(f->s->image, SIZE);
	assert_int_equal(add_as(f, false, file, sample_blocks_fd(f->s)), 0);
	check_all(f);
	stock_drop(f->stock, f->s->id);
	assert_false(is_open(file));
}

static void
test_the_same_again_changes_nothing(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(add(f), 0);
	const struct stock_item *item = stock_find(f->stock, f->s->id);
	int image = sample_image_fd(f->s), blocks = sample_blocks_fd(f->s);
	assert_int_equal(add_as(f, true, image, blocks), 0);
	assert_false(is_open(image));
	assert_false(is_open(blocks));
	assert_ptr_equal(stock_find(f->stock, f->s->id), item);
	assert_int_equal(stock_count(f->stock), 1);
}

/* Refused, and nothing is left of it: no release, no descriptor. */
static void
refused(struct fixture *f, const uint8_t id[RELEASE_ID], struct view record, uint64_t size, bool hot, int image,
    int blocks)
{
	assert_true(stock_add(f->stock, id, record, size, hot, image, blocks) < 0);
	assert_int_equal(stock_count(f->stock), 0);
	assert_null(stock_find(f->stock, id));
	assert_false(is_open(image));
	assert_false(is_open(blocks));
}

static void
test_record_that_does_not_hold_together(void **state)
{
	struct fixture *f = *state;
	struct view record = writer_view(&f->s->record);
	uint8_t other[RELEASE_ID];
	memcpy(other, f->s->id, sizeof other);
	other[15] ^= 1;
	refused(f, other, record, SIZE, true, sample_image_fd(f->s), sample_blocks_fd(f->s));
	refused(f, f->s->id, record, SIZE - 1, true, sample_image_fd(f->s), sample_blocks_fd(f->s));
	refused(f, f->s->id, view_of(record.p, record.n - 1), SIZE, true, sample_image_fd(f->s), sample_blocks_fd(f->s));
	refused(f, f->s->id, view_of(NULL, 0), SIZE, true, sample_image_fd(f->s), sample_blocks_fd(f->s));
	/* A right id over what is no record. */
	struct view junk = view_str("{}");
	assert_int_equal(release_id(junk, other), 0);
	refused(f, other, junk, SIZE, true, sample_image_fd(f->s), sample_blocks_fd(f->s));
}

static void
test_blocks_that_are_not_the_records(void **state)
{
	struct fixture *f = *state;
	struct view record = writer_view(&f->s->record);
	int longer = memfd_sealed("b", view_of(f->s->image, f->s->blocks_n + 32));
	int shorter = memfd_sealed("b", view_of(f->s->blocks, f->s->blocks_n - 32));
	f->s->blocks[5] ^= 1;
	int other = sample_blocks_fd(f->s);
	f->s->blocks[5] ^= 1;
	int open = memfd_open("b");
	assert_int_equal(write(open, f->s->blocks, f->s->blocks_n), f->s->blocks_n);
	refused(f, f->s->id, record, SIZE, true, sample_image_fd(f->s), longer);
	refused(f, f->s->id, record, SIZE, true, sample_image_fd(f->s), shorter);
	refused(f, f->s->id, record, SIZE, true, sample_image_fd(f->s), other);
	refused(f, f->s->id, record, SIZE, true, sample_image_fd(f->s), open);
}

static void
test_image_of_another_size_or_not_sealed(void **state)
{
	struct fixture *f = *state;
	struct view record = writer_view(&f->s->record);
	int shorter = memfd_sealed("i", view_of(f->s->image, SIZE - 1));
	int open = memfd_open("i");
	assert_int_equal(write(open, f->s->image, SIZE), SIZE);
	/* All seals but the one that keeps others away; and FUTURE_WRITE, which leaves old mappings writable. */
	int half = memfd_open("i");
	assert_int_equal(write(half, f->s->image, SIZE), SIZE);
	assert_int_equal(fcntl(half, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL), 0);
	int pipes[2];
	assert_int_equal(pipe(pipes), 0);
	refused(f, f->s->id, record, SIZE, true, shorter, sample_blocks_fd(f->s));
	refused(f, f->s->id, record, SIZE, true, open, sample_blocks_fd(f->s));
	refused(f, f->s->id, record, SIZE, true, half, sample_blocks_fd(f->s));
	refused(f, f->s->id, record, SIZE, true, file_of(f->s->image, SIZE), sample_blocks_fd(f->s));
	refused(f, f->s->id, record, SIZE, false, file_of(f->s->image, SIZE - 1), sample_blocks_fd(f->s));
	refused(f, f->s->id, record, SIZE, false, pipes[0], sample_blocks_fd(f->s));
	close(pipes[1]);
}

/* What had to be read and hashed for the bytes, and is so told once, to whom it happened. */
static void
test_what_bytes_cost(void **state)
{
	struct fixture *f = *state;
	const uint8_t *p;
	struct net_run run;
	assert_int_equal(add(f), 0);
	struct net_source src = source_of(f), next = source_of(f);
	assert_int_equal(src.pull(src.ctx, 7, 1, &p), 1);
	assert_int_equal(src.cost(src.ctx), RELEASE_BLOCK);
	assert_int_equal(src.cost(src.ctx), 0);
	assert_int_equal(next.pull(next.ctx, 9, 1, &p), 1);
	assert_int_equal(next.cost(next.ctx), 0);
	assert_int_equal(next.file(next.ctx, 0, SIZE, &run), SIZE);
	assert_int_equal(next.cost(next.ctx), SIZE - RELEASE_BLOCK);
	src.done(src.ctx);
	next.done(next.ctx);
	stock_drop(f->stock, f->s->id);
	assert_int_equal(add_as(f, false, file_of(f->s->image, SIZE), sample_blocks_fd(f->s)), 0);
	for (unsigned i = 0; i < 3; i++) { /* three requests: what was good stays in memory */
		src = source_of(f);
		assert_int_equal(src.pull(src.ctx, RELEASE_BLOCK, 1, &p), 1);
		assert_int_equal(src.pull(src.ctx, RELEASE_BLOCK + 1, 1, &p), 1);
		assert_int_equal(src.cost(src.ctx), i ? 0 : RELEASE_BLOCK);
		assert_int_equal(src.pull(src.ctx, SIZE - 1, 1, &p), 1);
		assert_int_equal(src.cost(src.ctx), i ? 0 : SIZE - 3 * RELEASE_BLOCK);
		src.done(src.ctx);
	}
	/* Another release of a like image has nothing of it. */
	stock_drop(f->stock, f->s->id);
	assert_int_equal(add_as(f, false, file_of(f->s->image, SIZE), sample_blocks_fd(f->s)), 0);
	src = source_of(f);
	assert_int_equal(src.pull(src.ctx, RELEASE_BLOCK, 1, &p), 1);
	assert_int_equal(src.cost(src.ctx), RELEASE_BLOCK);
	src.done(src.ctx);
}

static void
test_rotten_hot_block(void **state)
{
	struct fixture *f = *state;
	const uint8_t *p;
	f->s->image[RELEASE_BLOCK + 9] ^= 1; /* the record was made over the right byte */
	assert_int_equal(add(f), 0);
	struct net_source src = source_of(f);
	assert_true(src.pull(src.ctx, 0, 100, &p) == 100);
	/* No byte of the block, not even one that is right. */
	assert_true(src.pull(src.ctx, RELEASE_BLOCK + 5000, 1, &p) < 0);
	assert_int_equal(f->corrupt, 1);
	assert_int_equal(f->corrupt_block, 1);
	assert_null(stock_find(f->stock, f->s->id));
	/* Dropped, but alive until its last transfer ends. */
	assert_true(src.pull(src.ctx, 2 * RELEASE_BLOCK, 100, &p) == 100);
	assert_memory_equal(p, f->s->image + 2 * RELEASE_BLOCK, 100);
	src.done(src.ctx);
}

/* What the kernel would send of a run is what pull gives, and never more than asked for. */
static void
test_hot_runs_lie_in_the_file(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(add(f), 0);
	struct net_source src = source_of(f);
	uint8_t *got = malloc(SIZE);
	struct net_run run;
	for (uint64_t at = 0; at < SIZE;) {
		int64_t n = src.file(src.ctx, at, RELEASE_BLOCK + 7777, &run);
		assert_true(n > 0 && n <= RELEASE_BLOCK + 7777 && (uint64_t)n <= SIZE - at);
		assert_int_equal(pread(run.fd, got, (size_t)n, (off_t)run.at), n);
		assert_memory_equal(got, f->s->image + at, (size_t)n);
		at += (uint64_t)n;
	}
	assert_true(src.file(src.ctx, SIZE, 1, &run) < 0);
	assert_true(src.file(src.ctx, UINT64_MAX, 1, &run) < 0);
	assert_true(src.file(src.ctx, 0, 0, &run) < 0);
	assert_int_equal(f->corrupt, 0);
	src.done(src.ctx);
	free(got);
	/* Nothing of the kind for a file that others may write to. */
	stock_drop(f->stock, f->s->id);
	assert_int_equal(add_as(f, false, file_of(f->s->image, SIZE), sample_blocks_fd(f->s)), 0);
	src = source_of(f);
	assert_null(src.file);
	src.done(src.ctx);
}

static void
test_a_run_ends_before_a_rotten_block(void **state)
{
	struct fixture *f = *state;
	struct net_run run;
	f->s->image[RELEASE_BLOCK + 9] ^= 1;
	assert_int_equal(add(f), 0);
	struct net_source src = source_of(f);
	assert_int_equal(src.file(src.ctx, 100, SIZE, &run), RELEASE_BLOCK - 100);
	assert_int_equal(f->corrupt, 0);
	assert_true(src.file(src.ctx, RELEASE_BLOCK, 1, &run) < 0);
	assert_int_equal(f->corrupt, 1);
	assert_int_equal(f->corrupt_block, 1);
	src.done(src.ctx);
}

static void
test_cold_file_that_changes_under_way(void **state)
{
	struct fixture *f = *state;
	const uint8_t *p;
	int file = file_of(f->s->image, SIZE), keep = dup(file);
	assert_int_equal(add_as(f, false, file, sample_blocks_fd(f->s)), 0);
	struct net_source src = source_of(f);
	assert_true(src.pull(src.ctx, 0, 10, &p) == 10);
	assert_int_equal(pwrite(keep, "X", 1, 5), 1);
	/* Loaded and hashed before: what is sent is what was hashed. */
	assert_true(src.pull(src.ctx, 0, 10, &p) == 10);
	assert_memory_equal(p, f->s->image, 10);
	assert_true(src.pull(src.ctx, RELEASE_BLOCK, 10, &p) == 10);
	assert_true(src.pull(src.ctx, 0, 10, &p) == 10);
	assert_memory_equal(p, f->s->image, 10);
	assert_int_equal(f->corrupt, 0);
	/* Not before: bytes of it, good ones too, do not leave. */
	assert_int_equal(pwrite(keep, "X", 1, SIZE - 1), 1);
	assert_true(src.pull(src.ctx, 3 * RELEASE_BLOCK, 1, &p) < 0);
	assert_true(src.pull(src.ctx, 3 * RELEASE_BLOCK, 1, &p) < 0);
	assert_int_equal(f->corrupt, 2);
	assert_int_equal(f->corrupt_block, 3);
	/* A file cut short is no less rotten. */
	assert_int_equal(ftruncate(keep, 2 * RELEASE_BLOCK + 10), 0);
	assert_true(src.pull(src.ctx, 2 * RELEASE_BLOCK, 5, &p) < 0);
	assert_int_equal(f->corrupt, 3);
	src.done(src.ctx);
	close(keep);
}

static void
test_dropped_while_sending(void **state)
{
	struct fixture *f = *state;
	const uint8_t *p;
	assert_int_equal(add(f), 0);
	struct net_source a = source_of(f), b = source_of(f);
	assert_true(stock_drop(f->stock, f->s->id));
	assert_true(a.pull(a.ctx, 7, 10, &p) == 10);
	a.done(a.ctx);
	assert_true(b.pull(b.ctx, 7, 10, &p) == 10);
	assert_memory_equal(p, f->s->image + 7, 10);
	b.done(b.ctx);
}

static void
test_banned_stays_out(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(add(f), 0);
	stock_ban(f->stock, f->s->id);
	assert_null(stock_find(f->stock, f->s->id));
	int image = sample_image_fd(f->s), blocks = sample_blocks_fd(f->s);
	assert_int_equal(add_as(f, true, image, blocks), FG_EPERM);
	assert_false(is_open(image));
	assert_false(is_open(blocks));
	/* Others come in as before; so does the same image under another record. */
	f->s->r.log_size++;
	sample_seal(f->s);
	assert_int_equal(add(f), 0);
	/* The ring holds its number, and banning twice takes one place. */
	uint8_t id[RELEASE_ID] = { 0 };
	for (unsigned i = 0; i < STOCK_BANNED - 1; i++) {
		memcpy(id, &i, sizeof i);
		stock_ban(f->stock, id);
		stock_ban(f->stock, id);
	}
	f->s->r.log_size--;
	sample_seal(f->s);
	assert_int_equal(add(f), FG_EPERM);
}

static void
test_the_stock_is_bounded_and_finds_each(void **state)
{
	static uint8_t ids[STOCK_MAX + 1][RELEASE_ID];
	struct fixture *f = *state;
	struct sample *one = sample_new(1, "rtr", "1");
	for (unsigned i = 0; i <= STOCK_MAX; i++) {
		one->r.log_size = i;
		sample_seal(one);
		int err = stock_add(f->stock, one->id, writer_view(&one->record), 1, false, file_of(one->image, 1),
		    sample_blocks_fd(one));
		assert_int_equal(err, i < STOCK_MAX ? 0 : FG_ELIMIT);
		memcpy(ids[i], one->id, RELEASE_ID);
	}
	assert_int_equal(stock_count(f->stock), STOCK_MAX);
	/* Every third goes: each that has stood in its way, or behind it, is found as before. */
	for (unsigned i = 0; i < STOCK_MAX; i += 3)
		assert_true(stock_drop(f->stock, ids[i]));
	for (unsigned i = 0; i <= STOCK_MAX; i++) {
		const struct stock_item *item = stock_find(f->stock, ids[i]);
		assert_int_equal(item != NULL, i % 3 && i < STOCK_MAX);
		if (item)
			assert_int_equal(stock_record(item)->log_size, i);
		else
			assert_false(stock_drop(f->stock, ids[i]));
	}
	sample_free(one);
}

/* Each field of a row, one step beyond the record. */
static void
test_rows_beyond_the_record(void **state)
{
	struct fixture *f = *state;
	struct approval_terms *t = &f->s->r.terms;
	assert_int_equal(add(f), 0);
	const struct stock_item *item = stock_find(f->stock, f->s->id);
	struct table_decision good = sample_row(f->s), d;
	assert_true(stock_within(item, &good));
	d = good, d.from = "1.0", d.group = "canary"; /* less than permitted */
	assert_true(stock_within(item, &d));
	d = good, d.not_before++, d.not_after--;
	assert_true(stock_within(item, &d));
	d = good, d.profile = "acme2";
	assert_false(stock_within(item, &d));
	d = good, d.product = "rtr2";
	assert_false(stock_within(item, &d));
	d = good, d.target = "2.1";
	assert_false(stock_within(item, &d));
	d = good, d.resource[3] ^= 1;
	assert_false(stock_within(item, &d));
	d = good, d.image[3] ^= 1;
	assert_false(stock_within(item, &d));
	d = good, d.size--;
	assert_false(stock_within(item, &d));
	d = good, d.not_before--;
	assert_false(stock_within(item, &d));
	d = good, d.not_after++;
	assert_false(stock_within(item, &d));
	/* Under a standing statement only for the groups of then. */
	f->s->r.by_standing = true;
	f->s->r.as_of = 100;
	sample_seal(f->s);
	assert_int_equal(add(f), 0);
	item = stock_find(f->stock, f->s->id);
	good = sample_row(f->s), good.as_of = 100;
	assert_true(stock_within(item, &good));
	d = good, d.as_of = 101;
	assert_false(stock_within(item, &d));
	d = good, d.as_of = INT64_MAX;
	assert_false(stock_within(item, &d));
	f->s->r.by_standing = false;
	f->s->r.as_of = 0;
	/* A record that names versions and groups permits neither others nor all. */
	t->from_versions.n = t->groups.n = 0;
	assert_int_equal(approval_list_add(&t->from_versions, "1.0"), 0);
	assert_int_equal(approval_list_add(&t->groups, "canary"), 0);
	sample_seal(f->s);
	assert_int_equal(add(f), 0);
	item = stock_find(f->stock, f->s->id);
	good = sample_row(f->s), good.from = "1.0", good.group = "canary";
	assert_true(stock_within(item, &good));
	d = good, d.from = "*";
	assert_false(stock_within(item, &d));
	d = good, d.from = "1.1";
	assert_false(stock_within(item, &d));
	d = good, d.from = "";
	assert_false(stock_within(item, &d));
	d = good, d.group = "*";
	assert_false(stock_within(item, &d));
	d = good, d.group = "";
	assert_false(stock_within(item, &d));
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_hot_and_cold_give_the_image),
		T(test_the_same_again_changes_nothing),
		T(test_record_that_does_not_hold_together),
		T(test_blocks_that_are_not_the_records),
		T(test_image_of_another_size_or_not_sealed),
		T(test_what_bytes_cost),
		T(test_rotten_hot_block),
		T(test_hot_runs_lie_in_the_file),
		T(test_a_run_ends_before_a_rotten_block),
		T(test_cold_file_that_changes_under_way),
		T(test_dropped_while_sending),
		T(test_banned_stays_out),
		T(test_the_stock_is_bounded_and_finds_each),
		T(test_rows_beyond_the_record),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
