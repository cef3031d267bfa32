/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/audit/ledger.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/err.h"
#include "crypto/receipt.h"
#include "gateway/audit/tilestore.h"
#include "unit/crypto/people.h"
#include "unit/gateway/scratch.h"

struct fixture {
	struct scratch tmp;
	int waldir, logdir;
	struct note_signer key;
	struct merkle *m;
	struct ledger *l;
	struct ledger_opened opened;
	uint64_t told; /* entries that opening told of, in order */
	bool strange;  /* one of them was none of ours: only ever before TAMPERED */
	size_t pad;
};

static struct view
entry(const struct fixture *f, uint64_t i)
{
	static char text[60100];
	int n = snprintf(text, sizeof text, "entry number %llu", (unsigned long long)i);
	memset(text + n, '.', f->pad);
	return view_of(text, (size_t)n + f->pad);
}

static void
each(void *ctx, uint64_t index, struct view line)
{
	struct fixture *f = ctx;
	f->strange |= index != f->told || line.n < 12 || memcmp(line.p, "entry number", 12);
	f->told++;
}

static void
dirs(struct fixture *f)
{
	if (f->waldir >= 0)
		close(f->waldir);
	if (f->logdir >= 0)
		close(f->logdir);
	f->waldir = scratch_dir(&f->tmp, "wal");
	f->logdir = scratch_dir(&f->tmp, "log");
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	scratch_open(&f->tmp);
	f->waldir = f->logdir = -1;
	dirs(f);
	f->key = people_log_key();
	f->m = merkle_new();
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	ledger_close(f->l);
	merkle_free(f->m);
	close(f->waldir);
	close(f->logdir);
	scratch_close(&f->tmp);
	free(f);
	return 0;
}

static int
reopen(struct fixture *f)
{
	ledger_close(f->l);
	f->l = NULL;
	f->told = 0;
	f->strange = false;
	return ledger_open(f->waldir, f->logdir, &f->key, each, f, &f->l, &f->opened);
}

static void
open_ok(struct fixture *f, uint64_t size)
{
	assert_int_equal(reopen(f), 0);
	assert_string_equal(f->opened.why, "");
	assert_int_equal(f->opened.state, MSG_LOG_OPEN_OK);
	assert_int_equal(f->opened.size, size);
	assert_int_equal(f->told, size);
	assert_false(f->strange);
	assert_int_equal(ledger_size(f->l), size);
	assert_int_equal(ledger_next(f->l), size);
}

static void
open_tampered(struct fixture *f)
{
	assert_int_equal(reopen(f), 0);
	assert_int_equal(f->opened.state, MSG_LOG_TAMPERED);
	assert_string_not_equal(f->opened.why, "");
	assert_int_equal(ledger_put(f->l, view_str("x")), FG_EIO);
	assert_int_equal(ledger_commit(f->l), FG_EIO);
	assert_int_equal(ledger_publish(f->l), FG_EIO);
}

static void
put_one(struct fixture *f)
{
	struct view e = entry(f, ledger_next(f->l));
	int err = ledger_put(f->l, e);
	if (err == FG_ELIMIT) {
		assert_int_equal(ledger_commit(f->l), 0);
		err = ledger_put(f->l, e);
	}
	assert_int_equal(err, 0);
}

static void
append(struct fixture *f, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		put_one(f);
	assert_int_equal(ledger_commit(f->l), 0);
}

static void
root_of(const struct fixture *f, uint64_t n, uint8_t ret[32])
{
	struct merkle_range r = { 0 };
	for (uint64_t i = 0; i < n; i++) {
		uint8_t leaf[32];
		merkle_leaf(f->m, entry(f, i), leaf);
		merkle_range_push(f->m, &r, leaf);
	}
	merkle_range_root(f->m, &r, ret);
}

