/* SPDX-License-Identifier: Apache-2.0 */
/* The warden and a clock that steps: what is held, what ends it, what survives a restart and a reboot. */
#include "gateway/warden/hold.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/gateway/warden_rig.h"

#define HOUR 3600

/* The warden has heard of the log's last entry: it has its base. */
static void
settle(struct fixture *f, int64_t last_s)
{
	const struct msg_head m = { .state = MSG_LOG_OPEN_OK, .size = LOG_SIZE, .published = LOG_SIZE,
		.last_us = last_s * 1000000 };
	rig_say(f->audit, MSG_HEAD, &m);
}

static struct msg_clock
hear_clock(struct fixture *f, int chan, enum msg_clock_state state)
{
	struct msg_clock m;
	rig_hear(&f->rig, chan, MSG_CLOCK, &m);
	assert_int_equal(m.state, state);
	return m;
}

static void
based(struct fixture *f)
{
	settle(f, NOW - 5);
	struct msg_clock m = hear_clock(f, f->control, MSG_CLOCK_SURE);
	assert_true(m.base_wall == NOW * INT64_C(1000000) && m.base_boot == 1000 * INT64_C(1000000));
}

/* The step is logged, and its name told; audit's answer is the caller's. */
static int64_t
held(struct fixture *f)
{
	heard(f);
	hear_append(f, ENTRY_CLOCK_STEPPED);
	assert_string_equal(f->append.obj, "clock");
	assert_string_equal(f->append.act, "warden");
	struct msg_clock m = hear_clock(f, f->control, MSG_CLOCK_HELD);
	assert_true(m.name > 0);
	return m.name;
}

static int64_t
step(struct fixture *f, int64_t seconds)
{
	based(f);
	clocks->now += seconds;
	int64_t name = held(f);
	acknowledge(f, 0);
	return name;
}

static void
ask_refused(struct fixture *f, const char *word)
{
	ask(f);
	roots_at(f, 2, MSG_LOG_OPEN_OK, NOW - 5);
	refused(f, word);
}

/* The log's last entry was at that time when it is asked. */
static void
resume_at(struct fixture *f, int64_t name, unsigned persons, int64_t last_s)
{
	const struct person *who[] = { &f->alice, &f->bob };
	struct approval_terms t = { .decision = APPROVAL_RESUME, .halted_at = name };
	const struct msg_resume m = { .token = ++f->token, .halted_at = name, .now = clocks->now };
	snprintf(t.gateway, sizeof t.gateway, "%s", PEOPLE_ORIGIN);
	int fd = statements(f, &t, who, persons);
	assert_int_equal(msg_send(f->control, MSG_RESUME, &m, &fd, 1), 0);
	close(fd);
	roots_at(f, persons, MSG_LOG_OPEN_OK, last_s);
}

static void
resume(struct fixture *f, int64_t name, unsigned persons)
{
	resume_at(f, name, persons, NOW - 5);
}

static void
resumed(struct fixture *f, const char *word)
{
	struct msg_resumed m;
	rig_hear(&f->rig, f->control, MSG_RESUMED, &m);
	assert_int_equal(m.ok, word == NULL);
	if (word && !strstr(m.why, word))
		fail_msg("\"%s\" does not say \"%s\"", m.why, word);
}

static void
confirm_at(struct fixture *f, int64_t name, int64_t last_s)
{
	resume_at(f, name, 2, last_s);
	hear_append(f, ENTRY_RESTRICT_RESUME);
	assert_string_equal(f->append.obj, "clock");
	assert_string_equal(f->append.act, "alice@example.com");
	acknowledge(f, 0);
	resumed(f, NULL);
	assert_true(silent(f, f->rig.sup)); /* no halt is ended by it */
}

static void
confirm(struct fixture *f, int64_t name)
{
	confirm_at(f, name, NOW - 5);
}

static void
test_nothing_before_the_log_was_asked(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(msg_send(f->control, MSG_RESTRICT, &(struct msg_restrict){ .token = 1, .kind = MSG_RESTRICT_REVOKE },
	    NULL, 0), 0); /* restricting needs no clock */
	struct msg_restricted done;
	rig_hear(&f->rig, f->control, MSG_RESTRICTED, &done);
	assert_true(silent(f, f->control));
	based(f);
}

static void
held_and_confirmed(struct fixture *f, int64_t seconds)
{
	uint8_t id[RELEASE_ID];
	int64_t name = step(f, seconds);
	assert_non_null(strstr(f->append.msg, seconds < 0 ? "3600 s behind" : "3600 s ahead"));
	hear_clock(f, f->edge[0], MSG_CLOCK_SURE);
	hear_clock(f, f->edge[0], MSG_CLOCK_HELD);
	ask_refused(f, "stepped");
	resume(f, NOW - 500, 2); /* the end of a halt is a permit too */
	resumed(f, "stepped");
	resume(f, name, 1);
	resumed(f, "1 of 2");
	resume(f, name + 1, 2);
	resumed(f, "stepped");
	confirm(f, name);
	assert_int_equal(hear_clock(f, f->edge[0], MSG_CLOCK_SURE).base_wall, clocks->now * 1000000);
	release(f, id);
	/* What was signed for the hold is spent, whatever halt may have its name. */
	resume(f, name, 2);
	resumed(f, "ended already");
}

