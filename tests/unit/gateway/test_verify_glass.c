/* SPDX-License-Identifier: Apache-2.0 */
/* fotagate-verify, and the scripts of the export, over break-glass: what genesis allows one person, and what has to come after. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/gateway/verify_rig.h"

#define DELAY 600
#define REPORT_OF(verdict) "{\"schema\":\"fotagate-report/1\",\"delta\":null,\"findings\":[{\"id\":\"SIG-NONE\"," \
	"\"severity\":\"notice\"}],\"signatures\":[],\"verdict\":\"" verdict "\"}"

static uint32_t asked; /* persons, by policy, of what one lets through alone */

static int
setup_of(void **state, uint32_t delay, bool passkeys)
{
	asked = 2;
	rig_glass = (struct genesis_glass){ .delay = delay, .max_devices = delay ? 20 : 0 };
	return setup_board(state, false, passkeys);
}

static int
setup_glass(void **state)
{
	return setup_of(state, DELAY, false);
}

static int
setup_browsers(void **state)
{
	return setup_of(state, DELAY, true);
}

static int
setup_none(void **state)
{
	return setup_of(state, 0, false);
}

/* One person's record of that image, not logged yet. */
static void
make_glass(struct fixture *f, uint32_t modules, const char *report)
{
	named_file(f, "reports", view_str(report), ".json");
	digest_sha256(view_str(report), f->terms.report);
	f->terms.decision = APPROVAL_BREAKGLASS;
	f->terms.delay = DELAY;
	f->terms.max_devices = modules;
	f->terms.not_before = 0;
	f->terms.not_after = f->now + APPROVAL_GLASS_MAX - 60;
	f->terms.quorum = asked;
	*f->r = (struct release){ .terms = f->terms, .size = 100, .block_size = RELEASE_BLOCK, .blocks = 1, .quorum = 1,
		.statements_n = 1, .glass = DELAY };
	state_it(f, &f->alice, &f->alice, &f->r->statement[0]);
	f->r->terms.decision = f->terms.decision = APPROVAL_APPROVE;
	f->r->terms.delay = f->terms.delay = 0;
	f->r->log_size = ledger_size(f->l);
	f->r->issued = f->now;
	f->r->terms.not_before = f->r->issued + DELAY;
}

/* Announced, and then logged; issued so many seconds before, as it says. */
static void
log_glass_early(struct fixture *f, bool announced, int64_t early)
{
	struct writer text;
	uint8_t id[RELEASE_ID];
	char obj[64] = "release:";
	writer_init(&text, RELEASE_RECORD_MAX);
	f->r->log_size += announced;
	f->r->issued = f->now + announced - early;
	f->r->terms.not_before = f->r->issued + f->r->glass;
	assert_int_equal(release_encode(f->r, &text), 0);
	release_id(writer_view(&text), id);
	hex_encode(id, RELEASE_ID, obj + 8);
	writer_free(&text);
	if (announced)
		put_event(f, ENTRY_APPROVAL_BREAKGLASS, obj);
	log_release(f);
}

static void
log_glass(struct fixture *f, bool announced)
{
	log_glass_early(f, announced, 0);
}

static void
broken(struct fixture *f, uint32_t modules)
{
	make_glass(f, modules, REPORT_OF("review"));
	log_glass(f, true);
}

static void
granted(struct fixture *f, int64_t after)
{
	f->now += after;
	put_module(f, ENTRY_DEVICE_GRANT, 1, f->obj);
}

/* The others look at it, bob perhaps not. */
static void
reviewed(struct fixture *f, bool both, const char *outcome)
{
	static const char *const keys[] = { "statement.0", "statement.1" };
	const struct person *who[] = { &f->alice, &f->bob };
	struct approval_terms t = { .decision = APPROVAL_AFTERREVIEW, .outcome = APPROVAL_UNJUSTIFIED };
	struct release_statement st[2];
	char digest[2][80];
	uint8_t root[32];
	struct entry e = { .ev = ENTRY_APPROVAL_AFTERREVIEW, .obj = view_str(f->obj), .refs = 1 };
	snprintf(t.gateway, sizeof t.gateway, "%s", PEOPLE_ORIGIN);
	assert_true(hex_decode(view_str(f->obj + 8), t.release, sizeof t.release));
	assert_int_equal(ledger_root(f->l, root), 0);
	e.ref[0] = (struct entry_ref){ view_str("outcome"), false, 0, view_str(outcome) };
	for (unsigned i = 0; i < (both ? 2 : 1); i++) {
		write_statement(f, people_statement(who[i], &t, f->now, ++f->nonce, ledger_size(f->l), root), who[i], &st[i]);
		snprintf(digest[i], sizeof digest[i], "sha256:");
		hex_encode(st[i].statement, 32, digest[i] + 7);
		e.ref[e.refs++] = (struct entry_ref){ view_str(keys[i]), false, 0, view_str(digest[i]) };
	}
	put(f, e);
}