/* The checkpoint signs exactly the entries there are. */
static void
check_published(struct fixture *f, uint64_t size)
{
	struct checkpoint_opened c;
	uint8_t want[32];
	assert_int_equal(ledger_published(f->l), size);
	assert_int_equal(checkpoint_open(ledger_checkpoint(f->l), NULL, &f->key.key, NULL, 0, 0, &c), 0);
	assert_int_equal(c.outcome, CHECKPOINT_VERIFIED);
	assert_int_equal(c.head.size, size);
	root_of(f, size, want);
	assert_memory_equal(c.head.root, want, 32);
	size_t n;
	uint8_t *file = scratch_read(scratch_path(&f->tmp, "log/checkpoint"), &n);
	assert_true(view_equal(view_of(file, n), ledger_checkpoint(f->l)));
	free(file);
}

static void
check_receipt(struct fixture *f, uint64_t index)
{
	struct writer text, line, store;
	struct receipt r;
	struct receipt_checked c;
	writer_init(&text, RECEIPT_SIZE_MAX);
	writer_init(&line, 65535);
	writer_init(&store, RECEIPT_EXTRA_MAX);
	assert_int_equal(ledger_receipt(f->l, index, &text, &line), 0);
	assert_true(view_equal(writer_view(&line), entry(f, index)));
	assert_int_equal(receipt_parse(writer_view(&text), &store, &r), 0);
	assert_int_equal(receipt_verify(f->m, &r, writer_view(&line), NULL, &f->key.key, NULL, 0, &c), 0);
	assert_int_equal(c.outcome, RECEIPT_VERIFIED);
	assert_int_equal(r.index, index);
	writer_free(&text);
	writer_free(&line);
	writer_free(&store);
}

static void
test_order(void **state)
{
	struct fixture *f = *state;
	uint8_t root[32], want[32];
	open_ok(f, 0);
	assert_int_equal(f->opened.published, 0);
	assert_int_equal(ledger_checkpoint(f->l).n, 0);
	put_one(f);
	put_one(f);
	assert_int_equal(ledger_next(f->l), 2);
	assert_int_equal(ledger_size(f->l), 0); /* put is not durable */
	root_of(f, 0, want);
	assert_int_equal(ledger_root(f->l, root), 0);
	assert_memory_equal(root, want, 32);
	/* Nothing is durable, so nothing is signed. */
	assert_int_equal(ledger_publish(f->l), 0);
	assert_int_equal(ledger_published(f->l), 0);
	assert_int_equal(access(scratch_path(&f->tmp, "log/checkpoint"), F_OK), -1);
	assert_int_equal(ledger_commit(f->l), 0);
	assert_int_equal(ledger_size(f->l), 2);
	put_one(f);
	assert_int_equal(ledger_publish(f->l), 0);
	check_published(f, 2); /* the third one is only put */
	open_ok(f, 2);
	assert_int_equal(f->opened.published, 2);
}

static void
test_reopen_at_sizes(void **state)
{
	struct fixture *f = *state;
	static const uint64_t sizes[] = { 1, 2, 255, 256, 257, 511, 512, 514, 1024, 1300 };
	uint64_t have = 0;
	open_ok(f, 0);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		append(f, sizes[i] - have);
		have = sizes[i];
		if (i % 2) {
			assert_int_equal(ledger_publish(f->l), 0);
			check_published(f, have);
		}
		open_ok(f, have);
		uint8_t root[32], want[32];
		root_of(f, have, want);
		assert_int_equal(ledger_root(f->l, root), 0);
		assert_memory_equal(root, want, 32);
	}
	/* Roots of every earlier state, and receipts. */
	static const uint64_t at[] = { 0, 1, 255, 256, 257, 700, 1299, 1300 };
	for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
		uint8_t root[32], want[32];
		root_of(f, at[i], want);
		assert_int_equal(ledger_root_at(f->l, at[i], root), 0);
		assert_memory_equal(root, want, 32);
		if (at[i] < have)
			check_receipt(f, at[i]);
	}
	uint8_t root[32];
	assert_int_equal(ledger_root_at(f->l, 1301, root), FG_ENOTFOUND);
	struct writer w;
	writer_init(&w, 100);
	assert_int_equal(ledger_receipt(f->l, 1300, &w, &w), FG_ENOTFOUND);
	writer_free(&w);
}

