/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/err.h"
#include "crypto/witness.h"
#include "unit/crypto/small_log.h"

#define LARGEST 20 /* every pair of sizes up to here */

static struct small_log
log_of(void **state)
{
	return *(struct small_log *)*state;
}

static int
setup(void **state)
{
	static struct small_log l;
	l = small_log_new();
	*state = &l;
	return 0;
}

static int
teardown(void **state)
{
	merkle_free(log_of(state).m);
	return 0;
}

/* What a witness that remembers `memory` of l's log says to (old, proof, checkpoint of size). */
static struct witness_verdict
ask(const struct small_log *l, const struct witness_memory *memory, uint64_t old, const struct merkle_proof *proof,
    uint64_t size)
{
	static uint8_t kept[WITNESS_REQUEST_MAX]; /* the verdict's text borrows from it */
	struct witness_request r;
	struct witness_verdict v;
	struct writer note, body;
	writer_init(&note, NOTE_SIZE_MAX);
	writer_init(&body, WITNESS_REQUEST_MAX);
	small_log_checkpoint(l, size, &note);
	assert_int_equal(witness_request_write(old, proof, writer_view(&note), &body), 0);
	memcpy(kept, body.p, body.n);
	assert_int_equal(witness_request_parse(view_of(kept, body.n), &r), 0);
	assert_int_equal(r.old, old);
	assert_int_equal(r.proof.n, proof->n);
	assert_true(view_is(r.origin, l->key.key.name));
	assert_int_equal(witness_judge(l->m, &r, &l->key.key, memory, &v), 0);
	writer_free(&note);
	writer_free(&body);
	return v;
}

static void
remember(const struct small_log *l, uint64_t size, struct witness_memory *ret)
{
	ret->size = size;
	small_log_hash(l, 0, size, ret->root);
}

static void
test_growth(void **state)
{
	struct small_log l = log_of(state);
	for (uint64_t old = 0; old <= LARGEST; old++) {
		struct witness_memory memory;
		remember(&l, old, &memory);
		for (uint64_t size = old; size <= LARGEST; size++) {
			struct merkle_proof p = small_log_proof(&l, old, size);
			struct witness_verdict v = ask(&l, &memory, old, &p, size);
			assert_int_equal(v.outcome, WITNESS_COSIGN);
			assert_int_equal(v.head.size, size);
			assert_int_equal(v.text.p[v.text.n - 1], '\n');
		}
	}
}

/* Another log of the same key, from every entry on: never cosigned once that entry is remembered. */
static void
test_fork(void **state)
{
	struct small_log l = log_of(state);
	for (uint64_t old = 1; old <= LARGEST; old++) {
		struct witness_memory memory;
		remember(&l, old, &memory);
		for (uint64_t from = 0; from < old; from++) {
			struct small_log other = l;
			other.fork_from = from;
			for (uint64_t size = old; size <= LARGEST; size++) {
				struct merkle_proof p = small_log_proof(&other, old, size);
				struct witness_verdict v = ask(&other, &memory, old, &p, size);
				assert_int_equal(v.outcome, size == old ? WITNESS_FORK : WITNESS_BAD_PROOF);
				assert_int_equal(v.text.n, 0);
				p = small_log_proof(&l, old, size);
				v = ask(&other, &memory, old, &p, size);
				assert_int_not_equal(v.outcome, WITNESS_COSIGN);
			}
		}
	}
}

