/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>

#include "crypto/err.h"
#include "gateway/witness/keeper.h"
#include "unit/crypto/small_log.h"
#include "unit/gateway/scratch.h"

#define NOW 1767225600u

struct rig {
	struct scratch s;
	struct small_log log;
	struct note_signer witness;
	struct witness_policy logs;
	struct keeper *k;
	struct writer answer;
};

static int
open_keeper(struct rig *r)
{
	char why[KEEPER_WHY_MAX];
	return keeper_open(scratch_dir(&r->s, "state"), &r->logs, &r->witness, &r->k, why);
}

static int
setup(void **state)
{
	struct rig *r = calloc(1, sizeof *r);
	scratch_open(&r->s);
	r->log = small_log_new();
	small_log_must(note_signer_generate("w.example", NOTE_TYPE_COSIGNATURE, &r->witness));
	r->logs.logs = 1;
	r->logs.log[0] = r->log.key.key;
	writer_init(&r->answer, WITNESS_ANSWER_MAX);
	assert_int_equal(open_keeper(r), 0);
	*state = r;
	return 0;
}

static int
teardown(void **state)
{
	struct rig *r = *state;
	keeper_close(r->k);
	writer_free(&r->answer);
	merkle_free(r->log.m);
	scratch_close(&r->s);
	free(r);
	return 0;
}

static void
again(struct rig *r)
{
	keeper_close(r->k);
	r->k = NULL;
	assert_int_equal(open_keeper(r), 0);
}

static struct keeper_answer
submit(struct rig *r, const struct small_log *log, uint64_t old, uint64_t size)
{
	struct keeper_answer a;
	struct merkle_proof p = small_log_proof(log, old, size);
	struct writer note, body;
	writer_init(&note, NOTE_SIZE_MAX);
	writer_init(&body, WITNESS_REQUEST_MAX);
	small_log_checkpoint(log, size, &note);
	assert_int_equal(witness_request_write(old, &p, writer_view(&note), &body), 0);
	writer_reset(&r->answer);
	keeper_submit(r->k, writer_view(&body), NOW, &r->answer, &a);
	writer_free(&note);
	writer_free(&body);
	return a;
}

static uint64_t
remembered(const struct rig *r)
{
	struct keeper_log l;
	assert_true(keeper_get(r->k, 0, &l));
	assert_false(keeper_get(r->k, 1, &l));
	return l.memory.size;
}

static void
test_a_log_that_grows(void **state)
{
	struct rig *r = *state;
	struct keeper_log l;
	struct checkpoint_opened o;
	uint64_t old = 0;
	for (uint64_t size = 3; size <= 24; old = size, size += 7) {
		struct keeper_answer a = submit(r, &r->log, old, size);
		assert_int_equal(a.status, 200);
		assert_int_equal(remembered(r), size);
		again(r); /* the file says what the memory said */
		assert_int_equal(remembered(r), size);
		/* What it shows to others is the checkpoint with both lines. */
		assert_true(keeper_get(r->k, 0, &l));
		assert_int_equal(checkpoint_open(l.note, NULL, &r->log.key.key, &r->witness.key, 1, 0, &o), 0);
		assert_int_equal(o.outcome, CHECKPOINT_VERIFIED);
		assert_int_equal(o.witnessed_at[0], NOW);
		assert_int_equal(o.head.size, size);
	}
	assert_int_equal(submit(r, &r->log, old, old).status, 200); /* once more: a later time */
}

static void
test_two_histories(void **state)
{
	struct rig *r = *state;
	struct small_log other = r->log;
	size_t n;
	other.fork_from = 2;
	assert_int_equal(submit(r, &r->log, 0, 5).status, 200);
	struct keeper_answer a = submit(r, &other, 5, 5);
	assert_int_equal(a.status, 409);
	assert_int_equal(a.outcome, WITNESS_FORK);
	assert_string_equal(a.type, "text/x.tlog.size");
	assert_true(view_is(writer_view(&r->answer), "5\n"));
	assert_int_equal(submit(r, &other, 5, 9).status, 422);
	assert_int_equal(r->answer.n, 0);
	assert_int_equal(submit(r, &other, 0, 9).status, 409);
	assert_int_equal(submit(r, &r->log, 0, 3).status, 409); /* rolled back */
	assert_true(view_is(writer_view(&r->answer), "5\n"));
	again(r);
	assert_int_equal(submit(r, &other, 5, 5).status, 409);
	assert_int_equal(submit(r, &r->log, 5, 9).status, 200);
	/* The second tree of size 5, signed by the log, was kept: with the first it convicts. */
	struct keeper_log l;
	char name[128];
	assert_true(keeper_get(r->k, 0, &l));
	snprintf(name, sizeof name, "state/%s.fork", l.name);
	uint8_t *kept = scratch_read(scratch_path(&r->s, name), &n);
	struct checkpoint_opened o;
	uint8_t root[MERKLE_HASH_LEN];
	assert_non_null(kept);
	assert_int_equal(checkpoint_open(view_of(kept, n), NULL, &r->log.key.key, NULL, 0, 0, &o), 0);
	small_log_hash(&other, 0, 5, root);
	assert_int_equal(o.head.size, 5);
	assert_memory_equal(o.head.root, root, sizeof root);
	free(kept);
}

