/* SPDX-License-Identifier: Apache-2.0 */
/* The sets of signers in the folder against those that the log put in force; what it says of halts and keys. */
#include "gateway/control/recount.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/hex.h"
#include "gateway/wire/memfd.h"
#define people_genesis sample_genesis /* control's people has one of that name */
#include "unit/crypto/people.h"
#undef people_genesis
#include "gateway/control/people.h"
#include "gateway/control/recount_private.h"
#include "unit/gateway/scratch.h"

struct fixture {
	struct scratch tmp;
	struct person alice, bob;
	struct genesis *g;
	struct recount *r;
	struct people *p;
	struct writer text; /* of the last set */
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	scratch_open(&f->tmp);
	close(scratch_dir(&f->tmp, "authority"));
	close(scratch_dir(&f->tmp, "authority/signers"));
	f->alice = people_make("alice@example.com", 1);
	f->bob = people_make("bob@example.com", 2);
	f->g = sample_genesis((const struct person *const[]){ &f->alice, &f->bob }, 2, 2);
	f->r = recount_new(1);
	writer_init(&f->text, SIGNERS_SET_BYTES_MAX);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	recount_free(f->r);
	people_free(f->p);
	writer_free(&f->text);
	free(f->g);
	scratch_close(&f->tmp);
	free(f);
	return 0;
}

static void
load(struct fixture *f)
{
	struct writer text;
	char why[200];
	writer_init(&text, GENESIS_BYTES_MAX);
	assert_int_equal(genesis_encode(f->g, &text), 0);
	int fd = memfd_sealed("genesis", writer_view(&text));
	people_free(f->p);
	f->p = NULL;
	if (people_load(fd, f->tmp.dir, &f->p, why, sizeof why))
		fail_msg("%s", why);
	close(fd);
	writer_free(&text);
}

/* The next set, with that person in it, into the folder. */
static void
add_set(struct fixture *f, const char *name)
{
	const struct person *who[] = { &f->alice, &f->bob };
	struct person third = people_make(name, 3);
	struct signers *s = calloc(1, sizeof *s);
	struct writer sig;
	char path[64];
	people_successor(people_set(f->p), people_set_text(f->p), PEOPLE_T0 + 60, s);
	people_add(s, &third);
	writer_reset(&f->text);
	assert_int_equal(signers_encode(s, PEOPLE_ORIGIN, &f->text), 0);
	snprintf(path, sizeof path, "authority/signers/%u.json", s->number);
	unlink(scratch_path(&f->tmp, path));
	scratch_write(scratch_path(&f->tmp, path), f->text.p, f->text.n);
	for (unsigned i = 0; i < 2; i++) {
		writer_init(&sig, SSHSIG_ARMOR_MAX);
		people_sign(who[i], SIGNERS_NAMESPACE, writer_view(&f->text), &sig);
		snprintf(path, sizeof path, "authority/signers/%u.sig.%u", s->number, i);
		unlink(scratch_path(&f->tmp, path));
		scratch_write(scratch_path(&f->tmp, path), sig.p, sig.n);
		writer_free(&sig);
	}
	free(s);
}

/* What the log says of set number. */
static void
logged(struct fixture *f, uint64_t number, struct view doc)
{
	struct entry e = { .ev = ENTRY_AUTHORITY_SIGNERS, .refs = 1, .doc = doc };
	e.ref[0].key = view_str("number");
	e.ref[0].is_number = true;
	e.ref[0].number = number;
	assert_int_equal(recount_take(f->r, number, &e), 0);
}

static void
again(struct fixture *f)
{
	recount_free(f->r);
	f->r = recount_new(1);
}

