/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/approval_glass.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/err.h"
#include "unit/crypto/people.h"

#define DELAY 3600

static const uint8_t root[32] = { 7 };

struct fixture {
	struct approval *a, *back;
	struct release *r, *rback;
	struct writer w, w2;
	char why[256];
};

static struct approval_terms
glass(void)
{
	struct approval_terms t = people_terms(PEOPLE_T0, 8);
	t.decision = APPROVAL_BREAKGLASS;
	t.not_before = 0;
	t.not_after = PEOPLE_T0 + APPROVAL_GLASS_MAX;
	t.delay = DELAY;
	t.quorum = 2;
	return t;
}

static struct approval_terms
review(void)
{
	struct approval_terms t = { .decision = APPROVAL_AFTERREVIEW, .outcome = APPROVAL_JUSTIFIED };
	snprintf(t.gateway, sizeof t.gateway, "%s", PEOPLE_ORIGIN);
	memset(t.release, 0x77, sizeof t.release);
	return t;
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct person alice = people_make("alice@example.com", 1);
	struct approval_terms t = glass();
	f->a = people_statement(&alice, &t, PEOPLE_T0, 0x5a, 70000, root);
	f->back = calloc(1, sizeof *f->back);
	f->r = calloc(1, sizeof *f->r);
	f->rback = calloc(1, sizeof *f->rback);
	*f->r = (struct release){ .terms = t, .size = 1, .block_size = RELEASE_BLOCK, .blocks = 1, .quorum = 1,
		.log_size = 70001, .issued = PEOPLE_T0 + 60, .glass = DELAY, .statements_n = 1 };
	f->r->terms.decision = APPROVAL_APPROVE;
	f->r->terms.delay = 0;
	f->r->terms.not_before = f->r->issued + DELAY;
	snprintf(f->r->statement[0].approver, SIGNERS_PRINCIPAL_MAX, "%s", alice.name);
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
	free(f->r);
	free(f->rback);
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
	round_trip(f);
	assert_non_null(memmem(f->w.p, f->w.n, "\"decision\":\"breakglass\",\"delay\":3600", 36));
	assert_null(memmem(f->w.p, f->w.n, "not_before", 10));
	f->a->terms.have_plan = true;
	f->a->terms.delta.made = APPROVAL_MADE_UNSEEN;
	assert_int_equal(approval_list_add(&f->a->terms.checklist, "boots on the bench"), 0);
	round_trip(f);
	f->a->terms = review();
	round_trip(f);
	f->a->terms.outcome = APPROVAL_UNJUSTIFIED;
	round_trip(f);
}

/* A changed byte is no statement, or one that says something else: never the same one. */
static void
test_every_byte(void **state)
{
	struct fixture *f = *state;
	for (int which = 0; which < 2; which++) {
		if (which)
			f->a->terms = review();
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
		free(copy);
	}
}

static void
unsignable(struct fixture *f)
{
	writer_reset(&f->w);
	assert_int_equal(approval_encode(f->a, &f->w, f->why, sizeof f->why), FG_EINVAL);
}

static void
test_what_nobody_can_sign(void **state)
{
	struct fixture *f = *state;
	struct approval good = *f->a;
#define UNSIGNABLE(change)     \
	do {                   \
		*f->a = good;  \
		change;        \
		unsignable(f); \
	} while (0)
	UNSIGNABLE(f->a->terms.delay = 0);
	UNSIGNABLE(f->a->terms.delay = GENESIS_GLASS_DELAY_MAX + 1);
	UNSIGNABLE(f->a->terms.not_before = PEOPLE_T0);
	UNSIGNABLE(f->a->terms.not_after = 0);
	UNSIGNABLE(f->a->terms.max_devices = 0);
	UNSIGNABLE(f->a->terms.groups.n = 0);
	UNSIGNABLE(f->a->terms.profile[0] = '\0');
	UNSIGNABLE(f->a->reason[0] = '\0');
	/* An approval has no wait, whose end would be nobody's. */
	UNSIGNABLE(f->a->terms = people_terms(PEOPLE_T0, 8); f->a->terms.delay = DELAY);
	UNSIGNABLE(f->a->terms = review(); f->a->terms.outcome = APPROVAL_OUTCOME_NONE);
	UNSIGNABLE(f->a->terms = review(); f->a->terms.outcome = APPROVAL_OUTCOME_LIMIT);
	UNSIGNABLE(f->a->terms = review(); memset(f->a->terms.release, 0, sizeof f->a->terms.release));
	*f->a = good;
	f->a->terms.delay = GENESIS_GLASS_DELAY_MAX;
	round_trip(f);
}