static void
next_image(struct fixture *f)
{
	f->terms.image[0]++;
}

static void
approved(struct fixture *f, uint32_t modules)
{
	uint32_t quorum = f->terms.quorum;
	f->terms.max_devices = modules;
	f->terms.not_before = f->now;
	f->terms.not_after = f->now + 60;
	f->terms.quorum = 0;
	make_release(f);
	log_release(f);
	f->terms.quorum = quorum;
}

static void
halted(struct fixture *f)
{
	put_event(f, ENTRY_RESTRICT_HALT, "gateway");
}

/* Nobody signs for that: it goes out under a standing statement of both. */
static void
by_standing(struct fixture *f)
{
	struct approval_terms t = people_standing(PEOPLE_T0);
	make_standing(f, &t, true, REPORT_OF("review"));
	log_release(f);
}

/* The others look once more at an earlier one, and at the last one never. */
static void
reviewed_earlier(struct fixture *f)
{
	char first[sizeof f->obj];
	broken(f, 20);
	memcpy(first, f->obj, sizeof first);
	reviewed(f, true, "unjustified");
	next_image(f);
	broken(f, 20);
	memcpy(f->obj, first, sizeof first);
	reviewed(f, true, "unjustified");
	next_image(f);
	broken(f, 20);
}

/* As many again, by one passkey each time: together they are for more than a canary. */
static void
twice_in_a_browser(struct fixture *f)
{
	f->by_passkey = 1;
	broken(f, 6);
	f->by_passkey = 0;
	reviewed(f, true, "unjustified");
	f->by_passkey = 1;
	broken(f, 6);
}

static void
another_approved(struct fixture *f, uint32_t modules)
{
	f->now += 70;
	approved(f, modules);
	f->now += 70;
}

/* One person's word was announced, and nothing more of it reached the log. */
static void
announced(struct fixture *f)
{
	make_glass(f, 20, REPORT_OF("review"));
	snprintf(f->obj, sizeof f->obj, "release:%032x", 0xab);
	put_event(f, ENTRY_APPROVAL_BREAKGLASS, f->obj);
}

/*
 * Both sign for it, one breaks the glass for the same image, so many states of the log behind it, and then the signatures of
 * before are used.
 */
static void
approved_before(struct fixture *f, unsigned states)
{
	struct release *r = calloc(1, sizeof *r);
	uint32_t quorum = f->terms.quorum;
	f->terms.max_devices = 50;
	f->terms.not_before = f->now;
	f->terms.not_after = f->now + 600;
	f->terms.quorum = 0;
	make_release(f);
	*r = *f->r;
	f->terms.quorum = quorum;
	make_glass(f, 20, REPORT_OF("review"));
	f->r->log_size = f->r->log_size + states - 1;
	log_glass(f, true);
	*f->r = *r;
	f->r->log_size = ledger_size(f->l);
	f->r->issued = f->now;
	log_release(f);
	free(r);
}

static void
put_image(struct fixture *f, enum entry_event ev, const char *obj)
{
	char digest[80] = "sha256:";
	struct entry e = { .ev = ev, .obj = view_str(obj), .refs = 1 };
	hex_encode(f->terms.image, 32, digest + 7);
	e.ref[0] = (struct entry_ref){ view_str("image"), false, 0, view_str(digest) };
	put(f, e);
}

/* A review is rejected: the image with it, by whatever review it is released. */
static void
rejected(struct fixture *f)
{
	put_image(f, ENTRY_APPROVAL_REJECTED, "R-3");
}

/* The release is ended before its time, as with the rollout that somebody aborts. */
static void
retired(struct fixture *f)
{
	put_image(f, ENTRY_IMAGE_RETIRED, f->obj);
}

