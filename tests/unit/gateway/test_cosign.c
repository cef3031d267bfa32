/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/cosign.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>

#include "crypto/err.h"
#include "gateway/wire/memfd.h"
#include "unit/crypto/small_log.h"
#include "unit/gateway/scratch.h"

#define NOW 1767225600

struct rig {
	struct scratch s;
	struct small_log log;
	struct note_signer key;
	struct vault *v;
	struct cosign *c;
	struct writer body; /* of the last question: answers borrow nothing from it */
};

/* A warden's life anew over the same folder. */
static int
again(struct rig *r, bool with_key)
{
	char why[256] = "";
	cosign_free(r->c);
	vault_close(r->v);
	r->v = NULL;
	r->c = cosign_new();
	assert_non_null(r->c);
	assert_int_equal(vault_open(r->s.dir, &r->v), 0);
	if (with_key) {
		struct writer w;
		writer_init(&w, 1024);
		note_signer_write(&r->key, &w);
		int fd = memfd_sealed("key", writer_view(&w));
		assert_int_equal(cosign_key(r->c, fd), 0);
		close(fd);
		writer_free(&w);
	}
	int err = cosign_open(r->c, r->v, &r->log.key.key, why, sizeof why);
	assert_int_equal(err == FG_EFORMAT, why[0] != '\0');
	return err;
}

static int
setup(void **state)
{
	struct rig *r = calloc(1, sizeof *r);
	scratch_open(&r->s);
	r->log = small_log_new();
	writer_init(&r->body, MSG_COSIGN_MAX);
	small_log_must(note_signer_generate("gw/warden", NOTE_TYPE_COSIGNATURE, &r->key));
	assert_int_equal(again(r, true), 0);
	*state = r;
	return 0;
}

static int
teardown(void **state)
{
	struct rig *r = *state;
	cosign_free(r->c);
	vault_close(r->v);
	writer_free(&r->body);
	merkle_free(r->log.m);
	scratch_close(&r->s);
	free(r);
	return 0;
}

static struct msg_cosigned
show(struct rig *r, const struct small_log *log, uint64_t old, uint64_t size)
{
	struct msg_cosigned m;
	struct merkle_proof p = small_log_proof(log, old, size);
	struct writer note;
	writer_init(&note, NOTE_SIZE_MAX);
	small_log_checkpoint(log, size, &note);
	writer_reset(&r->body);
	assert_int_equal(witness_request_write(old, &p, writer_view(&note), &r->body), 0);
	cosign_ask(r->c, &(struct msg_cosign_ask){ .token = 5, .request = writer_view(&r->body) }, NOW, &m);
	assert_int_equal(m.token, 5);
	writer_free(&note);
	return m;
}

/* Asked without a checkpoint it tells the one it remembers, with the log's signature. */
static void
remembers(struct rig *r, uint64_t size)
{
	struct msg_cosigned m;
	struct writer note;
	writer_init(&note, NOTE_SIZE_MAX);
	if (size)
		small_log_checkpoint(&r->log, size, &note);
	cosign_ask(r->c, &(struct msg_cosign_ask){ .token = 6 }, NOW, &m);
	assert_int_equal(m.token, 6);
	assert_int_equal(m.err, 0);
	assert_int_equal(m.outcome, WITNESS_UNKNOWN);
	assert_string_equal(m.line, "");
	assert_true(view_equal(m.note, writer_view(&note)));
	assert_int_equal(cosign_size(r->c), size);
	writer_free(&note);
}

static void
test_vouches_forward_only(void **state)
{
	struct rig *r = *state;
	struct small_log other = r->log;
	struct checkpoint_opened o;
	struct msg_cosigned m;
	struct writer note;
	other.fork_from = 2;
	remembers(r, 0);
	m = show(r, &r->log, 0, 5);
	assert_int_equal(m.outcome, WITNESS_COSIGN);
	writer_init(&note, NOTE_SIZE_MAX);
	small_log_checkpoint(&r->log, 5, &note);
	writer_text(&note, m.line);
	assert_int_equal(checkpoint_open(writer_view(&note), NULL, &r->log.key.key, &r->key.key, 1, 0, &o), 0);
	assert_true(o.outcome == CHECKPOINT_VERIFIED && o.witnessed[0] && o.witnessed_at[0] == NOW);
	for (unsigned life = 0; life < 2; life++) {
		remembers(r, 5);
		assert_int_equal(show(r, &other, 5, 5).outcome, WITNESS_FORK);
		assert_int_equal(show(r, &other, 5, 9).outcome, WITNESS_BAD_PROOF);
		assert_int_equal(show(r, &r->log, 0, 3).outcome, WITNESS_CONFLICT);
		m = show(r, &r->log, 0, 9);
		assert_int_equal(m.outcome, WITNESS_CONFLICT);
		assert_string_equal(m.line, "");
		assert_int_equal(again(r, true), 0);
	}
	assert_int_equal(show(r, &r->log, 5, 9).outcome, WITNESS_COSIGN);
	remembers(r, 9);
	writer_free(&note);
}