/* The report that it is about blocks nothing, or there is no such statement. */
static void
test_never_over_a_block(void **state)
{
	struct fixture *f = *state;
	struct view text = encoded(f);
	uint8_t *copy = malloc(text.n), *at;
	memcpy(copy, text.p, text.n);
	at = memmem(copy, text.n, "\"blocked\":false", 15);
	assert_non_null(at);
	memcpy(at, "\"blocked\": true", 15);
	assert_int_equal(approval_parse(view_of(copy, text.n), f->back, f->why, sizeof f->why), FG_EFORMAT);
	free(copy);
}

static int
at(struct fixture *f, int64_t now, uint64_t newer)
{
	return approval_check_time(f->a, now, newer, f->why, sizeof f->why);
}

static void
test_times(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(at(f, PEOPLE_T0, 69999), 0);
	assert_int_equal(at(f, PEOPLE_T0, 70000), FG_EPERM); /* stopped after what was seen */
	assert_int_equal(at(f, PEOPLE_T0 - APPROVAL_SKEW, 0), 0);
	assert_int_equal(at(f, PEOPLE_T0 - APPROVAL_SKEW - 1, 0), FG_EPERM);
	assert_int_equal(at(f, PEOPLE_T0 + APPROVAL_GLASS_MAX - 1, 0), 0);
	assert_int_equal(at(f, PEOPLE_T0 + APPROVAL_GLASS_MAX, 0), FG_EPERM);
	f->a->terms.not_after++;
	assert_int_equal(at(f, PEOPLE_T0, 0), FG_EPERM);
	f->a->terms = review();
	assert_int_equal(at(f, PEOPLE_T0 + APPROVAL_SUBMIT_WINDOW, 0), 0);
	assert_int_equal(at(f, PEOPLE_T0 + APPROVAL_SUBMIT_WINDOW + 1, 0), FG_EPERM);
	assert_int_equal(at(f, PEOPLE_T0, 70000), FG_EPERM);
}

/* ---- genesis ---- */

static void
test_outside(void **state)
{
	static const struct {
		uint32_t delay, max;
		uint64_t modules;
		uint32_t released;
		bool within;
	} rows[] = {
		{ 0, 0, 1, 100, false },     /* off is off, whatever was released before */
		{ DELAY, 10, 10, 0, true },
		{ DELAY, 10, 11, 0, false },
		{ DELAY, 10, 11, 10, false },
		{ DELAY, 10, 11, 11, true }, /* as many as people in full number had let it */
		{ DELAY, 10, 12, 11, false },
		{ DELAY, 10, 5, 2, true },
		{ DELAY, 0, 1, 0, false },   /* only what was released before */
		{ DELAY, 0, 100, 100, true },
		{ DELAY, 0, 101, 100, false },
		{ DELAY, 10, UINT64_MAX, UINT32_MAX, false },
	};
	(void)state;
	struct genesis *g = calloc(1, sizeof *g);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		g->glass = (struct genesis_glass){ rows[i].delay, rows[i].max };
		assert_int_equal(approval_glass_outside(g, rows[i].modules, rows[i].released) == NULL, rows[i].within);
	}
	free(g);
}