/* What cannot be kept is not cosigned, and counts as never having been seen. */
static void
test_disk_full(void **state)
{
	struct rig *r = *state;
	struct rlimit was, none;
	struct keeper_answer a;
	assert_int_equal(submit(r, &r->log, 0, 5).status, 200);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	for (rlim_t room = 0; room < 200; room += 66) {
		none = (struct rlimit){ room, was.rlim_max };
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
		a = submit(r, &r->log, 5, 9);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
		assert_int_equal(a.status, 500);
		assert_null(a.type);
		assert_int_equal(r->answer.n, 0);
		assert_int_equal(remembered(r), 5);
		again(r);
		assert_int_equal(remembered(r), 5);
	}
	assert_int_equal(submit(r, &r->log, 5, 9).status, 200);
}

/* One flipped bit anywhere, a file cut anywhere: it does not start, rather than forget. */
static void
test_a_damaged_memory(void **state)
{
	struct rig *r = *state;
	struct keeper_log l;
	char name[128], path[512];
	size_t n;
	assert_int_equal(submit(r, &r->log, 0, 5).status, 200);
	assert_true(keeper_get(r->k, 0, &l));
	snprintf(name, sizeof name, "state/%s", l.name);
	snprintf(path, sizeof path, "%s", scratch_path(&r->s, name));
	keeper_close(r->k);
	r->k = NULL;
	uint8_t *whole = scratch_read(path, &n);
	for (size_t i = 0; i < n; i++) {
		assert_true(scratch_flip(path, (off_t)i, 1));
		assert_int_equal(open_keeper(r), FG_EFORMAT);
		assert_true(scratch_flip(path, (off_t)i, 1));
	}
	for (size_t cut = 0; cut < n; cut += 9) {
		scratch_write(path, whole, cut);
		assert_int_equal(open_keeper(r), FG_EFORMAT);
	}
	scratch_write(path, whole, n);
	/* Another key of the witness, another key of the log: neither wrote this file. */
	struct note_signer mine = r->witness;
	small_log_must(note_signer_generate("w.example", NOTE_TYPE_COSIGNATURE, &r->witness));
	assert_int_equal(open_keeper(r), FG_EFORMAT);
	r->witness = mine;
	struct note_signer key;
	small_log_must(note_signer_generate(SMALL_LOG_ORIGIN, NOTE_TYPE_ED25519, &key));
	r->logs.log[0] = key.key;
	assert_int_equal(open_keeper(r), FG_EFORMAT);
	r->logs.log[0] = r->log.key.key;
	assert_int_equal(open_keeper(r), 0);
	free(whole);
}

static void
test_strangers(void **state)
{
	struct rig *r = *state;
	struct small_log other = r->log;
	struct keeper_answer a;
	keeper_submit(r->k, view_str("nonsense"), NOW, &r->answer, &a);
	assert_int_equal(a.status, 400);
	assert_null(a.origin);
	small_log_must(note_signer_generate("elsewhere", NOTE_TYPE_ED25519, &other.key));
	assert_int_equal(submit(r, &other, 0, 5).status, 404);
	small_log_must(note_signer_generate(SMALL_LOG_ORIGIN, NOTE_TYPE_ED25519, &other.key));
	assert_int_equal(submit(r, &other, 0, 5).status, 403);
	assert_int_equal(remembered(r), 0);
}

/* Lines that strangers put under a genuine checkpoint are not kept: they could crowd out our own. */
static void
test_a_crowded_checkpoint(void **state)
{
	struct rig *r = *state;
	struct writer note, body;
	struct keeper_answer a;
	struct merkle_proof none = { .n = 0 };
	writer_init(&note, NOTE_SIZE_MAX);
	writer_init(&body, WITNESS_REQUEST_MAX);
	small_log_checkpoint(&r->log, 5, &note);
	struct view signature = view_of(memmem(note.p, note.n, "\xe2\x80\x94", 3), 0);
	signature.n = note.n - (size_t)(signature.p - note.p);
	uint8_t line[512];
	memcpy(line, signature.p, signature.n);
	for (unsigned i = 1; i < NOTE_SIGS_MAX; i++)
		writer_bytes(&note, view_of(line, signature.n));
	assert_int_equal(witness_request_write(0, &none, writer_view(&note), &body), 0);
	keeper_submit(r->k, writer_view(&body), NOW, &r->answer, &a);
	assert_int_equal(a.status, 200);
	again(r);
	assert_int_equal(remembered(r), 5);
	writer_free(&note);
	writer_free(&body);
}

static void
test_one_at_a_time(void **state)
{
	struct rig *r = *state;
	struct keeper *second = NULL;
	char why[KEEPER_WHY_MAX];
	assert_int_equal(keeper_open(scratch_dir(&r->s, "state"), &r->logs, &r->witness, &second, why), FG_ESTATE);
	assert_non_null(strstr(why, "another process"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_log_that_grows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_two_histories, setup, teardown),
		cmocka_unit_test_setup_teardown(test_disk_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_damaged_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_strangers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_crowded_checkpoint, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_at_a_time, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