#define STORY(name, status, word, ...) TOLD(name, status, word, expect_foreign(f, !(status)), __VA_ARGS__)
#define STORY_OURS(name, status, word, ...) TOLD(name, status, word, (void)0, __VA_ARGS__)
#define TOLD(name, status, word, then, ...)  \
	static void name(void **state)       \
	{                                    \
		struct fixture *f = *state;  \
		need_program(f);             \
		__VA_ARGS__;                 \
		end(f);                      \
		expect(f, status, word);     \
		then;                        \
	}

STORY(test_glass, 0, "\nok\n", broken(f, 20); granted(f, DELAY))
STORY(test_none, 1, "no break-glass", broken(f, 1))
STORY(test_too_many, 1, "more modules than genesis allows", broken(f, 21))
STORY(test_released_before, 0, "\nok\n", approved(f, 50); f->now += 60; broken(f, 50); granted(f, DELAY))
STORY(test_more_than_before, 1, "released for before", approved(f, 50); f->now += 60; broken(f, 51))
STORY(test_stopped_before, 1, "more modules than genesis allows", approved(f, 50);
      put_event(f, ENTRY_APPROVAL_REVOKED, f->obj); f->now += 60; broken(f, 50))
STORY_OURS(test_together, 1, "for more modules than so few", approved(f, 50); broken(f, 50))
STORY(test_too_soon, 1, "outside the time", broken(f, 20); granted(f, DELAY - 30))
STORY_OURS(test_clock_ahead, 1, "before the veto delay", make_glass(f, 20, REPORT_OF("review"));
	   log_glass_early(f, true, 250); granted(f, DELAY - 200))
STORY(test_too_late, 1, "outside the time", broken(f, 20); granted(f, APPROVAL_GLASS_MAX))
STORY(test_other_delay, 1, "another veto delay", make_glass(f, 20, REPORT_OF("review"));
      f->r->glass = DELAY + 1; log_glass(f, true))
STORY(test_not_announced, 1, "not announced", make_glass(f, 20, REPORT_OF("review")); log_glass(f, false))
STORY(test_blocked, 1, "it is blocked", make_glass(f, 20, REPORT_OF("blocked")); log_glass(f, true))
STORY(test_left_out, 1, "record leaves out", f->terms.findings.n = 0; make_glass(f, 20, REPORT_OF("review")); log_glass(f, true))
STORY(test_called_approval, 1, "fewer persons", f->terms.quorum = 0; make_glass(f, 20, REPORT_OF("review")); f->r->glass = 0;
      f->r->terms.quorum = 0; log_release(f))
STORY(test_second, 1, "before the after-review", broken(f, 20); next_image(f); broken(f, 20))
STORY(test_reviewed, 0, "\nok\n", broken(f, 20); reviewed(f, true, "unjustified"); next_image(f); broken(f, 20); granted(f, DELAY))
STORY(test_reviewed_alone, 1, "an after-review by 1", broken(f, 20); reviewed(f, false, "unjustified"))
STORY(test_reviewed_otherwise, 1, "another after-review", broken(f, 20); reviewed(f, true, "justified"))
STORY(test_reviewed_nothing, 1, "no break-glass", approved(f, 50); reviewed(f, true, "unjustified"))
STORY(test_approved_after, 0, "\nok\n", broken(f, 20); approved(f, 50); next_image(f); broken(f, 20))
STORY(test_vetoed, 1, "after the release was revoked", broken(f, 20);
      put_event(f, ENTRY_APPROVAL_REVOKED, f->obj); granted(f, DELAY))
STORY(test_halted, 1, "after the release was revoked", broken(f, 20); halted(f); resume(f); granted(f, DELAY))
STORY(test_halted_only, 0, "\nok\n", broken(f, 20); halted(f); resume(f))
STORY(test_halted_by_a_clock_that_went_back, 1, "after the release was revoked", broken(f, 20);
      put_named(f, ENTRY_RESTRICT_HALT, "gateway", "ok", NOW); resume(f); granted(f, DELAY))