static void
test_genesis(void **state)
{
	static const struct {
		bool demo;
		uint32_t delay, max, floor;
		bool good;
	} rows[] = {
		{ false, 0, 0, 2, true },
		{ false, 0, 5, 2, false },  /* modules and no wait */
		{ false, GENESIS_GLASS_DELAY_MIN, 5, 2, true },
		{ false, GENESIS_GLASS_DELAY_MIN - 1, 5, 2, false },
		{ false, GENESIS_GLASS_DELAY_MAX, 0, 2, true },
		{ false, GENESIS_GLASS_DELAY_MAX + 1, 0, 2, false },
		{ false, DELAY, 5, 1, false }, /* one is enough anyway */
		{ true, 1, 5, 2, true },
		{ true, GENESIS_GLASS_DELAY_MAX + 1, 5, 2, false },
	};
	struct fixture *f = *state;
	struct person alice = people_make("alice@example.com", 1), bob = people_make("bob@example.com", 2);
	struct genesis *g = people_genesis((const struct person *const[]){ &alice, &bob }, 2, 2), *back = calloc(1, sizeof *back);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		g->demo = rows[i].demo;
		snprintf(g->origin, sizeof g->origin, "%s", g->demo ? "demo.invalid" : PEOPLE_ORIGIN);
		g->glass = (struct genesis_glass){ rows[i].delay, rows[i].max };
		g->floor_production = rows[i].floor;
		writer_reset(&f->w);
		assert_int_equal(genesis_encode(g, &f->w), rows[i].good ? 0 : FG_EINVAL);
		if (!rows[i].good)
			continue;
		assert_int_equal(memmem(f->w.p, f->w.n, "breakglass", 10) != NULL, rows[i].delay != 0);
		assert_int_equal(genesis_parse(writer_view(&f->w), back, f->why, sizeof f->why), 0);
		assert_memory_equal(&back->glass, &g->glass, sizeof g->glass);
	}
	free(back);
	free(g);
}

static void
test_review_quorum(void **state)
{
	static const struct { uint32_t floor, asked, need; } rows[] = {
		{ 1, 0, 2 }, { 1, 1, 2 }, { 2, 0, 2 }, { 2, 3, 3 }, { 3, 2, 3 },
	};
	(void)state;
	struct genesis *g = calloc(1, sizeof *g);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		g->floor_production = rows[i].floor;
		assert_int_equal(approval_review_quorum(g, rows[i].asked), rows[i].need);
	}
	free(g);
}

/* ---- the record ---- */

static struct view
record(struct fixture *f)
{
	writer_reset(&f->w);
	assert_int_equal(release_encode(f->r, &f->w), 0);
	return writer_view(&f->w);
}

static void
test_record(void **state)
{
	struct fixture *f = *state;
	struct approval_terms said, *t = &f->r->terms;
	assert_int_equal(release_parse(record(f), f->rback, f->why, sizeof f->why), 0);
	assert_memory_equal(f->rback, f->r, sizeof *f->r);
	release_signed_terms(f->rback, &said);
	assert_null(approval_terms_differ(&said, &f->a->terms));
	struct release good = *f->r;
#define REFUSED(change)                                                                                \
	do {                                                                                           \
		*f->r = good;                                                                          \
		change;                                                                                \
		assert_int_equal(release_parse(record(f), f->rback, f->why, sizeof f->why), FG_EFORMAT); \
	} while (0)
	REFUSED(t->not_before--);
	REFUSED(f->r->issued++);
	REFUSED(f->r->glass = 0); /* two were asked for, and one signed */
	REFUSED(f->r->glass = GENESIS_GLASS_DELAY_MAX + 1; t->not_before = f->r->issued + f->r->glass);
	REFUSED(t->not_after = f->r->issued + APPROVAL_GLASS_MAX + APPROVAL_SKEW + 1);
	REFUSED(t->not_after = t->not_before); /* over before it began */
	REFUSED(f->r->quorum = 0);
	struct release_statement second = f->r->statement[0];
	snprintf(second.approver, sizeof second.approver, "bob@example.com");
	REFUSED(f->r->quorum = f->r->statements_n = 2; f->r->statement[1] = second); /* it needs one, and there may be more */
	f->r->quorum = 1;
	assert_int_equal(release_parse(record(f), f->rback, f->why, sizeof f->why), 0);
	REFUSED(f->r->by_standing = true);
	*f->r = good;
	t->not_after = f->r->issued + APPROVAL_GLASS_MAX + APPROVAL_SKEW;
	assert_int_equal(release_parse(record(f), f->rback, f->why, sizeof f->why), 0);
	/* Of any other the terms are what was signed. */
	*f->r = good;
	f->r->glass = 0;
	release_signed_terms(f->r, &said);
	assert_null(approval_terms_differ(&said, &f->r->terms));
	assert_null(memmem(record(f).p, record(f).n, "breakglass", 10));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_byte, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_nobody_can_sign, setup, teardown),
		cmocka_unit_test_setup_teardown(test_never_over_a_block, setup, teardown),
		cmocka_unit_test_setup_teardown(test_times, setup, teardown),
		cmocka_unit_test(test_outside),
		cmocka_unit_test_setup_teardown(test_genesis, setup, teardown),
		cmocka_unit_test(test_review_quorum),
		cmocka_unit_test_setup_teardown(test_record, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