static void
test_without_a_key(void **state)
{
	struct rig *r = *state;
	assert_int_equal(again(r, false), 0);
	struct msg_cosigned m = show(r, &r->log, 0, 5);
	assert_int_equal(m.outcome, WITNESS_COSIGN);
	assert_string_equal(m.line, "");
	assert_int_equal(again(r, false), 0);
	remembers(r, 5);
}

static void
test_disk_full(void **state)
{
	struct rig *r = *state;
	struct rlimit was, none;
	assert_int_equal(show(r, &r->log, 0, 5).outcome, WITNESS_COSIGN);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	none = (struct rlimit){ 50, was.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	struct msg_cosigned m = show(r, &r->log, 5, 9);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(m.err, FG_EIO);
	assert_int_equal(m.outcome, WITNESS_UNKNOWN);
	assert_string_equal(m.line, "");
	remembers(r, 5);
	assert_int_equal(again(r, true), 0);
	remembers(r, 5);
	assert_int_equal(show(r, &r->log, 5, 9).outcome, WITNESS_COSIGN);
}

/* A memory that was touched is no memory, and a key that is none is no key: there is no warden then. */
static void
test_damaged(void **state)
{
	struct rig *r = *state;
	char path[512];
	size_t n = 0;
	assert_int_equal(show(r, &r->log, 0, 5).outcome, WITNESS_COSIGN);
	snprintf(path, sizeof path, "%s", scratch_path(&r->s, "witnessed"));
	free(scratch_read(path, &n));
	assert_int_equal(chmod(path, 0600), 0);
	for (off_t at = 0; at < (off_t)n; at++) {
		assert_true(scratch_flip(path, at, 1));
		assert_int_equal(again(r, true), FG_EFORMAT);
		assert_true(scratch_flip(path, at, 1));
	}
	assert_int_equal(again(r, true), 0);
	remembers(r, 5);
	r->key.key.type = NOTE_TYPE_ED25519; /* the id in the file is then another's */
	assert_int_equal(again(r, true), FG_EFORMAT);
}

static void
test_nonsense(void **state)
{
	struct rig *r = *state;
	struct msg_cosigned m;
	static const char *const bad[] = { "x", "old 0\n\n", "old 0\n\nnot\na note\n" };
	for (size_t i = 0; i < 3; i++) {
		cosign_ask(r->c, &(struct msg_cosign_ask){ .request = view_str(bad[i]) }, NOW, &m);
		assert_int_equal(m.err, 0);
		assert_true(m.outcome == WITNESS_MALFORMED || m.outcome == WITNESS_UNKNOWN_LOG);
	}
	/* Signed by this log's key, but with a line that no auditor could read. */
	struct writer text, note;
	struct merkle_proof none = { .n = 0 };
	struct checkpoint c = { .size = 5 };
	snprintf(c.origin, sizeof c.origin, "%s", r->log.key.key.name);
	small_log_hash(&r->log, 0, 5, c.root);
	writer_init(&text, CHECKPOINT_TEXT_MAX);
	writer_init(&note, NOTE_SIZE_MAX);
	assert_int_equal(checkpoint_encode(&c, &text), 0);
	writer_text(&text, "extension\n");
	assert_int_equal(note_sign(writer_view(&text), &r->log.key, &note), 0);
	assert_int_equal(witness_request_write(0, &none, writer_view(&note), &r->body), 0);
	cosign_ask(r->c, &(struct msg_cosign_ask){ .request = writer_view(&r->body) }, NOW, &m);
	assert_int_equal(m.outcome, WITNESS_MALFORMED);
	remembers(r, 0);
	writer_free(&text);
	writer_free(&note);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_vouches_forward_only, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_a_key, setup, teardown),
		cmocka_unit_test_setup_teardown(test_disk_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nonsense, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
