/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/approval_standing.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/err.h"
#include "unit/crypto/people.h"

static const uint8_t root[32] = { 7 };

struct fixture {
	struct approval *a, *back;
	struct approval_terms release;
	struct writer w, w2;
	char why[256];
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct person alice = people_make("alice@example.com", 1);
	struct approval_terms t = people_standing(PEOPLE_T0);
	f->a = people_statement(&alice, &t, PEOPLE_T0, 0x5a, 70000, root);
	f->back = calloc(1, sizeof *f->back);
	f->release = people_terms(PEOPLE_T0, 50);
	writer_init(&f->w, APPROVAL_BYTES_MAX);
	writer_init(&f->w2, APPROVAL_BYTES_MAX);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	writer_free(&f->w);
	writer_free(&f->w2);
	free(f->a);
	free(f->back);
	free(f);
	return 0;
}

static struct view
encoded(struct fixture *f)
{
	writer_reset(&f->w);
	assert_int_equal(approval_encode(f->a, &f->w, f->why, sizeof f->why), 0);
	return writer_view(&f->w);
}

static void
round_trip(struct fixture *f)
{
	struct view text = encoded(f);
	struct json *doc = NULL;
	assert_int_equal(json_parse(text, &doc, NULL), 0);
	assert_true(json_is_canonical(doc, text));
	json_free(doc);
	assert_int_equal(approval_parse(text, f->back, f->why, sizeof f->why), 0);
	assert_null(approval_terms_differ(&f->back->terms, &f->a->terms));
	writer_reset(&f->w2);
	assert_int_equal(approval_encode(f->back, &f->w2, f->why, sizeof f->why), 0);
	assert_true(view_equal(writer_view(&f->w2), text));
}

static void
test_round_trip(void **state)
{
	struct fixture *f = *state;
	struct approval_terms *t = &f->a->terms;
	round_trip(f);
	t->quorum = 3;
	t->have_plan = true;
	memset(t->plan, 0x66, sizeof t->plan);
	t->findings.n = 0;
	t->bounds.worst = APPROVAL_MADE_PROVED;
	round_trip(f);
	t->bounds.worst = APPROVAL_MADE_RECONSTRUCTED;
	round_trip(f);
}

/* A changed byte is no statement, or one that says something else: never the same one. */
static void
test_every_byte(void **state)
{
	struct fixture *f = *state;
	struct view text = encoded(f);
	uint8_t *copy = malloc(text.n);
	for (size_t i = 0; i < text.n; i++) {
		memcpy(copy, text.p, text.n);
		copy[i] ^= 0x01;
		if (approval_parse(view_of(copy, text.n), f->back, f->why, sizeof f->why))
			continue;
		writer_reset(&f->w2);
		assert_int_equal(approval_encode(f->back, &f->w2, f->why, sizeof f->why), 0);
		assert_true(view_equal(writer_view(&f->w2), view_of(copy, text.n)));
	}
	for (size_t n = 0; n < text.n; n++)
		assert_int_equal(approval_parse(view_of(text.p, n), f->back, f->why, sizeof f->why), FG_EFORMAT);
	free(copy);
}

static void
unsignable(struct fixture *f, const char *word)
{
	writer_reset(&f->w);
	assert_int_equal(approval_encode(f->a, &f->w, f->why, sizeof f->why), FG_EINVAL);
	if (!strstr(f->why, word))
		fail_msg("\"%s\" does not say \"%s\"", f->why, word);
	f->a->terms = people_standing(PEOPLE_T0);
}

static void
test_what_nobody_may_sign(void **state)
{
	struct fixture *f = *state;
	struct approval_terms *t = &f->a->terms;
	t->bounds.max_releases = 0;
	unsignable(f, "at least 1");
	t->max_devices = 0;
	unsignable(f, "at least 1");
	t->bounds.max_releases = APPROVAL_STANDING_RELEASES_MAX + 1;
	unsignable(f, "256");
	t->bounds.worst = APPROVAL_MADE_UNSEEN;
	unsignable(f, "deltas");
	t->bounds.worst = APPROVAL_MADE_LIMIT;
	unsignable(f, "deltas");
	t->not_after = t->not_before + 31 * PEOPLE_DAY;
	unsignable(f, "30 days");
	t->groups.n = 0;
	unsignable(f, "groups");
	t->review[0] = '\0';
	unsignable(f, "name");
	t->product[0] = '\0';
	unsignable(f, "product");
	t->image[3] = 1;
	unsignable(f, "no image");
	approval_list_add(&t->waived, "SIG-NONE x");
	unsignable(f, "no waiver");
	t->halted_at = PEOPLE_T0;
	unsignable(f, "no halt");
	t->findings.n = 0;
	approval_list_add(&t->findings, "*");
	unsignable(f, "one by one");
	*t = people_terms(PEOPLE_T0, 50);
	t->bounds.max_releases = 1;
	unsignable(f, "one release");
}