STORY(test_halted_before_it_was_known, 1, "after the release was revoked", halted(f); broken(f, 20); resume(f); granted(f, DELAY))
STORY(test_while_halted, 1, "while the gateway was halted", halted(f); f->now += 60; broken(f, 20); resume(f); granted(f, DELAY))
STORY(test_after_halt, 0, "\nok\n", halted(f); resume(f); f->now += 60; broken(f, 20); granted(f, DELAY))
STORY(test_reviewed_unreleased, 0, "\nok\n", announced(f); reviewed(f, true, "unjustified"))
STORY(test_approved_before, 1, "before the after-review", approved_before(f, 1); next_image(f); broken(f, 20))
STORY(test_approved_at_that_state, 1, "before the after-review", approved_before(f, 0); next_image(f); broken(f, 20))
STORY(test_another_approved, 1, "before the after-review", broken(f, 20); next_image(f); approved(f, 50); next_image(f);
      broken(f, 20))
STORY(test_approved_in_browsers, 1, "before the after-review", broken(f, 20); f->by_passkey = 2; approved(f, 5);
      f->by_passkey = 0; next_image(f); broken(f, 20))
STORY(test_approved_by_fewer, 1, "before the after-review", asked = 3; broken(f, 20); approved(f, 50); next_image(f);
      broken(f, 20))
STORY(test_reviewed_by_fewer, 1, "an after-review by 2 persons, of 3", asked = 3; broken(f, 20); reviewed(f, true, "unjustified"))
STORY(test_reviewed_earlier, 1, "before the after-review", reviewed_earlier(f))
STORY(test_released_by_standing, 1, "never released by enough", by_standing(f); broken(f, 50))
STORY(test_most_of_several, 0, "\nok\n", another_approved(f, 20); another_approved(f, 50); another_approved(f, 20);
      broken(f, 50); granted(f, DELAY))
STORY(test_another_announced, 1, "not announced", put_event(f, ENTRY_APPROVAL_BREAKGLASS,
      "release:abababababababababababababababab"); make_glass(f, 20, REPORT_OF("review")); log_glass(f, false))
STORY_OURS(test_twice_in_a_browser, 1, "in browsers alone", twice_in_a_browser(f))
STORY(test_rejected_before, 1, "more modules than genesis allows", approved(f, 50); rejected(f); f->now += 60; broken(f, 50))
STORY(test_signed_before_rejected, 1, "a log state older", make_release(f); rejected(f); f->r->log_size++; f->r->issued++;
      log_release(f))
STORY(test_retired, 1, "after the release was revoked", broken(f, 20); retired(f); granted(f, DELAY))
STORY(test_signed_before_retired, 1, "a log state older", approved(f, 50); make_release(f); retired(f); f->r->log_size++;
      f->r->issued++; log_release(f))
STORY(test_ran_out, 0, "\nok\n", approved(f, 50); f->now += 60; put_event(f, ENTRY_IMAGE_RETIRED, f->obj); broken(f, 50);
      put_image(f, ENTRY_IMAGE_RETIRED, "R-7"); granted(f, DELAY))

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_glass, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_glass), cmocka_unit_test_setup_teardown(test_none, setup_none, teardown), TEST(test_too_many),
		TEST(test_released_before), TEST(test_more_than_before), TEST(test_stopped_before), TEST(test_together),
		TEST(test_too_soon), TEST(test_clock_ahead), TEST(test_too_late), TEST(test_other_delay), TEST(test_not_announced),
		TEST(test_blocked), TEST(test_left_out), TEST(test_called_approval), TEST(test_second), TEST(test_reviewed),
		TEST(test_reviewed_alone), TEST(test_reviewed_otherwise), TEST(test_reviewed_nothing), TEST(test_approved_after),
		TEST(test_vetoed), TEST(test_halted), TEST(test_halted_only),
		TEST(test_halted_by_a_clock_that_went_back), TEST(test_halted_before_it_was_known), TEST(test_while_halted), TEST(test_after_halt), TEST(test_reviewed_unreleased), TEST(test_approved_before),
		TEST(test_approved_at_that_state), TEST(test_another_approved), TEST(test_approved_by_fewer),
		TEST(test_reviewed_by_fewer), TEST(test_reviewed_earlier), TEST(test_released_by_standing), TEST(test_most_of_several),
		TEST(test_another_announced), cmocka_unit_test_setup_teardown(test_approved_in_browsers, setup_browsers, teardown),
		cmocka_unit_test_setup_teardown(test_twice_in_a_browser, setup_browsers, teardown), TEST(test_rejected_before), TEST(test_signed_before_rejected),
		TEST(test_retired), TEST(test_signed_before_retired), TEST(test_ran_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
