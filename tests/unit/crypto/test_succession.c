/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/succession.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/err.h"
#include "unit/crypto/people.h"

#define HOUR 3600
#define NOW (PEOPLE_T0 + 40 * HOUR)

struct fixture {
	struct person alice, bob, carol, sk;
	struct genesis *g;
	struct writer old_text;
	struct signers next;
	struct signers_suspended gone[2];
	struct succession_case c;
	struct succession_answer a;
	struct writer text, sig[SIGNERS_MAX];
	struct succession_bundle b;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	f->alice = people_make("alice@example.com", 1);
	f->bob = people_make("bob@example.com", 2);
	f->carol = people_make("carol@example.com", 3);
	f->sk = people_sk("sven@example.com", 4);
	f->g = people_genesis((const struct person *const[]){ &f->alice, &f->bob }, 2, 2);
	writer_init(&f->old_text, GENESIS_BYTES_MAX);
	assert_int_equal(genesis_encode(f->g, &f->old_text), 0);
	people_successor(&f->g->set, writer_view(&f->old_text), NOW, &f->next);
	people_add(&f->next, &f->carol);
	f->c = (struct succession_case){ .genesis = f->g, .old = &f->g->set, .old_text = writer_view(&f->old_text),
		.suspended = f->gone, .now = NOW };
	*state = f;
	return 0;
}

static void
bundle_free(struct fixture *f)
{
	for (unsigned i = 0; i < f->b.n; i++)
		writer_free(&f->sig[i]);
	if (f->b.text.n)
		writer_free(&f->text);
	f->b = (struct succession_bundle){ 0 };
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	bundle_free(f);
	writer_free(&f->old_text);
	free(f->g);
	free(f);
	return 0;
}

static void
sign(struct fixture *f, const struct person *p, uint8_t flags)
{
	struct writer *w = &f->sig[f->b.n];
	writer_init(w, SSHSIG_ARMOR_MAX);
	people_sign_with(p, SIGNERS_NAMESPACE, f->b.text, flags, w);
	f->b.sig[f->b.n++].armour = writer_view(w);
}

/* The next set as it stands, signed by those. */
static void
propose(struct fixture *f, const struct person *const *who, unsigned n)
{
	bundle_free(f);
	writer_init(&f->text, SIGNERS_SET_BYTES_MAX);
	assert_int_equal(signers_encode(&f->next, PEOPLE_ORIGIN, &f->text), 0);
	f->b.text = writer_view(&f->text);
	for (unsigned i = 0; i < n; i++)
		sign(f, who[i], 0x01);
}

static void
judge(struct fixture *f)
{
	assert_int_equal(succession_judge(&f->c, &f->b, &f->a), 0);
	assert_true(f->a.enough == (f->a.why[0] == '\0'));
	assert_true(f->a.proper || !f->a.enough);
}

static void
improper(struct fixture *f, const char *word)
{
	judge(f);
	assert_false(f->a.proper);
	if (!strstr(f->a.why, word))
		fail_msg("\"%s\" does not say \"%s\"", f->a.why, word);
}

static void
wanting(struct fixture *f, unsigned by_old, unsigned by_new)
{
	judge(f);
	assert_true(f->a.proper);
	assert_false(f->a.enough);
	assert_int_equal(f->a.by_old, by_old);
	assert_int_equal(f->a.by_new, by_new);
}

static void
suspend(struct fixture *f, const struct person *p, int64_t at)
{
	struct signers_suspended *s = &f->gone[f->c.suspended_n++];
	sshkey_digest(&p->key, s->key);
	s->at = at;
}

static void
test_enough(void **state)
{
	struct fixture *f = *state;
	const struct person *both[] = { &f->alice, &f->bob };
	propose(f, both, 2);
	judge(f);
	assert_true(f->a.enough);
	assert_int_equal(f->a.next.number, 1);
	assert_int_equal(f->a.next.n, 3);
	/* Nobody, one, one twice, one of the old and the new one: not enough. */
	propose(f, both, 0);
	wanting(f, 0, 0);
	propose(f, both, 1);
	wanting(f, 1, 1);
	propose(f, (const struct person *const[]){ &f->alice, &f->alice }, 2);
	wanting(f, 1, 1);
	propose(f, (const struct person *const[]){ &f->alice, &f->carol }, 2);
	wanting(f, 1, 2);
	assert_true(f->a.good[0] && f->a.good[1]);
	/* The new set's own threshold is asked for too. */
	f->next.threshold = 3;
	propose(f, both, 2);
	wanting(f, 2, 2);
	sign(f, &f->carol, 0x01);
	judge(f);
	assert_true(f->a.enough);
	/* A signature of a stranger, or in another's name, is marked as none. */
	struct person mallory = people_make("alice@example.com", 66);
	sign(f, &mallory, 0x01);
	judge(f);
	assert_true(f->a.enough);
	assert_false(f->a.good[3]);
}

