/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/authority.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/err.h"
#include "gateway/wire/memfd.h"
#include "unit/crypto/people.h"
#include "unit/gateway/scratch.h"

struct fixture {
	struct scratch tmp;
	int dir;
	struct person alice, bob, carol;
	struct genesis *g;
	struct authority *a;
	char why[256];
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	scratch_open(&f->tmp);
	close(scratch_dir(&f->tmp, "signers"));
	f->dir = scratch_dir(&f->tmp, ".");
	f->alice = people_make("alice@example.com", 1);
	f->bob = people_make("bob@example.com", 2);
	f->carol = people_make("carol@example.com", 3);
	f->g = people_genesis((const struct person *const[]){ &f->alice, &f->bob }, 2, 2);
	f->a = authority_new();
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	authority_free(f->a);
	authority_free(NULL);
	close(f->dir);
	scratch_close(&f->tmp);
	free(f->g);
	free(f);
	return 0;
}

static void
give(struct fixture *f, struct view bytes, bool sig)
{
	int fd = memfd_sealed("x", bytes);
	assert_true(fd >= 0);
	assert_int_equal(sig ? authority_genesis_sig(f->a, fd) : authority_genesis(f->a, fd), 0);
	close(fd);
}

static void
genesis(struct fixture *f, const struct person *const *who, unsigned n)
{
	struct writer text, sig;
	authority_free(f->a);
	f->a = authority_new();
	writer_init(&text, GENESIS_BYTES_MAX);
	assert_int_equal(genesis_encode(f->g, &text), 0);
	give(f, writer_view(&text), false);
	for (unsigned i = 0; i < n; i++) {
		writer_init(&sig, SSHSIG_ARMOR_MAX);
		people_sign(who[i], SIGNERS_NAMESPACE, writer_view(&text), &sig);
		give(f, writer_view(&sig), true);
		writer_free(&sig);
	}
	writer_free(&text);
}

static int
load(struct fixture *f)
{
	f->why[0] = '\0';
	return authority_load(f->a, f->dir, f->why, sizeof f->why);
}

/* Writes set number, naming the digest of previous, signed by who. */
static void
next_set(struct fixture *f, struct signers *s, struct writer *previous, const struct person *const *who, unsigned n)
{
	char name[64];
	struct writer text, sig;
	writer_init(&text, SIGNERS_SET_BYTES_MAX);
	digest_sha256(writer_view(previous), s->previous);
	assert_int_equal(signers_encode(s, PEOPLE_ORIGIN, &text), 0);
	snprintf(name, sizeof name, "signers/%u.json", s->number);
	scratch_write(scratch_path(&f->tmp, name), text.p, text.n);
	for (unsigned i = 0; i < n; i++) {
		writer_init(&sig, SSHSIG_ARMOR_MAX);
		people_sign(who[i], SIGNERS_NAMESPACE, writer_view(&text), &sig);
		snprintf(name, sizeof name, "signers/%u.sig.%u", s->number, i);
		scratch_write(scratch_path(&f->tmp, name), sig.p, sig.n);
		writer_free(&sig);
	}
	writer_free(previous);
	*previous = text;
}

static void
test_genesis(void **state)
{
	struct fixture *f = *state;
	const struct person *both[] = { &f->alice, &f->bob }, *wrong[] = { &f->alice, &f->carol };
	assert_int_equal(load(f), FG_ENOTFOUND);
	genesis(f, both, 1);
	assert_int_equal(load(f), FG_EPERM);
	assert_true(f->why[0] != '\0');
	genesis(f, wrong, 2);
	assert_int_equal(load(f), FG_EPERM);
	genesis(f, both, 2);
	assert_int_equal(load(f), 0);
	assert_string_equal(authority_genesis_get(f->a)->origin, PEOPLE_ORIGIN);
	assert_int_equal(authority_current(f->a)->number, 0);
	assert_non_null(authority_set(f->a, 0));
	assert_null(authority_set(f->a, 1));
	give(f, view_str("{}"), false);
	assert_int_equal(load(f), FG_EFORMAT);
}

static void
test_chain(void **state)
{
	struct fixture *f = *state;
	const struct person *old[] = { &f->alice, &f->bob }, *all[] = { &f->alice, &f->bob, &f->carol },
			    *fresh[] = { &f->bob, &f->carol };
	struct signers *s = calloc(1, sizeof *s);
	struct writer text;
	genesis(f, old, 2);
	writer_init(&text, GENESIS_BYTES_MAX);
	assert_int_equal(genesis_encode(f->g, &text), 0);
	s->number = 1;
	s->threshold = 2;
	s->time = PEOPLE_T0 + 60;
	people_add(s, &f->bob);
	people_add(s, &f->carol);
	next_set(f, s, &text, all, 3);
	assert_int_equal(load(f), 0);
	assert_int_equal(authority_current(f->a)->number, 1);
	assert_string_equal(authority_current(f->a)->signer[1].principal, "carol@example.com");
	/* The second follows the first, not genesis. */
	s->number = 2;
	s->time++;
	people_add(s, &f->alice);
	next_set(f, s, &text, fresh, 2);
	genesis(f, old, 2);
	assert_int_equal(load(f), 0);
	assert_int_equal(authority_current(f->a)->number, 2);
	assert_int_equal(authority_set(f->a, 1)->n, 2);
	assert_null(authority_set(f->a, 3));
	/* Any byte of any of it: there is no gateway without its authority. */
	static const char *const files[] = { "signers/1.json", "signers/2.json", "signers/2.sig.1" };
	for (size_t i = 0; i < 3; i++) {
		assert_true(scratch_flip(scratch_path(&f->tmp, files[i]), 200, 1));
		genesis(f, old, 2);
		assert_int_not_equal(load(f), 0);
		assert_true(f->why[0] != '\0');
		assert_true(scratch_flip(scratch_path(&f->tmp, files[i]), 200, 1));
	}
	/* The first one missing: the second is never reached. */
	assert_int_equal(unlink(scratch_path(&f->tmp, "signers/1.json")), 0);
	genesis(f, old, 2);
	assert_int_equal(load(f), 0);
	assert_int_equal(authority_current(f->a)->number, 0);
	writer_free(&text);
	free(s);
}

static void
test_too_much(void **state)
{
	struct fixture *f = *state;
	char *big = calloc(1, GENESIS_BYTES_MAX + 1);
	int fd = memfd_sealed("x", view_of(big, GENESIS_BYTES_MAX + 1)), pipes[2];
	assert_int_equal(authority_genesis(f->a, fd), FG_ELIMIT);
	assert_int_equal(authority_genesis_sig(f->a, fd), FG_ELIMIT);
	close(fd);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(authority_genesis(f->a, pipes[0]), FG_EIO); /* never waits for somebody to write */
	close(pipes[0]);
	close(pipes[1]);
	for (unsigned i = 0; i < AUTHORITY_SIGS_MAX; i++)
		give(f, view_str("sig"), true);
	fd = memfd_sealed("x", view_str("sig"));
	assert_int_equal(authority_genesis_sig(f->a, fd), FG_ELIMIT);
	close(fd);
	free(big);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_genesis, setup, teardown),
		cmocka_unit_test_setup_teardown(test_chain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_much, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