static void
test_70000(void **state)
{
	struct fixture *f = *state;
	open_ok(f, 0);
	append(f, 65535);
	assert_int_equal(ledger_publish(f->l), 0);
	append(f, 2);
	open_ok(f, 65537);
	append(f, 4463);
	assert_int_equal(ledger_publish(f->l), 0);
	check_published(f, 70000);
	open_ok(f, 70000);
	check_receipt(f, 0);
	check_receipt(f, 65536);
	check_receipt(f, 69999);
}

/* What opening a state publishes on the fly still covers only what is durable. */
static void
test_asked_for_newer_than_published(void **state)
{
	struct fixture *f = *state;
	uint8_t root[32], want[32];
	open_ok(f, 0);
	append(f, 300);
	assert_int_equal(ledger_publish(f->l), 0);
	append(f, 50);
	put_one(f);
	root_of(f, 320, want);
	assert_int_equal(ledger_root_at(f->l, 320, root), 0);
	assert_memory_equal(root, want, 32);
	assert_int_equal(ledger_published(f->l), 350);
	assert_int_equal(ledger_root_at(f->l, 351, root), FG_ENOTFOUND);
	check_receipt(f, 349);
}

/*
 * What a crash finds: step 0 durable and nothing published, 1 tiles written under
 * the older checkpoint, 2 the newer one too.
 */
static void
crashed(const struct fixture *g, int step, uint64_t before, uint64_t all)
{
	struct fixture h = *g;
	snprintf(h.tmp.dir, sizeof h.tmp.dir, "%.40s/s%d", g->tmp.dir, step);
	assert_int_equal(mkdir(h.tmp.dir, 0755), 0);
	scratch_copy(scratch_path(&g->tmp, "wal.new"), scratch_path(&h.tmp, "wal"));
	scratch_copy(scratch_path(&g->tmp, "log.old"), scratch_path(&h.tmp, "log"));
	if (step > 0)
		scratch_copy(scratch_path(&g->tmp, "log.new/tile"), scratch_path(&h.tmp, "log/tile"));
	if (step > 1) {
		size_t n;
		uint8_t *p = scratch_read(scratch_path(&g->tmp, "log.new/checkpoint"), &n);
		scratch_write(scratch_path(&h.tmp, "log/checkpoint"), p, n);
		free(p);
	}
	h.waldir = h.logdir = -1;
	dirs(&h);
	open_ok(&h, all);
	assert_int_equal(h.opened.published, step > 1 ? all : before);
	assert_int_equal(h.opened.dropped_bytes, 0);
	assert_int_equal(ledger_publish(h.l), 0);
	check_published(&h, all);
	append(&h, 3);
	assert_int_equal(ledger_publish(h.l), 0);
	check_published(&h, all + 3);
	check_receipt(&h, all);
	ledger_close(h.l);
	close(h.waldir);
	close(h.logdir);
}

static void
test_crash_between_steps(void **state)
{
	struct fixture *f = *state;
	static const uint64_t before[] = { 0, 5, 250, 256 }, more[] = { 1, 10, 300 };
	for (size_t b = 0; b < sizeof before / sizeof before[0]; b++) {
		for (size_t k = 0; k < sizeof more / sizeof more[0]; k++) {
			struct fixture g = *f;
			scratch_open(&g.tmp);
			g.waldir = g.logdir = -1;
			dirs(&g);
			open_ok(&g, 0);
			append(&g, before[b]);
			assert_int_equal(ledger_publish(g.l), 0);
			scratch_copy(scratch_path(&g.tmp, "log"), scratch_path(&g.tmp, "log.old"));
			append(&g, more[k]);
			scratch_copy(scratch_path(&g.tmp, "wal"), scratch_path(&g.tmp, "wal.new"));
			assert_int_equal(ledger_publish(g.l), 0);
			scratch_copy(scratch_path(&g.tmp, "log"), scratch_path(&g.tmp, "log.new"));
			ledger_close(g.l);
			g.l = NULL;
			for (int step = 0; step < 3; step++)
				crashed(&g, step, before[b], before[b] + more[k]);
			close(g.waldir);
			close(g.logdir);
			scratch_close(&g.tmp);
		}
	}
}