static void
test_a_step_ahead_is_held_until_people_confirm(void **state)
{
	held_and_confirmed(*state, HOUR);
}

static void
test_a_step_back_is_held_until_people_confirm(void **state)
{
	held_and_confirmed(*state, -HOUR);
}

/* Called in the very second that is the name of a hold, which has ended. */
static void
test_a_halt_of_the_same_name_can_be_ended(void **state)
{
	struct fixture *f = *state;
	struct msg_unhalt m;
	int64_t name = step(f, HOUR);
	confirm(f, name);
	resume(f, name, 2);
	resumed(f, "ended already");
	const struct msg_halt halt = { .at = name };
	rig_say(f->rig.sup, MSG_HALT, &halt);
	resume(f, name, 2);
	hear_append(f, ENTRY_RESTRICT_RESUME);
	assert_string_equal(f->append.obj, "halt");
	acknowledge(f, 0);
	resumed(f, NULL);
	rig_hear(&f->rig, f->rig.sup, MSG_UNHALT, &m);
	assert_true(m.at == name);
}

static void
test_five_minutes_are_no_step(void **state)
{
	struct fixture *f = *state;
	uint8_t id[RELEASE_ID];
	based(f);
	clocks->now += 300;
	release(f, id);
	clocks->now -= 600;
	pass(1);
	assert_true(silent(f, f->audit));
	clocks->now--;
	held(f);
}

static void
test_suspend_is_no_step(void **state)
{
	struct fixture *f = *state;
	uint8_t id[RELEASE_ID];
	based(f);
	pass(9 * HOUR);
	release(f, id);
}

static void
test_the_clock_comes_back(void **state)
{
	struct fixture *f = *state;
	uint8_t id[RELEASE_ID];
	step(f, HOUR);
	clocks->now -= HOUR;
	heard(f);
	hear_append(f, ENTRY_RESTRICT_RESUME);
	assert_string_equal(f->append.obj, "clock");
	assert_string_equal(f->append.act, "warden");
	/* Not before the log has it. */
	ask_refused(f, "stepped");
	acknowledge(f, 0);
	hear_clock(f, f->control, MSG_CLOCK_SURE);
	release(f, id);
}

static void
test_an_entry_is_said_again_until_it_is_in_the_log(void **state)
{
	struct fixture *f = *state;
	based(f);
	clocks->now += HOUR;
	int64_t name = held(f);
	acknowledge(f, FG_EIO);
	assert_true(silent(f, f->audit)); /* not at once: who refuses would be asked without end */
	answer_time_passes(f);
	hear_append(f, ENTRY_CLOCK_STEPPED);
	answer_time_passes(f); /* no answer */
	hear_append(f, ENTRY_CLOCK_STEPPED);
	cut(&f->audit);
	f->audit = rig_peer(&f->rig, MSG_ROLE_AUDIT, 0);
	hear_append(f, ENTRY_CLOCK_STEPPED);
	acknowledge(f, 0);
	assert_true(silent(f, f->audit));
	confirm(f, name);
}

/* At a start audit takes nothing before the warden's word on its checkpoint; nobody waits ten seconds for that. */
static void
test_an_entry_refused_by_a_log_not_open_yet(void **state)
{
	struct fixture *f = *state;
	struct msg_cosigned word;
	based(f);
	clocks->now += HOUR;
	int64_t name = held(f);
	acknowledge(f, FG_EIO);
	rig_say(f->audit, MSG_COSIGN_ASK, &(struct msg_cosign_ask){ .token = 5, .request = view_str("no request") });
	rig_hear(&f->rig, f->audit, MSG_COSIGNED, &word);
	hear_append(f, ENTRY_CLOCK_STEPPED);
	acknowledge(f, 0);
	confirm(f, name);
}

/* People may be faster than the log was: its beginning stands before its end all the same. */
static void
test_a_hold_ends_after_it_began(void **state)
{
	struct fixture *f = *state;
	struct msg_append began;
	based(f);
	clocks->now += HOUR;
	int64_t name = held(f);
	acknowledge(f, FG_EAGAIN);
	resume(f, name, 2);
	hear_append(f, ENTRY_CLOCK_STEPPED);
	began = f->append;
	hear_append(f, ENTRY_RESTRICT_RESUME);
	rig_say(f->audit, MSG_APPENDED, &(struct msg_appended){ .token = began.token, .index = LOG_SIZE });
	acknowledge(f, 0);
	resumed(f, NULL);
	assert_true(rig_silent(f->audit));
	release(f, (uint8_t[RELEASE_ID]){ 0 });
}

