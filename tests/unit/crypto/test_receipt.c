/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/receipt.h"
#include "crypto/tile.h"

#define ORIGIN "gw.example/log"
#define N 11u
#define HASH "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"

struct fixture {
	struct merkle *m;
	struct note_signer log;
	uint8_t leaf[N][MERKLE_HASH_LEN];
	struct writer note;
};

static struct view
entry_of(unsigned i)
{
	static const char *const entries[N] = { "", "{\"seq\":1}", "two", "three", "four", "five", "six",
		"seven", "eight", "nine", "ten" };
	return view_str(entries[i]);
}

static int
read_tile(void *ctx, unsigned level, uint64_t index, unsigned width, uint8_t *hashes)
{
	struct fixture *f = ctx;
	assert_true(level == 0 && index == 0 && width == N);
	memcpy(hashes, f->leaf, sizeof f->leaf);
	return 0;
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct checkpoint head = { .origin = ORIGIN, .size = N };
	struct merkle_range range = { 0 };
	f->m = merkle_new();
	for (unsigned i = 0; i < N; i++) {
		merkle_leaf(f->m, entry_of(i), f->leaf[i]);
		merkle_range_push(f->m, &range, f->leaf[i]);
	}
	merkle_range_root(f->m, &range, head.root);
	writer_init(&f->note, 4096);
	assert_int_equal(note_signer_generate(ORIGIN, NOTE_TYPE_ED25519, &f->log), 0);
	assert_int_equal(checkpoint_sign(&head, &f->log, &f->note), 0);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	merkle_free(f->m);
	writer_free(&f->note);
	free(f);
	return 0;
}

static void
make(struct fixture *f, unsigned index, bool with_entry, struct writer *w)
{
	struct receipt r = { .index = index, .note = writer_view(&f->note) };
	struct tile_tree *t = tile_tree_new(f->m, N, read_tile, f);
	assert_int_equal(tile_tree_inclusion(t, index, N, &r.proof), 0);
	tile_tree_free(t);
	if (with_entry)
		r.extra = entry_of(index);
	assert_int_equal(receipt_encode(&r, w), 0);
}

static enum receipt_outcome
check(struct fixture *f, const struct receipt *r, struct view entry)
{
	struct receipt_checked c;
	assert_int_equal(receipt_verify(f->m, r, entry, NULL, &f->log.key, NULL, 0, &c), 0);
	return c.outcome;
}

static void
test_every_entry(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < N; i++) {
		struct writer w, store, again;
		struct receipt r;
		writer_init(&w, RECEIPT_SIZE_MAX);
		writer_init(&again, RECEIPT_SIZE_MAX);
		writer_init(&store, RECEIPT_EXTRA_MAX);
		make(f, i, true, &w);
		assert_int_equal(receipt_parse(writer_view(&w), &store, &r), 0);
		assert_int_equal(r.index, i);
		assert_true(view_equal(r.extra, entry_of(i)));
		assert_int_equal(check(f, &r, r.extra), RECEIPT_VERIFIED);
		assert_int_equal(check(f, &r, entry_of((i + 1) % N)), RECEIPT_NOT_INCLUDED);
		r.index = (i + 1) % N;
		assert_int_equal(check(f, &r, entry_of(i)), RECEIPT_NOT_INCLUDED);
		r.index = i;
		assert_int_equal(receipt_encode(&r, &again), 0);
		assert_true(view_equal(writer_view(&again), writer_view(&w)));
		writer_free(&store);
		writer_free(&again);
		writer_free(&w);
	}
}

static void
test_other_log(void **state)
{
	struct fixture *f = *state;
	struct writer w, store;
	struct receipt r;
	struct receipt_checked c;
	struct note_signer other;
	writer_init(&w, RECEIPT_SIZE_MAX);
	writer_init(&store, RECEIPT_EXTRA_MAX);
	make(f, 3, false, &w);
	assert_int_equal(receipt_parse(writer_view(&w), &store, &r), 0);
	assert_int_equal(r.extra.n, 0);
	assert_int_equal(note_signer_generate(ORIGIN, NOTE_TYPE_ED25519, &other), 0);
	assert_int_equal(receipt_verify(f->m, &r, entry_of(3), NULL, &other.key, NULL, 0, &c), 0);
	assert_int_equal(c.outcome, RECEIPT_BAD_CHECKPOINT);
	assert_int_equal(c.checkpoint.outcome, CHECKPOINT_NOT_BY_LOG);
	assert_int_equal(receipt_verify(f->m, &r, entry_of(3), "x", &f->log.key, NULL, 0, &c), 0);
	assert_int_equal(c.outcome, RECEIPT_BAD_CHECKPOINT);
	assert_int_equal(c.checkpoint.outcome, CHECKPOINT_WRONG_ORIGIN);
	writer_free(&store);
	writer_free(&w);
}