static void
test_signers(void **state)
{
	struct fixture *f = *state;
	load(f);
	assert_false(recount_signers_differ(f->r, f->p));
	add_set(f, "carol@example.com");
	logged(f, 1, writer_view(&f->text));
	assert_true(recount_signers_differ(f->r, f->p)); /* the folder is shorter */
	load(f);
	assert_int_equal(people_set(f->p)->number, 1);
	assert_false(recount_signers_differ(f->r, f->p));
	logged(f, 1, writer_view(&f->text)); /* said twice */
	assert_false(recount_signers_differ(f->r, f->p));
	/* Never logged at all. */
	again(f);
	assert_true(recount_signers_differ(f->r, f->p));
	/* The same number, signed by the same persons, over others: the ends are equal. */
	logged(f, 1, writer_view(&f->text));
	assert_int_equal(unlink(scratch_path(&f->tmp, "authority/signers/1.json")), 0);
	load(f);
	add_set(f, "mallory@example.com");
	load(f);
	assert_int_equal(people_set(f->p)->number, 1);
	assert_true(recount_signers_differ(f->r, f->p));
	/* Sets of the log that do not follow each other fit no folder. */
	logged(f, 1, writer_view(&f->text));
	assert_true(recount_signers_differ(f->r, f->p));
	again(f);
	logged(f, 2, writer_view(&f->text));
	assert_true(recount_signers_differ(f->r, f->p));
	again(f);
	logged(f, 1, view_of(NULL, 0));
	assert_true(recount_signers_differ(f->r, f->p));
}

static void
take_halt(struct recount *r, enum entry_event ev, const char *out, uint64_t name)
{
	struct entry e = { .ev = ev, .obj = view_str(ev == ENTRY_RESTRICT_HALT ? "gateway" : "halt"), .out = view_str(out) };
	e.refs = name != 0;
	e.ref[0] = (struct entry_ref){ view_str("halted_at"), true, name, { 0 } };
	assert_int_equal(recount_take(r, 0, &e), 0);
}

/* An entry of one rollout: numbers and words that are there. */
struct told {
	enum entry_event ev;
	uint64_t since, number;
	const char *ring, *step;
	bool denied;
};

static void
take_rollout(struct recount *r, const struct told *t, uint64_t second)
{
	struct entry e = { .ev = t->ev, .obj = view_str("release:07070000000000000000000000000000"), .out = view_str("ok"),
		.t_us = (int64_t)second * 1000000 };
	if (t->denied)
		e.out = view_str("denied");
	e.ref[e.refs++] = (struct entry_ref){ view_str("ring"), false, 0, view_str(t->ring) };
	if (t->ev != ENTRY_ROLLOUT_RESUMED)
		e.ref[e.refs++] = (struct entry_ref){ view_str("number"), true, t->number, { 0 } };
	if (t->since)
		e.ref[e.refs++] = (struct entry_ref){ view_str("since"), true, t->since, { 0 } };
	if (t->step)
		e.ref[e.refs++] = (struct entry_ref){ view_str("step"), false, 0, view_str(t->step) };
	assert_int_equal(recount_take(r, 0, &e), 0);
}