/* The chain is full with set 1023: one more could be put in force, and no start would follow it. */
static void
test_full_chain(void **state)
{
	struct fixture *f = *state;
	const struct person *both[] = { &f->alice, &f->bob };
	struct signers last = f->g->set;
	f->c.old = &last;
	last.number = SIGNERS_CHAIN_MAX - 2;
	f->next.number = SIGNERS_CHAIN_MAX - 1;
	propose(f, both, 2);
	judge(f);
	assert_null(strstr(f->a.why, "too many"));
	last.number = SIGNERS_CHAIN_MAX - 1;
	f->next.number = SIGNERS_CHAIN_MAX;
	propose(f, both, 2);
	improper(f, "too many");
}

static void
test_chain(void **state)
{
	struct fixture *f = *state;
	const struct person *both[] = { &f->alice, &f->bob };
	struct signers good = f->next;
	propose(f, both, 2);
	f->b.text.n--;
	improper(f, "JSON");
	f->next.number = 2;
	propose(f, both, 2);
	improper(f, "number 0");
	f->next = good;
	f->next.previous[0] ^= 1;
	propose(f, both, 2);
	improper(f, "follow");
	f->next = good;
	bundle_free(f);
	writer_init(&f->text, SIGNERS_SET_BYTES_MAX);
	assert_int_equal(signers_encode(&f->next, "other.example.com/fotagate", &f->text), 0);
	f->b.text = writer_view(&f->text);
	improper(f, "another gateway");
}

static void
test_time(void **state)
{
	struct fixture *f = *state;
	const struct person *both[] = { &f->alice, &f->bob };
	f->next.time = NOW + SUCCESSION_SKEW;
	propose(f, both, 2);
	judge(f);
	assert_true(f->a.enough);
	f->next.time++;
	propose(f, both, 2);
	improper(f, "future");
	f->next.time = NOW;
	propose(f, both, 2);
	f->c.now = NOW + SUCCESSION_WINDOW;
	judge(f);
	assert_true(f->a.enough);
	f->c.now++;
	improper(f, "72 hours");
	f->c.now = NOW;
	f->next.time = PEOPLE_T0 - 1;
	propose(f, both, 2);
	improper(f, "older");
	/* A key that has run out between writing and handing in does not count, nor one that was not valid yet when written. */
	f->next.time = NOW - HOUR;
	f->g->set.signer[0].valid_before = NOW;
	propose(f, both, 2);
	wanting(f, 1, 2);
	f->g->set.signer[0].valid_before = NOW + HOUR;
	judge(f);
	assert_true(f->a.enough);
	f->g->set.signer[0].valid_after = NOW - HOUR + 1;
	wanting(f, 1, 2);
}

static void
test_floors(void **state)
{
	struct fixture *f = *state;
	const struct person *both[] = { &f->alice, &f->bob };
	f->g->floor_production = 3;
	propose(f, both, 2);
	judge(f);
	assert_true(f->a.enough);
	/* A key that has run out is nobody's; one that is not valid yet is somebody's. */
	f->next.signer[2].valid_before = NOW;
	propose(f, both, 2);
	improper(f, "genesis");
	f->next.signer[2].valid_before = NOW + 2 * HOUR;
	f->next.signer[2].valid_after = NOW + HOUR;
	propose(f, both, 2);
	judge(f);
	assert_true(f->a.enough);
	f->g->floor_production = 4;
	improper(f, "genesis");
	f->g->floor_production = 2;
	f->g->floor_canary = 4;
	improper(f, "genesis");
	f->g->floor_canary = 1;
	/* Two keys of one person are one person; dropping to one person is too few. */
	f->next.n = 1;
	f->next.threshold = 1;
	propose(f, both, 2);
	improper(f, "1 persons");
	f->next.n = 3;
	f->next.threshold = 3;
	f->next.signer[2].valid_after = NOW - HOUR;
	f->next.signer[2].valid_before = NOW;
	propose(f, both, 2);
	improper(f, "threshold");
}