static void
test_every_flipped_bit(void **state)
{
	struct fixture *f = *state;
	struct writer w, store;
	writer_init(&w, RECEIPT_SIZE_MAX);
	writer_init(&store, RECEIPT_EXTRA_MAX);
	make(f, 7, true, &w);
	for (size_t i = 0; i < w.n * 8; i++) {
		struct receipt r;
		w.p[i / 8] ^= (uint8_t)(1u << i % 8);
		if (receipt_parse(writer_view(&w), &store, &r) == 0)
			assert_int_not_equal(check(f, &r, r.extra), RECEIPT_VERIFIED);
		w.p[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	writer_free(&store);
	writer_free(&w);
}

static void
test_malformed(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", "c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v1\n", "c2sp.org/tlog-proof@v2\nindex 0\n\nx\n",
		"c2sp.org/tlog-proof@v1\r\nindex 0\n\nx\n", "\nc2sp.org/tlog-proof@v1\nindex 0\n\nx\n",
		"c2sp.org/tlog-proof@v1\nindex 0\n", "c2sp.org/tlog-proof@v1\nindex 0\n\n",
		"c2sp.org/tlog-proof@v1\nindex 00\n\nx\n", "c2sp.org/tlog-proof@v1\nindex\n\nx\n",
		"c2sp.org/tlog-proof@v1\nindex 9223372036854775807\n\nx\n",
		"c2sp.org/tlog-proof@v1\nindex -1\n\nx\n", "c2sp.org/tlog-proof@v1\nindex 0 \n\nx\n",
		"c2sp.org/tlog-proof@v1\nextra \nindex 0\n\nx\n", "c2sp.org/tlog-proof@v1\nextra\nindex 0\n\nx\n",
		"c2sp.org/tlog-proof@v1\nextra QQ\nindex 0\n\nx\n",
		"c2sp.org/tlog-proof@v1\nindex 0\nextra QQ==\n\nx\n",
		"c2sp.org/tlog-proof@v1\nextra QQ==\nextra QQ==\nindex 0\n\nx\n",
		"c2sp.org/tlog-proof@v1\nindex 0\nQQ==\n\nx\n", "c2sp.org/tlog-proof@v1\nindex 0\n" HASH,
		"c2sp.org/tlog-proof@v1\nindex 0\n " HASH "\nx\n", "c2sp.org/tlog-proof@v1\n" HASH "\nindex 0\n\nx\n",
	};
	struct receipt r = { .index = 99 };
	struct writer store;
	writer_init(&store, RECEIPT_EXTRA_MAX);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (receipt_parse(view_str(bad[i]), &store, &r) != FG_EFORMAT)
			fail_msg("accepted: %s", bad[i]);
	}
	assert_int_equal(r.index, 99);
	/* The shape alone is fine with as many hashes as a proof can have, and no more. */
	for (unsigned n = MERKLE_PROOF_MAX; n <= MERKLE_PROOF_MAX + 1; n++) {
		struct writer w;
		writer_init(&w, 65536);
		writer_text(&w, "c2sp.org/tlog-proof@v1\nindex 0\n");
		for (unsigned i = 0; i < n; i++)
			writer_text(&w, HASH);
		writer_text(&w, "\nx\n");
		assert_int_equal(receipt_parse(writer_view(&w), &store, &r), n > MERKLE_PROOF_MAX ? FG_EFORMAT : 0);
		writer_free(&w);
	}
	writer_free(&store);
}

static void
test_limits(void **state)
{
	struct fixture *f = *state;
	static uint8_t big[RECEIPT_EXTRA_MAX + 1];
	struct receipt r = { .note = writer_view(&f->note), .extra = view_of(big, RECEIPT_EXTRA_MAX) }, back;
	struct writer w, store;
	writer_init(&w, RECEIPT_SIZE_MAX);
	writer_init(&store, RECEIPT_EXTRA_MAX);
	assert_int_equal(receipt_encode(&r, &w), 0);
	assert_int_equal(receipt_parse(writer_view(&w), &store, &back), 0);
	assert_int_equal(back.extra.n, RECEIPT_EXTRA_MAX);
	writer_reset(&w);
	r.extra.n++;
	assert_int_equal(receipt_encode(&r, &w), FG_EINVAL);
	r.extra.n = 0;
	r.index = MERKLE_SIZE_MAX;
	assert_int_equal(receipt_encode(&r, &w), FG_EINVAL);
	r.index = 0;
	r.note.n = 0;
	assert_int_equal(receipt_encode(&r, &w), FG_EINVAL);
	r.note = writer_view(&f->note);
	r.proof.n = MERKLE_PROOF_MAX + 1;
	assert_int_equal(receipt_encode(&r, &w), FG_EINVAL);
	assert_int_equal(w.n, 0);
	writer_free(&store);
	writer_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_entry),
		cmocka_unit_test(test_other_log),
		cmocka_unit_test(test_every_flipped_bit),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