static void
test_time(void **state)
{
	struct fixture *f = *state;
	const int64_t day = PEOPLE_DAY;
	/* Nine days later it still holds: it is not handed in then, but used. */
	assert_int_equal(approval_check_time(f->a, PEOPLE_T0 + 9 * day, 60000, f->why, sizeof f->why), 0);
	assert_int_equal(approval_check_time(f->a, PEOPLE_T0 + 10 * day, 60000, f->why, sizeof f->why), FG_EPERM);
	assert_int_equal(approval_check_time(f->a, PEOPLE_T0 - 1, 60000, f->why, sizeof f->why), FG_EPERM);
	assert_int_equal(approval_check_time(f->a, PEOPLE_T0 - 1000, 60000, f->why, sizeof f->why), FG_EPERM);
	assert_int_equal(approval_check_time(f->a, PEOPLE_T0 + day, 70000, f->why, sizeof f->why), FG_EPERM);
}

static void
outside(struct fixture *f, const char *word)
{
	const char *no = approval_standing_outside(&f->a->terms, &f->release, PEOPLE_T0 + 5);
	assert_non_null(no);
	if (!strstr(no, word))
		fail_msg("\"%s\" does not say \"%s\"", no, word);
	f->a->terms = people_standing(PEOPLE_T0);
	f->release = people_terms(PEOPLE_T0, 50);
}

static void
within(struct fixture *f)
{
	assert_null(approval_standing_outside(&f->a->terms, &f->release, PEOPLE_T0 + 5));
	f->a->terms = people_standing(PEOPLE_T0);
	f->release = people_terms(PEOPLE_T0, 50);
}

static void
test_outside(void **state)
{
	struct fixture *f = *state;
	struct approval_terms *s = &f->a->terms, *r = &f->release;
	within(f);
	r->findings.n = 0;
	within(f);
	r->max_devices = 1;
	within(f);
	r->max_devices = 51;
	outside(f, "modules");
	r->target[0] = '\033';
	outside(f, "nobody could sign");
	r->subject[0] = '\0';
	outside(f, "nobody could sign");
	r->delta.made = APPROVAL_MADE_PROVED; /* by nothing */
	s->bounds.worst = APPROVAL_MADE_PROVED;
	outside(f, "nobody could sign");
	approval_list_add(&r->findings, "URL-NEW");
	outside(f, "finding");
	approval_list_add(&r->waived, "SIG-NONE 00");
	outside(f, "waiver");
	approval_list_add(&r->checklist, "bench");
	outside(f, "checklist");
	approval_list_add(&r->groups, "rest");
	outside(f, "group");
	r->groups.n = 0;
	approval_list_add(&r->groups, "*");
	outside(f, "group");
	s->groups = r->groups;
	s->groups.n = 0;
	approval_list_add(&s->groups, "*");
	within(f);
	approval_list_add(&r->from_versions, "EC25EFAR06A06M4G");
	outside(f, "version");
	r->policy[0] ^= 1;
	outside(f, "policy");
	snprintf(r->product, sizeof r->product, "EC21");
	outside(f, "product");
	snprintf(r->profile, sizeof r->profile, "other");
	outside(f, "profile");
	snprintf(r->gateway, sizeof r->gateway, "other.example/f");
	outside(f, "gateway");
	r->have_plan = true;
	outside(f, "plan");
	r->not_after++;
	outside(f, "time");
	r->not_before--;
	outside(f, "time");
	r->decision = APPROVAL_RESUME;
	outside(f, "no release");
	*s = people_terms(PEOPLE_T0, 50);
	outside(f, "no standing");
	memset(s, 0, sizeof *s);
	outside(f, "no standing");
	assert_non_null(approval_standing_outside(s, r, PEOPLE_T0 + 10 * PEOPLE_DAY));
	assert_non_null(approval_standing_outside(s, r, PEOPLE_T0 - 1));
	assert_int_equal(approval_standing_modules(s), 500);
}

/* Words of 64 hex digits, all of them that one. */
static void
signer(struct approval_list *l, char digit)
{
	char text[65];
	memset(text, digit, 64);
	text[64] = '\0';
	assert_int_equal(approval_list_add(l, text), 0);
}

/* Where it names signers, the image is signed by one of them and nobody else; where it does not, whoever the policy lets. */
static void
test_signers(void **state)
{
	struct fixture *f = *state;
	struct approval_terms *s = &f->a->terms, *r = &f->release;
	uint8_t without[32], with[32];
	assert_int_equal(approval_key(s, without), 0);
	assert_null(memmem(encoded(f).p, encoded(f).n, "signers", 7)); /* as it always was */
	signer(&s->bounds.signers, '5');
	signer(&s->bounds.signers, 'a');
	round_trip(f);
	assert_int_equal(approval_key(s, with), 0);
	assert_memory_not_equal(with, without, sizeof with);
	f->back->terms.bounds.signers.word[1][0] = 'b';
	assert_string_equal(approval_terms_differ(&f->back->terms, s), "bounds of what stands");
	f->back->terms.bounds.signers.n = 1;
	assert_string_equal(approval_terms_differ(&f->back->terms, s), "bounds of what stands");
	outside(f, "signer"); /* it is not said who */
	signer(&s->bounds.signers, '5');
	r->have_signer = true;
	memset(r->signer, 0x44, sizeof r->signer);
	outside(f, "signer");
	signer(&s->bounds.signers, '5');
	memset(r->signer, 0x55, sizeof r->signer);
	outside(f, "signer"); /* that it is known it does not say */
	signer(&s->bounds.signers, '5');
	r->have_signer = true;
	memset(r->signer, 0x55, sizeof r->signer);
	within(f);
	r->have_signer = true;
	within(f);
	approval_list_add(&s->bounds.signers, "Quectel");
	unsignable(f, "64 lower-case");
	signer(&s->bounds.signers, 'A');
	unsignable(f, "64 lower-case");
}

