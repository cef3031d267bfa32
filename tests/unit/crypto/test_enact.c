/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/enact.h"

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
	struct person alice, bob, carol;
	struct genesis *g;
	struct writer old_text;
	struct policyset next;
	struct signers_suspended gone[2];
	struct enact_case c;
	struct enact_answer a;
	struct writer text, sig[8];
	struct succession_bundle b;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	f->alice = people_make("alice@example.com", 1);
	f->bob = people_make("bob@example.com", 2);
	f->carol = people_make("carol@example.com", 3);
	f->g = people_genesis((const struct person *const[]){ &f->alice, &f->bob, &f->carol }, 3, 2);
	f->g->signed_policy = true;
	memset(f->g->policy.bundle, 1, DIGEST_SHA256_LEN);
	memset(f->g->policy.config, 2, DIGEST_SHA256_LEN);
	writer_init(&f->old_text, GENESIS_BYTES_MAX);
	assert_int_equal(genesis_encode(f->g, &f->old_text), 0);
	f->next = (struct policyset){ .number = 1, .time = NOW };
	memset(f->next.bundle, 3, DIGEST_SHA256_LEN);
	memset(f->next.config, 4, DIGEST_SHA256_LEN);
	assert_int_equal(digest_sha256(writer_view(&f->old_text), f->next.previous), 0);
	f->c = (struct enact_case){ .genesis = f->g, .old = &f->g->policy, .old_text = writer_view(&f->old_text),
		.set = &f->g->set, .suspended = f->gone, .now = NOW };
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
sign(struct fixture *f, const struct person *p, const char *ns)
{
	struct writer *w = &f->sig[f->b.n];
	writer_init(w, SSHSIG_ARMOR_MAX);
	people_sign(p, ns, f->b.text, w);
	f->b.sig[f->b.n++].armour = writer_view(w);
}

static void
propose_at(struct fixture *f, const char *origin, const struct person *const *who, unsigned n)
{
	bundle_free(f);
	writer_init(&f->text, POLICYSET_BYTES_MAX);
	assert_int_equal(policyset_encode(&f->next, origin, &f->text), 0);
	f->b.text = writer_view(&f->text);
	for (unsigned i = 0; i < n; i++)
		sign(f, who[i], POLICYSET_NAMESPACE);
}

/* The next policy as it stands, signed by alice and bob. */
static void
propose(struct fixture *f)
{
	propose_at(f, PEOPLE_ORIGIN, (const struct person *const[]){ &f->alice, &f->bob }, 2);
}

static void
judge(struct fixture *f)
{
	assert_int_equal(enact_judge(&f->c, &f->b, &f->a), 0);
	assert_true(f->a.enough == (f->a.why[0] == '\0'));
	assert_true(f->a.proper || !f->a.enough);
}