/* A stop ends by a resumption that names it, and by no other; a ring by its name. */
static void
test_rollouts(void **state)
{
	(void)state;
	static const struct {
		struct told t[6];
		bool paused;
		unsigned held; /* bits */
		const char *opens;
		int64_t since;
	} rows[] = {
#define BEGUN { ENTRY_ROLLOUT_CREATED, 0, 0, "lab", NULL, false }
#define HALF { ENTRY_ROLLOUT_PROMOTED, 0, 1, "half", NULL, false }
#define PAUSED(at) { ENTRY_ROLLOUT_PAUSED, at, 1, "half", NULL, false }
#define HELD(at, n, name) { ENTRY_ROLLOUT_HELD, at, n, name, NULL, false }
#define ON(at, how, name) { ENTRY_ROLLOUT_RESUMED, at, 0, name, how, false }
#define NOT(at, how, name) { ENTRY_ROLLOUT_RESUMED, at, 0, name, how, true }
		{ { BEGUN, HALF, PAUSED(7) }, true, 0, "", 101 },
		{ { BEGUN, HALF, PAUSED(7), ON(7, "resume", "half") }, false, 0, "", 103 },
		{ { BEGUN, HALF, PAUSED(7), ON(6, "resume", "half") }, true, 0, "", 101 },
		{ { BEGUN, HALF, PAUSED(7), HELD(9, 0, "lab"), ON(7, "resume", "half") }, true, 1, "", 101 },
		{ { BEGUN, HALF, HELD(9, 0, "lab"), ON(9, "unhold", "half") }, false, 1, "", 103 },
		{ { BEGUN, HALF, HELD(9, 0, "lab"), HELD(10, 1, "half"), ON(10, "unhold", "lab") }, false, 2, "", 104 },
		{ { BEGUN, HALF, HELD(9, 0, "lab"), ON(9, "resume", "half") }, false, 1, "", 103 },
		{ { BEGUN, HALF, PAUSED(7), ON(7, "skip", "half") }, true, 0, "", 101 },
		{ { BEGUN, HALF, ON(100, "open", "rest") }, false, 0, "rest", 101 },
		{ { BEGUN, HALF, ON(100, "open", "rest"), PAUSED(7), ON(7, "resume", "half") }, false, 0, "", 104 },
		{ { BEGUN, HALF, HELD(9, 99, "lab") }, false, 0, "", 101 },
		/* What the warden takes back had no effect; what was said meanwhile has. */
		{ { BEGUN, HALF, PAUSED(7), ON(7, "resume", "half"), NOT(7, "resume", "half") }, true, 0, "", 101 },
		{ { BEGUN, HALF, PAUSED(7), ON(7, "resume", "half"), NOT(6, "resume", "half") }, false, 0, "", 103 },
		{ { BEGUN, HALF, PAUSED(7), ON(7, "resume", "half"), HELD(9, 0, "lab"), NOT(7, "resume", "half") }, false, 1, "", 103 },
		{ { BEGUN, HALF, HELD(9, 1, "half"), ON(9, "unhold", "half"), NOT(9, "unhold", "half") }, false, 2, "", 101 },
		{ { BEGUN, HALF, ON(100, "open", "rest"), NOT(100, "open", "rest") }, false, 0, "", 101 },
		{ { BEGUN, HALF, NOT(100, "open", "rest") }, false, 0, "", 101 },
		{ { BEGUN, HALF, PAUSED(7), NOT(7, "resume", "half") }, true, 0, "", 101 },
	};
	const uint8_t key[SHELF_KEY] = { 7, 7 };
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct recount *r = recount_new(1);
		unsigned held = 0;
		for (unsigned k = 0; k < 6 && rows[i].t[k].ev; k++)
			take_rollout(r, &rows[i].t[k], 100 + k);
		const struct recount_rollout *one = shelf_find(&r->rollouts, key);
		assert_non_null(one);
		for (unsigned k = 0; k < ROLLOUT_RINGS_MAX; k++)
			held |= (one->held[k][0] != '\0' ? 1u : 0u) << k;
		if (one->paused != rows[i].paused || held != rows[i].held || strcmp(one->said.opens, rows[i].opens) != 0 ||
		    one->said.since != rows[i].since)
			fail_msg("row %zu: paused %d, held %x, opens \"%s\", since %lld", i, one->paused, held, one->said.opens,
			    (long long)one->said.since);
		recount_free(r);
	}
}