static void
test_a_restart_forgets_no_step(void **state)
{
	struct fixture *f = *state;
	int64_t name = step(f, HOUR);
	ask_refused(f, "stepped");
	start(f);
	assert_true(hear_clock(f, f->control, MSG_CLOCK_HELD).name == name);
	assert_int_equal(listed(f), 0);
	ask_refused(f, "stepped");
	assert_true(silent(f, f->audit)); /* it stands in the log already */
	/* And one that happened while nobody looked. */
	confirm(f, name);
	hang_up(f);
	clocks->now += 2 * HOUR;
	start(f);
	hear_clock(f, f->control, MSG_CLOCK_SURE); /* as it was kept; then it looks */
	assert_int_equal(listed(f), 0);
	assert_true(held(f) > name);
}

/* It is down before its clocks begin anew. */
static void
reboot(struct fixture *f)
{
	hang_up(f);
	clocks->boot++;
	clocks->mono = 20;
	start(f);
}

static void
test_a_reboot_is_no_way_out(void **state)
{
	struct fixture *f = *state;
	int64_t name = step(f, HOUR);
	ask_refused(f, "stepped");
	reboot(f);
	settle(f, NOW - 5);
	assert_true(hear_clock(f, f->control, MSG_CLOCK_HELD).name == name);
	assert_int_equal(listed(f), 0);
	ask_refused(f, "stepped");
	clocks->now -= HOUR; /* back where it was, which nobody can tell any more: one more step */
	heard(f);
	hear_append(f, ENTRY_CLOCK_STEPPED);
	acknowledge(f, 0);
	ask_refused(f, "stepped");
}

static void
test_a_clock_behind_the_log_after_a_reboot(void **state)
{
	struct fixture *f = *state;
	uint8_t id[RELEASE_ID];
	settle(f, NOW + HOUR);
	held(f);
	assert_non_null(strstr(f->append.msg, "3600 s behind"));
	acknowledge(f, 0);
	ask_refused(f, "stepped");
	clocks->now += 2 * HOUR; /* set by NTP: no base was taken of the clock before */
	heard(f);
	hear_append(f, ENTRY_RESTRICT_RESUME);
	acknowledge(f, 0);
	hear_clock(f, f->control, MSG_CLOCK_SURE);
	release(f, id);
}

/* It ran ahead for longer than any key is valid, was set right, and the machine started again. */
static void
test_people_confirm_a_clock_behind_the_log_after_a_reboot(void **state)
{
	struct fixture *f = *state;
	uint8_t id[RELEASE_ID];
	const int64_t last = NOW + INT64_C(100) * 365 * 24 * HOUR;
	based(f);
	reboot(f);
	assert_int_equal(listed(f), 0);
	settle(f, last);
	int64_t name = held(f);
	acknowledge(f, 0);
	ask_refused(f, "stepped");
	pass(HOUR);
	resume_at(f, name, 1, last);
	resumed(f, "1 of 2");
	confirm_at(f, name, last);
	settle(f, last + 1); /* the entry just written */
	release(f, id);
}

/* Audit may say anything; the next one is an honest one. */
static void
test_people_confirm_against_an_impossible_log(void **state)
{
	struct fixture *f = *state;
	uint8_t id[RELEASE_ID];
	based(f);
	const struct msg_head m = { .state = MSG_LOG_OPEN_OK, .size = LOG_SIZE, .published = LOG_SIZE, .last_us = INT64_MAX };
	rig_say(f->audit, MSG_HEAD, &m);
	int64_t name = held(f);
	acknowledge(f, 0);
	confirm(f, name);
	release(f, id);
}

/* Within one boot what the clock must read counts as well: a step back revives no key. */
static void
test_a_step_back_revives_no_key(void **state)
{
	struct fixture *f = *state;
	based(f);
	pass(f->g->set.signer[0].valid_before - NOW);
	clocks->now -= 10 * HOUR;
	int64_t name = held(f);
	acknowledge(f, 0);
	resume(f, name, 2);
	resumed(f, "0 of 2");
}

static void
test_a_confirmed_step_back_stays_confirmed(void **state)
{
	struct fixture *f = *state;
	uint8_t id[RELEASE_ID];
	int64_t name = step(f, -20 * HOUR);
	ask_refused(f, "stepped");
	pass(HOUR); /* entries go on by the old base */
	confirm_at(f, name, NOW + HOUR / 2);
	settle(f, NOW + HOUR);
	release(f, id);
	assert_true(silent(f, f->audit));
}