static void
made(struct approval_delta *d, int how)
{
	*d = (struct approval_delta){ .made = (enum approval_made)how };
	if (how > APPROVAL_MADE_UNSEEN)
		snprintf(d->applier, sizeof d->applier, "applier");
}

/* Which deltas, by what is allowed: whole images are always, unseen ones never. */
static void
test_deltas(void **state)
{
	struct fixture *f = *state;
	static const bool allowed[APPROVAL_MADE_LIMIT][APPROVAL_MADE_LIMIT] = {
		[APPROVAL_MADE_WHOLE] = { [APPROVAL_MADE_WHOLE] = true },
		[APPROVAL_MADE_UNSEEN] = { [APPROVAL_MADE_WHOLE] = true },
		[APPROVAL_MADE_RECONSTRUCTED] = { [APPROVAL_MADE_WHOLE] = true, [APPROVAL_MADE_RECONSTRUCTED] = true,
		    [APPROVAL_MADE_PROVED] = true },
		[APPROVAL_MADE_PROVED] = { [APPROVAL_MADE_WHOLE] = true, [APPROVAL_MADE_PROVED] = true },
	};
	for (int worst = 0; worst < APPROVAL_MADE_LIMIT; worst++) {
		for (int how = 0; how <= APPROVAL_MADE_LIMIT; how++) {
			f->a->terms.bounds.worst = (enum approval_made)worst;
			made(&f->release.delta, how);
			bool is = !approval_standing_outside(&f->a->terms, &f->release, PEOPLE_T0 + 5);
			assert_true(is == (how < APPROVAL_MADE_LIMIT && allowed[worst][how]));
		}
	}
}

static uint32_t
rnd(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 8) % below;
}

static void
some(uint32_t *seed, struct approval_list *l, const char *const *words, unsigned n)
{
	memset(l, 0, sizeof *l);
	for (unsigned i = 0; i < n; i++)
		if (rnd(seed, 2))
			approval_list_add(l, words[i]);
}

/* Whatever the two are: a release that is worse, or a statement that allows less, is never within where it was not. */
static void
test_worse_is_never_within(void **state)
{
	struct fixture *f = *state;
	static const char *const ids[] = { "A", "B", "C", "D" }, *const groups[] = { "*", "canary", "rest" };
	struct approval_terms *s = &f->a->terms, *r = &f->release;
	uint32_t seed = 7;
	unsigned covered = 0;
	for (unsigned i = 0; i < 20000; i++) {
		some(&seed, &s->findings, ids, 4);
		some(&seed, &r->findings, ids, 4);
		some(&seed, &s->groups, groups, 3);
		some(&seed, &r->groups, groups, 3);
		if (!r->groups.n)
			approval_list_add(&r->groups, "rest"); /* for none nobody could sign */
		s->max_devices = 1 + rnd(&seed, 4);
		r->max_devices = 1 + rnd(&seed, 4);
		s->bounds.worst = (enum approval_made)rnd(&seed, APPROVAL_MADE_LIMIT);
		made(&r->delta, (int)rnd(&seed, APPROVAL_MADE_LIMIT));
		bool before = !approval_standing_outside(s, r, PEOPLE_T0 + 5);
		covered += before;
		switch (rnd(&seed, 5)) {
		case 0:
			approval_list_add(&r->findings, ids[rnd(&seed, 4)]);
			break;
		case 1:
			approval_list_add(&r->groups, groups[rnd(&seed, 3)]);
			break;
		case 2:
			r->max_devices++;
			break;
		case 3:
			made(&r->delta, APPROVAL_MADE_UNSEEN);
			break;
		default:
			some(&seed, &s->findings, NULL, 0);
		}
		if (!approval_standing_outside(s, r, PEOPLE_T0 + 5))
			assert_true(before);
	}
	assert_in_range(covered, 100, 19000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_byte, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_nobody_may_sign, setup, teardown),
		cmocka_unit_test_setup_teardown(test_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_outside, setup, teardown),
		cmocka_unit_test_setup_teardown(test_signers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_deltas, setup, teardown),
		cmocka_unit_test_setup_teardown(test_worse_is_never_within, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