static void
test_suspended(void **state)
{
	struct fixture *f = *state;
	const struct person *both[] = { &f->alice, &f->bob }, *three[] = { &f->alice, &f->bob, &f->carol };
	f->g->set.threshold = f->next.threshold = 1;
	f->g->floor_production = 1;
	suspend(f, &f->bob, NOW - 10);
	/* Listed again in a set written after: that is how a suspension ends, but his own voice does not help. */
	propose(f, (const struct person *const[]){ &f->bob }, 1);
	wanting(f, 0, 0);
	assert_false(f->a.good[0]);
	propose(f, both, 2);
	judge(f);
	assert_true(f->a.enough);
	assert_true(f->a.good[0]);
	assert_false(f->a.good[1]);
	/* Written before, or in the same second: it cannot have meant to. */
	f->gone[0].at = NOW;
	improper(f, "suspended after");
	/* Left out it never matters when. */
	f->next.signer[1] = f->next.signer[2];
	f->next.n = 2;
	propose(f, three, 3);
	judge(f);
	assert_true(f->a.enough);
	assert_false(f->a.good[1]);
	/* All suspended: nobody is left to sign. */
	suspend(f, &f->alice, NOW - 10);
	f->gone[0].at = NOW - 10;
	propose(f, both, 2);
	wanting(f, 0, 0);
}

/* User verification is a rule of the set, for its successor as for releases. */
static void
test_user_verification(void **state)
{
	struct fixture *f = *state;
	people_add(&f->g->set, &f->sk);
	f->g->set.signer[2].require_uv = true;
	bundle_free(f);
	writer_reset(&f->old_text);
	assert_int_equal(genesis_encode(f->g, &f->old_text), 0);
	f->c.old_text = writer_view(&f->old_text);
	people_successor(&f->g->set, f->c.old_text, NOW, &f->next);
	propose(f, (const struct person *const[]){ &f->alice }, 1);
	sign(f, &f->sk, 0x01); /* touched, but not asked who he is */
	wanting(f, 1, 1);
	propose(f, (const struct person *const[]){ &f->alice }, 1);
	sign(f, &f->sk, 0x04); /* known, but not there */
	wanting(f, 1, 1);
	propose(f, (const struct person *const[]){ &f->alice }, 1);
	sign(f, &f->sk, 0x05);
	judge(f);
	assert_true(f->a.enough);
}

static void
test_bundle(void **state)
{
	struct fixture *f = *state;
	struct succession_bundle back;
	struct writer w;
	propose(f, (const struct person *const[]){ &f->alice, &f->bob }, 2);
	writer_init(&w, SUCCESSION_BUNDLE_MAX);
	assert_int_equal(succession_bundle_write(&f->b, &w), 0);
	assert_int_equal(succession_bundle_parse(writer_view(&w), &back), 0);
	assert_int_equal(back.n, 2);
	assert_true(view_equal(back.text, f->b.text));
	assert_true(view_equal(back.sig[1].armour, f->b.sig[1].armour));
	for (size_t n = 0; n < w.n; n++)
		assert_int_equal(succession_bundle_parse(view_of(w.p, n), &back), FG_EPEER);
	writer_u8(&w, 0);
	assert_int_equal(succession_bundle_parse(writer_view(&w), &back), FG_EPEER);
	writer_reset(&w);
	writer_cstr(&w, "{}");
	writer_u32(&w, SIGNERS_MAX + 1);
	for (unsigned i = 0; i <= SIGNERS_MAX; i++)
		writer_cstr(&w, "sig");
	assert_int_equal(succession_bundle_parse(writer_view(&w), &back), FG_EPEER);
	writer_free(&w);
}

static void
test_root_is_nobody(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = { "root", "0", "uid:0" };
	char why[160];
	for (unsigned i = 0; i < 3; i++) {
		snprintf(f->next.signer[0].user, sizeof f->next.signer[0].user, "%s", names[i]);
		assert_int_equal(signers_check(&f->next, why, sizeof why), FG_EINVAL);
		assert_non_null(strstr(why, "root"));
	}
	snprintf(f->next.signer[0].user, sizeof f->next.signer[0].user, "roots");
	assert_int_equal(signers_check(&f->next, why, sizeof why), 0);
}

static void
test_persons_at(void **state)
{
	struct fixture *f = *state;
	struct person again = people_make("alice@example.com", 9);
	people_add(&f->next, &again);
	assert_int_equal(signers_persons_at(&f->next, NOW), 3);
	f->next.signer[0].valid_before = NOW;
	assert_int_equal(signers_persons_at(&f->next, NOW), 3); /* the other key */
	f->next.signer[3].valid_after = NOW + 1;
	assert_int_equal(signers_persons_at(&f->next, NOW), 2);
	assert_int_equal(signers_persons_at(&f->next, NOW + 1), 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_enough, setup, teardown),
		cmocka_unit_test_setup_teardown(test_chain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_chain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_floors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_suspended, setup, teardown),
		cmocka_unit_test_setup_teardown(test_user_verification, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bundle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_root_is_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(test_persons_at, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