static const char *
only_segment(const struct fixture *f)
{
	return scratch_path(&f->tmp, "wal/00000000000000000000.seg");
}

/* Records are padded to 8: where the i-th of equal length begins. */
static off_t
record_at(const struct fixture *f, uint64_t i)
{
	off_t at = 64;
	for (uint64_t k = 0; k < i; k++)
		at += 16 + (off_t)((entry(f, k).n + 7) & ~(size_t)7);
	return at;
}

static void
cut_wal(const struct fixture *f, off_t at)
{
	assert_int_equal(truncate(only_segment(f), at), 0);
	assert_int_equal(truncate(only_segment(f), 16 << 20), 0);
}

static void
test_torn_tail_and_what_was_signed(void **state)
{
	struct fixture *f = *state;
	open_ok(f, 0);
	append(f, 10);
	assert_int_equal(ledger_publish(f->l), 0);
	append(f, 5);
	ledger_close(f->l);
	f->l = NULL;
	/* In the middle of the fourteenth: never acknowledged as far as anyone can know. */
	cut_wal(f, record_at(f, 13) + 20);
	open_ok(f, 13);
	assert_in_range(f->opened.dropped_bytes, 1, 40);
	append(f, 2);
	open_ok(f, 15);
	assert_int_equal(f->opened.dropped_bytes, 0);
	ledger_close(f->l);
	f->l = NULL;
	/* Cut at what was signed: still whole. One record less: somebody cut what had been durable. */
	cut_wal(f, record_at(f, 10));
	open_ok(f, 10);
	ledger_close(f->l);
	f->l = NULL;
	cut_wal(f, record_at(f, 9));
	open_tampered(f);
}

static void
test_segments_gone(void **state)
{
	struct fixture *f = *state;
	open_ok(f, 0);
	append(f, 10);
	assert_int_equal(ledger_publish(f->l), 0);
	assert_int_equal(unlink(only_segment(f)), 0);
	open_tampered(f);
}

static void
test_checkpoint_gone_or_older(void **state)
{
	struct fixture *f = *state;
	open_ok(f, 0);
	append(f, 10);
	assert_int_equal(ledger_publish(f->l), 0);
	scratch_copy(scratch_path(&f->tmp, "log"), scratch_path(&f->tmp, "log.old"));
	append(f, 10);
	assert_int_equal(ledger_publish(f->l), 0);
	/* The segments hold everything: the same tree is signed again, never another one. */
	assert_int_equal(unlink(scratch_path(&f->tmp, "log/checkpoint")), 0);
	open_ok(f, 20);
	assert_int_equal(ledger_publish(f->l), 0);
	check_published(f, 20);
	assert_int_equal(rename(scratch_path(&f->tmp, "log"), scratch_path(&f->tmp, "log.new")), 0);
	assert_int_equal(rename(scratch_path(&f->tmp, "log.old"), scratch_path(&f->tmp, "log")), 0);
	dirs(f);
	open_ok(f, 20);
	assert_int_equal(f->opened.published, 10);
	assert_int_equal(ledger_publish(f->l), 0);
	check_published(f, 20);
}