/* What holds on the day holds for ever after, and what does not follow never does. */
static int
chain(struct fixture *f)
{
	char why[256];
	return enact_check_next(f->g, f->c.old, f->c.old_text, &f->next, f->b.text, f->c.set, f->b.sig, f->b.n, why, sizeof why);
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
wanting(struct fixture *f, unsigned have, unsigned need)
{
	judge(f);
	assert_true(f->a.proper);
	assert_false(f->a.enough);
	assert_int_equal(f->a.have, have);
	assert_int_equal(f->a.need, need);
}

static void
test_enough(void **state)
{
	struct fixture *f = *state;
	const struct person *who[] = { &f->alice, &f->bob };
	propose_at(f, PEOPLE_ORIGIN, who, 0);
	wanting(f, 0, 2);
	assert_int_equal(chain(f), FG_EPERM);
	propose_at(f, PEOPLE_ORIGIN, who, 1);
	wanting(f, 1, 2);
	sign(f, &f->alice, POLICYSET_NAMESPACE); /* twice the same person */
	wanting(f, 1, 2);
	assert_int_equal(chain(f), FG_EPERM);
	sign(f, &f->bob, SIGNERS_NAMESPACE); /* signed, but something else */
	sign(f, &f->bob, APPROVAL_NAMESPACE);
	wanting(f, 1, 2);
	struct person mallory = people_make("bob@example.com", 66);
	sign(f, &mallory, POLICYSET_NAMESPACE);
	wanting(f, 1, 2);
	sign(f, &f->bob, POLICYSET_NAMESPACE);
	judge(f);
	assert_true(f->a.enough && f->a.good[0] && f->a.good[5]);
	assert_false(f->a.good[2] || f->a.good[3] || f->a.good[4]);
	assert_int_equal(chain(f), FG_OK);
}

/* As many as genesis wants for the largest release, or the set for its successor: whichever are more. */
static void
test_need(void **state)
{
	struct fixture *f = *state;
	propose(f);
	f->g->floor_production = 3;
	wanting(f, 2, 3);
	assert_int_equal(chain(f), FG_EPERM);
	f->g->floor_production = 1;
	judge(f);
	assert_true(f->a.enough);
	f->g->set.threshold = 3;
	wanting(f, 2, 3);
}

static void
test_suspended(void **state)
{
	struct fixture *f = *state;
	propose(f);
	assert_int_equal(sshkey_digest(&f->bob.key, f->gone[0].key), 0);
	f->gone[0].at = NOW - HOUR;
	f->c.suspended_n = 1;
	wanting(f, 1, 2);
	sign(f, &f->carol, POLICYSET_NAMESPACE);
	judge(f);
	assert_true(f->a.enough);
	assert_false(f->a.good[1]);
}

static void
test_chain(void **state)
{
	struct fixture *f = *state;
	const struct policyset good = f->next;
	propose(f);
	f->b.text.n--;
	improper(f, "JSON");
	f->next.number = 2;
	propose(f);
	improper(f, "number 0");
	assert_int_equal(chain(f), FG_EPERM);
	f->next = good;
	f->next.previous[0] ^= 1;
	propose(f);
	improper(f, "follow");
	assert_int_equal(chain(f), FG_EPERM);
	f->next = good;
	f->next.signers = 1;
	propose(f);
	improper(f, "signer set 1");
	assert_int_equal(chain(f), FG_EPERM);
	f->next = good;
	propose_at(f, "other.example.com/fotagate", (const struct person *const[]){ &f->alice, &f->bob }, 2);
	improper(f, "another gateway");
	f->next = good;
	propose(f);
	judge(f);
	assert_true(f->a.enough);
}

/* An older policy that people once signed comes back by no replay: its number is over, and it names what it followed. */
static void
test_replay(void **state)
{
	struct fixture *f = *state;
	struct policyset second;
	propose(f);
	judge(f);
	assert_true(f->a.enough);
	struct policyset first = f->a.next;
	uint8_t bytes[4096];
	size_t n = f->b.text.n;
	assert_true(n < sizeof bytes);
	memcpy(bytes, f->b.text.p, n);
	f->c.old = &first;
	f->c.old_text = view_of(bytes, n);
	improper(f, "number 1"); /* the very same again */
	second = first;
	second.number = 2;
	assert_int_equal(digest_sha256(f->c.old_text, second.previous), 0);
	f->next = second;
	propose(f);
	judge(f);
	assert_true(f->a.enough);
	f->next.time = NOW - 1;
	propose(f);
	improper(f, "older");
	assert_int_equal(chain(f), FG_EPERM);
	first.number = POLICYSET_CHAIN_MAX - 1;
	f->next.number = POLICYSET_CHAIN_MAX;
	propose(f);
	improper(f, "too many");
}

static void
test_time(void **state)
{
	struct fixture *f = *state;
	f->next.time = NOW + ENACT_SKEW;
	propose(f);
	judge(f);
	assert_true(f->a.enough);
	f->next.time++;
	propose(f);
	improper(f, "future");
	f->next.time = NOW;
	propose(f);
	f->c.now = NOW + ENACT_WINDOW;
	judge(f);
	assert_true(f->a.enough);
	f->c.now++;
	improper(f, "72 hours");
	/* A key that ran out between writing and handing in, or was not valid yet when it was written, does not count. */
	f->c.now = NOW;
	f->next.time = NOW - HOUR;
	f->g->set.signer[0].valid_before = NOW;
	propose(f);
	wanting(f, 1, 2);
	f->g->set.signer[0].valid_before = NOW + HOUR;
	judge(f);
	assert_true(f->a.enough);
	f->g->set.signer[0].valid_after = NOW - HOUR + 1;
	wanting(f, 1, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_enough, setup, teardown),
		cmocka_unit_test_setup_teardown(test_need, setup, teardown),
		cmocka_unit_test_setup_teardown(test_suspended, setup, teardown),
		cmocka_unit_test_setup_teardown(test_chain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replay, setup, teardown),
		cmocka_unit_test_setup_teardown(test_time, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