static void
test_what_is_kept_and_unreadable_is_a_hold(void **state)
{
	struct fixture *f = *state;
	based(f);
	scratch_write(scratch_path(&f->tmp, "images/approved/clock"), "no clock", 8);
	start(f);
	assert_true(hear_clock(f, f->control, MSG_CLOCK_HELD).name == 0);
	assert_int_equal(listed(f), 0);
	settle(f, NOW - 5);
	int64_t name = held(f);
	acknowledge(f, 0);
	ask_refused(f, "stepped");
	confirm(f, name);
}

static void
test_a_step_while_the_log_is_asked(void **state)
{
	struct fixture *f = *state;
	based(f);
	ask(f);
	roots_at(f, 2, MSG_LOG_OPEN_OK, NOW - 5);
	hear_append(f, ENTRY_RELEASE_ISSUED);
	struct msg_append issued = f->append;
	clocks->now += HOUR;
	heard(f);
	hear_append(f, ENTRY_CLOCK_STEPPED);
	acknowledge(f, 0);
	f->append = issued;
	acknowledge(f, 0);
	refused(f, "stepped");
	hear_append(f, ENTRY_RELEASE_REFUSED);
	assert_string_equal(f->append.obj, issued.obj);
	assert_true(silent(f, f->edge[0]));
}

/* What was signed for one hold ends no other, nor a halt: not when it ended and another came while the log was asked. */
static void
test_another_hold_while_the_log_is_asked(void **state)
{
	struct fixture *f = *state;
	int64_t name = step(f, HOUR);
	resume(f, name, 2);
	hear_append(f, ENTRY_RESTRICT_RESUME);
	struct msg_append asked = f->append;
	assert_int_equal(asked.refs[1].number, name);
	clocks->now += HOUR;
	assert_true(held(f) > name);
	acknowledge(f, 0);
	clocks->now -= 2 * HOUR;
	heard(f);
	hear_append(f, ENTRY_RESTRICT_RESUME);
	assert_string_equal(f->append.act, "warden");
	acknowledge(f, 0);
	hear_clock(f, f->control, MSG_CLOCK_SURE);
	f->append = asked;
	acknowledge(f, 0);
	resumed(f, "another began");
	hear_append(f, ENTRY_RESTRICT_RESUME);
	assert_string_equal(f->append.out, "denied");
	assert_string_equal(f->append.obj, "clock");
	assert_int_equal(f->append.refs[1].number, name);
	acknowledge(f, 0);
	assert_true(silent(f, f->rig.sup));
}

/* A glitch must not cost what people have signed; edges judge by the latest time themselves. */
static void
test_nothing_is_withdrawn_by_a_held_clock(void **state)
{
	struct fixture *f = *state;
	struct msg_withdraw m;
	uint8_t id[RELEASE_ID];
	based(f);
	release(f, id);
	clocks->now = f->terms.not_after + 1;
	int64_t name = held(f);
	acknowledge(f, 0);
	assert_true(silent(f, f->edge[0]));
	confirm(f, name);
	rig_hear(&f->rig, f->edge[0], MSG_WITHDRAW, &m);
}

/* An hour of doubt within the slack: expired by the later reading, not begun by the earlier. */
static void
test_statements_are_judged_by_both_ends(void **state)
{
	struct fixture *f = *state;
	based(f);
	clocks->now -= 290; /* it may be NOW all the same */
	f->terms.not_after = NOW - 10;
	ask_refused(f, "already expired");
	f->terms.not_after = NOW + HOUR;
	uint8_t id[RELEASE_ID];
	release(f, id);
}

int
main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_nothing_before_the_log_was_asked),
		T(test_a_step_ahead_is_held_until_people_confirm),
		T(test_a_step_back_is_held_until_people_confirm),
		T(test_a_halt_of_the_same_name_can_be_ended),
		T(test_five_minutes_are_no_step),
		T(test_suspend_is_no_step),
		T(test_the_clock_comes_back),
		T(test_an_entry_is_said_again_until_it_is_in_the_log),
		T(test_an_entry_refused_by_a_log_not_open_yet),
		T(test_a_hold_ends_after_it_began),
		T(test_a_restart_forgets_no_step),
		T(test_a_reboot_is_no_way_out),
		T(test_a_clock_behind_the_log_after_a_reboot),
		T(test_people_confirm_a_clock_behind_the_log_after_a_reboot),
		T(test_people_confirm_against_an_impossible_log),
		T(test_a_step_back_revives_no_key),
		T(test_a_confirmed_step_back_stays_confirmed),
		T(test_what_is_kept_and_unreadable_is_a_hold),
		T(test_a_step_while_the_log_is_asked),
		T(test_another_hold_while_the_log_is_asked),
		T(test_nothing_is_withdrawn_by_a_held_clock),
		T(test_statements_are_judged_by_both_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