/* What was watched is what was said last of a ring; endpoints are each there once. Neither is a stop, nor takes one back. */
static void
test_watches(void **state)
{
	const uint8_t key[SHELF_KEY] = { 7, 7 };
	static const struct told begun[] = { BEGUN, HALF, PAUSED(7), ON(7, "resume", "half") };
	static const char *const endpoints[] = { "a.example", "b.example", "a.example" };
	static const uint64_t watched[][2] = { { 0, 4 }, { 1, 2 }, { 0, 5 }, { 99, 7 } };
	struct recount *r = recount_new(1);
	struct entry e = { .obj = view_str("release:07070000000000000000000000000000"), .out = view_str("ok"), .t_us = 200000000 };
	(void)state;
	for (unsigned i = 0; i < 4; i++)
		take_rollout(r, &begun[i], 100 + i);
	for (unsigned i = 0; i < 3; i++) {
		e.ev = ENTRY_EGRESS_NEW_ENDPOINT;
		e.refs = 1;
		e.ref[0] = (struct entry_ref){ view_str("endpoint"), false, 0, view_str(endpoints[i]) };
		assert_true(recount_wants(view_str(entry_event_name(e.ev))));
		assert_int_equal(recount_take(r, 10 + i, &e), 0);
	}
	e.refs = 0; /* one that names nothing */
	assert_int_equal(recount_take(r, 13, &e), 0);
	for (unsigned i = 0; i < 4; i++) {
		e.ev = ENTRY_ROLLOUT_WATCHED;
		e.refs = 2;
		e.ref[0] = (struct entry_ref){ view_str("number"), true, watched[i][0], { 0 } };
		e.ref[1] = (struct entry_ref){ view_str("watched"), true, watched[i][1], { 0 } };
		assert_true(recount_wants(view_str(entry_event_name(e.ev))));
		assert_int_equal(recount_take(r, 20 + i, &e), 0);
	}
	const struct recount_rollout *one = shelf_find(&r->rollouts, key);
	assert_non_null(one);
	assert_true(one->said.watched[0] == 5 && one->said.watched[1] == 2 && one->said.watched[2] == 0);
	assert_int_equal(one->said.endpoints.n, 2);
	assert_true(!one->paused && one->said.ring == 1 && one->said.since == 103);
	recount_free(r);
}

/* What people said and laid beside a review, whole; of very many the youngest. */
static void
test_remarks(void **state)
{
	struct recount *r = recount_new(1);
	char digits[80] = "sha256:";
	uint8_t sha256[DIGEST_SHA256_LEN];
	struct entry e = { .ev = ENTRY_REVIEW_REMARKED, .obj = view_str("R-7"), .act = view_str("alice"), .out = view_str("ok"),
		.msg = view_str("seen on the bench"), .t_us = 1700000001000000 };
	(void)state;
	memset(sha256, 0x3d, sizeof sha256);
	hex_encode(sha256, sizeof sha256, digits + 7);
	assert_true(recount_wants(view_str(entry_event_name(e.ev))));
	assert_false(recount_restricts(view_str(entry_event_name(e.ev))));
	assert_int_equal(recount_take(r, 0, &e), 0);
	e.ref[e.refs++] = (struct entry_ref){ view_str("file"), false, 0, view_str(digits) };
	e.ref[e.refs++] = (struct entry_ref){ view_str("name"), false, 0, view_str("lab.txt") };
	e.ref[e.refs++] = (struct entry_ref){ view_str("size"), true, 41, { 0 } };
	assert_int_equal(recount_take(r, 1, &e), 0);
	assert_int_equal(r->remarks.n, 2);
	const struct db_remark *one = &((const struct recount_remark *)shelf_at(&r->remarks, 0))->d;
	assert_true(one->candidate == 7 && one->at == 1700000001 && !one->have_file && one->size == 0);
	assert_string_equal(one->who, "alice");
	assert_string_equal(one->text, "seen on the bench");
	one = &((const struct recount_remark *)shelf_at(&r->remarks, 1))->d;
	assert_true(one->have_file && one->size == 41);
	assert_string_equal(one->name, "lab.txt");
	assert_memory_equal(one->sha256, sha256, sizeof sha256);
	e.obj = view_str("no review");
	assert_int_equal(recount_take(r, 2, &e), 0);
	assert_int_equal(r->remarks.n, 2);
	e.obj = view_str("R-8");
	e.refs = 0;
	for (uint64_t i = 3; i < 2 * RECOUNT_REMARKS_MAX; i++)
		assert_int_equal(recount_take(r, i, &e), 0);
	assert_int_equal(r->remarks.n, RECOUNT_REMARKS_MAX);
	for (size_t i = 0; i < r->remarks.n; i++) {
		one = &((const struct recount_remark *)shelf_at(&r->remarks, i))->d;
		assert_true(one->candidate == 8 && !one->have_file && !one->name[0]);
	}
	recount_free(r);
}