static void
test_old_size(void **state)
{
	struct small_log l = log_of(state);
	struct merkle_proof none = { .n = 0 };
	struct witness_memory memory, nothing = { .size = 0 };
	remember(&l, 7, &memory);
	struct merkle_proof p = small_log_proof(&l, 7, 9);
	assert_int_equal(ask(&l, &memory, 6, &p, 9).outcome, WITNESS_CONFLICT);
	assert_int_equal(ask(&l, &memory, 8, &p, 9).outcome, WITNESS_CONFLICT);
	assert_int_equal(ask(&l, &memory, 0, &none, 9).outcome, WITNESS_CONFLICT);
	assert_int_equal(ask(&l, &memory, 0, &none, 3).outcome, WITNESS_CONFLICT); /* a rolled back log */
	assert_int_equal(ask(&l, &memory, 7, &none, 3).outcome, WITNESS_MALFORMED); /* above its own size */
	assert_int_equal(ask(&l, &nothing, 7, &p, 9).outcome, WITNESS_CONFLICT);
	/* A proof where none belongs, one hash too few or too many. */
	assert_int_equal(ask(&l, &nothing, 0, &p, 9).outcome, WITNESS_BAD_PROOF);
	assert_int_equal(ask(&l, &memory, 7, &p, 7).outcome, WITNESS_BAD_PROOF);
	p.n--;
	assert_int_equal(ask(&l, &memory, 7, &p, 9).outcome, WITNESS_BAD_PROOF);
	p.n += 2;
	assert_int_equal(ask(&l, &memory, 7, &p, 9).outcome, WITNESS_BAD_PROOF);
}

static void
test_whose_log(void **state)
{
	struct small_log l = log_of(state);
	struct witness_request r = { .old = 0 };
	struct witness_memory memory = { .size = 0 };
	struct witness_verdict v;
	struct note_signer other;
	struct writer note;
	writer_init(&note, NOTE_SIZE_MAX);
	small_log_checkpoint(&l, 5, &note);
	r.checkpoint = writer_view(&note);
	r.origin = view_str(SMALL_LOG_ORIGIN);
	assert_int_equal(witness_judge(l.m, &r, NULL, &memory, &v), 0);
	assert_int_equal(v.outcome, WITNESS_UNKNOWN_LOG);
	assert_int_equal(note_signer_generate("elsewhere", NOTE_TYPE_ED25519, &other), 0);
	assert_int_equal(witness_judge(l.m, &r, &other.key, &memory, &v), 0);
	assert_int_equal(v.outcome, WITNESS_UNKNOWN_LOG);
	assert_int_equal(note_signer_generate(SMALL_LOG_ORIGIN, NOTE_TYPE_ED25519, &other), 0);
	assert_int_equal(witness_judge(l.m, &r, &other.key, &memory, &v), 0);
	assert_int_equal(v.outcome, WITNESS_BAD_SIGNATURE);
	/* Signed by the log, but no tree head: the key signs other notes too. */
	writer_reset(&note);
	assert_int_equal(note_sign(view_str(SMALL_LOG_ORIGIN "\nnot a size\n"), &l.key, &note), 0);
	r.checkpoint = writer_view(&note);
	assert_int_equal(witness_judge(l.m, &r, &l.key.key, &memory, &v), 0);
	assert_int_equal(v.outcome, WITNESS_MALFORMED);
	/* Its own key over another origin: the first line decided whose state was looked up. */
	r.origin = view_str("elsewhere");
	assert_int_equal(witness_judge(l.m, &r, &l.key.key, &memory, &v), 0);
	assert_int_equal(v.outcome, WITNESS_UNKNOWN_LOG);
	writer_free(&note);
}

static void
test_body_is_strict(void **state)
{
	(void)state;
	static const char hash[] = "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n";
	static const char *const bad[] = {
		"", "old", "old \n\nx\n", "old 1", "old 1\n", "old 1\n\n", "old 01\n\nx\n", "old -1\n\nx\n",
		"old 1 \n\nx\n", "Old 1\n\nx\n", "old  1\n\nx\n", "old\t1\n\nx\n", "old 9223372036854775808\n\nx\n",
		"old 1\r\n\r\nx\n", "old 1\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw\n\nx\n",
		"old 1\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpka==\n\nx\n", "old 1\nAAAA\n\nx\n",
		"old 1\n PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n\nx\n", "old 1\n\nx", "old 1\n\n\n\n",
	};
	struct witness_request r = { .old = 42 };
	struct writer w;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (witness_request_parse(view_str(bad[i]), &r) != FG_EFORMAT)
			fail_msg("accepted: %s", bad[i]);
	}
	assert_int_equal(r.old, 42);
	writer_init(&w, 2 * WITNESS_REQUEST_MAX);
	for (unsigned n = 63; n <= 64; n++) { /* the last number of hashes, and one more */
		writer_reset(&w);
		writer_text(&w, "old 1\n");
		for (unsigned i = 0; i < n; i++)
			writer_text(&w, hash);
		writer_text(&w, "\nx\n");
		assert_int_equal(witness_request_parse(writer_view(&w), &r), n == 63 ? 0 : FG_EFORMAT);
	}
	writer_reset(&w);
	writer_text(&w, "old 1\n\nx\n");
	while (w.n < WITNESS_REQUEST_MAX)
		writer_u8(&w, 'y');
	assert_int_equal(witness_request_parse(writer_view(&w), &r), 0);
	writer_u8(&w, 'y');
	assert_int_equal(witness_request_parse(writer_view(&w), &r), FG_EFORMAT);
	writer_free(&w);
}