static void
test_tampered_in_many_places(void **state)
{
	struct fixture *f = *state;
	open_ok(f, 0);
	append(f, 300);
	assert_int_equal(ledger_publish(f->l), 0);
	append(f, 3);
	ledger_close(f->l);
	f->l = NULL;
	static const struct {
		const char *file;
		off_t at;
	} where[] = {
		{ "log/checkpoint", 3 }, { "log/checkpoint", 30 }, { "log/checkpoint", 90 }, { "log/checkpoint", 150 },
		{ "log/tile/0/000", 8191 }, { "log/tile/0/001.p/44", 0 }, { "log/tile/1/000.p/1", 31 },
		{ "log/tile/entries/000", 20 }, { "log/tile/entries/000", 0 }, { "log/tile/entries/001.p/44", 9 },
		{ "wal/00000000000000000000.seg", 2 }, { "wal/00000000000000000000.seg", 90 },
	};
	for (size_t i = 0; i < sizeof where / sizeof where[0]; i++) {
		assert_true(scratch_flip(scratch_path(&f->tmp, where[i].file), where[i].at, 0x01));
		open_tampered(f);
		assert_true(scratch_flip(scratch_path(&f->tmp, where[i].file), where[i].at, 0x01));
	}
	open_ok(f, 303);
	/* Another log's key. */
	struct note_signer other, own = f->key;
	assert_int_equal(note_signer_generate("other.example.com/log", NOTE_TYPE_ED25519, &other), 0);
	f->key = other;
	open_tampered(f);
	f->key = own;
	open_ok(f, 303);
}

/* Whoever writes other entries under the same sizes is found by the signed root. */
static void
test_another_history(void **state)
{
	struct fixture *f = *state;
	open_ok(f, 0);
	append(f, 300);
	assert_int_equal(ledger_publish(f->l), 0);
	append(f, 5);
	struct fixture g = *f;
	scratch_open(&g.tmp);
	g.l = NULL;
	g.waldir = g.logdir = -1;
	g.pad = 1;
	dirs(&g);
	open_ok(&g, 0);
	append(&g, 305);
	assert_int_equal(ledger_publish(g.l), 0);
	ledger_close(g.l);
	ledger_close(f->l);
	f->l = NULL;
	/* Its segments under our checkpoint. */
	int own = f->waldir;
	f->waldir = g.waldir;
	open_tampered(f);
	f->waldir = own;
	open_ok(f, 305);
	/* Our segments under its tiles and checkpoint, though the same key signed it. */
	own = f->logdir;
	f->logdir = g.logdir;
	open_tampered(f);
	f->logdir = own;
	open_ok(f, 305);
	close(g.waldir);
	close(g.logdir);
	scratch_close(&g.tmp);
}

static void
test_segments_are_forgotten(void **state)
{
	struct fixture *f = *state;
	f->pad = 60000;
	open_ok(f, 0);
	for (unsigned i = 0; i < 40; i++) {
		append(f, 16);
		if (ledger_is_due(f->l))
			assert_int_equal(ledger_publish(f->l), 0);
	}
	assert_int_equal(ledger_publish(f->l), 0);
	assert_int_equal(access(only_segment(f), F_OK), -1);
	open_ok(f, 640);
	check_receipt(f, 0);
	append(f, 1);
	open_ok(f, 641);
	/* Without the checkpoint nobody can tell what stood before the oldest segment. */
	assert_int_equal(unlink(scratch_path(&f->tmp, "log/checkpoint")), 0);
	open_tampered(f);
}

static void
test_what_no_bundle_holds(void **state)
{
	struct fixture *f = *state;
	char *big = calloc(1, 65537);
	open_ok(f, 0);
	memset(big, 'x', 65536);
	assert_int_equal(ledger_put(f->l, view_of(NULL, 0)), FG_EINVAL);
	assert_int_equal(ledger_put(f->l, view_of(big, 65536)), FG_EINVAL);
	assert_int_equal(ledger_put(f->l, view_of(big, 65535)), 0);
	assert_int_equal(ledger_commit(f->l), 0);
	assert_int_equal(ledger_publish(f->l), 0);
	free(big);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reopen_at_sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_70000, setup, teardown),
		cmocka_unit_test_setup_teardown(test_asked_for_newer_than_published, setup, teardown),
		cmocka_unit_test_setup_teardown(test_crash_between_steps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_torn_tail_and_what_was_signed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_segments_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_checkpoint_gone_or_older, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tampered_in_many_places, setup, teardown),
		cmocka_unit_test_setup_teardown(test_another_history, setup, teardown),
		cmocka_unit_test_setup_teardown(test_segments_are_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_no_bundle_holds, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