/* An end is that of the halt it names, and none when it was denied. */
static void
test_halts(void **state)
{
	(void)state;
	static const struct {
		struct {
			enum entry_event ev;
			const char *out;
			uint64_t name;
		} e[6];
		bool halted;
	} rows[] = {
		{ { { ENTRY_RESTRICT_HALT, "ok", 7 } }, true },
		{ { { ENTRY_RESTRICT_HALT, "ok", 0 }, { ENTRY_RESTRICT_RESUME, "ok", 0 } }, false },
		{ { { ENTRY_RESTRICT_HALT, "ok", 7 }, { ENTRY_RESTRICT_RESUME, "ok", 7 } }, false },
		{ { { ENTRY_RESTRICT_HALT, "ok", 7 }, { ENTRY_RESTRICT_RESUME, "denied", 7 } }, true },
		{ { { ENTRY_RESTRICT_HALT, "ok", 7 }, { ENTRY_RESTRICT_HALT, "ok", 8 }, { ENTRY_RESTRICT_RESUME, "ok", 7 } }, true },
		{ { { ENTRY_RESTRICT_HALT, "ok", 7 }, { ENTRY_RESTRICT_RESUME, "ok", 7 }, { ENTRY_RESTRICT_RESUME, "denied", 7 } },
			true },
		{ { { ENTRY_RESTRICT_HALT, "ok", 7 }, { ENTRY_RESTRICT_RESUME, "ok", 7 }, { ENTRY_RESTRICT_RESUME, "denied", 7 },
			{ ENTRY_RESTRICT_RESUME, "ok", 7 } }, false },
		{ { { ENTRY_RESTRICT_HALT, "ok", 7 }, { ENTRY_RESTRICT_RESUME, "ok", 7 }, { ENTRY_RESTRICT_RESUME, "denied", 6 } },
			false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct recount *r = recount_new(0);
		for (unsigned k = 0; k < 6 && rows[i].e[k].out; k++)
			take_halt(r, rows[i].e[k].ev, rows[i].e[k].out, rows[i].e[k].name);
		if (r->halted != rows[i].halted)
			fail_msg("row %zu", i);
		recount_free(r);
	}
}

/* When it was spoken is said in the entry, which may have waited for the log. */
static void
test_when_a_key_was_suspended(void **state)
{
	(void)state;
	struct recount *r = recount_new(0);
	struct entry e = { .ev = ENTRY_AUTHZ_KEY_SUSPENDED, .t_us = INT64_C(900000000), .out = view_str("ok"), .refs = 1,
		.obj = view_str("key:0000000000000000000000000000000000000000000000000000000000000001") };
	e.ref[0] = (struct entry_ref){ view_str("set"), true, 5, { 0 } };
	assert_int_equal(recount_take(r, 0, &e), 0);
	const struct recount_suspended *one = shelf_at(&r->suspended, 0);
	assert_true(one->set == 5 && one->time == 900);
	e.refs = 2;
	e.ref[1] = (struct entry_ref){ view_str("at"), true, 800, { 0 } };
	assert_int_equal(recount_take(r, 1, &e), 0);
	assert_true(one->set == 5 && one->time == 900); /* an earlier word that came later */
	e.ref[1].number = 1000;
	e.t_us = INT64_C(2000000000);
	assert_int_equal(recount_take(r, 2, &e), 0);
	assert_true(one->set == 5 && one->time == 1000);
	recount_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_remarks),
		cmocka_unit_test(test_halts),
		cmocka_unit_test(test_rollouts),
		cmocka_unit_test(test_watches),
		cmocka_unit_test(test_when_a_key_was_suspended),
		cmocka_unit_test_setup_teardown(test_signers, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