static struct witness_answered
answer(const struct small_log *l, unsigned status, const char *body, uint64_t old, uint64_t size,
    const struct note_key *key, struct writer *line)
{
	struct witness_answered a;
	struct writer note;
	writer_init(&note, NOTE_SIZE_MAX);
	small_log_checkpoint(l, size, &note);
	assert_int_equal(witness_answer_judge(status, view_str(body), old, writer_view(&note), key, line, &a), 0);
	writer_free(&note);
	return a;
}

static void
test_answers(void **state)
{
	struct small_log l = log_of(state);
	struct note_signer w1;
	struct writer line;
	writer_init(&line, 4096);
	assert_int_equal(note_signer_generate("w1.example", NOTE_TYPE_COSIGNATURE, &w1), 0);
	static const struct {
		unsigned status;
		const char *body;
		uint64_t old, size;
		enum witness_answer want;
		uint64_t want_size;
	} rows[] = {
		{ 409, "9\n", 5, 7, WITNESS_ANSWER_AHEAD, 9 },
		{ 409, "9\n", 7, 7, WITNESS_ANSWER_AHEAD, 9 },
		{ 409, "3\n", 5, 7, WITNESS_ANSWER_BEHIND, 3 },
		{ 409, "7\n", 5, 7, WITNESS_ANSWER_BEHIND, 7 },
		{ 409, "0\n", 5, 7, WITNESS_ANSWER_BEHIND, 0 },
		{ 409, "7\n", 7, 7, WITNESS_ANSWER_FORK, 7 },
		{ 409, "", 7, 7, WITNESS_ANSWER_FORK, 0 },
		{ 409, "5\n", 5, 7, WITNESS_ANSWER_UNUSABLE, 0 },
		{ 409, "", 5, 7, WITNESS_ANSWER_UNUSABLE, 0 },
		{ 409, "9", 5, 7, WITNESS_ANSWER_UNUSABLE, 0 },
		{ 409, "09\n", 5, 7, WITNESS_ANSWER_UNUSABLE, 0 },
		{ 409, "9\nx", 5, 7, WITNESS_ANSWER_UNUSABLE, 0 },
		{ 422, "", 5, 7, WITNESS_ANSWER_FORK, 0 },
		{ 403, "", 5, 7, WITNESS_ANSWER_NOT_US, 0 },
		{ 404, "", 5, 7, WITNESS_ANSWER_NOT_US, 0 },
		{ 200, "", 5, 7, WITNESS_ANSWER_UNUSABLE, 7 },
		{ 200, "\xe2\x80\x94 w1.example AAAA\n", 5, 7, WITNESS_ANSWER_UNUSABLE, 7 },
		{ 500, "9\n", 5, 7, WITNESS_ANSWER_UNUSABLE, 0 },
		{ 301, "", 5, 7, WITNESS_ANSWER_UNUSABLE, 0 },
		{ 0, "", 5, 7, WITNESS_ANSWER_UNUSABLE, 0 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct witness_answered a =
		    answer(&l, rows[i].status, rows[i].body, rows[i].old, rows[i].size, &w1.key, &line);
		assert_int_equal(a.answer, rows[i].want);
		assert_int_equal(a.size, rows[i].want_size);
		assert_int_equal(line.n, 0);
	}
	writer_free(&line);
}

/* Appends a cosignature over the checkpoint of that size. */
static void
cosign(const struct small_log *l, uint64_t size, const struct note_signer *key, uint64_t time, struct writer *w)
{
	struct checkpoint c = { .size = size };
	struct writer text;
	snprintf(c.origin, sizeof c.origin, "%s", l->key.key.name);
	small_log_hash(l, 0, size, c.root);
	writer_init(&text, CHECKPOINT_TEXT_MAX);
	assert_int_equal(checkpoint_encode(&c, &text), 0);
	assert_int_equal(note_cosign(writer_view(&text), key, time, w), 0);
	writer_free(&text);
}

static void
test_cosignature(void **state)
{
	struct small_log l = log_of(state);
	struct note_signer w1, w2;
	struct writer body, line, note;
	struct checkpoint_opened o;
	assert_int_equal(note_signer_generate("w1.example", NOTE_TYPE_COSIGNATURE, &w1), 0);
	assert_int_equal(note_signer_generate("w2.example", NOTE_TYPE_COSIGNATURE, &w2), 0);
	writer_init(&body, WITNESS_ANSWER_MAX);
	writer_init(&line, 4096);
	writer_init(&note, NOTE_SIZE_MAX);
	cosign(&l, 7, &w2, 1767225600, &body);
	size_t first = body.n;
	cosign(&l, 7, &w1, 1767225601, &body);
	writer_u8(&body, 0);
	struct witness_answered a = answer(&l, 200, (const char *)body.p, 5, 7, &w1.key, &line);
	assert_int_equal(a.answer, WITNESS_ANSWER_COSIGNED);
	assert_int_equal(a.size, 7);
	assert_int_equal(a.time, 1767225601);
	/* The line of the key that was asked for, and nothing else, fits behind our own. */
	assert_true(view_equal(writer_view(&line), view_of(body.p + first, body.n - 1 - first)));
	small_log_checkpoint(&l, 7, &note);
	writer_bytes(&note, writer_view(&line));
	assert_int_equal(checkpoint_open(writer_view(&note), NULL, &l.key.key, &w1.key, 1, 0, &o), 0);
	assert_int_equal(o.outcome, CHECKPOINT_VERIFIED);
	assert_true(o.witnessed[0]);
	/* Over another size or another tree it is worth nothing. */
	writer_reset(&line);
	assert_int_equal(answer(&l, 200, (const char *)body.p, 5, 8, &w1.key, &line).answer,
	    WITNESS_ANSWER_UNUSABLE);
	struct small_log other = l;
	other.fork_from = 3;
	assert_int_equal(answer(&other, 200, (const char *)body.p, 5, 7, &w1.key, &line).answer,
	    WITNESS_ANSWER_UNUSABLE);
	assert_int_equal(line.n, 0);
	/* Each single bit of the line counts. */
	for (size_t i = first; i + 1 < body.n; i++) {
		body.p[i] ^= 0x01;
		a = answer(&l, 200, (const char *)body.p, 5, 7, &w1.key, &line);
		assert_int_equal(a.answer, WITNESS_ANSWER_UNUSABLE);
		body.p[i] ^= 0x01;
	}
	writer_free(&body);
	writer_free(&line);
	writer_free(&note);
}

static void
test_words(void **state)
{
	(void)state;
	static const unsigned status[] = { 500, 200, 400, 404, 403, 409, 409, 422 };
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(witness_outcome_status((enum witness_outcome)i), status[i]);
	assert_int_equal(witness_outcome_status((enum witness_outcome)99), 500);
	assert_string_equal(witness_outcome_name(WITNESS_FORK), "fork");
	assert_string_equal(witness_outcome_name((enum witness_outcome)99), "unknown");
	assert_string_equal(witness_answer_name(WITNESS_ANSWER_AHEAD), "ahead");
	assert_string_equal(witness_answer_name((enum witness_answer)99), "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_fork),
		cmocka_unit_test(test_old_size),
		cmocka_unit_test(test_whose_log),
		cmocka_unit_test(test_body_is_strict),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_cosignature),
		cmocka_unit_test(test_words),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
